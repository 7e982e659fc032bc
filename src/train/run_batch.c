/* Rows of one batch: samples and targets in, losses and classes out. Threads take different rows at the same time. */
#include <string.h>

#include "base/math.h"
#include "ops/layout.h"
#include "train/run.h"

static const uint32_t *index_at(const tg_batch *batch, size_t row) {
    return batch->index ? batch->index + batch->first + row : NULL;
}

/* Which sample of the set a row is. */
static size_t sample_at(const tg_batch *batch, size_t row) {
    return batch->index ? *index_at(batch, row) & ~TG_TRANSFORMED : batch->first + row;
}

tg_order tg_run_input_order(const tg_run *run) {
    return run->graph->nodes[0].planes ? TG_PLANES : TG_PICTURES;
}

void tg_run_gather_rows(tg_run *run, const tg_batch *batch, const tg_exec *rows, size_t first,
                        size_t thread) {
    const size_t *shape = run->data_shape;
    size_t sample_bytes = shape[0] * shape[1] * shape[2] * (batch->type == TG_U8 ? 1 : sizeof(float));
    const uint8_t *pixels = batch->pixels;
    if (!batch->index) pixels += (batch->first + first) * sample_bytes;
    bool augmented = rows->training && !tg_augment_empty(run->augment);
    tg_preprocess_gather_on(run->preprocess, thread, batch->type, pixels, index_at(batch, first), rows->n,
                            tg_run_input_order(run), rows->y[0], augmented ? &run->augmenting : NULL);
}

/* What an output of `size` scores should have said. Fetched only now: all losses, training and evaluation share these
 * arrays. */
static tg_targets label_targets(tg_run *run, const tg_batch *batch, const tg_exec *rows, size_t first,
                                size_t size) {
    const tg_dataset *dataset = batch->dataset;
    if (dataset->labels) {
        int32_t *labels = run->batch_labels + first;
        for (size_t i = 0; i < rows->n; i++) labels[i] = dataset->labels[sample_at(batch, first + i)];
        return (tg_targets){labels, NULL};
    }
    tg_real *targets = run->batch_targets + first * run->target_size, *to = targets;
    for (size_t i = 0; i < rows->n; i++, to += size) {
        const float *from = dataset->targets + sample_at(batch, first + i) * dataset->classes;
        for (size_t j = 0; j < size; j++) to[j] = j < dataset->classes ? (tg_real)from[j] : 0;
    }
    return (tg_targets){NULL, targets};
}

/* The input, as the output that is to repeat it lies. */
static tg_targets input_targets(tg_run *run, const tg_exec *rows, size_t first, const tg_node *output) {
    const tg_node *input = &run->graph->nodes[0];
    const tg_real *x = rows->y[0];
    size_t size = tg_shape_size(&input->shape);
    if (tg_lie_alike(input, output)) return (tg_targets){NULL, x};
    tg_real *targets = run->batch_inputs + first * size, *to = targets;
    for (size_t i = 0; i < rows->n; i++, x += size, to += size)
        for (size_t j = 0; j < size; j++) to[tg_place(output, j)] = x[tg_place(input, j)];
    return (tg_targets){NULL, targets};
}

/* The first of the largest outputs. */
static int32_t class_of(const tg_run *run, const tg_exec *rows, size_t i) {
    const tg_real *y = rows->y[run->losses[0].node] + i * run->outputs;
    size_t best = 0;
    for (size_t j = 1; j < run->outputs; j++)
        if (y[j] > y[best]) best = j;
    return (int32_t)best;
}

static double share_of(const tg_run_loss *loss, const tg_batch *batch) {
    return loss->sum ? loss->weight : loss->weight / (double)batch->n;
}

void tg_run_row_losses(tg_run *run, const tg_batch *batch, const tg_exec *rows, size_t first) {
    const tg_plan *plan = batch->plan;
    for (size_t l = 0; rows->training && l < run->loss_count; l++)
        tg_plan_clear_rows(plan, rows, run->losses[l].node);
    for (size_t i = 1; rows->training && i < run->shown_count;
         i++) /* those that no loss looks at stay at 0 */
        tg_plan_clear_rows(plan, rows, run->shown[i]);
    for (size_t l = 0; l < run->loss_count; l++) {
        const tg_run_loss *loss = &run->losses[l];
        const tg_node *node = &run->graph->nodes[loss->node];
        size_t size = tg_shape_size(&node->shape);
        tg_targets targets = loss->target == TG_TARGET_INPUT ? input_targets(run, rows, first, node)
                                                             : label_targets(run, batch, rows, first, size);
        loss->row->run(rows->kernels, loss->attrs, rows->n, size, rows->y[loss->node], &targets,
                       batch->outcome->losses + l * batch->n + first, (tg_real)share_of(loss, batch),
                       rows->training ? rows->dy[loss->node] : NULL);
    }
    for (size_t i = 0; run->has_labels && i < rows->n; i++)
        batch->outcome->says[first + i] = class_of(run, rows, i);
}

double tg_run_objective(tg_run *run, const tg_batch *batch) {
    tg_real *total = run->sample_losses;
    const tg_real *one = batch->outcome->losses;
    double objective = 0;
    memset(total, 0, batch->n * sizeof *total);
    for (size_t l = 0; l < run->loss_count; l++, one += batch->n) {
        double share = share_of(&run->losses[l], batch);
        for (size_t i = 0; i < batch->n; i++) {
            total[i] += (tg_real)run->losses[l].weight * one[i];
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

int32_t tg_run_true_class(const tg_dataset *dataset, size_t sample) {
    sample &= ~(size_t)TG_TRANSFORMED;
    if (dataset->labels) return dataset->labels[sample];
    const float *targets = dataset->targets + sample * dataset->classes;
    size_t best = 0;
    for (size_t j = 1; j < dataset->classes; j++)
        if (targets[j] > targets[best]) best = j;
    return (int32_t)best;
}
