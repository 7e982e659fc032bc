/* Which samples are trained on, which are held out, and in what order they come. */
#ifndef TG_DATA_SPLIT_H
#define TG_DATA_SPLIT_H

#include "base/status.h"

typedef struct tg_split {
    uint32_t *index; /* [train_count + validation_count]: the training part first */
    size_t train_count, validation_count;
} tg_split;

/* train_size (0: all) samples are drawn first, seeded; from them the validation part: a fraction below 1, or
 * a count. With train_size 0 and validation 0 the index is 0..count-1. Errors: where "data". */
tg_status tg_split_create(size_t count, uint64_t train_size, double validation, uint64_t seed, tg_split *out,
                          tg_error *err);
void tg_split_destroy(tg_split *split);

/* order[count] = the training part as epoch `epoch` goes through it: every sample once. */
void tg_split_shuffle(const tg_split *split, uint64_t seed, uint32_t epoch, uint32_t *order);

/* The same with replacement: as many samples as an epoch has, each drawn from the whole training part. */
void tg_split_draw(const tg_split *split, uint64_t seed, uint32_t epoch, uint32_t *order);

#endif
