/* Rows of which many numbers are 0, as pictures of digits are: two at a time, without the terms that are 0 in both. */
#ifndef TG_KERNELS_SPARSE_H
#define TG_KERNELS_SPARSE_H

#include "kernels/gemm.h"

/* The terms of two rows that are left, in order, for kernels->gemm_pair(). */
typedef struct tg_pair {
    size_t count;
    tg_real *values; /* [count][2] */
    uint16_t *terms; /* [count]: which ones these are */
} tg_pair;

/* Are so many elements of x[rows, cols] 0 that listing the others pays? By a sample of them. */
bool tg_mostly_zero(const tg_matrix *x, size_t rows, size_t cols);

/* Elements of tg_real behind `to` that the lists of `rows` rows of k terms take at most; k is at most 65536. */
size_t tg_pairs_size(size_t rows, size_t k);
/* pairs[rows / 2] of x[rows, k], rows <= 64; a last row that has no other is left out. */
void tg_pairs_list(const tg_kernels *kernels, const tg_matrix *x, size_t rows, size_t k, tg_real *to,
                   tg_pair *pairs);

#endif
