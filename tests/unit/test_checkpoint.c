/* A run saved anywhere goes on to the same bits; a file that is not what it says gets its one sentence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SIDE = 6, SAMPLES = 50, CLASSES = 4 };

#define MODEL(layers) "{'tabgrad':1,'model':{'input':[6,6,1],'layers':[" layers "]},"
#define CNN                                                                                                  \
    MODEL("{'type':'conv2d','filters':5,'kernel':3},{'type':'relu'},{'type':'max_pool2d','size':2},"         \
          "{'type':'flatten'},{'type':'dense','units':7,'trainable':false},{'type':'dense','units':4}")      \
    "'preprocess':[{'type':'rescale'},{'type':'standardize'}],'batch_size':16,'data':{'validation':0.2},"
#define ADAM "'optimizer':{'type':'adam','learning_rate':0.01}"

static tg_engine *engine;
static tg_dataset *train_set, *test_set;

/* ---- going on ------------------------------------------------------------------------------------------ */

#define NORMALISED                                                                                           \
    MODEL("{'type':'conv2d','filters':3,'kernel':3},{'type':'batch_norm'},{'type':'relu'},"                  \
          "{'type':'flatten'},{'type':'dropout','rate':0.4},{'type':'dense','units':4}")                     \
    "'augment':[{'type':'rotate','degrees':20},{'type':'cutout','size':2,'probability':0.5}],"
#define CODE                                                                                                 \
    MODEL("{'type':'flatten'},{'type':'dense','units':5},{'type':'tanh'},{'type':'dense','units':36}")

static const char *const recipes[] = {
    CNN "'optimizer':{'type':'sgd'},'epochs':4}",
    CNN "'optimizer':{'type':'momentum','l2':0.001},'epochs':4,'schedule':{'type':'cosine'}}",
    CNN "'optimizer':{'type':'nesterov'},'epochs':4,'loss':{'type':'mean_squared_error'}}",
    CNN "'optimizer':{'type':'adam'},'epochs':4,'schedule':{'type':'step','every_epochs':1,'factor':0.5}}",
    CNN "'optimizer':{'type':'adamw','weight_decay':0.1},'epochs':4}",
    NORMALISED "'optimizer':{'type':'rmsprop','clip_norm':0.5,'momentum':0.5},'batch_size':16,'epochs':4}",
    CODE "'loss':{'type':'mean_squared_error','target':'input'}," ADAM ",'epochs':4,'batch_size':20}",
};
enum { RECIPES = sizeof recipes / sizeof *recipes };

static bool count_down(void *ctx) {
    size_t *left = ctx;
    return --*left == 0;
}

/* Trains so many units of work further, over the ends of epochs: nodes, updates, pieces of an evaluation. */
static tg_progress train_units(tg_run *run, size_t units) {
    tg_progress p;
    tg_error err;
    while (units) {
        size_t before = units;
        ASSERT_OK(tg_run_train(run, 0, count_down, &units, NULL, 0, NULL, &p, &err));
        if (units == before || p.finished) break;
        if (p.epoch_finished) units--; /* the call ended before it could ask */
    }
    return p;
}

static void assert_same_run(tg_run *a, tg_run *b) {
    tg_progress p, q;
    tg_error err;
    const char *text_a, *text_b;
    tg_run_progress(a, &p);
    tg_run_progress(b, &q);
    assert_string_equal(hash_of(a), hash_of(b));
    assert_true(p.step == q.step && p.epoch == q.epoch && p.epoch_step == q.epoch_step &&
                p.samples == q.samples);
    assert_memory_equal(&p.train, &q.train, sizeof p.train);
    assert_memory_equal(&p.held_out, &q.held_out, sizeof p.held_out);
    assert_true(p.learning_rate == q.learning_rate);
    ASSERT_OK(tg_run_recipe_json(a, &text_a, &err));
    ASSERT_OK(tg_run_recipe_json(b, &text_b, &err));
    assert_string_equal(text_a, text_b);
    ASSERT_OK(tg_run_history_json(a, &text_a, &err));
    ASSERT_OK(tg_run_history_json(b, &text_b, &err));
    assert_string_equal(text_a, text_b);
}

/* From the first gather over every node of a step and of the evaluation after an epoch. */
static void a_run_saved_anywhere_goes_on_to_the_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < RECIPES; i++) {
        tg_run *whole = make_run(engine, recipes[i], train_set, test_set);
        train_steps(whole, 0);
        for (size_t units = 1; units < 400; units += units < 20 ? 1 : 23) {
            tg_run *run = make_run(engine, recipes[i], train_set, test_set);
            train_units(run, units);
            tg_run *loaded = save_and_load(engine, run, train_set, test_set);
            assert_string_equal(hash_of(loaded), hash_of(run));
            tg_run_destroy(run);
            train_steps(loaded, 0);
            assert_same_run(loaded, whole);
            tg_run_destroy(loaded);
        }
        tg_run_destroy(whole);
    }
}

static void four_epochs_are_two_and_two(void **state) {
    (void)state;
    for (size_t i = 0; i < RECIPES; i++) {
        tg_run *four = make_run(engine, recipes[i], train_set, test_set),
               *two = make_run(engine, recipes[i], train_set, test_set);
        train_steps(four, 0);
        tg_progress p;
        tg_run_progress(two, &p);
        train_steps(two, 2 * p.steps_per_epoch);
        tg_run *loaded = save_and_load(engine, two, train_set, test_set);
        assert_same_run(two, loaded);
        train_steps(loaded, 0);
        assert_same_run(four, loaded);
        tg_run_destroy(four);
        tg_run_destroy(two);
        tg_run_destroy(loaded);
    }
}

static void changes_by_hand_survive(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipes[3], train_set, test_set);
    tg_error err;
    train_steps(run, 4);
    ASSERT_OK(tg_run_set_learning_rate(run, 0.003, &err));
    train_steps(run, 1);
    ASSERT_OK(tg_run_set_epochs(run, 6, &err));
    tg_run *loaded = save_and_load(engine, run, train_set, test_set);
    assert_same_run(run, loaded);
    train_steps(run, 0);
    assert_int_equal(train_steps(loaded, 0).epoch, 6);
    assert_same_run(run, loaded);
    tg_run_destroy(run);
    tg_run_destroy(loaded);
}

/* Byte by byte, whether saved twice or saved, loaded and saved again. */
static void a_file_is_determined_by_its_run(void **state) {
    (void)state;
    for (size_t i = 0; i < RECIPES; i++) {
        tg_run *run = make_run(engine, recipes[i], train_set, test_set);
        train_steps(run, 7);
        tg_run *loaded = save_and_load(engine, run, train_set, test_set);
        uint8_t *bytes[3];
        size_t size[3];
        tg_error err;
        for (size_t k = 0; k < 3; k++)
            ASSERT_OK(tg_run_save(k < 2 ? run : loaded, false, &bytes[k], &size[k], &err));
        assert_true(size[0] == size[1] && size[1] == size[2]);
        assert_memory_equal(bytes[0], bytes[1], size[0]);
        assert_memory_equal(bytes[0], bytes[2], size[0]);
        for (size_t k = 0; k < 3; k++) tg_free(bytes[k]);
        tg_run_destroy(run);
        tg_run_destroy(loaded);
    }
}

/* ---- without the data, or with other data -------------------------------------------------------------- */

/* Fitted numbers and class names travel with the file; saved again, it still knows where it was. */
static void a_run_without_data_predicts_and_keeps_its_place(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipes[3], train_set, test_set);
    train_steps(run, 5);
    tg_run *bare = save_and_load(engine, run, NULL, NULL);
    float expected[20 * CLASSES], got[20 * CLASSES];
    tg_error err;
    ASSERT_OK(tg_run_predict(run, TG_U8, tg_dataset_pixels(test_set), 20, expected, &err));
    ASSERT_OK(tg_run_predict(bare, TG_U8, tg_dataset_pixels(test_set), 20, got, &err));
    assert_memory_equal(expected, got, sizeof got);
    assert_string_equal(tg_run_class_name(bare, 0), "a");
    tg_progress p;
    ASSERT_FAILS(tg_run_train(bare, 1, NULL, NULL, NULL, 0, NULL, &p, &err), TG_E_STATE,
                 "train: there is no training data; give the run some when it is made or loaded");
    tg_run *again = save_and_load(engine, bare, train_set, test_set);
    assert_same_run(run, again);
    train_steps(run, 0);
    train_steps(again, 0);
    assert_same_run(run, again);
    tg_run_destroy(run);
    tg_run_destroy(bare);
    tg_run_destroy(again);
}

/* On other data the epoch that was going on starts over; what is learned and counted stays. */
static void other_data_begin_the_epoch_again(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipes[4], train_set, test_set);
    tg_progress p, q;
    train_steps(run, 5);
    tg_run *loaded = save_and_load(engine, run, test_set, NULL);
    tg_run_progress(run, &p);
    tg_run_progress(loaded, &q);
    assert_true(p.epoch == 1 && p.epoch_step == 2);
    assert_true(q.epoch == 1 && q.epoch_step == 0 && q.step == 5 && q.samples == p.samples &&
                q.train.count == 0);
    assert_string_equal(hash_of(run), hash_of(loaded));
    assert_true(train_steps(loaded, 0).finished);
    tg_run_destroy(run);
    tg_run_destroy(loaded);
}

/* Schedules count finished epochs, however many steps these had. */
static void schedules_go_on_with_other_data_where_they_were(void **state) {
    (void)state;
    const struct {
        const char *recipe;
        double factor; /* after two of four epochs */
    } cases[] = {{recipes[1], 0.5}, {recipes[3], 0.25}};
    for (size_t i = 0; i < 2; i++) {
        tg_run *run = make_run(engine, cases[i].recipe, train_set, NULL);
        tg_progress begin, p;
        tg_run_progress(run, &begin);
        double rate = begin.learning_rate;
        train_steps(run, 6);
        tg_run *loaded = save_and_load(engine, run, test_set, NULL);
        tg_run_progress(loaded, &p);
        assert_true(p.epoch == 2 && p.epoch_step == 0 && p.steps_per_epoch < begin.steps_per_epoch);
        assert_true(fabs(p.learning_rate / rate - cases[i].factor) < 1e-12);
        p = train_steps(loaded, 0);
        assert_true(p.finished && p.step == 6 + 2 * p.steps_per_epoch);
        tg_run_destroy(run);
        tg_run_destroy(loaded);
    }
}

/* What was measured on held-out samples is not what the epochs without them have. */
static void a_run_that_has_no_test_set_any_more_has_no_score_on_it(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipes[RECIPES - 1], train_set, test_set);
    assert_true(train_steps(run, 3).held_out.count > 0);
    tg_run *loaded = save_and_load(engine, run, train_set, NULL);
    tg_progress p = train_steps(loaded, 0);
    assert_true(p.finished && p.held_out.count == 0);
    tg_run_destroy(run);
    tg_run_destroy(loaded);
}

static void weights_alone_begin_a_run_anew(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipes[3], train_set, test_set);
    train_steps(run, 0);
    uint8_t *bytes;
    size_t size;
    tg_error err;
    ASSERT_OK(tg_run_save(run, true, &bytes, &size, &err));
    tg_safetensors *file;
    ASSERT_OK(tg_safetensors_open((tg_bytes){"weights", bytes, size}, &file, &err));
    assert_int_equal(tg_safetensors_count(file),
                     tg_run_parameters(run)); /* load_state_dict(strict) wants no more */
    tg_safetensors_close(file);
    tg_run *loaded = load_bytes(engine, bytes, size, train_set, test_set);
    tg_free(bytes);
    assert_string_equal(hash_of(loaded), hash_of(run));
    tg_progress p;
    tg_run_progress(loaded, &p);
    assert_true(p.step == 0 && p.epoch == 0);
    assert_true(train_steps(loaded, 0).finished);
    tg_run_destroy(run);
    tg_run_destroy(loaded);
}

/* ---- files that are not what they say ------------------------------------------------------------------ */

/* A file that is taken apart, to be put together again with one thing changed. */
typedef struct parts {
    uint8_t *bytes;
    size_t size;
    tg_safetensors *file;
    tg_tensor tensors[32];
    size_t count;
    tg_metadata metadata[5];
} parts;

/* The digest of the data is there by then: saving has not to take it. */
static void what_makes_saving_slow_can_be_done_before(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipes[3], train_set, test_set);
    tg_error err;
    ASSERT_OK(tg_dataset_check(train_set, "train", &err)); /* as if nobody had asked for the digest yet */
    size_t calls = 1;
    while (!tg_run_prepare_save(run, 100)) calls++;
    assert_int_equal(calls, SAMPLES * SIDE * SIDE / 100 + SAMPLES * 4 / 100);
    char expected[65];
    snprintf(expected, sizeof expected, "%s", tg_dataset_sha256(train_set));
    ASSERT_OK(tg_dataset_check(train_set, "train", &err));
    assert_string_equal(tg_dataset_sha256(train_set), expected);
    tg_run_destroy(run);

    run = make_run(engine, recipes[3], NULL, NULL);
    assert_true(tg_run_prepare_save(run, 100)); /* no data: nothing to do */
    tg_run_destroy(run);
}

static parts take_apart(void) {
    tg_run *run = make_run(engine, recipes[3], train_set, test_set);
    train_steps(run, 5);
    parts p = {0};
    tg_error err;
    ASSERT_OK(tg_run_save(run, false, &p.bytes, &p.size, &err));
    tg_run_destroy(run);
    ASSERT_OK(tg_safetensors_open((tg_bytes){"file", p.bytes, p.size}, &p.file, &err));
    p.count = tg_safetensors_count(p.file);
    for (size_t i = 0; i < p.count; i++) p.tensors[i] = *tg_safetensors_at(p.file, i);
    static const char *const keys[] = {"tabgrad", "recipe", "history", "classes", "dataset_sha256"};
    for (size_t i = 0; i < 5; i++)
        p.metadata[i] = (tg_metadata){keys[i], tg_safetensors_metadata(p.file, keys[i])};
    return p;
}

static tg_tensor *tensor(parts *p, const char *name) {
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->tensors[i].name, name) == 0) return &p->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

/* Refused with that sentence, whatever the parts are now. */
static void check_refused(parts *p, tg_status expected_status, const char *expected) {
    uint8_t *bytes;
    size_t size;
    tg_error err;
    ASSERT_OK(tg_safetensors_write(p->tensors, p->count, p->metadata, 5, &bytes, &size, &err));
    tg_checkpoint *checkpoint;
    ASSERT_OK(tg_checkpoint_open((tg_bytes){"run.safetensors", bytes, size}, &checkpoint, &err));
    tg_attrs *document = document_of(checkpoint);
    tg_run *run;
    ASSERT_FAILS(tg_run_load(engine, checkpoint, document, train_set, test_set, &run, &err), expected_status,
                 expected);
    assert_null(run);
    tg_attrs_destroy(document);
    tg_checkpoint_destroy(checkpoint);
    tg_free(bytes);
    tg_safetensors_close(p->file);
    tg_free(p->bytes);
}

static void wrong_tensors_are_told(void **state) {
    (void)state;
    parts p = take_apart();
    p.count--;
    check_refused(&p, TG_E_FORMAT, "run.safetensors: holds 16 tensors but its recipe asks for 17");

    p = take_apart();
    tensor(&p, "conv2d1.weight")->name = "conv2d9.weight";
    check_refused(&p, TG_E_FORMAT,
                  "run.safetensors: has no tensor conv2d1.weight, which its recipe asks for");

    p = take_apart();
    tg_tensor *t = tensor(&p, "dense1.weight");
    t->shape[0] = t->size, t->shape[1] = 1;
    check_refused(&p, TG_E_FORMAT,
                  "run.safetensors: tensor dense1.weight is 140x1 but its recipe asks for 7x20");

    p = take_apart();
    t = tensor(&p, "optimizer.dense2.bias.exp_avg");
    t->type = TG_TENSOR_F64, t->dtype = "F64", t->bytes *= 2;
    double zeros[4] = {0};
    t->data = (const uint8_t *)zeros;
    check_refused(
        &p, TG_E_FORMAT,
        "run.safetensors: tensor optimizer.dense2.bias.exp_avg holds F64, which does not fit its recipe");

    const float bad[] = {0, 1, NAN, 2};
    p = take_apart();
    tensor(&p, "dense2.bias")->data = (const uint8_t *)bad;
    check_refused(&p, TG_E_FORMAT,
                  "run.safetensors: tensor dense2.bias holds a value that is not finite, at 2");
}

static void wrong_positions_are_told(void **state) {
    (void)state;
    /* epoch, step, epoch_step, samples, epoch_correct, epoch_samples, held-out samples, diverged,
     * best epoch, patient since, stopped */
    static const int64_t positions[][11] = {
        {-1, 5, 2, 72, 0, 32, 10, 0, 0, 0, 0}, {INT64_MAX, 5, 2, 72, 0, 32, 10, 0, 0, 0, 0},
        {1, 5, 4, 72, 0, 32, 10, 0, 0, 0, 0},  {5, 5, 2, 72, 0, 32, 10, 0, 0, 0, 0},
        {1, 5, 2, 72, 33, 32, 10, 0, 0, 0, 0}, {1, 5, 2, 72, 0, 32, 10, 0, 2, 0, 0}};
    static const char *const told[] = {"run.safetensors: state.position makes no sense",
                                       "run.safetensors: state.position makes no sense",
                                       "run.safetensors: state.position makes no sense",
                                       "run.safetensors: state.position and state.sums make no sense",
                                       "run.safetensors: state.position and state.sums make no sense",
                                       "run.safetensors: state.position and state.sums make no sense"};
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        parts p = take_apart();
        tensor(&p, "state.position")->data = (const uint8_t *)positions[i];
        check_refused(&p, TG_E_FORMAT, told[i]);
    }
    static const double sums[][5] = {
        {1, 1, 0, 1, 1}, {1, 1, -0.1, 1, 1}, {1, 1, NAN, 1, 1}, {1, 1, INFINITY, 1, 1}};
    for (size_t i = 0; i < 4; i++) {
        parts p = take_apart();
        tensor(&p, "state.sums")->data = (const uint8_t *)sums[i];
        check_refused(&p, TG_E_FORMAT, "run.safetensors: state.position and state.sums make no sense");
    }
}

static void wrong_metadata_are_told(void **state) {
    (void)state;
    static const struct {
        size_t index; /* in the metadata */
        const char *value;
        tg_status status;
        const char *told;
    } cases[] = {
        {1, "[]", TG_E_FORMAT, "run.safetensors: its recipe is not an object"},
        {1, "{\"tabgrad\":1}", TG_E_RECIPE, "run.safetensors: recipe: model is missing"},
        {2, "[]", TG_E_FORMAT, "run.safetensors: history: holds no events and epochs"},
        {2, "{\"events\":[],\"epochs\":[]}", TG_E_FORMAT,
         "run.safetensors: history: does not fit the position of the run"},
        {2, "{\"events\":[],\"epochs\":[{}]}", TG_E_FORMAT,
         "run.safetensors: history: an epoch has no number"},
        {2, "{\"events\":[],\"epochs\":[1,2,3,4,5]}", TG_E_FORMAT,
         "run.safetensors: history: has more epochs than the recipe"},
        {2, "{\"events\":[{}],\"epochs\":[]}", TG_E_RECIPE, "run.safetensors: history: step is missing"},
        {3, "[\"a\",\"b\",\"c\"]", TG_E_FORMAT,
         "run.safetensors: classes: do not name the model's 4 outputs"},
        {3, "{}", TG_E_FORMAT, "run.safetensors: classes: do not name the model's 4 outputs"},
        {3, "[\"a\",\"b\",\"c\",4]", TG_E_FORMAT, "run.safetensors: classes: hold a name that is not a text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parts p = take_apart();
        p.metadata[cases[i].index].value = cases[i].value;
        check_refused(&p, cases[i].status, cases[i].told);
    }
}

static void weights_without_a_recipe_are_told(void **state) {
    (void)state;
    const float values[] = {1, 2};
    const tg_tensor t = {.name = "fc.bias",
                         .type = TG_TENSOR_F32,
                         .dtype = "F32",
                         .rank = 1,
                         .shape = {2},
                         .size = 2,
                         .data = (const uint8_t *)values,
                         .bytes = sizeof values};
    uint8_t *bytes;
    size_t size;
    tg_error err;
    tg_checkpoint *checkpoint;
    ASSERT_OK(tg_safetensors_write(&t, 1, NULL, 0, &bytes, &size, &err));
    ASSERT_FAILS(tg_checkpoint_open((tg_bytes){"torch.safetensors", bytes, size}, &checkpoint, &err),
                 TG_E_FORMAT,
                 "torch.safetensors: holds weights but no tabgrad recipe; only checkpoints that tabgrad "
                 "saved can be opened");
    assert_null(checkpoint);
    tg_free(bytes);
}

/* Cut after every byte: never anything but a sentence that names the file. */
static void a_file_cut_short_is_told(void **state) {
    (void)state;
    parts p = take_apart();
    for (size_t size = 0; size < p.size; size += size < 64 || size > p.size - 64 ? 1 : 61) {
        uint8_t *cut =
            malloc(size ? size : 1); /* of its own, so that a sanitizer sees a step over the edge */
        memcpy(cut, p.bytes, size);
        tg_checkpoint *checkpoint;
        tg_error err;
        assert_int_equal(tg_checkpoint_open((tg_bytes){"cut.safetensors", cut, size}, &checkpoint, &err),
                         TG_E_FORMAT);
        assert_string_equal(err.where, "cut.safetensors");
        free(cut);
    }
    tg_safetensors_close(p.file);
    tg_free(p.bytes);
}

static int begin(void **state) {
    (void)state;
    engine = make_engine(1);
    train_set = make_pictures(SIDE, SIDE, 1, SAMPLES, CLASSES, 1, 0);
    test_set = make_pictures(SIDE, SIDE, 1, 30, CLASSES, 1, 1);
    static const char *const names[] = {"a", "b", "c", "d"};
    return tg_dataset_set_classes(train_set, CLASSES, names, NULL) == TG_OK ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    tg_dataset_destroy(train_set);
    tg_dataset_destroy(test_set);
    tg_engine_destroy(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_saved_anywhere_goes_on_to_the_same_bits),
        cmocka_unit_test(four_epochs_are_two_and_two),
        cmocka_unit_test(changes_by_hand_survive),
        cmocka_unit_test(a_file_is_determined_by_its_run),
        cmocka_unit_test(what_makes_saving_slow_can_be_done_before),
        cmocka_unit_test(a_run_without_data_predicts_and_keeps_its_place),
        cmocka_unit_test(other_data_begin_the_epoch_again),
        cmocka_unit_test(schedules_go_on_with_other_data_where_they_were),
        cmocka_unit_test(a_run_that_has_no_test_set_any_more_has_no_score_on_it),
        cmocka_unit_test(weights_alone_begin_a_run_anew),
        cmocka_unit_test(wrong_tensors_are_told),
        cmocka_unit_test(wrong_positions_are_told),
        cmocka_unit_test(wrong_metadata_are_told),
        cmocka_unit_test(weights_without_a_recipe_are_told),
        cmocka_unit_test(a_file_cut_short_is_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
