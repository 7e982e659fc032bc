/* Depthwise convolution (one channel, one filter a group): every cell of the output is its window times weights, channel by
 * channel. Where positions are neighbours (stride 1) a whole row of them is one vector operation a tap, with the weights
 * repeated along the row. */
#include <string.h>

#include "base/memory.h"
#include "ops/conv.h"

typedef struct depthwise_job {
    const tg_exec *ex;
    const tg_node *node;
    const tg_window *window;
    const tg_kernels *kernels;
    tg_canvas canvas;
    size_t channels, taps, positions; /* at a time: neighbours in a row, or one */
    size_t span;                      /* values of those */
    size_t shards, shard_size;        /* [taps][span], then the bias's [channels] */
    tg_real *weights;                 /* [taps][span] */
    tg_real *partials, *room;
    size_t room_size;
} depthwise_job;

static size_t aligned(size_t elements) {
    size_t line = TG_ALIGNMENT / sizeof(tg_real);
    return (elements + line - 1) / line * line;
}

static depthwise_job measure(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads,
                             tg_arena *arena) {
    const tg_window *w = &((const tg_conv2d_attrs *)node->attrs)->window;
    depthwise_job job = {.node = node, .window = w, .kernels = kernels, .canvas = tg_canvas_of(w)};
    job.channels = w->channels;
    job.taps = w->k_h * w->k_w;
    job.positions = w->stride_w == 1 ? w->out_w : 1;
    job.span = job.positions * job.channels;
    job.shards = tg_conv_shards(n, job.taps * job.span);
    job.shard_size = aligned(job.taps * job.span + job.channels);
    job.room_size = job.canvas.padded ? aligned(tg_canvas_size(&job.canvas)) : 0;
    job.weights = tg_arena_take(arena, job.taps * job.span, sizeof *job.weights);
    job.partials = tg_arena_take(arena, job.shards * job.shard_size, sizeof *job.partials);
    job.room = tg_arena_take(arena, threads * 2 * job.room_size, sizeof *job.room);
    return job;
}

static size_t depthwise_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    tg_arena arena = {0};
    depthwise_job job = measure(node, n, kernels, threads, &arena);
    double canvas = (double)job.canvas.h * (double)job.canvas.w * (double)job.channels;
    double weights = (double)job.taps * (double)job.positions * (double)job.channels;
    bool fits = 2 * (double)threads * canvas + ((double)job.shards + 2) * weights <
                (double)(SIZE_MAX / 8 / sizeof(tg_real));
    return fits && !arena.overflow ? arena.used / sizeof(tg_real) + TG_ALIGNMENT : SIZE_MAX;
}

static depthwise_job job_of(const tg_exec *ex, const tg_node *node) {
    tg_arena arena = {.base = (uint8_t *)ex->scratch};
    depthwise_job job = measure(node, ex->n, ex->kernels, tg_pool_threads(ex->pool), &arena);
    job.ex = ex;
    const tg_real *w = node->params[0].data;
    for (size_t t = 0; t < job.taps; t++)
        for (size_t i = 0; i < job.span; i++)
            job.weights[t * job.span + i] = w[i % job.channels * job.taps + t];
    return job;
}

static size_t tap_offset(const depthwise_job *job, size_t tap) {
    const tg_window *w = job->window;
    return (tap / w->k_w * w->dilation_h * job->canvas.w + tap % w->k_w * w->dilation_w) * job->channels;
}

static size_t position_offset(const depthwise_job *job, size_t position) {
    const tg_window *w = job->window;
    return (position / w->out_w * w->stride_h * job->canvas.w + position % w->out_w * w->stride_w) *
           job->channels;
}

static size_t input_size(const depthwise_job *job) {
    return job->window->in_h * job->window->in_w * job->channels;
}

static void forward_sample(void *ctx, size_t i, size_t thread) {
    const depthwise_job *job = ctx;
    const tg_real *bias = job->node->param_count > 1 ? job->node->params[1].data : NULL;
    size_t count = job->window->out_h * job->window->out_w;
    const tg_real *x = tg_canvas_paint(&job->canvas, tg_x(job->ex, job->node, 0) + i * input_size(job),
                                       job->room + thread * 2 * job->room_size);
    tg_real *y = tg_y(job->ex, job->node) + i * count * job->channels;
    for (size_t p = 0; p < count; p += job->positions, y += job->span) {
        for (size_t j = 0; j < job->span; j++) y[j] = bias ? bias[j % job->channels] : 0;
        const tg_real *from = x + position_offset(job, p);
        for (size_t t = 0; t < job->taps; t++)
            job->kernels->multiply_add(job->span, from + tap_offset(job, t), job->weights + t * job->span, y);
        if (tg_rectifies(job->ex, job->node)) job->kernels->relu(job->span, y, y);
    }
}

static void depthwise_forward(const tg_exec *ex, const tg_node *node) {
    depthwise_job job = job_of(ex, node);
    tg_parallel_for(ex->pool, ex->n, forward_sample, &job);
}

/* partial += x dy, tap by tap, and dy for the bias. */
static void add_weights(const depthwise_job *job, const tg_real *x, const tg_real *dy, tg_real *partial) {
    size_t count = job->window->out_h * job->window->out_w;
    for (size_t p = 0; p < count; p += job->positions) {
        const tg_real *from = x + position_offset(job, p), *at = dy + p * job->channels;
        for (size_t t = 0; t < job->taps; t++)
            job->kernels->multiply_add(job->span, from + tap_offset(job, t), at, partial + t * job->span);
    }
    job->kernels->sum_rows(count, job->channels, dy, partial + job->taps * job->span);
}

/* dx += w dy where the taps lie. */
static void add_input(const depthwise_job *job, const tg_real *dy, tg_real *room, tg_real *dx) {
    tg_real *on = job->canvas.padded ? room : dx;
    if (job->canvas.padded) memset(on, 0, tg_canvas_size(&job->canvas) * sizeof *on);
    for (size_t p = 0; p < job->window->out_h * job->window->out_w; p += job->positions) {
        tg_real *to = on + position_offset(job, p);
        for (size_t t = 0; t < job->taps; t++)
            job->kernels->multiply_add(job->span, dy + p * job->channels, job->weights + t * job->span,
                                       to + tap_offset(job, t));
    }
    if (job->canvas.padded) tg_canvas_lift(&job->canvas, job->kernels, on, dx);
}

static void backward_shard(void *ctx, size_t shard, size_t thread) {
    const depthwise_job *job = ctx;
    const tg_exec *ex = job->ex;
    size_t begin = ex->n * shard / job->shards, end = ex->n * (shard + 1) / job->shards, in = input_size(job);
    tg_real *partial = job->partials + shard * job->shard_size,
            *room = job->room + thread * 2 * job->room_size;
    tg_real *dx = tg_dx(ex, job->node, 0);
    bool trains = job->node->params[0].gradient != NULL;
    memset(partial, 0, job->shard_size * sizeof *partial);
    for (size_t i = begin; i < end; i++) {
        const tg_real *x = tg_canvas_paint(&job->canvas, tg_x(ex, job->node, 0) + i * in, room);
        const tg_real *dy =
            tg_dy(ex, job->node) + i * job->window->out_h * job->window->out_w * job->channels;
        if (trains) add_weights(job, x, dy, partial);
        if (!dx) continue;
        if (tg_sets_dx(ex, job->node)) memset(dx + i * in, 0, in * sizeof *dx);
        add_input(job, dy, room + job->room_size, dx + i * in);
    }
}

static void depthwise_backward(const tg_exec *ex, const tg_node *node) {
    depthwise_job job = job_of(ex, node);
    tg_parallel_for(ex->pool, job.shards, backward_shard, &job);
    if (!node->params[0].gradient) return;
    for (size_t s = 0; s < job.shards; s++) {
        const tg_real *partial = job.partials + s * job.shard_size;
        for (size_t t = 0; t < job.taps; t++)
            for (size_t i = 0; i < job.span; i++)
                node->params[0].gradient[i % job.channels * job.taps + t] += partial[t * job.span + i];
        if (node->param_count > 1)
            job.kernels->add(job.channels, partial + job.taps * job.span, node->params[1].gradient);
    }
}

const tg_conv_way tg_conv_depthwise = {
    .scratch = depthwise_scratch, .forward = depthwise_forward, .backward = depthwise_backward};
