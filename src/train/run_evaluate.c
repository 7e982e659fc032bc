/* Evaluation over a whole set, in pieces: the held-out part after each epoch, or a set the caller names. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "ops/layout.h"
#include "train/run.h"

void tg_evaluator_begin(tg_evaluator *evaluator, tg_dataset *dataset, const uint32_t *index, size_t count) {
    *evaluator = (tg_evaluator){.dataset = dataset, .index = index, .count = count};
}

static void count_batch(tg_run *run, tg_evaluator *e) {
    tg_run_objective(run, &e->batch);
    for (size_t i = 0; i < e->batch.n; i++) {
        size_t at = e->position + i;
        e->loss_sum += (double)run->sample_losses[i];
        if (e->losses) e->losses[at] = (float)run->sample_losses[i];
        if (!run->has_labels) {
            e->psnr_sum += tg_run_psnr_of(run, run->evaluate_plan, i);
            continue;
        }
        int32_t is = tg_run_true_class(e->dataset, e->index ? e->index[at] : at);
        int32_t says = run->evaluated.says[i];
        e->correct += is == says;
        if (e->predicted) e->predicted[at] = says;
        if (e->confusion) e->confusion[(size_t)is * run->outputs + (size_t)says]++;
    }
}

static void begin_batch(tg_run *run, tg_evaluator *e) {
    size_t left = e->count - e->position, capacity = run->evaluate_plan->exec.capacity;
    e->batch = (tg_batch){.plan = run->evaluate_plan,
                          .dataset = e->dataset,
                          .type = e->dataset->type,
                          .pixels = e->dataset->pixels,
                          .index = e->index,
                          .first = e->position,
                          .n = left < capacity ? left : capacity,
                          .outcome = &run->evaluated};
    run->evaluate_plan_owner = e;
    tg_batch_begin(&e->batch);
    e->begun = true;
    e->node = 0;
}

/* Node by node, with a look at each. */
static bool advance_looking(tg_run *run, tg_evaluator *e) {
    if (e->node == 0) {
        tg_run_gather(run, &e->batch);
    } else {
        tg_plan_forward(run->evaluate_plan, e->node);
        tg_run_note_answers(run, e->node, e->alive);
    }
    return ++e->node == run->graph->count;
}

static void advance_batch(tg_run *run, tg_evaluator *e) {
    if (!e->begun) begin_batch(run, e);
    if (!(e->alive ? advance_looking(run, e) : tg_run_advance_batch(run, &e->batch))) return;
    if (!e->alive) count_batch(run, e);
    e->position += e->batch.n;
    e->begun = false;
}

/* Where the other evaluation took the plan in the middle of this one's batch, the batch is done again, and at one go:
 * else two that take turns after every unit would take it from each other for ever. */
bool tg_evaluator_advance(tg_run *run, tg_evaluator *e) {
    if (e->position == e->count) return true;
    bool disturbed = e->begun && run->evaluate_plan_owner != e;
    if (disturbed) e->begun = false;
    do advance_batch(run, e);
    while (disturbed && e->begun);
    return e->position == e->count;
}

tg_score tg_evaluator_score(const tg_run *run, const tg_evaluator *e) {
    double n = (double)e->position;
    return (tg_score){.loss = e->position ? e->loss_sum / n : NAN,
                      .accuracy = e->position && run->has_labels ? (double)e->correct / n : NAN,
                      .count = e->position};
}

/* ---- the caller's evaluation --------------------------------------------------------------------------------------- */

tg_status tg_run_check_ready(const tg_run *run, tg_error *err) {
    TG_TRY(tg_run_check_weights(run, err));
    TG_REQUIRE(err, tg_preprocess_fitted(run->preprocess), TG_E_STATE,
               "the preprocessing has not seen training data yet; make the run with it, or write its numbers "
               "into the recipe");
    return TG_OK;
}

tg_status tg_run_evaluate_begin(tg_run *run, tg_dataset *dataset, tg_error *err) {
    TG_TRY(tg_run_check_dataset(run, dataset, "evaluate", err));
    TG_TRY(tg_run_check_ready(run, err));
    size_t count = dataset->count, bytes; /* a count of samples fits, four bytes each: the labels did */
    float *losses = tg_allocate(count * sizeof *losses);
    int32_t *predicted = run->has_labels ? tg_allocate(count * sizeof *predicted) : NULL;
    bool fits =
        tg_mul_size(run->outputs, run->outputs, &bytes) && tg_mul_size(bytes, sizeof(uint64_t), &bytes);
    uint64_t *confusion = run->has_labels && fits ? tg_allocate_zeroed(bytes) : NULL;
    if (!losses || (run->has_labels && (!predicted || !confusion))) {
        tg_free(losses);
        tg_free(predicted);
        tg_free(confusion);
        return tg_fail(err, TG_E_MEMORY, "no memory left to evaluate %zu samples", count);
    }
    tg_evaluator *e = &run->evaluation;
    tg_free(e->losses);
    tg_free(e->predicted);
    tg_free(e->confusion);
    tg_evaluator_begin(e, dataset, NULL, count);
    e->losses = losses;
    e->predicted = predicted;
    e->confusion = confusion;
    if (run->evaluate_plan_owner == e) run->evaluate_plan_owner = NULL;
    return TG_OK;
}

tg_status tg_run_evaluate(tg_run *run, tg_interrupt interrupt, void *ctx, tg_evaluation *out, tg_error *err) {
    tg_evaluator *e = &run->evaluation;
    TG_REQUIRE(err, e->dataset, TG_E_STATE, "no evaluation has been begun");
    bool finished;
    do finished = tg_evaluator_advance(run, e);
    while (!finished && !(interrupt && interrupt(ctx)));
    *out = (tg_evaluation){.score = tg_evaluator_score(run, e),
                           .classes = run->has_labels ? run->outputs : 0,
                           .confusion = e->confusion,
                           .predicted = e->predicted,
                           .losses = e->losses,
                           .finished = finished,
                           .psnr = run->has_labels || !e->position ? NAN : e->psnr_sum / (double)e->position};
    return TG_OK;
}

/* ---- prediction ------------------------------------------------------------------------------------------------------ */

/* Scores of classes are shown as probabilities. */
static bool shown_as_softmax(const tg_run *run, size_t node) {
    for (size_t l = 0; l < run->loss_count; l++)
        if (run->losses[l].node == node && run->losses[l].row->softmax) return true;
    return false;
}

/* The plan's batch: to[n, shown_size], one output behind the other. */
static void show_outputs(const tg_run *run, const tg_plan *plan, float *to) {
    const tg_exec *ex = &plan->exec;
    for (size_t o = 0; o < run->shown_count; o++) {
        const tg_node *node = &run->graph->nodes[run->shown[o]];
        size_t size = tg_shape_size(&node->shape);
        tg_real *y = ex->y[node->index];
        if (shown_as_softmax(run, node->index)) tg_softmax_rows(ex->kernels, ex->n, size, y, y);
        for (size_t i = 0; i < ex->n; i++)
            for (size_t j = 0; j < size; j++)
                to[i * run->shown_size + j] = (float)y[i * size + tg_place(node, j)];
        to += size;
    }
}

tg_status tg_run_predict(tg_run *run, tg_dtype type, const void *pixels, size_t n, float *probabilities,
                         tg_error *err) {
    TG_TRY(tg_run_check_ready(run, err));
    tg_plan *plan = run->predict_plan;
    for (size_t first = 0; first < n; first += plan->exec.n) {
        size_t left = n - first;
        tg_batch batch = {.plan = plan,
                          .type = type,
                          .pixels = pixels,
                          .first = first,
                          .n = left < plan->exec.capacity ? left : plan->exec.capacity};
        tg_batch_begin(&batch);
        while (!tg_run_advance_batch(run, &batch)) continue;
        show_outputs(run, plan, probabilities + first * run->shown_size);
    }
    return TG_OK;
}
