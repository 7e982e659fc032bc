/* Convolution as a matrix product with the patches of the input, which exist only as addresses: a tile of positions by
 * filters reads its patches where they lie. Backward goes sample by sample, while a sample's dy is in the cache: its
 * share of the weights' gradient, then dx, which for stride 1 is a convolution of dy with the mirrored kernel. */
#include <string.h>

#include "base/memory.h"
#include "ops/conv.h"

/* A product with patches: where they lie, and what they are multiplied with. */
typedef struct product {
    tg_window window;
    tg_canvas canvas;
    tg_taps taps;
    size_t *run;          /* taps' offsets */
    size_t *position;     /* [out_h * out_w] */
    tg_strides row, col;  /* of the weights of a group */
    size_t group_weights; /* packed, of one group */
    tg_real *weights;     /* [groups][panels][k][nr] */
    tg_real *start;       /* [groups][panels][nr], or NULL */
    bool rectified;
} product;

typedef struct conv_job {
    const tg_exec *ex;
    const tg_node *node;
    const tg_window *window;
    const tg_kernels *kernels;
    tg_conv_sizes s;
    size_t blocks;             /* of a sample's positions in forward */
    bool mirrored;             /* dx is a convolution; else columns are folded */
    product y, dx;             /* dx: mirrored, or the columns of one position, [k] of a group */
    size_t *tap;               /* [k]: of a group */
    size_t shards, shard_size; /* of a shard: [groups][panels][k][nr], then the bias's [groups][panels][nr] */
    tg_real *partials;
    tg_real *room; /* per thread: canvas of x, canvas of dy, columns, canvas of dx */
    size_t room_size, dy_room, columns_room, dx_room;
} conv_job;

static size_t panels_of(size_t columns, size_t nr) {
    return (columns + nr - 1) / nr;
}

static size_t aligned(size_t elements) {
    size_t line = TG_ALIGNMENT / sizeof(tg_real);
    return (elements + line - 1) / line * line;
}

/* w[f, c, tap] of a group, read as filters for y, as columns or mirrored for dx. */
static void order_weights(conv_job *job) {
    ptrdiff_t taps = (ptrdiff_t)job->s.taps, k = (ptrdiff_t)job->s.k;
    const tg_strides by_filter = {1, job->s.f, 0, k}, by_channel = {1, job->s.c, 0, taps};
    const tg_strides by_tap = {job->s.taps, job->s.c, 1, taps};
    job->y.row = by_tap, job->y.col = by_filter;
    if (job->mirrored) {
        job->dx.row = (tg_strides){job->s.taps, job->s.f, -1, k};
        job->dx.col = by_channel;
    } else {
        job->dx.row = by_filter, job->dx.col = by_tap;
    }
}

static void place_product(product *p, const conv_job *job, tg_arena *arena, bool start) {
    size_t groups = job->s.groups, nr = job->kernels->conv_nr;
    p->canvas = tg_canvas_of(&p->window);
    p->run = tg_arena_take(arena, p->window.k_h * p->window.k_w, sizeof *p->run);
    p->position = tg_arena_take(arena, p->window.out_h * p->window.out_w, sizeof *p->position);
    p->group_weights = tg_conv_packed_size(p->row, p->col, nr);
    p->weights = tg_arena_take(arena, groups * p->group_weights, sizeof *p->weights);
    if (start)
        p->start =
            tg_arena_take(arena, groups * panels_of(p->col.outer * p->col.inner, nr) * nr, sizeof *p->start);
}

/* The window of columns: every position of dy by itself. */
static tg_window window_of_columns(const tg_window *w, size_t filters) {
    return (tg_window){.channels = filters,
                       .in_h = w->out_h,
                       .in_w = w->out_w,
                       .out_h = w->out_h,
                       .out_w = w->out_w,
                       .k_h = 1,
                       .k_w = 1,
                       .stride_h = 1,
                       .stride_w = 1,
                       .dilation_h = 1,
                       .dilation_w = 1};
}

/* Forward and backward do not run at once, so they share the memory. */
static conv_job measure(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads,
                        tg_arena *arena) {
    const tg_conv2d_attrs *a = node->attrs;
    conv_job job = {.node = node, .window = &a->window, .kernels = kernels, .s = tg_conv_sizes_of(node)};
    const tg_window *w = job.window;
    size_t nr = kernels->conv_nr, filters = job.s.groups * job.s.f;
    job.mirrored = w->stride_h == 1 && w->stride_w == 1;
    job.y.window = *w;
    job.dx.window = job.mirrored ? tg_window_mirrored(w, filters) : window_of_columns(w, filters);
    order_weights(&job);
    place_product(&job.y, &job, arena, true);
    place_product(&job.dx, &job, arena, false);
    job.dx.canvas.padded |=
        filters % kernels->conv_lanes != 0; /* vectors may be read past the end of a copy only */
    job.tap = tg_arena_take(arena, job.s.k, sizeof *job.tap);
    job.shards = tg_conv_shards(n, job.s.groups * job.s.f * job.s.k);
    job.shard_size = aligned(job.s.groups * panels_of(job.s.f, nr) * nr * (job.s.k + 1));
    job.partials = tg_arena_take(arena, job.shards * job.shard_size, sizeof *job.partials);
    job.dy_room = job.y.canvas.padded ? aligned(tg_canvas_size(&job.y.canvas)) : 0;
    job.columns_room = job.dy_room + aligned(tg_canvas_size(&job.dx.canvas) + kernels->conv_lanes);
    job.dx_room = job.columns_room + (job.mirrored ? 0 : aligned(job.s.p * job.s.k));
    job.room_size = job.dx_room + (!job.mirrored && job.y.canvas.padded ? job.dy_room : 0);
    job.room = tg_arena_take(arena, threads * job.room_size, sizeof *job.room);
    return job;
}

/* The sizes of measure() are sums of products that may wrap; in floating point they cannot. */
static size_t direct_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    tg_arena arena = {0};
    conv_job job = measure(node, n, kernels, threads, &arena);
    const tg_conv_sizes *s = &job.s;
    const tg_canvas *x = &job.y.canvas, *dy = &job.dx.canvas;
    double room = 2 * (double)x->h * (double)x->w * (double)x->channels +
                  (double)dy->h * (double)dy->w * (double)dy->channels + (double)s->p * (double)s->k;
    double weights =
        (double)s->groups * (double)(s->f + kernels->conv_nr) * (double)(s->k + kernels->conv_nr);
    bool fits = (double)threads * room + ((double)job.shards + 2) * weights <
                (double)(SIZE_MAX / 8 / sizeof(tg_real));
    return fits && !arena.overflow ? arena.used / sizeof(tg_real) + TG_ALIGNMENT : SIZE_MAX;
}

static conv_job job_of(const tg_exec *ex, const tg_node *node) {
    tg_arena arena = {.base = (uint8_t *)ex->scratch};
    conv_job job = measure(node, ex->n, ex->kernels, tg_pool_threads(ex->pool), &arena);
    job.ex = ex;
    return job;
}

/* Fills in where everything lies, and packs the weights. */
static void prepare(const conv_job *job, product *p) {
    const tg_real *w = job->node->params[0].data;
    size_t mirror = p == &job->dx && job->mirrored ? job->s.taps - 1 : 0;
    p->taps = tg_canvas_runs(&p->canvas, &p->window, job->s.groups, p->run);
    tg_canvas_positions(&p->canvas, &p->window, p->position);
    for (size_t g = 0; g < job->s.groups; g++)
        tg_conv_pack(w + g * job->s.f * job->s.k + mirror, p->row, p->col, job->kernels->conv_nr,
                     p->weights + g * p->group_weights);
}

/* Rows [*first, *end) of the kernel that lie on the picture when the window begins at row y of the canvas: what lies above
 * and below is zero. */
static void kernel_rows(const product *p, size_t y, size_t *first, size_t *end) {
    const tg_window *w = &p->window;
    size_t top = p->canvas.top, bottom = top + p->canvas.rows, step = w->dilation_h;
    *first = y < top ? (top - y + step - 1) / step : 0;
    *end = y < bottom ? (bottom - y + step - 1) / step : 0;
    if (*first > w->k_h) *first = w->k_h;
    if (*end > w->k_h) *end = w->k_h;
    if (*end < *first) *end = *first;
}

/* Positions from `first` on in rows that see the same rows of the kernel. */
typedef struct stretch {
    size_t first, count, from, end;
} stretch;

static stretch stretch_of(const product *p, size_t first, size_t end) {
    size_t width = p->window.out_w, row = first / width, from, to;
    stretch s = {.first = first};
    kernel_rows(p, row * p->window.stride_h, &s.from, &s.end);
    do kernel_rows(p, ++row * p->window.stride_h, &from, &to);
    while (row * width < end && from == s.from && to == s.end);
    s.count = (row * width < end ? row * width : end) - first;
    return s;
}

/* y[positions first..end) of one sample, `wide` values each, from its canvas. */
static void multiply(const conv_job *job, const product *p, const tg_real *canvas, size_t first, size_t end,
                     bool add, tg_real *y, size_t wide) {
    size_t groups = job->s.groups, nr = job->kernels->conv_nr, columns = p->col.outer * p->col.inner;
    size_t channels = p->canvas.channels / groups, k = p->row.outer * p->row.inner,
           panels = panels_of(columns, nr);
    size_t across = p->taps.runs / p->window.k_h; /* runs of one row of the kernel */
    for (size_t g = 0; g < groups; g++)
        for (size_t panel = 0; panel < panels; panel++) {
            size_t j = panel * nr;
            for (stretch s = {.first = first}; s.first < end; s.first += s.count) {
                s = stretch_of(p, s.first, end);
                size_t skipped = s.from * across;
                job->kernels->convolve(&(tg_convolve){
                    .taps = {(s.end - s.from) * across, p->taps.length, p->taps.offset + skipped},
                    .x = canvas + g * channels,
                    .position = p->position + s.first,
                    .count = s.count,
                    .w = p->weights + g * p->group_weights + j * k + skipped * p->taps.length * nr,
                    .start = p->start ? p->start + (g * panels + panel) * nr : NULL,
                    .y = y + s.first * wide + g * columns + j,
                    .ldy = wide,
                    .cols = columns - j < nr ? columns - j : nr,
                    .accumulate = add,
                    .rectified = p->rectified,
                });
            }
        }
}

/* ---- forward ------------------------------------------------------------------------------------------------------- */

static void pack_start(const conv_job *job, const tg_real *bias) {
    size_t nr = job->kernels->conv_nr, wide = panels_of(job->s.f, nr) * nr;
    for (size_t g = 0; g < job->s.groups; g++)
        for (size_t f = 0; f < wide; f++)
            job->y.start[g * wide + f] = bias && f < job->s.f ? bias[g * job->s.f + f] : 0;
}

static void forward_item(void *ctx, size_t item, size_t thread) {
    const conv_job *job = ctx;
    size_t i = item / job->blocks, block = item % job->blocks, p = job->s.p;
    size_t first = p * block / job->blocks, end = p * (block + 1) / job->blocks;
    const tg_real *x = tg_x(job->ex, job->node, 0) + i * job->s.in;
    const tg_real *canvas = tg_canvas_paint(&job->y.canvas, x, job->room + thread * job->room_size);
    multiply(job, &job->y, canvas, first, end, false, tg_y(job->ex, job->node) + i * job->s.out,
             job->s.groups * job->s.f);
}

/* Few samples are shared out in parts. */
static size_t blocks_of(const conv_job *job) {
    size_t threads = tg_pool_threads(job->ex->pool), n = job->ex->n;
    if (threads == 1 || n >= 4 * threads) return 1;
    return job->s.p < 32 ? 1 : 4;
}

static void direct_forward(const tg_exec *ex, const tg_node *node) {
    conv_job job = job_of(ex, node);
    job.blocks = blocks_of(&job);
    prepare(&job, &job.y);
    job.y.rectified = tg_rectifies(ex, node);
    pack_start(&job, node->param_count > 1 ? node->params[1].data : NULL);
    tg_parallel_for(ex->pool, ex->n * job.blocks, forward_item, &job);
}

/* ---- backward ------------------------------------------------------------------------------------------------------- */

/* The picture of dy as the kernels read it. */
typedef struct gradient {
    const tg_real *canvas; /* with its zeros */
    const tg_real *first;  /* cell */
    size_t row;            /* elements */
} gradient;

static gradient gradient_of(const conv_job *job, size_t i, tg_real *room) {
    const tg_canvas *c = &job->dx.canvas;
    const tg_real *dy = tg_dy(job->ex, job->node) + i * job->s.out;
    if (!tg_dx(job->ex, job->node, 0) && c->channels % job->kernels->conv_lanes == 0)
        return (gradient){.first = dy,
                          .row = job->window->out_w * c->channels}; /* nobody looks at the zeros */
    gradient g = {.row = c->w * c->channels};
    g.canvas = tg_canvas_paint(c, dy, room + job->dy_room);
    g.first = g.canvas + (c->top * c->w + c->left) * c->channels;
    return g;
}

/* Rows of x and dy that stay in the first cache while all panels and taps go over them. */
static size_t rows_at_once(const conv_job *job) {
    enum { FIRST_CACHE = 20 << 10 };
    const tg_canvas *x = &job->y.canvas, *dy = &job->dx.canvas;
    size_t row = (job->window->stride_h * x->w * x->channels + dy->w * dy->channels) * sizeof(tg_real);
    return row < FIRST_CACHE ? FIRST_CACHE / row : 1;
}

/* partial += this sample's share. */
static void add_weights(const conv_job *job, size_t i, gradient dy, tg_real *room, tg_real *partial) {
    const tg_window *w = job->window;
    const tg_canvas *c = &job->y.canvas;
    size_t nr = job->kernels->conv_nr, panels = panels_of(job->s.f, nr), most = rows_at_once(job);
    tg_real *sum = partial + job->s.groups * job->y.group_weights;
    const tg_real *x = tg_canvas_paint(c, tg_x(job->ex, job->node, 0) + i * job->s.in, room);
    tg_correlate part = {.tap = job->tap,
                         .count = job->s.k,
                         .x_row = w->stride_h * c->w * c->channels,
                         .x_step = w->stride_w * c->channels,
                         .dy_row = dy.row,
                         .dy_step = job->s.groups * job->s.f,
                         .cols = w->out_w};
    for (size_t row = 0; row < w->out_h; row += part.rows) {
        part.rows = w->out_h - row < most ? w->out_h - row : most;
        for (size_t g = 0; g < job->s.groups; g++)
            for (size_t panel = 0; panel < panels; panel++) {
                size_t f = panel * nr, item = g * panels + panel;
                part.x = x + row * part.x_row + g * job->s.c;
                part.dy = dy.first + row * part.dy_row + g * job->s.f + f;
                part.width = job->s.f - f < nr ? job->s.f - f : nr;
                part.dw = partial + item * job->s.k * nr;
                part.sum = sum + item * nr;
                job->kernels->correlate(&part);
            }
    }
}

/* dx += the columns [p, k], each value where its input was read. */
static void fold(const conv_job *job, const tg_real *columns, size_t g, tg_real *dx) {
    const tg_window *w = job->window;
    const tg_canvas *c = &job->y.canvas;
    for (size_t p = 0; p < job->s.p; p++)
        for (size_t t = 0; t < job->s.taps; t++, columns += job->s.c) {
            size_t y = p / w->out_w * w->stride_h + t / w->k_w * w->dilation_h;
            size_t x = p % w->out_w * w->stride_w + t % w->k_w * w->dilation_w;
            job->kernels->add(job->s.c, columns, dx + (y * c->w + x) * c->channels + g * job->s.c);
        }
}

static void fold_columns(const conv_job *job, gradient dy, tg_real *room, tg_real *dx) {
    const tg_canvas *c = &job->y.canvas;
    size_t nr = job->kernels->conv_nr, panels = panels_of(job->s.k, nr);
    tg_real *columns = room + job->columns_room, *on = c->padded ? room + job->dx_room : dx;
    if (c->padded) memset(on, 0, tg_canvas_size(c) * sizeof *on);
    for (size_t g = 0; g < job->s.groups; g++) {
        for (size_t panel = 0; panel < panels; panel++) {
            size_t k = panel * nr;
            job->kernels->convolve(&(tg_convolve){
                .taps = job->dx.taps,
                .x = dy.canvas + g * job->s.f,
                .position = job->dx.position,
                .count = job->s.p,
                .w = job->dx.weights + g * job->dx.group_weights + k * job->s.f,
                .y = columns + k,
                .ldy = job->s.k,
                .cols = job->s.k - k < nr ? job->s.k - k : nr,
            });
        }
        fold(job, columns, g, on);
    }
    if (c->padded) tg_canvas_lift(c, job->kernels, on, dx);
}

static void backward_shard(void *ctx, size_t shard, size_t thread) {
    const conv_job *job = ctx;
    size_t n = job->ex->n, begin = n * shard / job->shards, end = n * (shard + 1) / job->shards;
    tg_real *partial = job->partials + shard * job->shard_size, *room = job->room + thread * job->room_size;
    tg_real *dx = tg_dx(job->ex, job->node, 0);
    bool trains = job->node->params[0].gradient != NULL, sets = tg_sets_dx(job->ex, job->node);
    if (trains) memset(partial, 0, job->shard_size * sizeof *partial);
    for (size_t i = begin; i < end; i++) {
        gradient dy = gradient_of(job, i, room);
        if (trains) add_weights(job, i, dy, room, partial);
        if (!dx) continue;
        tg_real *to = dx + i * job->s.in;
        if (job->mirrored) {
            multiply(job, &job->dx, dy.canvas, 0, job->dx.window.out_h * job->dx.window.out_w, !sets, to,
                     job->s.groups * job->s.c);
        } else {
            if (sets) memset(to, 0, job->s.in * sizeof *to);
            fold_columns(job, dy, room, to);
        }
    }
}

/* The gradients of weights and bias += the shards' sums, one after the other. */
static void add_shards(const conv_job *job) {
    size_t nr = job->kernels->conv_nr, group = job->y.group_weights, panels = panels_of(job->s.f, nr);
    tg_real *sum = job->partials, *biases = sum + job->s.groups * group;
    const tg_param *w = &job->node->params[0], *b = job->node->param_count > 1 ? &job->node->params[1] : NULL;
    for (size_t i = 1; i < job->shards; i++)
        job->kernels->add(job->shard_size, sum + i * job->shard_size, sum);
    for (size_t g = 0; g < job->s.groups; g++) {
        tg_conv_unpack(sum + g * group, job->y.row, job->y.col, nr, w->gradient + g * job->s.f * job->s.k);
        if (b) job->kernels->add(job->s.f, biases + g * panels * nr, b->gradient + g * job->s.f);
    }
}

static void direct_backward(const tg_exec *ex, const tg_node *node) {
    conv_job job = job_of(ex, node);
    const tg_canvas *c = &job.y.canvas;
    bool trains = node->params[0].gradient != NULL;
    for (size_t k = 0; k < job.s.k; k++) {
        size_t t = k / job.s.c, kx = t % job.window->k_w, ky = t / job.window->k_w;
        job.tap[k] =
            (ky * job.window->dilation_h * c->w + kx * job.window->dilation_w) * c->channels + k % job.s.c;
    }
    if (tg_dx(ex, node, 0)) prepare(&job, &job.dx);
    tg_parallel_for(ex->pool, job.shards, backward_shard, &job);
    if (trains) add_shards(&job);
}

const tg_conv_way tg_conv_direct = {
    .scratch = direct_scratch, .forward = direct_forward, .backward = direct_backward};
