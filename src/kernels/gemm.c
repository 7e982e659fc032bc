/* The loops around the panel kernel, after Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication" (2008), but rows of a are read where they lie: their elements are broadcast, not loaded as vectors.
 * Columns of a are copied into rows. b is packed into panels where it has to be transposed or is read often, else it is
 * read in place, too.
 *
 *     for n0 in n by nc:  for k0 in k by kc:
 *         pack b[k0.., n0..], some panels an item                (items in parallel)
 *         c += a[.., k0..] x b[k0.., n0..], a block of c an item (items in parallel)
 *
 * A sum that is interrupted after kc terms is stored in c and taken up again from there: tg_real holds it
 * exactly, so blocking changes no bit.
 *
 * Where many elements of a are 0, as in pictures of digits and in what ReLU hands on, its rows are listed (sparse.h), once for
 * all panels that they meet; where more of b are, the transposed product is computed so. */
#include "kernels/gemm.h"

#include <assert.h>
#include <string.h>

#include "kernels/pack.h"
#include "kernels/sparse.h"

/* A panel of b (20 kB for 16 columns) stays in a first-level cache beside the rows of a that it meets, a packed
 * block (400 kB) in a second-level one. */
enum { KC = 320, PACKED = 102400, LARGEST_COLS = 64, LARGEST_AT_ONCE = 3 /* of all tables */ };

/* Rows of a (80 kB) that stay in the second-level cache while the panels pass. */
enum { ITEM_ROWS = 64 };

/* Columns packed at a time. Of the rows of a product's own b a long stretch is read, which is what memory is good at; but
 * columns of a shared b, weights most often, are rows in memory, and more of them at a time are more pages than the
 * processor knows the places of. */
enum { OWN_COLS = 256, SHARED_COLS = 64 };

/* Elements of b packed at a time: some microseconds. Of its rows, so many are touched before. */
enum { PACK_ITEM = 8192, TOUCHED = 8 };

/* From so many rows of a on, packing b costs nothing even where its rows could be loaded in place. */
enum { OFTEN = 100 };

/* Of a first-level cache: lines 4 kB apart share a set; half of the ways are counted on. */
enum { SETS_BYTES = 4096, LINE = 64, WAYS = 4 };

/* Where b is mostly 0: so many columns of c at a time, as rows of about 128 kB at most. */
enum { MOST_COLUMNS = 64, FEWEST_COLUMNS = 16, TRANSPOSED = 32768 };

/* Terms of a block that are left where rows are listed: so many that the rows of panels at once that they meet stay in a
 * first-level cache (10 kB for 48 columns), although other rows meet others. */
enum { LISTED = 52 };

/* Multiplications below which handing out work costs more than doing it, and those worth an item. */
static const double smallest_parallel = 131072, smallest_item = 32768;

typedef struct gemm_block {
    const tg_kernels *kernels;
    const tg_gemm *gemm;
    size_t n0, n, k0, k;
    tg_real *packed; /* the block of b */
    tg_real *copies; /* of rows of a, [threads][copies_size()] */
    bool in_place;   /* b */
    bool listed;     /* a's rows */
    size_t panels;
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

/* Do k lines `stride` elements apart push each other out of the first-level cache? */
static bool thrashes(size_t stride, size_t k) {
    size_t bytes = stride * sizeof(tg_real),
           together = SETS_BYTES; /* the largest power of 2 in bytes, at most that */
    while (bytes % together != 0) together /= 2;
    return k > WAYS * (SETS_BYTES / larger(together, LINE));
}

/* How wide a packed panel is: whole vectors, of at least four for packing. */
static size_t packed_width(const tg_kernels *kernels, size_t cols) {
    size_t lanes = larger(kernels->lanes, 4);
    return divide_up(cols, lanes) * lanes;
}

/* In vectors of four: calling memcpy for so little takes longer than copying. */
static inline void copy(const tg_real *from, tg_real *to, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) memcpy(to + i, from + i, 4 * sizeof *to);
    for (; i < n; i++) to[i] = from[i];
}

/* ---- packing b: panel after panel, each [k, its width] -------------------------------------------------- */

/* Rows of whole panels, as they lie in memory. Where rows lie far apart each begins with a wait, as nothing foresees it:
 * some are touched first, and waited for together. */
static void pack_rows(const tg_matrix *b, size_t cols, size_t k, size_t panel, size_t end, size_t p,
                      size_t stop, tg_real *packed) {
    for (size_t q = p; q < stop; q++) {
        const tg_real *src = b->data + q * b->row_stride + panel * cols;
        tg_real *dst = packed + (panel * k + q) * cols;
        for (size_t r = q; (q - p) % TOUCHED == 0 && r < smaller(q + TOUCHED, stop); r++) {
            const volatile tg_real *row = src + (r - q) * b->row_stride;
            for (size_t i = 0; i < (end - panel) * cols; i += LINE / sizeof *row) (void)row[i];
        }
        for (size_t i = panel; i < end; i++, src += cols, dst += k * cols) copy(src, dst, cols);
    }
}

/* Terms [p, stop) of the panels [panel, end) of b. */
static void pack(const tg_kernels *kernels, const tg_matrix *b, size_t n, size_t k, size_t panel, size_t end,
                 size_t p, size_t stop, tg_real *packed) {
    size_t cols = kernels->gemm_cols, whole = b->col_stride == 1 ? smaller(end, n / cols) : panel;
    if (panel < whole) pack_rows(b, cols, k, panel, whole, p, stop, packed);
    for (panel = larger(panel, whole); panel < end; panel++) {
        size_t col = panel * cols, live = smaller(cols, n - col), width = packed_width(kernels, live);
        tg_pack_panel(b->data + p * b->row_stride + col * b->col_stride, b->row_stride, b->col_stride,
                      stop - p, live, width, packed + col * k + p * width);
    }
}

/* An item: some terms of some panels, of `cols` columns or as many as there are. */
static size_t item_panels(const tg_kernels *kernels, size_t n, size_t cols) {
    return smaller(divide_up(n, kernels->gemm_cols), cols / kernels->gemm_cols);
}

static size_t item_terms(const tg_kernels *kernels, size_t n, size_t cols) {
    return PACK_ITEM / (kernels->gemm_cols * item_panels(kernels, n, cols));
}

static size_t count_items(const tg_kernels *kernels, size_t n, size_t k, size_t cols) {
    if (n == 0) return 0;
    size_t across = item_panels(kernels, n, cols) * kernels->gemm_cols;
    return divide_up(k, item_terms(kernels, n, cols)) * divide_up(n, across);
}

static void pack_some(const tg_kernels *kernels, const tg_matrix *b, size_t n, size_t k, size_t cols,
                      size_t item, tg_real *packed) {
    size_t terms = item_terms(kernels, n, cols), down = divide_up(k, terms), p = item % down * terms;
    size_t at_once = item_panels(kernels, n, cols), panel = item / down * at_once;
    pack(kernels, b, n, k, panel, smaller(panel + at_once, divide_up(n, kernels->gemm_cols)), p,
         smaller(p + terms, k), packed);
}

size_t tg_gemm_packed_size(const tg_kernels *kernels, size_t n, size_t k) {
    size_t cols = kernels->gemm_cols;
    return (n / cols * cols + packed_width(kernels, n % cols)) * k;
}

size_t tg_gemm_pack_items(const tg_kernels *kernels, size_t n, size_t k) {
    return count_items(kernels, n, k, SHARED_COLS);
}

void tg_gemm_pack_item(const tg_kernels *kernels, const tg_matrix *b, size_t n, size_t k, size_t item,
                       tg_real *packed) {
    pack_some(kernels, b, n, k, SHARED_COLS, item, packed);
}

/* ---- one block ------------------------------------------------------------------------------------------ */

static size_t panel_cols(const gemm_block *block, size_t panel) {
    return smaller(block->kernels->gemm_cols, block->n - panel * block->kernels->gemm_cols);
}

/* Whole vectors can be loaded from where they lie; others would reach beyond the end of a row. */
static bool lies_in_place(const gemm_block *block, size_t panel) {
    return block->in_place && panel_cols(block, panel) % block->kernels->lanes == 0;
}

/* The block's part of b. */
static tg_matrix block_b(const gemm_block *block) {
    tg_matrix b = block->gemm->b;
    b.data += block->k0 * b.row_stride + block->n0 * b.col_stride;
    return b;
}

/* Where the block's terms of a panel are, and how far apart. */
static const tg_real *panel_at(const gemm_block *block, size_t panel, size_t *width) {
    const tg_gemm *gemm = block->gemm;
    size_t col = panel * block->kernels->gemm_cols;
    if (lies_in_place(block, panel)) {
        *width = gemm->b.row_stride;
        return block_b(block).data + col;
    }
    *width = packed_width(block->kernels, panel_cols(block, panel));
    if (gemm->packed) return gemm->packed + col * gemm->k + block->k0 * *width;
    return block->packed + (block->in_place ? 0 : col * block->k); /* in place, only the last one is packed */
}

static void pack_item(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const gemm_block *block = ctx;
    tg_matrix b = block_b(block);
    pack_some(block->kernels, &b, block->n, block->k, OWN_COLS, i, block->packed);
}

/* What cannot be read in place: a last panel of no whole number of vectors. */
static void pack_rest(const gemm_block *block) {
    size_t col = (block->panels - 1) * block->kernels->gemm_cols, cols = block->n - col;
    tg_matrix b = block_b(block);
    b.data += col;
    if (!lies_in_place(block, block->panels - 1))
        pack(block->kernels, &b, cols, block->k, 0, 1, 0, block->k, block->packed);
}

static size_t copied_row(size_t k) {
    return (k + 3) / 4 * 4 | 4;
}

/* to[rows][k] of columns of a. The rows lie an odd number of vectors apart, in different sets of the cache. */
static tg_matrix copy_rows(const gemm_block *block, tg_matrix a, size_t rows, tg_real *to) {
    size_t stride = copied_row(block->k);
    tg_pack_panel(a.data, 1, a.col_stride, rows, block->k, stride, to);
    return (tg_matrix){to, stride, 1};
}

/* For rows of a: lists, then copies. */
static size_t copies_size(size_t m, size_t k) {
    size_t rows = smaller(m, ITEM_ROWS);
    return tg_lists_size(rows, k) + rows * copied_row(k);
}

/* Rows of c and what they are made of: rows of a as they lie or copied, and lists of them for whole panels. */
typedef struct item_rows {
    size_t first, count;
    tg_matrix a;
    tg_list lists[ITEM_ROWS];
} item_rows;

static void take_rows(const gemm_block *block, tg_real *room, item_rows *rows) {
    tg_matrix a = block->gemm->a;
    a.data += rows->first * a.row_stride + block->k0 * a.col_stride;
    rows->a = a;
    if (block->listed) {
        size_t b_row;
        panel_at(block, 0, &b_row);
        tg_lists_fill(block->kernels, &a, rows->count, block->k, b_row, room, rows->lists);
    }
    if (a.col_stride != 1 && !(block->listed && block->n % block->kernels->gemm_cols == 0))
        rows->a = copy_rows(block, a, rows->count, room + tg_lists_size(rows->count, block->k));
}

/* What sums begin with, and how far apart it is for two rows: c, bias, which this fills, or NULL. */
static const tg_real *sums_start(const gemm_block *block, const tg_real *c, size_t col, size_t cols,
                                 tg_real *bias, size_t *row) {
    const tg_gemm *gemm = block->gemm;
    *row = 0;
    if (block->k0 > 0 || gemm->accumulate) {
        *row = gemm->ldc;
        return c;
    }
    if (!gemm->bias) return NULL;
    for (size_t j = 0; j < cols; j++) bias[j] = gemm->bias[col + j] + 0;
    return bias;
}

static void multiply_panel(const gemm_block *block, const item_rows *rows, size_t panel) {
    const tg_gemm *gemm = block->gemm;
    size_t col = block->n0 + panel * block->kernels->gemm_cols, cols = panel_cols(block, panel);
    size_t width, start_row;
    const tg_real *b = panel_at(block, panel, &width);
    tg_real *c = gemm->c + rows->first * gemm->ldc + col, bias[LARGEST_COLS];
    const tg_real *start = sums_start(block, c, col, cols, bias, &start_row);
    block->kernels->gemm_panel(block->k, rows->a.data, rows->a.row_stride, b, width, start, start_row, c,
                               gemm->ldc, rows->count, cols);
}

static void multiply_listed(const gemm_block *block, const item_rows *rows, size_t panel, size_t panels) {
    const tg_kernels *kernels = block->kernels;
    const tg_gemm *gemm = block->gemm;
    size_t col = block->n0 + panel * kernels->gemm_cols, width, start_row, apart = 0;
    const tg_real *b = panel_at(block, panel, &width);
    if (panels > 1) apart = (size_t)(panel_at(block, panel + 1, &width) - b);
    tg_real *c = gemm->c + rows->first * gemm->ldc + col, bias[LARGEST_COLS * LARGEST_AT_ONCE];
    const tg_real *start = sums_start(block, c, col, panels * kernels->gemm_cols, bias, &start_row);
    kernels->gemm_listed(rows->lists, b, apart, start, start_row, c, gemm->ldc, rows->count, panels);
}

static void multiply_item(void *ctx, size_t i, size_t thread) {
    const gemm_block *block = ctx;
    size_t m = block->gemm->m, down = block->row_items, across = block->col_items;
    item_rows rows = {.first = i % down * m / down};
    rows.count = (i % down + 1) * m / down - rows.first;
    take_rows(block, block->copies + thread * copies_size(m, block->k), &rows);
    size_t panel = i / down * block->panels / across, end = (i / down + 1) * block->panels / across;
    size_t whole = smaller(end, block->n / block->kernels->gemm_cols), panels;
    for (; block->listed && panel < whole; panel += panels) {
        panels = smaller(whole - panel, block->kernels->gemm_at_once);
        multiply_listed(block, &rows, panel, panels);
    }
    for (; panel < end; panel++) multiply_panel(block, &rows, panel);
}

/* How many items c's block is cut into: as many as are worth handing out, and at most ITEM_ROWS high. Columns first, as
 * then fewer items read the same panel. */
static void cut(gemm_block *block, size_t threads) {
    double work = (double)block->gemm->m * (double)block->n * (double)block->k;
    size_t wanted = threads == 1 ? 1 : 4 * threads, rows = block->gemm->m;
    while (wanted > threads && work < (double)wanted * smallest_item) wanted--;
    block->col_items = smaller(wanted, block->panels);
    block->row_items = larger(smaller(divide_up(wanted, block->col_items), rows), divide_up(rows, ITEM_ROWS));
}

/* What is left of a product without terms. */
static void begin(const tg_gemm *gemm) {
    for (size_t i = 0; i < gemm->m; i++) {
        for (size_t j = 0; j < gemm->n; j++) gemm->c[i * gemm->ldc + j] = gemm->bias ? gemm->bias[j] + 0 : 0;
    }
}

/* Terms and columns of a block: of about equal size. */
static size_t block_terms(size_t k, size_t most) {
    return divide_up(k, larger(divide_up(k, most), 1));
}

static size_t block_cols(size_t n, size_t kc) {
    return smaller(n, PACKED / larger(kc, 1) / LARGEST_COLS * LARGEST_COLS);
}

static bool reads_in_place(const tg_gemm *gemm, size_t kc) {
    return !gemm->packed && gemm->b.col_stride == 1 && gemm->m < OFTEN &&
           gemm->b.row_stride <= UINT32_MAX / KC && !thrashes(gemm->b.row_stride, kc);
}

/* By their instructions for a term of a row: of n columns in turn, and by lists, which have to be made; around the k terms
 * of an element of c, so many more. */
static const double LISTING = 2, TRANSPOSING = 6;
static bool lists_pay(double zeros, size_t n, size_t k, double around) {
    double columns = (double)n;
    return (1 - zeros) * (columns + 10) + 5 + around * columns / (double)k < 0.7 * columns;
}

static double zeros_in_a(const tg_gemm *gemm) {
    bool may = gemm->zeros & TG_ZEROS_IN_A && !gemm->accumulate && lists_pay(1, gemm->n, gemm->k, LISTING);
    return may ? tg_share_of_zeros(&gemm->a, gemm->m, gemm->k) : 0;
}

bool tg_gemm_lists_a(const tg_gemm *gemm) {
    return lists_pay(zeros_in_a(gemm), gemm->n, gemm->k, LISTING);
}

/* What the packed block of b takes at most. */
static size_t packed_size(size_t n, size_t k) {
    size_t kc = smaller(k, KC);
    return (n > PACKED / larger(kc, 1) ? PACKED : n * kc) + LARGEST_COLS * copied_row(kc);
}

static void run(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch) {
    assert(kernels->gemm_cols <= LARGEST_COLS);
    assert(gemm->a.row_stride == 1 || gemm->a.col_stride == 1);
    if (gemm->m == 0 || gemm->n == 0) return;
    if (gemm->k == 0 && !gemm->accumulate) begin(gemm);
    double zeros = zeros_in_a(gemm), left = 1 - zeros;
    gemm_block block = {.kernels = kernels, .gemm = gemm, .packed = scratch};
    block.copies = scratch + packed_size(gemm->n, gemm->k);
    block.listed = lists_pay(zeros, gemm->n, gemm->k, LISTING);
    size_t kc = block_terms(gemm->k, block.listed && left * KC > LISTED ? (size_t)(LISTED / left) : KC);
    size_t nc = block_cols(gemm->n, kc);
    block.in_place = reads_in_place(gemm, kc);
    if (block.in_place || gemm->packed) nc = gemm->n;
    for (block.n0 = 0; block.n0 < gemm->n; block.n0 += nc) {
        block.n = smaller(nc, gemm->n - block.n0);
        block.panels = divide_up(block.n, kernels->gemm_cols);
        for (block.k0 = 0; block.k0 < gemm->k; block.k0 += kc) {
            block.k = smaller(kc, gemm->k - block.k0);
            if (block.in_place) pack_rest(&block);
            else if (!gemm->packed)
                tg_parallel_for(pool, count_items(kernels, block.n, block.k, OWN_COLS), pack_item, &block);
            cut(&block, tg_pool_threads(pool));
            tg_parallel_for(pool, block.row_items * block.col_items, multiply_item, &block);
        }
    }
}

/* Columns of c that are listed at once: rows of its transpose. */
static size_t columns_at_once(size_t m, size_t n) {
    size_t most = smaller(TRANSPOSED / larger(m, 1), MOST_COLUMNS) & ~(size_t)3;
    return most < FEWEST_COLUMNS ? 0 : smaller(most, n);
}

static bool goes_by_columns(const tg_gemm *gemm) {
    bool from_zero = !gemm->accumulate && !gemm->bias;
    bool readable = !gemm->packed && (gemm->b.row_stride == 1 || gemm->b.col_stride == 1);
    if (!(gemm->zeros & TG_ZEROS_IN_B && from_zero && readable &&
          lists_pay(1, gemm->m, gemm->k, TRANSPOSING) && columns_at_once(gemm->m, gemm->n) > 0))
        return false;
    double zeros = tg_share_of_zeros(&gemm->b, gemm->k, gemm->n);
    return lists_pay(zeros, gemm->m, gemm->k, TRANSPOSING) &&
           !(gemm->zeros & TG_ZEROS_IN_A && tg_share_of_zeros(&gemm->a, gemm->m, gemm->k) >= zeros);
}

/* Packs b as a whole where that takes no more room than a block of it. */
static void pack_once(const tg_kernels *kernels, tg_gemm *gemm, tg_real *packed) {
    if (gemm->k > KC || block_cols(gemm->n, gemm->k) < gemm->n || reads_in_place(gemm, gemm->k)) return;
    for (size_t i = 0; i < tg_gemm_pack_items(kernels, gemm->n, gemm->k); i++)
        tg_gemm_pack_item(kernels, &gemm->b, gemm->n, gemm->k, i, packed);
    gemm->packed = packed;
}

/* c^T = b^T a^T, some columns of c at a time. */
static void run_by_columns(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch) {
    size_t at_once = columns_at_once(gemm->m, gemm->n);
    size_t row = thrashes(gemm->m, at_once) ? copied_row(gemm->m) : gemm->m;
    tg_real *room = scratch + at_once * row;
    tg_gemm some = {.m = at_once,
                    .n = gemm->m,
                    .k = gemm->k,
                    .a = {gemm->b.data, gemm->b.col_stride, gemm->b.row_stride},
                    .b = {gemm->a.data, gemm->a.col_stride, gemm->a.row_stride},
                    .c = scratch,
                    .ldc = row,
                    .zeros = TG_ZEROS_IN_A};
    pack_once(kernels, &some, room);
    for (size_t col = 0; col < gemm->n; col += at_once) {
        some.m = smaller(at_once, gemm->n - col);
        some.a.data = gemm->b.data + col * gemm->b.col_stride;
        run(kernels, NULL, &some, room);
        tg_pack_transposed(scratch, row, some.m, gemm->m, gemm->c + col, gemm->ldc);
    }
}

tg_gemm tg_gemm_rows(const tg_gemm *gemm, size_t first, size_t rows) {
    tg_gemm part = *gemm;
    part.m = rows;
    part.a.data += first * gemm->a.row_stride;
    part.c += first * gemm->ldc;
    return part;
}

tg_gemm tg_gemm_columns(const tg_gemm *gemm, size_t first, size_t cols) {
    tg_gemm part = *gemm;
    part.n = cols;
    if (gemm->packed) part.packed += first * gemm->k;
    else part.b.data += first * gemm->b.col_stride;
    part.c += first;
    if (gemm->bias) part.bias += first;
    return part;
}

static size_t run_scratch(size_t m, size_t n, size_t k, size_t threads) {
    return packed_size(n, k) + threads * copies_size(m, smaller(k, KC));
}

size_t tg_gemm_scratch(size_t m, size_t n, size_t k, size_t threads) {
    /* Also for some of the rows: fewer of them are more columns at once, of at most as much in all and what rows are
     * lengthened by. */
    size_t columns = smaller(n, MOST_COLUMNS);
    size_t rows = smaller(columns * copied_row(m), TRANSPOSED + MOST_COLUMNS * 8);
    return larger(run_scratch(m, n, k, threads), rows + run_scratch(columns, m, k, 1));
}

void tg_gemm_parallel(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch) {
    bool small = (double)gemm->m * (double)gemm->n * (double)gemm->k < smallest_parallel;
    run(kernels, small || tg_pool_threads(pool) == 1 ? NULL : pool, gemm, scratch);
}

void tg_gemm_serial(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch) {
    if (goes_by_columns(gemm)) run_by_columns(kernels, gemm, scratch);
    else run(kernels, NULL, gemm, scratch);
}
