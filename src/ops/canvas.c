#include "ops/canvas.h"

#include <string.h>

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

tg_canvas tg_canvas_of(const tg_window *w) {
    size_t h = (w->out_h - 1) * w->stride_h + (w->k_h - 1) * w->dilation_h + 1;
    size_t width = (w->out_w - 1) * w->stride_w + (w->k_w - 1) * w->dilation_w + 1;
    bool padded = w->pad_top || w->pad_left || h > w->in_h || width > w->in_w;
    tg_canvas c = {.h = w->in_h, .w = w->in_w, .channels = w->channels, .in_w = w->in_w, .padded = padded};
    if (padded) c.h = h, c.w = width, c.top = w->pad_top, c.left = w->pad_left;
    c.rows = smaller(c.h - c.top, w->in_h);
    c.cols = smaller(c.w - c.left, w->in_w);
    return c;
}

size_t tg_canvas_size(const tg_canvas *c) {
    return c->h * c->w * c->channels;
}

const tg_real *tg_canvas_paint(const tg_canvas *c, const tg_real *x, tg_real *room) {
    if (!c->padded) return x;
    size_t width = c->w * c->channels, left = c->left * c->channels, cols = c->cols * c->channels;
    tg_real *row = room;
    memset(row, 0, c->top * width * sizeof *row);
    row += c->top * width;
    for (size_t y = 0; y < c->rows; y++, row += width, x += c->in_w * c->channels) {
        memset(row, 0, left * sizeof *row);
        memcpy(row + left, x, cols * sizeof *row);
        memset(row + left + cols, 0, (width - left - cols) * sizeof *row);
    }
    memset(row, 0, (c->h - c->top - c->rows) * width * sizeof *row);
    return room;
}

void tg_canvas_lift(const tg_canvas *c, const tg_kernels *kernels, const tg_real *on, tg_real *dx) {
    size_t width = c->w * c->channels;
    const tg_real *row = on + c->top * width + c->left * c->channels;
    for (size_t y = 0; y < c->rows; y++, row += width, dx += c->in_w * c->channels)
        kernels->add(c->cols * c->channels, row, dx);
}

void tg_canvas_positions(const tg_canvas *c, const tg_window *w, size_t *offset) {
    for (size_t oy = 0; oy < w->out_h; oy++)
        for (size_t ox = 0; ox < w->out_w; ox++)
            *offset++ = (oy * w->stride_h * c->w + ox * w->stride_w) * c->channels;
}

tg_taps tg_canvas_runs(const tg_canvas *c, const tg_window *w, size_t groups, size_t *offset) {
    size_t channels = c->channels / groups;
    bool whole_rows = groups == 1 && w->dilation_w == 1;
    size_t across = whole_rows ? 1 : w->k_w;
    for (size_t ky = 0; ky < w->k_h; ky++)
        for (size_t kx = 0; kx < across; kx++)
            offset[ky * across + kx] = (ky * w->dilation_h * c->w + kx * w->dilation_w) * c->channels;
    return (tg_taps){w->k_h * across, whole_rows ? w->k_w * channels : channels, offset};
}

tg_window tg_window_mirrored(const tg_window *w, size_t filters) {
    tg_window m = *w;
    m.channels = filters;
    m.in_h = w->out_h, m.in_w = w->out_w, m.out_h = w->in_h, m.out_w = w->in_w;
    m.pad_top = (w->k_h - 1) * w->dilation_h - w->pad_top;
    m.pad_left = (w->k_w - 1) * w->dilation_w - w->pad_left;
    return m;
}
