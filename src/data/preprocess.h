/* What happens to pixels before the network sees them: the recipe's ordered list "preprocess".
 *
 * rescale      { divide: 255 }              x / divide
 * standardize  { mean: [..], std: [..] }    (x - mean[c]) / std[c], one number or one per channel; without
 *                                           numbers both are fitted on the training part (std: population,
 *                                           as numpy's; 1 for a channel that is constant)
 *
 * Each step is one row of a table. u8 samples go through one table of 256 results per channel, made by the
 * same steps that f32 samples go through, so that both get the same bits. */
#ifndef TG_DATA_PREPROCESS_H
#define TG_DATA_PREPROCESS_H

#include "base/attrs.h"
#include "base/pool.h"
#include "data/dataset.h"

typedef struct tg_preprocess tg_preprocess;

/* list: the recipe's (NULL: nothing to do). Errors: where "preprocess[1] standardize". */
tg_status tg_preprocess_create(const tg_value *list, const size_t shape[3], tg_preprocess **out,
                               tg_error *err);
void tg_preprocess_destroy(tg_preprocess *preprocess);

/* Fits what has to be fitted, on the given samples of the set. Nothing to fit: does nothing.
 * Sums in f64, in order. */
tg_status tg_preprocess_fit(tg_preprocess *preprocess, const tg_dataset *dataset, const uint32_t *index,
                            size_t count, tg_error *err);
bool tg_preprocess_fitted(const tg_preprocess *preprocess);

/* The list with every default and fitted number filled in, as a JSON list. */
void tg_preprocess_write(const tg_preprocess *preprocess, tg_text *text, const char *key);

/* x[n, C, H, W] = samples index[0..n) (index NULL: 0..n) of pixels[.., H, W, C]. */
void tg_preprocess_gather(const tg_preprocess *preprocess, tg_pool *pool, tg_dtype type, const void *pixels,
                          const uint32_t *index, size_t n, tg_real *x);

#endif
