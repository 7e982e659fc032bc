#include "kernels/pack.h"

#include <string.h>

/* Four columns of a panel at a time, in vectors of four: contiguous columns are copied, contiguous terms
 * transposed. */
enum { WIDTH = 4 };
typedef tg_real four __attribute__((vector_size(WIDTH * sizeof(tg_real))));

/* The lanes of a, then b, by number. */
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#ifdef TG_REAL_F64
typedef int64_t lanes __attribute__((vector_size(sizeof(four))));
#else
typedef int32_t lanes __attribute__((vector_size(sizeof(four))));
#endif
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (lanes){__VA_ARGS__})
#endif

/* dst[p, i] = src[i * stride + p], 4 x 4, in two rounds of interleaving; 0 for i >= columns. */
static void transpose(const tg_real *src, size_t stride, size_t columns, tg_real *dst, size_t dst_stride) {
    four a, b = {0}, c = {0}, d = {0}, out[WIDTH];
    memcpy(&a, src, sizeof a);
    if (columns > 1) memcpy(&b, src + stride, sizeof b);
    if (columns > 2) memcpy(&c, src + 2 * stride, sizeof c);
    if (columns > 3) memcpy(&d, src + 3 * stride, sizeof d);
    four ab_low = SHUFFLE(a, b, 0, 4, 1, 5), ab_high = SHUFFLE(a, b, 2, 6, 3, 7);
    four cd_low = SHUFFLE(c, d, 0, 4, 1, 5), cd_high = SHUFFLE(c, d, 2, 6, 3, 7);
    out[0] = SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
    out[1] = SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
    out[2] = SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
    out[3] = SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
    for (size_t i = 0; i < WIDTH; i++) memcpy(dst + i * dst_stride, &out[i], sizeof out[i]);
}

void tg_pack_panel(const tg_real *src, size_t k_stride, size_t stride, size_t k, size_t live, size_t width,
                   tg_real *dst) {
    for (size_t i = 0; i < width; i += WIDTH) {
        size_t columns = i >= live ? 0 : live - i < WIDTH ? live - i : WIDTH, p = 0;
        const tg_real *from = src + i * stride;
        tg_real *to = dst + i;
        if (columns == WIDTH && stride == 1) {
            for (; p < k; p++) memcpy(to + p * width, from + p * k_stride, sizeof(four));
        } else if (columns > 0 && k_stride == 1) {
            for (; p + WIDTH <= k; p += WIDTH) transpose(from + p, stride, columns, to + p * width, width);
        }
        for (; p < k; p++) {
            for (size_t j = 0; j < WIDTH; j++) {
                to[p * width + j] = j < columns ? from[p * k_stride + j * stride] : 0;
            }
        }
    }
}

void tg_pack_transposed(const tg_real *src, size_t src_stride, size_t rows, size_t cols, tg_real *dst,
                        size_t dst_stride) {
    for (size_t col = 0; col < cols; col += WIDTH) {
        size_t row = 0;
        for (; col + WIDTH <= cols && row + WIDTH <= rows; row += WIDTH)
            transpose(src + row * src_stride + col, src_stride, WIDTH, dst + col * dst_stride + row,
                      dst_stride);
        for (; row < rows; row++)
            for (size_t i = col; i < cols && i < col + WIDTH; i++)
                dst[i * dst_stride + row] = src[row * src_stride + i];
    }
}
