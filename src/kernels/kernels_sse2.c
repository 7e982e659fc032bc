#include "kernels/kernels.h"

#if defined(__SSE2__) && !defined(TG_REAL_F64)

#define TG_NAME             "sse2"
#define TG_REGISTERS        16
#define TG_WINOGRAD_ROWS    4
#define TG_WINOGRAD_VECTORS 2
#define TG_CONV_MR          5
#define TG_CONV_NV          2
#include "kernels/kernels_simd.inc.h"

const tg_kernels *tg_kernels_sse2(void) {
    return &table;
}

#else

const tg_kernels *tg_kernels_sse2(void) {
    return NULL; /* not in this build */
}

#endif
