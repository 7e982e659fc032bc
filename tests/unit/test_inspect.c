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
    tg_error err;
    ASSERT_OK(tg_run_dead_units(run, pictures, 1000, units, dead, &err));
    static const size_t expected_units[5] = {0, 4, 0, 0, 3}, expected_dead[5] = {0, 1, 0, 0, 1};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(units[i], expected_units[i]);
        assert_int_equal(dead[i], expected_dead[i]);
    }
    tg_run_destroy(run);
    tg_dataset_destroy(pictures);
    tg_engine_destroy(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_of_weights),
        cmocka_unit_test(units_that_never_answer_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
