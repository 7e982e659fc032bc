#include "optim/optim.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/math.h"

#define ROW(field, ...)                                                                                      \
    { #field, TG_ATTR_REAL, offsetof(tg_optim_attrs, field), __VA_ARGS__ }
#define LEARNING_RATE(value) ROW(learning_rate, .flags = TG_ATTR_ABOVE_MIN, .max = 1e6, .fallback = value)
#define L2                   ROW(l2, .max = 1e6)
#define WEIGHT_DECAY(value)  ROW(weight_decay, .max = 1e6, .fallback = value)
#define MOMENTUM(value)      ROW(momentum, .flags = TG_ATTR_BELOW_MAX, .max = 1, .fallback = value)
#define BETAS                                                                                                \
    ROW(beta1, .flags = TG_ATTR_BELOW_MAX, .max = 1, .fallback = 0.9),                                       \
        ROW(beta2, .flags = TG_ATTR_BELOW_MAX, .max = 1, .fallback = 0.999)
#define EPSILON ROW(epsilon, .flags = TG_ATTR_ABOVE_MIN, .max = 1, .fallback = 1e-8)

#define ALL(rate, decay) LEARNING_RATE(rate), L2, WEIGHT_DECAY(decay), ROW(clip_norm, .max = 1e30)

static const tg_attr sgd_rows[] = {ALL(0.01, 0)};
static const tg_attr momentum_rows[] = {ALL(0.01, 0), MOMENTUM(0.9)};
static const tg_attr rmsprop_rows[] = {
    ALL(0.01, 0),
    ROW(alpha, .flags = TG_ATTR_BELOW_MAX, .max = 1, .fallback = 0.99),
    EPSILON,
    MOMENTUM(0),
};
static const tg_attr adam_rows[] = {ALL(0.001, 0), BETAS, EPSILON};
static const tg_attr adamw_rows[] = {ALL(0.001, 0.01), BETAS, EPSILON};

static tg_sgd_step sgd_step(const tg_optim_attrs *a, double learning_rate, const tg_param *p, bool nesterov) {
    return (tg_sgd_step){.learning_rate = (tg_real)(learning_rate * p->learning_rate_factor),
                         .l2 = p->is_weight ? (tg_real)a->l2 : 0,
                         .weight_decay = (tg_real)a->weight_decay,
                         .momentum = (tg_real)a->momentum,
                         .nesterov = nesterov};
}

static bool sgd_update(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                       const double corrections[2], const tg_param *p, size_t begin, size_t end) {
    (void)corrections;
    tg_sgd_step s = sgd_step(a, learning_rate, p, false);
    return kernels->sgd(end - begin, &s, p->data + begin, p->gradient + begin);
}

static bool momentum_with(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                          bool nesterov, const tg_param *p, size_t begin, size_t end) {
    tg_sgd_step s = sgd_step(a, learning_rate, p, nesterov);
    return kernels->momentum(end - begin, &s, p->data + begin, p->gradient + begin, p->state[0] + begin);
}

static bool momentum_update(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                            const double corrections[2], const tg_param *p, size_t begin, size_t end) {
    (void)corrections;
    return momentum_with(kernels, a, learning_rate, false, p, begin, end);
}

static bool nesterov_update(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                            const double corrections[2], const tg_param *p, size_t begin, size_t end) {
    (void)corrections;
    return momentum_with(kernels, a, learning_rate, true, p, begin, end);
}

static bool rmsprop_update(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                           const double corrections[2], const tg_param *p, size_t begin, size_t end) {
    (void)corrections;
    tg_rmsprop_step s = {.learning_rate = (tg_real)(learning_rate * p->learning_rate_factor),
                         .l2 = p->is_weight ? (tg_real)a->l2 : 0,
                         .weight_decay = (tg_real)a->weight_decay,
                         .alpha = (tg_real)a->alpha,
                         .epsilon = (tg_real)a->epsilon,
                         .momentum = (tg_real)a->momentum};
    return kernels->rmsprop(end - begin, &s, p->data + begin, p->gradient + begin, p->state[0] + begin,
                            p->state[1] + begin);
}

static bool adam_with(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                      const double corrections[2], bool decoupled, const tg_param *p, size_t begin,
                      size_t end) {
    tg_adam_step s = {.learning_rate = (tg_real)(learning_rate * p->learning_rate_factor),
                      .l2 = p->is_weight ? (tg_real)a->l2 : 0,
                      .weight_decay = decoupled ? 0 : (tg_real)a->weight_decay,
                      .decoupled_decay = decoupled ? (tg_real)a->weight_decay : 0,
                      .beta1 = (tg_real)a->beta1,
                      .beta2 = (tg_real)a->beta2,
                      .epsilon = (tg_real)a->epsilon,
                      .correction1 = (tg_real)corrections[0],
                      .correction2 = (tg_real)corrections[1]};
    return kernels->adam(end - begin, &s, p->data + begin, p->gradient + begin, p->state[0] + begin,
                         p->state[1] + begin);
}

static bool adam_update(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                        const double corrections[2], const tg_param *p, size_t begin, size_t end) {
    return adam_with(kernels, a, learning_rate, corrections, false, p, begin, end);
}

static bool adamw_update(const tg_kernels *kernels, const tg_optim_attrs *a, double learning_rate,
                         const double corrections[2], const tg_param *p, size_t begin, size_t end) {
    return adam_with(kernels, a, learning_rate, corrections, true, p, begin, end);
}

#define COUNT(rows) rows, sizeof rows / sizeof *rows

static const tg_optimizer table[] = {
    {"sgd", COUNT(sgd_rows), 0, {NULL, NULL}, sgd_update},
    {"momentum", COUNT(momentum_rows), 1, {"momentum", NULL}, momentum_update},
    {"nesterov", COUNT(momentum_rows), 1, {"momentum", NULL}, nesterov_update},
    {"rmsprop", COUNT(rmsprop_rows), 2, {"square_avg", "momentum_buffer"}, rmsprop_update},
    {"adam", COUNT(adam_rows), 2, {"exp_avg", "exp_avg_sq"}, adam_update},
    {"adamw", COUNT(adamw_rows), 2, {"exp_avg", "exp_avg_sq"}, adamw_update},
};

static const char *optimizer_name(size_t index) {
    return index < sizeof table / sizeof *table ? table[index].name : NULL;
}

static tg_status read_optimizer(const tg_value *value, const tg_optimizer **out, tg_optim_attrs *attrs,
                                tg_error *err) {
    TG_REQUIRE(err, value, TG_E_RECIPE, "is missing; for example { \"type\": \"adam\" }");
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE, "must be an object with a type");
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE, "type is missing");
    *attrs = (tg_optim_attrs){0};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, type->string) != 0) continue;
        *out = &table[i];
        return tg_attrs_read(value, table[i].attrs, table[i].attr_count, "type", attrs, err);
    }
    return tg_attrs_unknown_type(type->string, optimizer_name, err);
}

tg_status tg_optimizer_read(const tg_value *value, const tg_optimizer **out, tg_optim_attrs *attrs,
                            tg_error *err) {
    tg_status status = read_optimizer(value, out, attrs, err);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "optimizer");
}

void tg_optimizer_write(const tg_optimizer *optimizer, const tg_optim_attrs *attrs, const tg_value *value,
                        tg_text *text) {
    tg_json_open(text, "optimizer", '{');
    tg_json_string(text, "type", optimizer->name);
    tg_attrs_write(text, optimizer->attrs, optimizer->attr_count, attrs);
    tg_attrs_write_extra(text, value);
    tg_json_close(text, '}');
}

/* ---- one step over all parameters ------------------------------------------------------------------------------------ */

/* Scales all gradients down to a common norm of at most clip_norm, as torch.nn.utils.clip_grad_norm_ does. The l2 term,
 * which the optimizer adds, is not part of it. */
static void clip(double clip_norm, const tg_kernels *kernels, tg_param *const *params, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        if (params[i]->gradient)
            squares += (double)kernels->sum_squares(params[i]->size, params[i]->gradient, 0);
    double scale = clip_norm / (sqrt(squares) + 1e-6);
    if (!(scale < 1)) return;
    for (size_t i = 0; i < count; i++)
        if (params[i]->gradient) kernels->scale(params[i]->size, (tg_real)scale, params[i]->gradient);
}

enum { PIECE = 8192 }; /* elements a thread takes at a time, about: 32 kB of each array */

typedef struct update_job {
    const tg_optimizer *optimizer;
    const tg_optim_attrs *attrs;
    const tg_kernels *kernels;
    double learning_rate, corrections[2];
    tg_param *const *params;
    size_t count, pieces, elements; /* of all parameters, one behind the other */
    atomic_bool finite;
} update_job;

/* The elements from `begin` to `end`, of whatever parameters they are. */
static void update_piece(void *ctx, size_t piece, size_t thread) {
    (void)thread;
    update_job *job = ctx;
    size_t begin = piece * PIECE, end = piece + 1 == job->pieces ? job->elements : begin + PIECE, first = 0;
    bool finite = true;
    for (size_t i = 0; i < job->count && first < end; i++) {
        const tg_param *p = job->params[i];
        if (!p->gradient) continue;
        size_t from = begin > first ? begin - first : 0, to = end - first < p->size ? end - first : p->size;
        if (from < to)
            finite &= job->optimizer->update(job->kernels, job->attrs, job->learning_rate, job->corrections,
                                             p, from, to);
        first += p->size;
    }
    if (!finite) atomic_store_explicit(&job->finite, false, memory_order_relaxed);
}

bool tg_optimizer_step(const tg_optimizer *optimizer, const tg_optim_attrs *attrs, const tg_kernels *kernels,
                       tg_pool *pool, double learning_rate, uint64_t step, tg_param *const *params,
                       size_t count) {
    update_job job = {.optimizer = optimizer,
                      .attrs = attrs,
                      .kernels = kernels,
                      .learning_rate = learning_rate,
                      .corrections = {1 - tg_pow_f64(attrs->beta1, (double)step),
                                      sqrt(1 - tg_pow_f64(attrs->beta2, (double)step))},
                      .params = params,
                      .count = count,
                      .finite = true};
    if (attrs->clip_norm > 0) clip(attrs->clip_norm, kernels, params, count);
    for (size_t i = 0; i < count; i++)
        if (params[i]->gradient) job.elements += params[i]->size;
    job.pieces = (job.elements + PIECE / 2) / PIECE; /* the last one takes up to half a piece more */
    if (job.pieces == 0) job.pieces = 1;
    tg_parallel_for(pool, job.pieces, update_piece, &job);
    bool finite = atomic_load_explicit(&job.finite, memory_order_relaxed);
    for (size_t i = 0; i < count; i++) {
        tg_param *p = params[i];
        if (!p->gradient) continue;
        if (finite) {
            tg_real *old = p->data;
            p->data = p->gradient;
            p->gradient = old;
        } else {
            for (size_t j = 0; j < optimizer->states; j++) memset(p->state[j], 0, p->size * sizeof(tg_real));
        }
    }
    return finite;
}
