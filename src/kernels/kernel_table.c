#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

const tg_kernels *tg_kernels_choose(void) {
    static const tg_kernels *(*const widest_first[])(void) = {
        tg_kernels_avx512, tg_kernels_avx2, tg_kernels_sse2, tg_kernels_neon, tg_kernels_wasm128,
#ifndef __wasm_simd128__ /* there the scalar table would only be fetched, never chosen */
        tg_kernels_scalar,
#endif
    };
#ifdef __wasm__
    const char *wanted = NULL; /* nobody sets variables there, and they would bring code along */
#else
    const char *wanted = getenv("TG_KERNELS");
#endif
    const tg_kernels *widest = NULL;
    for (size_t i = 0; i < sizeof widest_first / sizeof *widest_first; i++) {
        const tg_kernels *table = widest_first[i]();
        if (!table) continue;
        if (wanted && strcmp(wanted, table->name) == 0) return table;
        if (!widest) widest = table;
    }
    return widest;
}

const tg_kernels *tg_kernels_choose_fused(void) {
    const tg_kernels *widest = tg_kernels_avx512_fma();
    return widest ? widest : tg_kernels_avx2_fma();
}
