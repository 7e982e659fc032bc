/* The loops around the panel kernel, after Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication" (2008), but a is read where it lies: its elements are broadcast, not loaded as vectors. b is
 * packed into panels where it has to be transposed or is read often, else it is read in place, too.
 *
 *     for n0 in n by nc:  for k0 in k by kc:
 *         pack b[k0.., n0..], some panels an item                (items in parallel)
 *         c += a[.., k0..] x b[k0.., n0..], a block of c an item (items in parallel)
 *
 * A sum that is interrupted after kc terms is stored in c and taken up again from there: tg_real holds it
 * exactly, so blocking changes no bit. */
#include "kernels/gemm.h"

#include <assert.h>

#include "kernels/pack.h"

/* A panel of b (12.5 kB for 8 columns) stays in a first-level cache beside the rows of a that it meets, a packed
 * block (400 kB) in a second-level one. */
enum { KC = 400, PACKED = 102400, LARGEST_COLS = 64 /* of all tables */ };

/* A block of c, an item of work: 64 rows of a (100 kB) stay in the second-level cache while the panels pass. */
enum { ITEM_ROWS = 64, ITEM_COLS = 128, ITEM_PACKED = 8192 };

/* b is packed even though its rows could be loaded in place from so many rows of a on: then strides that are bad for
 * caches cost more than packing. */
enum { OFTEN = 48 };

/* Multiplications below which handing out work costs more than doing it, and those worth an item. */
static const double smallest_parallel = 131072, smallest_item = 32768;

typedef struct gemm_block {
    const tg_kernels *kernels;
    const tg_gemm *gemm;
    size_t n0, n, k0, k;
    tg_real *packed;
    bool in_place;
    size_t panels, pack_items;
    size_t row_items, col_items;
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

static size_t panel_cols(const gemm_block *block, size_t panel) {
    return smaller(block->kernels->gemm_cols, block->n - panel * block->kernels->gemm_cols);
}

/* Whole vectors can be loaded from where they lie; others would reach beyond the end of a row. */
static bool lies_in_place(const gemm_block *block, size_t panel) {
    return block->in_place && panel_cols(block, panel) % block->kernels->lanes == 0;
}

/* Where a panel is packed, and how wide. */
static tg_real *packed_panel(const gemm_block *block, size_t panel, size_t *width) {
    size_t lanes = larger(block->kernels->lanes, 4), cols = panel_cols(block, panel);
    *width = divide_up(cols, lanes) * lanes;
    return block->packed + panel * block->kernels->gemm_cols * block->k;
}

static void pack_panel(const gemm_block *block, size_t panel) {
    const tg_gemm *gemm = block->gemm;
    size_t col = block->n0 + panel * block->kernels->gemm_cols, cols = panel_cols(block, panel), width;
    if (lies_in_place(block, panel)) return;
    tg_real *dst = packed_panel(block, panel, &width);
    if (gemm->pack_b) {
        gemm->pack_b(gemm->b_source, block->k0, block->k, col, cols, width, dst);
    } else {
        const tg_matrix *b = &gemm->b;
        const tg_real *src = b->data + block->k0 * b->row_stride + col * b->col_stride;
        tg_pack_panel(src, b->row_stride, b->col_stride, block->k, cols, width, dst);
    }
}

static void pack_item(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const gemm_block *block = ctx;
    size_t end = (i + 1) * block->panels / block->pack_items;
    for (size_t panel = i * block->panels / block->pack_items; panel < end; panel++) pack_panel(block, panel);
}

static void multiply_item(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const gemm_block *block = ctx;
    const tg_kernels *kernels = block->kernels;
    const tg_gemm *gemm = block->gemm;
    const tg_matrix *a = &gemm->a, *b = &gemm->b;
    size_t down = block->row_items, across = block->col_items;
    size_t row = i % down * gemm->m / down, rows = (i % down + 1) * gemm->m / down - row;
    size_t end = (i / down + 1) * block->panels / across;
    for (size_t panel = i / down * block->panels / across; panel < end; panel++) {
        size_t col = block->n0 + panel * kernels->gemm_cols, width;
        const tg_real *from = packed_panel(block, panel, &width);
        if (lies_in_place(block, panel)) {
            from = b->data + block->k0 * b->row_stride + col;
            width = b->row_stride;
        }
        tg_real *c = gemm->c + row * gemm->ldc + col;
        const tg_real *start = block->k0 > 0 || gemm->accumulate ? c : gemm->bias ? gemm->bias + col : NULL;
        kernels->gemm_panel(block->k, a->data + row * a->row_stride + block->k0 * a->col_stride,
                            a->row_stride, a->col_stride, from, width, start, start == c ? gemm->ldc : 0, c,
                            gemm->ldc, rows, panel_cols(block, panel));
    }
}

/* How many items c's block is cut into: as many as are worth handing out, at least what the caches ask for. Columns
 * first, as then fewer items read the same panel. */
static void cut(gemm_block *block, size_t threads) {
    double work = (double)block->gemm->m * (double)block->n * (double)block->k;
    size_t wanted = threads == 1 ? 1 : 4 * threads, rows = block->gemm->m;
    while (wanted > threads && work < (double)wanted * smallest_item) wanted--;
    block->col_items = larger(smaller(wanted, block->panels), divide_up(block->n, ITEM_COLS));
    block->row_items = larger(smaller(divide_up(wanted, block->col_items), rows), divide_up(rows, ITEM_ROWS));
}

static void for_each(tg_pool *pool, size_t n, void (*fn)(void *ctx, size_t i, size_t thread), void *ctx) {
    if (pool) {
        tg_parallel_for(pool, n, fn, ctx);
    } else {
        for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
    }
}

/* What is left of a product without terms. */
static void begin(const tg_gemm *gemm) {
    for (size_t i = 0; i < gemm->m; i++) {
        for (size_t j = 0; j < gemm->n; j++) gemm->c[i * gemm->ldc + j] = gemm->bias ? gemm->bias[j] : 0;
    }
}

/* Terms and columns of a block: of about equal size. */
static size_t block_terms(size_t k) {
    return divide_up(k, larger(divide_up(k, KC), 1));
}

static size_t block_cols(size_t n, size_t kc) {
    return smaller(n, PACKED / larger(kc, 1) / LARGEST_COLS * LARGEST_COLS);
}

static void run(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch) {
    assert(kernels->gemm_cols <= LARGEST_COLS);
    assert(gemm->a.row_stride == 1 || gemm->a.col_stride == 1);
    if (gemm->m == 0 || gemm->n == 0) return;
    if (gemm->k == 0 && !gemm->accumulate) begin(gemm);
    gemm_block block = {.kernels = kernels, .gemm = gemm, .packed = scratch};
    block.in_place = !gemm->pack_b && gemm->b.col_stride == 1 && gemm->m < OFTEN;
    size_t kc = block_terms(gemm->k), nc = block.in_place ? gemm->n : block_cols(gemm->n, kc);
    for (block.n0 = 0; block.n0 < gemm->n; block.n0 += nc) {
        block.n = smaller(nc, gemm->n - block.n0);
        block.panels = divide_up(block.n, kernels->gemm_cols);
        for (block.k0 = 0; block.k0 < gemm->k; block.k0 += kc) {
            block.k = smaller(kc, gemm->k - block.k0);
            if (!block.in_place) {
                block.pack_items = smaller(block.panels, divide_up(block.n * block.k, ITEM_PACKED));
                for_each(pool, block.pack_items, pack_item, &block);
            } else {
                pack_panel(&block, block.panels - 1); /* only the last can be too narrow */
            }
            cut(&block, pool ? tg_pool_threads(pool) : 1);
            for_each(pool, block.row_items * block.col_items, multiply_item, &block);
        }
    }
}

size_t tg_gemm_scratch(size_t m, size_t n, size_t k, size_t threads) {
    (void)m, (void)threads; /* b is packed once, for all rows and threads */
    size_t kc = block_terms(k);
    return (block_cols(n, kc) + LARGEST_COLS) * kc;
}

void tg_gemm_parallel(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch) {
    bool small = (double)gemm->m * (double)gemm->n * (double)gemm->k < smallest_parallel;
    run(kernels, small || tg_pool_threads(pool) == 1 ? NULL : pool, gemm, scratch);
}

void tg_gemm_serial(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch) {
    run(kernels, NULL, gemm, scratch);
}
