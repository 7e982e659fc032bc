#include "kernels/sparse.h"

enum { AT_ONCE = 64 }; /* bits of kernels->nonzero() */

/* A term that is 0 in one row only is kept, so two rows have to be emptier than half for a list to be short; and a listed
 * term costs an eighth more than one in its turn, making the list not counted: by their instructions, the two ways are even
 * at some 60 % zeros. */
static const double enough = 0.6;

bool tg_mostly_zero(const tg_matrix *x, size_t rows, size_t cols) {
    enum { SAMPLE = 64 };
    size_t zeros = 0;
    if (rows == 0 || cols == 0) return false;
    for (uint32_t i = 0; i < SAMPLE; i++) {
        uint64_t anywhere =
            i * 2654435769u; /* 2^32 by the golden ratio: spread evenly, along no diagonal of a picture */
        size_t row = i * rows / SAMPLE, col = (size_t)((anywhere & 0xffffffffu) * cols >> 32);
        zeros += x->data[row * x->row_stride + col * x->col_stride] == 0;
    }
    return (double)zeros >= enough * SAMPLE;
}

/* Of a pair, in elements: its values, then its terms. */
static size_t pair_size(size_t k) {
    return 2 * k + (k * sizeof(uint16_t) + sizeof(tg_real) - 1) / sizeof(tg_real);
}

size_t tg_pairs_size(size_t rows, size_t k) {
    return rows / 2 * pair_size(k);
}

static inline void list_term(tg_pair *pair, size_t term, tg_real first, tg_real second) {
    pair->values[2 * pair->count] = first;
    pair->values[2 * pair->count + 1] = second;
    pair->terms[pair->count++] = (uint16_t)term;
}

static size_t lowest_bit(uint64_t bits) {
    return (size_t)__builtin_ctzll(bits);
}

/* Two rows of numbers that lie side by side. */
static void list_rows(const tg_kernels *kernels, const tg_real *first, const tg_real *second, size_t k,
                      tg_pair *out) {
    tg_pair pair = *out;
    for (size_t p = 0; p < k; p += AT_ONCE) {
        size_t count = k - p < AT_ONCE ? k - p : AT_ONCE;
        uint64_t bits = kernels->nonzero(count, first + p) | kernels->nonzero(count, second + p);
        for (; bits; bits &= bits - 1) {
            size_t term = p + lowest_bit(bits);
            list_term(&pair, term, first[term], second[term]);
        }
    }
    *out = pair;
}

/* One term of up to 64 rows that lie side by side themselves. */
static void list_column(const tg_kernels *kernels, const tg_real *x, size_t rows, size_t term,
                        tg_pair *pairs) {
    const uint64_t even = 0x5555555555555555;
    uint64_t bits = kernels->nonzero(rows & ~(size_t)1, x);
    for (bits = (bits | bits >> 1) & even; bits; bits &= bits - 1) {
        size_t row = lowest_bit(bits);
        list_term(&pairs[row / 2], term, x[row], x[row + 1]);
    }
}

void tg_pairs_list(const tg_kernels *kernels, const tg_matrix *x, size_t rows, size_t k, tg_real *to,
                   tg_pair *pairs) {
    for (size_t i = 0; i < rows / 2; i++, to += pair_size(k))
        pairs[i] = (tg_pair){.values = to, .terms = (uint16_t *)(to + 2 * k)};
    if (x->row_stride == 1) {
        for (size_t p = 0; p < k; p++) list_column(kernels, x->data + p * x->col_stride, rows, p, pairs);
    } else {
        for (size_t i = 0; i < rows / 2; i++) {
            const tg_real *row = x->data + 2 * i * x->row_stride;
            list_rows(kernels, row, row + x->row_stride, k, &pairs[i]);
        }
    }
}
