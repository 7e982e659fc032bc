/* What the micro-benchmarks share: a clock, the peak, and how a figure is printed.
 *
 * Every program is called as `bench_NAME [THREADS [SHAPE]]`, checks a result before it times it, and prints one JSON
 * object a line, {"kernel", "shape", "threads", "gflops", "share"} and perhaps "microseconds", so that
 * scripts/bench_micro.mjs reads it natively and from WebAssembly alike. SHAPE: only names that begin so. */
#ifndef TG_BENCH_BENCH_H
#define TG_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

double bench_seconds(void);

/* GFLOP/s (a multiplication and an addition count two) of the fastest that one core multiplies and adds vectors as
 * wide as those of a kernel table: "avx512", "avx2", else 128 bits. The best of many short windows. */
double bench_peak(const char *table);

/* The best GFLOP/s of 25 windows of at least 2 ms, as the peak is: whatever else the machine does takes away.
 * flop: of one call of run. */
double bench_gflops(double flop, void (*run)(void *ctx), void *ctx);

/* Prints one figure. peak: GFLOP/s of one thread. */
void bench_print(const char *kernel, const char *shape, size_t threads, double gflops, double peak);

/* Prints that a kernel gives wrong results; the program then ends with status 1. */
void bench_print_wrong(const char *kernel, const char *shape);

#endif
