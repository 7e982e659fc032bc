#include "ops/conv.h"

enum { WIDEST_PANEL = 64 };

static ptrdiff_t place_of(tg_strides s, size_t index) {
    return (ptrdiff_t)(index / s.inner) * s.outer_step + (ptrdiff_t)(index % s.inner) * s.inner_step;
}

size_t tg_conv_packed_size(tg_strides k, tg_strides j, size_t nr) {
    return (j.outer * j.inner + nr - 1) / nr * nr * k.outer * k.inner;
}

void tg_conv_pack(const tg_real *w, tg_strides k, tg_strides j, size_t nr, tg_real *to) {
    size_t columns = j.outer * j.inner;
    for (size_t first = 0; first < columns; first += nr) {
        ptrdiff_t place[WIDEST_PANEL];
        size_t cols = columns - first < nr ? columns - first : nr;
        for (size_t i = 0; i < cols; i++) place[i] = place_of(j, first + i);
        for (size_t outer = 0; outer < k.outer; outer++)
            for (size_t inner = 0; inner < k.inner; inner++, to += nr) {
                const tg_real *from = w + (ptrdiff_t)outer * k.outer_step + (ptrdiff_t)inner * k.inner_step;
                for (size_t i = 0; i < cols; i++) to[i] = from[place[i]];
                for (size_t i = cols; i < nr; i++) to[i] = 0;
            }
    }
}

void tg_conv_unpack(const tg_real *from, tg_strides k, tg_strides j, size_t nr, tg_real *w) {
    size_t columns = j.outer * j.inner;
    for (size_t first = 0; first < columns; first += nr) {
        ptrdiff_t place[WIDEST_PANEL];
        size_t cols = columns - first < nr ? columns - first : nr;
        for (size_t i = 0; i < cols; i++) place[i] = place_of(j, first + i);
        for (size_t outer = 0; outer < k.outer; outer++)
            for (size_t inner = 0; inner < k.inner; inner++, from += nr) {
                tg_real *to = w + (ptrdiff_t)outer * k.outer_step + (ptrdiff_t)inner * k.inner_step;
                for (size_t i = 0; i < cols; i++) to[place[i]] += from[i];
            }
    }
}
