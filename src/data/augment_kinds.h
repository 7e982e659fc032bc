/* The kinds of augmentation, between augment.c, which keeps the list, and the files that compute them. */
#ifndef TG_DATA_AUGMENT_KINDS_H
#define TG_DATA_AUGMENT_KINDS_H

#include "base/rng.h"
#include "data/augment.h"

/* A sample on its way through the list, with room to work in. */
typedef struct tg_picture {
    size_t height, width, channels;
    float top;     /* of the full range, which begins at 0 */
    bool bounded;  /* bytes: what leaves the range is clipped to it */
    float *pixels; /* [height, width, channels] */
    float *before; /* as much again */
    float *fields; /* [3, height, width] */
} tg_picture;

typedef struct tg_augment_kind {
    const char *name;
    const tg_attr *rows; /* of a struct that begins with the probability */
    size_t row_count;
    bool anything; /* else it needs pictures: more than one pixel in both directions */
    tg_status (*check)(const void *attrs, const size_t shape[3],
                       tg_error *err); /* what rows cannot say; or NULL */
    void (*apply)(const void *attrs, tg_rng *rng, const tg_picture *picture);
} tg_augment_kind;

/* The largest of the structs that rows fill in. */
typedef union tg_augment_attrs {
    double probability; /* the first member of each */
    double room[8];
} tg_augment_attrs;

#define TG_AUGMENT_KIND(kind_name, is_anything, check_fn)                                                    \
    const tg_augment_kind tg_augment_##kind_name = {                                                         \
        .name = #kind_name,                                                                                  \
        .rows = kind_name##_rows,                                                                            \
        .row_count = sizeof kind_name##_rows / sizeof kind_name##_rows[0],                                   \
        .anything = is_anything,                                                                             \
        .check = check_fn,                                                                                   \
        .apply = kind_name##_apply,                                                                          \
    };                                                                                                       \
    _Static_assert(sizeof(kind_name) <= sizeof(tg_augment_attrs), "its attributes need more room")

#define TG_AUGMENT_REAL(of, field, least, most, otherwise)                                                   \
    {                                                                                                        \
        .name = #field, .type = TG_ATTR_REAL, .offset = offsetof(of, field), .min = least, .max = most,      \
        .fallback = otherwise                                                                                \
    }
#define TG_AUGMENT_INT(of, field, least, most, otherwise)                                                    \
    {                                                                                                        \
        .name = #field, .type = TG_ATTR_INT, .offset = offsetof(of, field), .min = least, .max = most,       \
        .fallback = otherwise                                                                                \
    }
#define TG_AUGMENT_PROBABILITY(of) TG_AUGMENT_REAL(of, probability, 0, 1, 1)
#define TG_AUGMENT_FILL(of)        TG_AUGMENT_REAL(of, fill, -1e30, 1e30, 0)

/* augment_values.c: every pixel where it is */
extern const tg_augment_kind tg_augment_contrast_stretch, tg_augment_posterize, tg_augment_random_contrast,
    tg_augment_brightness;
/* augment_places.c: pixels that move */
extern const tg_augment_kind tg_augment_flip_horizontal, tg_augment_flip_vertical, tg_augment_shift,
    tg_augment_crop, tg_augment_rotate, tg_augment_scale, tg_augment_cutout, tg_augment_elastic;

/* Uniform in [low, high). */
double tg_augment_between(tg_rng *rng, double low, double high);
tg_status tg_augment_check_order(double min, double max, tg_error *err);

#endif
