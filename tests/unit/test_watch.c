/* What happens between epochs: early stopping, the plateau schedule, sampling with replacement, the losses of steps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/split.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"
#include "train/run.h"

/* Few samples and many units: it learns them by heart, and the validation loss turns round. */
#define RECIPE(more)                                                                                         \
    "{'tabgrad':1,'data':{'validation':0.5},'model':{'input':[1,1,6],'layers':[{'type':'flatten'},"          \
    "{'type':'dense','units':40},{'type':'relu'},{'type':'dense','units':3}]},'optimizer':{'type':'adam',"   \
    "'learning_rate':0.03},'batch_size':8,'epochs':60" more "}"

typedef struct trial {
    tg_engine *engine;
    tg_dataset *noise;
    tg_run *run;
} trial;

static trial open_trial(const char *recipe) {
    trial t = {make_engine(1), make_noise(1, 1, 6, 48, 3, false, 5), NULL};
    t.run = make_run(t.engine, recipe, t.noise, NULL);
    return t;
}

static void close_trial(trial *t) {
    tg_run_destroy(t->run);
    tg_dataset_destroy(t->noise);
    tg_engine_destroy(t->engine);
}

static size_t best_epoch_of(const tg_run *run) {
    size_t best = 0;
    for (size_t i = 1; i < run->record_count; i++)
        if (run->records[i].held_out_loss < run->records[best].held_out_loss) best = i;
    return best + 1;
}

static void stops_when_nothing_gets_better(void **state) {
    (void)state;
    trial t = open_trial(RECIPE(",'early_stopping':{'patience':4}"));
    tg_progress end = train_steps(t.run, 0);
    assert_true(end.finished && end.epoch < 60);
    assert_int_equal(end.epoch, best_epoch_of(t.run) + 4);
    close_trial(&t);
}

static void puts_the_best_weights_back(void **state) {
    (void)state;
    trial stopped = open_trial(RECIPE(",'early_stopping':{'patience':4}"));
    train_steps(stopped.run, 0);
    size_t best = best_epoch_of(stopped.run);
    trial plain = open_trial(RECIPE(""));
    train_steps(plain.run, best * plain.run->steps_per_epoch);
    assert_string_equal(hash_of(stopped.run), hash_of(plain.run));

    trial kept = open_trial(RECIPE(",'early_stopping':{'patience':4,'restore_best':false}"));
    train_steps(kept.run, 0);
    train_steps(plain.run, 4 * plain.run->steps_per_epoch);
    assert_string_equal(hash_of(kept.run), hash_of(plain.run));
    close_trial(&stopped);
    close_trial(&plain);
    close_trial(&kept);
}

static void patience_survives_a_checkpoint(void **state) {
    (void)state;
    trial whole = open_trial(RECIPE(",'early_stopping':{'patience':4,'metric':'accuracy'}"));
    tg_progress end = train_steps(whole.run, 0);
    trial cut = open_trial(RECIPE(",'early_stopping':{'patience':4,'metric':'accuracy'}"));
    train_steps(cut.run, 2 * cut.run->steps_per_epoch + 1);
    tg_run *again = save_and_load(cut.engine, cut.run, cut.noise, NULL);
    assert_int_equal(train_steps(again, 0).epoch, end.epoch);
    assert_string_equal(hash_of(again), hash_of(whole.run));
    tg_run *over = save_and_load(cut.engine, again, cut.noise, NULL);
    assert_true(train_steps(over, 0).finished);
    assert_int_equal(over->at.step, again->at.step);
    tg_run_destroy(again);
    tg_run_destroy(over);
    close_trial(&whole);
    close_trial(&cut);
}

static void more_epochs_begin_patience_anew(void **state) {
    (void)state;
    trial t = open_trial(RECIPE(",'early_stopping':{'patience':2}"));
    tg_progress first = train_steps(t.run, 0);
    tg_error err;
    ASSERT_OK(tg_run_set_epochs(t.run, first.epoch + 10, &err));
    tg_progress second = train_steps(t.run, 0);
    assert_true(second.epoch >= first.epoch + 2);
    close_trial(&t);
}

/* PyTorch's ReduceLROnPlateau: after more than `patience` epochs without a better loss. */
static void plateaus_lower_the_learning_rate(void **state) {
    (void)state;
    trial t = open_trial(RECIPE(",'schedule':{'type':'plateau','factor':0.5,'patience':2}"));
    train_steps(t.run, 0);
    double best = INFINITY, rate = 0.03;
    unsigned bad = 0, drops = 0;
    for (size_t i = 0; i < t.run->record_count; i++) {
        const tg_epoch_record *r = &t.run->records[i];
        assert_true(fabs(r->learning_rate - rate) < 1e-12);
        if (r->held_out_loss < best) {
            best = r->held_out_loss;
            bad = 0;
        } else if (++bad > 2) {
            bad = 0;
            drops++;
            rate *= 0.5;
        }
    }
    assert_true(drops >= 2);
    tg_run *again = save_and_load(t.engine, t.run, t.noise, NULL);
    assert_true(tg_run_learning_rate(again) == tg_run_learning_rate(t.run));
    tg_run_destroy(again);
    close_trial(&t);
}

static void samples_are_drawn_with_replacement(void **state) {
    (void)state;
    tg_split split;
    tg_error err;
    ASSERT_OK(tg_split_create(1000, 500, 0.2, 3, &split, &err));
    uint32_t order[400], again[400];
    tg_split_draw(&split, 3, 7, order);
    tg_split_draw(&split, 3, 7, again);
    assert_memory_equal(order, again, sizeof order);
    size_t times[1000] = {0}, distinct = 0;
    for (size_t i = 0; i < 400; i++) distinct += times[order[i]]++ == 0;
    for (size_t i = 0; i < 100; i++) assert_int_equal(times[split.index[400 + i]], 0); /* held out */
    assert_in_range(distinct, 220, 285); /* 1 - 1/e of 400 is 253 */
    tg_split_destroy(&split);

    trial with = open_trial(RECIPE("")), without = open_trial(RECIPE(""));
    tg_run *drawn = make_run(
        with.engine,
        "{'tabgrad':1,'data':{'validation':0.5,'sampling':'with_replacement'},'model':{'input':[1,1,6],"
        "'layers':[{'type':'flatten'},{'type':'dense','units':3}]},'optimizer':{'type':'sgd'},'epochs':2}",
        with.noise, NULL);
    assert_true(train_steps(drawn, 0).finished);
    tg_run_destroy(drawn);
    close_trial(&with);
    close_trial(&without);
}

static void every_step_leaves_its_loss(void **state) {
    (void)state;
    trial t = open_trial(RECIPE(""));
    float losses[10];
    size_t written;
    tg_progress progress;
    tg_error err;
    for (size_t done = 0; done < 10; done += written)
        ASSERT_OK(tg_run_train(t.run, 0, NULL, NULL, losses + done, 10 - done, &written, &progress, &err));
    size_t count;
    assert_memory_equal(tg_run_step_losses(t.run, &count), losses, sizeof losses);
    assert_int_equal(count, 10);
    tg_run *again = save_and_load(t.engine, t.run, t.noise, NULL);
    assert_memory_equal(tg_run_step_losses(again, &count), losses, sizeof losses);
    train_steps(again, 5);
    tg_run_step_losses(again, &count);
    assert_int_equal(count, 15);
    tg_run_destroy(again);
    close_trial(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_when_nothing_gets_better),
        cmocka_unit_test(puts_the_best_weights_back),
        cmocka_unit_test(patience_survives_a_checkpoint),
        cmocka_unit_test(more_epochs_begin_patience_anew),
        cmocka_unit_test(plateaus_lower_the_learning_rate),
        cmocka_unit_test(samples_are_drawn_with_replacement),
        cmocka_unit_test(every_step_leaves_its_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
