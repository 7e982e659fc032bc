/* bench_peak [THREADS]: the peak of one core for every width of vectors it has. With two processes at once: of two. */
#include "bench.h"

#include <stdlib.h>

#include "kernels/kernels.h"

int main(void) {
    const tg_kernels *(*const all[])(void) = {tg_kernels_sse2, tg_kernels_avx2, tg_kernels_avx512,
                                              tg_kernels_neon, tg_kernels_wasm128};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i]()) continue;
        double peak = bench_peak(all[i]()->name);
        bench_print(all[i]()->name, "peak", 1, peak, peak);
    }
    return EXIT_SUCCESS;
}
