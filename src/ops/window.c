#include "ops/window.h"

static size_t pick(const tg_sizes *sizes, size_t index, size_t fallback) {
    if (sizes->count == 0) return fallback;
    return (size_t)sizes->value[sizes->count > index ? index : 0];
}

tg_status tg_window_infer(const tg_shape *input, const tg_sizes *kernel, const tg_sizes *stride,
                          const tg_sizes *dilation, const tg_padding *padding, tg_window *out,
                          tg_error *err) {
    char text[96];
    TG_REQUIRE(err, input->rank == 3, TG_E_SHAPE, "takes pictures (channels x height x width), not %s",
               tg_shape_text(input, text));
    TG_REQUIRE(err, kernel->count <= 2 && stride->count <= 2 && dilation->count <= 2, TG_E_RECIPE,
               "sizes are one number or [height, width]");
    TG_REQUIRE(err, padding->choice >= 0 || padding->sizes.count != 3, TG_E_RECIPE,
               "padding is one number, [height, width] or [top, left, bottom, right]");
    tg_window w = {.channels = input->dim[0], .in_h = input->dim[1], .in_w = input->dim[2]};
    w.k_h = pick(kernel, 0, 1), w.k_w = pick(kernel, 1, 1);
    w.stride_h = pick(stride, 0, w.k_h), w.stride_w = pick(stride, 1, w.k_w);
    w.dilation_h = pick(dilation, 0, 1), w.dilation_w = pick(dilation, 1, 1);
    size_t span_h = (w.k_h - 1) * w.dilation_h + 1, span_w = (w.k_w - 1) * w.dilation_w + 1;
    size_t pad_h = 0, pad_w = 0; /* both sides together */
    if (padding->choice == TG_PADDING_SAME) {
        size_t need_h = ((w.in_h + w.stride_h - 1) / w.stride_h - 1) * w.stride_h + span_h;
        size_t need_w = ((w.in_w + w.stride_w - 1) / w.stride_w - 1) * w.stride_w + span_w;
        pad_h = need_h > w.in_h ? need_h - w.in_h : 0;
        pad_w = need_w > w.in_w ? need_w - w.in_w : 0;
        w.pad_top = pad_h / 2, w.pad_left = pad_w / 2;
    } else if (padding->choice < 0) {
        const tg_sizes *p = &padding->sizes;
        w.pad_top = pick(p, 0, 0), w.pad_left = pick(p, 1, 0);
        pad_h = w.pad_top + (p->count == 4 ? (size_t)p->value[2] : w.pad_top);
        pad_w = w.pad_left + (p->count == 4 ? (size_t)p->value[3] : w.pad_left);
        TG_REQUIRE(err,
                   w.pad_top < span_h && pad_h - w.pad_top < span_h && w.pad_left < span_w &&
                       pad_w - w.pad_left < span_w,
                   TG_E_SHAPE, "padding must be smaller than the kernel %zux%zu", w.k_h, w.k_w);
    }
    TG_REQUIRE(err, span_h <= w.in_h + pad_h && span_w <= w.in_w + pad_w, TG_E_SHAPE,
               "kernel %zux%zu exceeds input %zux%zu", span_h, span_w, w.in_h + pad_h, w.in_w + pad_w);
    w.out_h = (w.in_h + pad_h - span_h) / w.stride_h + 1;
    w.out_w = (w.in_w + pad_w - span_w) / w.stride_w + 1;
    *out = w;
    return TG_OK;
}
