/* Looking inside: ranges of the weights, units that never answer. */
#include <string.h>

#include "base/memory.h"
#include "train/run.h"

tg_status tg_run_parameter_range(const tg_run *run, size_t index, tg_tensor_range *out, tg_error *err) {
    TG_REQUIRE(err, index < run->param_count, TG_E_ARGUMENT, "there is no parameter %zu", index);
    const tg_param *p = run->params[index];
    *out = (tg_tensor_range){.min = (double)p->data[0], .max = (double)p->data[0]};
    for (size_t i = 0; i < p->size; i++) {
        double x = (double)p->data[i];
        out->min = x < out->min ? x : out->min;
        out->max = x > out->max ? x : out->max;
        out->mean += x / (double)p->size;
        out->zeros += x == 0;
    }
    return TG_OK;
}

static bool rectifies(const tg_node *node) {
    return node->op == &tg_op_relu;
}

/* alive[units of this node] |= some sample of the batch was answered with more than 0. */
static void note_answers(const tg_plan *plan, const tg_node *node, bool *alive) {
    size_t channels = node->shape.dim[0], area = tg_shape_size(&node->shape) / channels;
    const tg_real *y = plan->exec.y[node->index];
    bool pictures = node->shape.rank == 3; /* channels lie side by side */
    for (size_t i = 0; i < plan->exec.n; i++)
        for (size_t j = 0; j < channels * area; j++) alive[pictures ? j % channels : j / area] |= *y++ > 0;
}

static size_t rectified_units(const tg_node *node) {
    return rectifies(node) ? node->shape.dim[0] : 0;
}

/* alive holds the units of one rectifying layer after the other. */
void tg_run_note_answers(const tg_run *run, size_t node, bool *alive) {
    const tg_node *nodes = run->graph->nodes;
    if (!rectifies(&nodes[node])) return;
    for (size_t i = 1; i < node; i++) alive += rectified_units(&nodes[i]);
    note_answers(run->evaluate_plan, &nodes[node], alive);
}

tg_status tg_run_dead_units_begin(tg_run *run, tg_dataset *dataset, size_t samples, tg_error *err) {
    TG_TRY(tg_run_check_dataset(run, dataset, "data", err));
    TG_TRY(tg_run_check_ready(run, err));
    size_t all = 0;
    for (size_t i = 1; i < run->graph->count; i++) all += rectified_units(&run->graph->nodes[i]);
    bool *alive = tg_allocate_zeroed(all * sizeof *alive);
    TG_REQUIRE(err, alive, TG_E_MEMORY, "no memory left to look at %zu units", all);
    tg_evaluator *e = &run->answers;
    tg_free(e->alive);
    tg_evaluator_begin(e, dataset, NULL, samples < dataset->count ? samples : dataset->count);
    e->alive = alive;
    if (run->evaluate_plan_owner == e) run->evaluate_plan_owner = NULL;
    return TG_OK;
}

tg_status tg_run_dead_units(tg_run *run, tg_interrupt interrupt, void *ctx, size_t *units, size_t *dead,
                            bool *finished, tg_error *err) {
    tg_evaluator *e = &run->answers;
    TG_REQUIRE(err, e->dataset, TG_E_STATE, "no search for dead units has been begun");
    do *finished = tg_evaluator_advance(run, e);
    while (!*finished && !(interrupt && interrupt(ctx)));
    const bool *alive = e->alive;
    for (size_t i = 1; i < run->graph->count; i++) {
        units[i - 1] = rectified_units(&run->graph->nodes[i]);
        dead[i - 1] = 0;
        for (size_t c = 0; c < units[i - 1]; c++) dead[i - 1] += !*alive++;
    }
    return TG_OK;
}
