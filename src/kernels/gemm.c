/* The loops around the register tile, after Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication" (2008): blocks of b and a are packed into panels that the tile reads from start to end.
 *
 *     for n0 in n by NC:  for k0 in k by KC:  for m0 in m by MC:
 *         pack b[k0.., n0..] (once) and a[m0.., k0..], some panels an item         (items in parallel)
 *         c[m0.., n0..] += packed a x packed b, some tiles an item                 (items in parallel)
 *
 * A sum that is interrupted after KC terms is stored in c and taken up again from there: tg_real holds it
 * exactly, so blocking changes no bit. */
#include "kernels/gemm.h"

#include <assert.h>

#include "kernels/pack.h"

/* Packed blocks of 256 KB and 512 KB stay in a second-level cache, a panel of b in the first. */
enum { KC = 256, MC = 256, NC = 512 };

/* What one thread takes at a time: some microseconds of work, so that handing it out is not felt. */
enum { ITEM_ROWS = 32, ITEM_COLS = 64, ITEM_PACKED = 8192 };

enum { LARGEST_MR = 16, LARGEST_NR = 64 }; /* of all tables */

/* Below so many multiplications handing out the work costs more than doing it. */
static const double smallest_parallel = 131072.0;

typedef struct gemm_block {
    const tg_kernels *kernels;
    const tg_gemm *gemm;
    size_t m0, m, n0, n, k0, k;
    tg_real *a, *b; /* packed */
    bool accumulate;
    size_t item_rows, item_cols;     /* of c, multiples of mr and nr */
    size_t b_panels, b_items, b_per; /* panels of b; items that pack them, so many in each */
    size_t a_panels, a_items, a_per;
} gemm_block;

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static void pack_a_panel(const gemm_block *block, size_t panel) {
    const tg_matrix *a = &block->gemm->a;
    size_t mr = block->kernels->mr, row = panel * mr;
    const tg_real *src = a->data + (block->m0 + row) * a->row_stride + block->k0 * a->col_stride;
    tg_pack_panel(src, a->col_stride, a->row_stride, block->k, smaller(mr, block->m - row), mr,
                  block->a + row * block->k);
}

static void pack_b_panel(const gemm_block *block, size_t panel) {
    const tg_gemm *gemm = block->gemm;
    size_t nr = block->kernels->nr, col = panel * nr, cols = smaller(nr, block->n - col);
    tg_real *dst = block->b + col * block->k;
    if (gemm->pack_b) {
        gemm->pack_b(gemm->b_source, block->k0, block->k, block->n0 + col, cols, nr, dst);
    } else {
        const tg_matrix *b = &gemm->b;
        const tg_real *src = b->data + block->k0 * b->row_stride + (block->n0 + col) * b->col_stride;
        tg_pack_panel(src, b->row_stride, b->col_stride, block->k, cols, nr, dst);
    }
}

/* The items of b come first. */
static void pack_item(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const gemm_block *block = ctx;
    if (i < block->b_items) {
        size_t end = smaller((i + 1) * block->b_per, block->b_panels);
        for (size_t panel = i * block->b_per; panel < end; panel++) pack_b_panel(block, panel);
    } else {
        size_t first = (i - block->b_items) * block->a_per;
        size_t end = smaller(first + block->a_per, block->a_panels);
        for (size_t panel = first; panel < end; panel++) pack_a_panel(block, panel);
    }
}

static void multiply_item(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const gemm_block *block = ctx;
    const tg_kernels *kernels = block->kernels;
    size_t mr = kernels->mr, nr = kernels->nr, ldc = block->gemm->ldc;
    size_t down = divide_up(block->m, block->item_rows); /* items */
    size_t first_row = i % down * block->item_rows, end_row = smaller(first_row + block->item_rows, block->m);
    size_t first_col = i / down * block->item_cols, end_col = smaller(first_col + block->item_cols, block->n);
    for (size_t col = first_col; col < end_col; col += nr) {
        for (size_t row = first_row; row < end_row; row += mr) {
            tg_real *c = block->gemm->c + (block->m0 + row) * ldc + block->n0 + col;
            kernels->gemm_tile(block->k, block->a + row * block->k, block->b + col * block->k, c, ldc,
                               smaller(mr, end_row - row), smaller(nr, end_col - col), block->accumulate);
        }
    }
}

static void for_each(tg_pool *pool, size_t n, void (*fn)(void *ctx, size_t i, size_t thread), void *ctx) {
    if (pool) {
        tg_parallel_for(pool, n, fn, ctx);
    } else {
        for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
    }
}

/* c = 0: what is left of a product without terms. */
static void clear(const tg_gemm *gemm) {
    for (size_t i = 0; i < gemm->m; i++) {
        for (size_t j = 0; j < gemm->n; j++) gemm->c[i * gemm->ldc + j] = 0;
    }
}

static void run(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch) {
    assert(kernels->mr <= LARGEST_MR && kernels->nr <= LARGEST_NR);
    if (gemm->k == 0 && !gemm->accumulate) clear(gemm);
    size_t mr = kernels->mr, nr = kernels->nr;
    gemm_block block = {.kernels = kernels, .gemm = gemm, .b = scratch};
    block.item_rows = larger(smaller(ITEM_ROWS, gemm->m / 4) / mr, 1) * mr; /* small m: four items even so */
    block.item_cols = larger(ITEM_COLS / nr, 1) * nr;
    for (block.n0 = 0; block.n0 < gemm->n; block.n0 += NC) {
        block.n = smaller(NC, gemm->n - block.n0);
        block.b_panels = divide_up(block.n, nr);
        for (block.k0 = 0; block.k0 < gemm->k; block.k0 += KC) {
            block.k = smaller(KC, gemm->k - block.k0);
            block.accumulate = gemm->accumulate || block.k0 > 0;
            block.a = block.b + block.b_panels * nr * block.k;
            block.a_per = larger(ITEM_PACKED / (mr * block.k), 1);
            block.b_per = larger(ITEM_PACKED / (nr * block.k), 1);
            for (block.m0 = 0; block.m0 < gemm->m; block.m0 += MC) {
                block.m = smaller(MC, gemm->m - block.m0);
                block.a_panels = divide_up(block.m, mr);
                block.a_items = divide_up(block.a_panels, block.a_per);
                block.b_items = block.m0 == 0 ? divide_up(block.b_panels, block.b_per) : 0; /* stays packed */
                for_each(pool, block.a_items + block.b_items, pack_item, &block);
                size_t items = divide_up(block.m, block.item_rows) * divide_up(block.n, block.item_cols);
                for_each(pool, items, multiply_item, &block);
            }
        }
    }
}

size_t tg_gemm_scratch(size_t m, size_t n, size_t k, size_t threads) {
    (void)threads; /* packed blocks are shared */
    return (smaller(m, MC) + LARGEST_MR + smaller(n, NC) + LARGEST_NR) * smaller(k, KC);
}

void tg_gemm_parallel(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch) {
    bool small = (double)gemm->m * (double)gemm->n * (double)gemm->k < smallest_parallel;
    run(kernels, small || tg_pool_threads(pool) == 1 ? NULL : pool, gemm, scratch);
}

void tg_gemm_serial(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch) {
    run(kernels, NULL, gemm, scratch);
}
