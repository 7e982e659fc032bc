/* Watching the validation part: when it stops getting better, the plateau schedule lowers the learning rate and early
 * stopping ends the run. Both follow from the history of epochs alone. */
#include <math.h>
#include <string.h>

#include "train/run.h"

/* Is record i better than record j by more than min_delta? */
static bool better(const tg_run *run, int metric, double min_delta, size_t i, size_t j) {
    const tg_epoch_record *a = &run->records[i], *b = &run->records[j];
    return metric == TG_METRIC_LOSS ? a->held_out_loss < b->held_out_loss - min_delta
                                    : a->held_out_accuracy > b->held_out_accuracy + min_delta;
}

uint64_t tg_run_plateaus(const tg_run *run) {
    const tg_schedule_attrs *plateau = tg_schedules_plateau(&run->schedules);
    uint64_t plateaus = 0, bad = 0;
    size_t best = 0;
    for (size_t i = 1; plateau && i < run->record_count; i++) {
        if (better(run, plateau->metric, plateau->min_delta, i, best)) {
            best = i;
            bad = 0;
        } else if (++bad > plateau->patience) {
            plateaus++;
            bad = 0;
        }
    }
    return plateaus;
}

static void copy_weights(tg_run *run, bool to_best) {
    tg_real *best = run->best_block;
    for (size_t i = 0; i < run->param_count; i++) {
        tg_param *p = run->params[i];
        memcpy(to_best ? best : p->data, to_best ? p->data : best, p->size * sizeof *best);
        best += p->size;
    }
}

void tg_run_watch(tg_run *run) {
    tg_position *at = &run->at;
    at->plateaus = tg_run_plateaus(run);
    const tg_early_stopping *stop = &run->recipe.early_stopping;
    if (!stop->patience) return;
    size_t last = run->record_count - 1;
    if (at->best_epoch == 0 || better(run, stop->metric, stop->min_delta, last, (size_t)at->best_epoch - 1)) {
        at->best_epoch = at->patient_since = at->epoch;
        if (run->best_block) copy_weights(run, true);
    }
    at->stopped = at->epoch - at->patient_since >= stop->patience;
    bool over = at->stopped || at->epoch >= run->recipe.epochs;
    if (!over || !run->best_block) return;
    copy_weights(run, false);
    tg_graph_changed(run->graph);
}
