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
#include "kernels/sparse.h"

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
            tg_real sum = g->accumulate ? c[i * g->ldc + j] : g->bias ? 0 + g->bias[j] : 0;
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

/* Four of five numbers become 0 or -0, here all of a row, there all of a column. */
static void clear_most(tg_rng *rng, const tg_matrix *x, tg_real *own, size_t rows, size_t cols) {
    size_t row = tg_rng_below(rng, (uint32_t)rows + 1), col = tg_rng_below(rng, (uint32_t)cols + 1);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            tg_real *at = own + i * x->row_stride + j * x->col_stride;
            if (i == row || j == col || tg_rng_below(rng, 5) > 0)
                *at = tg_rng_below(rng, 9) ? 0 : -(tg_real)0;
        }
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
    g.zeros = tg_rng_below(rng, 4);
    tg_real *bias = numbers(rng, s.n + 1);
    for (size_t j = 0; j < s.n; j += 3) bias[j] = -(tg_real)0;
    if (tg_rng_below(rng, 2)) g.bias = bias;
    g.a = matrix(rng, s.m, s.k, a_form, &own_a);
    g.b = matrix(rng, s.k, s.n, b_form, &own_b);
    if (g.zeros & TG_ZEROS_IN_A) clear_most(rng, &g.a, own_a, s.m, s.k);
    if (g.zeros & TG_ZEROS_IN_B) clear_most(rng, &g.b, own_b, s.k, s.n);
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
        fail_msg("%s %zux%zux%zu, threads %zu, a form %u, b form %u, zeros %u, accumulate %d, packed %d, "
                 "parts %d",
                 kernels->name, s.m, s.n, s.k, pool ? tg_pool_threads(pool) : 0, a_form, b_form,
                 (unsigned)g.zeros, g.accumulate, packed != NULL, parts);
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

/* Rows listed for one to four panels, the last of them not whole, in one block of terms and in several; and weights' gradients
 * of pictures that are mostly 0: some columns at a time, of what is packed once, or not at all. */
static void equals_the_triple_loop_where_terms_are_left_out(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    tg_rng rng = tg_rng_stream(6, TG_RNG_TEST, 0, 0);
    static const shape shapes[] = {{512, 70, 40},  {100, 130, 33}, {400, 90, 300}, {100, 70, 330},
                                   {80, 450, 700}, {65, 32, 36},   {30, 64, 900},  {1, 200, 50}};
    for (size_t i = 0; i < 8 * sizeof shapes / sizeof *shapes; i++) {
        shape s = shapes[i / 8];
        tg_real *own_a, *own_b;
        tg_gemm g = {.m = s.m, .n = s.n, .k = s.k, .ldc = s.n, .zeros = 1 + (unsigned)(i % 3)};
        g.a = matrix(&rng, s.m, s.k, (unsigned)(i % 2), &own_a);
        g.b = matrix(&rng, s.k, s.n, 0, &own_b);
        if (g.zeros & TG_ZEROS_IN_A) clear_most(&rng, &g.a, own_a, s.m, s.k);
        if (g.zeros & TG_ZEROS_IN_B) clear_most(&rng, &g.b, own_b, s.k, s.n);
        tg_real *bias = numbers(&rng, s.n);
        if (i % 8 > 4) g.bias = bias;
        size_t size = s.m * s.n;
        tg_real *wanted = tg_allocate(size * sizeof *wanted), *c = tg_allocate(size * sizeof *c);
        tg_real *scratch = tg_allocate(tg_gemm_scratch(s.m, s.n, s.k, 1) * sizeof *scratch);
        assert_true(wanted && c && scratch);
        naive(&g, wanted);
        g.c = c;
        tg_gemm_serial(kernels, &g, scratch);
        assert_memory_equal(c, wanted, size * sizeof *c);
        tg_free(scratch);
        tg_free(c);
        tg_free(wanted);
        tg_free(bias);
        tg_free(own_b);
        tg_free(own_a);
    }
}

/* Of few rows more columns are listed at once: what is planned for all rows has to do for some of them. */
static void scratch_suffices_for_some_of_the_rows(void **state) {
    (void)state;
    const tg_kernels *kernels = tg_kernels_choose();
    tg_rng rng = tg_rng_stream(7, TG_RNG_TEST, 0, 0);
    const size_t m = 2100, n = 70, k = 60;
    tg_real *own_a, *own_b;
    tg_gemm g = {.m = m, .n = n, .k = k, .ldc = n, .zeros = TG_ZEROS_IN_B};
    g.a = matrix(&rng, m, k, 0, &own_a);
    g.b = matrix(&rng, k, n, 0, &own_b);
    clear_most(&rng, &g.b, own_b, k, n);
    tg_real *wanted = tg_allocate(m * n * sizeof *wanted), *c = tg_allocate(m * n * sizeof *c);
    tg_real *scratch =
        tg_allocate(tg_gemm_scratch(m, n, k, 1) * sizeof *scratch); /* a sanitizer sees its end */
    assert_true(wanted && c && scratch);
    naive(&g, wanted);
    g.c = c;
    for (size_t first = 0, rows = 1000; first < m;
         first += rows, rows = first + 1000 < m ? 1000 : m - first) {
        tg_gemm part = tg_gemm_rows(&g, first, rows);
        tg_gemm_serial(kernels, &part, scratch);
    }
    assert_memory_equal(c, wanted, m * n * sizeof *c);
    for (size_t rows = 1; rows <= 4096; rows += 1 + rows / 16)
        for (size_t all = rows; all <= 8192; all *= 2)
            assert_true(tg_gemm_scratch(rows, 100, 128, 1) <= tg_gemm_scratch(all, 100, 128, 1));
    tg_free(scratch);
    tg_free(c);
    tg_free(wanted);
    tg_free(own_b);
    tg_free(own_a);
}

/* 401 terms are done in two blocks, 400 in one of twice the length: the last batch of an epoch is a smaller one. */
static void scratch_suffices_for_smaller_products(void **state) {
    (void)state;
    for (size_t k = 1; k < 1300; k++)
        for (size_t n = 1; n < 5000; n *= 3)
            assert_true(tg_gemm_scratch(64, n, k, 2) <= tg_gemm_scratch(64, n, k + 1, 2));
}

/* Rows or columns of numbers that are mostly 0 or -0: a list has the others, in order. */
static void lists_have_what_is_not_zero(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    tg_rng rng = tg_rng_stream(5, TG_RNG_TEST, 0, 0);
    for (size_t k = 0; k < 200; k += 1 + k / 8)
        for (size_t rows = 0; rows <= 64; rows += 1 + rows / 8) {
            tg_real *own, *room = tg_allocate(tg_lists_size(rows, k) * sizeof *room + 1);
            tg_matrix x = matrix(&rng, rows, k, (unsigned)tg_rng_below(&rng, 2), &own);
            if (rows > 0 && k > 0) clear_most(&rng, &x, own, rows, k);
            tg_list lists[64];
            tg_lists_fill(kernels, &x, rows, k, 48, room, lists);
            for (size_t i = 0; i < rows; i++) {
                size_t found = 0;
                for (size_t p = 0; p < k; p++) {
                    tg_real value = x.data[i * x.row_stride + p * x.col_stride];
                    if (value == 0) continue;
                    assert_true(found < lists[i].count);
                    assert_int_equal(lists[i].terms[found].row, 48 * p);
                    assert_memory_equal(&lists[i].terms[found++].value, &value, sizeof value);
                }
                assert_int_equal(found, lists[i].count);
            }
            tg_free(room);
            tg_free(own);
        }
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
#define TABLE_TEST(test, name)                                                                               \
    { #test " " #name, test, NULL, NULL, (void *)(uintptr_t)tg_kernels_##name() }
#define TABLE_TESTS(name)                                                                                    \
    TABLE_TEST(equals_the_triple_loop, name),                                                                \
        TABLE_TEST(equals_the_triple_loop_where_terms_are_left_out, name),                                   \
        TABLE_TEST(lists_have_what_is_not_zero, name)
    const struct CMUnitTest tests[] = {
        TABLE_TESTS(scalar),
        TABLE_TESTS(sse2),
        TABLE_TESTS(avx2),
        TABLE_TESTS(avx512),
        TABLE_TESTS(neon),
        TABLE_TESTS(wasm128),
        cmocka_unit_test(scratch_suffices_for_smaller_products),
        cmocka_unit_test(scratch_suffices_for_some_of_the_rows),
        cmocka_unit_test(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
