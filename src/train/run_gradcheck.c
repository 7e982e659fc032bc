/* Central differences against backpropagation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/run.h"

static const double STEP = 1e-5;

/* Which side of every kink the batch lies on: signs of rectified values, places of maxima. FNV-1a. */
static uint64_t hash_kinks(const tg_exec *ex, const tg_node *node, uint64_t hash) {
    const uint64_t prime = 1099511628211u;
    if (node->op->flags & TG_OP_KINK_AT_ZERO) {
        size_t total = ex->n * tg_shape_size(&node->shape);
        for (size_t i = 0; i < total; i++) hash = (hash ^ (tg_y(ex, node)[i] > 0)) * prime;
    }
    for (size_t i = 0; i < ex->n * node->saved_bytes; i++) hash = (hash ^ ex->saved[node->index][i]) * prime;
    return hash;
}

static double objective(tg_run *run, uint64_t *kinks) {
    *kinks = 14695981039346656037u;
    for (size_t i = 1; i < run->graph->count; i++) {
        tg_plan_forward(run->train_plan, i);
        *kinks = hash_kinks(&run->train_plan->exec, &run->graph->nodes[i], *kinks);
    }
    return tg_run_losses(run, run->train_plan, run->train, run->entries.index, 0) + tg_run_l2_penalty(run);
}

/* In-place nodes overwrite their input, so the batch is gathered again for every pass. */
static void gather(tg_run *run) {
    size_t n = run->batch_size;
    tg_run_gather(run, run->train_plan, run->train, run->entries.index, 0, n);
}

static void check_one(tg_run *run, tg_param *p, size_t i, uint64_t kinks, tg_gradcheck *out) {
    double l2 = p->is_weight ? run->optim_attrs.l2 : 0;
    tg_real kept = p->data[i];
    double analytic = (double)p->gradient[i] + 2 * l2 * (double)kept;
    uint64_t above_kinks, below_kinks;
    p->data[i] = kept + (tg_real)STEP;
    gather(run);
    double above = objective(run, &above_kinks);
    p->data[i] = kept - (tg_real)STEP;
    gather(run);
    double below = objective(run, &below_kinks);
    p->data[i] = kept;
    out->checked++;
    if (above_kinks != kinks || below_kinks != kinks) {
        out->skipped++;
        return;
    }
    double numeric = (above - below) / (2 * STEP);
    double scale = fmax(fmax(fabs(analytic), fabs(numeric)), 1e-2);
    double error = fabs(analytic - numeric) / scale;
    if (error <= out->worst) return;
    out->worst = error;
    out->index = i;
    snprintf(out->parameter, sizeof out->parameter, "%s", p->name);
}

tg_status tg_run_gradcheck(tg_run *run, size_t max_per_tensor, tg_gradcheck *out, tg_error *err) {
    *out = (tg_gradcheck){0};
    TG_REQUIRE(err, run->train, TG_E_STATE, "there is no training data to check gradients on");
    TG_TRY(tg_run_check_ready(run, err));
    run->phase = run->phase == TG_PHASE_HELD_OUT ? TG_PHASE_HELD_OUT
                                                 : TG_PHASE_GATHER; /* a step in progress starts over */
    uint64_t kinks;
    gather(run);
    tg_run_clear_gradients(run);
    objective(run, &kinks);
    for (size_t i = run->graph->count; i-- > 1;) tg_plan_backward(run->train_plan, i);
    for (size_t i = 0; i < run->param_count; i++) {
        tg_param *p = run->params[i];
        if (!p->gradient) continue;
        size_t count = max_per_tensor && max_per_tensor < p->size ? max_per_tensor : p->size;
        for (size_t j = 0; j < count; j++)
            check_one(run, p, (size_t)((double)j * (double)p->size / (double)count), kinks, out);
    }
    return TG_OK;
}
