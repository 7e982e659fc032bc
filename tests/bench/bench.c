#define _POSIX_C_SOURCE 200809L
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "peak.h"

double bench_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#if defined(__x86_64__)
static __attribute__((target("avx512f"))) PEAK_KERNEL(peak_512, 16) static __attribute__((target("avx2")))
PEAK_KERNEL(peak_256, 8)
#endif
    static PEAK_KERNEL(peak_128, 4)

        static volatile float sink;

double bench_peak(const char *table) {
    /* volatile: called afresh each time. */
    float (*volatile peak)(void) = peak_128;
    double lanes = 4;
#if defined(__x86_64__)
    if (strcmp(table, "avx512") == 0) peak = peak_512, lanes = 16;
    if (strcmp(table, "avx2") == 0) peak = peak_256, lanes = 8;
#else
    (void)table;
#endif
    double best = 0;
    for (int window = 0; window < 150; window++) {
        enum { CALLS = 200 };
        double start = bench_seconds();
        for (int call = 0; call < CALLS; call++) sink = peak();
        best = fmax(best, PEAK_FLOP(lanes) * CALLS / (bench_seconds() - start) / 1e9);
    }
    return best;
}

/* How long `count` calls take. */
static double seconds_of(size_t count, void (*run)(void *ctx), void *ctx) {
    double start = bench_seconds();
    for (size_t i = 0; i < count; i++) run(ctx);
    return bench_seconds() - start;
}

double bench_gflops(double flop, void (*run)(void *ctx), void *ctx) {
    size_t calls = 1; /* so many that looking at the clock, a microsecond in a browser, does not matter */
    while (seconds_of(calls, run, ctx) < 0.002) calls *= 2;
    double best = 0;
    for (int window = 0; window < 25; window++)
        best = fmax(best, flop * (double)calls / seconds_of(calls, run, ctx) / 1e9);
    return best;
}

void bench_print(const char *kernel, const char *shape, size_t threads, double gflops, double peak) {
    printf("{\"kernel\":\"%s\",\"shape\":\"%s\",\"threads\":%zu,\"gflops\":%.2f,\"share\":%.4f}\n", kernel,
           shape, threads, gflops, gflops / peak / (double)threads);
    fflush(stdout);
}

void bench_print_wrong(const char *kernel, const char *shape) {
    printf("{\"kernel\":\"%s\",\"shape\":\"%s\",\"error\":\"wrong result\"}\n", kernel, shape);
}
