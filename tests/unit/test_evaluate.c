/* Evaluation and prediction against each other: what one says must follow from what the other says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SIDE = 6, CLASSES = 4, COUNT = 150 /* more than two batches of an evaluation */ };

#define MODEL(layers) "{'tabgrad':1,'model':{'input':[6,6,1],'layers':[" layers "]},"
#define CNN                                                                                                  \
    MODEL("{'type':'conv2d','filters':5,'kernel':3},{'type':'relu'},{'type':'max_pool2d','size':2},"         \
          "{'type':'flatten'},{'type':'dense','units':4}")                                                   \
    "'preprocess':[{'type':'rescale'}],"
#define MLP  MODEL("{'type':'flatten'},{'type':'dense','units':7},{'type':'tanh'},{'type':'dense','units':4}")
#define ADAM "'optimizer':{'type':'adam','learning_rate':0.01}"

static tg_engine *engine;
static tg_dataset *train_set, *test_set;

static float *predict_all(tg_run *run, tg_dataset *dataset) {
    tg_error err;
    size_t count = tg_dataset_count(dataset);
    float *outputs = malloc(count * tg_run_outputs(run) * sizeof *outputs);
    ASSERT_OK(
        tg_run_predict(run, tg_dataset_type(dataset), tg_dataset_pixels(dataset), count, outputs, &err));
    return outputs;
}

static size_t largest(const float *row, size_t count) {
    size_t best = 0;
    for (size_t j = 1; j < count; j++)
        if (row[j] > row[best]) best = j;
    return best;
}

static void scores_follow_from_predictions(void **state) {
    (void)state;
    tg_run *run = make_run(engine, CNN ADAM "}", train_set, NULL);
    train_steps(run, 3);
    float *p = predict_all(run, test_set);
    tg_evaluation e = evaluate_all(run, test_set);
    uint64_t confusion[CLASSES][CLASSES] = {{0}};
    double loss = 0;
    size_t correct = 0;
    for (size_t i = 0; i < COUNT; i++) {
        size_t label = (size_t)tg_dataset_labels(test_set)[i], best = largest(p + i * CLASSES, CLASSES);
        double sample = -log((double)p[i * CLASSES + label]);
        assert_true(fabs((double)e.losses[i] - sample) < 1e-4);
        assert_int_equal(e.predicted[i], best);
        loss += sample / COUNT;
        correct += best == label;
        confusion[label][best]++;
    }
    assert_true(e.finished && e.classes == CLASSES && e.score.count == COUNT);
    assert_true(fabs(e.score.loss - loss) < 1e-5);
    assert_true(e.score.accuracy == (double)correct / COUNT);
    assert_true(correct > 0 && correct < COUNT);
    assert_memory_equal(e.confusion, confusion, sizeof confusion);
    free(p);
    tg_run_destroy(run);
}

/* Of a run of its own with each engine: the same weights, the same scores, the same outputs. */
static void any_number_of_threads_says_the_same(void **state) {
    (void)state;
    float *outputs[3];
    tg_score scores[3];
    for (size_t threads = 1; threads <= 3; threads++) {
        tg_engine *own = make_engine(threads);
        tg_run *run = make_run(own, CNN ADAM ",'batch_size':32}", train_set, NULL);
        train_steps(run, 0);
        outputs[threads - 1] = predict_all(run, test_set);
        scores[threads - 1] = evaluate_all(run, test_set).score;
        tg_run_destroy(run);
        tg_engine_destroy(own);
    }
    for (size_t i = 1; i < 3; i++) {
        assert_memory_equal(outputs[0], outputs[i], COUNT * CLASSES * sizeof **outputs);
        assert_memory_equal(&scores[0], &scores[i], sizeof scores[0]);
    }
    for (size_t i = 0; i < 3; i++) free(outputs[i]);
}

/* As good as the recipe's own measurement: the held-out score after an epoch is that of an evaluation. */
static void held_out_is_an_evaluation(void **state) {
    (void)state;
    tg_run *run = make_run(engine, CNN ADAM "}", train_set, test_set);
    tg_score held_out = train_steps(run, 0).held_out;
    tg_score score = evaluate_all(run, test_set).score;
    assert_memory_equal(&held_out, &score, sizeof score);
    tg_run_destroy(run);
}

static void predictions_are_distributions_where_the_loss_is_cross_entropy(void **state) {
    (void)state;
    tg_run *classes = make_run(engine, MLP ADAM "}", train_set, NULL),
           *raw = make_run(engine, MLP ADAM ",'loss':'mean_squared_error'}", train_set, NULL);
    float *p = predict_all(classes, test_set),
          *y = predict_all(raw, test_set); /* equal weights: the same seed */
    for (size_t i = 0; i < COUNT; i++) {
        double sum = 0, exponentials = 0;
        for (size_t j = 0; j < CLASSES; j++) {
            sum += (double)p[i * CLASSES + j];
            exponentials += exp((double)y[i * CLASSES + j]);
        }
        assert_true(fabs(sum - 1) < 1e-6);
        for (size_t j = 0; j < CLASSES; j++)
            assert_true(fabs((double)p[i * CLASSES + j] - exp((double)y[i * CLASSES + j]) / exponentials) <
                        1e-5);
    }
    free(p);
    free(y);
    tg_run_destroy(classes);
    tg_run_destroy(raw);
}

/* To the bit, whoever is predicted beside it, and whether its pixels come as bytes or as floats. */
static void a_sample_is_predicted_for_itself(void **state) {
    (void)state;
    tg_run *run = make_run(engine, CNN ADAM "}", train_set, NULL);
    float *all = predict_all(run, test_set), one[CLASSES], pixels[SIDE * SIDE];
    const uint8_t *bytes = tg_dataset_pixels(test_set);
    tg_error err;
    for (size_t i = 0; i < COUNT; i++) {
        ASSERT_OK(tg_run_predict(run, TG_U8, bytes + i * SIDE * SIDE, 1, one, &err));
        assert_memory_equal(one, all + i * CLASSES, sizeof one);
        for (size_t k = 0; k < SIDE * SIDE; k++) pixels[k] = bytes[i * SIDE * SIDE + k];
        ASSERT_OK(tg_run_predict(run, TG_F32, pixels, 1, one, &err));
        assert_memory_equal(one, all + i * CLASSES, sizeof one);
    }
    ASSERT_OK(tg_run_predict(run, TG_U8, bytes, 0, NULL, &err));
    free(all);
    tg_run_destroy(run);
}

/* What was prepared for one prediction does not serve the next when the weights have changed in between: by training, by
 * the caller. A run that is loaded has nothing prepared. */
static void predictions_follow_the_weights(void **state) {
    (void)state;
    static const char *const recipes[] = {CNN ADAM "}", MLP ADAM "}"};
    for (size_t r = 0; r < 2; r++) {
        tg_run *run = make_run(engine, recipes[r], train_set, NULL);
        float *before = predict_all(run, test_set);
        for (int change = 0; change < 2; change++) {
            if (change == 0) train_steps(run, 2);
            else parameter(run, r == 0 ? "conv2d1.weight" : "dense1.weight")[3] += 1;
            tg_run *loaded = save_and_load(engine, run, NULL, NULL);
            float *after = predict_all(run, test_set), *fresh = predict_all(loaded, test_set);
            assert_memory_equal(after, fresh, COUNT * CLASSES * sizeof *fresh);
            assert_memory_not_equal(after, before, COUNT * CLASSES * sizeof *fresh);
            tg_run_destroy(loaded);
            free(fresh);
            free(before);
            before = after;
        }
        free(before);
        tg_run_destroy(run);
    }
}

static void an_autoencoder_has_no_classes(void **state) {
    (void)state;
    tg_run *run =
        make_run(engine,
                 MODEL("{'type':'flatten'},{'type':'dense','units':36}") ADAM
                 ",'loss':{'type':'mean_squared_error','target':'input'},'preprocess':[{'type':'rescale'}]}",
                 train_set, test_set);
    tg_progress progress = train_steps(run, 0);
    assert_true(isnan(progress.train.accuracy) && isnan(progress.held_out.accuracy) &&
                progress.held_out.loss > 0);
    assert_int_equal(tg_run_classes(run), 0);
    assert_null(tg_run_class_name(run, 0));
    tg_evaluation e = evaluate_all(run, test_set);
    assert_true(e.classes == 0 && !e.confusion && !e.predicted && isnan(e.score.accuracy));
    float *y = predict_all(run, test_set);
    const uint8_t *x = tg_dataset_pixels(test_set);
    double loss = 0;
    for (size_t i = 0; i < COUNT * SIDE * SIDE; i++)
        loss += pow((double)y[i] - x[i] / 255.0, 2) / (COUNT * SIDE * SIDE);
    assert_true(fabs(e.score.loss - loss) < 1e-6);
    free(y);
    tg_run_destroy(run);
}

/* The loss is the cross entropy of two distributions, the true class the likelier one; also where the run was
 * made without any soft set. */
static void soft_targets_are_distributions(void **state) {
    (void)state;
    tg_dataset *soft = make_noise(SIDE, SIDE, 1, COUNT, CLASSES, true, 1);
    tg_run *run = make_run(engine, MLP ADAM "}", train_set, NULL);
    float *p = predict_all(run, soft);
    tg_evaluation e = evaluate_all(run, soft);
    double loss = 0;
    size_t correct = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const float *target = tg_dataset_targets(soft) + i * CLASSES;
        for (size_t j = 0; j < CLASSES; j++)
            loss -= (double)target[j] * log((double)p[i * CLASSES + j]) / COUNT;
        correct += largest(target, CLASSES) == largest(p + i * CLASSES, CLASSES);
    }
    assert_true(fabs(e.score.loss - loss) < 1e-5 && e.score.accuracy == (double)correct / COUNT);
    free(p);
    tg_run_destroy(run);
    tg_dataset_destroy(soft);
}

/* Outputs of different sizes, each with its own targets: the weighted sum of what each says alone. */
static void losses_add_up(void **state) {
    (void)state;
    tg_dataset *soft = make_noise(SIDE, SIDE, 1, COUNT, CLASSES, true, 2);
#define WIDE    "{'type':'flatten'},{'type':'dense','units':9,'name':'wide'}"
#define BOTH    MODEL(WIDE ",{'type':'tanh'},{'type':'dense','units':4,'name':'narrow'}") ADAM ",'losses':["
#define ENTROPY "{'type':'cross_entropy','output':'wide','weight':0.5}"
#define SQUARES "{'type':'mean_squared_error','output':'narrow','weight':3}"
    static const char *const recipes[] = {MODEL(WIDE) ADAM "}", BOTH SQUARES "]}",
                                          BOTH ENTROPY "," SQUARES "]}", BOTH SQUARES "," ENTROPY "]}"};
    double loss[4];
    for (size_t i = 0; i < 4; i++) {
        tg_run *run = make_run(engine, recipes[i], soft, NULL);
        loss[i] = evaluate_all(run, soft).score.loss;
        tg_run_destroy(run);
    }
    assert_true(fabs(loss[2] - (0.5 * loss[0] + loss[1])) < 1e-6);
    assert_true(fabs(loss[3] - loss[2]) < 1e-6);
    tg_dataset_destroy(soft);
}

static void class_names_come_from_the_data(void **state) {
    (void)state;
    tg_dataset *named = make_pictures(SIDE, SIDE, 1, 10, 3, 1, 0);
    tg_error err;
    ASSERT_OK(tg_dataset_set_classes(named, 3, (const char *const[]){"shirt", "shoe", "b\u00e9ret"}, &err));
    ASSERT_OK(tg_dataset_check(named, "named", &err));
    tg_run *run = make_run(engine, MLP ADAM "}", named, NULL);
    assert_int_equal(tg_run_classes(run), 4); /* as many as the model tells apart */
    assert_string_equal(tg_run_class_name(run, 2), "b\u00e9ret");
    assert_string_equal(tg_run_class_name(run, 3), "3");
    assert_null(tg_run_class_name(run, 4));
    tg_run_destroy(run);
    tg_dataset_destroy(named);
}

/* ---- what cannot be evaluated -------------------------------------------------------------------------- */

static void an_evaluation_is_begun_first(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM "}", NULL, NULL);
    tg_evaluation e;
    tg_error err;
    ASSERT_FAILS(tg_run_evaluate(run, NULL, NULL, &e, &err), TG_E_STATE, "no evaluation has been begun");
    tg_run_destroy(run);
}

static bool always(void *ctx) {
    (void)ctx;
    return true;
}

/* A set that does not fit is refused, and an evaluation that was going on goes on. */
static void a_refused_set_disturbs_nothing(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM "}", NULL, NULL);
    tg_dataset *wide = make_pictures(SIDE, SIDE + 1, 1, 10, 3, 1, 0),
               *many = make_pictures(SIDE, SIDE, 1, 10, 5, 1, 0);
    tg_score expected = evaluate_all(run, test_set).score;
    tg_evaluation e;
    tg_error err;
    ASSERT_OK(tg_run_evaluate_begin(run, test_set, &err));
    ASSERT_OK(tg_run_evaluate(run, always, NULL, &e, &err)); /* a batch */
    assert_true(!e.finished && e.score.count == 64);
    ASSERT_FAILS(tg_run_evaluate_begin(run, wide, &err), TG_E_SHAPE,
                 "evaluate: samples are 6x7x1 but the run takes 6x6x1; use data of that shape");
    ASSERT_FAILS(
        tg_run_evaluate_begin(run, many, &err), TG_E_SHAPE,
        "evaluate: sample 8 has label 4, but layer dense2 gives only 4 scores, for labels 0 to 3; correct "
        "the label, or give it 5 units");
    ASSERT_OK(tg_run_evaluate(run, NULL, NULL, &e, &err));
    assert_true(e.finished);
    assert_memory_equal(&e.score, &expected, sizeof expected);
    tg_run_destroy(run);
    tg_dataset_destroy(wide);
    tg_dataset_destroy(many);
}

static void what_was_never_fitted_is_told(void **state) {
    (void)state;
    static const char recipe[] = MLP ADAM ",'preprocess':[{'type':'standardize'}]}";
    static const char told[] =
        "the preprocessing has not seen training data yet; make the run with it, or write its "
        "numbers into the recipe";
    tg_run *run = make_run(engine, recipe, NULL, test_set);
    float out[CLASSES];
    tg_error err;
    ASSERT_FAILS(tg_run_predict(run, TG_U8, tg_dataset_pixels(test_set), 1, out, &err), TG_E_STATE, told);
    ASSERT_FAILS(tg_run_evaluate_begin(run, test_set, &err), TG_E_STATE, told);
    tg_run_destroy(run);
    run = make_run(engine, recipe, train_set, NULL);
    assert_int_equal(evaluate_all(run, test_set).score.count, COUNT);
    tg_run_destroy(run);
}

static int begin(void **state) {
    (void)state;
    engine = make_engine(1);
    train_set = make_pictures(SIDE, SIDE, 1, 80, CLASSES, 1, 0);
    test_set = make_pictures(SIDE, SIDE, 1, COUNT, CLASSES, 1, 1);
    return 0;
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
        cmocka_unit_test(scores_follow_from_predictions),
        cmocka_unit_test(any_number_of_threads_says_the_same),
        cmocka_unit_test(held_out_is_an_evaluation),
        cmocka_unit_test(predictions_are_distributions_where_the_loss_is_cross_entropy),
        cmocka_unit_test(a_sample_is_predicted_for_itself),
        cmocka_unit_test(predictions_follow_the_weights),
        cmocka_unit_test(an_autoencoder_has_no_classes),
        cmocka_unit_test(soft_targets_are_distributions),
        cmocka_unit_test(losses_add_up),
        cmocka_unit_test(class_names_come_from_the_data),
        cmocka_unit_test(an_evaluation_is_begun_first),
        cmocka_unit_test(a_refused_set_disturbs_nothing),
        cmocka_unit_test(what_was_never_fitted_is_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
