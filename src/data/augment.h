/* Random changes to a training sample that leave its label true: the recipe's ordered list "augment".
 *
 * Works on the pixels as the dataset holds them (u8: 0..255, f32: full range 0..1), before preprocessing.
 * Each kind is one row of a table; any takes a probability. What is drawn follows from seed, epoch and sample
 * alone, so threads, order, prefetch and resuming cannot matter. */
#ifndef TG_DATA_AUGMENT_H
#define TG_DATA_AUGMENT_H

#include "base/attrs.h"

typedef struct tg_augment tg_augment;

/* list: the recipe's (NULL: nothing to do). threads: how many may apply it at the same time.
 * Errors: where "augment[1] rotate". */
tg_status tg_augment_create(const tg_value *list, const size_t shape[3], size_t threads, tg_augment **out,
                            tg_error *err);
void tg_augment_destroy(tg_augment *augment);
bool tg_augment_empty(const tg_augment *augment);

/* The list with every default filled in, as a JSON list; list: what it was made of, for its keys with "x-", or NULL. */
void tg_augment_write(const tg_augment *augment, const tg_value *list, tg_text *text, const char *key);

/* Room for one sample [h, w, c] that belongs to this thread. */
float *tg_augment_sample(const tg_augment *augment, size_t thread);
/* Changes the thread's sample in place, as seed, epoch and sample number say. type: of the dataset. */
void tg_augment_apply(const tg_augment *augment, tg_dtype type, uint64_t seed, uint32_t epoch,
                      uint32_t sample, size_t thread);

/* Set in an index entry: the transformed copy of this sample, where the set is appended to itself. */
#define TG_TRANSFORMED (UINT32_C(1) << 31)

/* How a gather augments. appended: entries with TG_TRANSFORMED are transformed, the same way in every epoch,
 * the others stay as they are. Otherwise every sample is transformed, each epoch anew. */
typedef struct tg_augmenting {
    const tg_augment *augment;
    uint64_t seed;
    uint32_t epoch;
    bool appended;
} tg_augmenting;

#endif
