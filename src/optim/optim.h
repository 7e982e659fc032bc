/* Optimizers and learning-rate schedules, each one row of a table. */
#ifndef TG_OPTIM_OPTIM_H
#define TG_OPTIM_OPTIM_H

#include "ops/op.h"

/* The union of what optimizers take; each row names its own. */
typedef struct tg_optim_attrs {
    double learning_rate, l2, weight_decay;
    double momentum;
    double beta1, beta2, alpha, epsilon;
    double clip_norm; /* 0: none */
} tg_optim_attrs;

typedef struct tg_optimizer {
    const char *name;
    const tg_attr *attrs;
    size_t attr_count;
    size_t states; /* tensors kept per parameter, under optimizer.<parameter>.<state name> */
    const char *state_names[2];
    /* Writes the new weights of elements [begin, end) over the gradient; `step` counts from 1. */
    void (*update)(const tg_kernels *kernels, const tg_optim_attrs *attrs, double learning_rate, uint64_t step,
                   const tg_param *param, size_t begin, size_t end);
} tg_optimizer;

/* value: the recipe's "optimizer" object. Errors: where "optimizer". */
tg_status tg_optimizer_read(const tg_value *value, const tg_optimizer **out, tg_optim_attrs *attrs, tg_error *err);
void tg_optimizer_write(const tg_optimizer *optimizer, const tg_optim_attrs *attrs, tg_text *text);

/* New weights for all parameters, spread over the pool; then they change places with the old ones if all are finite, and
 * the optimizer's state too. False, and nothing changed in the weights, when one is not; the state, useless then, is
 * cleared. */
bool tg_optimizer_step(const tg_optimizer *optimizer, const tg_optim_attrs *attrs, const tg_kernels *kernels,
                       tg_pool *pool, double learning_rate, uint64_t step, tg_param *const *params, size_t count);

/* ---- schedules: the factor on the learning rate ---------------------------------------------------------------------- */

enum { TG_MAX_SCHEDULES = 8 };

typedef struct tg_schedule_attrs {
    uint64_t every_epochs;
    double factor, final_factor;
} tg_schedule_attrs;

typedef struct tg_schedule tg_schedule;

typedef struct tg_schedules {
    size_t count;
    const tg_schedule *rows[TG_MAX_SCHEDULES];
    tg_schedule_attrs attrs[TG_MAX_SCHEDULES];
} tg_schedules;

/* value: the recipe's "schedule", one object or a list applied in order (their factors multiply); NULL: constant.
 *   constant
 *   step     { every_epochs, factor }     factor^floor(epoch / every_epochs)
 *   cosine   { final_factor }             from 1 to final_factor over all steps: f + (1 - f) (1 + cos(pi t)) / 2 */
tg_status tg_schedules_read(const tg_value *value, tg_schedules *out, tg_error *err);
void tg_schedules_write(const tg_schedules *schedules, tg_text *text);
/* step: finished steps; of steps_per_epoch * epochs in all. */
double tg_schedules_factor(const tg_schedules *schedules, uint64_t step, uint64_t steps_per_epoch, uint64_t epochs);

#endif
