/* Training over many steps: what progress says, and that stopping or looking anywhere changes nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SIDE = 6, SAMPLES = 50, CLASSES = 4 };

#define MODEL(layers)                                                                                        \
    "{'tabgrad':1,'model':{'input':[6,6,1],'layers':[" layers "]},'preprocess':[{'type':'rescale'}],"
#define MLP    MODEL("{'type':'flatten'},{'type':'dense','units':9},{'type':'relu'},{'type':'dense','units':4}")
#define LINEAR MODEL("{'type':'flatten'},{'type':'dense','units':4}")
#define CNN                                                                                                  \
    MODEL("{'type':'conv2d','filters':5,'kernel':3,'padding':'same'},{'type':'relu'},"                       \
          "{'type':'max_pool2d','size':2},{'type':'conv2d','filters':4,'kernel':2},{'type':'tanh'},"         \
          "{'type':'flatten'},{'type':'dense','units':4}")
#define ADAM "'optimizer':{'type':'adam','learning_rate':0.01}"

static tg_engine *engine;
static tg_dataset *train_set, *test_set;

/* ---- progress ------------------------------------------------------------------------------------------ */

static void progress_counts_steps_epochs_and_samples(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM ",'batch_size':16,'epochs':2}", train_set, test_set);
    tg_progress p;
    tg_error err;
    tg_run_progress(run, &p);
    assert_true(p.epoch == 0 && p.step == 0 && p.steps_per_epoch == 4 && p.samples == 0 && !p.finished);
    assert_true(isnan(p.step_loss) && p.train.count == 0 && p.held_out.count == 0 && p.learning_rate == 0.01);
    float losses[10];
    size_t written;
    ASSERT_OK(tg_run_train(run, 3, NULL, NULL, losses, 10, &written, &p, &err));
    assert_true(written == 3 && p.step == 3 && p.epoch_step == 3 && p.epoch == 0 && p.samples == 48 &&
                p.train.count == 48);
    assert_true(!p.epoch_finished && !p.finished && losses[2] == (float)p.step_loss && p.held_out.count == 0);
    assert_true(fabs(p.train.loss - ((double)losses[0] + (double)losses[1] + (double)losses[2]) / 3) < 1e-6);
    /* The fourth step has the two samples left, and brings the end of the epoch with it. */
    ASSERT_OK(tg_run_train(run, 1, NULL, NULL, losses + 3, 7, &written, &p, &err));
    assert_true(written == 1 && p.step == 4 && p.epoch == 1 && p.epoch_step == 0 && p.samples == 50 &&
                p.epoch_finished);
    assert_true(p.train.count == 50 && p.held_out.count == 30 && !p.finished);
    double mean = 0;
    for (size_t i = 0; i < 4; i++) mean += (double)losses[i] * (i < 3 ? 16 : 2) / 50;
    assert_true(fabs(p.train.loss - mean) < 1e-6);
    ASSERT_OK(tg_run_train(run, 0, NULL, NULL, losses, 2, &written, &p, &err)); /* room for two losses */
    assert_true(written == 2 && p.step == 6 && p.epoch_step == 2 && !p.epoch_finished);
    assert_true(p.train.count == 32 && p.held_out.count == 30); /* the last epoch's, still */
    ASSERT_OK(tg_run_train(run, 0, NULL, NULL, NULL, 0, NULL, &p, &err));
    assert_true(p.step == 8 && p.epoch == 2 && p.epoch_finished && p.finished);
    const char *hash = hash_of(run);
    ASSERT_OK(
        tg_run_train(run, 0, NULL, NULL, losses, 10, &written, &p, &err)); /* there is nothing left to do */
    assert_true(written == 0 && p.step == 8 && p.finished && !p.epoch_finished);
    assert_string_equal(hash_of(run), hash);
    tg_run_destroy(run);
}

static void parts_of_the_data_are_as_the_recipe_says(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM ",'data':{'train_size':40,'validation':0.25},'batch_size':100}",
                           train_set, test_set);
    tg_progress p = train_steps(run, 0);
    assert_true(p.steps_per_epoch == 1 && p.step == 1 && p.samples == 30 && p.held_out.count == 10);
    tg_run_destroy(run);
    run = make_run(engine, MLP ADAM "}", train_set, NULL); /* nothing held out */
    p = train_steps(run, 0);
    assert_true(p.epoch == 1 && p.held_out.count == 0 && isnan(p.held_out.loss));
    tg_run_destroy(run);
}

static void the_loss_of_the_first_step_is_that_of_an_evaluation(void **state) {
    (void)state;
    tg_run *run = make_run(engine, CNN ADAM ",'batch_size':50}", train_set, NULL);
    tg_score before = evaluate_all(run, train_set).score;
    tg_progress p = train_steps(run, 1);
    assert_true(fabs(p.step_loss - before.loss) < 1e-6 && p.train.accuracy == before.accuracy);
    tg_run_destroy(run);
}

static void training_needs_data(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM "}", NULL, test_set);
    tg_progress p;
    tg_error err;
    ASSERT_FAILS(tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &p, &err), TG_E_STATE,
                 "train: there is no training data; give the run some when it is made or loaded");
    ASSERT_FAILS(tg_run_gradcheck_begin(run, 1, &err), TG_E_STATE,
                 "there is no training data to check gradients on");
    tg_run_destroy(run);
}

static void training_allocates_nothing(void **state) {
    (void)state;
    static const char *const recipes[] = {MLP ADAM ",'epochs':2,'data':{'validation':10}}",
                                          CNN ADAM ",'epochs':2}"};
    for (size_t i = 0; i < 2; i++) {
        tg_run *run = make_run(engine, recipes[i], train_set, test_set);
        begin_allocations(0);
        tg_progress p = train_steps(run, 0);
        end_allocations();
        assert_true(p.finished && !allocation_failed());
        tg_run_destroy(run);
    }
}

/* ---- same bits ----------------------------------------------------------------------------------------- */

#define NORMALISED                                                                                           \
    MODEL("{'type':'conv2d','filters':3,'kernel':3},{'type':'batch_norm'},{'type':'relu'},"                  \
          "{'type':'flatten'},{'type':'dropout','rate':0.4},{'type':'dense','units':8},"                     \
          "{'type':'batch_norm'},{'type':'dense','units':4}")                                                \
    "'augment':[{'type':'rotate','degrees':20},{'type':'cutout','size':2,'probability':0.5}],"
#define CODE                                                                                                 \
    MODEL("{'type':'flatten'},{'type':'dense','units':5},{'type':'sigmoid'},{'type':'dense','units':36}")
#define REPEAT "'loss':{'type':'mean_squared_error','target':'input'},"

static const char *const long_recipes[] = {
    MLP ADAM ",'batch_size':16,'epochs':3,'data':{'validation':0.2}}",
    CNN "'optimizer':{'type':'nesterov'},'batch_size':16,'epochs':2,'schedule':{'type':'cosine'}}",
    NORMALISED "'optimizer':{'type':'rmsprop','clip_norm':0.5,'momentum':0.5},'batch_size':16,'epochs':2}",
    CODE REPEAT "'optimizer':{'type':'adamw'},'batch_size':20,'epochs':3}",
};
enum { LONG_RECIPES = sizeof long_recipes / sizeof *long_recipes };

static void a_seed_decides_everything(void **state) {
    (void)state;
    const char *hashes[3];
    for (int i = 0; i < 3; i++) {
        char recipe[1024];
        snprintf(recipe, sizeof recipe, MLP ADAM ",'batch_size':16,'epochs':2,'seed':%d}", i < 2 ? 4 : 5);
        tg_run *run = make_run(engine, recipe, train_set, NULL);
        train_steps(run, 0);
        hashes[i] = hash_of(run);
        tg_run_destroy(run);
    }
    assert_string_equal(hashes[0], hashes[1]);
    assert_string_not_equal(hashes[0], hashes[2]);
}

static bool always(void *ctx) {
    size_t *calls = ctx;
    ++*calls;
    return true;
}

/* One unit of work a call: samples forward, to the losses and back; gradients of weights; an update; a piece of
 * evaluating. */
static void stopping_after_every_unit_changes_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < LONG_RECIPES; i++) {
        tg_run *whole = make_run(engine, long_recipes[i], train_set, test_set);
        tg_progress expected = train_steps(whole, 0), p;
        tg_run *run = make_run(engine, long_recipes[i], train_set, test_set);
        tg_error err;
        size_t calls = 0, interrupted = 0, epochs = 0;
        uint64_t last_step = 0;
        do {
            size_t written;
            float loss;
            ASSERT_OK(tg_run_train(run, 0, always, &interrupted, &loss, 1, &written, &p, &err));
            assert_true(p.step == last_step + written && written <= 1);
            last_step = p.step;
            epochs += p.epoch_finished;
            calls++;
        } while (!p.finished);
        assert_true(calls >= 3 * expected.step && interrupted + epochs + expected.step >= calls);
        assert_int_equal(epochs, expected.epoch);
        assert_string_equal(hash_of(run), hash_of(whole));
        assert_memory_equal(&p.train, &expected.train, sizeof p.train);
        assert_memory_equal(&p.held_out, &expected.held_out, sizeof p.held_out);
        tg_run_destroy(run);
        tg_run_destroy(whole);
    }
}

/* Between two units the calling thread may be told to train alone, or no longer to. */
static void training_alone_for_a_while_changes_nothing(void **state) {
    (void)state;
    tg_engine *with = make_engine(3);
    for (size_t i = 0; i < LONG_RECIPES; i++) {
        tg_run *whole = make_run(with, long_recipes[i], train_set, test_set);
        tg_run *run = make_run(with, long_recipes[i], train_set, test_set);
        tg_progress expected = train_steps(whole, 0), p;
        size_t interrupted = 0, calls = 0;
        do {
            tg_error err;
            tg_run_train_alone(run, calls++ % 5 < 3);
            ASSERT_OK(tg_run_train(run, 0, always, &interrupted, NULL, 0, NULL, &p, &err));
        } while (!p.finished);
        assert_string_equal(hash_of(run), hash_of(whole));
        assert_memory_equal(&p.held_out, &expected.held_out, sizeof p.held_out);
        tg_run_destroy(run);
        tg_run_destroy(whole);
    }
    tg_engine_destroy(with);
}

/* A step on a whole set, for which one unit would take too long: rows and gradients of weights come in several. With one,
 * two and three threads, which cut them differently. */
static void a_large_batch_can_stop_within_its_rows(void **state) {
    (void)state;
    static const char recipe[] =
        "{'tabgrad':1,'model':{'input':[28,28,1],'layers':[{'type':'flatten'},{'type':'dense','units':300},"
        "{'type':'dropout','rate':0.1},{'type':'tanh'},{'type':'dense','units':10}]},"
        "'preprocess':[{'type':'rescale'}],'batch_size':1500," ADAM ",'epochs':1}";
    tg_dataset *large = make_pictures(28, 28, 1, 1500, 10, 1, 0);
    const char *hashes[3];
    size_t calls[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        tg_engine *with = make_engine(i + 1);
        tg_run *run = make_run(with, recipe, large, NULL);
        tg_progress p;
        tg_error err;
        do ASSERT_OK(tg_run_train(run, 1, always, &calls[i], NULL, 0, NULL, &p, &err));
        while (p.step == 0);
        hashes[i] = hash_of(run);
        assert_string_equal(hashes[i], hashes[0]);
        tg_run_destroy(run);
        tg_engine_destroy(with);
    }
    assert_true(calls[0] > 5 && calls[0] > calls[2]);
    tg_dataset_destroy(large);
}

/* Whatever is asked of a run between two units: outputs, an evaluation in pieces, a checkpoint, a recipe. */
static void looking_between_two_units_changes_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < LONG_RECIPES; i++) {
        tg_run *whole = make_run(engine, long_recipes[i], train_set, test_set);
        tg_progress expected = train_steps(whole, 0), p;
        tg_run *run = make_run(engine, long_recipes[i], train_set, test_set);
        tg_error err;
        tg_evaluation evaluation = {.finished = true};
        size_t ignored = 0, calls = 0, evaluations = 0;
        float *outputs = malloc(20 * tg_run_outputs(run) * sizeof *outputs);
        do {
            ASSERT_OK(tg_run_train(run, 0, always, &ignored, NULL, 0, NULL, &p, &err));
            if (evaluation.finished)
                ASSERT_OK(tg_run_evaluate_begin(run, calls % 2 ? train_set : test_set, &err));
            ASSERT_OK(tg_run_evaluate(run, always, &ignored, &evaluation, &err));
            evaluations += evaluation.finished;
            if (calls % 7 == 0)
                ASSERT_OK(tg_run_predict(run, TG_U8, tg_dataset_pixels(test_set), 20, outputs, &err));
            if (calls % 11 == 0) {
                uint8_t *bytes;
                size_t size;
                ASSERT_OK(tg_run_save(run, calls % 2, &bytes, &size, &err));
                tg_free(bytes);
            }
            if (calls % 13 == 0) {
                const char *json;
                ASSERT_OK(tg_run_recipe_json(run, &json, &err));
                ASSERT_OK(tg_run_history_json(run, &json, &err));
            }
            if (calls % 40 == 0) { /* a step in progress starts over */
                tg_gradcheck check;
                ASSERT_OK(tg_run_gradcheck_begin(run, 1, &err));
                for (size_t k = 0; k < calls; k++)
                    ASSERT_OK(tg_run_gradcheck(run, always, &ignored, &check, &err));
            }
            calls++;
        } while (!p.finished);
        assert_true(evaluations > 2);
        assert_string_equal(hash_of(run), hash_of(whole));
        assert_memory_equal(&p.held_out, &expected.held_out, sizeof p.held_out);
        free(outputs);
        tg_run_destroy(run);
        tg_run_destroy(whole);
    }
}

/* A run whose preprocessing is fitted in pieces: until then it says so, and then it is the run made at one go. */
static void fitting_can_stop_anywhere(void **state) {
    (void)state;
    static const char recipe[] =
        "{'tabgrad':1,'data':{'shape':[6,6,1]},'model':{'input':[5],'layers':[{'type':'dense','units':4}]},"
        "'preprocess':[{'type':'standardize'},{'type':'pca','components':5}]," ADAM ",'epochs':2}";
    tg_run *whole = make_run(engine, recipe, train_set, test_set), *run;
    tg_attrs *attrs = attrs_from("%s", recipe);
    tg_progress progress;
    tg_error err;
    float answer[CLASSES];
    size_t pieces = 0;
    bool finished = false;
    ASSERT_OK(tg_run_create_unfitted(engine, attrs, train_set, test_set, &run, &err));
    for (; !finished; pieces++) {
        static const char sentence_of_waiting[] = "the preprocessing has not seen training data yet; make "
                                                  "the run with it, or write its numbers into "
                                                  "the recipe";
        if (pieces < 20) {
            ASSERT_FAILS(tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &progress, &err), TG_E_STATE,
                         sentence_of_waiting);
            ASSERT_FAILS(tg_run_predict(run, TG_U8, tg_dataset_pixels(test_set), 1, answer, &err), TG_E_STATE,
                         sentence_of_waiting);
        }
        size_t ignored = 0;
        ASSERT_OK(tg_run_fit(run, always, &ignored, &finished, &err));
    }
    assert_true(pieces > 50);
    train_steps(whole, 0);
    train_steps(run, 0);
    assert_string_equal(hash_of(run), hash_of(whole));
    tg_attrs_destroy(attrs);
    tg_run_destroy(run);
    tg_run_destroy(whole);
}

/* ---- changing one's mind ------------------------------------------------------------------------------- */

#define STAIRS                                                                                               \
    MLP "'optimizer':{'type':'sgd','learning_rate':0.1},'schedule':{'type':'step','every_epochs':1,'factor'" \
        ":0.5},"                                                                                             \
        "'batch_size':25,'epochs':4}"

static double learning_rate(const tg_run *run) {
    tg_progress p;
    tg_run_progress(run, &p);
    return p.learning_rate;
}

static void a_learning_rate_set_by_hand_is_recorded(void **state) {
    (void)state;
    tg_run *run = make_run(engine, STAIRS, train_set, NULL),
           *replay = make_run(engine, STAIRS, train_set, NULL),
           *other = make_run(engine, STAIRS, train_set, NULL);
    tg_error err;
    const char *history;
    train_steps(run, 3); /* in the second epoch */
    assert_true(learning_rate(run) == 0.05);
    ASSERT_OK(tg_run_set_learning_rate(run, 0.02, &err));
    assert_true(fabs(learning_rate(run) - 0.02) < 1e-17);
    train_steps(run, 1);
    assert_true(fabs(learning_rate(run) - 0.01) < 1e-17); /* the schedule goes on from there */
    ASSERT_OK(tg_run_history_json(run, &history, &err));
    assert_non_null(strstr(history, "\"events\":[{\"step\":3,\"learning_rate\":0.02}]"));
    train_steps(run, 0);
    /* Recipe and events determine it. */
    train_steps(replay, 3);
    ASSERT_OK(tg_run_set_learning_rate(replay, 0.02, &err));
    train_steps(replay, 0);
    train_steps(other, 0);
    assert_string_equal(hash_of(run), hash_of(replay));
    assert_string_not_equal(hash_of(run), hash_of(other));
    tg_run_destroy(run);
    tg_run_destroy(replay);
    tg_run_destroy(other);
}

static void a_learning_rate_must_make_sense(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM ",'schedule':{'type':'cosine'}}", train_set, NULL);
    tg_error err;
    ASSERT_FAILS(tg_run_set_learning_rate(run, 0, &err), TG_E_ARGUMENT,
                 "learning_rate must be above 0 and at most 1e6, not 0");
    ASSERT_FAILS(tg_run_set_learning_rate(run, -1, &err), TG_E_ARGUMENT,
                 "learning_rate must be above 0 and at most 1e6, not -1");
    ASSERT_FAILS(tg_run_set_learning_rate(run, INFINITY, &err), TG_E_ARGUMENT,
                 "learning_rate must be above 0 and at most 1e6, not inf");
    assert_int_equal(tg_run_set_learning_rate(run, NAN, &err), TG_E_ARGUMENT);
    train_steps(run, 0);
    ASSERT_FAILS(tg_run_set_learning_rate(run, 0.1, &err), TG_E_STATE,
                 "the schedule has brought the learning rate to 0; there is nothing to change");
    tg_run_destroy(run);
}

static void epochs_can_be_added_and_taken_away(void **state) {
    (void)state;
    tg_run *run = make_run(engine, MLP ADAM ",'epochs':3,'batch_size':25}", train_set, NULL),
           *five = make_run(engine, MLP ADAM ",'epochs':5,'batch_size':25}", train_set, NULL);
    tg_error err;
    const char *text;
    ASSERT_FAILS(tg_run_set_epochs(run, 0, &err), TG_E_ARGUMENT,
                 "epochs must be at least 1 and at most 1048576, not 0");
    train_steps(run, 0);
    ASSERT_OK(tg_run_set_epochs(run, 5, &err));
    tg_progress p;
    tg_run_progress(run, &p);
    assert_false(p.finished);
    train_steps(run, 3);
    ASSERT_FAILS(tg_run_set_epochs(run, 4, &err), TG_E_ARGUMENT,
                 "epochs must be at least 5 and at most 1048576, not 4");
    ASSERT_FAILS(tg_run_set_epochs(run, 2000000, &err), TG_E_ARGUMENT,
                 "epochs must be at least 5 and at most 1048576, not 2000000");
    assert_true(train_steps(run, 0).epoch == 5);
    train_steps(five, 0);
    assert_string_equal(hash_of(run), hash_of(five));
    ASSERT_OK(tg_run_history_json(run, &text, &err));
    assert_non_null(strstr(text, "\"events\":[{\"step\":6,\"epochs\":5}]"));
    ASSERT_OK(tg_run_recipe_json(run, &text, &err));
    assert_non_null(strstr(text, "\"epochs\":5"));
    tg_run_destroy(run);
    tg_run_destroy(five);
}

/* The history has one entry an epoch, with the learning rate the epoch ended with. */
static void the_history_tells_every_epoch(void **state) {
    (void)state;
    tg_run *run = make_run(engine, STAIRS, train_set, test_set);
    tg_error err;
    const char *history;
    train_steps(run, 2);
    ASSERT_OK(tg_run_history_json(run, &history, &err));
    assert_non_null(strstr(history, "\"learning_rate\":0.1}]"));
    train_steps(run, 0);
    ASSERT_OK(tg_run_history_json(run, &history, &err));
    static const char *const rates[] = {"\"learning_rate\":0.1}", "\"learning_rate\":0.05}",
                                        "\"learning_rate\":0.025}", "\"learning_rate\":0.0125}"};
    for (size_t i = 0; i < 4; i++) assert_non_null(strstr(history, rates[i]));
    tg_run_destroy(run);
}

/* ---- divergence ---------------------------------------------------------------------------------------- */

/* Trains until it diverges; the sentence is of that form, with the number of the step that was not done. */
static void check_divergence(const char *recipe, const char *form) {
    tg_run *run = make_run(engine, recipe, train_set, test_set);
    tg_progress p;
    tg_error err;
    tg_status status;
    do status = tg_run_train(run, 0, NULL, NULL, NULL, 0, NULL, &p, &err);
    while (status == TG_OK && !p.finished);
    assert_int_equal(status, TG_E_DIVERGED);
    assert_true(p.step > 0);
    char expected[256];
    snprintf(expected, sizeof expected, form, (unsigned long long)p.step + 1);
    assert_string_equal(sentence(status, &err), expected);

    tg_run *before = make_run(engine, recipe, train_set, test_set);
    train_steps(before, p.step);
    assert_string_equal(hash_of(run), hash_of(before));
    for (size_t i = 0; i < tg_run_parameters(run); i++) {
        tg_tensor_info info;
        ASSERT_OK(tg_run_parameter(run, i, &info, &err));
        for (size_t k = 0; k < info.size; k++) assert_true(isfinite(info.data[k]));
    }
    static const char again[] = "the run has diverged; start again with a lower learning rate";
    ASSERT_FAILS(tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &p, &err), TG_E_STATE, again);

    /* Everything else goes on, also from a checkpoint. */
    tg_run *loaded = save_and_load(engine, run, train_set, test_set);
    assert_string_equal(hash_of(loaded), hash_of(run));
    ASSERT_FAILS(tg_run_train(loaded, 1, NULL, NULL, NULL, 0, NULL, &p, &err), TG_E_STATE, again);
    assert_int_equal(evaluate_all(loaded, test_set).score.count, 30);
    float *outputs = malloc(tg_run_outputs(run) * sizeof *outputs);
    ASSERT_OK(tg_run_predict(run, TG_U8, tg_dataset_pixels(test_set), 1, outputs, &err));
    free(outputs);
    tg_run_destroy(run);
    tg_run_destroy(before);
    tg_run_destroy(loaded);
}

#define SAYS(what)                                                                                           \
    "step %llu: the " what                                                                                   \
    " is no longer finite, so the weights before it are kept; start again with a lower "                     \
    "learning rate, such as 1e+05"

static void divergence_keeps_the_last_finite_weights(void **state) {
    (void)state;
    check_divergence(
        LINEAR "'loss':'mean_squared_error','optimizer':{'type':'sgd','learning_rate':1e6},'epochs':30}",
        SAYS("loss"));
    /* Nothing reaches the last layer: its weights, which l2 throws ever farther, do not touch the loss. */
    check_divergence(
        MODEL("{'type':'flatten'},{'type':'dense','units':9,'initializer':'zeros'},{'type':'relu'},"
              "{'type':'dense','units':4}") "'optimizer':{'type':'sgd','learning_rate':1e6,'l2':1e6},'epochs'"
                                            ":3}",
        SAYS("update"));
}

/* One unit is infinite, so none behind it answers: all that reaches its weights is 0, which is left out as it is, but 0 times
 * infinity is no number. */
static void an_infinite_unit_that_nothing_reaches_ends_the_run(void **state) {
    (void)state;
    tg_run *run =
        make_run(engine,
                 MODEL("{'type':'flatten'},{'type':'dense','units':32,'initializer':'zeros'},{'type':'relu'},"
                       "{'type':'dense','units':20,'initializer':'zeros'},{'type':'relu'},"
                       "{'type':'dense','units':4}") "'optimizer':{'type':'sgd','learning_rate':0.1}}",
                 train_set, test_set);
    tg_error err;
    tg_tensor_info first, second;
    ASSERT_OK(tg_run_parameter(run, 0, &first, &err));
    ASSERT_OK(tg_run_parameter(run, 2, &second, &err));
    assert_true(first.size == 32 * 36 && second.size == 20 * 32);
    for (size_t k = 0; k < 36; k++) first.data[k] = (tg_real)(sizeof(tg_real) == 8 ? 1e308 : 3e38);
    for (size_t k = 0; k < 20; k++) second.data[k * 32] = -1;
    tg_progress p;
    tg_status status = tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &p, &err);
    assert_int_equal(status, TG_E_DIVERGED);
    assert_non_null(strstr(sentence(status, &err), "the update is no longer finite"));
    tg_run_destroy(run);
}

static int begin(void **state) {
    (void)state;
    engine = make_engine(1);
    train_set = make_pictures(SIDE, SIDE, 1, SAMPLES, CLASSES, 1, 0);
    test_set = make_pictures(SIDE, SIDE, 1, 30, CLASSES, 1, 1);
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
        cmocka_unit_test(progress_counts_steps_epochs_and_samples),
        cmocka_unit_test(parts_of_the_data_are_as_the_recipe_says),
        cmocka_unit_test(the_loss_of_the_first_step_is_that_of_an_evaluation),
        cmocka_unit_test(training_needs_data),
        cmocka_unit_test(training_allocates_nothing),
        cmocka_unit_test(a_seed_decides_everything),
        cmocka_unit_test(stopping_after_every_unit_changes_nothing),
        cmocka_unit_test(training_alone_for_a_while_changes_nothing),
        cmocka_unit_test(a_large_batch_can_stop_within_its_rows),
        cmocka_unit_test(fitting_can_stop_anywhere),
        cmocka_unit_test(looking_between_two_units_changes_nothing),
        cmocka_unit_test(a_learning_rate_set_by_hand_is_recorded),
        cmocka_unit_test(a_learning_rate_must_make_sense),
        cmocka_unit_test(epochs_can_be_added_and_taken_away),
        cmocka_unit_test(the_history_tells_every_epoch),
        cmocka_unit_test(divergence_keeps_the_last_finite_weights),
        cmocka_unit_test(an_infinite_unit_that_nothing_reaches_ends_the_run),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
