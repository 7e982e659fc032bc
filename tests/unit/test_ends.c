/* Models with several inputs, among which a sample is dealt out, and several outputs, which predictions show. */
#include <math.h>
#include <string.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SAMPLES = 40, CLASSES = 3 };

#define RECIPE(model, rest)                                                                                  \
    "{'tabgrad':1,'model':{" model                                                                           \
    "},'optimizer':{'type':'sgd','learning_rate':0.1},'batch_size':8,'epochs':3" rest "}"
#define DENSE(units, more) "{'type':'dense','units':" #units more "}"

static tg_engine *engine;
static tg_dataset *features, *pictures; /* [5], and 4x4x2 */

static float *predicted(tg_run *run, tg_dataset *set, size_t n) {
    static float values[512];
    tg_error err;
    assert_true(n * tg_run_outputs(run) <= 512);
    ASSERT_OK(tg_run_predict(run, tg_dataset_type(set), tg_dataset_pixels(set), n, values, &err));
    return values;
}

/* ---- inputs -------------------------------------------------------------------------------------------- */

/* left takes the first two values of a sample, right the other three. */
static void features_are_dealt_out_in_order(void **state) {
    (void)state;
    tg_run *run =
        make_run(engine,
                 RECIPE("'inputs':[{'name':'left','shape':[2]},{'name':'right','shape':[3]}],'layers':["
                        "{'type':'concat','inputs':['right','left']}," DENSE(3, ",'bias':false") "]",
                        ",'loss':'mean_squared_error'"),
                 features, NULL);
    static const double pick[15] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    set_parameter(run, "dense1.weight", pick, 15);
    const float *x = tg_dataset_pixels(features), *y = predicted(run, features, 4);
    for (size_t i = 0; i < 4; i++, x += 5, y += 3) assert_true(y[0] == x[2] && y[1] == x[0] && y[2] == x[1]);
    tg_run_destroy(run);
}

/* The upper and the lower half of a picture: rows of [height, width, channels]. Behind flatten they stand as [C, H, W]. */
static void pictures_are_dealt_out_by_rows(void **state) {
    (void)state;
    tg_run *run =
        make_run(engine,
                 RECIPE("'inputs':[{'name':'upper','shape':[1,4,2]},{'name':'lower','shape':[3,4,2]}],"
                        "'outputs':['top','bottom'],'layers':["
                        "{'type':'flatten','name':'top','inputs':'upper'},"
                        "{'type':'flatten','name':'bottom','inputs':'lower'}]",
                        ",'loss':'mean_squared_error'"),
                 pictures, NULL);
    const uint8_t *x = tg_dataset_pixels(pictures);
    const float *y = predicted(run, pictures, 2);
    for (size_t i = 0; i < 2; i++, x += 32, y += 32)
        for (size_t c = 0; c < 2; c++)
            for (size_t at = 0; at < 16; at++) { /* row * 4 + column */
                float value = at < 4 ? y[c * 4 + at] : y[8 + c * 12 + at - 4];
                assert_true(value == x[at * 2 + c]);
            }
    tg_run_destroy(run);
}

static void what_is_fed_in_parts_learns_and_is_saved(void **state) {
    (void)state;
    tg_run *run = make_run(
        engine,
        RECIPE("'inputs':[{'name':'upper','shape':[2,4,2]},{'name':'lower','shape':[2,4,2]}],'layers':["
               "{'type':'conv2d','filters':3,'kernel':2,'inputs':'upper'},{'type':'relu'},"
               "{'type':'flatten','name':'a'},{'type':'conv2d','filters':3,'kernel':2,'inputs':'lower'},"
               "{'type':'relu'},{'type':'flatten','name':'b'},{'type':'concat','inputs':['a','b']}," DENSE(
                   3, "") "]",
               ",'preprocess':[{'type':'rescale'}]"),
        pictures, NULL);
    tg_progress first = train_steps(run, 1);
    train_steps(run, 6);
    tg_run *again = save_and_load(engine, run, pictures, NULL);
    tg_progress last = train_steps(run, 0);
    train_steps(again, 0);
    assert_true(last.step_loss < first.step_loss);
    assert_string_equal(hash_of(run), hash_of(again));
    tg_layer_info layer;
    tg_error err;
    ASSERT_OK(tg_run_layer(run, 1, &layer, &err));
    assert_string_equal(layer.name, "lower");
    assert_string_equal(layer.type, "input");
    assert_true(layer.rank == 3 && layer.shape[0] == 2 && layer.shape[1] == 2 && layer.shape[2] == 4);
    tg_run_destroy(run);
    tg_run_destroy(again);
}

/* ---- outputs ------------------------------------------------------------------------------------------- */

#define HEADS                                                                                                \
    "'input':[5],'layers':[" DENSE(4, ",'name':'code'") ",{'type':'relu'}," DENSE(                           \
        3, ",'name':'head'") "," DENSE(2, ",'name':'unused','inputs':'code'") "]"

static void outputs_lie_one_behind_the_other(void **state) {
    (void)state;
    tg_run *run = make_run(engine, RECIPE(HEADS ",'outputs':['head','code','unused']", ""), features, NULL);
    tg_run *alone =
        make_run(engine,
                 RECIPE("'input':[5],'layers':[" DENSE(4, ",'name':'code'") ",{'type':'relu'}," DENSE(
                            3, ",'name':'head'") "]",
                        ""),
                 features, NULL);
    static const struct {
        const char *layer;
        size_t offset, size;
    } expected[] = {{"head", 0, 3}, {"code", 3, 4}, {"unused", 7, 2}};
    tg_output_info info;
    tg_error err;
    assert_int_equal(tg_run_outputs(run), 9);
    assert_int_equal(tg_run_output_count(run), 3);
    for (size_t i = 0; i < 3; i++) {
        ASSERT_OK(tg_run_output(run, i, &info, &err));
        assert_string_equal(info.layer, expected[i].layer);
        assert_true(info.offset == expected[i].offset && info.size == expected[i].size);
    }
    ASSERT_FAILS(tg_run_output(run, 3, &info, &err), TG_E_ARGUMENT, "there is no output 3");

    /* What no loss looks at changes nothing of what is learned. */
    train_steps(run, 0);
    train_steps(alone, 0);
    assert_memory_equal(parameter(run, "code.weight"), parameter(alone, "code.weight"), 20 * sizeof(tg_real));
    assert_memory_equal(parameter(run, "head.weight"), parameter(alone, "head.weight"), 12 * sizeof(tg_real));
    float both[18], scores[6];
    memcpy(both, predicted(run, features, 2), sizeof both);
    memcpy(scores, predicted(alone, features, 2), sizeof scores);
    const float *x = tg_dataset_pixels(features);
    for (size_t i = 0; i < 2; i++) {
        const float *row = both + 9 * i;
        assert_memory_equal(row, scores + 3 * i, 3 * sizeof(float));
        assert_true(fabsf(row[0] + row[1] + row[2] - 1) < 1e-6F);
        for (size_t u = 0; u < 4; u++) { /* code: before its ReLU, as it is */
            double sum = (double)parameter(run, "code.bias")[u];
            for (size_t k = 0; k < 5; k++)
                sum += (double)parameter(run, "code.weight")[u * 5 + k] * (double)x[i * 5 + k];
            assert_true(fabs(sum - (double)row[3 + u]) < 1e-5);
        }
    }
    tg_evaluation a = evaluate_all(run, features), b = evaluate_all(alone, features);
    assert_true(a.score.loss == b.score.loss && a.score.accuracy == b.score.accuracy && a.classes == 3);
    tg_run_destroy(run);
    tg_run_destroy(alone);
}

static void the_filled_in_recipe_says_both_ends(void **state) {
    (void)state;
    tg_run *run =
        make_run(engine,
                 RECIPE("'inputs':[{'name':'left','shape':[2]},{'name':'right','shape':3}],"
                        "'outputs':'head','layers':[{'type':'concat','inputs':['left','right']}," DENSE(
                            3, ",'name':'head'") "]",
                        ""),
                 features, NULL);
    const char *recipe;
    tg_error err;
    ASSERT_OK(tg_run_recipe_json(run, &recipe, &err));
    assert_non_null(strstr(recipe,
                           "\"model\":{\"inputs\":[{\"name\":\"left\",\"shape\":[2]},{\"name\":\"right\","
                           "\"shape\":[3]}],\"outputs\":[\"head\"],\"layers\":[{\"type\":\"concat\""));
    tg_run *twin = make_run(engine, recipe, features, NULL);
    assert_string_equal(hash_of(run), hash_of(twin));
    tg_run_destroy(run);
    tg_run_destroy(twin);
}

/* ---- refusing ------------------------------------------------------------------------------------------ */

#define LAYERS ",'layers':[" DENSE(3, ",'inputs':'a'") "]"

static void ends_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *model, *sentence;
    } cases[] = {
        {"'layers':[" DENSE(3, "") "]", "model: input is missing"},
        {"'input':[5],'inputs':[{'name':'a','shape':[5]}]" LAYERS,
         "model: inputs is there beside \"input\"; keep one"},
        {"'inputs':[]" LAYERS,
         "model: inputs must be a list of 1 to 4096 inputs, each with a name and a shape"},
        {"'inputs':[{'name':'a'}]" LAYERS, "model: inputs[0]: shape is missing"},
        {"'inputs':[{'name':'input','shape':[5]}]" LAYERS, "model: inputs[0]: name \"input\" is taken"},
        {"'inputs':[{'name':'a','shape':[1,1,1,5]}]" LAYERS,
         "model: inputs[0]: shape must be [height, width, channels], [height, width] or [features], and fit "
         "into "
         "memory"},
        {"'inputs':[{'name':'a','shape':[2]},{'name':'a','shape':[3]}]" LAYERS,
         "model: inputs[1]: the name \"a\" stands twice"},
        {"'inputs':[{'name':'a','shape':[5]}],'layers':[" DENSE(3, ",'inputs':'a','name':'a'") "]",
         "model.layers[0] dense: the name \"a\" stands twice"},
        {"'inputs':[{'name':'a','shape':[5]}],'layers':[" DENSE(3, "") "]",
         "model.layers[0] dense: is the first layer of a model with several inputs; name those it takes in "
         "\"inputs\""},
        {"'inputs':[{'name':'a','shape':[5]}],'layers':[" DENSE(3, ",'inputs':'input'") "]",
         "model.layers[0] dense: no layer is named \"input\""},
        {"'inputs':[{'name':'a','shape':[2]},{'name':'b','shape':[3]}]" LAYERS,
         "model: nothing uses the output of layer b; name it in the inputs of another layer or in a loss"},
        {"'inputs':[{'name':'a','shape':[4]}]" LAYERS,
         "training data: samples are 1x1x5 but model.input is 1x1x4; change one of the two"},
        {"'input':[5],'outputs':[],'layers':[" DENSE(3, "") "]", "model: outputs must name layers"},
        {"'input':[5],'outputs':['head'],'layers':[" DENSE(3, "") "]",
         "model: outputs: no layer is named \"head\""},
        {"'input':[5],'outputs':['input'],'layers':[" DENSE(3, "") "]",
         "model: outputs: no layer is named \"input\""},
        {"'input':[5],'outputs':['dense1','dense1'],'layers':[" DENSE(3, "") "]",
         "model: outputs: \"dense1\" stands twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_attrs *attrs = attrs_from("{'tabgrad':1,'model':{%s},'optimizer':{'type':'sgd'}}", cases[i].model);
        tg_run *run;
        tg_error err;
        tg_status status = tg_run_create(engine, attrs, features, NULL, &run, &err);
        assert_string_equal(sentence(status, &err), cases[i].sentence);
        tg_attrs_destroy(attrs);
    }
    tg_attrs *attrs = attrs_from(
        RECIPE(HEADS ",'outputs':['code','head']", ",'losses':[{'type':'cross_entropy','output':'head'}]"));
    tg_run *run;
    tg_error err;
    ASSERT_FAILS(tg_run_create(engine, attrs, features, NULL, &run, &err), TG_E_RECIPE,
                 "model: outputs must begin with head, which the first loss looks at");
    tg_attrs_destroy(attrs);
}

/* ---- together ------------------------------------------------------------------------------------------ */

static int set_up(void **state) {
    (void)state;
    engine = make_engine(2);
    features = make_noise(1, 1, 5, SAMPLES, CLASSES, false, 3);
    pictures = make_pictures(4, 4, 2, SAMPLES, CLASSES, 3, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tg_dataset_destroy(features);
    tg_dataset_destroy(pictures);
    tg_engine_destroy(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_dealt_out_in_order),
        cmocka_unit_test(pictures_are_dealt_out_by_rows),
        cmocka_unit_test(what_is_fed_in_parts_learns_and_is_saved),
        cmocka_unit_test(outputs_lie_one_behind_the_other),
        cmocka_unit_test(the_filled_in_recipe_says_both_ends),
        cmocka_unit_test(ends_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
