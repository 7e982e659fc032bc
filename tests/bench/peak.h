/* The fastest that one core multiplies and adds vectors: what every speed is compared with. */
#ifndef TG_BENCH_PEAK_H
#define TG_BENCH_PEAK_H

/* Twelve independent chains of x = x * factor + term: enough to hide the latency of both operations. Short, so that
 * it is called often: WebAssembly's compilers replace a function between two calls. */
enum { PEAK_CHAINS = 12, PEAK_ROUNDS = 1000 };

/* Floating-point operations of one call. */
#define PEAK_FLOP(lanes) (2.0 * PEAK_CHAINS * PEAK_ROUNDS * (lanes))

#define PEAK_KERNEL(name, lanes)                                                                             \
    float name(void) {                                                                                       \
        typedef float vector __attribute__((vector_size(4 * lanes)));                                        \
        vector x[PEAK_CHAINS], total = {0}, factor = 0.999f - (vector){0}, term = 0.001f - (vector){0};      \
        for (int i = 0; i < PEAK_CHAINS; i++) x[i] = (float)i - (vector){0};                                 \
        for (int r = 0; r < PEAK_ROUNDS; r++) {                                                              \
            _Pragma("GCC unroll 12") for (int i = 0; i < PEAK_CHAINS; i++) x[i] = x[i] * factor + term;      \
        }                                                                                                    \
        for (int i = 0; i < PEAK_CHAINS; i++) total += x[i];                                                 \
        return total[0];                                                                                     \
    }

#endif
