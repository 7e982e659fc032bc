/* Matrix product.
 *
 * c[m, n] = start + a[m, k] b[k, n], each element its k terms in order, whatever the tile, the blocking and the
 * number of threads; start is c, a bias or 0. a and b are read through strides, so that transposes cost nothing. */
#ifndef TG_KERNELS_GEMM_H
#define TG_KERNELS_GEMM_H

#include "base/pool.h"
#include "kernels/kernels.h"

typedef struct tg_matrix {
    const tg_real *data;
    size_t row_stride, col_stride; /* in elements */
} tg_matrix;

typedef struct tg_gemm {
    size_t m, n, k;
    tg_matrix a; /* one of its strides is 1 */
    tg_matrix b;
    tg_real *c;
    size_t ldc;          /* row stride of c */
    bool accumulate;     /* the sums start from c */
    const tg_real *bias; /* else from bias[n], or from 0 where it is NULL */
} tg_gemm;

/* Elements of tg_real that one product needs as scratch (64-byte aligned): a bound over all kernel tables and
 * tiles. pool's thread count for tg_gemm_parallel, 1 for tg_gemm_serial. */
size_t tg_gemm_scratch(size_t m, size_t n, size_t k, size_t threads);

/* Spread over the pool (b packed once, shared). */
void tg_gemm_parallel(const tg_kernels *kernels, tg_pool *pool, const tg_gemm *gemm, tg_real *scratch);
/* On this thread alone: for use inside a parallel loop. */
void tg_gemm_serial(const tg_kernels *kernels, const tg_gemm *gemm, tg_real *scratch);

#endif
