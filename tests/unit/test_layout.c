/* Pictures lie channels last inside; whoever looks from outside sees N, C, H, W. */
#include <math.h>
#include <stdio.h>

#include "support/assert.h"
#include "support/trial.h"

static tg_run *open_run(tg_engine *engine, const char *layers, const char *loss, tg_dataset *train) {
    char recipe[1024];
    snprintf(recipe, sizeof recipe,
             "{'tabgrad':1,'model':{'input':[2,2,3],'layers':[%s]},'loss':%s,'optimizer':{'type':'sgd'},"
             "'batch_size':4}",
             layers, loss);
    return make_run(engine, recipe, train, NULL);
}

static void outputs_count_channels_first(void **state) {
    (void)state;
    static const float pixels[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const float expected[12] = {1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12};
    static const char *const models[] = {
        "{'type':'relu'}",
        "{'type':'flatten'}",
        "{'type':'relu'},{'type':'flatten'},{'type':'relu'}",
        "{'type':'relu'},{'type':'reshape','shape':[6,2,1]}",
        "{'type':'reshape','shape':[6,2,1]},{'type':'relu'},{'type':'reshape','shape':[2,3,2]}",
        "{'type':'relu'},{'type':'reshape','shape':[4,3]},{'type':'reshape','shape':[3,2,2]}"};
    tg_engine *engine = make_engine(1);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        tg_run *run = open_run(engine, models[i], "{'type':'mean_squared_error','target':'input'}", NULL);
        float y[12];
        tg_error err;
        ASSERT_OK(tg_run_predict(run, TG_F32, pixels, 1, y, &err));
        for (size_t j = 0; j < 12; j++)
            if (y[j] != expected[j]) fail_msg("%s: [%zu] is %g", models[i], j, (double)y[j]);
        tg_run_destroy(run);
    }
    tg_engine_destroy(engine);
}

/* An output that is the input is a loss of 0, however the two lie. */
static void an_input_is_repeated_in_any_shape(void **state) {
    (void)state;
    static const char *const models[] = {
        "{'type':'relu'}", "{'type':'relu'},{'type':'flatten'}", "{'type':'flatten'},{'type':'relu'}",
        "{'type':'flatten'},{'type':'relu'},{'type':'reshape','shape':[3,2,2]}",
        "{'type':'relu'},{'type':'reshape','shape':[6,2,1]}"};
    tg_engine *engine = make_engine(1);
    tg_dataset *pictures = make_pictures(2, 2, 3, 9, 2, 1, 0);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        tg_run *run = open_run(engine, models[i], "{'type':'mean_squared_error','target':'input'}", pictures);
        tg_evaluation evaluation = evaluate_all(run, pictures);
        if (evaluation.score.loss != 0 || !isinf(evaluation.psnr))
            fail_msg("%s: loss %g, psnr %g", models[i], evaluation.score.loss, evaluation.psnr);
        tg_run_destroy(run);
    }
    tg_dataset_destroy(pictures);
    tg_engine_destroy(engine);
}

/* The mask counts values as the shape does: on a picture it is the one that its flat values get. */
static void dropout_does_not_know_how_pictures_lie(void **state) {
    (void)state;
    static const char *const shapes[] = {"[3,2,2]", "[12]"};
    tg_engine *engine = make_engine(1);
    tg_dataset *pictures = make_pictures(2, 2, 3, 9, 3, 1, 0);
    tg_run *runs[2];
    for (size_t i = 0; i < 2; i++) {
        char layers[512];
        snprintf(layers, sizeof layers,
                 "{'type':'flatten'},{'type':'reshape','shape':%s},{'type':'dropout'},"
                 "{'type':'flatten'},{'type':'dense','units':3}",
                 shapes[i]);
        runs[i] = open_run(engine, layers, "'cross_entropy'", pictures);
        train_steps(runs[i], 3);
    }
    assert_string_equal(hash_of(runs[0]), hash_of(runs[1]));
    for (size_t i = 0; i < 2; i++) tg_run_destroy(runs[i]);
    tg_dataset_destroy(pictures);
    tg_engine_destroy(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_count_channels_first),
        cmocka_unit_test(an_input_is_repeated_in_any_shape),
        cmocka_unit_test(dropout_does_not_know_how_pictures_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
