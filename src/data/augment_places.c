/* Augmentation that moves pixels. Every kind of movement asks, for each place of the new picture, where its
 * value was before; places outside of the old picture have the value `fill`. */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "data/augment_kinds.h"

static const double PI = 3.141592653589793;

/* Keeps what is there as `before`. */
static void keep(const tg_picture *p) {
    memcpy(p->before, p->pixels, p->height * p->width * p->channels * sizeof *p->pixels);
}

static bool inside(const tg_picture *p, double y, double x) {
    return y >= 0 && x >= 0 && y < (double)p->height && x < (double)p->width;
}

static const float *before_at(const tg_picture *p, double y, double x) {
    return p->before + ((size_t)y * p->width + (size_t)x) * p->channels;
}

static float *pixel_at(const tg_picture *p, size_t y, size_t x) {
    return p->pixels + (y * p->width + x) * p->channels;
}

/* to[channels] = before at whole numbers y, x. */
static void take(const tg_picture *p, double y, double x, double fill, float *to) {
    bool known = inside(p, y, x);
    for (size_t c = 0; c < p->channels; c++) to[c] = known ? before_at(p, y, x)[c] : (float)fill;
}

/* to[channels] = before between four pixels. */
static void take_bilinear(const tg_picture *p, double y, double x, double fill, float *to) {
    double top = floor(y), left = floor(x), down = y - top, right = x - left;
    const double places[4][3] = {{top, left, (1 - down) * (1 - right)},
                                 {top, left + 1, (1 - down) * right},
                                 {top + 1, left, down * (1 - right)},
                                 {top + 1, left + 1, down * right}};
    for (size_t c = 0; c < p->channels; c++) {
        double sum = 0;
        for (size_t k = 0; k < 4; k++) {
            bool known = inside(p, places[k][0], places[k][1]);
            sum += places[k][2] * (known ? (double)before_at(p, places[k][0], places[k][1])[c] : fill);
        }
        to[c] = (float)sum;
    }
}

/* ---- flip_horizontal, flip_vertical ------------------------------------------------------------------ */

typedef struct flip {
    double probability;
} flip_horizontal, flip_vertical;

static const tg_attr flip_horizontal_rows[] = {TG_AUGMENT_PROBABILITY(flip_horizontal)};
static const tg_attr flip_vertical_rows[] = {TG_AUGMENT_PROBABILITY(flip_vertical)};

static void flip_horizontal_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    (void)attrs;
    (void)rng;
    keep(p);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            take(p, (double)y, (double)(p->width - 1 - x), 0, pixel_at(p, y, x));
}

static void flip_vertical_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    (void)attrs;
    (void)rng;
    keep(p);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            take(p, (double)(p->height - 1 - y), (double)x, 0, pixel_at(p, y, x));
}

TG_AUGMENT_KIND(flip_horizontal, false, NULL);
TG_AUGMENT_KIND(flip_vertical, false, NULL);

/* ---- shift, crop: by whole pixels -------------------------------------------------------------------- */

/* A whole number in [-most, most]. */
static double draw_step(tg_rng *rng, uint64_t most) {
    return (double)tg_rng_below(rng, (uint32_t)(2 * most + 1)) - (double)most;
}

typedef struct shift {
    double probability;
    uint64_t x, y;
    double fill;
} shift;

static const tg_attr shift_rows[] = {
    TG_AUGMENT_PROBABILITY(shift),
    TG_AUGMENT_INT(shift, x, 0, 1e6, 0),
    TG_AUGMENT_INT(shift, y, 0, 1e6, 0),
    TG_AUGMENT_FILL(shift),
};

static tg_status shift_check(const void *attrs, const size_t shape[3], tg_error *err) {
    const shift *self = attrs;
    TG_REQUIRE(err, self->x || self->y, TG_E_RECIPE, "moves nothing; give x or y, in pixels");
    TG_REQUIRE(err, self->x < shape[1], TG_E_SHAPE,
               "x %zu moves pictures %zu wide out of sight; give at most %zu", (size_t)self->x, shape[1],
               shape[1] - 1);
    TG_REQUIRE(err, self->y < shape[0], TG_E_SHAPE,
               "y %zu moves pictures %zu high out of sight; give at most %zu", (size_t)self->y, shape[0],
               shape[0] - 1);
    return TG_OK;
}

static void shift_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    const shift *self = attrs;
    double right = draw_step(rng, self->x), down = draw_step(rng, self->y);
    keep(p);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            take(p, (double)y - down, (double)x - right, self->fill, pixel_at(p, y, x));
}

TG_AUGMENT_KIND(shift, false, shift_check);

enum { CONSTANT, REFLECT };

/* A picture of the old size cut out of the padded one. */
typedef struct crop {
    double probability;
    uint64_t padding;
    int mode;
    double fill;
} crop;

static const tg_attr crop_rows[] = {
    TG_AUGMENT_PROBABILITY(crop),
    TG_AUGMENT_INT(crop, padding, 1, 1e6, 4),
    {.name = "mode", .type = TG_ATTR_CHOICE, .offset = offsetof(crop, mode), .choices = "constant|reflect"},
    TG_AUGMENT_FILL(crop),
};

static tg_status crop_check(const void *attrs, const size_t shape[3], tg_error *err) {
    const crop *self = attrs;
    size_t smaller = shape[0] < shape[1] ? shape[0] : shape[1];
    TG_REQUIRE(err, self->padding < smaller, TG_E_SHAPE,
               "padding %zu is too much for pictures of %zux%zu; give at most %zu", (size_t)self->padding,
               shape[0], shape[1], smaller - 1);
    return TG_OK;
}

/* ..., 2, 1, 0, 1, ..., size - 1, size - 2, ...: the border itself is not repeated. */
static double reflect(double at, double size) {
    return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
}

static void crop_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    const crop *self = attrs;
    double right = draw_step(rng, self->padding), down = draw_step(rng, self->padding);
    keep(p);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++) {
            double from_y = (double)y + down, from_x = (double)x + right;
            if (self->mode == REFLECT) {
                from_y = reflect(from_y, (double)p->height);
                from_x = reflect(from_x, (double)p->width);
            }
            take(p, from_y, from_x, self->fill, pixel_at(p, y, x));
        }
}

TG_AUGMENT_KIND(crop, false, crop_check);

/* ---- rotate, scale: about the middle ----------------------------------------------------------------- */

enum { BILINEAR, NEAREST, FORWARD };

typedef struct rotate {
    double probability, degrees;
    bool exact; /* by degrees; else by an angle in [-degrees, degrees) */
    int interpolation;
    double fill;
} rotate;

static const tg_attr rotate_rows[] = {
    TG_AUGMENT_PROBABILITY(rotate),
    {.name = "degrees",
     .type = TG_ATTR_REAL,
     .offset = offsetof(rotate, degrees),
     .flags = TG_ATTR_REQUIRED,
     .min = -180,
     .max = 180},
    {.name = "exact", .type = TG_ATTR_FLAG, .offset = offsetof(rotate, exact)},
    {.name = "interpolation",
     .type = TG_ATTR_CHOICE,
     .offset = offsetof(rotate, interpolation),
     .choices = "bilinear|nearest|forward"},
    TG_AUGMENT_FILL(rotate),
};

/* Every pixel goes to the place nearest to where it belongs. No two neighbours need to stay neighbours:
 * places that none comes to are holes. */
static void rotate_forward(const tg_picture *p, double cosine, double sine, double fill) {
    double middle_y = (double)(p->height - 1) / 2, middle_x = (double)(p->width - 1) / 2;
    for (size_t i = 0; i < p->height * p->width * p->channels; i++) p->pixels[i] = (float)fill;
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++) {
            double v = (double)y - middle_y, u = (double)x - middle_x;
            double to_y = floor(middle_y - sine * u + cosine * v + 0.5);
            double to_x = floor(middle_x + cosine * u + sine * v + 0.5);
            if (inside(p, to_y, to_x))
                take(p, (double)y, (double)x, fill, pixel_at(p, (size_t)to_y, (size_t)to_x));
        }
}

/* Counterclockwise, as one sees it. */
static void rotate_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    const rotate *self = attrs;
    double degrees = self->exact ? self->degrees : tg_augment_between(rng, -self->degrees, self->degrees);
    double cosine = tg_cos_f64(degrees / 180 * PI), sine = tg_sin_f64(degrees / 180 * PI);
    keep(p);
    if (self->interpolation == FORWARD) {
        rotate_forward(p, cosine, sine, self->fill);
        return;
    }
    double middle_y = (double)(p->height - 1) / 2, middle_x = (double)(p->width - 1) / 2;
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++) {
            double v = (double)y - middle_y, u = (double)x - middle_x;
            double from_y = middle_y + sine * u + cosine * v, from_x = middle_x + cosine * u - sine * v;
            if (self->interpolation == NEAREST)
                take(p, floor(from_y + 0.5), floor(from_x + 0.5), self->fill, pixel_at(p, y, x));
            else take_bilinear(p, from_y, from_x, self->fill, pixel_at(p, y, x));
        }
}

TG_AUGMENT_KIND(rotate, false, NULL);

/* Larger above 1, smaller below. */
typedef struct scale {
    double probability, min, max, fill;
} scale;

static const tg_attr scale_rows[] = {
    TG_AUGMENT_PROBABILITY(scale),
    TG_AUGMENT_REAL(scale, min, 0.01, 100, 0.9),
    TG_AUGMENT_REAL(scale, max, 0.01, 100, 1.1),
    TG_AUGMENT_FILL(scale),
};

static tg_status scale_check(const void *attrs, const size_t shape[3], tg_error *err) {
    (void)shape;
    const scale *self = attrs;
    return tg_augment_check_order(self->min, self->max, err);
}

static void scale_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    const scale *self = attrs;
    double factor = tg_augment_between(rng, self->min, self->max);
    double middle_y = (double)(p->height - 1) / 2, middle_x = (double)(p->width - 1) / 2;
    keep(p);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            take_bilinear(p, middle_y + ((double)y - middle_y) / factor,
                          middle_x + ((double)x - middle_x) / factor, self->fill, pixel_at(p, y, x));
}

TG_AUGMENT_KIND(scale, false, scale_check);

/* ---- cutout: a square is painted over (DeVries and Taylor 2017) --------------------------------------- */

typedef struct cutout {
    double probability;
    uint64_t size;
    double fill;
} cutout;

static const tg_attr cutout_rows[] = {
    TG_AUGMENT_PROBABILITY(cutout),
    TG_AUGMENT_INT(cutout, size, 1, 1e6, 8),
    TG_AUGMENT_FILL(cutout),
};

static tg_status cutout_check(const void *attrs, const size_t shape[3], tg_error *err) {
    const cutout *self = attrs;
    size_t larger = shape[0] > shape[1] ? shape[0] : shape[1];
    TG_REQUIRE(err, self->size < larger, TG_E_SHAPE,
               "size %zu would cover pictures of %zux%zu; give at most %zu", (size_t)self->size, shape[0],
               shape[1], larger - 1);
    return TG_OK;
}

static bool covers(size_t at, size_t middle, size_t size) {
    return at + size / 2 >= middle && at + size / 2 < middle + size;
}

/* Its middle lies anywhere in the picture, so that at the border only a part of it covers something. */
static void cutout_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    const cutout *self = attrs;
    size_t size = (size_t)self->size, middle_y = tg_rng_below(rng, (uint32_t)p->height);
    size_t middle_x = tg_rng_below(rng, (uint32_t)p->width);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            if (covers(y, middle_y, size) && covers(x, middle_x, size))
                for (size_t c = 0; c < p->channels; c++) pixel_at(p, y, x)[c] = (float)self->fill;
}

TG_AUGMENT_KIND(cutout, false, cutout_check);

/* ---- elastic: as if drawn on rubber (Simard, Steinkraus, Platt 2003) ----------------------------------- */

/* Every pixel moves by alpha times a random field in [-1, 1), smoothed by a Gaussian of deviation sigma. */
typedef struct elastic {
    double probability, alpha, sigma, fill;
} elastic;

enum { LARGEST_SIGMA = 16, LARGEST_RADIUS = 3 * LARGEST_SIGMA };

static const tg_attr elastic_rows[] = {
    TG_AUGMENT_PROBABILITY(elastic),
    TG_AUGMENT_REAL(elastic, alpha, 0, 1e4, 34),
    TG_AUGMENT_REAL(elastic, sigma, 0.5, LARGEST_SIGMA, 4),
    TG_AUGMENT_FILL(elastic),
};

/* weights[0..radius] of exp(-d^2 / 2 sigma^2), adding up to 1 over both sides. */
static size_t gaussian(double sigma, double weights[LARGEST_RADIUS + 1]) {
    size_t radius = (size_t)ceil(3 * sigma);
    double sum = 0;
    for (size_t d = 0; d <= radius; d++) {
        weights[d] = tg_exp_f64(-(double)(d * d) / (2 * sigma * sigma));
        sum += d ? 2 * weights[d] : weights[d];
    }
    for (size_t d = 0; d <= radius; d++) weights[d] /= sum;
    return radius;
}

/* to = from smoothed along one direction: `lines` lines of `length` values, `step` apart. Beyond an end its
 * value goes on. */
static void smooth(const double *weights, size_t radius, const float *from, float *to, size_t lines,
                   size_t line_step, size_t length, size_t step) {
    for (size_t line = 0; line < lines; line++, from += line_step, to += line_step)
        for (size_t i = 0; i < length; i++) {
            double sum = weights[0] * (double)from[i * step];
            for (size_t d = 1; d <= radius; d++) {
                size_t low = i < d ? 0 : i - d, high = i + d < length ? i + d : length - 1;
                sum += weights[d] * ((double)from[low * step] + (double)from[high * step]);
            }
            to[i * step] = (float)sum;
        }
}

static void elastic_apply(const void *attrs, tg_rng *rng, const tg_picture *p) {
    const elastic *self = attrs;
    size_t area = p->height * p->width;
    float *down = p->fields, *right = down + area, *work = right + area, *both[] = {down, right};
    double weights[LARGEST_RADIUS + 1];
    size_t radius = gaussian(self->sigma, weights);
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < area; i++) both[k][i] = (float)((double)tg_rng_u32(rng) * 0x1p-31 - 1);
        smooth(weights, radius, both[k], work, p->height, p->width, p->width, 1);
        smooth(weights, radius, work, both[k], p->width, 1, p->height, p->width);
    }
    keep(p);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            take_bilinear(p, (double)y + self->alpha * (double)down[y * p->width + x],
                          (double)x + self->alpha * (double)right[y * p->width + x], self->fill,
                          pixel_at(p, y, x));
}

TG_AUGMENT_KIND(elastic, false, NULL);
