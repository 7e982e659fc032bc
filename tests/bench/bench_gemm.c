/* bench_gemm [THREADS [SHAPE]]: checks every product against a plain loop, then prints its speed in GFLOP/s
 * (a multiplication and an addition count two) for each kernel table, and its share of that table's peak: the
 * fastest this core multiplies and adds vectors of that width, measured in the same run. SHAPE: only names
 * that begin so. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/rng.h"
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

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Twelve independent chains of x = x * factor + term: enough to hide the latency of both operations. */
enum { CHAINS = 12, ROUNDS = 1000 };
#define PEAK(name, target, lanes)                                                                            \
    static target float peak_##name(void) {                                                                  \
        typedef float vector __attribute__((vector_size(4 * lanes)));                                        \
        vector x[CHAINS], total = {0}, factor = 0.999f - (vector){0}, term = 0.001f - (vector){0};           \
        for (int i = 0; i < CHAINS; i++) x[i] = (float)i - (vector){0};                                      \
        for (int r = 0; r < ROUNDS; r++) {                                                                   \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) x[i] = x[i] * factor + term;           \
        }                                                                                                    \
        for (int i = 0; i < CHAINS; i++) total += x[i];                                                      \
        return total[0];                                                                                     \
    }
#if defined(__x86_64__)
PEAK(avx512, __attribute__((target("avx512f"))), 16)
PEAK(avx2, __attribute__((target("avx2"))), 8)
#endif
PEAK(128, , 4)

static volatile float sink;

static double peak_gflops(const char *table) {
    /* volatile: called afresh each time. WebAssembly's compilers replace functions between calls. */
    float (*volatile peak)(void) = peak_128;
    double lanes = 4;
#if defined(__x86_64__)
    if (strcmp(table, "avx512") == 0) peak = peak_avx512, lanes = 16;
    if (strcmp(table, "avx2") == 0) peak = peak_avx2, lanes = 8;
#else
    (void)table;
#endif
    double best = 0;
    for (int window = 0; window < 150; window++) {
        enum { CALLS = 200 };
        double start = seconds();
        for (int call = 0; call < CALLS; call++) sink = peak();
        best = fmax(best, 2.0 * (double)CHAINS * lanes * CALLS * ROUNDS / (seconds() - start) / 1e9);
    }
    return best;
}

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

static void run(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *g, tg_real *scratch) {
    if (tg_pool_threads(pool) > 1) {
        tg_gemm_parallel(kernels, pool, g, scratch);
    } else {
        tg_gemm_serial(kernels, g, scratch);
    }
}

/* The best of 25 windows of at least 2 ms, as the peak is: whatever else the machine does takes away. */
static double gflops(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *g, tg_real *scratch) {
    double best = 0;
    for (int window = 0; window < 25; window++) {
        size_t times = 0;
        double start = seconds(), took;
        do {
            run(kernels, pool, g, scratch);
            times++;
            took = seconds() - start;
        } while (took < 0.002);
        best = fmax(best, 2.0 * (double)g->m * (double)g->n * (double)g->k * (double)times / took / 1e9);
    }
    return best;
}

static bool measure(const shape *s, const tg_kernels **tables, const double *peaks, size_t count,
                    tg_pool *pool) {
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    tg_real *a = tg_allocate(s->m * s->k * sizeof *a), *b = tg_allocate(s->k * s->n * sizeof *b);
    tg_real *c = tg_allocate(s->m * s->n * sizeof *c);
    size_t need = tg_gemm_scratch(s->m, s->n, s->k, tg_pool_threads(pool));
    tg_real *scratch = tg_allocate(need * sizeof *scratch);
    bool right = a && b && c && scratch;
    for (size_t i = 0; right && i < s->m * s->k; i++) a[i] = (tg_real)tg_rng_uniform(&rng);
    for (size_t i = 0; right && i < s->k * s->n; i++) b[i] = (tg_real)tg_rng_uniform(&rng);
    printf("%-14s %4zu x%4zu x%4zu %s", s->name, s->m, s->n, s->k, s->form);
    for (size_t t = 0; right && t < count; t++) {
        tg_gemm g = product(s, a, b, c);
        run(tables[t], pool, &g, scratch);
        right = is_right(&g);
        double speed = gflops(tables[t], pool, &g, scratch);
        printf("  %7.1f %3.0f %%", speed, 100 * speed / peaks[t] / (double)tg_pool_threads(pool));
    }
    puts(right ? "" : "  WRONG");
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
    const tg_kernels *tables[sizeof all / sizeof *all];
    double peaks[sizeof all / sizeof *all];
    size_t count = 0;
    printf("%-33s", "GFLOP/s and share of the peak");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i]()) continue;
        tables[count] = all[i]();
        printf("  %13s", tables[count]->name);
        peaks[count] = peak_gflops(tables[count]->name);
        count++;
    }
    printf("\n%-33s", "peak of one thread");
    for (size_t i = 0; i < count; i++) printf("  %7.1f      ", peaks[i]);
    puts("");
    bool right = true;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strncmp(shapes[i].name, only, strlen(only)) != 0) continue;
        right &= measure(&shapes[i], tables, peaks, count, pool);
    }
    tg_pool_destroy(pool);
    return right ? 0 : 1;
}
