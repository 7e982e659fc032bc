/* The memory planner: lifetimes on a timeline, then places, largest buffer first (as XNNPACK's memory planner does). */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/exec.h"
#include "ops/layout.h"

#define NOBODY SIZE_MAX

typedef struct buffer {
    size_t bytes, offset;
    size_t begin, end; /* first and last moment in use, inclusive */
    bool used;
} buffer;

typedef struct planner {
    const tg_graph *graph;
    const bool *is_output;
    bool training, allocate;
    size_t capacity;
    size_t *root;     /* [nodes] the node whose memory a node's output shares; itself if none */
    size_t *consumer; /* [nodes] last node that reads it, NOBODY if none */
    size_t *segment;  /* [nodes] the one it is in */
    size_t last;      /* segment */
    bool turns;       /* the last segment takes its rows to the losses and back at one go */
    uint8_t *fused;   /* [nodes] */
    buffer *y, *dy, *saved, *kept;
} planner;

static void touch(buffer *b, size_t moment) {
    if (!b->used || moment < b->begin) b->begin = moment;
    if (!b->used || moment > b->end) b->end = moment;
    b->used = true;
}

/* ---- the timeline ------------------------------------------------------------------------------------------------ */

static bool by_sample(const tg_node *node) {
    return (node->op->flags & TG_OP_BY_SAMPLE) != 0;
}

static void find_segments(planner *p, tg_plan *plan) {
    for (size_t i = 0; i < p->graph->count; i++) {
        bool rows = by_sample(&p->graph->nodes[i]);
        tg_segment *before = i > 0 ? &plan->segments[plan->segment_count - 1] : NULL;
        if (before && rows && before->by_sample) before->end++;
        else plan->segments[plan->segment_count++] = (tg_segment){i, i + 1, rows};
        p->segment[i] = plan->segment_count - 1;
    }
    p->last = plan->segment_count - 1;
    plan->ends_by_sample = plan->segments[p->last].by_sample;
    for (size_t i = 1; i < plan->segments[p->last].first; i++) plan->ends_by_sample &= !p->is_output[i];
    p->turns = p->training && plan->ends_by_sample;
}

static size_t forward_at(const planner *p, size_t node) {
    return p->segment[node];
}

static size_t losses_at(const planner *p) {
    return p->turns ? p->last : p->last + 1;
}

static size_t backward_at(const planner *p, size_t node) {
    return p->turns && p->segment[node] == p->last ? p->last : 2 * (p->last + 1) - p->segment[node];
}

/* ---- lifetimes --------------------------------------------------------------------------------------------------- */

static bool uses_y(const planner *p, const tg_node *node) {
    unsigned fused = p->fused[node->index];
    if (fused & TG_FUSED_RECTIFIED) return true;
    return (node->op->flags & TG_OP_BACKWARD_USES_Y) && !(fused & TG_FUSED_NO_BACKWARD);
}

/* The node that computed the values of `node`: a reshape in place only hands on what lies there. */
static const tg_node *writer_of(const planner *p, const tg_node *node) {
    while ((node->op->flags & TG_OP_SAME_VALUES) && p->root[node->index] != node->index)
        node = node->inputs[0];
    return node;
}

/* May the output of `node` lie where its input lies? Then nobody else may want the input's values afterwards. */
static bool runs_in_place(const planner *p, const tg_node *node) {
    if (!(node->op->flags & TG_OP_INPLACE)) return false;
    const tg_node *input = node->inputs[0];
    bool same_values = (node->op->flags & TG_OP_SAME_VALUES) != 0;
    if (same_values && !(tg_in_order(input) && tg_in_order(node))) return false;
    if (p->is_output[input->index] || tg_graph_consumers(p->graph, input) != 1) return false;
    return same_values || !p->training || !uses_y(p, writer_of(p, input));
}

/* What the neighbours of a ReLU can do for it; the nodes before this one are settled. */
static void fuse(planner *p, const tg_node *node) {
    if (node->input_count != 1) return;
    const tg_node *input = node->inputs[0];
    if (node->op == &tg_op_relu && p->root[node->index] != node->index &&
        (input->op->flags & TG_OP_RECTIFIES)) {
        p->fused[input->index] |= TG_FUSED_RECTIFIES;
        p->fused[node->index] |= TG_FUSED_NO_FORWARD;
    }
    bool alone = !p->is_output[input->index] && tg_graph_consumers(p->graph, input) == 1;
    if (p->training && alone && input->op == &tg_op_relu && p->root[input->index] != input->index &&
        (node->op->flags & TG_OP_RECTIFIED)) {
        p->fused[node->index] |= TG_FUSED_RECTIFIED;
        p->fused[input->index] |= TG_FUSED_NO_BACKWARD;
    }
}

static void find_lifetimes(planner *p) {
    size_t count = p->graph->count;
    for (size_t i = 0; i < count; i++) {
        const tg_node *node = &p->graph->nodes[i];
        p->root[i] = i > 0 && runs_in_place(p, node) ? p->root[node->inputs[0]->index] : i;
        if (i > 0) fuse(p, node);
        p->consumer[i] = NOBODY;
        for (size_t j = 0; j < node->input_count; j++) p->consumer[node->inputs[j]->index] = i;
    }
    for (size_t i = 0; i < count; i++) {
        const tg_node *node = &p->graph->nodes[i];
        bool backward = p->training && node->needs_gradient;
        buffer *y = &p->y[p->root[i]];
        touch(y, forward_at(p, i));
        if (p->is_output[i]) touch(y, losses_at(p));
        if (backward && uses_y(p, node)) touch(y, backward_at(p, i));
        for (size_t j = 0; j < node->input_count; j++) {
            buffer *x = &p->y[p->root[node->inputs[j]->index]];
            touch(x, forward_at(p, i));
            if (backward && (node->op->flags & TG_OP_BACKWARD_USES_X)) touch(x, backward_at(p, i));
        }
        if (p->training && node->saved_bytes) /* forward writes it, backward or not */
            touch(&p->saved[i], forward_at(p, i));
        if (p->training && node->kept_size) {
            touch(&p->kept[i], forward_at(p, i));
            touch(&p->kept[i], 2 * p->last + 3); /* the end of the step */
        }
        if (!backward) continue;
        buffer *dy = &p->dy[p->root[i]];
        touch(dy, backward_at(p, i));
        if (p->is_output[i]) touch(dy, losses_at(p));
        if (p->consumer[i] != NOBODY) touch(dy, backward_at(p, p->consumer[i]));
        if (node->saved_bytes) touch(&p->saved[i], backward_at(p, i));
    }
}

/* Whole cache lines; false on overflow. */
static bool set_bytes(buffer *b, size_t capacity, size_t elements, size_t size) {
    size_t bytes;
    if (!tg_mul_size(capacity, elements, &bytes) || !tg_mul_size(bytes, size, &bytes)) return false;
    if (!tg_add_size(bytes, TG_ALIGNMENT - 1, &bytes)) return false;
    bytes = bytes / TG_ALIGNMENT * TG_ALIGNMENT;
    if (bytes > b->bytes) b->bytes = bytes;
    return true;
}

static bool find_sizes(planner *p) {
    for (size_t i = 0; i < p->graph->count; i++) {
        const tg_node *node = &p->graph->nodes[i];
        size_t elements = tg_shape_size(&node->shape);
        if (!set_bytes(&p->y[p->root[i]], p->capacity, elements, sizeof(tg_real))) return false;
        if (!set_bytes(&p->dy[p->root[i]], p->capacity, elements, sizeof(tg_real))) return false;
        if (!set_bytes(&p->saved[i], p->capacity, node->saved_bytes, 1)) return false;
        if (!set_bytes(&p->kept[i], 1, node->kept_size, sizeof(tg_real))) return false;
    }
    return true;
}

static int by_size(const void *a, const void *b) {
    const buffer *x = *(buffer *const *)a, *y = *(buffer *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* The lowest place where `b` fits between the already placed buffers that live at the same time. */
static void place(buffer *const *placed, size_t count, buffer *b) {
    b->offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            const buffer *other = placed[i];
            bool together = b->begin <= other->end && other->begin <= b->end;
            bool overlap = b->offset < other->offset + other->bytes && other->offset < b->offset + b->bytes;
            if (!together || !overlap) continue;
            b->offset = other->offset + other->bytes;
            moved = true;
        }
    }
}

/* Places all buffers; the arena's size in *bytes. False on overflow. */
static bool place_all(planner *p, buffer **order, size_t *bytes) {
    size_t used = 0, nodes = p->graph->count;
    for (size_t i = 0; i < 4 * nodes; i++) { /* y, dy, saved and kept stand behind each other */
        if (p->y[i].used && p->y[i].bytes) order[used++] = &p->y[i];
    }
    qsort(order, used, sizeof *order, by_size);
    *bytes = 0;
    for (size_t i = 0; i < used; i++) {
        place(order, i, order[i]);
        size_t end;
        if (!tg_add_size(order[i]->offset, order[i]->bytes, &end) || end > SIZE_MAX / 2) return false;
        if (end > *bytes) *bytes = end;
    }
    return true;
}

/* Scratch of one node at a time, and of every thread for itself. */
static bool scratch_bytes(tg_plan *plan, size_t *bytes) {
    const tg_exec *ex = &plan->exec;
    size_t most = 0, threads = tg_pool_threads(ex->pool), own;
    for (size_t i = 0; i < plan->graph->count; i++) {
        const tg_node *node = &plan->graph->nodes[i];
        if (!node->op->scratch) continue;
        size_t together = node->op->scratch(node, ex->capacity, ex->kernels, threads);
        if (together > most) most = together;
        if (!by_sample(node) && !node->op->backward_weights) continue;
        size_t alone = node->op->scratch(node, ex->capacity, ex->kernels, 1);
        if (alone > plan->thread_scratch) plan->thread_scratch = alone;
    }
    const size_t line = TG_ALIGNMENT / sizeof(tg_real);
    if (!tg_add_size(plan->thread_scratch, line - 1, &own)) return false;
    plan->thread_scratch = own / line * line;
    if (!tg_mul_size(plan->thread_scratch, threads, &own)) return false;
    return tg_mul_size(own > most ? own : most, sizeof(tg_real), bytes);
}

static tg_status fill(tg_plan *plan, planner *p, buffer **order, tg_error *err) {
    size_t nodes = p->graph->count, placed, scratch;
    find_segments(p, plan);
    find_lifetimes(p);
    size_t bytes = 0;
    bool fits = find_sizes(p) && place_all(p, order, &placed) && scratch_bytes(plan, &scratch) &&
                tg_add_size(placed, scratch, &bytes);
    if (fits && p->allocate) plan->arena = tg_allocate(bytes);
    TG_REQUIRE(
        err, fits && (plan->arena || !p->allocate), TG_E_MEMORY,
        "batches of %zu need %.0f MB, which this machine does not give; use a smaller batch_size or model",
        p->capacity, fits ? (double)bytes / 1e6 : (double)SIZE_MAX / 1e6);
    plan->arena_bytes = bytes;
    if (!p->allocate) return TG_OK;
    uint8_t *base = plan->arena;
    for (size_t i = 0; i < nodes; i++) {
        const buffer *y = &p->y[p->root[i]], *dy = &p->dy[p->root[i]];
        const buffer *saved = &p->saved[i], *kept = &p->kept[i];
        plan->exec.y[i] = (tg_real *)(void *)(base + y->offset);
        if (p->training && p->graph->nodes[i].needs_gradient)
            plan->exec.dy[i] = (tg_real *)(void *)(base + dy->offset);
        if (saved->used) plan->exec.saved[i] = base + saved->offset;
        if (kept->used) plan->exec.kept[i] = (tg_real *)(void *)(base + kept->offset);
        plan->first_writer[i] = p->is_output[i] || p->consumer[i] == NOBODY ? NOBODY : p->consumer[i];
    }
    for (size_t i = 1; i < nodes; i++) {
        const tg_node *node = &p->graph->nodes[i];
        plan->sets_dx[i] =
            (node->op->flags & TG_OP_SETS_GRADIENT) && plan->first_writer[node->inputs[0]->index] == i;
    }
    plan->exec.scratch = (tg_real *)(void *)(base + placed);
    return TG_OK;
}

tg_status tg_plan_create(tg_graph *graph, tg_engine_parts parts, bool training, size_t capacity,
                         const bool *is_output, bool allocate, tg_plan **out, tg_error *err) {
    *out = NULL;
    size_t nodes = graph->count;
    tg_plan *plan = tg_allocate_zeroed(sizeof *plan);
    planner p = {.graph = graph,
                 .is_output = is_output,
                 .training = training,
                 .allocate = allocate,
                 .capacity = capacity};
    p.root = tg_allocate_zeroed(3 * nodes * sizeof *p.root);
    p.y = tg_allocate_zeroed(4 * nodes * sizeof *p.y);
    buffer **order = tg_allocate_zeroed(4 * nodes * sizeof *order);
    tg_status status = TG_E_MEMORY;
    if (plan) {
        plan->graph = graph;
        plan->exec = (tg_exec){
            .kernels = parts.kernels, .pool = parts.pool, .training = training, .capacity = capacity};
        plan->exec.y = tg_allocate_zeroed(nodes * sizeof *plan->exec.y);
        plan->exec.dy = tg_allocate_zeroed(nodes * sizeof *plan->exec.dy);
        plan->exec.saved = tg_allocate_zeroed(nodes * sizeof *plan->exec.saved);
        plan->exec.kept = tg_allocate_zeroed(nodes * sizeof *plan->exec.kept);
        plan->first_writer = tg_allocate_zeroed(nodes * sizeof *plan->first_writer);
        plan->exec.sets_dx = plan->sets_dx = tg_allocate_zeroed(nodes * sizeof *plan->sets_dx);
        plan->exec.fused = plan->fused = tg_allocate_zeroed(nodes * sizeof *plan->fused);
        plan->segments = tg_allocate_zeroed(nodes * sizeof *plan->segments);
        plan->thread_places =
            tg_allocate_zeroed(tg_pool_threads(parts.pool) * 3 * nodes * sizeof *plan->thread_places);
    }
    if (!plan || !p.root || !p.y || !order || !plan->exec.y || !plan->exec.dy || !plan->exec.saved ||
        !plan->exec.kept || !plan->first_writer || !plan->sets_dx || !plan->fused || !plan->segments ||
        !plan->thread_places) {
        tg_fail(err, TG_E_MEMORY, "no memory left for the plan of the model");
    } else {
        p.consumer = p.root + nodes;
        p.segment = p.consumer + nodes;
        p.fused = plan->fused;
        p.dy = p.y + nodes;
        p.saved = p.dy + nodes;
        p.kept = p.saved + nodes;
        status = fill(plan, &p, order, err);
    }
    tg_free(p.root);
    tg_free(p.y);
    tg_free(order);
    if (status == TG_OK) *out = plan;
    else tg_plan_destroy(plan);
    return status;
}

void tg_plan_destroy(tg_plan *plan) {
    if (!plan) return;
    tg_free(plan->arena);
    tg_free(plan->exec.y);
    tg_free(plan->exec.dy);
    tg_free(plan->exec.saved);
    tg_free(plan->exec.kept);
    tg_free(plan->first_writer);
    tg_free(plan->sets_dx);
    tg_free(plan->fused);
    tg_free(plan->segments);
    tg_free(plan->thread_places);
    tg_free(plan);
}
