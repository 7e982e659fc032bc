#include "kernels/pack.h"

#include <string.h>

/* Four columns of a panel at a time, in vectors of four: contiguous columns are copied, contiguous terms
 * transposed. */
enum { WIDTH = 4 };
typedef tg_real four __attribute__((vector_size(WIDTH * sizeof(tg_real))));

static void copy(const tg_real *from, tg_real *to) {
    memcpy(to, from, sizeof(four));
}

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

/* dst[p, i] = src[i, p], 4 x 4, in two rounds of interleaving. */
static void transpose(const tg_real *src, size_t src_stride, tg_real *dst, size_t dst_stride) {
    four a, b, c, d, out[WIDTH];
    memcpy(&a, src, sizeof a);
    memcpy(&b, src + src_stride, sizeof b);
    memcpy(&c, src + 2 * src_stride, sizeof c);
    memcpy(&d, src + 3 * src_stride, sizeof d);
    four ab_low = SHUFFLE(a, b, 0, 4, 1, 5), ab_high = SHUFFLE(a, b, 2, 6, 3, 7);
    four cd_low = SHUFFLE(c, d, 0, 4, 1, 5), cd_high = SHUFFLE(c, d, 2, 6, 3, 7);
    out[0] = SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
    out[1] = SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
    out[2] = SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
    out[3] = SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
    for (size_t p = 0; p < WIDTH; p++) memcpy(dst + p * dst_stride, &out[p], sizeof out[p]);
}

/* One element at a time, `live` of four columns. */
static void pack_plainly(const tg_real *src, size_t k_stride, size_t stride, size_t k, size_t live,
                         size_t width, tg_real *dst) {
    for (size_t p = 0; p < k; p++) {
        for (size_t i = 0; i < WIDTH; i++) dst[p * width + i] = i < live ? src[p * k_stride + i * stride] : 0;
    }
}

void tg_pack_panel(const tg_real *src, size_t k_stride, size_t stride, size_t k, size_t live, size_t width,
                   tg_real *dst) {
    for (size_t i = 0; i < width; i += WIDTH) {
        const tg_real *from = src + i * stride;
        tg_real *to = dst + i;
        size_t p = 0;
        if (i + WIDTH <= live && stride == 1) {
            for (; p < k; p++) copy(from + p * k_stride, to + p * width);
        } else if (i + WIDTH <= live && k_stride == 1) {
            for (; p + WIDTH <= k; p += WIDTH) transpose(from + p, stride, to + p * width, width);
        } else if (i >= live) {
            for (; p < k; p++) memset(to + p * width, 0, sizeof(four));
        }
        if (p == k) continue;
        size_t columns = live - i < WIDTH ? live - i : WIDTH;
        pack_plainly(from + p * k_stride, k_stride, stride, k - p, columns, width, to + p * width);
    }
}
