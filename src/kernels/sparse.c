#include "kernels/sparse.h"

enum { AT_ONCE = 64 }; /* bits of kernels->nonzero() */

double tg_share_of_zeros(const tg_matrix *x, size_t rows, size_t cols) {
    enum { SAMPLE = 64 };
    size_t zeros = 0;
    if (rows == 0 || cols == 0) return 0;
    for (uint32_t i = 0; i < SAMPLE; i++) {
        uint64_t anywhere =
            i * 2654435769u; /* 2^32 by the golden ratio: spread evenly, along no diagonal of a picture */
        size_t row = i * rows / SAMPLE, col = (size_t)((anywhere & 0xffffffffu) * cols >> 32);
        zeros += x->data[row * x->row_stride + col * x->col_stride] == 0;
    }
    return (double)zeros / SAMPLE;
}

size_t tg_lists_size(size_t rows, size_t k) {
    return rows * k * (sizeof(tg_term) / sizeof(tg_real));
}

static size_t lowest_bit(uint64_t bits) {
    return (size_t)__builtin_ctzll(bits);
}

/* A row of numbers that lie side by side. */
static void list_row(const tg_kernels *kernels, const tg_real *x, size_t k, size_t b_row, tg_list *list) {
    tg_term *to = list->terms;
    for (size_t p = 0; p < k; p += AT_ONCE) {
        size_t count = k - p < AT_ONCE ? k - p : AT_ONCE;
        for (uint64_t bits = kernels->nonzero(count, x + p); bits; bits &= bits - 1) {
            size_t term = p + lowest_bit(bits);
            *to++ = (tg_term){x[term], (uint32_t)(term * b_row)};
        }
    }
    list->count = (size_t)(to - list->terms);
}

/* One term of up to 64 rows that lie side by side themselves. */
static void list_column(const tg_kernels *kernels, const tg_real *x, size_t rows, size_t row_of_b,
                        tg_list *lists) {
    for (uint64_t bits = kernels->nonzero(rows, x); bits; bits &= bits - 1) {
        size_t row = lowest_bit(bits);
        lists[row].terms[lists[row].count++] = (tg_term){x[row], (uint32_t)row_of_b};
    }
}

void tg_lists_fill(const tg_kernels *kernels, const tg_matrix *x, size_t rows, size_t k, size_t b_row,
                   tg_real *to, tg_list *lists) {
    for (size_t i = 0; i < rows; i++) lists[i] = (tg_list){.terms = (tg_term *)to + i * k};
    if (x->row_stride == 1) {
        for (size_t p = 0; p < k; p++)
            list_column(kernels, x->data + p * x->col_stride, rows, p * b_row, lists);
    } else {
        for (size_t i = 0; i < rows; i++) list_row(kernels, x->data + i * x->row_stride, k, b_row, &lists[i]);
    }
}
