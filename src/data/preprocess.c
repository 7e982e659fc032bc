#include "data/preprocess.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/preprocess_kinds.h"

static const tg_preprocess_kind *const kinds[] = {
    &tg_preprocess_rescale,     &tg_preprocess_standardize, &tg_preprocess_resize,  &tg_preprocess_pad,
    &tg_preprocess_center_crop, &tg_preprocess_pca,         &tg_preprocess_flatten,
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

/* ---- one step ----------------------------------------------------------------------------------------- */

static const char *kind_name(size_t index) {
    return index < KIND_COUNT ? kinds[index]->name : NULL;
}

static tg_status find_kind(const char *name, const tg_preprocess_kind **out, tg_error *err) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i]->name, name) != 0) continue;
        *out = kinds[i];
        return TG_OK;
    }
    return tg_attrs_unknown_type(name, kind_name, err);
}

static tg_status read_step(const tg_value *value, const size_t in[3], size_t in_size, tg_preprocess_step *out,
                           tg_error *err) {
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE,
               "must be an object such as {\"type\": \"rescale\"}");
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE, "needs a type, such as \"rescale\"");
    TG_TRY(find_kind(type->string, &out->kind, err));
    TG_TRY(tg_attrs_read(value, out->kind->rows, out->kind->row_count, "type", &out->of, err));
    memcpy(out->in, in, sizeof out->in);
    memcpy(out->out, in, sizeof out->out);
    out->in_size = out->out_size = in_size;
    out->by_channel = out->fitted = true;
    return out->kind->prepare ? out->kind->prepare(out, err) : TG_OK;
}

tg_status tg_preprocess_add_tensor(tg_preprocess_step *self, const char *name, size_t rank,
                                   const size_t *shape, tg_error *err) {
    assert(self->tensor_count < TG_STEP_TENSORS && rank <= 3);
    tg_fitted *tensor = &self->tensors[self->tensor_count];
    size_t bytes = sizeof(tg_real);
    bool fits = true;
    tensor->size = 1;
    for (size_t i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
        tensor->size *= shape[i]; /* what does not fit is found below, before this is used */
        fits = fits && tg_mul_size(bytes, shape[i], &bytes);
    }
    tensor->rank = rank;
    tensor->data = fits ? tg_allocate_zeroed(bytes) : NULL;
    TG_REQUIRE(err, tensor->data, TG_E_MEMORY, "no memory is left for its %s; use smaller samples", name);
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    self->tensor_count++;
    return TG_OK;
}

/* ---- the list ----------------------------------------------------------------------------------------- */

static const tg_preprocess_step *last_step(const tg_preprocess *preprocess) {
    return preprocess->count ? &preprocess->steps[preprocess->count - 1] : NULL;
}

size_t tg_preprocess_size(const tg_preprocess *preprocess) {
    const tg_preprocess_step *last = last_step(preprocess);
    return last ? last->out_size : preprocess->size;
}

void tg_preprocess_shape(const tg_preprocess *preprocess, size_t shape[3]) {
    const tg_preprocess_step *last = last_step(preprocess);
    memcpy(shape, last ? last->out : preprocess->shape, sizeof preprocess->shape);
}

/* Runs again whenever the list has changed: while it is read, and while it is fitted. */
static void find_head(tg_preprocess *preprocess) {
    preprocess->head = 0;
    while (preprocess->head < preprocess->count && preprocess->steps[preprocess->head].by_channel)
        preprocess->head++;
}

/* Bytes as they are or divided: tried with the factor in two parts, the first so short that its products are exact, and
 * compared with the table. */
static void find_factor(tg_preprocess *preprocess) {
    const tg_preprocess_step *first = preprocess->head ? &preprocess->steps[0] : NULL;
    double factor = first && first->kind == &tg_preprocess_rescale ? 1 / first->of.rescale.divide : 1;
    tg_real whole = (tg_real)factor, spread = whole * 257; /* Dekker's splitting: 8 bits shorter */
    preprocess->high = spread - (spread - whole);
    preprocess->low = (tg_real)(factor - (double)preprocess->high);
    preprocess->linear = true;
    for (size_t i = 0; i < preprocess->shape[2] * TG_LEVELS; i++) {
        tg_real level = (tg_real)(i % TG_LEVELS), value = level * preprocess->high + level * preprocess->low;
        preprocess->linear = preprocess->linear && value == preprocess->table[i];
    }
}

static void fill_table(tg_preprocess *preprocess) {
    for (size_t c = 0; c < preprocess->shape[2]; c++) {
        tg_real *row = preprocess->table + c * TG_LEVELS;
        for (size_t level = 0; level < TG_LEVELS; level++) row[level] = (tg_real)level;
        for (size_t s = 0; s < preprocess->head; s++)
            preprocess->steps[s].kind->values(&preprocess->steps[s], c, row, TG_LEVELS);
    }
    find_factor(preprocess);
}

/* So many samples that a matrix product has something to do, while they stay in the cache. */
static size_t group_of(size_t largest) {
    size_t group = 131072 / largest;
    return group < 1 ? 1 : group > 32 ? 32 : group;
}

static tg_status make_room(tg_preprocess *preprocess, tg_error *err) {
    find_head(preprocess);
    if (preprocess->head == preprocess->count) return TG_OK;
    preprocess->largest = preprocess->size;
    for (size_t s = 0; s < preprocess->count; s++)
        if (preprocess->steps[s].out_size > preprocess->largest)
            preprocess->largest = preprocess->steps[s].out_size;
    preprocess->group = group_of(preprocess->largest);
    for (size_t s = 0; s < preprocess->count; s++) {
        const tg_preprocess_step *self = &preprocess->steps[s];
        size_t work = self->kind->work ? self->kind->work(self, preprocess->group) : 0;
        if (work > preprocess->work) preprocess->work = work;
    }
    size_t all = 0;
    bool fits = tg_mul_size(preprocess->largest, 2 * preprocess->group, &all) &&
                tg_add_size(all, preprocess->work, &all) && tg_mul_size(all, preprocess->threads, &all) &&
                tg_mul_size(all, sizeof(tg_real), &all);
    preprocess->room = fits ? tg_allocate(all) : NULL;
    TG_REQUIRE(err, preprocess->room, TG_E_MEMORY,
               "no memory is left for samples on their way; use smaller ones");
    return TG_OK;
}

static tg_status read_list(tg_preprocess *preprocess, const tg_value *list, tg_error *err) {
    for (const tg_value *value = list ? list->first : NULL; value; value = value->next) {
        tg_preprocess_step *self = &preprocess->steps[preprocess->count];
        size_t in[3], size = tg_preprocess_size(preprocess);
        tg_preprocess_shape(preprocess, in);
        tg_status status = read_step(value, in, size, self, err);
        preprocess->count++; /* with all the tensors it has got */
        if (status != TG_OK)
            return tg_fail_at(err, status, "preprocess[%zu]%s%s", preprocess->count - 1,
                              self->kind ? " " : "", self->kind ? self->kind->name : "");
    }
    return make_room(preprocess, err);
}

tg_status tg_preprocess_create(const tg_value *list, const size_t shape[3], size_t threads,
                               tg_preprocess **out, tg_error *err) {
    *out = NULL;
    if (list && list->kind != TG_LIST) {
        tg_fail(err, TG_E_RECIPE, "must be a list of steps such as [{\"type\": \"rescale\"}]");
        return tg_fail_at(err, TG_E_RECIPE, "preprocess");
    }
    size_t count = list ? list->count : 0, steps_bytes = 0, table_bytes = 0, size = 0;
    bool fits = tg_mul_size(count, sizeof(tg_preprocess_step), &steps_bytes) &&
                tg_add_size(steps_bytes, sizeof(tg_preprocess), &steps_bytes) &&
                tg_mul_size(shape[2], TG_LEVELS * sizeof(tg_real), &table_bytes) &&
                tg_mul_size(shape[0], shape[1], &size) && tg_mul_size(size, shape[2], &size);
    tg_preprocess *preprocess = fits ? tg_allocate_zeroed(steps_bytes) : NULL;
    if (preprocess) preprocess->table = tg_allocate(table_bytes);
    if (!preprocess || !preprocess->table) {
        tg_preprocess_destroy(preprocess);
        return tg_fail(err, TG_E_MEMORY, "no memory is left for the preprocessing of %zu channels; use fewer",
                       shape[2]);
    }
    memcpy(preprocess->shape, shape, sizeof preprocess->shape);
    preprocess->size = size;
    preprocess->threads = threads;
    tg_status status = read_list(preprocess, list, err);
    if (status != TG_OK) {
        tg_preprocess_destroy(preprocess);
        return status;
    }
    if (tg_preprocess_fitted(preprocess)) fill_table(preprocess);
    *out = preprocess;
    return TG_OK;
}

void tg_preprocess_destroy(tg_preprocess *preprocess) {
    if (!preprocess) return;
    for (size_t s = 0; s < preprocess->count; s++) {
        tg_preprocess_step *step = &preprocess->steps[s];
        if (step->progress) step->kind->abandon(step);
        for (size_t i = 0; i < step->tensor_count; i++) tg_free(step->tensors[i].data);
    }
    tg_free(preprocess->table);
    tg_free(preprocess->room);
    tg_free(preprocess->memory.rows);
    tg_free(preprocess);
}

void tg_preprocess_write(const tg_preprocess *preprocess, const tg_value *list, tg_text *text,
                         const char *key) {
    const tg_value *value = list ? list->first : NULL;
    tg_json_open(text, key, '[');
    for (size_t s = 0; s < preprocess->count; s++) {
        const tg_preprocess_step *self = &preprocess->steps[s];
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", self->kind->name);
        tg_attrs_write(text, self->kind->rows, self->kind->row_count, &self->of);
        tg_attrs_write_extra(text, value);
        tg_json_close(text, '}');
        if (value) value = value->next;
    }
    tg_json_close(text, ']');
}

size_t tg_preprocess_bytes(const tg_preprocess *preprocess) {
    size_t elements = preprocess->shape[2] * TG_LEVELS;
    if (preprocess->room)
        elements += preprocess->threads * (2 * preprocess->group * preprocess->largest + preprocess->work);
    if (preprocess->memory.rows)
        elements +=
            preprocess->memory.count * (preprocess->memory.copies ? 2 : 1) * tg_preprocess_size(preprocess);
    for (size_t s = 0; s < preprocess->count; s++)
        for (size_t i = 0; i < preprocess->steps[s].tensor_count; i++)
            elements += preprocess->steps[s].tensors[i].size;
    return sizeof *preprocess + preprocess->count * sizeof preprocess->steps[0] + elements * sizeof(tg_real);
}

/* ---- fitting ------------------------------------------------------------------------------------------ */

bool tg_preprocess_fitted(const tg_preprocess *preprocess) {
    for (size_t s = 0; s < preprocess->count; s++)
        if (!preprocess->steps[s].fitted) return false;
    return true;
}

void tg_fitting_samples(const tg_fitting *fitting, size_t first, size_t n, tg_real *x) {
    const tg_dataset *dataset = fitting->dataset;
    size_t bytes = dataset->sample_size * (dataset->type == TG_U8 ? 1 : sizeof(float));
    const uint8_t *pixels = dataset->pixels;
    if (!fitting->index) pixels += first * bytes;
    tg_preprocess_gather(fitting->before, fitting->pool, dataset->type, pixels,
                         fitting->index ? fitting->index + first : NULL, n, TG_PLANES, x, NULL);
}

static size_t first_unfitted(const tg_preprocess *preprocess) {
    size_t s = 0;
    while (s < preprocess->count && preprocess->steps[s].fitted) s++;
    return s;
}

tg_status tg_preprocess_advance_fit(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                                    const uint32_t *index, size_t count, tg_error *err) {
    assert(!pool || tg_pool_threads(pool) <= preprocess->threads);
    size_t all = preprocess->count, s = first_unfitted(preprocess);
    if (s == all) return TG_OK;
    tg_preprocess_step *self = &preprocess->steps[s];
    preprocess->count = s; /* for the moment the list ends before this step */
    find_head(preprocess);
    fill_table(preprocess);
    const tg_fitting fitting = {preprocess, pool, dataset, index, count};
    tg_status status = self->kind->fit(self, &fitting, &self->fitted, err);
    if (status != TG_OK) tg_fail_at(err, status, "preprocess[%zu] %s", s, self->kind->name);
    preprocess->count = all;
    find_head(preprocess);
    if (tg_preprocess_fitted(preprocess)) fill_table(preprocess);
    return status;
}

tg_status tg_preprocess_fit(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                            const uint32_t *index, size_t count, tg_error *err) {
    while (!tg_preprocess_fitted(preprocess))
        TG_TRY(tg_preprocess_advance_fit(preprocess, pool, dataset, index, count, err));
    return TG_OK;
}

size_t tg_preprocess_tensors(tg_preprocess *preprocess, tg_fitted *out, size_t most) {
    size_t found = 0;
    for (size_t s = 0; s < preprocess->count; s++)
        for (size_t i = 0; i < preprocess->steps[s].tensor_count; i++, found++) {
            if (found >= most) continue;
            out[found] = preprocess->steps[s].tensors[i];
            snprintf(out[found].name, sizeof out[found].name, "preprocess.%zu.%s", s,
                     preprocess->steps[s].tensors[i].name);
        }
    return found;
}

void tg_preprocess_mark_fitted(tg_preprocess *preprocess) {
    for (size_t s = 0; s < preprocess->count; s++)
        if (preprocess->steps[s].tensor_count) preprocess->steps[s].fitted = true;
    find_head(preprocess);
    if (tg_preprocess_fitted(preprocess)) fill_table(preprocess);
}
