/* What happens to pixels before the network sees them: the recipe's ordered list "preprocess".
 *
 * rescale      { divide: 255, offset: 0 }      x / divide + offset
 * standardize  { mean: [..], std: [..] }       (x - mean[c]) / std[c], one number or one per channel; without
 *              { per: "pixel" }                numbers fitted on the training part (population deviation; 1
 *              { scale: false }                where it is 0); scale false leaves out the division
 * resize       { height, width, method }       "nearest", "bilinear" or "area"
 * pad          { height, width, value: 0 }     the picture in the middle
 * center_crop  { height, width }               the middle of the picture
 * pca          { components, whiten: false }   the directions of most variance in the training part
 * flatten      {}                              [c, h, w] becomes so many channels of 1x1
 *
 * Each step is one row of a table. u8 samples go through one table of 256 results per channel, made by the
 * same steps that f32 samples go through, so that both get the same bits. */
#ifndef TG_DATA_PREPROCESS_H
#define TG_DATA_PREPROCESS_H

#include "base/attrs.h"
#include "base/pool.h"
#include "data/augment.h"
#include "data/dataset.h"

typedef struct tg_preprocess tg_preprocess;

/* list: the recipe's (NULL: nothing to do). shape: height, width, channels of a sample of the dataset.
 * threads: of the largest pool that will be given. Errors: where "preprocess[1] standardize". */
tg_status tg_preprocess_create(const tg_value *list, const size_t shape[3], size_t threads,
                               tg_preprocess **out, tg_error *err);
void tg_preprocess_destroy(tg_preprocess *preprocess);
/* Height, width, channels of what comes out: what the network's input must be. */
void tg_preprocess_shape(const tg_preprocess *preprocess, size_t shape[3]);

/* Fits what has to be fitted, on the given samples of the set. Nothing to fit: does nothing.
 * Sums in f64, in order. pool may be NULL. tg_preprocess_advance_fit does a unit of that, of some milliseconds, with
 * the same arguments until everything is fitted. */
tg_status tg_preprocess_advance_fit(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                                    const uint32_t *index, size_t count, tg_error *err);
tg_status tg_preprocess_fit(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                            const uint32_t *index, size_t count, tg_error *err);
bool tg_preprocess_fitted(const tg_preprocess *preprocess);

/* The list with every default and fitted number filled in, as a JSON list; list: what it was made of, for its keys
 * with "x-", or NULL. What is fitted per pixel or as a
 * matrix is a tensor instead, and no part of it. */
void tg_preprocess_write(const tg_preprocess *preprocess, const tg_value *list, tg_text *text,
                         const char *key);

/* A fitted tensor, to be saved from and restored into. */
typedef struct tg_fitted {
    char name[40]; /* "preprocess.1.mean" */
    size_t rank, shape[3];
    size_t size; /* elements */
    tg_real *data;
} tg_fitted;
/* Fills in at most `most` and returns how many there are, fitted or not yet. */
size_t tg_preprocess_tensors(tg_preprocess *preprocess, tg_fitted *out, size_t most);
/* After all of them have been restored. */
void tg_preprocess_mark_fitted(tg_preprocess *preprocess);

/* How what comes out lies: as [H, W, C], channels side by side, or as [C, H, W]. */
typedef enum tg_order { TG_PICTURES, TG_PLANES } tg_order;

/* x[n, H, W, C] or x[n, C, H, W] = samples index[0..n) (index NULL: 0..n) of pixels[.., H, W, C], augmented first unless
 * augmenting is NULL. Allocates nothing. */
void tg_preprocess_gather(const tg_preprocess *preprocess, tg_pool *pool, tg_dtype type, const void *pixels,
                          const uint32_t *index, size_t n, tg_order order, tg_real *x,
                          const tg_augmenting *augmenting);

/* The same inside of a parallel loop, on the thread of that number. */
void tg_preprocess_gather_on(const tg_preprocess *preprocess, size_t thread, tg_dtype type,
                             const void *pixels, const uint32_t *index, size_t n, tg_order order, tg_real *x,
                             const tg_augmenting *augmenting);

/* Makes what comes out for every sample of the set, once and for all, where that costs more than reading it
 * again (pca); gathers by index from the pixels of the set then copy. augmenting: as they will say it; only
 * appended copies can be remembered. Where there is no use or no memory for it, nothing happens. Once
 * everything is fitted, and while the set stays as it is. Some samples at a time: true when all of them are there. */
bool tg_preprocess_remember(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                            const tg_augmenting *augmenting);

/* Bytes that all of it takes. */
size_t tg_preprocess_bytes(const tg_preprocess *preprocess);

#endif
