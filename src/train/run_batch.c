/* One batch: samples and targets in, losses and classes out. */
#include <string.h>

#include "base/math.h"
#include "ops/layout.h"
#include "train/run.h"

static size_t sample_at(const uint32_t *index, size_t first, size_t i) {
    return index ? index[first + i] & ~TG_TRANSFORMED : first + i;
}

tg_order tg_run_input_order(const tg_run *run) {
    return run->graph->nodes[0].planes ? TG_PLANES : TG_PICTURES;
}

void tg_run_gather(tg_run *run, tg_plan *plan, const tg_dataset *dataset, const uint32_t *index, size_t first,
                   size_t n) {
    size_t sample_bytes = dataset->sample_size * (dataset->type == TG_U8 ? 1 : sizeof(float));
    const uint8_t *pixels = dataset->pixels;
    plan->exec.n = n;
    plan->exec.samples = index ? index + first : NULL;
    bool augmented = plan->exec.training && !tg_augment_empty(run->augment);
    tg_preprocess_gather(run->preprocess, run->engine->parts.pool, dataset->type,
                         index ? pixels : pixels + first * sample_bytes, index ? index + first : NULL, n,
                         tg_run_input_order(run), tg_plan_input(plan), augmented ? &run->augmenting : NULL);
}

/* What an output of `size` scores should have said. Fetched only now: all losses, training and evaluation share these
 * arrays. */
static tg_targets label_targets(tg_run *run, const tg_dataset *dataset, const uint32_t *index, size_t first,
                                size_t n, size_t size) {
    if (dataset->labels) {
        for (size_t i = 0; i < n; i++) run->batch_labels[i] = dataset->labels[sample_at(index, first, i)];
        return (tg_targets){run->batch_labels, NULL};
    }
    tg_real *to = run->batch_targets;
    for (size_t i = 0; i < n; i++, to += size) {
        const float *from = dataset->targets + sample_at(index, first, i) * dataset->classes;
        for (size_t j = 0; j < size; j++) to[j] = j < dataset->classes ? (tg_real)from[j] : 0;
    }
    return (tg_targets){NULL, run->batch_targets};
}

/* The input, as the output that is to repeat it lies. */
static tg_targets input_targets(tg_run *run, tg_plan *plan, const tg_node *output) {
    const tg_node *input = &run->graph->nodes[0];
    const tg_real *x = tg_plan_input(plan);
    size_t size = tg_shape_size(&input->shape);
    if (tg_lie_alike(input, output)) return (tg_targets){NULL, x};
    tg_real *to = run->batch_inputs;
    for (size_t i = 0; i < plan->exec.n; i++, x += size, to += size)
        for (size_t j = 0; j < size; j++) to[tg_place(output, j)] = x[tg_place(input, j)];
    return (tg_targets){NULL, run->batch_inputs};
}

enum { LOSS_ITEM = 1024 }; /* a quarter of the values in an item, at least */

/* One loss over the rows of a batch, some of them an item. */
typedef struct loss_job {
    const tg_run_loss *loss;
    const tg_kernels *kernels;
    size_t n, size, rows;
    tg_targets targets;
    const tg_real *y;
    tg_real *losses, *dy;
    tg_real share;
} loss_job;

static void loss_item(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const loss_job *job = ctx;
    size_t first = i * job->rows, rows = job->n - first < job->rows ? job->n - first : job->rows;
    tg_targets targets = job->targets;
    if (targets.labels) targets.labels += first;
    if (targets.values) targets.values += first * job->size;
    job->loss->row->run(job->kernels, job->loss->attrs, rows, job->size, job->y + first * job->size, &targets,
                        job->losses + first, job->share, job->dy ? job->dy + first * job->size : NULL);
}

double tg_run_losses(tg_run *run, tg_plan *plan, const tg_dataset *dataset, const uint32_t *index,
                     size_t first) {
    const tg_exec *ex = &plan->exec;
    size_t n = ex->n;
    tg_real *one = run->loss_scratch, *total = run->sample_losses;
    double objective = 0;
    memset(total, 0, n * sizeof *total);
    for (size_t l = 0; ex->training && l < run->loss_count; l++)
        tg_plan_clear_gradient(plan, run->losses[l].node);
    for (size_t i = 1; ex->training && i < run->shown_count; i++) /* those that no loss looks at stay at 0 */
        tg_plan_clear_gradient(plan, run->shown[i]);
    for (size_t l = 0; l < run->loss_count; l++) {
        const tg_run_loss *loss = &run->losses[l];
        size_t size = tg_shape_size(&run->graph->nodes[loss->node].shape);
        tg_targets targets = loss->target == TG_TARGET_INPUT
                                 ? input_targets(run, plan, &run->graph->nodes[loss->node])
                                 : label_targets(run, dataset, index, first, n, size);
        double share = loss->sum ? loss->weight : loss->weight / (double)n;
        loss_job job = {.loss = loss,
                        .kernels = ex->kernels,
                        .n = n,
                        .size = size,
                        .rows = (LOSS_ITEM / size + 1) * 4,
                        .targets = targets,
                        .y = ex->y[loss->node],
                        .losses = one,
                        .dy = ex->training ? ex->dy[loss->node] : NULL,
                        .share = (tg_real)share};
        tg_parallel_for(ex->pool, (n + job.rows - 1) / job.rows, loss_item, &job);
        for (size_t i = 0; i < n; i++) {
            total[i] += (tg_real)loss->weight * one[i];
            objective += share * (double)one[i];
        }
    }
    return objective;
}

double tg_run_psnr_of(const tg_run *run, const tg_plan *plan, size_t i) {
    const tg_node *output = &run->graph->nodes[run->losses[0].node], *input = &run->graph->nodes[0];
    const tg_real *y = plan->exec.y[output->index] + i * run->outputs,
                  *x = plan->exec.y[0] + i * run->outputs;
    double squares = 0;
    for (size_t j = 0; j < run->outputs; j++) {
        double difference = (double)y[tg_place(output, j)] - (double)x[tg_place(input, j)];
        squares += difference * difference;
    }
    const double ln10 = 2.302585092994045684;
    return -10 * tg_log_f64(squares / (double)run->outputs) / ln10;
}

int32_t tg_run_class_of(const tg_run *run, const tg_plan *plan, size_t i) {
    const tg_real *y = plan->exec.y[run->losses[0].node] + i * run->outputs;
    size_t best = 0;
    for (size_t j = 1; j < run->outputs; j++)
        if (y[j] > y[best]) best = j;
    return (int32_t)best;
}

int32_t tg_run_true_class(const tg_dataset *dataset, size_t sample) {
    sample &= ~(size_t)TG_TRANSFORMED;
    if (dataset->labels) return dataset->labels[sample];
    const float *targets = dataset->targets + sample * dataset->classes;
    size_t best = 0;
    for (size_t j = 1; j < dataset->classes; j++)
        if (targets[j] > targets[best]) best = j;
    return (int32_t)best;
}
