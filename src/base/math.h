/* Elementary functions with the same bits everywhere: libc's differ from machine to machine.
 *
 * Only +, -, *, /, sqrt, comparisons and bit patterns, each a single IEEE operation (-ffp-contract=off). The
 * f64 ones are within 2 ulp, the f32 ones within 3 ulp of the true value (tests/numeric). Defined for every
 * input: NaN in, NaN out. */
#ifndef TG_BASE_MATH_H
#define TG_BASE_MATH_H

#include "tabgrad.h"

double tg_exp_f64(double x);
double tg_log_f64(double x);                     /* log(0) = -inf, log(negative) = NaN */
double tg_pow_f64(double base, double exponent); /* base > 0, or exponent an integer */
double tg_tanh_f64(double x);
double tg_sigmoid_f64(double x);
double tg_sin_f64(double x); /* |x| < 1e5 */
double tg_cos_f64(double x);

float tg_exp_f32(float x);
float tg_log_f32(float x);
float tg_tanh_f32(float x);
float tg_sigmoid_f32(float x);

#ifdef TG_REAL_F64
#define tg_exp     tg_exp_f64
#define tg_log     tg_log_f64
#define tg_tanh    tg_tanh_f64
#define tg_sigmoid tg_sigmoid_f64
#else
#define tg_exp     tg_exp_f32
#define tg_log     tg_log_f32
#define tg_tanh    tg_tanh_f32
#define tg_sigmoid tg_sigmoid_f32
#endif

tg_real tg_sqrt(tg_real x); /* the IEEE operation, correctly rounded */

#endif
