/* As kernels_avx512.c, but products are fused with the additions behind them: other bits, see tg_kernels_choose_fused(). */
#include "kernels/kernels.h"

#if defined(__AVX512F__) && !defined(TG_REAL_F64)

#define TG_FMA
#define TG_NAME             "avx512-fma"
#define TG_REGISTERS        32
#define TG_WINOGRAD_ROWS    8
#define TG_WINOGRAD_VECTORS 1
#define TG_CONV_MR          8
#define TG_CONV_NV          2
#include "kernels/kernels_simd.inc.h"

const tg_kernels *tg_kernels_avx512_fma(void) {
    return __builtin_cpu_supports("avx512f") ? &table : NULL;
}

#else

const tg_kernels *tg_kernels_avx512_fma(void) {
    return NULL; /* not in this build */
}

#endif
