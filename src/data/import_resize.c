/* Pictures of any size made those of a dataset. */
#include <math.h>
#include <string.h>

#include "data/import.h"

/* The part of the source, in its pixels, that fills a part of the target. */
typedef struct window {
    double from, from_size;
    size_t to, to_size;
} window;

/* One row or column: a triangle as wide as a pixel of the coarser of the two grids, so that nothing aliases and, where
 * sizes agree, nothing changes. Taps at the edges are left out and the rest weighted anew (as Pillow does it).
 * from[count] lies `from_step` floats apart, to[to_count] `to_step`; both hold `channels` values at each place. */
static void resample(const float *from, size_t count, size_t from_step, window w, float *to, size_t to_step,
                     size_t channels) {
    double scale = w.from_size / (double)w.to_size, reach = scale > 1 ? scale : 1;
    for (size_t i = 0; i < w.to_size; i++) {
        double centre = w.from + ((double)i + 0.5) * scale, sum = 0;
        double low = floor(centre - reach), high = ceil(centre + reach);
        size_t begin = low > 0 ? (size_t)low : 0, end = high < (double)count ? (size_t)high : count;
        float *out = to + (w.to + i) * to_step;
        for (size_t c = 0; c < channels; c++) out[c] = 0;
        for (size_t j = begin; j < end; j++) {
            double weight = 1 - fabs((double)j + 0.5 - centre) / reach;
            if (weight <= 0) continue;
            sum += weight;
            for (size_t c = 0; c < channels; c++) out[c] += (float)weight * from[j * from_step + c];
        }
        for (size_t c = 0; c < channels; c++) out[c] /= (float)sum;
    }
}

static void fit_windows(tg_fit fit, const size_t size[2], const size_t to_size[2], window out[2]) {
    double scale[2], common;
    for (size_t i = 0; i < 2; i++) scale[i] = (double)to_size[i] / (double)size[i];
    bool first = fit == TG_FIT_CROP ? scale[0] > scale[1] : scale[0] < scale[1];
    common = scale[first ? 0 : 1];
    for (size_t i = 0; i < 2; i++) {
        out[i] = (window){0, (double)size[i], 0, to_size[i]};
        if (fit == TG_FIT_CROP) {
            out[i].from_size = fmin((double)to_size[i] / common, (double)size[i]);
            out[i].from = ((double)size[i] - out[i].from_size) / 2;
        } else if (fit == TG_FIT_WHOLE) {
            size_t used = (size_t)floor((double)size[i] * common + 0.5);
            out[i].to_size = used < 1 ? 1 : used > to_size[i] ? to_size[i] : used;
            out[i].to = (to_size[i] - out[i].to_size) / 2;
        }
    }
}

size_t tg_resize_work(size_t h, size_t w, size_t channels, size_t to_h, size_t to_w) {
    return (w + to_w) * channels * sizeof(float) + (h + to_h) * to_w * channels * sizeof(float);
}

void tg_resize(const uint8_t *from, size_t h, size_t w, size_t channels, tg_fit fit, uint8_t *to, size_t to_h,
               size_t to_w, float *work) {
    window windows[2];
    fit_windows(fit, (size_t[]){h, w}, (size_t[]){to_h, to_w}, windows);
    size_t row = to_w * channels;
    float *line = work, *narrow = line + (w + to_w) * channels, *done = narrow + h * row;
    memset(narrow, 0, (h + to_h) * row * sizeof *narrow); /* what no window reaches is black */
    for (size_t y = 0; y < h; y++) {
        for (size_t i = 0; i < w * channels; i++) line[i] = from[y * w * channels + i];
        resample(line, w, channels, windows[1], narrow + y * row, channels, channels);
    }
    for (size_t x = 0; x < to_w; x++)
        resample(narrow + x * channels, h, row, windows[0], done + x * channels, row, channels);
    for (size_t i = 0; i < to_h * row; i++) {
        float value = floorf(done[i] + 0.5f);
        to[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}
