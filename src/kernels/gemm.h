/* Matrix product.
 *
 * c[m, n] = start + a[m, k] b[k, n], each element its k terms in order, whatever the tile, the blocking and the
 * number of threads; start is c, a bias (of -0: 0) or 0. a and b are read through strides, so that transposes cost
 * nothing. */
#ifndef TG_KERNELS_GEMM_H
#define TG_KERNELS_GEMM_H

#include "base/pool.h"
#include "kernels/kernels.h"

typedef struct tg_matrix {
    const tg_real *data;
    size_t row_stride, col_stride; /* in elements */
} tg_matrix;

/* The matrices in which many elements may be 0. Where they are, terms are left out; as the elements that these would meet in
 * the other matrix are finite, which the caller promises, the terms would be 0 or -0, and to add such changes no sum that
 * did not begin as -0. */
enum { TG_ZEROS_IN_A = 1, TG_ZEROS_IN_B = 2 };

typedef struct tg_gemm {
    size_t m, n, k;
    tg_matrix a; /* one of its strides is 1 */
    tg_matrix b;
    const tg_real *packed; /* b by tg_gemm_pack_item(), which is then read instead; or NULL */
    tg_real *c;
    size_t ldc;          /* row stride of c */
    bool accumulate;     /* the sums start from c */
    const tg_real *bias; /* else from bias[n], or from 0 where it is NULL */
    unsigned zeros;      /* TG_ZEROS_... */
} tg_gemm;

/* Are so many elements of a 0 that listing the others pays? By its zeros, and a sample. */
bool tg_gemm_lists_a(const tg_gemm *gemm);

/* b[k, n] as panels of columns, the way the kernel reads it, for a b that several products share: how many elements
 * that takes (64-byte aligned), and how many items the work is, which any threads may do in any order. */
size_t tg_gemm_packed_size(const tg_kernels *kernels, size_t n, size_t k);
size_t tg_gemm_pack_items(const tg_kernels *kernels, size_t n, size_t k);
void tg_gemm_pack_item(const tg_kernels *kernels, const tg_matrix *b, size_t n, size_t k, size_t item,
                       tg_real *packed);

/* Some rows or columns of c as a product of their own, so that a product can be shared out as items of a larger loop.
 * Columns that begin and end at multiples of kernels->gemm_cols repeat no work of each other; a packed b has to be cut
 * so. */
tg_gemm tg_gemm_rows(const tg_gemm *gemm, size_t first, size_t rows);
tg_gemm tg_gemm_columns(const tg_gemm *gemm, size_t first, size_t cols);

/* Elements of tg_real that one product needs as scratch (64-byte aligned): a bound over all kernel tables and
 * tiles, and over smaller products. pool's thread count for tg_gemm_parallel, 1 for tg_gemm_serial. */
size_t tg_gemm_scratch(size_t m, size_t n, size_t k, size_t threads);

/* Spread over the pool (b packed once, shared); without one, on this thread. */
void tg_gemm_parallel(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch);
/* On this thread alone: for use inside a parallel loop. */
void tg_gemm_serial(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch);

#endif
