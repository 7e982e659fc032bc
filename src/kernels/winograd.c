#include "kernels/winograd.h"

#include <string.h>

#include "base/memory.h"
#include "kernels/winograd_kernels.h"

enum { OUT = TG_WINOGRAD_OUT, IN = TG_WINOGRAD_IN, POINTS = TG_WINOGRAD_POINTS, TAPS = 9 };

/* All planes of a block of tiles stay in a second-level cache. */
enum { BLOCK_CHANNELS = 3072, FEWEST_TILES = 16, MOST_TILES = 64 };

/* A weight gradient is shared out in so many items at most, each with sums of its own, of so many filters and over no
 * fewer tiles. */
enum { ITEMS = 8, ITEM_FILTERS = 64, ITEM_TILES = 48 };

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static size_t round_up(size_t count, size_t step) {
    return divide_up(count, step) * step;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Found with bench_conv, in Chromium and natively: fewer channels or filters leave vectors empty, and a tile of which fewer
 * than 6 of 16 outputs are wanted multiplies no less than a direct sum. The last keeps transformed weights below 40 MB. */
bool tg_winograd_pays(const tg_winograd *s) {
    enum { FEWEST = 8, MOST_WEIGHTS = 512 * 512, FEWEST_OUTPUTS = 6 };
    size_t tiles = divide_up(s->out_h, OUT) * divide_up(s->out_w, OUT);
    return s->pad_top <= 2 && s->pad_left <= 2 && s->channels >= FEWEST && s->filters >= FEWEST &&
           s->filters <= MOST_WEIGHTS / s->channels && s->out_h * s->out_w / tiles >= FEWEST_OUTPUTS;
}

/* ---- transformed matrices ------------------------------------------------------------------------------------------- */

/* They lie as panels of 36 planes, [panels][36][rows][width]. Rows are tiles or, of weights, channels. A panel is
 * compact, which spares address translations, and from plane to plane there is an odd number of cache lines, so that
 * the same place in all of them falls into different sets of the cache. */
static size_t plane_size(size_t rows, size_t width) {
    size_t line = TG_ALIGNMENT / sizeof(tg_real);
    return (divide_up(rows * width, line) | 1) * line;
}

static size_t aligned(size_t elements) {
    return round_up(elements, TG_ALIGNMENT / sizeof(tg_real));
}

/* ---- tiles ------------------------------------------------------------------------------------------------------ */

/* The tiles of all samples are counted through, and taken in blocks. */
typedef struct tiling {
    tg_winograd shape;
    const tg_winograd_kernels *kernels;
    size_t width, in_panels, out_panels; /* so many channels and filters, filled up to whole panels */
    size_t across, per_sample, count;    /* tiles */
    size_t block, plane, panel;          /* tiles of a block; elements of its planes and panels */
} tiling;

/* In blocks enough for `threads`; what a block is changes no bit. */
static tiling tiling_of(const tg_winograd *shape, const tg_kernels *kernels, size_t n, size_t threads) {
    tiling t = {.shape = *shape, .kernels = kernels->winograd, .width = kernels->winograd->width};
    t.in_panels = divide_up(shape->channels, t.width);
    t.out_panels = divide_up(shape->filters, t.width);
    t.across = divide_up(shape->out_w, OUT);
    t.per_sample = t.across * divide_up(shape->out_h, OUT);
    t.count = n * t.per_sample;
    size_t fit = BLOCK_CHANNELS / ((t.in_panels + t.out_panels) * t.width) / FEWEST_TILES * FEWEST_TILES;
    fit = fit < FEWEST_TILES ? FEWEST_TILES : smaller(fit, MOST_TILES);
    t.block = smaller(fit, round_up(larger(divide_up(t.count, threads), 1), t.kernels->rows));
    t.plane = plane_size(t.block, t.width);
    t.panel = POINTS * t.plane;
    return t;
}

/* A square of side x side pixels: where its corner lies in a picture of h x w, above or left of it if need be. */
typedef struct square {
    size_t side, top, left; /* numbers before the picture wrap around: they are beyond it as well */
} square;

enum { OUTSIDE = -1 };

/* Where its pixels lie in a sample [h, w, channels], row by row. */
static void find_pixels(square q, size_t h, size_t w, size_t channels, ptrdiff_t *pixel) {
    bool within = q.top < h && q.left < w && h - q.top >= q.side && w - q.left >= q.side;
    for (size_t i = 0; i < q.side; i++) {
        size_t y = q.top + i, at = (y * w + q.left) * channels;
        for (size_t j = 0; j < q.side; j++, at += channels)
            *pixel++ = within || (y < h && q.left + j < w) ? (ptrdiff_t)at : OUTSIDE;
    }
}

static void find_sources(square q, size_t h, size_t w, size_t channels, const tg_real *sample,
                         const tg_real *zeros, const tg_real **from) {
    ptrdiff_t pixel[POINTS];
    find_pixels(q, h, w, channels, pixel);
    for (size_t i = 0; i < q.side * q.side; i++) from[i] = pixel[i] == OUTSIDE ? zeros : sample + pixel[i];
}

/* What tile number `tile` produces, and what it sees. */
static square outputs_of(const tiling *t, size_t tile) {
    size_t place = tile % t->per_sample;
    return (square){OUT, place / t->across * OUT, place % t->across * OUT};
}

/* The tiles from first to first + count, transformed. */
static void transform_inputs(const tiling *t, size_t first, size_t count, const tg_real *x,
                             const tg_real *zeros, tg_real *to) {
    const tg_winograd *s = &t->shape;
    for (size_t i = 0; i < count; i++) {
        const tg_real *sample = x + (first + i) / t->per_sample * s->in_h * s->in_w * s->channels;
        const tg_real *from[POINTS];
        square out = outputs_of(t, first + i), seen = {IN, out.top - s->pad_top, out.left - s->pad_left};
        find_sources(seen, s->in_h, s->in_w, s->channels, sample, zeros, from);
        t->kernels->input(s->channels, from, to + i * t->width, t->panel, t->plane);
    }
}

/* ---- scratch ---------------------------------------------------------------------------------------------------- */

/* Offsets. Of each thread: a block's inputs and outputs, and a pixel for what is written outside the picture. Shared: a
 * pixel of zeros, and the sums of a layer's weight gradients, transformed. */
typedef struct layout {
    size_t out, trash, thread; /* the inputs come first */
    size_t zeros, sums, end;
} layout;

static layout lay_out(const tiling *t, size_t sums, size_t threads) {
    layout at = {.out = t->in_panels * t->panel};
    at.trash = at.out + t->out_panels * t->panel;
    at.thread = at.trash + aligned(t->out_panels * t->width);
    at.zeros = threads * at.thread;
    at.sums = at.zeros + aligned(larger(t->in_panels, t->out_panels) * t->width);
    at.end = at.sums + aligned(sums);
    return at;
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* The convolution that takes dy to dx. */
static tg_winograd turned(const tg_winograd *s) {
    return (tg_winograd){.in_h = s->out_h,
                         .in_w = s->out_w,
                         .channels = s->filters,
                         .out_h = s->in_h,
                         .out_w = s->in_w,
                         .filters = s->channels,
                         .pad_top = 2 - s->pad_top,
                         .pad_left = 2 - s->pad_left};
}

/* Transformed weights lie in the order in which products read them: 36 planes of panels [channels][width]. */
static size_t weights_plane(const tiling *t) {
    return plane_size(t->shape.channels, t->out_panels * t->width);
}

/* Only what does not depend on the batch. */
static tiling weights_of(const tg_winograd *shape, const tg_kernels *kernels, bool is_turned) {
    tg_winograd back = turned(shape);
    return tiling_of(is_turned ? &back : shape, kernels, 1, 1);
}

size_t tg_winograd_weights_size(const tg_winograd *shape, const tg_kernels *kernels, bool is_turned) {
    tiling t = weights_of(shape, kernels, is_turned);
    return aligned(POINTS * weights_plane(&t));
}

size_t tg_winograd_weights_parts(const tg_winograd *shape, const tg_kernels *kernels, bool is_turned) {
    return weights_of(shape, kernels, is_turned).out_panels;
}

/* A part is a panel. */
void tg_winograd_weights(const tg_kernels *kernels, const tg_winograd *shape, bool is_turned,
                         const tg_real *weights, size_t part, tg_real *to) {
    tiling t = weights_of(shape, kernels, is_turned);
    size_t channels = t.shape.channels, filters = t.shape.filters, width = t.width;
    tg_real taps[TAPS * TG_WINOGRAD_WIDEST];
    to += part * channels * width;
    for (size_t c = 0; c < channels; c++, to += width) {
        for (size_t j = 0; j < width; j++) {
            size_t f = part * width + j;
            const tg_real *w = weights + TAPS * (is_turned ? c * filters + f : f * channels + c);
            for (size_t i = 0; i < TAPS; i++)
                taps[i * width + j] = f >= filters ? 0 : w[is_turned ? TAPS - 1 - i : i];
        }
        t.kernels->weights(width, taps, width, to, weights_plane(&t));
    }
}

/* ---- convolution ------------------------------------------------------------------------------------------------- */

/* Forward or, with the weights turned, the input gradient. */
typedef struct convolution {
    tiling tiles;
    const tg_real *x, *weights, *bias;
    tg_real *y;
    bool relu, add;
    layout at;
    tg_real *scratch;
} convolution;

/* The products of a block: out = in x weights, point by point. */
static void multiply_block(const tiling *t, size_t count, const tg_real *in, const tg_real *weights,
                           tg_real *out) {
    size_t channels = t->shape.channels;
    for (size_t point = 0; point < POINTS; point++) {
        for (size_t p = 0; p < t->out_panels; p++)
            t->kernels->product(count, channels, in + point * t->plane, t->panel,
                                weights + point * weights_plane(t) + p * channels * t->width,
                                out + p * t->panel + point * t->plane);
    }
}

static void convolve_block(void *ctx, size_t block, size_t thread) {
    const convolution *job = ctx;
    const tiling *t = &job->tiles;
    const tg_winograd *s = &t->shape;
    size_t first = block * t->block, count = smaller(t->block, t->count - first);
    tg_real *in = job->scratch + thread * job->at.thread, *out = in + job->at.out;
    transform_inputs(t, first, count, job->x, job->scratch + job->at.zeros, in);
    multiply_block(t, count, in, job->weights, out);
    for (size_t i = 0; i < count; i++) {
        tg_real *sample = job->y + (first + i) / t->per_sample * s->out_h * s->out_w * s->filters;
        tg_real *to[OUT * OUT];
        ptrdiff_t pixel[OUT * OUT];
        find_pixels(outputs_of(t, first + i), s->out_h, s->out_w, s->filters, pixel);
        for (size_t k = 0; k < OUT * OUT; k++)
            to[k] = pixel[k] == OUTSIDE ? in + job->at.trash : sample + pixel[k];
        t->kernels->output(s->filters, out + i * t->width, t->panel, t->plane, job->bias, job->relu, job->add,
                           to);
    }
}

static void convolve(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                     convolution job) {
    job.tiles = tiling_of(shape, kernels, n, tg_pool_threads(pool));
    job.at = lay_out(&job.tiles, 0, tg_pool_threads(pool));
    memset(job.scratch + job.at.zeros, 0, shape->channels * sizeof *job.scratch);
    tg_parallel_for(pool, divide_up(job.tiles.count, job.tiles.block), convolve_block, &job);
}

void tg_winograd_forward(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                         const tg_real *x, const tg_real *weights, const tg_real *bias, bool relu, tg_real *y,
                         tg_real *scratch) {
    convolve(
        kernels, pool, shape, n,
        (convolution){.x = x, .weights = weights, .bias = bias, .relu = relu, .y = y, .scratch = scratch});
}

void tg_winograd_input_gradient(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                                const tg_real *weights, const tg_real *dy, bool add, tg_real *dx,
                                tg_real *scratch) {
    tg_winograd back = turned(shape);
    convolve(kernels, pool, &back, n,
             (convolution){.x = dy, .weights = weights, .add = add, .y = dx, .scratch = scratch});
}

/* ---- weight gradient ----------------------------------------------------------------------------------------------- */

/* Shards of tiles by slices of filters, each with its own sums. Numbers of both follow from the shape and the number of
 * samples. */
typedef struct correlation {
    tiling tiles; /* with the panels of one slice */
    const tg_kernels *vectors;
    size_t shards, slices;
    const tg_real *x, *dy;
    tg_real *dw;
    layout at;
    tg_real *scratch;
} correlation;

/* Elements of a panel of sums. */
static size_t sums_panel(const tiling *t) {
    return POINTS * plane_size(t->in_panels * t->width, t->width);
}

static correlation correlation_of(const tg_winograd *shape, const tg_kernels *kernels, size_t n,
                                  size_t threads) {
    correlation job = {.slices = divide_up(shape->filters, ITEM_FILTERS)};
    tg_winograd slice = *shape;
    slice.filters = smaller(shape->filters, ITEM_FILTERS);
    job.tiles = tiling_of(&slice, kernels, n, 1);
    job.tiles.shape = *shape;
    job.shards = larger(ITEMS / job.slices, 1);
    while (job.shards > 1 && job.tiles.count / job.shards < ITEM_TILES) job.shards /= 2;
    job.at =
        lay_out(&job.tiles, job.shards * job.slices * job.tiles.out_panels * sums_panel(&job.tiles), threads);
    return job;
}

static tg_real *sums_of(const correlation *job, size_t shard, size_t slice) {
    size_t item = shard * job->slices + slice;
    return job->scratch + job->at.sums + item * job->tiles.out_panels * sums_panel(&job->tiles);
}

static size_t filters_in(const correlation *job, size_t slice) {
    return smaller(ITEM_FILTERS, job->tiles.shape.filters - slice * ITEM_FILTERS);
}

static void transform_gradients(const correlation *job, size_t slice, size_t first, size_t count,
                                tg_real *to) {
    const tiling *t = &job->tiles;
    const tg_winograd *s = &t->shape;
    for (size_t i = 0; i < count; i++) {
        const tg_real *sample = job->dy + (first + i) / t->per_sample * s->out_h * s->out_w * s->filters;
        const tg_real *zeros = job->scratch + job->at.zeros, *from[OUT * OUT];
        find_sources(outputs_of(t, first + i), s->out_h, s->out_w, s->filters, sample + slice * ITEM_FILTERS,
                     zeros, from);
        t->kernels->gradient(filters_in(job, slice), from, to + i * t->width, t->panel, t->plane);
    }
}

/* sums (+)= in^T x out, point by point. */
static void sum_block(const tiling *t, size_t count, const tg_real *in, const tg_real *out, bool accumulate,
                      tg_real *sums) {
    for (size_t point = 0; point < POINTS; point++, in += t->plane, out += t->plane) {
        for (size_t p = 0; p < t->out_panels; p++)
            t->kernels->product_turned(t->in_panels * t->width, count, in, t->panel, out + p * t->panel,
                                       accumulate, sums + p * sums_panel(t));
        sums += sums_panel(t) / POINTS;
    }
}

static void correlate_item(void *ctx, size_t item, size_t thread) {
    const correlation *job = ctx;
    const tiling *t = &job->tiles;
    size_t shard = item / job->slices, slice = item % job->slices;
    tg_real *in = job->scratch + thread * job->at.thread, *out = in + job->at.out;
    size_t begin = t->count * shard / job->shards, end = t->count * (shard + 1) / job->shards;
    size_t block = divide_up(end - begin, divide_up(end - begin, t->block)); /* all blocks alike */
    for (size_t first = begin, count; first < end; first += count) {
        count = smaller(block, end - first);
        transform_inputs(t, first, count, job->x, job->scratch + job->at.zeros, in);
        transform_gradients(job, slice, first, count, out);
        sum_block(t, count, in, out, first > begin, sums_of(job, shard, slice));
    }
}

/* One panel of filters: the shards in order, transformed back. */
static void finish_panel(void *ctx, size_t panel, size_t thread) {
    const correlation *job = ctx;
    const tiling *t = &job->tiles;
    size_t width = t->width, channels = t->shape.channels, size = channels * width;
    size_t slice = panel * width / ITEM_FILTERS,
           offset = panel * width % ITEM_FILTERS / width * sums_panel(t);
    tg_real *sums = sums_of(job, 0, slice) + offset;
    /* [TAPS][channels][width]: less than 36 planes of 4 tiles */
    tg_real *taps = job->scratch + thread * job->at.thread;
    for (size_t shard = 1; shard < job->shards; shard++)
        job->vectors->add(sums_panel(t), sums_of(job, shard, slice) + offset, sums);
    t->kernels->weights_gradient(size, sums, sums_panel(t) / POINTS, taps, size);
    for (size_t f = panel * width; f < smaller((panel + 1) * width, t->shape.filters); f++) {
        for (size_t c = 0; c < channels; c++) {
            tg_real *dw = job->dw + (f * channels + c) * TAPS;
            for (size_t i = 0; i < TAPS; i++) dw[i] += taps[i * size + c * width + f % width];
        }
    }
}

void tg_winograd_weight_gradient(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                                 const tg_real *x, const tg_real *dy, tg_real *dw, tg_real *scratch) {
    correlation job = correlation_of(shape, kernels, n, tg_pool_threads(pool));
    job.vectors = kernels;
    job.x = x;
    job.dy = dy;
    job.dw = dw;
    job.scratch = scratch;
    memset(scratch + job.at.zeros, 0, larger(shape->channels, filters_in(&job, 0)) * sizeof *scratch);
    tg_parallel_for(pool, job.shards * job.slices, correlate_item, &job);
    tg_parallel_for(pool, divide_up(shape->filters, job.tiles.width), finish_panel, &job);
}

/* ---- how much scratch ------------------------------------------------------------------------------------------------ */

/* Sizes are sums of products that may wrap; in floating point they cannot, and this is more than any of them. */
static bool fits(const tg_winograd *s, size_t threads) {
    double channels = (double)(s->channels + ITEM_FILTERS), filters = (double)(s->filters + ITEM_FILTERS);
    double thread = (double)((POINTS + 1) * MOST_TILES) * (channels + filters);
    double shared = (double)((POINTS + 1) * ITEMS) * channels * filters;
    return (double)threads * thread + shared < (double)(SIZE_MAX / 4 / sizeof(tg_real));
}

size_t tg_winograd_scratch(const tg_winograd *shape, const tg_kernels *kernels, size_t n, size_t threads) {
    if (!fits(shape, threads)) return SIZE_MAX;
    tg_winograd back = turned(shape);
    tiling forward = tiling_of(shape, kernels, n, threads), backward = tiling_of(&back, kernels, n, threads);
    correlation weights = correlation_of(shape, kernels, n, threads);
    size_t size = lay_out(&forward, 0, threads).end;
    size = larger(size, lay_out(&backward, 0, threads).end);
    return larger(size, weights.at.end);
}
