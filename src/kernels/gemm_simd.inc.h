/* The register tiles of the matrix product for one instruction set; part of kernels_simd.inc.h.
 *
 * A tile is some rows by one to four vectors of c, held in registers while its k terms are added. b's rows are loaded
 * as vectors; a's elements are broadcast from where they lie in their rows. V8's register allocator spills tiles of more
 * than nine vectors (of the peak in Chromium: 2 x 4 98 %, 3 x 3 100 %, 4 x 2 97 %, 6 x 1 80 %, 6 x 2 58 %).
 *
 * V8 makes an instruction of each address that is not a constant away from another, so a few terms share those of a.
 * After each of them the loop may end: in one piece the compiler would move all loads before all sums, and V8 would run
 * out of registers. */

enum { LARGEST_ROWS = 8, GEMM_VECTORS = 4, GEMM_COLS = GEMM_VECTORS * TG_LANES };

#ifdef __wasm__
enum { TERMS_AT_ONCE = 4, MOST_AT_ONCE = 8 /* in the tile for whole panels */ };
#else
enum { TERMS_AT_ONCE = 1, MOST_AT_ONCE = 1 };
#endif

/* One panel of b against `tiles` tiles of rows of a, below each other. */
typedef struct strip {
    size_t tiles, k;
    const float *a;
    size_t a_row;
    const float *b;
    size_t b_row;
    const float *start; /* or NULL */
    size_t start_row;
    float *c;
    size_t ldc;
} strip;

/* rows and vectors are constants wherever this is called. */
__attribute__((always_inline)) static inline void multiply_strip(const strip *s, int rows, int vectors) {
    const float *a = s->a, *start = s->start;
    float *c = s->c;
    const size_t a_row = s->a_row, b_row = s->b_row, start_row = s->start_row, ldc = s->ldc;
    const int terms = vectors == GEMM_VECTORS && rows > 1 ? MOST_AT_ONCE : TERMS_AT_ONCE;
    for (size_t tile = s->tiles; tile > 0; tile--) {
        vf sum[LARGEST_ROWS][GEMM_VECTORS];
        const float *at[LARGEST_ROWS], *b = s->b;
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
            at[i] = a + (size_t)i * a_row;
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++)
                sum[i][j] = start ? load(start + (size_t)i * start_row + j * TG_LANES) : (vf){0};
        }
        for (size_t left = s->k; left > 0;) {
#pragma GCC unroll 8
            for (int term = 0; term < terms; term++, b += b_row) {
                vf row[GEMM_VECTORS];
#pragma GCC unroll 4
                for (int j = 0; j < vectors; j++) row[j] = load(b + j * TG_LANES);
#pragma GCC unroll 8
                for (int i = 0; i < rows; i++) {
                    vf factor = set1(at[i][term]);
#pragma GCC unroll 4
                    for (int j = 0; j < vectors; j++) sum[i][j] = multiply_add(factor, row[j], sum[i][j]);
                }
                if (--left == 0) break;
            }
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) at[i] += terms;
        }
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) store(c + (size_t)i * ldc + j * TG_LANES, sum[i][j]);
        }
        a += (size_t)rows * a_row;
        c += (size_t)rows * ldc;
        if (start) start += (size_t)rows * start_row;
    }
}

#define STRIP(rows, vectors)                                                                                 \
    static void multiply_##rows##x##vectors(const strip *s) {                                                \
        multiply_strip(s, rows, vectors);                                                                    \
    }

/* X(rows, vectors) for every tile. The heights: the tallest that the registers hold, then those by which it goes down. */
#if TG_REGISTERS == 32
#define EACH_TILE(X)                                                                                         \
    X(1, 1)                                                                                                  \
    X(2, 1)                                                                                                  \
    X(4, 1) X(8, 1) X(1, 2) X(2, 2) X(4, 2) X(8, 2) X(1, 3) X(2, 3) X(4, 3) X(5, 3) X(1, 4) X(2, 4) X(4, 4)
static const size_t tallest[GEMM_VECTORS] = {8, 8, 5, 4};
#else
#define EACH_TILE(X) X(1, 1) X(2, 1) X(4, 1) X(1, 2) X(2, 2) X(4, 2) X(1, 3) X(2, 3) X(3, 3) X(1, 4) X(2, 4)
static const size_t tallest[GEMM_VECTORS] = {4, 4, 3, 2};
#endif
static size_t next_height(size_t height) {
    return height > 4 ? 4 : height > 2 ? 2 : 1;
}

#define ENTRY(rows, vectors) [vectors - 1][rows - 1] = multiply_##rows##x##vectors,

EACH_TILE(STRIP)

static void (*const multiply[GEMM_VECTORS][LARGEST_ROWS])(const strip *s) = {EACH_TILE(ENTRY)};

static void copy_block(const float *from, size_t from_row, float *to, size_t to_row, size_t rows,
                       size_t cols) {
    for (size_t i = 0; i < rows; i++, from += from_row, to += to_row) {
        size_t j = 0;
        for (; j + 4 <= cols; j += 4) memcpy(to + j, from + j, 4 * sizeof *to);
        for (; j < cols; j++) to[j] = from[j];
    }
}

/* The last vector of c is not whole, and nothing may be touched beyond it: by way of memory of its own, some tiles at
 * once. */
static void multiply_edge(strip s, size_t rows, size_t cols) {
    enum { TILES = 8 };
    float edge[TILES * LARGEST_ROWS * GEMM_COLS], row[GEMM_COLS] = {0};
    strip some = s;
    some.c = edge, some.ldc = GEMM_COLS;
    for (size_t left = s.tiles; left > 0; left -= some.tiles) {
        some.tiles = left < TILES ? left : TILES;
        size_t height = some.tiles * rows;
        if (s.start && s.start_row == 0) { /* the same for all rows */
            copy_block(s.start, 0, row, 0, 1, cols);
            some.start = row;
        } else if (s.start) {
            copy_block(s.start, s.start_row, edge, GEMM_COLS, height, cols);
            some.start = edge, some.start_row = GEMM_COLS;
            s.start += height * s.start_row;
        }
        multiply[(cols - 1) / TG_LANES][rows - 1](&some);
        copy_block(edge, GEMM_COLS, s.c, s.ldc, height, cols);
        some.a += height * s.a_row;
        s.c += height * s.ldc;
    }
}

static void gemm_panel(size_t k, const float *a, size_t a_row, const float *b, size_t b_row,
                       const float *start, size_t start_row, float *c, size_t ldc, size_t rows, size_t cols) {
    size_t vectors = (cols + TG_LANES - 1) / TG_LANES, height = tallest[vectors - 1];
    strip s = {.k = k, .a_row = a_row, .b = b, .b_row = b_row, .start_row = start_row, .ldc = ldc};
    for (size_t done = 0; done < rows; done += s.tiles * height, height = next_height(height)) {
        s.tiles = (rows - done) / height;
        if (s.tiles == 0) continue;
        s.a = a + done * a_row;
        s.c = c + done * ldc;
        s.start = start ? start + done * start_row : NULL;
        if (cols % TG_LANES == 0) multiply[vectors - 1][height - 1](&s);
        else multiply_edge(s, height, cols);
    }
}

/* ---- row by row, some of the terms ----------------------------------------------------------------------- */

/* Each vector of b is used once, so 12 sums leave room for it and for the factor in 16 registers. */
enum { LISTED_PANELS = 3, LISTED_VECTORS = LISTED_PANELS * GEMM_VECTORS };

typedef struct listed {
    const tg_list *lists, *end;
    const float *b;
    size_t apart;
    const float *start; /* or NULL */
    size_t start_row;
    float *c;
    size_t ldc;
} listed;

__attribute__((always_inline)) static inline void multiply_listed(const listed *s, int panels) {
    const float *b = s->b, *start = s->start;
    float *c = s->c;
    const size_t apart = s->apart;
    const int vectors = panels * GEMM_VECTORS;
    for (const tg_list *list = s->lists; list != s->end; list++, c += s->ldc) {
        vf sum[LISTED_VECTORS];
#pragma GCC unroll 12
        for (int j = 0; j < vectors; j++) sum[j] = start ? load(start + j * TG_LANES) : (vf){0};
        if (start) start += s->start_row;
        for (const tg_term *term = list->terms, *end = term + list->count; term != end; term++) {
            const float *row = b + term->row;
            vf factor = set1(term->value);
#pragma GCC unroll 12
            for (int j = 0; j < vectors; j++) {
                if (j > 0 && j % GEMM_VECTORS == 0) row += apart;
                sum[j] = multiply_add(factor, load(row + j % GEMM_VECTORS * TG_LANES), sum[j]);
            }
        }
#pragma GCC unroll 12
        for (int j = 0; j < vectors; j++) store(c + j * TG_LANES, sum[j]);
    }
}

#define LISTED(panels)                                                                                       \
    static void multiply_listed_##panels(const listed *s) {                                                  \
        multiply_listed(s, panels);                                                                          \
    }
LISTED(1)
LISTED(2)
LISTED(3)

static void gemm_listed(const tg_list *lists, const float *b, size_t apart, const float *start,
                        size_t start_row, float *c, size_t ldc, size_t rows, size_t panels) {
    static void (*const multiply_panels[LISTED_PANELS])(const listed *s) = {
        multiply_listed_1, multiply_listed_2, multiply_listed_3};
    multiply_panels[panels - 1](&(listed){lists, lists + rows, b, apart, start, start_row, c, ldc});
}
