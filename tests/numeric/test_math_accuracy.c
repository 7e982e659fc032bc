/* base/math.h against the long double functions of libm: errors in units in the last place, over ranges that
 * cover every branch, and the values a formula does not reach. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "base/rng.h"

typedef struct function_case {
    const char *name;
    double (*f64)(double x);
    float (*f32)(float x); /* one of the two */
    long double (*truth)(long double x);
    double from, to;
} function_case;

static long double true_sigmoid(long double x) {
    return 1.0L / (1.0L + expl(-x));
}

static const function_case cases[] = {
    {"exp", tg_exp_f64, NULL, expl, -746, 709.7},
    {"exp", tg_exp_f64, NULL, expl, -1, 1},
    {"exp, subnormal", tg_exp_f64, NULL, expl, -746, -707},
    {"log", tg_log_f64, NULL, logl, 0, 10},
    {"log", tg_log_f64, NULL, logl, 0.98, 1.02},
    {"log", tg_log_f64, NULL, logl, 0, DBL_MAX},
    {"log, subnormal", tg_log_f64, NULL, logl, 0, 1e-307},
    {"tanh", tg_tanh_f64, NULL, tanhl, -25, 25},
    {"tanh", tg_tanh_f64, NULL, tanhl, -1, 1},
    {"tanh", tg_tanh_f64, NULL, tanhl, -1e-5, 1e-5},
    {"sigmoid", tg_sigmoid_f64, NULL, true_sigmoid, -50, 50},
    {"sigmoid", tg_sigmoid_f64, NULL, true_sigmoid, -1, 1},
    {"sigmoid, subnormal", tg_sigmoid_f64, NULL, true_sigmoid, -745, -700},
    {"sin", tg_sin_f64, NULL, sinl, -7, 7},
    {"sin", tg_sin_f64, NULL, sinl, -1e5, 1e5},
    {"cos", tg_cos_f64, NULL, cosl, -7, 7},
    {"cos", tg_cos_f64, NULL, cosl, -1e5, 1e5},
    {"exp f32", NULL, tg_exp_f32, expl, -104, 88.7},
    {"exp f32", NULL, tg_exp_f32, expl, -1, 1},
    {"exp f32, subnormal", NULL, tg_exp_f32, expl, -104, -87},
    {"log f32", NULL, tg_log_f32, logl, 0, 10},
    {"log f32", NULL, tg_log_f32, logl, 0.9, 1.1},
    {"tanh f32", NULL, tg_tanh_f32, tanhl, -10, 10},
    {"tanh f32", NULL, tg_tanh_f32, tanhl, -0.5, 0.5},
    {"tanh f32", NULL, tg_tanh_f32, tanhl, -1e-4, 1e-4},
    {"sigmoid f32", NULL, tg_sigmoid_f32, true_sigmoid, -20, 20},
    {"sigmoid f32", NULL, tg_sigmoid_f32, true_sigmoid, -1, 1},
    {"sigmoid f32, subnormal", NULL, tg_sigmoid_f32, true_sigmoid, -104, -87},
};

/* |got - truth| in units of the last of `digits` bits of truth, where exponents end at `smallest`. */
static double ulps(long double got, long double truth, int digits, int smallest) {
    int exponent;
    frexpl(truth, &exponent);
    if (exponent < smallest) exponent = smallest;
    return (double)(fabsl(got - truth) / ldexpl(1.0L, exponent - digits));
}

static double ulps_f64(double got, long double truth) {
    return ulps(got, truth, DBL_MANT_DIG, DBL_MIN_EXP);
}

static void functions_are_within_their_bounds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const function_case *f = &cases[i];
        tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, (uint32_t)i, 0);
        double worst = 0, worst_at = 0;
        for (int draw = 0; draw < 200000; draw++) {
            double x = f->from + (f->to - f->from) * tg_rng_uniform(&rng), error;
            if (f->f64) {
                error = ulps_f64(f->f64(x), f->truth(x));
            } else {
                x = (double)(float)x;
                error = ulps(f->f32((float)x), f->truth(x), FLT_MANT_DIG, FLT_MIN_EXP);
            }
            if (error <= worst) continue; /* NaN goes on, and fails */
            worst = error;
            worst_at = x;
        }
        print_message("%-24s [%g, %g]: %.2f ulp\n", f->name, f->from, f->to, worst);
        if (!(worst <= (f->f64 ? 2 : 3))) fail_msg("%s: %g ulp at %.17g", f->name, worst, worst_at);
    }
}

/* libm's powl loses bits where the exponent is large, so the truth is exp(y log x) in long double only while
 * that is good enough: 11 more bits than a double has against |y log x| < 30. */
static void pow_is_within_its_bound(void **state) {
    (void)state;
    tg_rng rng = tg_rng_stream(2, TG_RNG_TEST, 0, 0);
    double worst = 0;
    for (int draw = 0; draw < 200000; draw++) {
        double base = exp(4 * tg_rng_normal(&rng)), exponent = 5 * tg_rng_normal(&rng);
        if (draw % 2) { /* bias correction: beta^t */
            base = draw % 4 == 1 ? 0.999 : 0.9;
            exponent = tg_rng_below(&rng, draw % 4 == 1 ? 30000 : 280);
        }
        worst = fmax(worst, ulps_f64(tg_pow_f64(base, exponent), powl(base, exponent)));
    }
    print_message("pow: %.2f ulp\n", worst);
    assert_true(worst <= 2);
    /* Exact powers, where an error of the logarithm would show most: 3^33 < 2^53. */
    double power = 1;
    for (int n = 0; n <= 33; n++, power *= 3) {
        assert_true(tg_pow_f64(3, n) == power && tg_pow_f64(-3, n) == (n % 2 ? -power : power));
    }
    for (int n = -1074; n <= 1023; n++) assert_true(tg_pow_f64(2, n) == ldexp(1, n));
}

static void pow_agrees_with_libm_at_the_edges(void **state) {
    (void)state;
    static const double values[] = {
        0.0,      -0.0,      1,   -1,    2,      -2,     0.5,        -0.5,   3,      -3,
        INFINITY, -INFINITY, NAN, 1e300, 1e-300, 0x1p53, 0x1p53 - 1, 0x1p60, -1e308, 5e-324,
    };
    enum { COUNT = sizeof values / sizeof *values };
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            double got = tg_pow_f64(values[i], values[j]), wanted = pow(values[i], values[j]);
            if (values[i] != values[i] && values[j] == 0) wanted = 1;
            bool same = got == wanted && signbit(got) == signbit(wanted);
            same = same || (got != got && wanted != wanted);
            if (!same && !(ulps_f64(got, wanted) <= 2)) {
                fail_msg("pow(%g, %g): %g instead of %g", values[i], values[j], got, wanted);
            }
        }
    }
}

static void edges_are_defined(void **state) {
    (void)state;
    assert_true(tg_exp_f64(0) == 1 && tg_exp_f64(710) == INFINITY && tg_exp_f64(-750) == 0);
    assert_true(tg_exp_f64(-INFINITY) == 0 && tg_exp_f64(INFINITY) == INFINITY && isnan(tg_exp_f64(NAN)));
    assert_true(tg_exp_f32(0) == 1 && tg_exp_f32(88.8f) == INFINITY && tg_exp_f32(-1e30f) == 0);
    assert_true(tg_exp_f32(-INFINITY) == 0 && tg_exp_f32(INFINITY) == INFINITY && isnan(tg_exp_f32(NAN)));

    assert_true(tg_log_f64(1) == 0 && tg_log_f64(0) == -INFINITY && tg_log_f64(-0.0) == -INFINITY);
    assert_true(tg_log_f64(INFINITY) == INFINITY && isnan(tg_log_f64(-1)) && isnan(tg_log_f64(NAN)));
    assert_true(tg_log_f32(0) == -INFINITY && isnan(tg_log_f32(-1)));

    assert_true(tg_tanh_f64(1e300) == 1 && tg_tanh_f64(-INFINITY) == -1 && isnan(tg_tanh_f64(NAN)));
    assert_true(tg_tanh_f64(5e-324) == 5e-324 && signbit(tg_tanh_f64(-0.0)));
    assert_true(tg_tanh_f32(1e30f) == 1 && tg_tanh_f32(-INFINITY) == -1 && isnan(tg_tanh_f32(NAN)));
    assert_true(tg_tanh_f32(1e-45f) == 1e-45f && signbit(tg_tanh_f32(-0.0f)));

    assert_true(tg_sigmoid_f64(0) == 0.5 && tg_sigmoid_f64(800) == 1 && tg_sigmoid_f64(-800) == 0);
    assert_true(tg_sigmoid_f64(-INFINITY) == 0 && isnan(tg_sigmoid_f64(NAN)));
    assert_true(tg_sigmoid_f32(0) == 0.5f && tg_sigmoid_f32(200) == 1 && tg_sigmoid_f32(-200) == 0);
    assert_true(tg_sigmoid_f32(-INFINITY) == 0 && isnan(tg_sigmoid_f32(NAN)));

    assert_true(tg_sin_f64(0) == 0 && tg_cos_f64(0) == 1);
    assert_true(isnan(tg_sin_f64(NAN)) && isnan(tg_cos_f64(INFINITY)));
    /* The doubles nearest to multiples of pi/2 leave the smallest remainders. */
    for (int n = 1; n < 60000; n++) {
        double x = (double)(n * 1.57079632679489661923132169163975144L);
        assert_true(ulps_f64(tg_sin_f64(x), sinl(x)) <= 2 && ulps_f64(tg_cos_f64(x), cosl(x)) <= 2);
    }
    assert_true(tg_sqrt(2) == (tg_real)sqrt(2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_within_their_bounds),
        cmocka_unit_test(pow_is_within_its_bound),
        cmocka_unit_test(pow_agrees_with_libm_at_the_edges),
        cmocka_unit_test(edges_are_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
