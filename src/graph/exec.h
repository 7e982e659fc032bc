/* A graph placed in memory, and run: node by node, or rows of a batch through several nodes. */
#ifndef TG_GRAPH_EXEC_H
#define TG_GRAPH_EXEC_H

#include "graph/graph.h"

typedef struct tg_engine_parts {
    const tg_kernels *kernels;
    tg_pool *pool;
} tg_engine_parts;

/* Nodes [first, end) that run together: as many as treat every sample alone (TG_OP_BY_SAMPLE), so that a thread takes its
 * rows of a batch through all of them, or a single one that shares itself out. */
typedef struct tg_segment {
    size_t first, end;
    bool by_sample;
} tg_segment;

typedef struct tg_plan {
    tg_exec exec;
    tg_graph *graph;
    size_t arena_bytes; /* everything exec points at, in one block */
    void *arena;
    size_t thread_scratch; /* elements of exec's scratch that each thread has for itself */
    void **thread_places;  /* [threads][3 nodes]: y, dy and saved of the rows a thread is at */
    size_t *
        first_writer; /* [nodes] the node whose backward writes a gradient first and so clears it; NOBODY: loss */
    bool *sets_dx; /* exec's, as is */
    uint8_t *fused;
    tg_segment *segments; /* [segment_count] in the graph's order */
    size_t segment_count;
    bool
        ends_by_sample; /* all outputs lie in the last one, and it goes by rows: rows go to the losses and back */
} tg_plan;

/* Every buffer gets its place before anything runs: two buffers share memory when their lifetimes do not touch.
 * The timeline counts the s segments: forward of segment i at i, losses at s, backward of i at 2s-i; where the last one
 * goes by rows to the losses and back, all of that is one moment. is_output[i]: a loss or a caller reads node i.
 * training: with gradients and saved values, else activations only, freed after their last reader.
 * allocate: false only measures; the plan can then say its size and nothing else. */
tg_status tg_plan_create(tg_graph *graph, tg_engine_parts parts, bool training, size_t capacity,
                         const bool *is_output, bool allocate, tg_plan **out, tg_error *err);
void tg_plan_destroy(tg_plan *plan);

/* What the nodes have made of their parameters is made anew where these have changed. */
void tg_plan_prepare(tg_plan *plan);

/* The input buffer to gather into: [n, H, W, C], or [n, C, H, W] where the input's node has `planes`. */
tg_real *tg_plan_input(tg_plan *plan);

/* A node, on the rows of the exec. */
void tg_plan_forward_rows(const tg_plan *plan, const tg_exec *rows, size_t node);
/* Clears the gradient of an output, for the losses to add to. */
void tg_plan_clear_rows(const tg_plan *plan, const tg_exec *rows, size_t node);
/* Clears the gradients that this node is the first to write, then runs it; parameters apart, where the op does. */
void tg_plan_backward_rows(const tg_plan *plan, const tg_exec *rows, size_t node);

/* The same on the whole batch, with the gradients of the parameters. */
void tg_plan_forward(tg_plan *plan, size_t node);
void tg_plan_clear_gradient(tg_plan *plan, size_t node);
void tg_plan_backward(tg_plan *plan, size_t node);

/* Calls fn for rows [first, first + count) of the batch, some at a time, on several threads at once; `rows` is an exec for
 * them alone, first its first row. row_work: multiplications that a row costs, by which rows are cut. */
typedef void tg_rows_fn(void *ctx, const tg_exec *rows, size_t first, size_t thread);
void tg_plan_over_rows(tg_plan *plan, size_t first, size_t count, double row_work, tg_rows_fn *fn, void *ctx);

/* Does a node cost nothing, as its neighbours do it or its output is its input? */
bool tg_plan_is_free(const tg_plan *plan, const tg_node *node);

/* The gradients of the parameters of a segment: how many parts that is, of so many multiplications each, and some of
 * them. */
size_t tg_plan_weight_parts(const tg_plan *plan, const tg_segment *segment, double *work);
void tg_plan_backward_weights(tg_plan *plan, const tg_segment *segment, size_t first, size_t count);

/* After a finite update: every op takes over what the batch taught it. */
void tg_plan_finish(tg_plan *plan);

#endif
