/* Winograd's convolution against the plain sums in double: within its bound; and every table and number of threads
 * against the scalar one: bit for bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/winograd.h"

typedef struct layer {
    tg_winograd shape;
    size_t n;
} layer;

/* Inside and at edges; one tile and many; channels that fill no vector; more filters than one slice has; paddings
 * unlike each other, as an even "same" or a "full" convolution would have them. */
static const layer layers[] = {
    {{16, 16, 32, 16, 16, 64, 1, 1}, 5}, {{8, 8, 64, 8, 8, 64, 1, 1}, 7},   {{7, 7, 20, 7, 7, 24, 1, 1}, 3},
    {{6, 9, 16, 4, 7, 36, 0, 0}, 4},     {{4, 4, 48, 4, 4, 132, 1, 1}, 33}, {{5, 6, 4, 7, 8, 4, 2, 2}, 2},
    {{10, 5, 13, 10, 5, 77, 0, 2}, 3},   {{3, 3, 8, 1, 1, 8, 0, 0}, 1},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* All that goes in and comes out of one layer. */
typedef struct arrays {
    size_t in, out, weights; /* elements */
    tg_real *x, *w, *bias, *dy, *y, *dx, *dw, *scratch;
} arrays;

static tg_real *numbers(tg_rng *rng, size_t count, double scale, bool positive) {
    tg_real *x = tg_allocate(count * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++) {
        double v = scale * tg_rng_normal(rng);
        x[i] = (tg_real)(positive && v < 0 ? 0 : v);
    }
    return x;
}

static arrays arrays_of(const layer *l, const tg_kernels *kernels, size_t threads) {
    const tg_winograd *s = &l->shape;
    arrays a = {.in = l->n * s->in_h * s->in_w * s->channels,
                .out = l->n * s->out_h * s->out_w * s->filters,
                .weights = s->filters * s->channels * 9};
    tg_rng rng = tg_rng_stream(7, TG_RNG_TEST, 0, 0);
    a.x = numbers(&rng, a.in, 1, true);
    a.w = numbers(&rng, a.weights, sqrt(2.0 / 9 / (double)s->channels), false);
    a.bias = numbers(&rng, s->filters, 0.1, false);
    a.dy = numbers(&rng, a.out, 0.001, false);
    a.y = numbers(&rng, a.out, 1, false);
    a.dx = numbers(&rng, a.in, 0.001, false);
    a.dw = numbers(&rng, a.weights, 0.001, false);
    size_t need = tg_winograd_scratch(s, kernels, l->n, threads);
    a.scratch = tg_allocate(need * sizeof *a.scratch); /* exactly: a sanitizer sees a write beyond it */
    assert_non_null(a.scratch);
    return a;
}

static void release(arrays *a) {
    tg_real *all[] = {a->x, a->w, a->bias, a->dy, a->y, a->dx, a->dw, a->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tg_free(all[i]);
}

static tg_real *transformed(const layer *l, const tg_kernels *kernels, const tg_real *w, bool turned) {
    size_t parts = tg_winograd_weights_parts(&l->shape, kernels, turned);
    tg_real *to = tg_allocate(tg_winograd_weights_size(&l->shape, kernels, turned) * sizeof *to);
    assert_non_null(to);
    while (parts-- > 0) tg_winograd_weights(kernels, &l->shape, turned, w, parts, to);
    return to;
}

static void run(const layer *l, const tg_kernels *kernels, tg_pool *pool, const arrays *a, bool relu,
                bool add) {
    tg_real *w = transformed(l, kernels, a->w, false), *turned = transformed(l, kernels, a->w, true);
    tg_winograd_forward(kernels, pool, &l->shape, l->n, a->x, w, a->bias, relu, a->y, a->scratch);
    tg_winograd_input_gradient(kernels, pool, &l->shape, l->n, turned, a->dy, add, a->dx, a->scratch);
    tg_winograd_weight_gradient(kernels, pool, &l->shape, l->n, a->x, a->dy, a->dw, a->scratch);
    tg_free(w);
    tg_free(turned);
}

/* ---- the plain sums ----------------------------------------------------------------------------------------------- */

/* For every product x w that goes into y: calls back with the indices of the three. */
typedef void visit(double *sums, const arrays *a, size_t x, size_t w, size_t y);

static void each_product(const layer *l, const arrays *a, visit *fn, double *sums) {
    const tg_winograd *s = &l->shape;
    for (size_t p = 0; p < l->n * s->out_h * s->out_w; p++) {
        size_t i = p / (s->out_h * s->out_w), oy = p / s->out_w % s->out_h, ox = p % s->out_w;
        for (size_t tap = 0; tap < 9; tap++) {
            size_t iy = oy + tap / 3 - s->pad_top, ix = ox + tap % 3 - s->pad_left;
            if (iy >= s->in_h || ix >= s->in_w) continue;
            for (size_t c = 0; c < s->channels; c++) {
                size_t x = ((i * s->in_h + iy) * s->in_w + ix) * s->channels + c;
                for (size_t f = 0; f < s->filters; f++)
                    fn(sums, a, x, (f * s->channels + c) * 9 + tap, p * s->filters + f);
            }
        }
    }
}

static void to_y(double *sums, const arrays *a, size_t x, size_t w, size_t y) {
    sums[y] += (double)a->x[x] * (double)a->w[w];
}
static void to_dx(double *sums, const arrays *a, size_t x, size_t w, size_t y) {
    sums[x] += (double)a->dy[y] * (double)a->w[w];
}
static void to_dw(double *sums, const arrays *a, size_t x, size_t w, size_t y) {
    sums[w] += (double)a->dy[y] * (double)a->x[x];
}

static double error_of(size_t count, const tg_real *got, const double *wanted) {
    double error = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        error += ((double)got[i] - wanted[i]) * ((double)got[i] - wanted[i]);
        size += wanted[i] * wanted[i];
    }
    return sqrt(error / size);
}

static void check_sums(const layer *l, const arrays *a, const char *what, visit *fn, size_t count,
                       const tg_real *got, double *sums) {
    each_product(l, a, fn, sums);
    double error = error_of(count, got, sums);
    print_message("%zux%zux%zu to %zu: %s %.2g\n", l->shape.in_h, l->shape.in_w, l->shape.channels,
                  l->shape.filters, what, error);
    assert_true(error < TG_WINOGRAD_ERROR);
}

static void is_within_its_bound(void **state) {
    (void)state;
    const tg_kernels *kernels = tg_kernels_choose();
    tg_pool *pool;
    tg_error err;
    assert_int_equal(tg_pool_create(1, &pool, &err), TG_OK);
    for (size_t i = 0; i < LAYERS; i++) {
        const layer *l = &layers[i];
        arrays a = arrays_of(l, kernels, 1);
        double *y = tg_allocate_zeroed(a.out * sizeof *y), *dx = tg_allocate_zeroed(a.in * sizeof *dx);
        double *dw = tg_allocate_zeroed(a.weights * sizeof *dw);
        assert_true(y && dx && dw);
        for (size_t k = 0; k < a.out; k++) y[k] = (double)a.bias[k % l->shape.filters];
        for (size_t k = 0; k < a.in; k++) dx[k] = (double)a.dx[k]; /* added to */
        for (size_t k = 0; k < a.weights; k++) dw[k] = (double)a.dw[k];
        run(l, kernels, pool, &a, false, true);
        check_sums(l, &a, "y", to_y, a.out, a.y, y);
        check_sums(l, &a, "dx", to_dx, a.in, a.dx, dx);
        check_sums(l, &a, "dw", to_dw, a.weights, a.dw, dw);
        tg_free(dw);
        tg_free(dx);
        tg_free(y);
        release(&a);
    }
    tg_pool_destroy(pool);
}

/* ---- the same bits ------------------------------------------------------------------------------------------------- */

static void same_bits(const layer *l, const tg_kernels *kernels, size_t threads) {
    tg_pool *one, *pool;
    tg_error err;
    if (tg_pool_create(threads, &pool, &err) != TG_OK) skip(); /* a build without threads */
    assert_int_equal(tg_pool_create(1, &one, &err), TG_OK);
    for (unsigned flags = 0; flags < 4; flags++) {
        bool relu = flags & 1, add = flags & 2;
        arrays wanted = arrays_of(l, tg_kernels_scalar(), 1), got = arrays_of(l, kernels, threads);
        run(l, tg_kernels_scalar(), one, &wanted, relu, add);
        run(l, kernels, pool, &got, relu, add);
        assert_memory_equal(got.y, wanted.y, got.out * sizeof *got.y);
        assert_memory_equal(got.dx, wanted.dx, got.in * sizeof *got.dx);
        assert_memory_equal(got.dw, wanted.dw, got.weights * sizeof *got.dw);
        release(&wanted);
        release(&got);
    }
    tg_pool_destroy(one);
    tg_pool_destroy(pool);
}

static void equals_the_scalar_table(void **state) {
    if (!*state) skip();
    for (size_t i = 0; i < LAYERS; i++) same_bits(&layers[i], *state, 1);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    for (size_t threads = 2; threads <= 3; threads++)
        for (size_t i = 0; i < LAYERS; i++) same_bits(&layers[i], tg_kernels_choose(), threads);
}

/* The prediction of a sample does not depend on what else is in its batch. */
static void samples_are_alone(void **state) {
    (void)state;
    const tg_kernels *kernels = tg_kernels_choose();
    tg_pool *pool;
    tg_error err;
    assert_int_equal(tg_pool_create(1, &pool, &err), TG_OK);
    for (size_t i = 0; i < LAYERS; i++) {
        const layer *l = &layers[i];
        arrays a = arrays_of(l, kernels, 1);
        run(l, kernels, pool, &a, true, false);
        size_t out = a.out / l->n, in = a.in / l->n;
        tg_real *alone = tg_allocate(out * sizeof *alone);
        tg_real *w = transformed(l, kernels, a.w, false);
        assert_non_null(alone);
        tg_winograd_forward(kernels, pool, &l->shape, 1, a.x + (l->n - 1) * in, w, a.bias, true, alone,
                            a.scratch);
        tg_free(w);
        assert_memory_equal(alone, a.y + (l->n - 1) * out, out * sizeof *alone);
        tg_free(alone);
        release(&a);
    }
    tg_pool_destroy(pool);
}

int main(void) {
#define TABLE_TEST(name)                                                                                     \
    {                                                                                                        \
        "equals_the_scalar_table " #name, equals_the_scalar_table, NULL, NULL,                               \
            (void *)(uintptr_t)tg_kernels_##name()                                                           \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_within_its_bound),
        TABLE_TEST(sse2),
        TABLE_TEST(avx2),
        TABLE_TEST(avx512),
        TABLE_TEST(neon),
        TABLE_TEST(wasm128),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(samples_are_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
