/* What one optimizer step does. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SIDE = 6, SAMPLES = 50, CLASSES = 4 };

#define MODEL(layers)                                                                                        \
    "{'tabgrad':1,'model':{'input':[6,6,1],'layers':[" layers "]},'preprocess':[{'type':'rescale'}],"
#define ADAM "'optimizer':{'type':'adam','learning_rate':0.01}"

static tg_engine *engine;
static tg_dataset *train_set;

/* One step of a linear model on the whole set: W' = W - rate (softmax(W x + b) - onehot) x^T / n. */
static void one_step_of_a_linear_model_is_the_textbooks(void **state) {
    (void)state;
    enum { FEATURES = 5, N = 12, RATE = 2 };
    tg_dataset *noise = make_noise(1, 1, FEATURES, N, 3, false, 1);
    tg_run *run = make_run(engine,
                           "{'tabgrad':1,'model':{'input':[5],'layers':[{'type':'dense','units':3}]},"
                           "'optimizer':{'type':'sgd','learning_rate':2},'batch_size':12}",
                           noise, NULL);
    double w[3][FEATURES], b[3] = {0}, dw[3][FEATURES] = {{0}}, db[3] = {0}, loss = 0;
    for (size_t j = 0; j < 3 * FEATURES; j++)
        w[j / FEATURES][j % FEATURES] = (double)parameter(run, "dense1.weight")[j];
    for (size_t i = 0; i < N; i++) {
        const float *x = (const float *)tg_dataset_pixels(noise) + i * FEATURES;
        size_t label = (size_t)tg_dataset_labels(noise)[i];
        double p[3], sum = 0;
        for (size_t j = 0; j < 3; j++) {
            double y = b[j];
            for (size_t k = 0; k < FEATURES; k++) y += w[j][k] * (double)x[k];
            sum += p[j] = exp(y);
        }
        loss -= log(p[label] / sum) / N;
        for (size_t j = 0; j < 3; j++) {
            double dy = (p[j] / sum - (j == label)) / N;
            db[j] += dy;
            for (size_t k = 0; k < FEATURES; k++) dw[j][k] += dy * (double)x[k];
        }
    }
    tg_progress progress = train_steps(run, 1);
    assert_true(fabs(progress.step_loss - loss) < 1e-6);
    for (size_t j = 0; j < 3; j++) {
        assert_true(fabs((double)parameter(run, "dense1.bias")[j] - (b[j] - RATE * db[j])) < 1e-6);
        for (size_t k = 0; k < FEATURES; k++)
            assert_true(fabs((double)parameter(run, "dense1.weight")[j * FEATURES + k] -
                             (w[j][k] - RATE * dw[j][k])) < 1e-6);
    }
    tg_run_destroy(run);
    tg_dataset_destroy(noise);
}

/* l2 adds lambda times the sum of w^2, of weights that train; biases and frozen weights do not count. */
static void l2_is_part_of_the_loss(void **state) {
    (void)state;
    static const char recipe[] =
        MODEL("{'type':'flatten'},{'type':'dense','units':9,'trainable':false},"
              "{'type':'dense','units':4}") "'batch_size':50,'optimizer':{'type':'sgd','l2':%g}}";
    double losses[2], squares = 0;
    for (int i = 0; i < 2; i++) {
        char text[1024];
        snprintf(text, sizeof text, recipe, i ? 0.25 : 0.0);
        tg_run *run = make_run(engine, text, train_set, NULL);
        set_parameter(run, "dense2.bias", (const double[]){1, 2, 3, 4}, 4);
        if (i)
            for (size_t k = 0; k < 36; k++) squares += pow((double)parameter(run, "dense2.weight")[k], 2);
        losses[i] = train_steps(run, 1).step_loss;
        tg_run_destroy(run);
    }
    assert_true(fabs(losses[1] - losses[0] - 0.25 * squares) < 1e-6);
}

static void frozen_layers_stay_and_slow_ones_move_less(void **state) {
    (void)state;
    tg_run *run = make_run(engine,
                           MODEL("{'type':'flatten'},{'type':'dense','units':6,'trainable':false},"
                                 "{'type':'dense','units':6,'learning_rate_factor':0},"
                                 "{'type':'dense','units':4}") ADAM "}",
                           train_set, NULL);
    tg_real before[2][36 * 6];
    memcpy(before[0], parameter(run, "dense1.weight"), 36 * 6 * sizeof(tg_real));
    memcpy(before[1], parameter(run, "dense2.weight"), 36 * sizeof(tg_real));
    const char *hash = hash_of(run);
    train_steps(run, 5);
    assert_memory_equal(parameter(run, "dense1.weight"), before[0], 36 * 6 * sizeof(tg_real));
    assert_memory_equal(parameter(run, "dense2.weight"), before[1], 36 * sizeof(tg_real));
    assert_string_not_equal(hash_of(run), hash);
    tg_run_destroy(run);
}

/* After one step: 0.9 of what was there (mean 0, variance 1), 0.1 of the batch's, the variance unbiased. */
static void running_statistics_follow_the_batches(void **state) {
    (void)state;
    enum { FEATURES = 3, N = 20 };
    tg_dataset *noise = make_noise(1, 1, FEATURES, N, 2, false, 3);
    tg_run *run = make_run(
        engine,
        "{'tabgrad':1,'model':{'input':[3],'layers':[{'type':'batch_norm'},{'type':'dense','units':2}]},"
        "'optimizer':{'type':'sgd'},'batch_size':20}",
        noise, NULL);
    train_steps(run, 1);
    const float *x = tg_dataset_pixels(noise);
    for (size_t k = 0; k < FEATURES; k++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < N; i++) mean += (double)x[i * FEATURES + k] / N;
        for (size_t i = 0; i < N; i++) variance += pow((double)x[i * FEATURES + k] - mean, 2) / (N - 1);
        assert_true(fabs((double)parameter(run, "batch_norm1.running_mean")[k] - 0.1 * mean) < 1e-6);
        assert_true(fabs((double)parameter(run, "batch_norm1.running_var")[k] - (0.9 + 0.1 * variance)) <
                    1e-6);
    }
    tg_run_destroy(run);
    tg_dataset_destroy(noise);
}

/* A sum of 36 ones, each kept with probability 1 - rate and then divided by it: of that mean and spread, and
 * another in every epoch. Seen through the loss (y - 36)^2 / 2 of a frozen layer that adds them up. */
static void dropout_keeps_the_mean(void **state) {
    (void)state;
    tg_dataset *ones = make_noise(SIDE, SIDE, 1, 2000, 2, false, 1);
    tg_error err;
    for (size_t i = 0; i < 2000 * SIDE * SIDE; i++) ((float *)tg_dataset_pixels(ones))[i] = 1;
    for (size_t i = 0; i < 2000; i++) tg_dataset_labels(ones)[i] = 1;
    ASSERT_OK(tg_dataset_check(ones, "ones", &err));
    tg_run *run = make_run(
        engine,
        "{'tabgrad':1,'model':{'input':[6,6,1],'layers':[{'type':'flatten'},{'type':'dropout','rate':0.25},"
        "{'type':'dense','units':2,'trainable':false}]},'loss':'mean_squared_error',"
        "'optimizer':{'type':'sgd'},'batch_size':2000,'epochs':2}",
        ones, NULL);
    tg_real *w = parameter(run, "dense1.weight");
    for (size_t k = 0; k < 2 * SIDE * SIDE; k++) w[k] = k < SIDE * SIDE ? 0 : 1;
    parameter(run, "dense1.bias")[1] = -35; /* so that what is kept should come to the label's 1 */
    double first = train_steps(run, 1).step_loss, second = train_steps(run, 1).step_loss;
    /* Half of the variance of the sum, 36 (1 / 0.75 - 1) = 12: 6, to within 4 standard errors of 0.19. */
    assert_true(fabs(first - 6) < 0.76 && fabs(second - 6) < 0.76 && first != second);
    assert_true(evaluate_all(run, ones).score.loss < 1e-10);
    tg_run_destroy(run);
    tg_dataset_destroy(ones);
}

static int begin(void **state) {
    (void)state;
    engine = make_engine(1);
    train_set = make_pictures(SIDE, SIDE, 1, SAMPLES, CLASSES, 1, 0);
    return 0;
}

static int end(void **state) {
    (void)state;
    tg_dataset_destroy(train_set);
    tg_engine_destroy(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_of_a_linear_model_is_the_textbooks),
        cmocka_unit_test(l2_is_part_of_the_loss),
        cmocka_unit_test(frozen_layers_stay_and_slow_ones_move_less),
        cmocka_unit_test(running_statistics_follow_the_batches),
        cmocka_unit_test(dropout_keeps_the_mean),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
