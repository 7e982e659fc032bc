/* bench_conv [THREADS [SHAPE]]: 3x3 convolutions forward (y), input gradient (dx) and weight gradient (dw), each
 * checked against plain sums. Operations are counted as a direct convolution needs them, so that Winograd's share of
 * the peak may be above 1, and is what it gains over a direct one at the peak. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/winograd.h"

typedef struct layer {
    const char *name;
    size_t n, side, channels, filters; /* pictures as large as their outputs: "same" padding */
} layer;

static const layer layers[] = {
    {"W6 conv2", 50, 16, 32, 64},           {"W6 conv3", 50, 8, 64, 64},
    {"W6 conv2 n=1", 1, 16, 32, 64},        {"W6 conv3 n=1", 1, 8, 64, 64},
    {"15x15 24 to 48", 50, 15, 24, 48},     {"15x15 48 to 48", 50, 15, 48, 48},
    {"7x7 128 to 128", 50, 7, 128, 128},    {"7x7 192 to 192", 50, 7, 192, 192},
    {"32x32 16 to 16", 32, 32, 16, 16},     {"32x32 64 to 64", 16, 32, 64, 64},
    {"16x16 128 to 128", 16, 16, 128, 128}, {"8x8 256 to 256", 16, 8, 256, 256},
    {"4x4 512 to 512", 16, 4, 512, 512},    {"28x28 8 to 8", 32, 28, 8, 8},
    {"14x14 8 to 16", 32, 14, 8, 16},       {"6x6 64 to 64", 50, 6, 64, 64},
    {"5x5 64 to 64", 50, 5, 64, 64},        {"3x3 64 to 64", 50, 3, 64, 64},
};

typedef struct job {
    const tg_kernels *kernels;
    tg_pool *pool;
    tg_winograd shape;
    size_t n;
    tg_real *x, *w, *dy, *y, *dx, *dw, *scratch;
} job;

static void forward(void *ctx) {
    const job *j = ctx;
    tg_winograd_forward(j->kernels, j->pool, &j->shape, j->n, j->x, j->w, NULL, true, j->y, j->scratch);
}

static void input_gradient(void *ctx) {
    const job *j = ctx;
    tg_winograd_input_gradient(j->kernels, j->pool, &j->shape, j->n, j->w, j->dy, false, j->dx, j->scratch);
}

static void weight_gradient(void *ctx) {
    const job *j = ctx;
    tg_winograd_weight_gradient(j->kernels, j->pool, &j->shape, j->n, j->x, j->dy, j->dw, j->scratch);
}

/* The last output of all. */
static bool is_right(const job *j) {
    const tg_winograd *s = &j->shape;
    double sum = 0;
    for (size_t tap = 0; tap < 9; tap++) {
        size_t y = s->out_h - 2 + tap / 3, x = s->out_w - 2 + tap % 3;
        if (y >= s->in_h || x >= s->in_w) continue;
        for (size_t c = 0; c < s->channels; c++)
            sum += (double)j->x[(((j->n - 1) * s->in_h + y) * s->in_w + x) * s->channels + c] *
                   (double)j->w[((s->filters - 1) * s->channels + c) * 9 + tap];
    }
    return fabs((double)j->y[j->n * s->out_h * s->out_w * s->filters - 1] - fmax(sum, 0)) < 1e-4;
}

static tg_real *numbers(tg_rng *rng, size_t count, double scale) {
    tg_real *x = tg_allocate(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++) x[i] = (tg_real)(scale * tg_rng_normal(rng));
    return x;
}

static bool measure(const layer *l, const tg_kernels *kernels, double peak, tg_pool *pool) {
    size_t threads = tg_pool_threads(pool), pixels = l->n * l->side * l->side;
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    job j = {.kernels = kernels, .pool = pool, .n = l->n};
    j.shape = (tg_winograd){l->side, l->side, l->channels, l->side, l->side, l->filters, 1, 1};
    size_t taps = 9 * l->channels * l->filters;
    j.x = numbers(&rng, pixels * l->channels, 1);
    j.w = numbers(&rng, taps, sqrt(2.0 / 9 / (double)l->channels));
    j.dy = numbers(&rng, pixels * l->filters, 0.001);
    j.y = numbers(&rng, pixels * l->filters, 0);
    j.dx = numbers(&rng, pixels * l->channels, 0);
    j.dw = numbers(&rng, taps, 0);
    j.scratch = tg_allocate(tg_winograd_scratch(&j.shape, kernels, l->n, threads) * sizeof *j.scratch);
    bool right = j.x && j.w && j.dy && j.y && j.dx && j.dw && j.scratch;
    if (right) {
        forward(&j);
        right = is_right(&j);
    }
    static const struct {
        const char *suffix;
        void (*run)(void *ctx);
    } passes[] = {{"y", forward}, {"dx", input_gradient}, {"dw", weight_gradient}};
    for (size_t i = 0; right && i < 3; i++) {
        char kernel[32], shape[48];
        snprintf(kernel, sizeof kernel, "%s winograd", kernels->name);
        snprintf(shape, sizeof shape, "%s %s", l->name, passes[i].suffix);
        double flop = 2.0 * (double)taps * (double)pixels;
        bench_print(kernel, shape, threads, bench_gflops(flop, passes[i].run, &j), peak);
    }
    if (!right) bench_print_wrong(kernels->name, l->name);
    tg_real *all[] = {j.x, j.w, j.dy, j.y, j.dx, j.dw, j.scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tg_free(all[i]);
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
