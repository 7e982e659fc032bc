/* bench_conv [THREADS [SHAPE]]: convolutions 3x3 forward (y), for the input (dx) and for weights and bias (dw), by each
 * way that knows the shape. Operations are counted as a direct convolution needs them, so that Winograd's share of the
 * peak may be above 1. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "ops/conv.h"

typedef struct layer {
    const char *name;
    size_t n, side, channels, filters; /* pictures of side x side */
    bool valid;                        /* no padding; else "same" */
} layer;

/* Those of W5 and W6; then such as residual and VGG-like networks have for small pictures, and what is at the edge of
 * paying. */
static const layer layers[] = {
    {"W5 conv1", 32, 28, 1, 8, true},
    {"W5 conv2", 32, 13, 8, 16, true},
    {"W6 conv1", 50, 32, 3, 32, false},
    {"W6 conv2", 50, 16, 32, 64, false},
    {"W6 conv3", 50, 8, 64, 64, false},
    {"I1 conv2", 1, 16, 32, 64, false},
    {"I1 conv3", 1, 8, 64, 64, false},
    {"32x32 16 to 16", 32, 32, 16, 16, false},
    {"32x32 64 to 64", 16, 32, 64, 64, false},
    {"15x15 24 to 48", 50, 15, 24, 48, false},
    {"16x16 128 to 128", 16, 16, 128, 128, false},
    {"7x7 192 to 192", 50, 7, 192, 192, false},
    {"8x8 256 to 256", 16, 8, 256, 256, false},
    {"4x4 512 to 512", 16, 4, 512, 512, false},
    {"28x28 1 to 32", 32, 28, 1, 32, false},
    {"32x32 3 to 16", 32, 32, 3, 16, false},
    {"16x16 4 to 8", 32, 16, 4, 8, false},
    {"16x16 4 to 32", 32, 16, 4, 32, false},
    {"16x16 6 to 16", 32, 16, 6, 16, false},
    {"16x16 16 to 4", 32, 16, 16, 4, false},
    {"14x14 16 to 10", 32, 14, 16, 10, false},
    {"28x28 8 to 8", 32, 28, 8, 8, false},
    {"16x16 8 to 16", 32, 16, 8, 16, false},
    {"16x16 12 to 12", 32, 16, 12, 12, false},
    {"16x16 16 to 16", 32, 16, 16, 16, false},
    {"6x6 64 to 64", 50, 6, 64, 64, false},
    {"5x5 64 to 64", 50, 5, 64, 64, false},
    {"3x3 64 to 64", 50, 3, 64, 64, false},
    {"2x2 64 to 64", 50, 2, 64, 64, false},
};

/* One convolution behind an input, as a graph would run it. */
typedef struct job {
    const tg_conv_way *way;
    tg_conv2d_attrs attrs;
    tg_node input, node, *inputs[1];
    tg_exec ex;
    tg_real *y[2], *dy[2];
} job;

static const bool sets_dx[2] = {true, true};
static const uint8_t fused[2] = {0, TG_FUSED_RECTIFIES};

static tg_real *numbers(tg_rng *rng, size_t count, double scale) {
    tg_real *x = tg_allocate(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++) x[i] = (tg_real)(scale * tg_rng_normal(rng));
    return x;
}

static bool prepare(job *j, const layer *l, const tg_kernels *kernels, tg_pool *pool) {
    size_t pad = l->valid ? 0 : 1, out = l->side - 2 + 2 * pad;
    j->attrs = (tg_conv2d_attrs){.filters = l->filters, .groups = 1, .bias = true};
    j->attrs.window = (tg_window){l->channels, l->side, l->side, out, out, 3, 3, 1, 1, 1, 1, pad, pad};
    j->inputs[0] = &j->input;
    j->node = (tg_node){.index = 1, .attrs = &j->attrs, .inputs = j->inputs, .input_count = 1};
    j->node.shape = (tg_shape){3, {l->filters, out, out}};
    j->input.shape = (tg_shape){3, {l->channels, l->side, l->side}};
    size_t x = l->n * l->side * l->side * l->channels, y = l->n * out * out * l->filters;
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    j->y[0] = numbers(&rng, x, 1), j->y[1] = numbers(&rng, y, 0);
    j->dy[0] = numbers(&rng, x, 0),
    j->dy[1] = numbers(&rng, y + 64, 0.001); /* what kernels may read beyond */
    size_t sizes[2] = {9 * l->channels * l->filters, l->filters};
    bool all = j->y[0] && j->y[1] && j->dy[0] && j->dy[1];
    for (size_t i = 0; i < 2; i++) {
        tg_param *p = &j->node.params[j->node.param_count++];
        p->size = sizes[i];
        p->data = numbers(&rng, sizes[i], sqrt(2.0 / 9 / (double)l->channels));
        p->gradient = numbers(&rng, sizes[i], 0);
        all = all && p->data && p->gradient;
    }
    j->input.needs_gradient = true;
    j->node.prepared =
        tg_allocate(tg_conv_winograd.prepared_size(&j->node, kernels) * sizeof *j->node.prepared);
    for (size_t i = 0; j->node.prepared && i < tg_conv_winograd.prepare_items(&j->node, kernels); i++)
        tg_conv_winograd.prepare(&j->node, kernels, i);
    size_t most = 0;
    const tg_conv_way *const ways[] = {&tg_conv_direct, &tg_conv_winograd};
    for (size_t i = 0; i < 2; i++) {
        size_t need = ways[i]->scratch(&j->node, l->n, kernels, tg_pool_threads(pool));
        most = need > most ? need : most;
    }
    j->ex = (tg_exec){.kernels = kernels, .pool = pool, .training = true, .capacity = l->n, .n = l->n};
    j->ex.y = j->y, j->ex.dy = j->dy, j->ex.sets_dx = sets_dx, j->ex.fused = fused;
    j->ex.scratch = tg_allocate(most * sizeof(tg_real));
    return all && j->node.prepared && j->ex.scratch;
}

static void release(job *j) {
    for (size_t i = 0; i < 2; i++) {
        tg_free(j->y[i]), tg_free(j->dy[i]);
        tg_free(j->node.params[i].data), tg_free(j->node.params[i].gradient);
    }
    tg_free(j->node.prepared);
    tg_free(j->ex.scratch);
}

static void forward(void *ctx) {
    const job *j = ctx;
    j->way->forward(&j->ex, &j->node);
}

static void backward(void *ctx) {
    const job *j = ctx;
    j->way->backward(&j->ex, &j->node);
}

/* The last output of all. */
static bool is_right(const job *j) {
    const tg_window *w = &j->attrs.window;
    size_t filters = (size_t)j->attrs.filters;
    double sum = (double)j->node.params[1].data[filters - 1];
    for (size_t tap = 0; tap < 9; tap++) {
        size_t y = w->out_h - 1 + tap / 3 - w->pad_top, x = w->out_w - 1 + tap % 3 - w->pad_left;
        if (y >= w->in_h || x >= w->in_w) continue;
        for (size_t c = 0; c < w->channels; c++)
            sum += (double)j->y[0][(((j->ex.n - 1) * w->in_h + y) * w->in_w + x) * w->channels + c] *
                   (double)j->node.params[0].data[((filters - 1) * w->channels + c) * 9 + tap];
    }
    return fabs((double)j->y[1][j->ex.n * w->out_h * w->out_w * filters - 1] - fmax(sum, 0)) < 1e-4;
}

static void time_pass(job *j, const char *way, const layer *l, const char *pass, void (*run)(void *ctx),
                      double peak) {
    char kernel[40], shape[48];
    snprintf(kernel, sizeof kernel, "%s %s", j->ex.kernels->name, way);
    snprintf(shape, sizeof shape, "%s %s", l->name, pass);
    const tg_window *w = &j->attrs.window;
    double flop = 18.0 * (double)(l->channels * l->filters) * (double)(l->n * w->out_h * w->out_w);
    bench_print(kernel, shape, tg_pool_threads(j->ex.pool), bench_gflops(flop, run, j), peak);
}

static bool measure(const layer *l, const tg_kernels *kernels, double peak, tg_pool *pool) {
    static const struct {
        const char *name;
        const tg_conv_way *way;
    } ways[] = {{"direct", &tg_conv_direct}, {"winograd", &tg_conv_winograd}};
    job j = {0};
    bool right = prepare(&j, l, kernels, pool);
    tg_real *dx = j.dy[0], *dw = j.node.params[0].gradient;
    for (size_t i = 0; right && i < 2; i++) {
        j.way = ways[i].way;
        forward(&j);
        right = is_right(&j);
        if (!right) continue;
        time_pass(&j, ways[i].name, l, "y", forward, peak);
        j.dy[0] = dx, j.node.params[0].gradient = NULL;
        time_pass(&j, ways[i].name, l, "dx", backward, peak);
        j.dy[0] = NULL, j.node.params[0].gradient = dw;
        time_pass(&j, ways[i].name, l, "dw", backward, peak);
    }
    j.dy[0] = dx;
    release(&j);
    if (!right) bench_print_wrong(kernels->name, l->name);
    return right;
}

int main(int argc, char **argv) {
    size_t threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    const char *only = argc > 2 ? argv[2] : "";
    tg_pool *pool;
    tg_error err;
    if (tg_pool_create(threads, &pool, &err) != TG_OK) {
        fprintf(stderr, "%s\n", err.what);
        return 2;
    }
    const tg_kernels *(*const all[])(void) = {tg_kernels_sse2, tg_kernels_avx2, tg_kernels_avx512,
                                              tg_kernels_neon, tg_kernels_wasm128};
    bool right = true;
    for (size_t t = 0; t < sizeof all / sizeof *all; t++) {
        if (!all[t]()) continue;
        double peak = bench_peak(all[t]()->name);
        bench_print(all[t]()->name, "peak", 1, peak, peak);
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
            if (strncmp(layers[i].name, only, strlen(only)) != 0) continue;
            right &= measure(&layers[i], all[t](), peak, pool);
        }
    }
    tg_pool_destroy(pool);
    return right ? 0 : 1;
}
