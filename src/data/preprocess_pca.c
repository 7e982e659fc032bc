/* Principal components: y = w (x - mean), the rows of w being the directions in which the training part
 * varies most. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/eigen.h"
#include "data/preprocess_kinds.h"
#include "kernels/gemm.h"

static const tg_attr pca_rows[] = {
    {.name = "components",
     .type = TG_ATTR_INT,
     .offset = offsetof(tg_pca, components),
     .flags = TG_ATTR_REQUIRED,
     .min = 1,
     .max = 1e9},
    {.name = "whiten", .type = TG_ATTR_FLAG, .offset = offsetof(tg_pca, whiten)},
    {.name = "explained",
     .type = TG_ATTR_REALS,
     .offset = offsetof(tg_pca, explained),
     .min = 0,
     .max = 1,
     .fallback = NAN},
};

enum { MEAN, COMPONENTS, VARIANCE };

static tg_status pca_prepare(tg_preprocess_step *self, tg_error *err) {
    size_t features = self->in_size, components = (size_t)self->of.pca.components;
    TG_REQUIRE(err, self->of.pca.components <= features, TG_E_SHAPE,
               "components %zu exceeds the %zu features of a sample; use at most %zu", components, features,
               features);
    self->by_channel = self->fitted = false;
    self->out[0] = self->out[1] = 1;
    self->out[2] = self->out_size = components;
    TG_TRY(tg_preprocess_add_tensor(self, "mean", 1, &features, err));
    TG_TRY(tg_preprocess_add_tensor(self, "components", 2, (const size_t[]){components, features}, err));
    return tg_preprocess_add_tensor(self, "variance", 1, &components, err);
}

/* ---- covariance --------------------------------------------------------------------------------------- */

/* Sums over CHUNK samples are the kernels' affair; those over chunks are in f64. */
enum { CHUNK = 1024, ROWS = 128 };

typedef struct covariance {
    const tg_fitting *fitting;
    size_t features;
    tg_real *samples; /* [CHUNK, features] */
    tg_real *part;    /* [ROWS, features] */
    tg_real *scratch;
    double *mean; /* [features] */
    double *sum;  /* [features, features], the upper triangle first */
} covariance;

static size_t read_chunk(const covariance *c, size_t first) {
    size_t n = c->fitting->count - first < CHUNK ? c->fitting->count - first : CHUNK;
    tg_fitting_samples(c->fitting, first, n, c->samples);
    return n;
}

/* mean += n samples from `first` on; how many. */
static size_t add_to_mean(const covariance *c, size_t first) {
    size_t n = read_chunk(c, first);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c->features; j++) c->mean[j] += (double)c->samples[i * c->features + j];
    return n;
}

static size_t read_centred(const covariance *c, size_t first) {
    size_t n = read_chunk(c, first);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c->features; j++) c->samples[i * c->features + j] -= (tg_real)c->mean[j];
    return n;
}

/* sum[row.., row..] += x' x of n centred samples */
static void add_products(const covariance *c, size_t n, size_t row) {
    size_t features = c->features, rows = features - row < ROWS ? features - row : ROWS,
           cols = features - row;
    tg_gemm gemm = {.m = rows,
                    .n = cols,
                    .k = n,
                    .a = {c->samples + row, 1, features},
                    .b = {c->samples + row, features, 1},
                    .c = c->part,
                    .ldc = cols};
    tg_gemm_parallel(tg_kernels_choose(), c->fitting->pool, &gemm, c->scratch);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i; j < cols; j++)
            c->sum[(row + i) * features + row + j] += (double)c->part[i * cols + j];
}

/* Rows row..row+ROWS of the sums become those of the covariance, and their mirror image. */
static void finish_rows(const covariance *c, size_t row) {
    size_t features = c->features, end = features - row < ROWS ? features : row + ROWS;
    for (size_t i = row; i < end; i++)
        for (size_t j = i; j < features; j++) {
            c->sum[i * features + j] /= (double)c->fitting->count;
            c->sum[j * features + i] = c->sum[i * features + j];
        }
}

/* ---- components --------------------------------------------------------------------------------------- */

/* An eigenvector has no sign of its own: its largest element is made positive. */
static void settle_sign(size_t n, tg_real *row) {
    size_t largest = 0;
    for (size_t j = 1; j < n; j++)
        if (fabs((double)row[j]) > fabs((double)row[largest])) largest = j;
    if (row[largest] < 0)
        for (size_t j = 0; j < n; j++) row[j] = -row[j];
}

/* Up to so many features all eigenvectors are found, exactly; beyond that only those asked for. */
enum { SMALL = 1024 };

static bool all_at_once(size_t features, size_t components) {
    return features <= SMALL || components > features / 2;
}

/* ---- fitting, a unit of work at a time ---------------------------------------------------------------- */

typedef enum stage { MEANS, PRODUCTS, MIRROR, EVERY_COMPONENT, LEADING_COMPONENTS } stage;

typedef struct progress {
    covariance c;
    double *values; /* [features] */
    double total;   /* variance */
    stage at;
    size_t first, row, n; /* samples and rows done, samples in the chunk */
    double *room;         /* of every component */
    tg_eigen eigen;
    tg_real *rounded; /* the covariance, for the leading ones */
    tg_subspace *subspace;
} progress;

static void pca_abandon(tg_preprocess_step *self) {
    progress *p = self->progress;
    if (!p) return;
    tg_subspace_destroy(p->subspace);
    tg_free(p->rounded);
    tg_free(p->room);
    tg_free(p);
    self->progress = NULL;
}

static tg_status begin_components(const tg_preprocess_step *self, progress *p, tg_error *err) {
    size_t features = p->c.features, components = self->out_size, square = features * features;
    if (all_at_once(features, components)) {
        p->at = EVERY_COMPONENT;
        p->room = tg_allocate((square + 2 * features) * sizeof *p->room);
        TG_REQUIRE(err, p->room, TG_E_MEMORY, "no memory is left for %zu components; use fewer", components);
        tg_eigen_begin(&p->eigen, features, p->c.sum, p->values, p->room, p->room + square);
        return TG_OK;
    }
    p->at = LEADING_COMPONENTS;
    p->rounded = tg_allocate(square * sizeof *p->rounded);
    TG_REQUIRE(err, p->rounded, TG_E_MEMORY, "no memory is left for %zu components; use fewer", components);
    for (size_t i = 0; i < square; i++) p->rounded[i] = (tg_real)p->c.sum[i];
    return tg_subspace_create(p->c.fitting->pool, features, p->rounded, components, p->values,
                              self->tensors[COMPONENTS].data, &p->subspace, err);
}

static void take_fitted(tg_preprocess_step *self, const progress *p) {
    size_t features = p->c.features;
    double kept = 0;
    for (size_t i = 0; i < self->out_size; i++) {
        double variance = p->values[i] > 0 ? p->values[i] : 0; /* rounding */
        settle_sign(features, self->tensors[COMPONENTS].data + i * features);
        self->tensors[VARIANCE].data[i] = (tg_real)variance;
        kept += variance;
    }
    for (size_t j = 0; j < features; j++) self->tensors[MEAN].data[j] = (tg_real)p->c.mean[j];
    self->of.pca.explained = (tg_reals){.count = 1, .value = {kept < p->total ? kept / p->total : 1}};
}

static tg_status advance(tg_preprocess_step *self, progress *p, bool *finished, tg_error *err) {
    size_t features = p->c.features, count = p->c.fitting->count;
    switch (p->at) {
    case MEANS:
        p->first += add_to_mean(&p->c, p->first);
        if (p->first < count) return TG_OK;
        for (size_t j = 0; j < features; j++) p->c.mean[j] /= (double)count;
        p->first = 0;
        p->at = PRODUCTS;
        return TG_OK;
    case PRODUCTS:
        if (p->row == 0) p->n = read_centred(&p->c, p->first);
        add_products(&p->c, p->n, p->row);
        p->row += ROWS;
        if (p->row < features) return TG_OK;
        p->row = 0;
        p->first += p->n;
        if (p->first == count) p->at = MIRROR;
        return TG_OK;
    case MIRROR:
        finish_rows(&p->c, p->row);
        p->row += ROWS;
        if (p->row < features) return TG_OK;
        for (size_t j = 0; j < features; j++) p->total += p->c.sum[j * features + j];
        return begin_components(self, p, err);
    case EVERY_COMPONENT:
        if (!tg_eigen_advance(&p->eigen)) return TG_OK;
        for (size_t i = 0; i < self->out_size * features; i++)
            self->tensors[COMPONENTS].data[i] = (tg_real)p->room[i];
        break;
    case LEADING_COMPONENTS:
        if (!tg_subspace_advance(p->subspace)) return TG_OK;
        break;
    }
    take_fitted(self, p);
    *finished = true;
    return TG_OK;
}

static tg_status begin(tg_preprocess_step *self, const tg_fitting *fitting, tg_error *err) {
    size_t features = self->in_size, square = 0;
    TG_REQUIRE(err, self->out_size < fitting->count, TG_E_DATA,
               "components %zu exceeds the %zu directions that %zu samples can differ in; use fewer",
               self->out_size, fitting->count - 1, fitting->count);
    bool fits = tg_mul_size(features, features, &square);
    void *block = NULL;
    for (int round = 0; fits && round < 2; round++) {
        tg_arena arena = {.base = block};
        progress *p = tg_arena_take(&arena, 1, sizeof *p);
        covariance c = {.features = features};
        c.samples = tg_arena_take(&arena, CHUNK * features, sizeof *c.samples);
        c.part = tg_arena_take(&arena, ROWS * features, sizeof *c.part);
        c.scratch =
            tg_arena_take(&arena, tg_gemm_scratch(ROWS, features, CHUNK, TG_MAX_THREADS), sizeof *c.scratch);
        c.mean = tg_arena_take(&arena, features, sizeof *c.mean);
        c.sum = tg_arena_take(&arena, square, sizeof *c.sum);
        double *values = tg_arena_take(&arena, features, sizeof *values);
        if (round == 1) {
            *p = (progress){.c = c, .values = values};
            self->progress = p;
            return TG_OK;
        }
        fits = !arena.overflow;
        block = fits ? tg_allocate_zeroed(arena.used) : NULL;
        fits = block != NULL;
    }
    return tg_fail(
        err, TG_E_MEMORY,
        "the covariance of %zu features needs %.1f GB, which could not be had; resize the pictures first",
        features, (double)features * (double)features * 8 / 1e9);
}

static tg_status pca_fit(tg_preprocess_step *self, const tg_fitting *fitting, bool *finished, tg_error *err) {
    if (!self->progress) TG_TRY(begin(self, fitting, err));
    progress *p = self->progress;
    p->c.fitting = fitting;
    tg_status status = advance(self, p, finished, err);
    if (*finished || status != TG_OK) pca_abandon(self);
    return status;
}

/* ---- at work ------------------------------------------------------------------------------------------ */

static size_t pca_work(const tg_preprocess_step *self, size_t n) {
    return tg_gemm_scratch(n, self->out_size, self->in_size, 1);
}

static void pca_samples(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y, tg_real *work) {
    size_t features = self->in_size, components = self->out_size;
    const tg_real *mean = self->tensors[MEAN].data, *variance = self->tensors[VARIANCE].data;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < features; j++) x[i * features + j] -= mean[j];
    tg_gemm_serial(tg_kernels_choose(),
                   &(tg_gemm){.m = n,
                              .n = components,
                              .k = features,
                              .a = {x, features, 1},
                              .b = {self->tensors[COMPONENTS].data, 1, features},
                              .c = y,
                              .ldc = components},
                   work);
    for (size_t j = 0; self->of.pca.whiten && j < components; j++) {
        tg_real deviation = (tg_real)sqrt((double)variance[j]);
        for (size_t i = 0; i < n; i++)
            y[i * components + j] = deviation > 0 ? y[i * components + j] / deviation : 0;
    }
}

const tg_preprocess_kind tg_preprocess_pca = {
    "pca",
    pca_rows,
    sizeof pca_rows / sizeof pca_rows[0],
    .costly = true,
    .prepare = pca_prepare,
    .fit = pca_fit,
    .abandon = pca_abandon,
    .samples = pca_samples,
    .work = pca_work,
};
