#include "data/preprocess.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/math.h"
#include "base/memory.h"

enum { LEVELS = 256 /* of a u8 */ };

/* ---- the steps ---------------------------------------------------------------------------------------- */

typedef struct rescale {
    double divide;
} rescale;

typedef struct standardize {
    tg_reals mean, std; /* one number, or one per channel; none: still to be fitted */
} standardize;

typedef struct step {
    const struct step_kind *kind;
    union {
        rescale rescale;
        standardize standardize;
    } of;
} step;

typedef struct step_kind {
    const char *name;
    const tg_attr *rows;
    size_t row_count;
    tg_status (*check)(const step *self, size_t channels,
                       tg_error *err); /* what the rows cannot say; may be NULL */
    bool (*fitted)(const step *self);  /* NULL: there is nothing to fit */
    tg_status (*fit)(step *self, const tg_preprocess *before, const tg_dataset *dataset,
                     const uint32_t *index, size_t count, tg_error *err);
    void (*apply)(const step *self, size_t channel, tg_real *x,
                  size_t n); /* in place, to values of one channel */
} step_kind;

struct tg_preprocess {
    size_t height, width, channels;
    tg_real *table; /* [channels, LEVELS]: what each u8 becomes; valid once everything is fitted */
    size_t count;
    step steps[];
};

/* ---- rescale ------------------------------------------------------------------------------------------ */

static const tg_attr rescale_rows[] = {
    {.name = "divide",
     .type = TG_ATTR_REAL,
     .offset = offsetof(rescale, divide),
     .min = 1e-30,
     .max = 1e30,
     .fallback = 255},
};

static void rescale_apply(const step *self, size_t channel, tg_real *x, size_t n) {
    (void)channel;
    tg_real divide = (tg_real)self->of.rescale.divide;
    for (size_t i = 0; i < n; i++) x[i] /= divide;
}

/* ---- standardize -------------------------------------------------------------------------------------- */

static const tg_attr standardize_rows[] = {
    {.name = "mean",
     .type = TG_ATTR_REALS,
     .offset = offsetof(standardize, mean),
     .min = -1e30,
     .max = 1e30,
     .fallback = NAN},
    {.name = "std",
     .type = TG_ATTR_REALS,
     .offset = offsetof(standardize, std),
     .min = 1e-30,
     .max = 1e30,
     .fallback = NAN},
};

static tg_status standardize_check(const step *self, size_t channels, tg_error *err) {
    const tg_reals *mean = &self->of.standardize.mean, *std = &self->of.standardize.std;
    TG_REQUIRE(err, (mean->count == 0) == (std->count == 0), TG_E_RECIPE,
               "mean and std go together; without both they are fitted on the training part");
    TG_REQUIRE(err, mean->count || channels <= TG_MAX_REALS, TG_E_RECIPE,
               "can be fitted on at most %d channels, not %zu; give one mean and std", TG_MAX_REALS,
               channels);
    const tg_reals *lists[] = {mean, std};
    for (size_t i = 0; i < 2; i++)
        TG_REQUIRE(err, lists[i]->count <= 1 || lists[i]->count == channels, TG_E_SHAPE,
                   "%s has %zu numbers; give one, or one for each of the %zu channels",
                   standardize_rows[i].name, lists[i]->count, channels);
    return TG_OK;
}

static bool standardize_fitted(const step *self) {
    return self->of.standardize.mean.count > 0;
}

/* Adds up, per channel, (x - shift[c])^power over all samples as the steps before leave them; in f64 and in
 * order. */
static void sum_channels(const tg_preprocess *before, const tg_dataset *dataset, const uint32_t *index,
                         size_t count, const double *shift, bool squared, tg_real *sample, double *sums) {
    size_t area = before->height * before->width;
    memset(sums, 0, before->channels * sizeof *sums);
    for (size_t i = 0; i < count; i++) {
        tg_preprocess_gather(before, NULL, dataset->type, dataset->pixels, index + i, 1, sample, NULL);
        for (size_t c = 0; c < before->channels; c++)
            for (size_t j = 0; j < area; j++) {
                double x = (double)sample[c * area + j] - shift[c];
                sums[c] += squared ? x * x : x;
            }
    }
}

static tg_status standardize_fit(step *self, const tg_preprocess *before, const tg_dataset *dataset,
                                 const uint32_t *index, size_t count, tg_error *err) {
    size_t area = before->height * before->width;
    double n = (double)area * (double)count, sums[TG_MAX_REALS];
    size_t bytes = 0;
    tg_real *sample = tg_mul_size(dataset->sample_size, sizeof *sample, &bytes) ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, sample, TG_E_MEMORY, "no memory is left to fit mean and std; use a smaller size");
    tg_reals mean = {0},
             std = {0}; /* mean starts at 0, which is the shift that the first sums are taken with */
    sum_channels(before, dataset, index, count, mean.value, false, sample, sums);
    for (size_t c = 0; c < before->channels; c++) mean.value[c] = sums[c] / n;
    sum_channels(before, dataset, index, count, mean.value, true, sample, sums);
    for (size_t c = 0; c < before->channels; c++) {
        double deviation = sqrt(sums[c] / n);
        std.value[c] = deviation >= 1e-30 ? deviation : 1; /* a constant channel becomes 0, not infinite */
    }
    tg_free(sample);
    mean.count = std.count = before->channels;
    self->of.standardize = (standardize){mean, std};
    return TG_OK;
}

static void standardize_apply(const step *self, size_t channel, tg_real *x, size_t n) {
    const tg_reals *means = &self->of.standardize.mean, *stds = &self->of.standardize.std;
    tg_real mean = (tg_real)means->value[means->count > 1 ? channel : 0];
    tg_real std = (tg_real)stds->value[stds->count > 1 ? channel : 0];
    for (size_t i = 0; i < n; i++) x[i] = (x[i] - mean) / std;
}

/* ---- the table of steps ------------------------------------------------------------------------------- */

#define ROWS(rows) rows, sizeof(rows) / sizeof(rows)[0]
static const step_kind kinds[] = {
    {"rescale", ROWS(rescale_rows), NULL, NULL, NULL, rescale_apply},
    {"standardize", ROWS(standardize_rows), standardize_check, standardize_fitted, standardize_fit,
     standardize_apply},
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static tg_status find_kind(const char *name, const step_kind **out, tg_error *err) {
    char known[160] = "";
    size_t written = 0;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *out = &kinds[i];
            return TG_OK;
        }
        written +=
            (size_t)snprintf(known + written, sizeof known - written, "%s%s", i ? ", " : "", kinds[i].name);
        assert(written < sizeof known);
    }
    return tg_fail(err, TG_E_RECIPE, "unknown type \"%.60s\"; there are %s", name, known);
}

static tg_status read_step(const tg_value *value, size_t channels, step *out, tg_error *err) {
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE,
               "must be an object such as {\"type\": \"rescale\"}");
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE, "needs a type, such as \"rescale\"");
    TG_TRY(find_kind(type->string, &out->kind, err));
    TG_TRY(tg_attrs_read(value, out->kind->rows, out->kind->row_count, "type", &out->of, err));
    return out->kind->check ? out->kind->check(out, channels, err) : TG_OK;
}

/* ---- the list ----------------------------------------------------------------------------------------- */

static void fill_table(tg_preprocess *preprocess) {
    for (size_t c = 0; c < preprocess->channels; c++) {
        tg_real *row = preprocess->table + c * LEVELS;
        for (size_t level = 0; level < LEVELS; level++) row[level] = (tg_real)level;
        for (size_t s = 0; s < preprocess->count; s++)
            preprocess->steps[s].kind->apply(&preprocess->steps[s], c, row, LEVELS);
    }
}

tg_status tg_preprocess_create(const tg_value *list, const size_t shape[3], size_t threads,
                               tg_preprocess **out, tg_error *err) {
    *out = NULL;
    (void)threads;
    if (list && list->kind != TG_LIST) {
        tg_fail(err, TG_E_RECIPE, "must be a list of steps such as [{\"type\": \"rescale\"}]");
        return tg_fail_at(err, TG_E_RECIPE, "preprocess");
    }
    size_t count = list ? list->count : 0, steps_bytes, table_bytes;
    bool fits = tg_mul_size(count, sizeof(step), &steps_bytes) &&
                tg_add_size(steps_bytes, sizeof(tg_preprocess), &steps_bytes) &&
                tg_mul_size(shape[2], LEVELS * sizeof(tg_real), &table_bytes);
    tg_preprocess *preprocess = fits ? tg_allocate_zeroed(steps_bytes) : NULL;
    if (preprocess) preprocess->table = tg_allocate(table_bytes);
    if (!preprocess || !preprocess->table) {
        tg_preprocess_destroy(preprocess);
        return tg_fail(err, TG_E_MEMORY, "no memory is left for the preprocessing of %zu channels; use fewer",
                       shape[2]);
    }
    preprocess->height = shape[0];
    preprocess->width = shape[1];
    preprocess->channels = shape[2];
    for (const tg_value *value = list ? list->first : NULL; value; value = value->next) {
        step *self = &preprocess->steps[preprocess->count];
        tg_status status = read_step(value, preprocess->channels, self, err);
        if (status != TG_OK) {
            tg_fail_at(err, status, "preprocess[%zu]%s%s", preprocess->count, self->kind ? " " : "",
                       self->kind ? self->kind->name : "");
            tg_preprocess_destroy(preprocess);
            return status;
        }
        preprocess->count++;
    }
    if (tg_preprocess_fitted(preprocess)) fill_table(preprocess);
    *out = preprocess;
    return TG_OK;
}

void tg_preprocess_destroy(tg_preprocess *preprocess) {
    if (!preprocess) return;
    tg_free(preprocess->table);
    tg_free(preprocess);
}

static bool step_fitted(const step *self) {
    return !self->kind->fitted || self->kind->fitted(self);
}

bool tg_preprocess_fitted(const tg_preprocess *preprocess) {
    for (size_t s = 0; s < preprocess->count; s++)
        if (!step_fitted(&preprocess->steps[s])) return false;
    return true;
}

tg_status tg_preprocess_fit(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                            const uint32_t *index, size_t count, tg_error *err) {
    (void)pool;
    size_t all = preprocess->count;
    for (size_t s = 0; s < all; s++) {
        step *self = &preprocess->steps[s];
        if (step_fitted(self)) continue;
        preprocess->count = s; /* for the moment the list ends before this step */
        fill_table(preprocess);
        tg_status status = self->kind->fit(self, preprocess, dataset, index, count, err);
        preprocess->count = all;
        if (status != TG_OK) return tg_fail_at(err, status, "preprocess[%zu] %s", s, self->kind->name);
    }
    fill_table(preprocess);
    return TG_OK;
}

void tg_preprocess_write(const tg_preprocess *preprocess, tg_text *text, const char *key) {
    tg_json_open(text, key, '[');
    for (size_t s = 0; s < preprocess->count; s++) {
        const step *self = &preprocess->steps[s];
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", self->kind->name);
        tg_attrs_write(text, self->kind->rows, self->kind->row_count, &self->of);
        tg_json_close(text, '}');
    }
    tg_json_close(text, ']');
}

/* ---- gathering ---------------------------------------------------------------------------------------- */

/* x[C, area] = one sample [area, C] of bytes. */
static void gather_u8(const tg_preprocess *preprocess, const uint8_t *sample, tg_real *x) {
    size_t channels = preprocess->channels, area = preprocess->height * preprocess->width;
    for (size_t c = 0; c < channels; c++, x += area) {
        const tg_real *row = preprocess->table + c * LEVELS;
        if (channels == 1)
            for (size_t j = 0; j < area; j++) x[j] = row[sample[j]];
        else
            for (size_t j = 0; j < area; j++) x[j] = row[sample[j * channels + c]];
    }
}

static void gather_f32(const tg_preprocess *preprocess, const float *sample, tg_real *x) {
    size_t channels = preprocess->channels, area = preprocess->height * preprocess->width;
    for (size_t c = 0; c < channels; c++, x += area) {
        for (size_t j = 0; j < area; j++) x[j] = (tg_real)sample[j * channels + c];
        for (size_t s = 0; s < preprocess->count; s++)
            preprocess->steps[s].kind->apply(&preprocess->steps[s], c, x, area);
    }
}

typedef struct gathering {
    const tg_preprocess *preprocess;
    tg_dtype type;
    const void *pixels;
    const uint32_t *index;
    size_t n, sample_size, per_piece;
    tg_real *x;
} gathering;

static void gather_piece(void *ctx, size_t piece, size_t thread) {
    const gathering *g = ctx;
    (void)thread;
    size_t end = g->n - piece * g->per_piece > g->per_piece ? (piece + 1) * g->per_piece : g->n;
    for (size_t i = piece * g->per_piece; i < end; i++) {
        size_t from = (g->index ? g->index[i] : i) * g->sample_size;
        tg_real *x = g->x + i * g->sample_size;
        if (g->type == TG_U8) gather_u8(g->preprocess, (const uint8_t *)g->pixels + from, x);
        else gather_f32(g->preprocess, (const float *)g->pixels + from, x);
    }
}

void tg_preprocess_gather(const tg_preprocess *preprocess, tg_pool *pool, tg_dtype type, const void *pixels,
                          const uint32_t *index, size_t n, tg_real *x, const tg_augmenting *augmenting) {
    assert(preprocess->table && !augmenting);
    if (n == 0) return;
    gathering g = {preprocess, type, pixels,
                   index,      n,    preprocess->height * preprocess->width * preprocess->channels,
                   1,          x};
    g.per_piece = 1 + 4096 / g.sample_size; /* a few microseconds of work, more than handing it out costs */
    size_t pieces = (n - 1) / g.per_piece + 1;
    if (pool) tg_parallel_for(pool, pieces, gather_piece, &g);
    else
        for (size_t i = 0; i < pieces; i++) gather_piece(&g, i, 0);
}
