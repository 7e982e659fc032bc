/* Layers that begin with the weights of a checkpoint, frozen or trained on: what they take, what they refuse. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SIDE = 6, SAMPLES = 50, CLASSES = 4 };

#define RECIPE(layers)                                                                                       \
    "{'tabgrad':1,'model':{'input':[6,6,1],'layers':[" layers "]},'preprocess':[{'type':'rescale'}],"        \
    "'optimizer':{'type':'adam','learning_rate':0.01},'batch_size':16,'epochs':3}"
#define CONV(more) "{'type':'conv2d','filters':5,'kernel':3" more "}"
#define END        "{'type':'relu'},{'type':'flatten'},{'type':'dense','units':4}"

static tg_engine *engine;
static tg_dataset *train_set, *test_set;
static uint8_t *file; /* a checkpoint of CONV, END after an epoch */
static size_t file_size;

static tg_bytes named(const char *name) {
    return (tg_bytes){name, file, file_size};
}

static tg_run *run_of(const char *recipe) {
    return make_run(engine, recipe, train_set, test_set);
}

static bool same(const tg_run *a, const char *name, const tg_run *b, const char *other, size_t count) {
    return memcmp(parameter(a, name), parameter(b, other), count * sizeof(tg_real)) == 0;
}

/* ---- taking -------------------------------------------------------------------------------------------- */

static void a_layer_begins_with_the_weights_it_names(void **state) {
    (void)state;
    tg_run *giver = load_bytes(engine, file, file_size, NULL, NULL);
    tg_run *run = run_of(RECIPE(CONV(",'weights':'old'") "," END));
    tg_run *other =
        run_of(RECIPE(CONV(",'name':'eye','weights':{'checkpoint':'old','layer':'conv2d1'}") "," END));
    tg_error err;
    assert_string_equal(tg_run_waits_for(run), "old");
    ASSERT_OK(tg_run_take_weights(run, named("old"), &err));
    ASSERT_OK(tg_run_take_weights(other, named("old"), &err));
    assert_null(tg_run_waits_for(run));
    assert_true(same(run, "conv2d1.weight", giver, "conv2d1.weight", 45));
    assert_true(same(run, "conv2d1.bias", giver, "conv2d1.bias", 5));
    assert_true(same(other, "eye.weight", giver, "conv2d1.weight", 45));
    assert_false(same(run, "dense1.weight", giver, "dense1.weight", 320));
    tg_run_destroy(giver);
    tg_run_destroy(run);
    tg_run_destroy(other);
}

static void several_checkpoints_are_waited_for_one_after_the_other(void **state) {
    (void)state;
    tg_run *run = run_of(RECIPE(CONV(",'weights':'a'") ",{'type':'relu'},{'type':'flatten'},"
                                                       "{'type':'dense','units':4,'weights':'b'}"));
    tg_error err;
    assert_string_equal(tg_run_waits_for(run), "a");
    ASSERT_OK(tg_run_take_weights(run, named("b"), &err));
    assert_string_equal(tg_run_waits_for(run), "a");
    ASSERT_OK(tg_run_take_weights(run, named("a"), &err));
    assert_null(tg_run_waits_for(run));
    tg_run_destroy(run);
}

static void what_is_frozen_stays_as_it_was_taken(void **state) {
    (void)state;
    tg_run *giver = load_bytes(engine, file, file_size, NULL, NULL);
    tg_run *frozen = run_of(RECIPE(CONV(",'weights':'old','trainable':false") "," END));
    tg_run *tuned = run_of(RECIPE(CONV(",'weights':'old'") "," END));
    tg_error err;
    ASSERT_OK(tg_run_take_weights(frozen, named("old"), &err));
    ASSERT_OK(tg_run_take_weights(tuned, named("old"), &err));
    tg_progress first = train_steps(frozen, 1), last = train_steps(frozen, 0);
    train_steps(tuned, 0);
    assert_true(last.step_loss < first.step_loss);
    assert_true(same(frozen, "conv2d1.weight", giver, "conv2d1.weight", 45));
    assert_false(same(tuned, "conv2d1.weight", giver, "conv2d1.weight", 45));
    tg_run_destroy(giver);
    tg_run_destroy(frozen);
    tg_run_destroy(tuned);
}

/* Frozen, batch_norm computes in training what it computes otherwise, with statistics that stay. */
static void a_frozen_batch_norm_keeps_its_statistics(void **state) {
    (void)state;
    static const char recipe[] =
        "{'tabgrad':1,'model':{'input':[6,6,1],'layers':["
        "{'type':'conv2d','filters':3,'kernel':3,'trainable':false},"
        "{'type':'batch_norm','trainable':false}," END "]},'batch_size':50,'epochs':5,"
        "'preprocess':[{'type':'rescale'}],'optimizer':{'type':'sgd'}}";
    static const double means[] = {0.1, -0.2, 0.3}, variances[] = {0.5, 2, 0.25};
    tg_run *run = run_of(recipe);
    set_parameter(run, "batch_norm1.running_mean", means, 3);
    set_parameter(run, "batch_norm1.running_var", variances, 3);
    double before = evaluate_all(run, train_set).score.loss;
    assert_true(fabs(train_steps(run, 1).step_loss - before) < 1e-6);
    assert_true(train_steps(run, 0).step_loss < before);
    for (size_t c = 0; c < 3; c++) {
        assert_true(parameter(run, "batch_norm1.running_mean")[c] == (tg_real)means[c]);
        assert_true(parameter(run, "batch_norm1.running_var")[c] == (tg_real)variances[c]);
    }
    tg_run_destroy(run);
}

static void the_filled_in_recipe_says_which_file_it_was(void **state) {
    (void)state;
    tg_run *run = run_of(RECIPE(CONV(",'weights':'old','trainable':false") "," END)), *twin;
    const char *recipe;
    tg_error err;
    ASSERT_OK(tg_run_take_weights(run, named("old"), &err));
    ASSERT_OK(tg_run_recipe_json(run, &recipe, &err));
    assert_non_null(
        strstr(recipe, "\"weights\":{\"checkpoint\":\"old\",\"layer\":\"conv2d1\",\"sha256\":\""));
    twin = run_of(recipe);
    uint8_t *changed = malloc(file_size);
    memcpy(changed, file, file_size);
    changed[file_size - 1] ^= 1;
    assert_int_equal(tg_run_take_weights(twin, (tg_bytes){"old", changed, file_size}, &err), TG_E_FORMAT);
    assert_string_equal(err.where, "model.layers[0] conv2d: weights");
    assert_non_null(strstr(err.what, "old is not the file meant: its sha256 is "));
    ASSERT_OK(tg_run_take_weights(twin, named("old"), &err));
    train_steps(run, 0);
    train_steps(twin, 0);
    assert_string_equal(hash_of(run), hash_of(twin));
    free(changed);
    tg_run_destroy(run);
    tg_run_destroy(twin);
}

static void a_saved_run_needs_the_file_no_more(void **state) {
    (void)state;
    tg_run *run = run_of(RECIPE(CONV(",'weights':'old','trainable':false") "," END));
    tg_error err;
    ASSERT_OK(tg_run_take_weights(run, named("old"), &err));
    train_steps(run, 5);
    tg_run *again = save_and_load(engine, run, train_set, test_set);
    assert_null(tg_run_waits_for(again));
    train_steps(run, 0);
    train_steps(again, 0);
    assert_string_equal(hash_of(run), hash_of(again));
    tg_run_destroy(run);
    tg_run_destroy(again);
}

/* ---- waiting ------------------------------------------------------------------------------------------- */

static void nothing_goes_on_before_the_weights_are_there(void **state) {
    (void)state;
    static const char sentence_of_waiting[] =
        "there are layers that wait for the weights in old; hand that file in";
    tg_run *run = run_of(RECIPE(CONV(",'weights':'old'") "," END));
    tg_progress progress;
    tg_error err;
    float answer[CLASSES];
    uint8_t *bytes;
    size_t size;
    ASSERT_FAILS(tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &progress, &err), TG_E_STATE,
                 sentence_of_waiting);
    ASSERT_FAILS(tg_run_evaluate_begin(run, test_set, &err), TG_E_STATE, sentence_of_waiting);
    ASSERT_FAILS(tg_run_predict(run, TG_U8, tg_dataset_pixels(test_set), 1, answer, &err), TG_E_STATE,
                 sentence_of_waiting);
    ASSERT_FAILS(tg_run_save(run, false, &bytes, &size, &err), TG_E_STATE, sentence_of_waiting);
    ASSERT_FAILS(tg_run_take_weights(run, named("new"), &err), TG_E_ARGUMENT,
                 "no layer waits for the weights in new");
    tg_run_destroy(run);
}

/* ---- refusing: one sentence, and nothing is taken ------------------------------------------------------ */

static void the_wrong_tensors_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *recipe, *sentence;
    } cases[] = {
        {RECIPE("{'type':'conv2d','filters':6,'kernel':3,'weights':'old'}," END),
         "model.layers[0] conv2d: weights: conv2d1.weight in old is 5x1x3x3 but the layer takes 6x1x3x3"},
        {RECIPE(CONV(",'name':'eye','weights':'old'") "," END),
         "model.layers[0] conv2d: weights: old has no tensor eye.weight"},
        {RECIPE(CONV(
             ",'weights':'old'") ",{'type':'batch_norm','weights':{'checkpoint':'old','layer':'conv2d1'}},"
                                 "{'type':'flatten'},{'type':'dense','units':4}"),
         "model.layers[1] batch_norm: weights: conv2d1.weight in old is 5x1x3x3 but the layer takes 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_run *run = run_of(cases[i].recipe);
        char before[65];
        tg_error err;
        tg_run_hash(run, before);
        tg_status status = tg_run_take_weights(run, named("old"), &err);
        assert_string_equal(sentence(status, &err), cases[i].sentence);
        assert_string_equal(hash_of(run), before);
        assert_string_equal(tg_run_waits_for(run), "old");
        tg_run_destroy(run);
    }
}

/* A file of one dense layer, 36 to 4, whose weights are of that type. */
static tg_status take_from(tg_run *run, tg_tensor_type type, const char *dtype, const void *data,
                           size_t element, tg_error *err) {
    static const float bias[CLASSES] = {1, 2, 3, 4};
    const tg_tensor tensors[] = {
        {.name = "fc.weight",
         .type = type,
         .dtype = dtype,
         .rank = 2,
         .shape = {4, 36},
         .size = 144,
         .data = data,
         .bytes = 144 * element},
        {.name = "fc.bias",
         .type = TG_TENSOR_F32,
         .dtype = "F32",
         .rank = 1,
         .shape = {4},
         .size = 4,
         .data = (const uint8_t *)bias,
         .bytes = sizeof bias},
    };
    uint8_t *bytes;
    size_t size;
    tg_status status = tg_safetensors_write(tensors, 2, NULL, 0, &bytes, &size, err);
    if (status != TG_OK) return status;
    status = tg_run_take_weights(run, (tg_bytes){"torch.safetensors", bytes, size}, err);
    tg_free(bytes);
    return status;
}

static void files_of_others_are_taken_by_their_names(void **state) {
    (void)state;
    tg_run *run = run_of(RECIPE("{'type':'flatten'},{'type':'dense','units':4,"
                                "'weights':{'checkpoint':'torch.safetensors','layer':'fc'}}"));
    double values[144];
    uint16_t halves[144] = {0};
    tg_error err;
    for (size_t i = 0; i < 144; i++) values[i] = (double)i / 7;
    ASSERT_FAILS(
        take_from(run, TG_TENSOR_OTHER, "BF16", halves, 2, &err), TG_E_FORMAT,
        "model.layers[1] dense: weights: fc.weight in torch.safetensors holds BF16; only F32 and F64 can "
        "be taken");
    values[143] = NAN;
    ASSERT_FAILS(take_from(run, TG_TENSOR_F64, "F64", values, 8, &err), TG_E_FORMAT,
                 "model.layers[1] dense: weights: fc.weight in torch.safetensors holds a value that is not "
                 "finite, at 143");
    values[143] = 2;
    ASSERT_OK(take_from(run, TG_TENSOR_F64, "F64", values, 8, &err));
    for (size_t i = 0; i < 144; i++) assert_true(parameter(run, "dense1.weight")[i] == (tg_real)values[i]);
    assert_true(parameter(run, "dense1.bias")[3] == 4);
    tg_run_destroy(run);
}

static void what_is_no_file_of_tensors_is_refused(void **state) {
    (void)state;
    tg_run *run = run_of(RECIPE(CONV(",'weights':'old'") "," END));
    tg_error err;
    tg_status status = tg_run_take_weights(run, (tg_bytes){"old", file, file_size - 1}, &err);
    assert_int_equal(status, TG_E_FORMAT);
    assert_string_equal(err.where, "old");
    assert_string_equal(tg_run_waits_for(run), "old");
    tg_run_destroy(run);
}

static void recipes_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *recipe, *sentence;
    } cases[] = {
        {RECIPE(CONV(",'weights':3") "," END),
         "model.layers[0] conv2d: weights: must be the name of a checkpoint or an object with a checkpoint"},
        {RECIPE(CONV(",'weights':''") "," END), "model.layers[0] conv2d: weights: name no checkpoint"},
        {RECIPE(CONV(",'weights':{'layer':'conv2d1'}") "," END),
         "model.layers[0] conv2d: weights: checkpoint is missing"},
        {RECIPE(CONV(",'weights':'old','initializer':'he'") "," END),
         "model.layers[0] conv2d: weights: stand beside \"initializer\"; keep one of the two"},
        {RECIPE(CONV("") ",{'type':'relu','weights':'old'},{'type':'flatten'},{'type':'dense','units':4}"),
         "model.layers[1] relu: weights: a layer of type relu has none"},
        {RECIPE(CONV(",'weights':{'checkpoint':'old','sha256':'12'}") "," END),
         "model.layers[0] conv2d: weights: sha256 must be 64 lower-case hexadecimal digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_attrs *attrs = attrs_from("%s", cases[i].recipe);
        tg_run *run;
        tg_error err;
        ASSERT_FAILS(tg_run_create(engine, attrs, train_set, NULL, &run, &err), TG_E_RECIPE,
                     cases[i].sentence);
        tg_attrs_destroy(attrs);
    }
}

/* ---- together ------------------------------------------------------------------------------------------ */

static int set_up(void **state) {
    (void)state;
    tg_error err;
    engine = make_engine(2);
    train_set = make_pictures(SIDE, SIDE, 1, SAMPLES, CLASSES, 5, 0);
    test_set = make_pictures(SIDE, SIDE, 1, 30, CLASSES, 5, 1);
    tg_run *run = run_of(RECIPE(CONV("") "," END));
    train_steps(run, 4);
    ASSERT_OK(tg_run_save(run, true, &file, &file_size, &err));
    tg_run_destroy(run);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tg_free(file);
    tg_dataset_destroy(train_set);
    tg_dataset_destroy(test_set);
    tg_engine_destroy(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_begins_with_the_weights_it_names),
        cmocka_unit_test(several_checkpoints_are_waited_for_one_after_the_other),
        cmocka_unit_test(what_is_frozen_stays_as_it_was_taken),
        cmocka_unit_test(a_frozen_batch_norm_keeps_its_statistics),
        cmocka_unit_test(the_filled_in_recipe_says_which_file_it_was),
        cmocka_unit_test(a_saved_run_needs_the_file_no_more),
        cmocka_unit_test(nothing_goes_on_before_the_weights_are_there),
        cmocka_unit_test(the_wrong_tensors_are_refused),
        cmocka_unit_test(files_of_others_are_taken_by_their_names),
        cmocka_unit_test(what_is_no_file_of_tensors_is_refused),
        cmocka_unit_test(recipes_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
