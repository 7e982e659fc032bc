/* bench_gemm [THREADS [SHAPE]]: checks every product against a plain loop, then prints its speed for each kernel
 * table, and its share of that table's peak: see bench.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "bench.h"
#include "kernels/gemm.h"

/* Forms: which operand is read transposed, as in y = x w^T (NT), dw = dy^T x (TN), dx = dy w (NN). */
typedef struct shape {
    const char *name;
    size_t m, n, k;
    const char *form;
} shape;

static const shape shapes[] = {
    {"square 256", 256, 256, 256, "NN"},    {"square 512", 512, 512, 512, "NN"},
    {"W1 dense", 32, 10, 784, "NT"},        {"W1 dense dw", 10, 784, 32, "TN"},
    {"W2 dense1", 64, 64, 784, "NT"},       {"W2 dense1 dw", 64, 784, 64, "TN"},
    {"W2 dense2", 64, 64, 64, "NT"},        {"W2 dense2 dx", 64, 64, 64, "NN"},
    {"W2 dense3", 64, 10, 64, "NT"},        {"W3 dense1", 1000, 80, 3072, "NT"},
    {"W3 dense1 dw", 80, 3072, 1000, "TN"}, {"W4 dense1", 128, 512, 784, "NT"},
    {"W4 dense1 dw", 512, 784, 128, "TN"},  {"W4 dense2", 128, 256, 512, "NT"},
    {"W4 dense2 dx", 128, 512, 256, "NN"},  {"W5 conv1", 8, 676, 9, "NN"},
    {"W5 conv1 dw", 8, 9, 676, "NT"},       {"W5 conv2", 16, 121, 72, "NN"},
    {"W5 conv2 dw", 16, 72, 121, "NT"},     {"W5 conv2 dx", 72, 121, 16, "TN"},
    {"W6 conv1", 32, 1024, 27, "NN"},       {"W6 conv1 dw", 32, 27, 1024, "NT"},
    {"W6 conv2", 64, 256, 288, "NN"},       {"W6 conv2 dw", 64, 288, 256, "NT"},
    {"W6 conv2 dx", 288, 256, 64, "TN"},    {"W6 conv3", 64, 64, 576, "NN"},
    {"W6 dense1", 50, 64, 1024, "NT"},      {"batch of 1", 1, 64, 1024, "NT"},
};

static tg_gemm product(const shape *s, const tg_real *a, const tg_real *b, tg_real *c) {
    tg_matrix plain_a = {a, s->k, 1}, turned_a = {a, 1, s->m};
    tg_matrix plain_b = {b, s->n, 1}, turned_b = {b, 1, s->k};
    return (tg_gemm){.m = s->m,
                     .n = s->n,
                     .k = s->k,
                     .c = c,
                     .ldc = s->n,
                     .a = s->form[0] == 'N' ? plain_a : turned_a,
                     .b = s->form[1] == 'N' ? plain_b : turned_b};
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

static bool measure(const shape *s, const tg_kernels *kernels, double peak, tg_pool *pool) {
    size_t threads = tg_pool_threads(pool);
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    tg_real *a = tg_allocate(s->m * s->k * sizeof *a), *b = tg_allocate(s->k * s->n * sizeof *b);
    tg_real *c = tg_allocate(s->m * s->n * sizeof *c);
    tg_real *scratch = tg_allocate(tg_gemm_scratch(s->m, s->n, s->k, threads) * sizeof *scratch);
    bool right = a && b && c && scratch;
    for (size_t i = 0; right && i < s->m * s->k; i++) a[i] = (tg_real)tg_rng_uniform(&rng);
    for (size_t i = 0; right && i < s->k * s->n; i++) b[i] = (tg_real)tg_rng_uniform(&rng);
    if (right) {
        tg_gemm g = product(s, a, b, c);
        job j = {kernels, pool, &g, scratch};
        run(&j);
        right = is_right(&g);
        double flop = 2.0 * (double)s->m * (double)s->n * (double)s->k;
        if (right) bench_print(kernels->name, s->name, threads, bench_gflops(flop, run, &j), peak);
    }
    if (!right) bench_print_wrong(kernels->name, s->name);
    tg_free(scratch);
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
    const tg_kernels *(*const all[])(void) = {tg_kernels_scalar, tg_kernels_sse2, tg_kernels_avx2,
                                              tg_kernels_avx512, tg_kernels_neon, tg_kernels_wasm128};
    bool right = true;
    for (size_t t = 0; t < sizeof all / sizeof *all; t++) {
        if (!all[t]()) continue;
        double peak = bench_peak(all[t]()->name);
        bench_print(all[t]()->name, "peak", 1, peak, peak);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            if (strncmp(shapes[i].name, only, strlen(only)) != 0) continue;
            right &= measure(&shapes[i], all[t](), peak, pool);
        }
    }
    tg_pool_destroy(pool);
    return right ? 0 : 1;
}
