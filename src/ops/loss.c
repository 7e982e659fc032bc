/* Losses: per-sample values, and the gradient of the output in the same pass. */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "ops/op.h"

/* ---- cross_entropy on logits --------------------------------------------------------------------------------------
 * loss = T log(sum_j exp(y_j - m)) - sum_j t_j (y_j - m),  m = max y, T = sum t, which is 1 but for rounding;
 * d loss / dy_j = T softmax(y)_j - t_j.
 * label_smoothing e mixes the target with the uniform distribution: t' = (1 - e) t + e / size (Szegedy et al., 2016). */

typedef struct cross_entropy_attrs {
    double label_smoothing;
} cross_entropy_attrs;

static const tg_attr cross_entropy_rows[] = {
    {"label_smoothing", TG_ATTR_REAL, offsetof(cross_entropy_attrs, label_smoothing),
     .flags = TG_ATTR_BELOW_MAX, .min = 0, .max = 1},
};

static tg_real target_at(const tg_targets *targets, size_t i, size_t j, size_t size) {
    return targets->labels ? (tg_real)((size_t)targets->labels[i] == j) : targets->values[i * size + j];
}

static void cross_entropy(const tg_exec *ex, const void *attrs, size_t size, const tg_real *y,
                          const tg_targets *targets, tg_real *losses, tg_real scale, tg_real *dy) {
    tg_real smooth = (tg_real)((const cross_entropy_attrs *)attrs)->label_smoothing;
    tg_real keep = 1 - smooth, spread = smooth / (tg_real)size;
    enum { BLOCK = 64 }; /* classes whose exponentials are held at a time */
    tg_real part[BLOCK];
    for (size_t i = 0; i < ex->n; i++, y += size) {
        tg_real most = ex->kernels->max(size, y, y[0]);
        tg_real sum = 0, dot = 0, total = 0;
        for (size_t j0 = 0; j0 < size; j0 += BLOCK) {
            size_t count = size - j0 < BLOCK ? size - j0 : BLOCK;
            for (size_t j = 0; j < count; j++) part[j] = y[j0 + j] - most;
            for (size_t j = 0; j < count; j++) {
                tg_real target = keep * target_at(targets, i, j0 + j, size) + spread;
                total += target;
                dot += target * part[j];
            }
            ex->kernels->exp(count, part, part);
            for (size_t j = 0; j < count; j++) sum += part[j];
        }
        losses[i] = total * tg_log(sum) - dot;
        if (!dy) continue;
        for (size_t j0 = 0; j0 < size; j0 += BLOCK) {
            size_t count = size - j0 < BLOCK ? size - j0 : BLOCK;
            for (size_t j = 0; j < count; j++) part[j] = y[j0 + j] - most;
            ex->kernels->exp(count, part, part);
            for (size_t j = 0; j < count; j++, dy++)
                *dy +=
                    scale * (total * part[j] / sum - (keep * target_at(targets, i, j0 + j, size) + spread));
        }
    }
}

/* ---- mean_squared_error: mean over the outputs of (y - t)^2 ---------------------------------------------------------- */

static void mean_squared_error(const tg_exec *ex, const void *attrs, size_t size, const tg_real *y,
                               const tg_targets *targets, tg_real *losses, tg_real scale, tg_real *dy) {
    (void)attrs;
    tg_real slope = 2 * scale / (tg_real)size;
    for (size_t i = 0; i < ex->n; i++, y += size) {
        tg_real sum = 0;
        for (size_t j = 0; j < size; j++) {
            tg_real difference = y[j] - target_at(targets, i, j, size);
            sum += difference * difference;
            if (dy) *dy++ += slope * difference;
        }
        losses[i] = sum / (tg_real)size;
    }
}

static const tg_loss table[] = {
    {.name = "cross_entropy",
     .attrs = cross_entropy_rows,
     .attr_count = sizeof cross_entropy_rows / sizeof *cross_entropy_rows,
     .attrs_bytes = sizeof(cross_entropy_attrs),
     .softmax = true,
     .run = cross_entropy},
    {.name = "mean_squared_error", .run = mean_squared_error},
};

const tg_loss *tg_loss_at(size_t index) {
    return index < sizeof table / sizeof *table ? &table[index] : NULL;
}

const tg_loss *tg_loss_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}
