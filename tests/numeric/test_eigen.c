/* In f64 nothing but the number of rounds keeps subspace iteration from the exact eigenvectors. */
#include <math.h>

#include "base/rng.h"
#include "data/eigen.h"
#include "support/assert.h"

enum { N = 200, COUNT = 16 };

/* Products of random numbers with a spectrum that falls quickly: x' x of x[n, n] whose rows get smaller and
 * smaller. */
static void leading_ones_are_the_first_of_all(void **state) {
    (void)state;
    static double x[N * N], c[N * N], a[N * N], all[N], every[N * N], work[2 * N], values[COUNT],
        vectors[COUNT * N];
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * N; i++) x[i] = tg_rng_normal(&rng) / (double)(i / N + 1);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            for (size_t k = 0; k < N; k++) c[i * N + j] += x[k * N + i] * x[k * N + j];
    for (size_t i = 0; i < N * N; i++) a[i] = c[i];
    tg_eigen_all(N, a, all, every, work);
    tg_error err;
    ASSERT_OK(tg_eigen_leading(NULL, N, c, COUNT, values, vectors, &err));
    for (size_t i = 0; i < COUNT; i++) {
        double along = 0;
        for (size_t j = 0; j < N; j++) along += every[i * N + j] * vectors[i * N + j];
        assert_true(fabs(values[i] - all[i]) < 1e-9 * all[0]);
        assert_true(fabs(fabs(along) - 1) < 1e-8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(leading_ones_are_the_first_of_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
