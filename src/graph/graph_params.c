/* Work on the parameters of several nodes, shared out as one loop: their gradients, and what ops make of them once for as
 * long as they stay. */
#include "graph/exec.h"

/* One loop over the parts of several nodes. */
typedef struct node_parts {
    tg_plan *plan;
    size_t node;  /* the first */
    size_t first; /* part */
    size_t (*parts)(const tg_plan *plan, const tg_node *node);
    void (*run)(const tg_plan *plan, const tg_node *node, size_t part, size_t parts, size_t thread);
} node_parts;

static size_t count_parts(const tg_plan *plan, size_t node, size_t end,
                          size_t (*parts)(const tg_plan *plan, const tg_node *node)) {
    size_t count = 0;
    for (; node < end; node++) count += parts(plan, &plan->graph->nodes[node]);
    return count;
}

static void run_part(void *ctx, size_t i, size_t thread) {
    const node_parts *job = ctx;
    const tg_node *node = &job->plan->graph->nodes[job->node];
    size_t part = job->first + i, parts;
    for (; part >= (parts = job->parts(job->plan, node)); node++) part -= parts;
    job->run(job->plan, node, part, parts, thread);
}

/* ---- gradients ----------------------------------------------------------------------------------------- */

static double work_of_weights(const tg_plan *plan, const tg_node *node) {
    return (double)plan->exec.n * (double)node->params[0].size;
}

/* As many as are worth handing out, none of more than some milliseconds. */
static size_t parts_of_weights(const tg_plan *plan, const tg_node *node) {
    const double smallest = 131072, largest = 33554432; /* multiplications */
    if (!node->op->backward_weights || !node->trainable) return 0;
    double work = work_of_weights(plan, node);
    size_t threads = tg_pool_threads(plan->exec.pool), wanted = threads == 1 ? 1 : 2 * threads;
    double more = work / largest > (double)(wanted - 1) ? work / largest : (double)(wanted - 1);
    return 1 + (size_t)(work / smallest < more ? work / smallest : more);
}

static void backward_weights(const tg_plan *plan, const tg_node *node, size_t part, size_t parts,
                             size_t thread) {
    tg_exec own = plan->exec;
    own.pool = NULL;
    own.scratch += thread * plan->thread_scratch;
    node->op->backward_weights(&own, node, part, parts);
}

size_t tg_plan_weight_parts(const tg_plan *plan, const tg_segment *segment, double *work) {
    size_t parts = count_parts(plan, segment->first, segment->end, parts_of_weights);
    *work = 0;
    for (size_t i = segment->first; i < segment->end; i++)
        if (parts_of_weights(plan, &plan->graph->nodes[i]) > 0)
            *work += work_of_weights(plan, &plan->graph->nodes[i]) / (double)parts;
    return parts;
}

void tg_plan_backward_weights(tg_plan *plan, const tg_segment *segment, size_t first, size_t count) {
    node_parts job = {plan, segment->first, first, parts_of_weights, backward_weights};
    tg_parallel_for(plan->exec.pool, count, run_part, &job);
}

/* ---- what is prepared ---------------------------------------------------------------------------------- */

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
    node_parts job = {plan, 0, 0, items_to_prepare, prepare};
    tg_parallel_for(plan->exec.pool, count_parts(plan, 0, graph->count, items_to_prepare), run_part, &job);
    for (size_t i = 0; i < graph->count; i++) graph->nodes[i].stale = false;
    graph->stale = false;
}
