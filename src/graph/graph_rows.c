/* Rows of a batch through several nodes, each thread with rows, memory and scratch of its own. */
#include "graph/exec.h"

/* Rows [first, first + count) cut into pieces. */
typedef struct row_pieces {
    tg_plan *plan;
    size_t first, count, pieces;
    tg_rows_fn *fn;
    void *ctx;
} row_pieces;

static size_t piece_begin(const row_pieces *job, size_t piece) {
    return job->count * piece / job->pieces;
}

/* An exec that sees only these rows. */
static tg_exec exec_of_rows(const tg_plan *plan, size_t first, size_t n, size_t thread) {
    size_t nodes = plan->graph->count;
    void **places = plan->thread_places + thread * 3 * nodes;
    tg_exec rows = plan->exec;
    rows.pool = NULL;
    rows.n = n;
    rows.y = (tg_real **)places;
    rows.dy = (tg_real **)places + nodes;
    rows.saved = (uint8_t **)places + 2 * nodes;
    rows.scratch += thread * plan->thread_scratch;
    if (rows.samples) rows.samples += first;
    for (size_t i = 0; i < nodes; i++) {
        const tg_node *node = &plan->graph->nodes[i];
        size_t offset = first * tg_shape_size(&node->shape);
        rows.y[i] = plan->exec.y[i] + offset;
        rows.dy[i] = plan->exec.dy[i] ? plan->exec.dy[i] + offset : NULL;
        rows.saved[i] = plan->exec.saved[i] ? plan->exec.saved[i] + first * node->saved_bytes : NULL;
    }
    return rows;
}

static void run_piece(void *ctx, size_t piece, size_t thread) {
    const row_pieces *job = ctx;
    size_t begin = piece_begin(job, piece), end = piece_begin(job, piece + 1);
    tg_exec rows = exec_of_rows(job->plan, job->first + begin, end - begin, thread);
    job->fn(job->ctx, &rows, job->first + begin, thread);
}

/* Of about this many rows: each piece reads all weights once, so not too few; what they write should stay in the caches of
 * a core, so not too many. */
enum {
    FEWEST_ROWS = 64,
    MOST_ROWS = 128,
    TILE = 4 /* rows that products on vectors of four compute at a time */
};

static size_t pieces_of(size_t count, size_t threads, double work) {
    const double smallest = 65536; /* multiplications: some microseconds */
    size_t pieces = threads, most = (count + TILE - 1) / TILE;
    if (work < smallest * (double)threads) pieces = 1;
    else if (threads > 1 && count >= 2 * threads * FEWEST_ROWS) pieces = 2 * threads; /* one may be held up */
    while (count > pieces * MOST_ROWS) pieces += threads;
    return pieces < most ? pieces : most;
}

void tg_plan_over_rows(tg_plan *plan, size_t first, size_t count, double row_work, tg_rows_fn *fn,
                       void *ctx) {
    size_t pieces = pieces_of(count, tg_pool_threads(plan->exec.pool), row_work * (double)count);
    if (pieces == 1 && count == plan->exec.n) { /* then nodes may share themselves out */
        fn(ctx, &plan->exec, first, 0);
        return;
    }
    row_pieces job = {plan, first, count, pieces, fn, ctx};
    tg_parallel_for(plan->exec.pool, pieces, run_piece, &job);
}
