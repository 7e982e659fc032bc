/* Central differences against backpropagation: a machine of small steps, like training. One pass over the batch gives the
 * gradients, then two passes for every value that is looked at, with that value a little above and below. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/run.h"

static const double STEP = 1e-5;

/* ---- which values are looked at: evenly spaced ones of every trained tensor --------------------------------------- */

static tg_param *current_tensor(const tg_run *run) {
    size_t tensor = run->gradcheck.tensor;
    return tensor < run->param_count ? run->params[tensor] : NULL;
}

static size_t looked_at(const tg_checker *check, const tg_param *p) {
    return check->per_tensor && check->per_tensor < p->size ? check->per_tensor : p->size;
}

static size_t current_index(const tg_run *run) {
    const tg_param *p = current_tensor(run);
    double count = (double)looked_at(&run->gradcheck, p);
    return (size_t)((double)run->gradcheck.value * (double)p->size / count);
}

static void skip_untrained(tg_run *run) {
    while (current_tensor(run) && !current_tensor(run)->gradient) run->gradcheck.tensor++;
}

static void next_value(tg_run *run) {
    tg_checker *check = &run->gradcheck;
    if (++check->value < looked_at(check, current_tensor(run))) return;
    check->value = 0;
    check->tensor++;
    skip_untrained(run);
}

/* ---- one pass ------------------------------------------------------------------------------------------------------ */

static const uint64_t HASH_BEGIN = 14695981039346656037u, HASH_PRIME = 1099511628211u; /* FNV-1a */

/* Which side of every kink the batch lies on: signs of rectified values, places of maxima. */
static uint64_t hash_kinks(const tg_exec *ex, const tg_node *node, uint64_t hash) {
    if (node->op->flags & TG_OP_KINK_AT_ZERO) {
        size_t total = ex->n * tg_shape_size(&node->shape);
        for (size_t i = 0; i < total; i++) hash = (hash ^ (tg_y(ex, node)[i] > 0)) * HASH_PRIME;
    }
    for (size_t i = 0; i < ex->n * node->saved_bytes; i++)
        hash = (hash ^ ex->saved[node->index][i]) * HASH_PRIME;
    return hash;
}

static tg_batch whole_batch(tg_run *run) {
    return (tg_batch){.plan = run->train_plan,
                      .dataset = run->train,
                      .type = run->train->type,
                      .pixels = run->train->pixels,
                      .index = run->entries.index,
                      .n = run->batch_size,
                      .outcome = &run->trained};
}

/* One unit of work; true where it was the pass's last. */
static bool advance_pass(tg_run *run, double *objective) {
    tg_checker *check = &run->gradcheck;
    tg_plan *plan = run->train_plan;
    tg_batch batch = whole_batch(run);
    if (check->backward) {
        tg_plan_backward(plan, check->node--);
        return check->node == 0;
    }
    if (check->node == 0) {
        tg_run_gather(run, &batch); /* for every pass anew: in-place nodes overwrite their input */
        if (check->pass == TG_PASS_GRADIENTS) tg_run_clear_gradients(run);
        check->hash = HASH_BEGIN;
        check->node = 1;
        return false;
    }
    if (check->node < run->graph->count) {
        tg_plan_forward(plan, check->node);
        check->hash = hash_kinks(&plan->exec, &run->graph->nodes[check->node], check->hash);
        check->node++;
        return false;
    }
    tg_run_losses(run, &batch);
    *objective = tg_run_objective(run, &batch) + tg_run_l2_penalty(run);
    check->backward = check->pass == TG_PASS_GRADIENTS;
    if (check->backward) check->node--;
    return !check->backward;
}

/* ---- what the passes say ------------------------------------------------------------------------------------------- */

static void compare(tg_run *run, double above, double below) {
    tg_checker *check = &run->gradcheck;
    tg_gradcheck *found = &check->found;
    const tg_param *p = current_tensor(run);
    size_t i = current_index(run);
    found->checked++;
    if (check->crossed || check->hash != check->kinks) {
        found->skipped++;
        return;
    }
    double l2 = p->is_weight ? run->optim_attrs.l2 : 0;
    double analytic = (double)p->gradient[i] + 2 * l2 * (double)p->data[i];
    double numeric = (above - below) / (2 * STEP);
    double scale = fmax(fmax(fabs(analytic), fabs(numeric)), 1e-2);
    double error = fabs(analytic - numeric) / scale;
    if (error <= found->worst) return;
    found->worst = error;
    found->index = i;
    snprintf(found->parameter, sizeof found->parameter, "%s", p->name);
}

static void finish_pass(tg_run *run, double objective) {
    tg_checker *check = &run->gradcheck;
    check->node = 0;
    check->backward = false;
    switch (check->pass) {
    case TG_PASS_GRADIENTS:
        check->kinks = check->hash;
        check->pass = TG_PASS_ABOVE;
        break;
    case TG_PASS_ABOVE:
        check->above = objective;
        check->crossed = check->hash != check->kinks;
        check->pass = TG_PASS_BELOW;
        break;
    case TG_PASS_BELOW:
        compare(run, check->above, objective);
        next_value(run);
        check->pass = TG_PASS_ABOVE;
        break;
    }
}

/* The value is displaced only while the network computes: whoever looks between two units sees it as it is. */
static void advance(tg_run *run) {
    tg_pass pass = run->gradcheck.pass;
    double displacement = pass == TG_PASS_ABOVE ? STEP : pass == TG_PASS_BELOW ? -STEP : 0;
    const tg_param *p = current_tensor(run);
    tg_real *value = &p->data[current_index(run)], kept = *value;
    double objective = 0;
    *value = kept + (tg_real)displacement;
    if (displacement != 0) tg_graph_param_changed(run->graph, p);
    bool done = advance_pass(run, &objective);
    *value = kept;
    if (displacement != 0) tg_graph_param_changed(run->graph, p);
    if (done) finish_pass(run, objective);
}

/* ---- for callers --------------------------------------------------------------------------------------------------- */

tg_status tg_run_gradcheck_begin(tg_run *run, size_t max_per_tensor, tg_error *err) {
    TG_REQUIRE(err, run->train, TG_E_STATE, "there is no training data to check gradients on");
    TG_TRY(tg_run_check_ready(run, err));
    if (run->phase != TG_PHASE_HELD_OUT) run->phase = TG_PHASE_BEGIN; /* a step in progress starts over */
    run->gradcheck = (tg_checker){.begun = true, .per_tensor = max_per_tensor};
    skip_untrained(run);
    return TG_OK;
}

tg_status tg_run_gradcheck(tg_run *run, tg_interrupt interrupt, void *ctx, tg_gradcheck *out, tg_error *err) {
    TG_REQUIRE(err, run->gradcheck.begun, TG_E_STATE,
               "no gradient check has been begun since the run was last trained");
    while (current_tensor(run)) {
        advance(run);
        if (interrupt && interrupt(ctx)) break;
    }
    *out = run->gradcheck.found;
    out->finished = !current_tensor(run);
    return TG_OK;
}
