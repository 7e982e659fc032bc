/* A dataset: samples as files hold them, labels, class names. */
#ifndef TG_DATA_DATASET_H
#define TG_DATA_DATASET_H

#include "base/status.h"

struct tg_dataset {
    tg_dtype type;
    size_t height, width, channels;
    size_t count, classes;
    size_t sample_size; /* height * width * channels */
    void *pixels;       /* [count, height, width, channels] of type */
    int32_t *labels;    /* [count]; NULL when soft */
    float *targets;     /* [count, classes]; NULL unless soft */
    char **class_names; /* [classes]; one block with the strings behind the pointers */
    char sha256[65];    /* "" until checked */
    bool checked;
};

#endif
