/* What an optimizer step needs besides the arrays, computed once a call by all kernel tables alike. */
#ifndef TG_KERNELS_COEFFICIENTS_H
#define TG_KERNELS_COEFFICIENTS_H

#include "kernels/kernels.h"

/* adam: g' = g + decay w;  m = beta1 m + rest1 g';  s = beta2 s + rest2 g'^2;
 *       w' = keep w - rate m / (root sqrt(s) + epsilon) */
typedef struct tg_adam_coefficients {
    tg_real decay, rest1, rest2, keep, rate, root;
} tg_adam_coefficients;

static inline tg_real tg_sgd_decay(const tg_sgd_step *step) {
    return 2 * step->l2 + step->weight_decay;
}

static inline tg_adam_coefficients tg_adam_prepare(const tg_adam_step *step) {
    return (tg_adam_coefficients){
        .decay = 2 * step->l2 + step->weight_decay,
        .rest1 = 1 - step->beta1,
        .rest2 = 1 - step->beta2,
        .keep = 1 - step->learning_rate * step->decoupled_decay,
        .rate = step->learning_rate / step->correction1,
        .root = 1 / step->correction2,
    };
}

#endif
