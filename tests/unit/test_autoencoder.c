/* Networks that repeat their input: what evaluation says of them. */
#include <math.h>

#include "support/assert.h"
#include "support/trial.h"

enum { PIXELS = 4, SAMPLES = 3 };

/* A dense layer that halves every pixel: the error is x / 2, so MSE is the mean of x^2 / 4. */
static void psnr_is_the_mean_over_the_pictures(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    tg_dataset *data;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, 2, 2, 1, SAMPLES, 1, false, &data, &err));
    static const float pixels[SAMPLES * PIXELS] = {1, 1, 1, 1, 0.5f, 0.5f, 0.5f, 0.5f, 0, 1, 0, 0};
    for (int i = 0; i < SAMPLES * PIXELS; i++) ((float *)tg_dataset_pixels(data))[i] = pixels[i];
    ASSERT_OK(tg_dataset_check(data, "pictures", &err));
    tg_run *run = make_run(
        engine,
        "{'tabgrad':1,'model':{'input':[2,2,1],'layers':[{'type':'flatten'},{'type':'dense','units':4}]},"
        "'loss':{'type':'mean_squared_error','target':'input'},'optimizer':{'type':'sgd'}}",
        data, NULL);
    double half[16] = {0};
    for (int i = 0; i < 4; i++) half[5 * i] = 0.5;
    set_parameter(run, "dense1.weight", half, 16);
    tg_evaluation result = evaluate_all(run, data);
    static const double errors[SAMPLES] = {0.25, 0.0625, 0.0625};
    double expected = 0;
    for (int i = 0; i < SAMPLES; i++) {
        assert_true(fabs((double)result.losses[i] - errors[i]) < 1e-7);
        expected += 10 * log10(1 / errors[i]) / SAMPLES;
    }
    assert_true(fabs(result.psnr - expected) < 1e-5);
    assert_true(isnan(result.score.accuracy) && result.classes == 0);
    tg_run_destroy(run);
    tg_dataset_destroy(data);
    tg_engine_destroy(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(psnr_is_the_mean_over_the_pictures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
