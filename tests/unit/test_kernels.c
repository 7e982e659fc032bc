/* Every kernel table that runs on this machine against the scalar one, bit for bit: all sizes around the
 * vector widths, unaligned arrays, and the values on which instruction sets disagree by themselves. */
#define _POSIX_C_SOURCE 200809L /* setenv */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernels/kernels.h"

enum { LARGEST = 70, OFFSETS = 3 };

typedef struct arrays {
    tg_real a[LARGEST + OFFSETS], b[LARGEST + OFFSETS], c[LARGEST + OFFSETS], d[LARGEST + OFFSETS];
} arrays;

static const tg_sgd_step sgd_step = {
    .learning_rate = 0.1f,
    .l2 = 0.01f,
    .weight_decay = 0.003f,
    .momentum = 0.9f,
};
static const tg_sgd_step nesterov_step = {.learning_rate = 0.03f, .momentum = 0.7f, .nesterov = true};
static const tg_rmsprop_step rmsprop_step = {
    .learning_rate = 0.01f,
    .l2 = 0.01f,
    .weight_decay = 0.003f,
    .alpha = 0.99f,
    .epsilon = 1e-8f,
    .momentum = 0.5f,
};
static const tg_adam_step adam_step = {
    .learning_rate = 0.001f,
    .l2 = 0.01f,
    .decoupled_decay = 0.02f,
    .beta1 = 0.9f,
    .beta2 = 0.999f,
    .epsilon = 1e-8f,
    .correction1 = 0.271f,
    .correction2 = 0.0547f,
};

/* One kernel applied to arrays of n; what it returns is left in d[0], which it is not given then. */
typedef void (*apply_fn)(const tg_kernels *k, size_t n, tg_real *a, tg_real *b, tg_real *c, tg_real *d);
typedef struct kernel_case {
    const char *name;
    apply_fn apply;
} kernel_case;

#define APPLY(name, call)                                                                                    \
    static void apply_##name(const tg_kernels *k, size_t n, tg_real *a, tg_real *b, tg_real *c,              \
                             tg_real *d) {                                                                   \
        (void)a, (void)b, (void)c, (void)d;                                                                  \
        call;                                                                                                \
    }
APPLY(relu, k->relu(n, a, b))
APPLY(relu_in_place, k->relu(n, a, a))
APPLY(relu_backward, k->relu_backward(n, a, b, c))
APPLY(relu_backward_in_place, k->relu_backward(n, a, b, b))
APPLY(leaky_relu, k->leaky_relu(n, 0.01f, a, b))
APPLY(leaky_relu_backward, k->leaky_relu_backward(n, 0.01f, a, b, c))
APPLY(leaky_relu_backward_in_place, k->leaky_relu_backward(n, 0.01f, a, b, b))
APPLY(sigmoid, k->sigmoid(n, a, b))
APPLY(sigmoid_backward, k->sigmoid_backward(n, a, b, c))
APPLY(sigmoid_backward_in_place, k->sigmoid_backward(n, a, b, b))
APPLY(tanh, k->tanh(n, a, b))
APPLY(tanh_backward, k->tanh_backward(n, a, b, c))
APPLY(tanh_backward_in_place, k->tanh_backward(n, a, b, b))
APPLY(exp, k->exp(n, a, b))
APPLY(exp_in_place, k->exp(n, a, a))
APPLY(add, k->add(n, a, b))
APPLY(scale, k->scale(n, -1.7f, a))
APPLY(scale_u8, k->scale_u8(n, (const uint8_t *)a + 1, 0.1f, -0.7f, b))
APPLY(scale_rgb, k->scale_rgb(n / 3, (const uint8_t *)a + 1, 0.1f, -0.7f, b))
APPLY(multiply_add, k->multiply_add(n, a, b, c))
APPLY(sum, d[0] = k->sum(n, a))
APPLY(sum_squares, d[0] = k->sum_squares(n, a, 0.3f))
APPLY(all_finite, d[0] = k->all_finite(n, a))
APPLY(max, d[0] = k->max(n, a, -INFINITY))
APPLY(max_from_zero, d[0] = k->max(n, a, -0.0f))
APPLY(add_row, k->add_row(3, n / 3, a, b))
APPLY(sum_rows, k->sum_rows(3, n / 3, a, b))
APPLY(sum_squares_rows, k->sum_squares_rows(3, n / 3, a, c, b))
APPLY(sum_products_rows, k->sum_products_rows(3, n / 3, a, d, c, b))
APPLY(sgd, k->sgd(n, &sgd_step, a, b))
APPLY(momentum, k->momentum(n, &sgd_step, a, b, c))
APPLY(nesterov, k->momentum(n, &nesterov_step, a, b, c))
APPLY(rmsprop, k->rmsprop(n, &rmsprop_step, a, b, c, d))
APPLY(adam, k->adam(n, &adam_step, a, b, c, d))

#define CASE(name)                                                                                           \
    { #name, apply_##name }
static const kernel_case cases[] = {
    CASE(relu),
    CASE(relu_in_place),
    CASE(relu_backward),
    CASE(relu_backward_in_place),
    CASE(leaky_relu),
    CASE(leaky_relu_backward),
    CASE(leaky_relu_backward_in_place),
    CASE(sigmoid),
    CASE(sigmoid_backward),
    CASE(sigmoid_backward_in_place),
    CASE(tanh),
    CASE(tanh_backward),
    CASE(tanh_backward_in_place),
    CASE(exp),
    CASE(exp_in_place),
    CASE(add),
    CASE(scale),
    CASE(scale_u8),
    CASE(scale_rgb),
    CASE(multiply_add),
    CASE(sum),
    CASE(sum_squares),
    CASE(all_finite),
    CASE(max),
    CASE(max_from_zero),
    CASE(add_row),
    CASE(sum_rows),
    CASE(sum_squares_rows),
    CASE(sum_products_rows),
    CASE(sgd),
    CASE(momentum),
    CASE(nesterov),
    CASE(rmsprop),
    CASE(adam),
};

/* special: one value in four is an awkward one; wild: that may be infinite or NaN. */
static void fill(arrays *values, tg_rng *rng, bool special, bool wild) {
    static const double specials[] = {
        0.0,  -0.0,  1.0,    -1.0,   0.5,    -9.1,    1e-40,    -1e-40,    1e-45, 88.7,
        88.8, -87.5, -103.9, -104.1, 3.4e38, -3.4e38, INFINITY, -INFINITY, NAN,
    };
    size_t choices = sizeof specials / sizeof *specials - (wild ? 0 : 3);
    tg_real *first = (tg_real *)values;
    for (size_t i = 0; i < sizeof *values / sizeof *first; i++) {
        bool pick = special && tg_rng_below(rng, 4) == 0;
        double value = pick ? specials[tg_rng_below(rng, (uint32_t)choices)] : 3.0 * tg_rng_normal(rng);
        first[i] = (tg_real)value;
    }
}

/* A NaN equals a NaN: its sign and payload are nobody's promise. */
static bool same_bits(tg_real a, tg_real b) {
    return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
}

static void apply(const kernel_case *kernel, const tg_kernels *k, size_t n, size_t offset, arrays *x) {
    kernel->apply(k, n, x->a + offset, x->b + offset, x->c + offset, x->d + offset);
}

static void compare(const tg_kernels *kernels, const kernel_case *kernel, size_t n, size_t offset,
                    const arrays *input) {
    arrays wanted = *input, got = *input;
    apply(kernel, tg_kernels_scalar(), n, offset, &wanted);
    apply(kernel, kernels, n, offset, &got);
    const tg_real *x = (const tg_real *)&wanted, *y = (const tg_real *)&got;
    for (size_t i = 0; i < sizeof wanted / sizeof *x; i++) { /* also what lies outside of n */
        if (same_bits(x[i], y[i])) continue;
        fail_msg("%s %s, n %zu, offset %zu, element %zu: %.9g instead of %.9g", kernels->name, kernel->name,
                 n, offset, i, (double)y[i], (double)x[i]);
    }
}

static void matches_scalar(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t n = 0; n <= LARGEST; n++) {
            for (size_t kind = 0; kind < 3; kind++) {
                arrays input;
                fill(&input, &rng, kind > 0, kind > 1);
                compare(kernels, &cases[i], n, (n + kind) % OFFSETS, &input);
            }
        }
    }
}

/* More pixels than are taken at once, and a last block that is not whole. */
static void splits_pixels_like_scalar(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    enum { PIXELS = 555 };
    uint8_t x[3 * PIXELS];
    tg_real wanted[3 * PIXELS], got[3 * PIXELS];
    for (size_t i = 0; i < sizeof x; i++) x[i] = (uint8_t)(i * 131 % 251);
    for (size_t n = PIXELS - 16; n <= PIXELS; n++) {
        tg_kernels_scalar()->scale_rgb(n, x, 0.1f, -0.7f, wanted);
        kernels->scale_rgb(n, x, 0.1f, -0.7f, got);
        for (size_t i = 0; i < 3 * n; i++) assert_true(same_bits(wanted[i], got[i]));
    }
}

/* Every 1009th float there is, through the functions whose argument is reduced. */
static void functions_match_scalar_everywhere(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    const kernel_case functions[] = {CASE(exp), CASE(sigmoid), CASE(tanh)};
    uint64_t bits = 0;
    while (bits <= UINT32_MAX) {
        arrays input;
        memset(&input, 0, sizeof input);
        for (size_t i = 0; i < LARGEST; i++, bits += 1009) {
            uint32_t word = (uint32_t)bits;
            float value;
            memcpy(&value, &word, sizeof value);
            input.a[i] = value;
        }
        for (size_t i = 0; i < 3; i++) compare(kernels, &functions[i], LARGEST, 0, &input);
    }
}

/* Convolution's kernels, in every number of positions, taps and filters around a tile's; panels are laid out anew for
 * each table, as their width is its own. */
static void convolves_like_scalar(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    enum { CELLS = 600, MOST = 24, WIDEST = 64 };
    size_t nr = kernels->conv_nr;
    assert_true(nr <= WIDEST);
    tg_rng rng = tg_rng_stream(2, TG_RNG_TEST, 0, 0);
    for (size_t round = 0; round < 2000; round++) {
        tg_real x[CELLS], w[MOST * WIDEST], start[WIDEST], y[MOST * WIDEST], kept[MOST * WIDEST];
        size_t runs = 1 + tg_rng_below(&rng, 4), length = 1 + tg_rng_below(&rng, 6), k = runs * length;
        size_t count = 1 + tg_rng_below(&rng, MOST), cols = 1 + tg_rng_below(&rng, (uint32_t)nr);
        size_t offset[4], position[MOST];
        for (size_t i = 0; i < CELLS; i++) x[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < MOST * WIDEST; i++) w[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < WIDEST; i++) start[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < MOST * WIDEST; i++) kept[i] = y[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < 4; i++) offset[i] = tg_rng_below(&rng, CELLS / 2 - 6);
        for (size_t i = 0; i < MOST; i++) position[i] = tg_rng_below(&rng, CELLS / 2);
        tg_convolve c = {.taps = {runs, length, offset},
                         .x = x,
                         .position = position,
                         .count = count,
                         .w = w,
                         .start = round % 3 ? start : NULL,
                         .y = y,
                         .ldy = cols + round % 2,
                         .cols = cols,
                         .accumulate = round % 5 == 0,
                         .rectified = round % 4 == 0};
        kernels->convolve(&c);
        for (size_t i = 0; i < MOST * WIDEST; i++) {
            size_t row = i / c.ldy, col = i % c.ldy;
            tg_real sum = kept[i];
            if (row < count && col < cols) {
                if (!c.accumulate) sum = c.start ? start[col] : 0;
                for (size_t p = 0; p < k; p++)
                    sum += x[position[row] + offset[p / length] + p % length] * w[p * nr + col];
                if (c.rectified && sum < 0) sum = 0;
            }
            assert_true(same_bits(y[i], sum));
        }
    }
}

static void correlates_like_scalar(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    enum { CELLS = 600, MOST = 30, WIDEST = 64 };
    size_t nr = kernels->conv_nr;
    tg_rng rng = tg_rng_stream(3, TG_RNG_TEST, 0, 0);
    for (size_t round = 0; round < 2000; round++) {
        tg_real x[CELLS], dy[CELLS], dw[MOST * WIDEST], kept[MOST * WIDEST];
        size_t tap[MOST], width = 1 + tg_rng_below(&rng, (uint32_t)nr);
        for (size_t i = 0; i < CELLS; i++) x[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < CELLS; i++) dy[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < MOST * WIDEST; i++) kept[i] = dw[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < MOST; i++) tap[i] = tg_rng_below(&rng, CELLS / 2);
        tg_correlate c = {.tap = tap,
                          .count = 1 + tg_rng_below(&rng, MOST),
                          .x = x,
                          .x_row = 1 + round % 50,
                          .x_step = 1 + round % 7,
                          .dy = dy,
                          .dy_row = 1 + round % 90,
                          .dy_step = 1 + round % 40,
                          .rows = 1 + round % 3,
                          .cols = 1 + round % 9,
                          .width = width,
                          .dw = dw};
        tg_real sums[WIDEST], before[WIDEST];
        for (size_t i = 0; i < WIDEST; i++) sums[i] = before[i] = (tg_real)i;
        c.sum = round % 2 ? sums : NULL;
        kernels->correlate(&c);
        for (size_t j = 0; j < width; j++) {
            for (size_t p = 0; c.sum && p < c.rows * c.cols; p++)
                before[j] += dy[p / c.cols * c.dy_row + p % c.cols * c.dy_step + j];
            assert_true(same_bits(sums[j], before[j]));
        }
        for (size_t i = 0; i < c.count; i++)
            for (size_t j = 0; j < width; j++) {
                tg_real sum = kept[i * nr + j];
                for (size_t p = 0; p < c.rows * c.cols; p++)
                    sum += x[tap[i] + p / c.cols * c.x_row + p % c.cols * c.x_step] *
                           dy[p / c.cols * c.dy_row + p % c.cols * c.dy_step + j];
                assert_true(same_bits(dw[i * nr + j], sum));
            }
        for (size_t i = c.count * nr; i < MOST * WIDEST; i++) assert_true(same_bits(dw[i], kept[i]));
    }
}

static void pools_like_scalar(void **state) {
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    enum { CELLS = 400, MOST = 120 };
    tg_rng rng = tg_rng_stream(4, TG_RNG_TEST, 0, 0);
    static const double levels[] = {0, -0.0, 1, 2, NAN, -INFINITY};
    for (size_t round = 0; round < 2000; round++) {
        tg_real x[CELLS], got[2 * MOST], wanted[2 * MOST], dx[CELLS], expected[CELLS];
        uint32_t place[MOST], at[MOST];
        size_t offset[9];
        tg_windows w = {.count = 1 + round % 3,
                        .step = tg_rng_below(&rng, 60),
                        .channels = 1 + tg_rng_below(&rng, 40),
                        .taps = 1 + tg_rng_below(&rng, 9),
                        .offset = offset};
        if (round % 4 == 0) w.taps = 4, w.channels = 16 * (1 + round % 3 / 2); /* as most pools have it */
        size_t n = w.count * w.channels;
        bool odd = round % 7 < 3; /* NaN and infinity among them */
        for (size_t i = 0; i < CELLS; i++) x[i] = (tg_real)levels[tg_rng_below(&rng, odd ? 6 : 4)];
        for (size_t i = 0; i < 9; i++) offset[i] = tg_rng_below(&rng, CELLS - 2 * 60 - 40);
        kernels->max_windows(&w, x, got, place);
        tg_kernels_scalar()->max_windows(&w, x, wanted, at);
        for (size_t i = 0; i < n; i++) assert_true(same_bits(got[i], wanted[i]) && place[i] == at[i]);
        kernels->max_windows(&w, x, got, NULL);
        for (size_t i = 0; i < n; i++) assert_true(same_bits(got[i], wanted[i]));
        tg_real *dy = got + MOST;
        for (size_t i = 0; i < n; i++) dy[i] = (tg_real)tg_rng_normal(&rng);
        for (size_t i = 0; i < CELLS; i++) expected[i] = dx[i] = (tg_real)i;
        const tg_real *y = round % 2 ? got : NULL;
        kernels->spread_windows(&w, place, dy, y, round % 5 > 0, dx);
        tg_kernels_scalar()->spread_windows(&w, at, dy, y, round % 5 > 0, expected);
        /* Windows that overlap are added to in another order, which only setting them would show. */
        for (size_t i = 0; i < CELLS && round % 5 > 0; i++)
            assert_true(fabs((double)(dx[i] - expected[i])) < 1e-3);
    }
}

/* What the table promises apart from how it is computed. */
static void scalar_keeps_its_word(void **state) {
    (void)state;
    const tg_kernels *k = tg_kernels_scalar();
    tg_real x[4] = {-2, -0.0f, 3, NAN}, y[4];
    k->relu(4, x, y);
    assert_true(y[0] == 0 && !signbit(y[0]) && y[1] == 0 && signbit(y[1]) && y[2] == 3 && y[3] != y[3]);

    tg_real slope_of[3] = {-1, 0, 2}, dy[3] = {INFINITY, 5, 7}, dx[3] = {1, 1, 1};
    k->relu_backward(3, slope_of, dy, dx);
    assert_true(dx[0] == 1 && dx[1] == 1 && dx[2] == 8);

    assert_true(k->max(4, x, -INFINITY) != k->max(4, x, -INFINITY)); /* NaN */
    assert_true(k->max(3, x, -INFINITY) == 3 && k->max(0, x, -5) == -5);
    assert_false(signbit(k->max(2, x, -0.0f)));
    assert_true(k->all_finite(3, x) && !k->all_finite(4, x));
    assert_int_equal(k->nonzero(4, x), 13); /* bits 0, 2 and 3 */

    tg_real terms[18] = {1e8f, 1};
    terms[16] = -1e8f; /* in the lane of the first: one after the other the 1 would be lost */
    assert_true(k->sum(18, terms) == 1);

    tg_sgd_step step = {.learning_rate = 0.5f, .l2 = 0.25f, .weight_decay = 0.5f};
    tg_real w = 4, g = 2;
    k->sgd(1, &step, &w, &g);
    assert_true(w == 4 && g == 4 - 0.5f * (2 + 4));
}

static void chooses_what_is_wanted(void **state) {
    (void)state;
    const tg_kernels *widest = tg_kernels_choose();
    assert_non_null(widest);
    setenv("TG_KERNELS", "scalar", 1);
    assert_string_equal(tg_kernels_choose()->name, "scalar");
    setenv("TG_KERNELS", "abacus", 1);
    assert_ptr_equal(tg_kernels_choose(), widest);
    unsetenv("TG_KERNELS");
}

int main(void) {
    unsetenv("TG_KERNELS");
#define TABLE_TESTS(name)                                                                                    \
    {"matches_scalar " #name, matches_scalar, NULL, NULL, (void *)(uintptr_t)tg_kernels_##name()},           \
        {"splits_pixels_like_scalar " #name, splits_pixels_like_scalar, NULL, NULL,                          \
         (void *)(uintptr_t)tg_kernels_##name()},                                                            \
        {"convolves_like_scalar " #name, convolves_like_scalar, NULL, NULL,                                  \
         (void *)(uintptr_t)tg_kernels_##name()},                                                            \
        {"correlates_like_scalar " #name, correlates_like_scalar, NULL, NULL,                                \
         (void *)(uintptr_t)tg_kernels_##name()},                                                            \
        {"pools_like_scalar " #name, pools_like_scalar, NULL, NULL, (void *)(uintptr_t)tg_kernels_##name()}, \
    {                                                                                                        \
        "functions_match_scalar_everywhere " #name, functions_match_scalar_everywhere, NULL, NULL,           \
            (void *)(uintptr_t)tg_kernels_##name()                                                           \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_keeps_its_word),
        cmocka_unit_test(chooses_what_is_wanted),
        TABLE_TESTS(scalar),
        TABLE_TESTS(sse2),
        TABLE_TESTS(avx2),
        TABLE_TESTS(avx512),
        TABLE_TESTS(neon),
        TABLE_TESTS(wasm128),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
