/* Nodes, one at a time. */
#include <string.h>

#include "graph/exec.h"

tg_real *tg_plan_input(tg_plan *plan) {
    return plan->exec.y[0];
}

void tg_plan_forward_rows(const tg_plan *plan, const tg_exec *rows, size_t node) {
    const tg_node *n = &plan->graph->nodes[node];
    if (!(plan->fused[node] & TG_FUSED_NO_FORWARD)) n->op->forward(rows, n);
}

void tg_plan_clear_rows(const tg_plan *plan, const tg_exec *rows, size_t node) {
    tg_real *dy = rows->dy[node];
    if (dy) memset(dy, 0, rows->n * tg_shape_size(&plan->graph->nodes[node].shape) * sizeof *dy);
}

static bool goes_back(const tg_plan *plan, const tg_node *node) {
    return node->needs_gradient && !(plan->fused[node->index] & TG_FUSED_NO_BACKWARD);
}

void tg_plan_backward_rows(const tg_plan *plan, const tg_exec *rows, size_t node) {
    const tg_node *n = &plan->graph->nodes[node];
    if (!goes_back(plan, n)) return;
    for (size_t i = 0; i < n->input_count; i++) {
        size_t input = n->inputs[i]->index;
        bool sets = plan->exec.sets_dx[node] || plan->exec.dy[input] == plan->exec.dy[node];
        if (plan->first_writer[input] == node && !sets) tg_plan_clear_rows(plan, rows, input);
    }
    n->op->backward(rows, n);
}

void tg_plan_forward(tg_plan *plan, size_t node) {
    tg_plan_prepare(plan);
    tg_plan_forward_rows(plan, &plan->exec, node);
}

void tg_plan_clear_gradient(tg_plan *plan, size_t node) {
    tg_plan_clear_rows(plan, &plan->exec, node);
}

void tg_plan_backward(tg_plan *plan, size_t node) {
    const tg_segment alone = {node, node + 1, true};
    double work;
    tg_plan_prepare(plan);
    tg_plan_backward_rows(plan, &plan->exec, node);
    tg_plan_backward_weights(plan, &alone, 0, tg_plan_weight_parts(plan, &alone, &work));
}

void tg_plan_finish(tg_plan *plan) {
    for (size_t i = 0; i < plan->graph->count; i++) {
        const tg_node *n = &plan->graph->nodes[i];
        if (n->op->finish) n->op->finish(&plan->exec, n);
    }
}

bool tg_plan_is_free(const tg_plan *plan, const tg_node *node) {
    const tg_exec *ex = &plan->exec;
    if (plan->fused[node->index] & TG_FUSED_NO_FORWARD)
        return !ex->training || (plan->fused[node->index] & TG_FUSED_NO_BACKWARD);
    return (node->op->flags & TG_OP_SAME_VALUES) && ex->y[node->index] == tg_x(ex, node, 0);
}
