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

enum { BLOCK = 64 }; /* classes whose exponentials are held at a time */

/* part = exp(y - most) of the block at j0, target = keep t + spread, and before the exponential their product is added
 * to *dot. Returns how many classes are in it. */
static size_t fill_block(const tg_kernels *kernels, size_t size, size_t j0, const tg_real *y, tg_real most,
                         const tg_targets *targets, size_t i, tg_real keep, tg_real spread, tg_real *part,
                         tg_real *target, tg_real *dot) {
    size_t count = size - j0 < BLOCK ? size - j0 : BLOCK;
    for (size_t j = 0; j < count; j++) part[j] = y[j0 + j] - most;
    for (size_t j = 0; j < count; j++) target[j] = keep * target_at(targets, i, j0 + j, size) + spread;
    for (size_t j = 0; j < count; j++) *dot += target[j] * part[j];
    kernels->exp(count, part, part);
    return count;
}

static void cross_entropy(const tg_kernels *kernels, const void *attrs, size_t n, size_t size,
                          const tg_real *y, const tg_targets *targets, tg_real *losses, tg_real scale,
                          tg_real *dy) {
    tg_real smooth = (tg_real)((const cross_entropy_attrs *)attrs)->label_smoothing;
    tg_real keep = 1 - smooth, spread = smooth / (tg_real)size;
    tg_real part[BLOCK], target[BLOCK];
    for (size_t i = 0; i < n; i++, y += size) {
        tg_real most = kernels->max(size, y, y[0]);
        tg_real sum = 0, dot = 0, total = 0, again = 0;
        for (size_t j0 = 0; j0 < size; j0 += BLOCK) {
            size_t count =
                fill_block(kernels, size, j0, y, most, targets, i, keep, spread, part, target, &dot);
            for (size_t j = 0; j < count; j++) {
                total += target[j];
                sum += part[j];
            }
        }
        losses[i] = total * tg_log(sum) - dot;
        if (!dy) continue;
        tg_real *slope = dy + i * size;
        for (size_t j0 = 0; j0 < size; j0 += BLOCK) {
            size_t count = size; /* a single block is still there */
            if (size > BLOCK)
                count =
                    fill_block(kernels, size, j0, y, most, targets, i, keep, spread, part, target, &again);
            for (size_t j = 0; j < count; j++) slope[j0 + j] += scale * (total * part[j] / sum - target[j]);
        }
    }
}

/* ---- mean_squared_error: mean over the outputs of (y - t)^2 ---------------------------------------------------------- */

/* A row's squares are added one after the other, as ever: four rows at a time, because each addition waits for the one
 * before it. */
static void sum_four(size_t size, const tg_real *y, const tg_real *t, tg_real sums[4]) {
    tg_real a = 0, b = 0, c = 0, d = 0;
    for (size_t j = 0; j < size; j++) {
        tg_real p = y[j] - t[j], q = y[size + j] - t[size + j];
        tg_real r = y[2 * size + j] - t[2 * size + j], s = y[3 * size + j] - t[3 * size + j];
        a += p * p;
        b += q * q;
        c += r * r;
        d += s * s;
    }
    sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

static void mean_squared_error(const tg_kernels *kernels, const void *attrs, size_t n, size_t size,
                               const tg_real *y, const tg_targets *targets, tg_real *losses, tg_real scale,
                               tg_real *dy) {
    (void)kernels, (void)attrs;
    tg_real slope = 2 * scale / (tg_real)size;
    const tg_real *t = targets->values;
    for (size_t i = 0; i < n;) {
        if (t && i + 4 <= n) {
            sum_four(size, y + i * size, t + i * size, losses + i);
            i += 4;
        } else {
            losses[i] = 0;
            for (size_t j = 0; j < size; j++) {
                tg_real difference = y[i * size + j] - target_at(targets, i, j, size);
                losses[i] += difference * difference;
            }
            i++;
        }
    }
    for (size_t i = 0; i < n; i++) losses[i] /= (tg_real)size;
    if (dy && t)
        for (size_t j = 0; j < n * size; j++) dy[j] += slope * (y[j] - t[j]);
    for (size_t i = 0; dy && !t && i < n; i++)
        for (size_t j = 0; j < size; j++)
            dy[i * size + j] += slope * (y[i * size + j] - target_at(targets, i, j, size));
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
