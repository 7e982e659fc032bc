/* Principal components against what is known: matrices made from their eigenvalues, pictures made from
 * directions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/eigen.h"
#include "data/preprocess.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

/* ---- eigenvectors ------------------------------------------------------------------------------------- */

/* rows[n, n]: an orthonormal basis, by Gram and Schmidt. */
static void random_basis(size_t n, double *rows) {
    tg_rng rng = tg_rng_stream(7, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < n * n; i++) rows[i] = tg_rng_normal(&rng);
    for (size_t i = 0; i < n; i++)
        for (size_t pass = 0; pass < 2; pass++) {
            double square = 0;
            for (size_t k = 0; k < i; k++) {
                double along = 0;
                for (size_t j = 0; j < n; j++) along += rows[k * n + j] * rows[i * n + j];
                for (size_t j = 0; j < n; j++) rows[i * n + j] -= along * rows[k * n + j];
            }
            for (size_t j = 0; j < n; j++) square += rows[i * n + j] * rows[i * n + j];
            for (size_t j = 0; j < n; j++) rows[i * n + j] /= sqrt(square);
        }
}

/* c[n, n] = basis' diag(values) basis */
static void matrix_with(size_t n, const double *values, const double *basis, double *c) {
    memset(c, 0, n * n * sizeof *c);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) c[i * n + j] += values[k] * basis[k * n + i] * basis[k * n + j];
}

/* |<a, b>| of two rows: 1 where they are the same direction. */
static double agreement(size_t n, const double *a, const tg_real *b) {
    double sum = 0;
    for (size_t j = 0; j < n; j++) sum += a[j] * (double)b[j];
    return fabs(sum);
}

static void a_2_by_2_matrix_by_hand(void **state) {
    (void)state;
    double a[] = {2, 1, 1, 2}, values[2], vectors[4], work[4];
    tg_eigen_all(2, a, values, vectors, work);
    assert_true(fabs(values[0] - 3) < 1e-15 && fabs(values[1] - 1) < 1e-15);
    assert_true(fabs(vectors[0] - vectors[1]) < 1e-15 && fabs(fabs(vectors[0]) - sqrt(0.5)) < 1e-15);
    assert_true(fabs(vectors[2] + vectors[3]) < 1e-15 && fabs(fabs(vectors[2]) - sqrt(0.5)) < 1e-15);
}

/* Also where values repeat, are 0, or the matrix is diagonal, zero or of size 1. */
static void all_eigenvectors_are_exact(void **state) {
    (void)state;
    enum { N = 24 };
    static double basis[N * N], identity[N * N], c[N * N], a[N * N], values[N], found[N], vectors[N * N],
        work[2 * N];
    random_basis(N, basis);
    for (size_t i = 0; i < N; i++) identity[i * N + i] = 1;
    for (int form = 0; form < 4; form++) {
        for (size_t i = 0; i < N; i++)
            values[i] = form == 3 ? 0 : form == 2 ? i < 7 ? 5 : 0 : 100 / (double)(i + 1);
        matrix_with(N, values, form == 1 ? identity : basis, c);
        memcpy(a, c, sizeof a);
        tg_eigen_all(N, a, found, vectors, work);
        for (size_t i = 0; i < N; i++) {
            assert_true(fabs(found[i] - values[i]) < 1e-12);
            for (size_t k = 0; k <= i; k++) { /* orthonormal */
                double along = i == k ? -1 : 0;
                for (size_t j = 0; j < N; j++) along += vectors[i * N + j] * vectors[k * N + j];
                assert_true(fabs(along) < 1e-13);
            }
            for (size_t j = 0; j < N; j++) { /* c v = lambda v */
                double product = 0;
                for (size_t k = 0; k < N; k++) product += c[j * N + k] * vectors[i * N + k];
                assert_true(fabs(product - found[i] * vectors[i * N + j]) < 1e-12);
            }
        }
    }
    double one = -4, value, vector;
    tg_eigen_all(1, &one, &value, &vector, work);
    assert_true(value == -4 && vector == 1);
}

enum { LARGE = 300, COUNT = 20 };

/* A spectrum that falls as that of pictures does, and one of which only a part is not 0. */
static void leading_eigenvectors_are_close(void **state) {
    (void)state;
    static double basis[LARGE * LARGE], c[LARGE * LARGE], values[LARGE], found[COUNT];
    static tg_real rounded[LARGE * LARGE], vectors[COUNT * LARGE];
    random_basis(LARGE, basis);
    for (int form = 0; form < 2; form++) {
        for (size_t i = 0; i < LARGE; i++) values[i] = form && i >= 5 ? 0 : 50 / (double)((i + 1) * (i + 1));
        matrix_with(LARGE, values, basis, c);
        for (size_t i = 0; i < LARGE * LARGE; i++) rounded[i] = (tg_real)c[i];
        tg_error err;
        ASSERT_OK(tg_eigen_leading(NULL, LARGE, rounded, COUNT, found, vectors, &err));
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(fabs(found[i] - values[i]) < 1e-5 * values[0]);
            if (values[i] > 0) assert_true(agreement(LARGE, basis + i * LARGE, vectors + i * LARGE) > 0.999);
            for (size_t k = 0; k <= i; k++) {
                double along = i == k ? -1 : 0;
                for (size_t j = 0; j < LARGE; j++)
                    along += (double)vectors[i * LARGE + j] * (double)vectors[k * LARGE + j];
                assert_true(fabs(along) < 1e-5);
            }
        }
    }
}

static void threads_do_not_matter(void **state) {
    (void)state;
    static tg_real c[LARGE * LARGE], alone[COUNT * LARGE], shared[COUNT * LARGE];
    tg_rng rng = tg_rng_stream(3, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < LARGE; i++)
        for (size_t j = 0; j <= i; j++)
            c[i * LARGE + j] = c[j * LARGE + i] = (tg_real)(i == j ? 40 : tg_rng_uniform(&rng));
    double values[COUNT], again[COUNT];
    tg_error err;
    ASSERT_OK(tg_eigen_leading(NULL, LARGE, c, COUNT, values, alone, &err));
    for (size_t threads = 1; threads <= 3; threads++) {
        tg_pool *pool = NULL;
        if (tg_pool_create(threads, &pool, NULL) != TG_OK) break; /* a build without threads has one */
        ASSERT_OK(tg_eigen_leading(pool, LARGE, c, COUNT, again, shared, &err));
        assert_memory_equal(values, again, sizeof values);
        assert_memory_equal(alone, shared, sizeof alone);
        tg_pool_destroy(pool);
    }
}

/* ---- the step ----------------------------------------------------------------------------------------- */

static tg_preprocess *make_pca(const char *step, const size_t shape[3]) {
    tg_attrs *attrs = attrs_from("{'list': [%s]}", step);
    tg_preprocess *preprocess;
    tg_error err;
    ASSERT_OK(tg_preprocess_create(tg_value_get(tg_attrs_root(attrs), "list"), shape, 3, &preprocess, &err));
    tg_attrs_destroy(attrs);
    return preprocess;
}

/* Four points on a cross: variance 16 along (1, 1), 4 along (-1, 1), about (10, 20). */
static tg_dataset *cross(void) {
    static const float points[] = {14, 24, 6, 16, 8, 22, 12, 18};
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, 1, 2, 1, 4, 2, false, &dataset, &err));
    memcpy(tg_dataset_pixels(dataset), points, sizeof points);
    ASSERT_OK(tg_dataset_check(dataset, "cross", &err));
    return dataset;
}

static void a_cross_is_turned_upright(void **state) {
    (void)state;
    tg_dataset *dataset = cross();
    for (int whiten = 0; whiten < 2; whiten++) {
        tg_preprocess *preprocess = make_pca(whiten ? "{'type': 'pca', 'components': 2, 'whiten': true}"
                                                    : "{'type': 'pca', 'components': 2}",
                                             (const size_t[]){1, 2, 1});
        tg_error err;
        ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, 4, &err));
        double first = whiten ? 4 * sqrt(2) / 4 : 4 * sqrt(2), second = whiten ? sqrt(2) : 2 * sqrt(2);
        const double expected[] = {first, 0, -first, 0, 0, second, 0, -second};
        tg_real x[8];
        tg_preprocess_gather(preprocess, NULL, TG_F32, tg_dataset_pixels(dataset), NULL, 4, TG_PLANES, x,
                             NULL);
        double sign = x[5] < 0 ? -1 : 1; /* of (-1, 1), whose largest element rounding decides */
        for (size_t i = 0; i < 8; i++)
            assert_true(fabs((double)x[i] - (i % 2 ? sign : 1) * expected[i]) < 1e-5);
        tg_preprocess_destroy(preprocess);
    }
    tg_dataset_destroy(dataset);
}

static void what_is_kept_is_reported(void **state) {
    (void)state;
    tg_dataset *dataset = cross();
    tg_preprocess *preprocess = make_pca("{'type': 'pca', 'components': 1}", (const size_t[]){1, 2, 1});
    tg_error err;
    ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, 4, &err));
    tg_text text = {0};
    tg_preprocess_write(preprocess, NULL, &text, NULL);
    double explained;
    assert_int_equal(sscanf(text.data,
                            "[{\"type\":\"pca\",\"components\":1,\"whiten\":false,\"explained\":%lf}]",
                            &explained),
                     1);
    assert_true(fabs(explained - 0.8) < 1e-12); /* 16 of 20 */
    tg_fitted tensors[3];
    assert_int_equal(tg_preprocess_tensors(preprocess, tensors, 3), 3);
    assert_memory_equal(tensors[0].data, ((tg_real[]){10, 20}), 2 * sizeof(tg_real));
    assert_true(fabs((double)tensors[2].data[0] - 16) < 1e-5);
    tg_text_free(&text);
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
}

/* Through both ways of finding components: 6x6 pictures all at once, 36x36 by subspace iteration. */
static void fitting_does_not_depend_on_threads(void **state) {
    (void)state;
    enum { SAMPLES = 60, COMPONENTS = 8 };
    for (size_t side = 6; side <= 36; side += 30) {
        tg_dataset *dataset = make_pictures(side, side, 1, SAMPLES, 4, 1, 0);
        static tg_real alone[SAMPLES * COMPONENTS], shared[SAMPLES * COMPONENTS];
        for (size_t threads = 0; threads <= 3; threads++) {
            tg_pool *pool = NULL;
            if (threads && tg_pool_create(threads, &pool, NULL) != TG_OK) break;
            tg_preprocess *preprocess = make_pca("{'type': 'rescale'}, {'type': 'pca', 'components': 8}",
                                                 (const size_t[]){side, side, 1});
            tg_error err;
            ASSERT_OK(tg_preprocess_fit(preprocess, pool, dataset, NULL, SAMPLES, &err));
            tg_preprocess_gather(preprocess, pool, TG_U8, tg_dataset_pixels(dataset), NULL, SAMPLES,
                                 TG_PLANES, threads ? shared : alone, NULL);
            if (threads) assert_memory_equal(alone, shared, sizeof alone);
            tg_preprocess_destroy(preprocess);
            tg_pool_destroy(pool);
        }
        tg_dataset_destroy(dataset);
    }
}

/* Remembered results are the same bits; another set, and copies that are not remembered, still go the long
 * way. */
static void remembering_changes_nothing(void **state) {
    (void)state;
    enum { SAMPLES = 50, COMPONENTS = 6, SIZE = SAMPLES * COMPONENTS };
    tg_dataset *dataset = make_pictures(7, 7, 3, SAMPLES, 4, 1, 0),
               *other = make_pictures(7, 7, 3, SAMPLES, 4, 1, 1);
    tg_attrs *attrs = attrs_from("{'list': [{'type': 'rotate', 'degrees': 30}]}");
    tg_preprocess *preprocess = make_pca("{'type': 'pca', 'components': 6}", (const size_t[]){7, 7, 3});
    tg_augment *augment;
    tg_error err;
    ASSERT_OK(tg_augment_create(tg_value_get(tg_attrs_root(attrs), "list"), (const size_t[]){7, 7, 3}, 1,
                                &augment, &err));
    ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, SAMPLES, &err));
    const tg_augmenting ways[] = {{augment, 1, 4, true}, {augment, 1, 4, false}};
    uint32_t index[SAMPLES], mixed[SAMPLES];
    for (uint32_t i = 0; i < SAMPLES; i++)
        mixed[i] = (index[i] = i * 7 % SAMPLES) | (i % 3 ? 0 : TG_TRANSFORMED);
    static tg_real before[4][SIZE], after[4][SIZE];
    size_t bytes = tg_preprocess_bytes(preprocess);
    for (int round = 0; round < 2; round++) {
        tg_real(*x)[SIZE] = round ? after : before;
        const void *pixels = tg_dataset_pixels(dataset);
        tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, index, SAMPLES, TG_PLANES, x[0], NULL);
        tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, mixed, SAMPLES, TG_PLANES, x[1], &ways[0]);
        tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, index, SAMPLES, TG_PLANES, x[2], &ways[1]);
        tg_preprocess_gather(preprocess, NULL, TG_U8, tg_dataset_pixels(other), index, SAMPLES, TG_PLANES,
                             x[3], NULL);
        for (bool done = round > 0; !done;)
            done = tg_preprocess_remember(preprocess, NULL, dataset, &ways[0]);
    }
    assert_memory_equal(before, after, sizeof before);
    assert_memory_not_equal(before[0], before[1], sizeof before[0]);
    assert_int_equal(tg_preprocess_bytes(preprocess), bytes + 2 * SIZE * sizeof(tg_real));
    ((uint8_t *)tg_dataset_pixels(dataset))[0] ^= 255; /* what is remembered no longer looks at the pixels */
    tg_preprocess_gather(preprocess, NULL, TG_U8, tg_dataset_pixels(dataset), index, SAMPLES, TG_PLANES,
                         after[0], NULL);
    assert_memory_equal(before[0], after[0], sizeof before[0]);
    tg_augment_destroy(augment);
    tg_preprocess_destroy(preprocess);
    tg_attrs_destroy(attrs);
    tg_dataset_destroy(dataset);
    tg_dataset_destroy(other);
}

/* In units, whoever else waits can be looked after in between; a fit that is given up leaves nothing behind. */
static void fitting_in_units_changes_nothing(void **state) {
    (void)state;
    enum { SAMPLES = 40 };
    static const struct {
        size_t side, components, units;
    } cases[] = {{6, 5, 100}, {34, 4, 40}}; /* 36 features: all at once; 1156: the leading ones */
    for (size_t i = 0; i < 2; i++) {
        size_t side = cases[i].side, units = 0;
        const size_t shape[3] = {side, side, 1};
        char step[64];
        snprintf(step, sizeof step, "{'type': 'pca', 'components': %zu}", cases[i].components);
        tg_dataset *dataset = make_pictures(side, side, 1, SAMPLES, 4, 1, 0);
        tg_preprocess *whole = make_pca(step, shape), *pieces = make_pca(step, shape), *given_up;
        tg_error err;
        ASSERT_OK(tg_preprocess_fit(whole, NULL, dataset, NULL, SAMPLES, &err));
        for (; !tg_preprocess_fitted(pieces); units++)
            ASSERT_OK(tg_preprocess_advance_fit(pieces, NULL, dataset, NULL, SAMPLES, &err));
        assert_true(units > cases[i].units);
        tg_fitted a[3], b[3];
        assert_int_equal(tg_preprocess_tensors(whole, a, 3), 3);
        assert_int_equal(tg_preprocess_tensors(pieces, b, 3), 3);
        for (size_t t = 0; t < 3; t++) assert_memory_equal(a[t].data, b[t].data, a[t].size * sizeof(tg_real));
        begin_allocations(SIZE_MAX);
        given_up = make_pca(step, shape);
        for (size_t unit = 0; unit < units - 1; unit++)
            ASSERT_OK(tg_preprocess_advance_fit(given_up, NULL, dataset, NULL, SAMPLES, &err));
        tg_preprocess_destroy(given_up);
        assert_int_equal(live_allocations(), 0);
        end_allocations();
        tg_preprocess_destroy(whole);
        tg_preprocess_destroy(pieces);
        tg_dataset_destroy(dataset);
    }
}

/* Cheap steps are not worth it, and samples that are drawn anew in every epoch cannot be. */
static void only_what_pays_is_remembered(void **state) {
    (void)state;
    tg_dataset *dataset = make_pictures(4, 4, 1, 9, 2, 1, 0);
    tg_attrs *attrs = attrs_from("{'list': [{'type': 'flip_vertical'}]}");
    tg_augment *augment;
    tg_error err;
    ASSERT_OK(tg_augment_create(tg_value_get(tg_attrs_root(attrs), "list"), (const size_t[]){4, 4, 1}, 1,
                                &augment, &err));
    const char *steps[] = {"{'type': 'resize', 'height': 2, 'width': 2}", "{'type': 'pca', 'components': 2}"};
    for (size_t i = 0; i < 2; i++) {
        tg_preprocess *preprocess = make_pca(steps[i], (const size_t[]){4, 4, 1});
        ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, 9, &err));
        size_t bytes = tg_preprocess_bytes(preprocess);
        tg_preprocess_remember(preprocess, NULL, dataset,
                               i == 0 ? NULL : &(tg_augmenting){augment, 1, 0, false});
        assert_int_equal(tg_preprocess_bytes(preprocess), bytes);
        begin_allocations(0); /* nor is it a failure when there is no memory */
        tg_preprocess_remember(preprocess, NULL, dataset, NULL);
        assert_int_equal(allocation_failed(), i == 1);
        end_allocations();
        assert_int_equal(tg_preprocess_bytes(preprocess), bytes);
        tg_preprocess_destroy(preprocess);
    }
    tg_augment_destroy(augment);
    tg_attrs_destroy(attrs);
    tg_dataset_destroy(dataset);
}

/* Pictures of one colour do not vary at all. */
static void constant_pictures_become_zero(void **state) {
    (void)state;
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, 3, 3, 1, 5, 2, false, &dataset, &err));
    memset(tg_dataset_pixels(dataset), 77, 45);
    ASSERT_OK(tg_dataset_check(dataset, "grey", &err));
    tg_preprocess *preprocess =
        make_pca("{'type': 'pca', 'components': 3, 'whiten': true}", (const size_t[]){3, 3, 1});
    ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, 5, &err));
    tg_real x[15];
    tg_preprocess_gather(preprocess, NULL, TG_U8, tg_dataset_pixels(dataset), NULL, 5, TG_PLANES, x, NULL);
    for (size_t i = 0; i < 15; i++) assert_true(x[i] == 0);
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_2_by_2_matrix_by_hand),
        cmocka_unit_test(all_eigenvectors_are_exact),
        cmocka_unit_test(leading_eigenvectors_are_close),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(a_cross_is_turned_upright),
        cmocka_unit_test(what_is_kept_is_reported),
        cmocka_unit_test(fitting_does_not_depend_on_threads),
        cmocka_unit_test(fitting_in_units_changes_nothing),
        cmocka_unit_test(remembering_changes_nothing),
        cmocka_unit_test(only_what_pays_is_remembered),
        cmocka_unit_test(constant_pictures_become_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
