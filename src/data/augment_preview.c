/* What a recipe's augmentation makes of one sample, to look at. */
#include <string.h>

#include "data/augment.h"
#include "data/dataset.h"

static void copy_sample(const tg_dataset *dataset, size_t sample, float *to) {
    size_t from = sample * dataset->sample_size;
    for (size_t i = 0; i < dataset->sample_size; i++)
        to[i] = dataset->type == TG_U8 ? ((const uint8_t *)dataset->pixels)[from + i]
                                       : ((const float *)dataset->pixels)[from + i];
}

tg_status tg_dataset_augment(const tg_dataset *dataset, const tg_attrs *recipe, uint64_t seed, size_t sample,
                             size_t count, float *outcomes, tg_error *err) {
    TG_REQUIRE(err, sample < dataset->count && sample <= UINT32_MAX && count <= UINT32_MAX, TG_E_ARGUMENT,
               "there is no sample %zu; they go from 0 to %zu", sample, dataset->count - 1);
    const size_t shape[3] = {dataset->height, dataset->width, dataset->channels};
    tg_augment *augment;
    TG_TRY(tg_augment_create(tg_value_get(tg_attrs_root(recipe), "augment"), shape, 1, &augment, err));
    for (size_t epoch = 0; epoch < count; epoch++) {
        float *outcome = outcomes + epoch * dataset->sample_size;
        copy_sample(dataset, sample, outcome);
        if (tg_augment_empty(augment)) continue;
        float *room = tg_augment_sample(augment, 0);
        memcpy(room, outcome, dataset->sample_size * sizeof *room);
        tg_augment_apply(augment, dataset->type, seed, (uint32_t)epoch, (uint32_t)sample, 0);
        memcpy(outcome, room, dataset->sample_size * sizeof *room);
    }
    tg_augment_destroy(augment);
    return TG_OK;
}
