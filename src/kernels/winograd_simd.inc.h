/* Winograd's transforms and register tiles, written once for all instruction sets, the scalar one included: the file
 * that includes this one has a vector `vf` of TG_LANES numbers (as simd.h does) and defines
 *     TG_WINOGRAD_ROWS, TG_WINOGRAD_VECTORS: the register tile is so many rows by so many vectors
 *
 * With the points 0, +-p, +-q and infinity, even and odd powers separate, so that B^T, A^T and A take a few
 * operations each. All coefficients but those of G are exact in float. */
#include "kernels/winograd_kernels.h"

#define P1 ((tg_real)0.625) /* p, its square and cube */
#define P2 (P1 * P1)
#define P3 (P1 * P1 * P1)
#define Q1 ((tg_real)1.5)
#define Q2 (Q1 * Q1)
#define Q3 (Q1 * Q1 * Q1)

/* Rows of G are the powers of the points, divided by the products of their distances from the other points. */
#define G0 ((tg_real)(1 / (0.625 * 0.625 * 1.5 * 1.5)))
#define GP ((tg_real)(1 / (2 * 0.625 * 0.625 * (0.625 * 0.625 - 1.5 * 1.5))))
#define GQ ((tg_real)(1 / (2 * 1.5 * 1.5 * (1.5 * 1.5 - 0.625 * 0.625))))

enum { OUT = TG_WINOGRAD_OUT, IN = TG_WINOGRAD_IN, W_ROWS = TG_WINOGRAD_ROWS };
enum { W_VECTORS = TG_WINOGRAD_VECTORS, W_WIDTH = W_VECTORS * TG_LANES };

/* ---- one dimension: to = matrix x from ----------------------------------------------------------------------- */

static inline void input_line(const vf d[IN], vf to[IN]) {
    vf even_p = d[4] - Q2 * d[2], odd = d[3] - Q2 * d[1], odd_p = P1 * odd;
    vf even_q = d[4] - P2 * d[2], odd_q = Q1 * (d[3] - P2 * d[1]);
    to[0] = even_p + P2 * (Q2 * d[0] - d[2]);
    to[1] = even_p + odd_p;
    to[2] = even_p - odd_p;
    to[3] = even_q + odd_q;
    to[4] = even_q - odd_q;
    to[5] = (d[5] - Q2 * d[3]) - P2 * odd;
}

static inline void output_line(const vf m[IN], vf to[OUT]) {
    vf even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
    to[0] = m[0] + (even_p + even_q);
    to[1] = P1 * odd_p + Q1 * odd_q;
    to[2] = P2 * even_p + Q2 * even_q;
    to[3] = m[5] + (P3 * odd_p + Q3 * odd_q);
}

static inline void gradient_line(const vf y[OUT], vf to[IN]) {
    vf even_p = y[0] + P2 * y[2], odd_p = P1 * y[1] + P3 * y[3];
    vf even_q = y[0] + Q2 * y[2], odd_q = Q1 * y[1] + Q3 * y[3];
    to[0] = y[0];
    to[1] = even_p + odd_p;
    to[2] = even_p - odd_p;
    to[3] = even_q + odd_q;
    to[4] = even_q - odd_q;
    to[5] = y[3];
}

static inline void weights_line(const vf w[3], vf to[IN]) {
    vf even_p = GP * w[0] + (GP * P2) * w[2], odd_p = (GP * P1) * w[1];
    vf even_q = GQ * w[0] + (GQ * Q2) * w[2], odd_q = (GQ * Q1) * w[1];
    to[0] = G0 * w[0];
    to[1] = even_p + odd_p;
    to[2] = even_p - odd_p;
    to[3] = even_q + odd_q;
    to[4] = even_q - odd_q;
    to[5] = w[2];
}

static inline void weights_gradient_line(const vf m[IN], vf to[3]) {
    vf even_p = m[1] + m[2], even_q = m[3] + m[4];
    to[0] = G0 * m[0] + (GP * even_p + GQ * even_q);
    to[1] = (GP * P1) * (m[1] - m[2]) + (GQ * Q1) * (m[3] - m[4]);
    to[2] = m[5] + ((GP * P2) * even_p + (GQ * Q2) * even_q);
}

/* ---- two dimensions: columns, then rows, one vector of channels at a time ------------------------------------- */

/* Unrolled they would hold 36 vectors at once, and no machine has as many registers. */
#ifdef __clang__
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define ROLLED _Pragma("GCC unroll 1")
#endif

/* Where channel c of a tile is, in panels of W_WIDTH channels. */
#define IN_PANELS(c, panel) ((c) / W_WIDTH * (panel) + (c) % W_WIDTH)

/* The first `live` of the lanes: TG_LANES, or fewer in the last vector. */
#define EACH_VECTOR(transform)                                                                               \
    size_t c = 0;                                                                                            \
    for (; c + TG_LANES <= channels; c += TG_LANES) transform(TG_LANES);                                     \
    if (c < channels) transform(channels - c);

__attribute__((always_inline)) static inline void input_vector(size_t live, const tg_real *const *from,
                                                               size_t c, tg_real *to, size_t plane) {
    vf part[IN][IN];
    ROLLED for (size_t j = 0; j < IN; j++) {
        vf line[IN], out[IN];
        for (size_t i = 0; i < IN; i++) line[i] = load_first(from[i * IN + j] + c, live);
        input_line(line, out);
        for (size_t i = 0; i < IN; i++) part[i][j] = out[i];
    }
    ROLLED for (size_t i = 0; i < IN; i++) {
        vf out[IN];
        input_line(part[i], out);
        for (size_t j = 0; j < IN; j++) store(to + (i * IN + j) * plane, out[j]);
    }
}

static void winograd_input(size_t channels, const tg_real *const *from, tg_real *to, size_t panel,
                           size_t plane) {
#define INPUT(live) input_vector(live, from, c, to + IN_PANELS(c, panel), plane)
    EACH_VECTOR(INPUT)
}

__attribute__((always_inline)) static inline void output_vector(size_t live, const tg_real *from,
                                                                size_t plane, size_t c, const tg_real *bias,
                                                                bool relu, bool add, tg_real *const *to) {
    vf part[OUT][IN], base = bias ? load_first(bias + c, live) : (vf){0};
    ROLLED for (size_t j = 0; j < IN; j++) {
        vf line[IN], out[OUT];
        for (size_t i = 0; i < IN; i++) line[i] = load(from + (i * IN + j) * plane);
        output_line(line, out);
        for (size_t i = 0; i < OUT; i++) part[i][j] = out[i];
    }
    ROLLED for (size_t i = 0; i < OUT; i++) {
        vf out[OUT];
        output_line(part[i], out);
        for (size_t j = 0; j < OUT; j++) {
            tg_real *at = to[i * OUT + j] + c;
            vf y = out[j] + base;
            if (relu) y = relu_of(y);
            if (add) y = load_first(at, live) + y;
            store_first(at, y, live);
        }
    }
}

static void winograd_output(size_t channels, const tg_real *from, size_t panel, size_t plane,
                            const tg_real *bias, bool relu, bool add, tg_real *const *to) {
#define OUTPUT(live) output_vector(live, from + IN_PANELS(c, panel), plane, c, bias, relu, add, to)
    EACH_VECTOR(OUTPUT)
}

__attribute__((always_inline)) static inline void gradient_vector(size_t live, const tg_real *const *from,
                                                                  size_t c, tg_real *to, size_t plane) {
    vf part[IN][OUT];
    ROLLED for (size_t j = 0; j < OUT; j++) {
        vf line[OUT], out[IN];
        for (size_t i = 0; i < OUT; i++) line[i] = load_first(from[i * OUT + j] + c, live);
        gradient_line(line, out);
        for (size_t i = 0; i < IN; i++) part[i][j] = out[i];
    }
    ROLLED for (size_t i = 0; i < IN; i++) {
        vf out[IN];
        gradient_line(part[i], out);
        for (size_t j = 0; j < IN; j++) store(to + (i * IN + j) * plane, out[j]);
    }
}

static void winograd_gradient(size_t channels, const tg_real *const *from, tg_real *to, size_t panel,
                              size_t plane) {
#define GRADIENT(live) gradient_vector(live, from, c, to + IN_PANELS(c, panel), plane)
    EACH_VECTOR(GRADIENT)
}

/* Of weights there are only whole vectors. */
static void winograd_weights(size_t channels, const tg_real *from, size_t taps, tg_real *to, size_t plane) {
    for (size_t c = 0; c < channels; c += TG_LANES) {
        vf part[IN][3];
        ROLLED for (size_t j = 0; j < 3; j++) {
            vf line[3], out[IN];
            for (size_t i = 0; i < 3; i++) line[i] = load(from + (i * 3 + j) * taps + c);
            weights_line(line, out);
            for (size_t i = 0; i < IN; i++) part[i][j] = out[i];
        }
        ROLLED for (size_t i = 0; i < IN; i++) {
            vf out[IN];
            weights_line(part[i], out);
            for (size_t j = 0; j < IN; j++) store(to + (i * IN + j) * plane + c, out[j]);
        }
    }
}

static void winograd_weights_gradient(size_t channels, const tg_real *from, size_t plane, tg_real *to,
                                      size_t taps) {
    for (size_t c = 0; c < channels; c += TG_LANES) {
        vf part[3][IN];
        ROLLED for (size_t j = 0; j < IN; j++) {
            vf line[IN], out[3];
            for (size_t i = 0; i < IN; i++) line[i] = load(from + (i * IN + j) * plane + c);
            weights_gradient_line(line, out);
            for (size_t i = 0; i < 3; i++) part[i][j] = out[i];
        }
        ROLLED for (size_t i = 0; i < 3; i++) {
            vf out[3];
            weights_gradient_line(part[i], out);
            for (size_t j = 0; j < 3; j++) store(to + (i * 3 + j) * taps + c, out[j]);
        }
    }
}

/* ---- products: a panel of columns, one register tile below the other --------------------------------------------- */

/* One call does them all: it would cost as much as a tile. */
static void winograd_product(size_t m, size_t k, const tg_real *a, size_t panel, const tg_real *b,
                             tg_real *c) {
    for (size_t r = 0; r < m; r += W_ROWS, a += W_ROWS * W_WIDTH, c += W_ROWS * W_WIDTH) {
        vf sum[W_ROWS][W_VECTORS] = {{(vf){0}}};
        const tg_real *row = a, *columns = b;
        for (size_t left = k; left > 0; row += panel) {
            size_t terms = left < W_WIDTH ? left : W_WIDTH;
            left -= terms;
            for (const tg_real *term = row; term != row + terms; term++, columns += W_WIDTH) {
#pragma GCC unroll 16
                for (size_t i = 0; i < W_ROWS; i++) {
                    vf factor = set1(term[i * W_WIDTH]);
#pragma GCC unroll 4
                    for (size_t j = 0; j < W_VECTORS; j++)
                        sum[i][j] = multiply_add(factor, load(columns + j * TG_LANES), sum[i][j]);
                }
            }
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < W_ROWS; i++) {
#pragma GCC unroll 4
            for (size_t j = 0; j < W_VECTORS; j++) store(c + i * W_WIDTH + j * TG_LANES, sum[i][j]);
        }
    }
}

static void winograd_product_turned(size_t m, size_t k, const tg_real *a, size_t panel, const tg_real *b,
                                    bool accumulate, tg_real *c) {
    for (size_t r = 0; r < m; r += W_ROWS, c += W_ROWS * W_WIDTH) {
        vf sum[W_ROWS][W_VECTORS];
#pragma GCC unroll 16
        for (size_t i = 0; i < W_ROWS; i++) {
#pragma GCC unroll 4
            for (size_t j = 0; j < W_VECTORS; j++)
                sum[i][j] = accumulate ? load(c + i * W_WIDTH + j * TG_LANES) : (vf){0};
        }
        const tg_real *factors = a + IN_PANELS(r, panel), *columns = b;
        for (size_t p = 0; p < k; p++, factors += W_WIDTH, columns += W_WIDTH) {
#pragma GCC unroll 16
            for (size_t i = 0; i < W_ROWS; i++) {
                vf factor = set1(factors[i]);
#pragma GCC unroll 4
                for (size_t j = 0; j < W_VECTORS; j++)
                    sum[i][j] = multiply_add(factor, load(columns + j * TG_LANES), sum[i][j]);
            }
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < W_ROWS; i++) {
#pragma GCC unroll 4
            for (size_t j = 0; j < W_VECTORS; j++) store(c + i * W_WIDTH + j * TG_LANES, sum[i][j]);
        }
    }
}

static const tg_winograd_kernels winograd_table = {
    .rows = W_ROWS,
    .width = W_WIDTH,
    .input = winograd_input,
    .output = winograd_output,
    .gradient = winograd_gradient,
    .weights = winograd_weights,
    .weights_gradient = winograd_weights_gradient,
    .product = winograd_product,
    .product_turned = winograd_product_turned,
};
