#include "data/split.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/rng.h"

/* How many of `from` samples are held out. */
static tg_status validation_count(size_t from, double validation, size_t *out, tg_error *err) {
    *out = 0;
    TG_REQUIRE(err, validation >= 0 && (validation < 1 || validation == floor(validation)), TG_E_RECIPE,
               "validation must be a fraction below 1 or a whole number of samples, not %g", validation);
    double count = validation < 1 ? floor(validation * (double)from + 0.5) : validation;
    TG_REQUIRE(err, count < (double)from, TG_E_RECIPE,
               "validation %g leaves none of %zu samples to train on; make it smaller", validation, from);
    *out = (size_t)count;
    return TG_OK;
}

static tg_status make(size_t count, uint64_t train_size, double validation, uint64_t seed, tg_split *out,
                      tg_error *err) {
    TG_REQUIRE(err, train_size <= count, TG_E_RECIPE,
               "train_size %" PRIu64 " exceeds the %zu samples there are", train_size, count);
    size_t drawn = train_size ? (size_t)train_size : count, held_out;
    TG_TRY(validation_count(drawn, validation, &held_out, err));
    size_t bytes = 0;
    uint32_t *index = tg_mul_size(count, sizeof *index, &bytes) ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, index, TG_E_MEMORY, "%.1f MB to number the samples could not be had; use fewer samples",
               (double)count * sizeof *index / 1e6);
    if (drawn < count || held_out > 0) {
        tg_rng rng = tg_rng_stream(seed, TG_RNG_SPLIT, 0, 0);
        tg_rng_permutation(&rng, index, count);
    } else {
        for (size_t i = 0; i < count; i++) index[i] = (uint32_t)i;
    }
    *out = (tg_split){.index = index, .train_count = drawn - held_out, .validation_count = held_out};
    return TG_OK;
}

tg_status tg_split_create(size_t count, uint64_t train_size, double validation, uint64_t seed, tg_split *out,
                          tg_error *err) {
    *out = (tg_split){0};
    tg_status status = make(count, train_size, validation, seed, out, err);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "data");
}

void tg_split_destroy(tg_split *split) {
    tg_free(split->index);
    *split = (tg_split){0};
}

void tg_split_shuffle(const tg_split *split, uint64_t seed, uint32_t epoch, uint32_t *order) {
    tg_rng rng = tg_rng_stream(seed, TG_RNG_SHUFFLE, epoch, 0);
    tg_rng_permutation(&rng, order, split->train_count);
    for (size_t i = 0; i < split->train_count; i++) order[i] = split->index[order[i]];
}

void tg_split_draw(const tg_split *split, uint64_t seed, uint32_t epoch, uint32_t *order) {
    tg_rng rng = tg_rng_stream(seed, TG_RNG_SHUFFLE, epoch, 1);
    for (size_t i = 0; i < split->train_count; i++)
        order[i] = split->index[tg_rng_below(&rng, (uint32_t)split->train_count)];
}
