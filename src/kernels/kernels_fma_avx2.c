/* As kernels_avx2.c, but products are fused with the additions behind them: other bits, see tg_kernels_choose_fused(). */
#include "kernels/kernels.h"

#if defined(__AVX2__) && defined(__FMA__) && !defined(TG_REAL_F64)

#define TG_FMA
#define TG_NAME             "avx2-fma"
#define TG_REGISTERS        16
#define TG_WINOGRAD_ROWS    4
#define TG_WINOGRAD_VECTORS 2
#define TG_CONV_MR          5
#define TG_CONV_NV          2
#include "kernels/kernels_simd.inc.h"

const tg_kernels *tg_kernels_avx2_fma(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table : NULL;
}

#else

const tg_kernels *tg_kernels_avx2_fma(void) {
    return NULL; /* not in this build */
}

#endif
