/* What the windows of a convolution see: the picture itself or, where there is padding, a copy with its zeros; and where on
 * it a filter's taps and the output's positions lie. */
#ifndef TG_OPS_CANVAS_H
#define TG_OPS_CANVAS_H

#include "ops/window.h"

typedef struct tg_canvas {
    size_t h, w, channels;
    size_t top, left;  /* where the picture begins */
    size_t rows, cols; /* of the picture, as far as windows see them */
    size_t in_w;       /* of the whole picture */
    bool padded;       /* a copy is needed */
} tg_canvas;

tg_canvas tg_canvas_of(const tg_window *window);
size_t tg_canvas_size(const tg_canvas *canvas); /* elements */

/* The canvas of picture x: x itself, or painted into room. */
const tg_real *tg_canvas_paint(const tg_canvas *canvas, const tg_real *x, tg_real *room);
/* dx += what lies on the canvas where the picture is. */
void tg_canvas_lift(const tg_canvas *canvas, const tg_kernels *kernels, const tg_real *on, tg_real *dx);

/* offset[out_h * out_w]: where the window of each output position begins. */
void tg_canvas_positions(const tg_canvas *canvas, const tg_window *window, size_t *offset);
/* Runs of neighbours that a filter of one of `groups` sees, from its first channel on; offset[k_h * k_w] at most. */
tg_taps tg_canvas_runs(const tg_canvas *canvas, const tg_window *window, size_t groups, size_t *offset);

/* The window that the input's gradient slides over the output's, where stride is 1: the same kernel mirrored. */
tg_window tg_window_mirrored(const tg_window *window, size_t filters);

#endif
