/* Rows of which many numbers are 0, as pictures of digits are and what ReLU hands on: without these. */
#ifndef TG_KERNELS_SPARSE_H
#define TG_KERNELS_SPARSE_H

#include "kernels/gemm.h"

/* How many elements of x[rows, cols] are 0, from 0 to 1, by a sample of them. */
double tg_share_of_zeros(const tg_matrix *x, size_t rows, size_t cols);

/* Elements of tg_real behind `to` that the lists of `rows` rows of k terms take at most. */
size_t tg_lists_size(size_t rows, size_t k);
/* lists[rows] of x[rows, k], rows <= 64, whose terms meet rows of b that are b_row elements apart, k of them less than 2^32
 * elements; one of x's strides is 1. */
void tg_lists_fill(const tg_kernels *kernels, const tg_matrix *x, size_t rows, size_t k, size_t b_row,
                   tg_real *to, tg_list *lists);

#endif
