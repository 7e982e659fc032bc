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
    /* Writes the new weights of elements [begin, end) over the gradient. Is all of it finite? corrections: of Adam's
     * moments at step t, 1 - beta1^t and sqrt(1 - beta2^t). */
    bool (*update)(const tg_kernels *kernels, const tg_optim_attrs *attrs, double learning_rate,
                   const double corrections[2], const tg_param *param, size_t begin, size_t end);
} tg_optimizer;

/* value: the recipe's "optimizer" object. Errors: where "optimizer". */
tg_status tg_optimizer_read(const tg_value *value, const tg_optimizer **out, tg_optim_attrs *attrs,
                            tg_error *err);
/* value: what it was read from, for its keys that begin with "x-". */
void tg_optimizer_write(const tg_optimizer *optimizer, const tg_optim_attrs *attrs, const tg_value *value,
                        tg_text *text);

/* New weights for all parameters, spread over the pool; then they change places with the old ones if all are finite, and
 * the optimizer's state too. False, and nothing changed in the weights, when one is not; the state, useless then, is
 * cleared. Steps count from 1. */
bool tg_optimizer_step(const tg_optimizer *optimizer, const tg_optim_attrs *attrs, const tg_kernels *kernels,
                       tg_pool *pool, double learning_rate, uint64_t step, tg_param *const *params,
                       size_t count);

/* ---- schedules: the factor on the learning rate ---------------------------------------------------------------------- */

enum { TG_MAX_SCHEDULES = 8 };

typedef enum tg_metric { TG_METRIC_LOSS, TG_METRIC_ACCURACY } tg_metric; /* of the validation part */

typedef struct tg_schedule_attrs {
    uint64_t every_epochs, patience;
    double epochs; /* of a warm-up; may be a fraction */
    double factor, start_factor, final_factor, rate, min_delta;
    int per; /* 0: epoch, 1: step */
    int metric;
} tg_schedule_attrs;

typedef struct tg_schedule tg_schedule;

typedef struct tg_schedules {
    size_t count;
    const tg_schedule *rows[TG_MAX_SCHEDULES];
    tg_schedule_attrs attrs[TG_MAX_SCHEDULES];
} tg_schedules;

/* Where a run stands. */
typedef struct tg_moment {
    uint64_t step;                    /* finished steps */
    uint64_t place;                   /* the same, had all epochs been as long as those on the data at hand */
    uint64_t steps_per_epoch, epochs; /* of the whole run */
    uint64_t plateaus;                /* how often the validation part has stopped getting better */
} tg_moment;

/* value: the recipe's "schedule", one object or a list applied in order (their factors multiply); NULL: constant.
 * t counts finished epochs, or steps where "per" says so.
 *   constant
 *   step          { every_epochs, factor }             factor^floor(epoch / every_epochs)
 *   exponential   { factor, per: "epoch" }             factor^t
 *   inverse_time  { rate, per: "epoch" }               1 / (1 + rate t)
 *   cosine        { final_factor: 0 }                  from 1 to final_factor over all steps: f + (1 - f) (1 + cos(pi t)) / 2
 *   warm_up       { epochs: 1, start_factor: 0 }       in a straight line from start_factor to 1 over the first epochs
 *   plateau       { factor, patience: 5, min_delta: 0, metric: "loss" }   times factor whenever the metric of the validation
 *                                                      part was no better for more than `patience` epochs (PyTorch's) */
tg_status tg_schedules_read(const tg_value *value, tg_schedules *out, tg_error *err);
/* value: what they were read from, for its keys that begin with "x-". */
void tg_schedules_write(const tg_schedules *schedules, const tg_value *value, tg_text *text);
double tg_schedules_factor(const tg_schedules *schedules, const tg_moment *at);
/* The plateau schedule, of which there is at most one, or NULL. */
const tg_schedule_attrs *tg_schedules_plateau(const tg_schedules *schedules);

#endif
