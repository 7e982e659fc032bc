/* Preprocessing that changes the shape of a sample. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/preprocess_kinds.h"

#define ROWS(table) table, sizeof(table) / sizeof(table)[0]

/* Rows of a struct with the members height and width. */
#define HEIGHT_AND_WIDTH(of)                                                                                 \
    {.name = "height",                                                                                       \
     .type = TG_ATTR_INT,                                                                                    \
     .offset = offsetof(of, height),                                                                         \
     .flags = TG_ATTR_REQUIRED,                                                                              \
     .min = 1,                                                                                               \
     .max = 65536},                                                                                          \
    {                                                                                                        \
        .name = "width", .type = TG_ATTR_INT, .offset = offsetof(of, width), .flags = TG_ATTR_REQUIRED,      \
        .min = 1, .max = 65536                                                                               \
    }

static tg_status become(tg_preprocess_step *self, size_t height, size_t width, size_t channels,
                        tg_error *err) {
    self->by_channel = false;
    self->out[0] = height;
    self->out[1] = width;
    self->out[2] = channels;
    TG_REQUIRE(err,
               tg_mul_size(height, width, &self->out_size) &&
                   tg_mul_size(self->out_size, channels, &self->out_size),
               TG_E_MEMORY, "a sample of %zux%zux%zu does not fit into memory; make it smaller", height,
               width, channels);
    return TG_OK;
}

/* ---- resize ------------------------------------------------------------------------------------------- */

/* As in PyTorch's interpolate: pixels are squares, and the middle of a new one lies at (i + 0.5) x old / new.
 * nearest   the pixel that holds it ("nearest-exact")
 * bilinear  between the four pixels around it; beyond the border its value goes on (align_corners false)
 * area      the mean over all that the new pixel covers */
enum { NEAREST, BILINEAR, AREA };

static const tg_attr resize_rows[] = {
    HEIGHT_AND_WIDTH(tg_resize),
    {.name = "method",
     .type = TG_ATTR_CHOICE,
     .offset = offsetof(tg_resize, method),
     .fallback = BILINEAR,
     .choices = "nearest|bilinear|area"},
};

static tg_status resize_prepare(tg_preprocess_step *self, tg_error *err) {
    TG_REQUIRE(err, self->in[0] > 1 && self->in[1] > 1, TG_E_SHAPE,
               "is for pictures, but what comes in is %zux%zux%zu; leave it out", self->in[0], self->in[1],
               self->in[2]);
    return become(self, (size_t)self->of.resize.height, (size_t)self->of.resize.width, self->in[2], err);
}

/* The old pixels from..from+count of one direction that new pixel i is made of, and what the first and the
 * last of them weigh; those between weigh 1 in an area. */
typedef struct span {
    size_t from, count;
    double first, last;
} span;

static span span_of(int method, size_t i, size_t old, size_t new) {
    double ratio = (double)old / (double)new, middle = ((double)i + 0.5) * ratio;
    if (method == NEAREST) return (span){(size_t)middle < old ? (size_t)middle : old - 1, 1, 1, 0};
    if (method == BILINEAR) {
        double at = middle - 0.5 < 0 ? 0 : middle - 0.5;
        size_t from = (size_t)at;
        if (from + 1 >= old) return (span){old - 1, 1, 1, 0};
        return (span){from, 2, 1 - (at - (double)from), at - (double)from};
    }
    double begin = (double)i * ratio, end = (double)(i + 1) * ratio;
    size_t from = (size_t)begin, to = (size_t)ceil(end);
    if (to > old) to = old;
    if (to - from == 1) return (span){from, 1, end - begin, 0};
    return (span){from, to - from, (double)(from + 1) - begin, end - (double)(to - 1)};
}

static double weight_of(span s, size_t k) {
    return k == 0 ? s.first : k + 1 == s.count ? s.last : 1;
}

static tg_real resized(const tg_real *plane, size_t width, span down, span across) {
    double sum = 0, weights = 0;
    for (size_t v = 0; v < down.count; v++)
        for (size_t u = 0; u < across.count; u++) {
            double weight = weight_of(down, v) * weight_of(across, u);
            sum += weight * (double)plane[(down.from + v) * width + across.from + u];
            weights += weight;
        }
    return (tg_real)(sum / weights);
}

static void resize_samples(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y, tg_real *work) {
    (void)work;
    size_t height = self->in[0], width = self->in[1];
    for (size_t plane = 0; plane < n * self->in[2]; plane++, x += height * width)
        for (size_t row = 0; row < self->out[0]; row++) {
            span down = span_of(self->of.resize.method, row, height, self->out[0]);
            for (size_t col = 0; col < self->out[1]; col++)
                *y++ = resized(x, width, down, span_of(self->of.resize.method, col, width, self->out[1]));
        }
}

const tg_preprocess_kind tg_preprocess_resize = {"resize", ROWS(resize_rows), .prepare = resize_prepare,
                                                 .samples = resize_samples};

/* ---- pad ---------------------------------------------------------------------------------------------- */

static const tg_attr pad_rows[] = {
    HEIGHT_AND_WIDTH(tg_pad),
    {.name = "value", .type = TG_ATTR_REAL, .offset = offsetof(tg_pad, value), .min = -1e30, .max = 1e30},
};

static tg_status pad_prepare(tg_preprocess_step *self, tg_error *err) {
    size_t height = (size_t)self->of.pad.height, width = (size_t)self->of.pad.width;
    TG_REQUIRE(err, height >= self->in[0] && width >= self->in[1], TG_E_SHAPE,
               "%zux%zu is smaller than the pictures of %zux%zu; make it as large, or resize them", height,
               width, self->in[0], self->in[1]);
    return become(self, height, width, self->in[2], err);
}

static tg_real *put(tg_real *y, tg_real value, size_t count) {
    for (size_t i = 0; i < count; i++) *y++ = value;
    return y;
}

/* In the middle; an odd row or column more comes at the bottom and right. */
static void pad_samples(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y, tg_real *work) {
    (void)work;
    const tg_real value = (tg_real)self->of.pad.value;
    size_t width = self->in[1], down = self->out[0] - self->in[0], across = self->out[1] - width;
    size_t before =
        down / 2 * self->out[1] + across / 2; /* the first pixel; so many lie between rows: across */
    size_t after = down * self->out[1] + across - before;
    for (size_t plane = 0; plane < n * self->in[2]; plane++) {
        y = put(y, value, before);
        for (size_t row = 0; row < self->in[0]; row++, x += width) {
            memcpy(y, x, width * sizeof *x);
            y = put(y + width, value, row + 1 < self->in[0] ? across : after);
        }
    }
}

const tg_preprocess_kind tg_preprocess_pad = {"pad", ROWS(pad_rows), .prepare = pad_prepare,
                                              .samples = pad_samples};

/* ---- center_crop -------------------------------------------------------------------------------------- */

static const tg_attr center_crop_rows[] = {HEIGHT_AND_WIDTH(tg_center_crop)};

static tg_status center_crop_prepare(tg_preprocess_step *self, tg_error *err) {
    size_t height = (size_t)self->of.center_crop.height, width = (size_t)self->of.center_crop.width;
    TG_REQUIRE(err, height <= self->in[0] && width <= self->in[1], TG_E_SHAPE,
               "%zux%zu is larger than the pictures of %zux%zu; make it as small, or pad them", height, width,
               self->in[0], self->in[1]);
    return become(self, height, width, self->in[2], err);
}

/* What pad would put around it goes: an odd row or column more at the bottom and right. */
static void center_crop_samples(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y,
                                tg_real *work) {
    (void)work;
    size_t height = self->in[0], width = self->in[1], across = self->out[1];
    const tg_real *from = x + (height - self->out[0]) / 2 * width + (width - across) / 2;
    for (size_t plane = 0; plane < n * self->in[2]; plane++, from += height * width)
        for (size_t row = 0; row < self->out[0]; row++, y += across)
            memcpy(y, from + row * width, across * sizeof *y);
}

const tg_preprocess_kind tg_preprocess_center_crop = {
    "center_crop", ROWS(center_crop_rows), .prepare = center_crop_prepare, .samples = center_crop_samples};

/* ---- flatten ------------------------------------------------------------------------------------------ */

static tg_status flatten_prepare(tg_preprocess_step *self, tg_error *err) {
    return become(self, 1, 1, self->in_size, err);
}

/* Values are in this order already: [C, H, W]. */
static void flatten_samples(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y, tg_real *work) {
    (void)work;
    memcpy(y, x, n * self->out_size * sizeof *x);
}

const tg_preprocess_kind tg_preprocess_flatten = {"flatten", .prepare = flatten_prepare,
                                                  .samples = flatten_samples};
