#include <string.h>

#include "graph/exec.h"

tg_real *tg_plan_input(tg_plan *plan) {
    return plan->exec.y[0];
}

void tg_plan_forward(tg_plan *plan, size_t node) {
    const tg_node *n = &plan->graph->nodes[node];
    tg_plan_prepare(plan);
    if (!(plan->fused[node] & TG_FUSED_NO_FORWARD)) n->op->forward(&plan->exec, n);
}

void tg_plan_clear_gradient(tg_plan *plan, size_t node) {
    tg_real *dy = plan->exec.dy[node];
    if (dy) memset(dy, 0, plan->exec.n * tg_shape_size(&plan->graph->nodes[node].shape) * sizeof *dy);
}

/* ---- work on parameters, shared out over the nodes --------------------------------------------------------------- */

/* One loop over the parts of several nodes. */
typedef struct node_parts {
    tg_plan *plan;
    size_t first, end; /* nodes */
    size_t (*parts)(const tg_plan *plan, const tg_node *node);
    void (*run)(const tg_plan *plan, const tg_node *node, size_t part, size_t parts, size_t thread);
} node_parts;

static void run_part(void *ctx, size_t part, size_t thread) {
    const node_parts *job = ctx;
    const tg_node *node = &job->plan->graph->nodes[job->first];
    size_t parts;
    for (; part >= (parts = job->parts(job->plan, node)); node++) part -= parts;
    job->run(job->plan, node, part, parts, thread);
}

static void run_parts(const node_parts *job) {
    size_t parts = 0;
    node_parts copy = *job;
    for (size_t i = job->first; i < job->end; i++)
        parts += job->parts(job->plan, &job->plan->graph->nodes[i]);
    tg_parallel_for(job->plan->exec.pool, parts, run_part, &copy);
}

/* ---- prepared weights -------------------------------------------------------------------------------------------- */

static void mark_stale(tg_graph *graph, tg_node *node) {
    if (node->op->prepare) graph->stale = node->stale = true;
}

void tg_graph_changed(tg_graph *graph) {
    for (size_t i = 0; i < graph->count; i++) mark_stale(graph, &graph->nodes[i]);
}

void tg_graph_trained(tg_graph *graph) {
    for (size_t i = 0; i < graph->count; i++)
        if (graph->nodes[i].trainable) mark_stale(graph, &graph->nodes[i]);
}

void tg_graph_param_changed(tg_graph *graph, const tg_param *param) {
    for (size_t i = 0; i < graph->count; i++) {
        tg_node *node = &graph->nodes[i];
        for (size_t j = 0; j < node->param_count; j++)
            if (&node->params[j] == param) mark_stale(graph, node);
    }
}

static size_t items_to_prepare(const tg_plan *plan, const tg_node *node) {
    return node->stale ? node->op->prepare_items(node, plan->exec.kernels) : 0;
}

static void prepare(const tg_plan *plan, const tg_node *node, size_t item, size_t items, size_t thread) {
    (void)items, (void)thread;
    node->op->prepare(node, plan->exec.kernels, item);
}

void tg_plan_prepare(tg_plan *plan) {
    tg_graph *graph = plan->graph;
    if (!graph->stale) return;
    run_parts(&(node_parts){plan, 0, graph->count, items_to_prepare, prepare});
    for (size_t i = 0; i < graph->count; i++) graph->nodes[i].stale = false;
    graph->stale = false;
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* As many as are worth handing out. */
static size_t parts_of_weights(const tg_plan *plan, const tg_node *node) {
    const double smallest = 131072; /* multiplications: some microseconds */
    if (!node->op->backward_weights || !node->trainable) return 0;
    double work = (double)plan->exec.n * (double)node->params[0].size;
    size_t threads = tg_pool_threads(plan->exec.pool), most = threads == 1 ? 1 : 4 * threads;
    return work < smallest * (double)most ? 1 + (size_t)(work / smallest) : most;
}

static void backward_weights(const tg_plan *plan, const tg_node *node, size_t part, size_t parts,
                             size_t thread) {
    tg_exec own = plan->exec;
    own.pool = NULL;
    own.scratch += thread * plan->thread_scratch;
    node->op->backward_weights(&own, node, part, parts);
}

void tg_plan_backward(tg_plan *plan, size_t node) {
    const tg_node *n = &plan->graph->nodes[node];
    if (!n->needs_gradient || (plan->fused[node] & TG_FUSED_NO_BACKWARD)) return;
    for (size_t i = 0; i < n->input_count; i++) {
        size_t input = n->inputs[i]->index;
        bool sets = plan->exec.sets_dx[node] || plan->exec.dy[input] == plan->exec.dy[node];
        if (plan->first_writer[input] == node && !sets) tg_plan_clear_gradient(plan, input);
    }
    tg_plan_prepare(plan);
    n->op->backward(&plan->exec, n);
    run_parts(&(node_parts){plan, node, node + 1, parts_of_weights, backward_weights});
}

void tg_plan_finish(tg_plan *plan) {
    for (size_t i = 0; i < plan->graph->count; i++) {
        const tg_node *n = &plan->graph->nodes[i];
        if (n->op->finish) n->op->finish(&plan->exec, n);
    }
}
