#include <string.h>

#include "graph/exec.h"

tg_real *tg_plan_input(tg_plan *plan) {
    return plan->exec.y[0];
}

void tg_plan_forward(tg_plan *plan, size_t node) {
    const tg_node *n = &plan->graph->nodes[node];
    if (!(plan->fused[node] & TG_FUSED_NO_FORWARD)) n->op->forward(&plan->exec, n);
}

void tg_plan_clear_gradient(tg_plan *plan, size_t node) {
    tg_real *dy = plan->exec.dy[node];
    if (dy) memset(dy, 0, plan->exec.n * tg_shape_size(&plan->graph->nodes[node].shape) * sizeof *dy);
}

void tg_plan_backward(tg_plan *plan, size_t node) {
    const tg_node *n = &plan->graph->nodes[node];
    if (!n->needs_gradient || (plan->fused[node] & TG_FUSED_NO_BACKWARD)) return;
    for (size_t i = 0; i < n->input_count; i++) {
        size_t input = n->inputs[i]->index;
        bool sets = plan->exec.sets_dx[node] || plan->exec.dy[input] == plan->exec.dy[node];
        if (plan->first_writer[input] == node && !sets) tg_plan_clear_gradient(plan, input);
    }
    n->op->backward(&plan->exec, n);
}

void tg_plan_finish(tg_plan *plan) {
    for (size_t i = 0; i < plan->graph->count; i++) {
        const tg_node *n = &plan->graph->nodes[i];
        if (n->op->finish) n->op->finish(&plan->exec, n);
    }
}
