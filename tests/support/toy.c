#include "support/toy.h"

#include <math.h>

#include "fixtures/toy.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SAMPLES = 5, INPUTS = 4, CLASSES = 3 };

#ifdef TG_REAL_F64
static const double SCORES_WITHIN = 3e-8; /* what the reports ask for; they print eight digits */
#else
static const double SCORES_WITHIN = 1e-6;
#endif

static const double expected_scores[SAMPLES * CLASSES] = {
    0.3644621,  0.22911264, 0.40642526, 0.47590629, 0.17217039, 0.35192332, 0.43035767, 0.26164229,
    0.30800004, 0.41583127, 0.2983228,  0.28584593, 0.36328815, 0.32279939, 0.31391246,
};

typedef struct toy {
    tg_engine *engine;
    tg_dataset *data;
    tg_run *run;
} toy;

static toy open_toy(const char *optimizer) {
    toy t = {.engine = make_engine(1)};
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, 1, 1, INPUTS, SAMPLES, CLASSES, false, &t.data, &err));
    float *pixels = tg_dataset_pixels(t.data);
    for (int i = 0; i < SAMPLES * INPUTS; i++) pixels[i] = (float)toy_x[i];
    static const int32_t labels[SAMPLES] = {0, 1, 2, 2, 1};
    for (int i = 0; i < SAMPLES; i++) tg_dataset_labels(t.data)[i] = labels[i];
    ASSERT_OK(tg_dataset_check(t.data, "toy", &err));
    tg_attrs *recipe =
        attrs_from("{'tabgrad':1,'model':{'input':[4],'layers':[{'type':'dense','units':10},"
                   "{'type':'relu'},{'type':'dense','units':3}]},'optimizer':%s,'batch_size':5,'epochs':100}",
                   optimizer);
    ASSERT_OK(tg_run_create(t.engine, recipe, t.data, NULL, &t.run, &err));
    tg_attrs_destroy(recipe);
    set_parameter(t.run, "dense1.weight", toy_w1, 40);
    set_parameter(t.run, "dense2.weight", toy_w2, 30);
    return t;
}

static void close_toy(toy *t) {
    tg_run_destroy(t->run);
    tg_dataset_destroy(t->data);
    tg_engine_destroy(t->engine);
}

void toy_scores_and_loss(void **state) {
    (void)state;
    toy t = open_toy("{'type':'sgd','learning_rate':1e-9,'l2':0.05}");
    float scores[SAMPLES * CLASSES];
    tg_error err;
    ASSERT_OK(tg_run_predict(t.run, TG_F32, tg_dataset_pixels(t.data), SAMPLES, scores, &err));
    /* predict answers in float: half a unit in its last place is 1.5e-8 here. */
    for (int i = 0; i < SAMPLES * CLASSES; i++)
        assert_true(fabs((double)scores[i] - expected_scores[i]) < SCORES_WITHIN);
    assert_true(fabs(train_steps(t.run, 1).step_loss - 1.30378789133) < 1e-6);
    close_toy(&t);
}

void toy_gradients(void **state) {
    (void)state;
    toy t = open_toy("{'type':'sgd','l2':0.05}");
    tg_gradcheck result;
    tg_error err;
    ASSERT_OK(tg_run_gradcheck_begin(t.run, 0, &err));
    ASSERT_OK(tg_run_gradcheck(t.run, NULL, NULL, &result, &err));
    print_message("worst %.3g of %d gradients\n", result.worst, (int)result.checked);
    assert_int_equal(result.checked, 4 * 10 + 10 + 10 * 3 + 3);
    assert_true(result.worst < 1e-7);
    close_toy(&t);
}

void toy_learns(void **state) {
    (void)state;
    toy t = open_toy("{'type':'sgd','learning_rate':0.1,'l2':5e-6}");
    double loss = train_steps(t.run, 100).step_loss;
    print_message("loss after 100 iterations: %.4f\n", loss);
    assert_true(loss < 0.02);
    close_toy(&t);
}
