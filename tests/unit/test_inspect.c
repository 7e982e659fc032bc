/* What a run shows of its inside. */
#include <math.h>

#include "support/assert.h"
#include "support/trial.h"

static void ranges_of_weights(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    tg_run *run =
        make_run(engine,
                 "{'tabgrad':1,'model':{'input':[2],'layers':[{'type':'dense','units':2,'name':'a'}]},"
                 "'optimizer':{'type':'sgd'}}",
                 NULL, NULL);
    set_parameter(run, "a.weight", (double[]){-3, 0, 0, 5}, 4);
    tg_tensor_range range;
    tg_error err;
    ASSERT_OK(tg_run_parameter_range(run, 0, &range, &err));
    assert_true(range.min == -3 && range.max == 5 && range.mean == 0.5 && range.zeros == 2);
    ASSERT_FAILS(tg_run_parameter_range(run, 2, &range, &err), TG_E_ARGUMENT, "there is no parameter 2");
    tg_run_destroy(run);
    tg_engine_destroy(engine);
}

/* One of three units has a bias that nothing overcomes; one of the four channels before it has weights and bias 0. */
static void units_that_never_answer_are_counted(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    tg_dataset *pictures = make_pictures(4, 4, 1, 150, 3, 1, 0);
    tg_run *run =
        make_run(engine,
                 "{'tabgrad':1,'preprocess':[{'type':'rescale'}],'model':{'input':[4,4,1],'layers':["
                 "{'type':'conv2d','filters':4,'kernel':1},{'type':'relu'},{'type':'flatten'},"
                 "{'type':'dense','units':3},{'type':'relu'}]},'optimizer':{'type':'sgd'}}",
                 pictures, NULL);
    set_parameter(run, "conv2d1.weight", (double[]){1, 0, 2, 3}, 4);
    set_parameter(run, "conv2d1.bias", (double[]){0.1, 0, 0.1, 0.1}, 4);
    set_parameter(run, "dense1.bias", (double[]){100, -1000, 100}, 3);
    size_t units[5], dead[5];
    bool finished;
    tg_error err;
    ASSERT_FAILS(tg_run_dead_units(run, NULL, NULL, units, dead, &finished, &err), TG_E_STATE,
                 "no search for dead units has been begun");
    ASSERT_OK(tg_run_dead_units_begin(run, pictures, 1000, &err));
    ASSERT_OK(tg_run_dead_units(run, NULL, NULL, units, dead, &finished, &err));
    assert_true(finished);
    static const size_t expected_units[5] = {0, 4, 0, 0, 3}, expected_dead[5] = {0, 1, 0, 0, 1};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(units[i], expected_units[i]);
        assert_int_equal(dead[i], expected_dead[i]);
    }
    tg_run_destroy(run);
    tg_dataset_destroy(pictures);
    tg_engine_destroy(engine);
}

static bool always(void *ctx) {
    ++*(size_t *)ctx;
    return true;
}

#define SMALL                                                                                                \
    "{'tabgrad':1,'preprocess':[{'type':'rescale'}],'model':{'input':[4,4,1],'layers':["                     \
    "{'type':'conv2d','filters':4,'kernel':3},{'type':'batch_norm'},{'type':'relu'},{'type':'flatten'},"     \
    "{'type':'dense','units':3}]},'optimizer':{'type':'sgd'},'batch_size':8,'epochs':3}"

/* Whoever asks between two nodes gets the answers of an undisturbed run. */
static void looking_can_stop_between_two_nodes(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    tg_dataset *pictures = make_pictures(4, 4, 1, 150, 3, 1, 0);
    tg_run *run = make_run(engine, SMALL, pictures, NULL), *whole = make_run(engine, SMALL, pictures, NULL);
    tg_gradcheck in_pieces = {0}, at_once;
    tg_error err;
    float expected[3], outputs[3];
    size_t calls = 0, units[5], dead[5], expected_dead[5];
    bool finished = false;
    ASSERT_OK(tg_run_predict(whole, TG_U8, tg_dataset_pixels(pictures), 1, expected, &err));
    ASSERT_OK(tg_run_dead_units_begin(whole, pictures, 150, &err));
    ASSERT_OK(tg_run_dead_units(whole, NULL, NULL, units, expected_dead, &finished, &err));
    ASSERT_OK(tg_run_gradcheck_begin(whole, 2, &err));
    ASSERT_OK(tg_run_gradcheck(whole, NULL, NULL, &at_once, &err));

    ASSERT_OK(tg_run_gradcheck_begin(run, 2, &err));
    ASSERT_OK(tg_run_dead_units_begin(run, pictures, 150, &err));
    ASSERT_OK(tg_run_evaluate_begin(run, pictures, &err));
    for (tg_evaluation evaluation = {0}; !evaluation.finished || !finished || !in_pieces.finished;) {
        ASSERT_OK(tg_run_gradcheck(run, always, &calls, &in_pieces, &err));
        ASSERT_OK(tg_run_dead_units(run, always, &calls, units, dead, &finished, &err));
        ASSERT_OK(tg_run_evaluate(run, always, &calls, &evaluation, &err));
        ASSERT_OK(tg_run_predict(run, TG_U8, tg_dataset_pixels(pictures), 1, outputs, &err));
        assert_memory_equal(outputs, expected, sizeof outputs);
    }
    assert_true(calls > 100);
    assert_true(at_once.checked == 12 && at_once.worst > 0 && in_pieces.checked == 12);
    assert_true(in_pieces.worst == at_once.worst && in_pieces.index == at_once.index);
    assert_memory_equal(dead, expected_dead, sizeof dead);

    train_steps(run, 1);
    ASSERT_FAILS(tg_run_gradcheck(run, NULL, NULL, &in_pieces, &err), TG_E_STATE,
                 "no gradient check has been begun since the run was last trained");
    train_steps(whole, 1);
    assert_string_equal(hash_of(run), hash_of(whole));
    tg_run_destroy(run);
    tg_run_destroy(whole);
    tg_dataset_destroy(pictures);
    tg_engine_destroy(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_of_weights),
        cmocka_unit_test(units_that_never_answer_are_counted),
        cmocka_unit_test(looking_can_stop_between_two_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
