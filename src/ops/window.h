/* Windows that slide over a picture: what convolution and pooling have in common. */
#ifndef TG_OPS_WINDOW_H
#define TG_OPS_WINDOW_H

#include "ops/op.h"

enum { TG_PADDING_VALID, TG_PADDING_SAME };
#define TG_PADDING_CHOICES "valid|same"

typedef struct tg_window {
    size_t channels, in_h, in_w;
    size_t out_h, out_w;
    size_t k_h, k_w, stride_h, stride_w, dilation_h, dilation_w;
    size_t pad_top, pad_left; /* bottom and right follow from the output's size */
} tg_window;

/* From attributes to numbers; one size stands for both directions, no stride for stride_default.
 * "same": output = ceil(input / stride), the odd cell of padding at the bottom and right (Keras; PyTorch at stride 1).
 * Explicit padding: p, [h, w] or [top, left, bottom, right] (ONNX's order). */
tg_status tg_window_infer(const tg_shape *input, const tg_sizes *kernel, const tg_sizes *stride,
                          const tg_sizes *dilation, const tg_padding *padding, tg_window *out, tg_error *err);

#endif
