/* The packed product against a triple loop that adds the same terms in the same order: bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/gemm.h"

typedef struct shape {
    size_t m, n, k;
} shape;

static tg_real *numbers(tg_rng *rng, size_t count) {
    tg_real *x = tg_allocate(count * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++) x[i] = (tg_real)(tg_rng_uniform(rng) - 0.5);
    return x;
}

static void naive(const tg_gemm *g, tg_real *c) {
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            tg_real sum = g->accumulate ? c[i * g->ldc + j] : g->bias ? g->bias[j] : 0;
            for (size_t p = 0; p < g->k; p++) {
                sum += g->a.data[i * g->a.row_stride + p * g->a.col_stride] *
                       g->b.data[p * g->b.row_stride + j * g->b.col_stride];
            }
            c[i * g->ldc + j] = sum;
        }
    }
}

/* rows x cols with some numbers between the rows, transposed or not, or with gaps between all elements. */
static tg_matrix matrix(tg_rng *rng, size_t rows, size_t cols, unsigned form, tg_real **own) {
    size_t gap = tg_rng_below(rng, 4);
    tg_matrix x = {.row_stride = cols + gap, .col_stride = 1};
    if (form == 1) x = (tg_matrix){.row_stride = 1, .col_stride = rows + gap};
    if (form == 2) x = (tg_matrix){.row_stride = 2 * cols + gap, .col_stride = 2};
    *own = numbers(rng, (rows ? rows - 1 : 0) * x.row_stride + cols * x.col_stride + 1);
    x.data = *own;
    return x;
}

/* In items, the last first. */
static tg_real *pack(const tg_kernels *kernels, const tg_gemm *g) {
    tg_real *packed = tg_allocate(tg_gemm_packed_size(kernels, g->n, g->k) * sizeof *packed + 1);
    assert_non_null(packed);
    for (size_t i = tg_gemm_pack_items(kernels, g->n, g->k); i-- > 0;)
        tg_gemm_pack_item(kernels, &g->b, g->n, g->k, i, packed);
    return packed;
}

/* As two products: from some row or column on, and up to there. */
static void run_in_parts(const tg_kernels *kernels, tg_rng *rng, const tg_gemm *g, tg_real *scratch) {
    bool by_rows = tg_rng_below(rng, 2);
    size_t grain = by_rows || !g->packed ? 1 : kernels->gemm_cols, size = by_rows ? g->m : g->n;
    size_t cut = tg_rng_below(rng, (uint32_t)(size / grain) + 1) * grain;
    tg_gemm low = by_rows ? tg_gemm_rows(g, 0, cut) : tg_gemm_columns(g, 0, cut);
    tg_gemm high = by_rows ? tg_gemm_rows(g, cut, size - cut) : tg_gemm_columns(g, cut, size - cut);
    tg_gemm_serial(kernels, &high, scratch);
    tg_gemm_serial(kernels, &low, scratch);
}

/* pool NULL: tg_gemm_serial. */
static void check(const tg_kernels *kernels, tg_pool *pool, tg_rng *rng, shape s) {
    tg_real *own_a, *own_b;
    unsigned a_form = tg_rng_below(rng, 2), b_form = tg_rng_below(rng, 3);
    tg_gemm g = {.m = s.m, .n = s.n, .k = s.k, .accumulate = tg_rng_below(rng, 2)};
    tg_real *bias = numbers(rng, s.n + 1);
    if (tg_rng_below(rng, 2)) g.bias = bias;
    g.a = matrix(rng, s.m, s.k, a_form, &own_a);
    g.b = matrix(rng, s.k, s.n, b_form, &own_b);
    g.ldc = s.n + tg_rng_below(rng, 3);
    size_t size = s.m * g.ldc + 1;
    tg_real *c = numbers(rng, size), *wanted = tg_allocate(size * sizeof *wanted);
    assert_non_null(wanted);
    memcpy(wanted, c, size * sizeof *c);
    naive(&g, wanted);

    g.c = c;
    size_t need = tg_gemm_scratch(s.m, s.n, s.k, pool ? tg_pool_threads(pool) : 1);
    tg_real *scratch = tg_allocate(need * sizeof *scratch); /* exactly: a sanitizer sees a write beyond it */
    assert_non_null(scratch);
    tg_real *packed = tg_rng_below(rng, 2) ? pack(kernels, &g) : NULL;
    bool parts = !pool && tg_rng_below(rng, 2);
    if (packed) {
        g.packed = packed;
        g.b.data = NULL; /* it is not read */
    }
    if (pool) {
        tg_gemm_parallel(kernels, pool, &g, scratch);
    } else if (parts) {
        run_in_parts(kernels, rng, &g, scratch);
    } else {
        tg_gemm_serial(kernels, &g, scratch);
    }
    if (memcmp(c, wanted, size * sizeof *c) != 0) { /* the gaps of c included */
        fail_msg("%s %zux%zux%zu, threads %zu, a form %u, b form %u, accumulate %d, packed %d, parts %d",
                 kernels->name, s.m, s.n, s.k, pool ? tg_pool_threads(pool) : 0, a_form, b_form, g.accumulate,
                 packed != NULL, parts);
    }
    tg_free(packed);
    tg_free(scratch);
    tg_free(wanted);
    tg_free(bias);
    tg_free(c);
    tg_free(own_b);
    tg_free(own_a);
}

static void equals_the_triple_loop(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    tg_rng rng = tg_rng_stream(2, TG_RNG_TEST, 0, 0);
    for (size_t size = 0; size <= 33; size++) {
        check(kernels, NULL, &rng, (shape){size, size, size});
        for (size_t i = 0; i < 20; i++) {
            check(kernels, NULL, &rng, (shape){1 + tg_rng_below(&rng, 33), 1 + tg_rng_below(&rng, 33), size});
        }
    }
    /* Rows, columns and dots; beyond every block size, and just so. */
    static const shape larger[] = {
        {1, 1, 1},      {1, 300, 40},   {300, 1, 40},   {1, 1, 1000},   {70, 50, 1},     {5, 3, 0},
        {300, 530, 20}, {256, 512, 9},  {20, 30, 256},  {33, 65, 257},  {257, 513, 300}, {32, 10, 784},
        {9, 1027, 300}, {40, 2051, 40}, {70, 1024, 40}, {1024, 33, 50},
    };
    for (size_t i = 0; i < sizeof larger / sizeof *larger; i++) {
        for (size_t repeat = 0; repeat < 3; repeat++) check(kernels, NULL, &rng, larger[i]);
    }
}

/* 401 terms are done in two blocks, 400 in one of twice the length: the last batch of an epoch is a smaller one. */
static void scratch_suffices_for_smaller_products(void **state) {
    (void)state;
    for (size_t k = 1; k < 1300; k++)
        for (size_t n = 1; n < 5000; n *= 3)
            assert_true(tg_gemm_scratch(64, n, k, 2) <= tg_gemm_scratch(64, n, k + 1, 2));
}

static void threads_change_no_bit(void **state) {
    (void)state;
    const tg_kernels *kernels = tg_kernels_choose();
    tg_rng rng = tg_rng_stream(3, TG_RNG_TEST, 0, 0);
    for (size_t threads = 1; threads <= 4; threads++) {
        tg_pool *pool;
        tg_error err;
        if (tg_pool_create(threads, &pool, &err) != TG_OK) skip(); /* a build without threads */
        static const shape shapes[] = {{1, 1, 1},       {64, 64, 64},   {32, 10, 784},
                                       {128, 256, 300}, {300, 600, 33}, {8, 1500, 27}};
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            for (size_t repeat = 0; repeat < 4; repeat++) check(kernels, pool, &rng, shapes[i]);
        }
        tg_pool_destroy(pool);
    }
}

int main(void) {
#define TABLE_TEST(name)                                                                                     \
    {                                                                                                        \
        "equals_the_triple_loop " #name, equals_the_triple_loop, NULL, NULL,                                 \
            (void *)(uintptr_t)tg_kernels_##name()                                                           \
    }
    const struct CMUnitTest tests[] = {
        TABLE_TEST(scalar),
        TABLE_TEST(sse2),
        TABLE_TEST(avx2),
        TABLE_TEST(avx512),
        TABLE_TEST(neon),
        TABLE_TEST(wasm128),
        cmocka_unit_test(scratch_suffices_for_smaller_products),
        cmocka_unit_test(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
