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

tg_status tg_run_dead_units(tg_run *run, tg_dataset *dataset, size_t samples, size_t *units, size_t *dead,
                            tg_error *err) {
    TG_TRY(tg_run_check_dataset(run, dataset, "data", err));
    TG_TRY(tg_run_check_ready(run, err));
    const tg_graph *graph = run->graph;
    tg_plan *plan = run->evaluate_plan;
    size_t all = 0;
    for (size_t i = 1; i < graph->count; i++) {
        units[i - 1] = rectifies(&graph->nodes[i]) ? graph->nodes[i].shape.dim[0] : 0;
        dead[i - 1] = 0;
        all += units[i - 1];
    }
    bool *alive = tg_allocate_zeroed(all * sizeof *alive);
    TG_REQUIRE(err, alive, TG_E_MEMORY, "no memory left to look at %zu units", all);
    run->evaluate_plan_owner = NULL; /* an evaluation in progress repeats its batch */
    if (samples > dataset->count) samples = dataset->count;
    for (size_t first = 0; first < samples; first += plan->exec.n) {
        size_t left = samples - first;
        tg_run_gather(run, plan, dataset, NULL, first,
                      left < plan->exec.capacity ? left : plan->exec.capacity);
        bool *of = alive;
        for (size_t i = 1; i < graph->count; of += units[i - 1], i++) {
            tg_plan_forward(plan, i);
            if (units[i - 1]) note_answers(plan, &graph->nodes[i], of);
        }
    }
    const bool *of = alive;
    for (size_t i = 1; i < graph->count; i++)
        for (size_t c = 0; c < units[i - 1]; c++) dead[i - 1] += !*of++;
    tg_free(alive);
    return TG_OK;
}
