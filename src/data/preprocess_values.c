/* Preprocessing that leaves every value where it is. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/preprocess_kinds.h"

#define ROWS(table) table, sizeof(table) / sizeof(table)[0]

/* ---- rescale ------------------------------------------------------------------------------------------ */

static const tg_attr rescale_rows[] = {
    {.name = "divide",
     .type = TG_ATTR_REAL,
     .offset = offsetof(tg_rescale, divide),
     .min = 1e-30,
     .max = 1e30,
     .fallback = 255},
    {.name = "offset",
     .type = TG_ATTR_REAL,
     .offset = offsetof(tg_rescale, offset),
     .min = -1e30,
     .max = 1e30},
};

static void rescale_values(const tg_preprocess_step *self, size_t channel, tg_real *x, size_t n) {
    (void)channel;
    tg_real divide = (tg_real)self->of.rescale.divide, offset = (tg_real)self->of.rescale.offset;
    for (size_t i = 0; i < n; i++) x[i] /= divide;
    for (size_t i = 0; offset != 0 && i < n; i++) x[i] += offset;
}

const tg_preprocess_kind tg_preprocess_rescale = {"rescale", ROWS(rescale_rows), .values = rescale_values};

/* ---- standardize -------------------------------------------------------------------------------------- */

static const tg_attr standardize_rows[] = {
    {.name = "mean",
     .type = TG_ATTR_REALS,
     .offset = offsetof(tg_standardize, mean),
     .min = -FLT_MAX, /* as any data may have */
     .max = FLT_MAX,
     .fallback = NAN},
    {.name = "std",
     .type = TG_ATTR_REALS,
     .offset = offsetof(tg_standardize, std),
     .min = 1e-30,
     .max = FLT_MAX,
     .fallback = NAN},
    {.name = "per",
     .type = TG_ATTR_CHOICE,
     .offset = offsetof(tg_standardize, per),
     .choices = "channel|pixel"},
    {.name = "scale", .type = TG_ATTR_FLAG, .offset = offsetof(tg_standardize, scale), .fallback = 1},
};

static tg_status prepare_per_pixel(tg_preprocess_step *self, tg_error *err) {
    const tg_standardize *s = &self->of.standardize;
    const size_t shape[] = {self->in[2], self->in[0], self->in[1]};
    TG_REQUIRE(err, !s->mean.count && !s->std.count, TG_E_RECIPE,
               "per pixel mean and std are fitted on the training part; leave out the numbers");
    self->by_channel = self->fitted = false;
    TG_TRY(tg_preprocess_add_tensor(self, "mean", 3, shape, err));
    return s->scale ? tg_preprocess_add_tensor(self, "std", 3, shape, err) : TG_OK;
}

static tg_status prepare_per_channel(tg_preprocess_step *self, tg_error *err) {
    const tg_standardize *s = &self->of.standardize;
    const tg_reals *mean = &s->mean, *std = &s->std;
    size_t channels = self->in[2];
    TG_REQUIRE(err, s->scale || !std->count, TG_E_RECIPE,
               "scale is false, so there is no use for std; leave it out");
    TG_REQUIRE(err, !s->scale || (mean->count == 0) == (std->count == 0), TG_E_RECIPE,
               "mean and std go together; without both they are fitted on the training part");
    TG_REQUIRE(err, mean->count || channels <= TG_MAX_REALS, TG_E_RECIPE,
               "can be fitted on at most %d channels, not %zu; give one mean and std, or \"per\": \"pixel\"",
               TG_MAX_REALS, channels);
    const tg_reals *lists[] = {mean, std};
    for (size_t i = 0; i < 2; i++)
        TG_REQUIRE(err, lists[i]->count <= 1 || lists[i]->count == channels, TG_E_SHAPE,
                   "%s has %zu numbers; give one, or one for each of the %zu channels",
                   standardize_rows[i].name, lists[i]->count, channels);
    self->fitted = mean->count > 0;
    return TG_OK;
}

static tg_status standardize_prepare(tg_preprocess_step *self, tg_error *err) {
    return self->of.standardize.per == TG_PER_PIXEL ? prepare_per_pixel(self, err)
                                                    : prepare_per_channel(self, err);
}

enum { SAMPLES_AT_ONCE = 64 };

/* Adds up (x - shift)^power over all samples, for each group of `area` neighbouring values: a channel, or a
 * pixel where area is 1. In f64 and in the order of the samples. */
static void add_up(const tg_fitting *fitting, size_t size, size_t area, const double *shift, bool squared,
                   tg_real *samples, double *sums) {
    memset(sums, 0, size / area * sizeof *sums);
    for (size_t first = 0; first < fitting->count; first += SAMPLES_AT_ONCE) {
        size_t n = fitting->count - first < SAMPLES_AT_ONCE ? fitting->count - first : SAMPLES_AT_ONCE;
        tg_fitting_samples(fitting, first, n, samples);
        for (size_t i = 0; i < n; i++)
            for (size_t g = 0; g < size / area; g++)
                for (size_t j = 0; j < area; j++) {
                    double x = (double)samples[i * size + g * area + j] - shift[g];
                    sums[g] += squared ? x * x : x;
                }
    }
}

static tg_status standardize_fit(tg_preprocess_step *self, const tg_fitting *fitting, bool *finished,
                                 tg_error *err) {
    tg_standardize *s = &self->of.standardize;
    bool per_pixel = s->per == TG_PER_PIXEL;
    size_t size = self->in_size, area = per_pixel ? 1 : self->in[0] * self->in[1], groups = size / area;
    double n = (double)area * (double)fitting->count;
    size_t samples_bytes = 0, groups_bytes = 0;
    bool fits = tg_mul_size(size, SAMPLES_AT_ONCE * sizeof(tg_real), &samples_bytes) &&
                tg_mul_size(groups, 3 * sizeof(double), &groups_bytes);
    tg_real *samples = fits ? tg_allocate(samples_bytes) : NULL;
    double *mean = fits ? tg_allocate_zeroed(groups_bytes) : NULL; /* 0: what the first sums are shifted by */
    if (!samples || !mean) {
        tg_free(samples);
        tg_free(mean);
        return tg_fail(err, TG_E_MEMORY, "no memory is left to fit mean and std; use a smaller size");
    }
    double *std = mean + groups, *sums = std + groups;
    add_up(fitting, size, area, mean, false, samples, sums);
    for (size_t g = 0; g < groups; g++) mean[g] = sums[g] / n;
    if (s->scale) add_up(fitting, size, area, mean, true, samples, sums);
    for (size_t g = 0; s->scale && g < groups; g++) {
        double deviation = sqrt(sums[g] / n);
        std[g] = deviation >= 1e-30 ? deviation : 1; /* what is constant becomes 0, not infinite */
    }
    for (size_t g = 0; g < groups; g++) {
        if (per_pixel) self->tensors[0].data[g] = (tg_real)mean[g];
        else s->mean.value[g] = mean[g];
        if (s->scale && per_pixel) self->tensors[1].data[g] = (tg_real)std[g];
        else if (s->scale) s->std.value[g] = std[g];
    }
    if (!per_pixel) s->mean.count = groups;
    if (!per_pixel && s->scale) s->std.count = groups;
    *finished = true;
    tg_free(samples);
    tg_free(mean);
    return TG_OK;
}

static void standardize_values(const tg_preprocess_step *self, size_t channel, tg_real *x, size_t n) {
    const tg_reals *means = &self->of.standardize.mean, *stds = &self->of.standardize.std;
    tg_real mean = (tg_real)means->value[means->count > 1 ? channel : 0];
    if (!self->of.standardize.scale) {
        for (size_t i = 0; i < n; i++) x[i] -= mean;
        return;
    }
    tg_real std = (tg_real)stds->value[stds->count > 1 ? channel : 0];
    for (size_t i = 0; i < n; i++) x[i] = (x[i] - mean) / std;
}

static void standardize_samples(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y,
                                tg_real *work) {
    (void)work;
    size_t size = self->in_size;
    const tg_real *mean = self->tensors[0].data, *std = self->tensors[1].data;
    bool scale = self->of.standardize.scale;
    for (size_t i = 0; i < n; i++, x += size, y += size)
        for (size_t j = 0; j < size; j++) y[j] = scale ? (x[j] - mean[j]) / std[j] : x[j] - mean[j];
}

const tg_preprocess_kind tg_preprocess_standardize = {
    "standardize",          ROWS(standardize_rows),       .prepare = standardize_prepare,
    .fit = standardize_fit, .values = standardize_values, .samples = standardize_samples,
};
