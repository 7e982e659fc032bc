/* Augmentation that leaves every pixel where it is: contrast and brightness. */
#include <math.h>

#include "data/augment_kinds.h"

static size_t pixel_count(const tg_picture *picture) {
    return picture->height * picture->width * picture->channels;
}

static float clip(const tg_picture *picture, double x) {
    if (picture->bounded && x < 0) return 0;
    if (picture->bounded && x > (double)picture->top) return picture->top;
    return (float)x;
}

/* ---- contrast_stretch: the darkest value becomes 0, the brightest the top of the range --------------- */

typedef struct contrast_stretch {
    double probability;
} contrast_stretch;

static const tg_attr contrast_stretch_rows[] = {TG_AUGMENT_PROBABILITY(contrast_stretch)};

static void contrast_stretch_apply(const void *attrs, tg_rng *rng, const tg_picture *picture) {
    (void)attrs;
    (void)rng;
    float *x = picture->pixels, least = x[0], most = x[0];
    size_t n = pixel_count(picture);
    for (size_t i = 1; i < n; i++) {
        if (x[i] < least) least = x[i];
        if (x[i] > most) most = x[i];
    }
    double range = (double)most - (double)least;
    if (range <= 0) return; /* one value only: nothing to stretch */
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(((double)x[i] - (double)least) / range * (double)picture->top);
}

TG_AUGMENT_KIND(contrast_stretch, false, NULL);

/* ---- posterize: so many levels, evenly spaced from 0 to the top -------------------------------------- */

typedef struct posterize {
    double probability;
    uint64_t levels;
} posterize;

static const tg_attr posterize_rows[] = {
    TG_AUGMENT_PROBABILITY(posterize),
    TG_AUGMENT_INT(posterize, levels, 2, 256, 8),
};

static void posterize_apply(const void *attrs, tg_rng *rng, const tg_picture *picture) {
    (void)rng;
    double levels = (double)((const posterize *)attrs)->levels, top = (double)picture->top;
    float *x = picture->pixels;
    for (size_t i = 0, n = pixel_count(picture); i < n; i++) {
        double level = floor((double)x[i] / top * levels);
        level = level < 0 ? 0 : level > levels - 1 ? levels - 1 : level;
        x[i] = (float)(level / (levels - 1) * top);
    }
}

TG_AUGMENT_KIND(posterize, false, NULL);

/* ---- random_contrast: away from the channel's mean, or towards it ------------------------------------ */

typedef struct random_contrast {
    double probability, min, max;
} random_contrast;

static const tg_attr random_contrast_rows[] = {
    TG_AUGMENT_PROBABILITY(random_contrast),
    TG_AUGMENT_REAL(random_contrast, min, 0, 1e3, 0.5),
    TG_AUGMENT_REAL(random_contrast, max, 0, 1e3, 1.5),
};

static tg_status random_contrast_check(const void *attrs, const size_t shape[3], tg_error *err) {
    (void)shape;
    const random_contrast *self = attrs;
    return tg_augment_check_order(self->min, self->max, err);
}

static void random_contrast_apply(const void *attrs, tg_rng *rng, const tg_picture *picture) {
    const random_contrast *self = attrs;
    double factor = tg_augment_between(rng, self->min, self->max);
    size_t n = pixel_count(picture), channels = picture->channels;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0;
        for (size_t i = c; i < n; i += channels) sum += (double)picture->pixels[i];
        double mean = sum / (double)(n / channels);
        for (size_t i = c; i < n; i += channels)
            picture->pixels[i] = clip(picture, mean + factor * ((double)picture->pixels[i] - mean));
    }
}

TG_AUGMENT_KIND(random_contrast, false, random_contrast_check);

/* ---- brightness: every value times one factor -------------------------------------------------------- */

typedef struct brightness {
    double probability, min, max;
} brightness;

static const tg_attr brightness_rows[] = {
    TG_AUGMENT_PROBABILITY(brightness),
    TG_AUGMENT_REAL(brightness, min, 0, 1e3, 0.5),
    TG_AUGMENT_REAL(brightness, max, 0, 1e3, 1.5),
};

static tg_status brightness_check(const void *attrs, const size_t shape[3], tg_error *err) {
    (void)shape;
    const brightness *self = attrs;
    return tg_augment_check_order(self->min, self->max, err);
}

static void brightness_apply(const void *attrs, tg_rng *rng, const tg_picture *picture) {
    const brightness *self = attrs;
    double factor = tg_augment_between(rng, self->min, self->max);
    float *x = picture->pixels;
    for (size_t i = 0, n = pixel_count(picture); i < n; i++) x[i] = clip(picture, factor * (double)x[i]);
}

TG_AUGMENT_KIND(brightness, true, brightness_check);
