/* Kernels that fuse products with additions: chosen only when asked for, and as near to the exact sums as rounding lets
 * any be. */
#define _POSIX_C_SOURCE 200809L /* setenv */

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/gemm.h"

static bool is_fused(const char *kernels) {
    return strstr(kernels, "-fma") != NULL;
}

static void nobody_fuses_unasked(void **state) {
    (void)state;
    assert_false(is_fused(tg_kernels_choose()->name));
    const char *names[] = {"avx2-fma", "avx512-fma"};
    for (size_t i = 0; i < 2; i++) {
        setenv("TG_KERNELS", names[i], 1);
        assert_false(is_fused(tg_kernels_choose()->name));
    }
    unsetenv("TG_KERNELS");
}

static void an_engine_fuses_when_told(void **state) {
    (void)state;
    tg_engine *engine;
    tg_error err;
    assert_int_equal(tg_engine_create(1, &engine, &err), TG_OK);
    assert_false(is_fused(tg_engine_kernels(engine)));
    if (tg_kernels_choose_fused()) {
        assert_int_equal(tg_engine_fuse(engine, &err), TG_OK);
        assert_true(is_fused(tg_engine_kernels(engine)));
    } else {
        assert_int_equal(tg_engine_fuse(engine, &err), TG_E_ARGUMENT);
        assert_false(is_fused(tg_engine_kernels(engine)));
    }
    tg_engine_destroy(engine);
}

/* Higham, "Accuracy and stability of numerical algorithms" (2002), 3.1: a sum of k products is off by at most
 * k u / (1 - k u) times the sum of their magnitudes, here below k / 4, with or without fusing. */
static void products_are_near_and_fused(void **state) {
    enum { M = 33, N = 70, K = 700 };
    const tg_kernels *kernels = *state;
    if (!kernels) skip();
    static tg_real a[M * K], b[K * N], exact[M * N], fused[M * N];
    tg_rng rng = tg_rng_stream(5, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < M * K; i++) a[i] = (tg_real)(tg_rng_uniform(&rng) - 0.5);
    for (size_t i = 0; i < K * N; i++) b[i] = (tg_real)(tg_rng_uniform(&rng) - 0.5);
    tg_real *scratch = tg_allocate(tg_gemm_scratch(M, N, K, 1) * sizeof *scratch);
    assert_non_null(scratch);
    tg_gemm gemm = {.m = M, .n = N, .k = K, .a = {a, K, 1}, .b = {b, N, 1}, .c = exact, .ldc = N};
    tg_gemm_serial(tg_kernels_choose(), &gemm, scratch);
    gemm.c = fused;
    tg_gemm_serial(kernels, &gemm, scratch);
    tg_free(scratch);
    for (size_t i = 0; i < M * N; i++)
        assert_true(fabs((double)fused[i] - (double)exact[i]) < K / 4.0 * K * (double)FLT_EPSILON);
    assert_memory_not_equal(fused, exact, sizeof fused);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_fuses_unasked),
        cmocka_unit_test(an_engine_fuses_when_told),
        {"products_are_near_and_fused avx2", products_are_near_and_fused, NULL, NULL,
         (void *)(uintptr_t)tg_kernels_avx2_fma()},
        {"products_are_near_and_fused avx512", products_are_near_and_fused, NULL, NULL,
         (void *)(uintptr_t)tg_kernels_avx512_fma()},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
