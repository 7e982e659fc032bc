#include "data/augment.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "data/augment_kinds.h"

typedef struct step {
    const tg_augment_kind *kind;
    tg_augment_attrs attrs;
} step;

struct tg_augment {
    size_t height, width, channels;
    size_t threads, per_thread; /* elements of room each */
    float *room;                /* NULL while there is nothing to do */
    size_t count;
    step steps[];
};

static const tg_augment_kind *const kinds[] = {
    &tg_augment_flip_horizontal, &tg_augment_flip_vertical,
    &tg_augment_shift,           &tg_augment_crop,
    &tg_augment_rotate,          &tg_augment_scale,
    &tg_augment_cutout,          &tg_augment_elastic,
    &tg_augment_random_contrast, &tg_augment_contrast_stretch,
    &tg_augment_posterize,       &tg_augment_brightness,
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

double tg_augment_between(tg_rng *rng, double low, double high) {
    return low + tg_rng_uniform(rng) * (high - low);
}

tg_status tg_augment_check_order(double min, double max, tg_error *err) {
    TG_REQUIRE(err, min <= max, TG_E_RECIPE, "min %g exceeds max %g", min, max);
    return TG_OK;
}

/* ---- the list ---------------------------------------------------------------------------------------- */

static const char *kind_name(size_t index) {
    return index < KIND_COUNT ? kinds[index]->name : NULL;
}

static tg_status find_kind(const char *name, const tg_augment_kind **out, tg_error *err) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i]->name, name) != 0) continue;
        *out = kinds[i];
        return TG_OK;
    }
    return tg_attrs_unknown_type(name, kind_name, err);
}

static tg_status read_step(const tg_value *value, const size_t shape[3], step *out, tg_error *err) {
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE,
               "must be an object such as {\"type\": \"flip_horizontal\"}");
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE,
               "needs a type, such as \"flip_horizontal\"");
    TG_TRY(find_kind(type->string, &out->kind, err));
    TG_REQUIRE(err, out->kind->anything || (shape[0] > 1 && shape[1] > 1), TG_E_SHAPE,
               "is for pictures, but a sample is %zux%zux%zu; leave it out", shape[0], shape[1], shape[2]);
    TG_TRY(tg_attrs_read(value, out->kind->rows, out->kind->row_count, "type", &out->attrs, err));
    return out->kind->check ? out->kind->check(&out->attrs, shape, err) : TG_OK;
}

/* Of each thread: the sample, the same before a step, three fields; rounded up to cache lines. */
static tg_status make_room(tg_augment *augment, size_t threads, tg_error *err) {
    size_t area = 0, sample = 0, all = 0;
    bool fits = tg_mul_size(augment->height, augment->width, &area) &&
                tg_mul_size(area, augment->channels, &sample) && tg_mul_size(sample, 2, &all) &&
                tg_mul_size(area, 3, &area) && tg_add_size(all, area, &all) &&
                tg_add_size(all, TG_ALIGNMENT / sizeof(float) - 1, &all);
    augment->threads = threads;
    augment->per_thread = all / (TG_ALIGNMENT / sizeof(float)) * (TG_ALIGNMENT / sizeof(float));
    fits = fits && tg_mul_size(augment->per_thread, threads, &all) && tg_mul_size(all, sizeof(float), &all);
    augment->room = fits ? tg_allocate(all) : NULL;
    TG_REQUIRE(err, augment->room, TG_E_MEMORY,
               "no memory is left to augment samples of %zux%zux%zu; use smaller ones", augment->height,
               augment->width, augment->channels);
    return TG_OK;
}

tg_status tg_augment_create(const tg_value *list, const size_t shape[3], size_t threads, tg_augment **out,
                            tg_error *err) {
    *out = NULL;
    if (list && list->kind != TG_LIST) {
        tg_fail(err, TG_E_RECIPE, "must be a list such as [{\"type\": \"flip_horizontal\"}]");
        return tg_fail_at(err, TG_E_RECIPE, "augment");
    }
    size_t count = list ? list->count : 0, bytes = 0;
    bool fits = tg_mul_size(count, sizeof(step), &bytes) && tg_add_size(bytes, sizeof(tg_augment), &bytes);
    tg_augment *augment = fits ? tg_allocate_zeroed(bytes) : NULL;
    TG_REQUIRE(err, augment, TG_E_MEMORY, "no memory is left for the augmentation; close other runs first");
    augment->height = shape[0];
    augment->width = shape[1];
    augment->channels = shape[2];
    tg_status status = count ? make_room(augment, threads, err) : TG_OK;
    for (const tg_value *value = list ? list->first : NULL; value && status == TG_OK; value = value->next) {
        step *self = &augment->steps[augment->count];
        status = read_step(value, shape, self, err);
        if (status != TG_OK)
            tg_fail_at(err, status, "augment[%zu]%s%s", augment->count, self->kind ? " " : "",
                       self->kind ? self->kind->name : "");
        augment->count++;
    }
    if (status == TG_OK) *out = augment;
    else tg_augment_destroy(augment);
    return status;
}

void tg_augment_destroy(tg_augment *augment) {
    if (!augment) return;
    tg_free(augment->room);
    tg_free(augment);
}

bool tg_augment_empty(const tg_augment *augment) {
    return augment->count == 0;
}

void tg_augment_write(const tg_augment *augment, const tg_value *list, tg_text *text, const char *key) {
    const tg_value *value = list ? list->first : NULL;
    tg_json_open(text, key, '[');
    for (size_t s = 0; s < augment->count; s++) {
        const step *self = &augment->steps[s];
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", self->kind->name);
        tg_attrs_write(text, self->kind->rows, self->kind->row_count, &self->attrs);
        tg_attrs_write_extra(text, value);
        tg_json_close(text, '}');
        if (value) value = value->next;
    }
    tg_json_close(text, ']');
}

/* ---- at work ----------------------------------------------------------------------------------------- */

float *tg_augment_sample(const tg_augment *augment, size_t thread) {
    assert(augment->room && thread < augment->threads);
    return augment->room + thread * augment->per_thread;
}

void tg_augment_apply(const tg_augment *augment, tg_dtype type, uint64_t seed, uint32_t epoch,
                      uint32_t sample, size_t thread) {
    size_t size = augment->height * augment->width * augment->channels;
    float *pixels = tg_augment_sample(augment, thread);
    tg_picture picture = {.height = augment->height,
                          .width = augment->width,
                          .channels = augment->channels,
                          .top = type == TG_U8 ? 255 : 1,
                          .bounded = type == TG_U8,
                          .pixels = pixels,
                          .before = pixels + size,
                          .fields = pixels + 2 * size};
    tg_rng rng = tg_rng_stream(seed, TG_RNG_AUGMENT, epoch, sample);
    for (size_t s = 0; s < augment->count; s++) {
        const step *self = &augment->steps[s];
        if (tg_rng_uniform(&rng) < self->attrs.probability) self->kind->apply(&self->attrs, &rng, &picture);
    }
}
