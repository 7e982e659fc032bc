/* A batch on its way through a plan: forward, losses, backward, in units between which the caller is asked whether to go
 * on. Where nodes treat every sample alone, threads take their rows through all of them, from the gathering of pixels to
 * the gradients of the inputs where the graph allows: no meeting in between, and values stay in the caches of a core. */
#include "train/run.h"

static const tg_segment *segment_of(const tg_batch *batch) {
    return &batch->plan->segments[batch->segment];
}

static bool is_last(const tg_batch *batch) {
    return batch->segment + 1 == batch->plan->segment_count;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* What is done with rows, in this order. */
typedef struct rows_job {
    tg_run *run;
    const tg_batch *batch;
    size_t first, end; /* nodes */
    bool forward, losses, backward;
} rows_job;

static void take_rows(void *ctx, const tg_exec *rows, size_t first, size_t thread) {
    const rows_job *job = ctx;
    const tg_plan *plan = job->batch->plan;
    for (size_t i = job->first; job->forward && i < job->end; i++) {
        if (i == 0) tg_run_gather_rows(job->run, job->batch, rows, first, thread);
        else tg_plan_forward_rows(plan, rows, i);
    }
    if (job->losses) tg_run_row_losses(job->run, job->batch, rows, first);
    for (size_t i = job->end; job->backward && i-- > job->first;) tg_plan_backward_rows(plan, rows, i);
}

/* Multiplications that a row costs, about: those of products, and some for every value. */
static double row_work(const rows_job *job) {
    const double of_a_value = 4;
    const tg_plan *plan = job->batch->plan;
    double work = 0;
    for (size_t i = job->first; i < job->end; i++) {
        const tg_node *node = &plan->graph->nodes[i];
        double products = node->param_count ? (double)node->params[0].size : 0;
        double values = of_a_value * (double)tg_shape_size(&node->shape);
        if (tg_plan_is_free(plan, node)) continue;
        if (job->forward) work += products + values;
        if (job->backward && node->needs_gradient) work += values;
        if (job->backward && node->input_count && node->inputs[0]->needs_gradient) work += products;
    }
    return work + (job->losses ? of_a_value * (double)job->run->shown_size : 0);
}

/* How many of `left` pieces of work, of so many multiplications each, are done before the caller is asked. */
static size_t at_once(const tg_batch *batch, size_t left, double work) {
    const double unit = 134217728; /* a thread's: some milliseconds */
    double most = unit * (double)tg_pool_threads(batch->plan->exec.pool);
    return work * (double)left > most ? 1 + (size_t)(most / work) : left;
}

/* Some of the batch's rows; true where they were the last. */
static bool advance_rows(tg_batch *batch, rows_job *job) {
    double work = row_work(job);
    size_t rows = at_once(batch, batch->n - batch->done, work);
    tg_plan_over_rows(batch->plan, batch->done, rows, work, take_rows, job);
    batch->done += rows;
    return batch->done == batch->n;
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

void tg_batch_begin(const tg_batch *batch) {
    tg_exec *ex = &batch->plan->exec;
    ex->n = batch->n;
    ex->samples = batch->index ? batch->index + batch->first : NULL;
}

static bool go_to(tg_batch *batch, tg_leg leg, size_t segment) {
    batch->leg = leg;
    batch->segment = segment;
    batch->done = 0;
    return false;
}

/* True where nothing is behind it. */
static bool behind_losses(tg_batch *batch, tg_leg leg) {
    return !batch->plan->exec.training || go_to(batch, leg, batch->plan->segment_count - 1);
}

static bool advance_forward(tg_run *run, tg_batch *batch) {
    const tg_plan *plan = batch->plan;
    const tg_segment *segment = segment_of(batch);
    bool to_the_end = is_last(batch) && plan->ends_by_sample;
    rows_job job = {
        .run = run, .batch = batch, .first = segment->first, .end = segment->end, .forward = true};
    job.losses = to_the_end && batch->dataset;
    job.backward = job.losses && plan->exec.training;
    if (!segment->by_sample) tg_plan_forward(batch->plan, segment->first);
    else if (!advance_rows(batch, &job)) return false;
    if (!is_last(batch)) return go_to(batch, TG_LEG_FORWARD, batch->segment + 1);
    if (!batch->dataset) return true;
    return to_the_end ? behind_losses(batch, TG_LEG_WEIGHTS) : go_to(batch, TG_LEG_LOSSES, batch->segment);
}

static bool advance_losses(tg_run *run, tg_batch *batch) {
    rows_job job = {.run = run, .batch = batch, .losses = true};
    return advance_rows(batch, &job) && behind_losses(batch, TG_LEG_BACKWARD);
}

static bool advance_backward(tg_run *run, tg_batch *batch) {
    const tg_segment *segment = segment_of(batch);
    rows_job job = {
        .run = run, .batch = batch, .first = segment->first, .end = segment->end, .backward = true};
    if (!segment->by_sample) tg_plan_backward_rows(batch->plan, &batch->plan->exec, segment->first);
    else if (!advance_rows(batch, &job)) return false;
    return go_to(batch, TG_LEG_WEIGHTS, batch->segment);
}

static bool advance_weights(tg_batch *batch) {
    const tg_segment *segment = segment_of(batch);
    double work;
    size_t parts = tg_plan_weight_parts(batch->plan, segment, &work);
    size_t count = at_once(batch, parts - batch->done, work);
    tg_plan_backward_weights(batch->plan, segment, batch->done, count);
    batch->done += count;
    if (batch->done < parts) return false;
    return batch->segment == 0 || go_to(batch, TG_LEG_BACKWARD, batch->segment - 1);
}

bool tg_run_advance_batch(tg_run *run, tg_batch *batch) {
    tg_plan_prepare(batch->plan);
    switch (batch->leg) {
    case TG_LEG_FORWARD: return advance_forward(run, batch);
    case TG_LEG_LOSSES: return advance_losses(run, batch);
    case TG_LEG_BACKWARD: return advance_backward(run, batch);
    case TG_LEG_WEIGHTS: return advance_weights(batch);
    }
    return true;
}

/* ---- node by node ------------------------------------------------------------------------------------------------ */

static void take_all(tg_batch *batch, rows_job *job) {
    batch->done = 0;
    while (!advance_rows(batch, job)) continue;
}

void tg_run_gather(tg_run *run, tg_batch *batch) {
    tg_batch_begin(batch);
    take_all(batch, &(rows_job){.run = run, .batch = batch, .end = 1, .forward = true});
}

void tg_run_losses(tg_run *run, tg_batch *batch) {
    take_all(batch, &(rows_job){.run = run, .batch = batch, .losses = true});
}
