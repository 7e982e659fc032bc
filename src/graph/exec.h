/* A graph placed in memory, and run node by node. */
#ifndef TG_GRAPH_EXEC_H
#define TG_GRAPH_EXEC_H

#include "graph/graph.h"

typedef struct tg_engine_parts {
    const tg_kernels *kernels;
    tg_pool *pool;
} tg_engine_parts;

typedef struct tg_plan {
    tg_exec exec;
    tg_graph *graph;
    size_t arena_bytes; /* everything exec points at, in one block */
    void *arena;
    size_t
        thread_scratch; /* elements of exec's scratch that each thread has for itself in backward_weights */
    size_t *
        first_writer; /* [nodes] the node whose backward writes a gradient first and so clears it; NOBODY: loss */
    bool *sets_dx; /* exec's, as is */
    uint8_t *fused;
} tg_plan;

/* Every buffer gets its place before anything runs: two buffers share memory when their lifetimes do not touch.
 * The timeline is forward 0..n-1, losses n, backward of node i at 2n-i. is_output[i]: a loss or a caller reads node i.
 * training: with gradients and saved values, else activations only, freed after their last reader.
 * allocate: false only measures; the plan can then say its size and nothing else. */
tg_status tg_plan_create(tg_graph *graph, tg_engine_parts parts, bool training, size_t capacity,
                         const bool *is_output, bool allocate, tg_plan **out, tg_error *err);
void tg_plan_destroy(tg_plan *plan);

/* What the nodes have made of their parameters is made anew where these have changed. */
void tg_plan_prepare(tg_plan *plan);

/* The input buffer to gather into: [n, H, W, C], or [n, C, H, W] where the input's node has `planes`. */
tg_real *tg_plan_input(tg_plan *plan);
void tg_plan_forward(tg_plan *plan, size_t node);
/* Clears the gradient of an output, for the losses to add to. */
void tg_plan_clear_gradient(tg_plan *plan, size_t node);
/* Clears the gradients that this node is the first to write, then runs it. */
void tg_plan_backward(tg_plan *plan, size_t node);
/* After a finite update: every op takes over what the batch taught it. */
void tg_plan_finish(tg_plan *plan);

#endif
