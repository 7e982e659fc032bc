/* A dataset: samples as files hold them, labels, class names. */
#ifndef TG_DATA_DATASET_H
#define TG_DATA_DATASET_H

#include "base/sha256.h"
#include "base/status.h"

struct tg_dataset {
    tg_dtype type;
    size_t height, width, channels;
    size_t count, classes;
    size_t capacity;    /* samples there is room for; at least count */
    size_t sample_size; /* height * width * channels */
    void *pixels;       /* [count, height, width, channels] of type */
    int32_t *labels;    /* [count]; NULL when soft */
    float *targets;     /* [count, classes]; NULL unless soft */
    char **class_names; /* [classes]; one block with the strings behind the pointers */
    char sha256[65];    /* "" until it was asked for */
    tg_sha256 hash;     /* of what the digest is over, so far: */
    size_t hashed;      /* bytes of pixels and labels */
    bool checked;
};

/* A set of one class on pixels that are there already and become its own (tg_allocate); NULL: uninitialised ones. On
 * failure they stay the caller's. */
tg_status tg_dataset_create_on(tg_dtype type, const size_t shape[3], size_t count, void *pixels,
                               tg_dataset **out, tg_error *err);
/* Brings the samples into this order in place: sample i becomes what was order[i]. The order is used up. */
tg_status tg_dataset_permute(tg_dataset *dataset, uint32_t *order, tg_error *err);
/* `more` samples behind the others, pixels uninitialised, labels 0; not for soft sets. Class names stay. */
tg_status tg_dataset_grow(tg_dataset *dataset, size_t more, tg_error *err);
/* The checking alone. The error's where is left to the caller. */
tg_status tg_dataset_check_samples(const tg_dataset *dataset, tg_error *err);
size_t tg_dataset_sample_bytes(const tg_dataset *dataset);
/* Goes on with the digest for at most so many bytes (4 at least); whether it is there, or cannot be, as the set is not
 * checked. */
bool tg_dataset_hash_some(tg_dataset *dataset, size_t bytes);

#endif
