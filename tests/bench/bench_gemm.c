/* bench_gemm [THREADS [LAYER]]: checks every product against a plain loop, then prints its speed for each kernel
 * table, and its share of that table's peak: see bench.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "bench.h"
#include "kernels/gemm.h"

/* The dense layers of W1 to W7, and the products of I1. */
typedef struct layer {
    const char *name;
    size_t batch, inputs, units;
} layer;

static const layer layers[] = {
    {"W1 dense1", 32, 784, 10},    {"W2 dense1", 64, 784, 64},    {"W2 dense2", 64, 64, 64},
    {"W2 dense3", 64, 64, 10},     {"W3 dense1", 1000, 3072, 80}, {"W3 dense2", 1000, 80, 80},
    {"W3 dense3", 1000, 80, 10},   {"W4 dense1", 128, 784, 512},  {"W4 dense2", 128, 512, 256},
    {"W4 dense3", 128, 256, 10},   {"W5 dense1", 32, 400, 10},    {"W6 dense1", 50, 1024, 64},
    {"W6 dense2", 50, 64, 10},     {"W7 dense1", 36, 1024, 32},   {"W7 dense2", 36, 32, 32},
    {"W7 dense4", 36, 32, 1024},   {"I1 dense1", 1, 1024, 64},    {"square 256", 256, 256, 256},
    {"square 512", 512, 512, 512}, {"W2 digits", 64, 784, 64},    {"W4 digits", 128, 784, 512},
    {"W7 digits", 36, 1024, 32},   {"W3 relu", 1000, 3072, 80},   {"W4 relu", 128, 512, 256},
};

/* Is x like pictures of digits, four fifths of it 0? Is dy what ReLU hands back, three fifths? */
static bool is_of_digits(const layer *l) {
    return strstr(l->name, "digits") != NULL;
}
static bool is_of_relu(const layer *l) {
    return strstr(l->name, "relu") != NULL;
}

/* y = x w^T and dx = dy w with w packed ahead, as training has it; dw = dy^T x. */
typedef enum form { FORM_Y, FORM_DW, FORM_DX, FORMS } form;
static const char *const form_names[FORMS] = {"y", "dw", "dx"};

static tg_gemm product(const layer *l, form f, const tg_real *a, const tg_real *b, tg_real *c) {
    tg_gemm y = {
        .m = l->batch, .n = l->units, .k = l->inputs, .a = {a, l->inputs, 1}, .b = {b, 1, l->inputs}};
    tg_gemm dw = {
        .m = l->units, .n = l->inputs, .k = l->batch, .a = {a, 1, l->units}, .b = {b, l->inputs, 1}};
    tg_gemm dx = {
        .m = l->batch, .n = l->inputs, .k = l->units, .a = {a, l->units, 1}, .b = {b, l->inputs, 1}};
    tg_gemm g = f == FORM_Y ? y : f == FORM_DW ? dw : dx;
    g.c = c;
    g.ldc = g.n;
    if (is_of_digits(l) && f != FORM_DX) g.zeros = f == FORM_Y ? TG_ZEROS_IN_A : TG_ZEROS_IN_B;
    if (is_of_relu(l) && f != FORM_Y) g.zeros = TG_ZEROS_IN_A;
    return g;
}

/* Bit for bit, except where relaxed SIMD may round a product and its addition once. */
static bool agree(tg_real got, tg_real wanted) {
#ifdef __wasm_relaxed_simd__
    return fabs((double)(got - wanted)) <= 1e-4 * fabs((double)wanted);
#else
    return memcmp(&got, &wanted, sizeof got) == 0;
#endif
}

static bool is_right(const tg_gemm *g) {
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            tg_real sum = 0;
            for (size_t p = 0; p < g->k; p++) {
                sum += g->a.data[i * g->a.row_stride + p * g->a.col_stride] *
                       g->b.data[p * g->b.row_stride + j * g->b.col_stride];
            }
            if (!agree(g->c[i * g->ldc + j], sum)) return false;
        }
    }
    return true;
}

typedef struct job {
    const tg_kernels *kernels;
    tg_pool *pool;
    const tg_gemm *gemm;
    tg_real *scratch;
} job;

static void run(void *ctx) {
    const job *j = ctx;
    if (tg_pool_threads(j->pool) > 1) {
        tg_gemm_parallel(j->kernels, j->pool, j->gemm, j->scratch);
    } else {
        tg_gemm_serial(j->kernels, j->gemm, j->scratch);
    }
}

static tg_real *numbers(tg_rng *rng, size_t count) {
    tg_real *x = tg_allocate(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++) x[i] = (tg_real)tg_rng_uniform(rng);
    return x;
}

/* Strokes of six numbers on average, and four times as much between them. */
static void draw_strokes(tg_rng *rng, size_t count, tg_real *x) {
    bool ink = false;
    for (size_t i = 0; i < count; i++) {
        if (tg_rng_below(rng, ink ? 6 : 24) == 0) ink = !ink;
        if (!ink) x[i] = 0;
    }
}

static void rectify(tg_rng *rng, size_t count, tg_real *x) {
    for (size_t i = 0; i < count; i++)
        if (tg_rng_below(rng, 5) < 3) x[i] = 0;
}

static bool measure(const layer *l, form f, const tg_kernels *kernels, double peak, tg_pool *pool) {
    size_t threads = tg_pool_threads(pool);
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    tg_gemm g = product(l, f, NULL, NULL, NULL);
    tg_real *a = numbers(&rng, g.m * g.k), *b = numbers(&rng, g.k * g.n);
    tg_real *c = tg_allocate(g.m * g.n * sizeof *c);
    tg_real *packed = tg_allocate(tg_gemm_packed_size(kernels, g.n, g.k) * sizeof *packed);
    tg_real *scratch = tg_allocate(tg_gemm_scratch(g.m, g.n, g.k, threads) * sizeof *scratch);
    bool right = a && b && c && packed && scratch;
    if (right) {
        g = product(l, f, a, b, c);
        if (g.zeros == TG_ZEROS_IN_A && is_of_digits(l)) draw_strokes(&rng, g.m * g.k, a);
        if (g.zeros == TG_ZEROS_IN_A && is_of_relu(l)) rectify(&rng, g.m * g.k, a);
        if (g.zeros == TG_ZEROS_IN_B) draw_strokes(&rng, g.k * g.n, b);
        if (f != FORM_DW) g.packed = packed;
        for (size_t i = 0; i < tg_gemm_pack_items(kernels, g.n, g.k); i++)
            tg_gemm_pack_item(kernels, &g.b, g.n, g.k, i, packed);
        job j = {kernels, pool, &g, scratch};
        run(&j);
        right = is_right(&g);
        double flop = 2.0 * (double)g.m * (double)g.n * (double)g.k;
        char name[64];
        snprintf(name, sizeof name, "%s %s", l->name, form_names[f]);
        if (right) bench_print(kernels->name, name, threads, bench_gflops(flop, run, &j), peak);
        else bench_print_wrong(kernels->name, name);
    }
    tg_free(scratch);
    tg_free(packed);
    tg_free(c);
    tg_free(b);
    tg_free(a);
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
        for (size_t i = 0; i < FORMS * sizeof layers / sizeof *layers; i++) {
            const layer *l = &layers[i / FORMS];
            if (strncmp(l->name, only, strlen(only)) == 0)
                right &= measure(l, (form)(i % FORMS), all[t](), peak, pool);
        }
    }
    tg_pool_destroy(pool);
    return right ? 0 : 1;
}
