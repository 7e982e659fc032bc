/* The loops around the register tile, after Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication" (2008): blocks of b and a are packed into panels that the tile reads from start to end.
 *
 *     for n0 in n by NC:  for k0 in k by KC:  for m0 in m by MC:
 *         pack b[k0.., n0..] (once) and a[m0.., k0..], panel by panel            (parallel over panels)
 *         c[m0.., n0..] += packed a x packed b, item by item, tile by tile       (parallel over items)
 *
 * A sum that is interrupted after KC terms is stored in c and taken up again from there: tg_real holds it
 * exactly, so blocking changes no bit. */
#include "kernels/gemm.h"

#include <assert.h>

#include "kernels/pack.h"

/* Packed blocks of 256 KB and 512 KB stay in a second-level cache, a panel of b in the first. */
enum { KC = 256, MC = 256, NC = 512 };

/* What one thread takes at a time, about: some ten microseconds at k = KC. */
enum { ITEM_ROWS = 32, ITEM_COLS = 64 };

enum { LARGEST_MR = 16, LARGEST_NR = 64 }; /* of all tables */

/* Below so many multiplications handing out the work costs more than doing it. */
static const double smallest_parallel = 65536.0;

typedef struct gemm_block {
    const tg_kernels *kernels;
    const tg_gemm *gemm;
    size_t m0, m, n0, n, k0, k;
    tg_real *a, *b; /* packed */
    bool accumulate;
} gemm_block;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static void pack_a_panel(void *ctx, size_t i, size_t thread)
{
    (void)thread;
    const gemm_block *block = ctx;
    const tg_matrix *a = &block->gemm->a;
    size_t mr = block->kernels->mr;
    const tg_real *src = a->data + (block->m0 + i * mr) * a->row_stride + block->k0 * a->col_stride;
    tg_pack_panel(src, a->col_stride, a->row_stride, block->k, smaller(mr, block->m - i * mr), mr,
                  block->a + i * mr * block->k);
}

static void pack_b_panel(void *ctx, size_t i, size_t thread)
{
    (void)thread;
    const gemm_block *block = ctx;
    const tg_gemm *gemm = block->gemm;
    size_t nr = block->kernels->nr;
    size_t n0 = block->n0 + i * nr;
    size_t cols = smaller(nr, block->n - i * nr);
    tg_real *dst = block->b + i * nr * block->k;
    if (gemm->pack_b) {
        gemm->pack_b(gemm->b_source, block->k0, block->k, n0, cols, nr, dst);
    } else {
        const tg_real *src = gemm->b.data + block->k0 * gemm->b.row_stride + n0 * gemm->b.col_stride;
        tg_pack_panel(src, gemm->b.row_stride, gemm->b.col_stride, block->k, cols, nr, dst);
    }
}

/* Panels to an item: at least one. */
static size_t item_panels(size_t wanted, size_t panel)
{
    return wanted > panel ? wanted / panel : 1;
}

static void multiply_item(void *ctx, size_t i, size_t thread)
{
    (void)thread;
    const gemm_block *block = ctx;
    const tg_kernels *kernels = block->kernels;
    size_t mr = kernels->mr, nr = kernels->nr, ldc = block->gemm->ldc;
    size_t item_rows = item_panels(ITEM_ROWS, mr) * mr, item_cols = item_panels(ITEM_COLS, nr) * nr;
    size_t down = divide_up(block->m, item_rows);
    size_t row0 = i % down * item_rows, row_end = smaller(row0 + item_rows, block->m);
    size_t col0 = i / down * item_cols, col_end = smaller(col0 + item_cols, block->n);
    for (size_t col = col0; col < col_end; col += nr) {
        for (size_t row = row0; row < row_end; row += mr) {
            tg_real *c = block->gemm->c + (block->m0 + row) * ldc + block->n0 + col;
            kernels->gemm_tile(block->k, block->a + row * block->k, block->b + col * block->k, c, ldc,
                               smaller(mr, row_end - row), smaller(nr, col_end - col), block->accumulate);
        }
    }
}

static size_t count_items(const gemm_block *block)
{
    size_t item_rows = item_panels(ITEM_ROWS, block->kernels->mr) * block->kernels->mr;
    size_t item_cols = item_panels(ITEM_COLS, block->kernels->nr) * block->kernels->nr;
    return divide_up(block->m, item_rows) * divide_up(block->n, item_cols);
}

static void for_each(tg_pool *pool, size_t n, void (*fn)(void *ctx, size_t i, size_t thread), void *ctx)
{
    if (pool) {
        tg_parallel_for(pool, n, fn, ctx);
    } else {
        for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
    }
}

static void run(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch)
{
    if (gemm->k == 0 && !gemm->accumulate) {
        for (size_t i = 0; i < gemm->m; i++) {
            for (size_t j = 0; j < gemm->n; j++) gemm->c[i * gemm->ldc + j] = 0;
        }
    }
    assert(kernels->mr <= LARGEST_MR && kernels->nr <= LARGEST_NR);
    gemm_block block = {.kernels = kernels, .gemm = gemm, .b = scratch};
    for (block.n0 = 0; block.n0 < gemm->n; block.n0 += NC) {
        block.n = smaller(NC, gemm->n - block.n0);
        size_t b_panels = divide_up(block.n, kernels->nr);
        for (block.k0 = 0; block.k0 < gemm->k; block.k0 += KC) {
            block.k = smaller(KC, gemm->k - block.k0);
            block.accumulate = gemm->accumulate || block.k0 > 0;
            block.a = block.b + b_panels * kernels->nr * block.k;
            for_each(pool, b_panels, pack_b_panel, &block);
            for (block.m0 = 0; block.m0 < gemm->m; block.m0 += MC) {
                block.m = smaller(MC, gemm->m - block.m0);
                for_each(pool, divide_up(block.m, kernels->mr), pack_a_panel, &block);
                for_each(pool, count_items(&block), multiply_item, &block);
            }
        }
    }
}

size_t tg_gemm_scratch(size_t m, size_t n, size_t k, size_t threads)
{
    (void)threads; /* packed blocks are shared */
    return (smaller(m, MC) + LARGEST_MR + smaller(n, NC) + LARGEST_NR) * smaller(k, KC);
}

void tg_gemm_parallel(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch)
{
    bool small = (double)gemm->m * (double)gemm->n * (double)gemm->k < smallest_parallel;
    run(kernels, small || tg_pool_threads(pool) == 1 ? NULL : pool, gemm, scratch);
}

void tg_gemm_serial(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch)
{
    run(kernels, NULL, gemm, scratch);
}
