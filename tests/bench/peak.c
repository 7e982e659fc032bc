/* peak.wasm: the peak kernel alone, for scripts/bench_peak_worker.mjs. */
#include "peak.h"

double peak_flop(void);
float peak(void);

double peak_flop(void) {
    return PEAK_FLOP(4);
}

PEAK_KERNEL(peak, 4)
