/* Parts of a dataset as datasets of their own. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/dataset.h"

tg_status tg_dataset_subset(const tg_dataset *dataset, const uint32_t *indices, size_t count,
                            tg_dataset **out, tg_error *err) {
    *out = NULL;
    bool soft = dataset->targets != NULL;
    for (size_t i = 0; i < count; i++)
        TG_REQUIRE(err, indices[i] < dataset->count, TG_E_ARGUMENT,
                   "there is no sample %u; they go from 0 to %zu", (unsigned)indices[i], dataset->count - 1);
    TG_TRY(tg_dataset_create(dataset->type, dataset->height, dataset->width, dataset->channels, count,
                             dataset->classes, soft, out, err));
    size_t bytes = tg_dataset_sample_bytes(dataset), row = dataset->classes;
    for (size_t i = 0; i < count; i++) {
        memcpy((uint8_t *)(*out)->pixels + i * bytes, (const uint8_t *)dataset->pixels + indices[i] * bytes,
               bytes);
        if (soft) memcpy((*out)->targets + i * row, dataset->targets + indices[i] * row, row * sizeof(float));
        else (*out)->labels[i] = dataset->labels[indices[i]];
    }
    const char *const *names = (const char *const *)dataset->class_names;
    tg_status status = tg_dataset_set_classes(*out, dataset->classes, names, err);
    if (status == TG_OK) status = tg_dataset_check(*out, NULL, err);
    if (status == TG_OK) return TG_OK;
    tg_dataset_destroy(*out);
    *out = NULL;
    return status;
}

/* ---- held out ----------------------------------------------------------------------------------------- */

static size_t share_of(size_t count, double fraction) {
    return (size_t)floor((double)count * fraction + 0.5);
}

/* Marks so many of the samples order[0..count) as held out. */
static void hold_out(bool *held, const uint32_t *order, size_t count) {
    for (size_t i = 0; i < count; i++) held[order[i]] = true;
}

/* order[count] is a permutation; members of a class keep their order in it, so each class is drawn like the whole. */
static void choose(const tg_dataset *dataset, double fraction, bool stratified, uint32_t *order, size_t *left,
                   bool *held) {
    if (!stratified || !dataset->labels) {
        size_t share = share_of(dataset->count, fraction);
        share = share < 1 ? 1 : share >= dataset->count ? dataset->count - 1 : share;
        hold_out(held, order, share);
        return;
    }
    tg_dataset_class_counts(dataset, left);
    for (size_t k = 0; k < dataset->classes; k++) left[k] = share_of(left[k], fraction);
    for (size_t i = 0; i < dataset->count; i++) {
        size_t class = (size_t)dataset->labels[order[i]];
        if (left[class] == 0) continue;
        left[class]--;
        held[order[i]] = true;
    }
}

static tg_status take(const tg_dataset *dataset, const bool *held, bool which, uint32_t *indices,
                      tg_dataset **out, tg_error *err) {
    size_t count = 0;
    for (size_t i = 0; i < dataset->count; i++)
        if (held[i] == which) indices[count++] = (uint32_t)i;
    TG_REQUIRE(err, count > 0 && count < dataset->count, TG_E_DATA,
               "this fraction of %zu samples leaves one of the two parts empty; choose another",
               dataset->count);
    return tg_dataset_subset(dataset, indices, count, out, err);
}

tg_status tg_dataset_split(const tg_dataset *dataset, double fraction, uint64_t seed, bool stratified,
                           tg_dataset **rest, tg_dataset **held_out, tg_error *err) {
    *rest = *held_out = NULL;
    TG_REQUIRE(err, fraction > 0 && fraction < 1, TG_E_ARGUMENT,
               "the fraction must lie between 0 and 1, not be %g", fraction);
    TG_REQUIRE(err, dataset->count >= 2, TG_E_DATA, "one sample cannot be split; use more");
    uint32_t *order = tg_allocate(dataset->count * sizeof *order);
    size_t *left = tg_allocate(dataset->classes * sizeof *left);
    bool *held = tg_allocate_zeroed(dataset->count);
    tg_status status = TG_OK;
    if (!order || !left || !held) {
        status = tg_fail(err, TG_E_MEMORY, "no memory is left to split %zu samples", dataset->count);
    } else {
        tg_rng rng = tg_rng_stream(seed, TG_RNG_SPLIT, 1, 0);
        tg_rng_permutation(&rng, order, dataset->count);
        choose(dataset, fraction, stratified, order, left, held);
        status = take(dataset, held, false, order, rest, err);
        if (status == TG_OK) status = take(dataset, held, true, order, held_out, err);
    }
    if (status != TG_OK) {
        tg_dataset_destroy(*rest);
        *rest = NULL;
    }
    tg_free(order);
    tg_free(left);
    tg_free(held);
    return status;
}
