/* Training as a machine of small steps: it can return in the middle of a batch and go on from there. */
#include <math.h>
#include <string.h>

#include "train/run.h"

bool tg_run_has_held_out(const tg_run *run) {
    return run->split.validation_count > 0 || run->test;
}

/* A run that goes on with other data has epochs of other lengths. */
static double schedule_factor_before(const tg_run *run, uint64_t steps) {
    const tg_position *at = &run->at;
    const tg_moment moment = {.step = at->step - steps,
                              .place = at->epoch * run->steps_per_epoch + at->epoch_step - steps,
                              .steps_per_epoch = run->steps_per_epoch,
                              .epochs = run->recipe.epochs,
                              .plateaus = at->plateaus};
    return tg_schedules_factor(&run->schedules, &moment);
}

double tg_run_schedule_factor(const tg_run *run) {
    return schedule_factor_before(run, 0);
}

double tg_run_learning_rate(const tg_run *run) {
    return run->at.base_learning_rate * tg_run_schedule_factor(run);
}

bool tg_run_finished(const tg_run *run) {
    return run->at.epoch >= run->recipe.epochs || run->at.stopped;
}

void tg_run_progress(const tg_run *run, tg_progress *out) {
    const tg_position *at = &run->at;
    double n = (double)at->epoch_samples;
    *out = (tg_progress){
        .epoch = at->epoch,
        .step = at->step,
        .epoch_step = at->epoch_step,
        .steps_per_epoch = run->steps_per_epoch,
        .samples = at->samples,
        .learning_rate = tg_run_learning_rate(run),
        .train = {.loss = at->epoch_samples ? at->epoch_loss_sum / n : NAN,
                  .accuracy = at->epoch_samples && run->has_labels ? (double)at->epoch_correct / n : NAN,
                  .count = at->epoch_samples},
        .held_out = at->held_out,
        .step_loss = at->step_loss,
        .finished = tg_run_finished(run),
    };
}

static void begin_batch(tg_run *run) {
    if (run->at.epoch_step == 0) {
        run->at.epoch_samples = run->at.epoch_correct = 0;
        run->at.epoch_loss_sum = 0;
    }
    if (run->order_epoch != run->at.epoch) {
        (run->recipe.data.sampling ? tg_split_draw : tg_split_shuffle)(&run->entries, run->recipe.seed,
                                                                       (uint32_t)run->at.epoch, run->order);
        run->order_epoch = run->at.epoch;
    }
    run->train_plan->exec.epoch = run->augmenting.epoch = (uint32_t)run->at.epoch;
    size_t first = (size_t)run->at.epoch_step * run->batch_size, left = run->entries.train_count - first;
    run->batch = (tg_batch){.plan = run->train_plan,
                            .dataset = run->train,
                            .type = run->train->type,
                            .pixels = run->train->pixels,
                            .index = run->order,
                            .first = first,
                            .n = left < run->batch_size ? left : run->batch_size,
                            .outcome = &run->trained};
    tg_batch_begin(&run->batch);
    tg_run_clear_gradients(run);
}

void tg_run_clear_gradients(tg_run *run) {
    for (size_t i = 0; i < run->graph->count; i++) {
        const tg_node *node = &run->graph->nodes[i];
        bool sets = (node->op->flags & TG_OP_SETS_WEIGHT_GRADIENT) != 0;
        for (size_t j = sets ? 1 : 0; j < node->param_count; j++) {
            const tg_param *p = &node->params[j];
            if (p->gradient) memset(p->gradient, 0, p->size * sizeof *p->gradient);
        }
    }
}

/* l2 adds lambda times the sum of squares of the weights to the loss; its gradient is the optimizer's business. */
double tg_run_l2_penalty(const tg_run *run) {
    if (run->optim_attrs.l2 == 0) return 0;
    double sum = 0;
    for (size_t i = 0; i < run->param_count; i++) {
        const tg_param *p = run->params[i];
        for (size_t j = 0; p->is_weight && p->trainable && j < p->size; j++)
            sum += (double)p->data[j] * (double)p->data[j];
    }
    return run->optim_attrs.l2 * sum;
}

static void add_up(tg_run *run) {
    const tg_batch *batch = &run->batch;
    run->batch_loss = tg_run_objective(run, batch) + tg_run_l2_penalty(run);
    run->batch_loss_sum = 0;
    run->batch_correct = 0;
    for (size_t i = 0; i < batch->n; i++) {
        run->batch_loss_sum += (double)run->sample_losses[i];
        if (run->has_labels)
            run->batch_correct +=
                run->trained.says[i] == tg_run_true_class(run->train, run->order[batch->first + i]);
    }
}

static tg_status update(tg_run *run, tg_error *err) {
    tg_position *at = &run->at;
    double rate = tg_run_learning_rate(run);
    bool finite =
        isfinite(run->batch_loss) &&
        tg_optimizer_step(run->optimizer, &run->optim_attrs, run->engine->parts.kernels,
                          run->engine->parts.pool, rate, at->step + 1, run->params, run->param_count);
    if (!finite) {
        at->diverged = true;
        tg_fail(err, TG_E_DIVERGED,
                "%s is no longer finite, so the weights before it are kept; start again with a lower "
                "learning rate, "
                "such as %.2g",
                isfinite(run->batch_loss) ? "the update" : "the loss", rate / 10);
        return tg_fail_at(err, TG_E_DIVERGED, "step %llu", (unsigned long long)at->step + 1);
    }
    tg_plan_finish(run->train_plan);
    tg_graph_trained(run->graph);
    at->step++;
    at->epoch_step++;
    at->samples += run->train_plan->exec.n;
    at->epoch_samples += run->train_plan->exec.n;
    at->epoch_correct += run->batch_correct;
    at->epoch_loss_sum += run->batch_loss_sum;
    at->step_loss = run->batch_loss;
    if (run->step_loss_count < run->step_loss_capacity)
        run->step_losses[run->step_loss_count++] = (float)run->batch_loss;
    return TG_OK;
}

static void finish_epoch(tg_run *run) {
    tg_position *at = &run->at;
    at->held_out = tg_run_has_held_out(run)
                       ? tg_evaluator_score(run, &run->held_out)
                       : (tg_score){.loss = NAN, .accuracy = NAN}; /* before, there may have been some */
    tg_progress now;
    tg_run_progress(run, &now);
    at->epoch++;
    at->epoch_step = 0;
    run->records[run->record_count++] =
        (tg_epoch_record){.epoch = at->epoch,
                          .step = at->step,
                          .loss = now.train.loss,
                          .accuracy = now.train.accuracy,
                          .held_out_loss = at->held_out.count ? at->held_out.loss : NAN,
                          .held_out_accuracy = at->held_out.count ? at->held_out.accuracy : NAN,
                          .learning_rate = at->base_learning_rate * schedule_factor_before(run, 1)};
    tg_run_watch(run);
}

void tg_run_begin_held_out(tg_run *run) {
    const tg_split *split = &run->split;
    if (split->validation_count)
        tg_evaluator_begin(&run->held_out, run->train, split->index + split->train_count,
                           split->validation_count);
    else tg_evaluator_begin(&run->held_out, run->test, NULL, run->test->count);
    if (run->evaluate_plan_owner == &run->held_out) run->evaluate_plan_owner = NULL;
}

typedef enum outcome { GOES_ON, STEP_DONE, EPOCH_DONE, FAILED } outcome;

/* One unit of work. */
static outcome advance(tg_run *run, tg_error *err) {
    switch (run->phase) {
    case TG_PHASE_BEGIN: begin_batch(run); run->phase = TG_PHASE_BATCH; /* fall through */
    case TG_PHASE_BATCH:
        if (!tg_run_advance_batch(run, &run->batch)) return GOES_ON;
        add_up(run);
        run->phase = TG_PHASE_UPDATE;
        return GOES_ON;
    case TG_PHASE_UPDATE:
        run->phase = TG_PHASE_BEGIN;
        if (update(run, err) != TG_OK) return FAILED;
        if (run->at.epoch_step < run->steps_per_epoch) return STEP_DONE;
        run->phase = TG_PHASE_HELD_OUT;
        if (tg_run_has_held_out(run)) tg_run_begin_held_out(run);
        return STEP_DONE;
    case TG_PHASE_HELD_OUT:
        if (tg_run_has_held_out(run) && !tg_evaluator_advance(run, &run->held_out)) return GOES_ON;
        finish_epoch(run);
        run->phase = TG_PHASE_BEGIN;
        return EPOCH_DONE;
    }
    return FAILED;
}

void tg_run_train_alone(tg_run *run, bool alone) {
    run->alone = alone;
}

tg_status tg_run_train(tg_run *run, uint64_t max_steps, tg_interrupt interrupt, void *ctx, float *step_losses,
                       size_t max_losses, size_t *losses_written, tg_progress *out, tg_error *err) {
    if (losses_written) *losses_written = 0;
    tg_run_progress(run, out);
    if (!run->train) {
        tg_fail(err, TG_E_STATE, "there is no training data; give the run some when it is made or loaded");
        return tg_fail_at(err, TG_E_STATE, "train");
    }
    TG_REQUIRE(err, !run->at.diverged, TG_E_STATE,
               "the run has diverged; start again with a lower learning rate");
    TG_TRY(tg_run_check_ready(run, err));
    run->gradcheck.begun = false; /* it needs the batch in the plan, and weights that stay */
    uint64_t steps = 0;
    outcome result = GOES_ON;
    tg_pool_rest(run->engine->parts.pool, run->alone);
    while (!tg_run_finished(run)) {
        result = advance(run, err);
        if (result == FAILED || result == EPOCH_DONE) break;
        if (result == STEP_DONE) {
            if (step_losses && steps < max_losses) step_losses[steps] = (float)run->at.step_loss;
            steps++;
            /* The end of an epoch belongs to its last step. */
            bool enough = steps == max_steps || (step_losses && steps == max_losses);
            if (enough && run->phase != TG_PHASE_HELD_OUT) break;
        }
        if (interrupt && interrupt(ctx)) break;
    }
    tg_pool_rest(run->engine->parts.pool, false);
    if (losses_written) *losses_written = steps < max_losses ? (size_t)steps : max_losses;
    tg_run_progress(run, out);
    out->epoch_finished = result == EPOCH_DONE;
    return result == FAILED ? TG_E_DIVERGED : TG_OK;
}
