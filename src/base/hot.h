/* Where the time goes outside of the kernels. */
#ifndef TG_BASE_HOT_H
#define TG_BASE_HOT_H

/* A function of its own, for one sample or so, to be called many times: V8 runs WebAssembly that it optimised from a
 * function's next call on, and a loop that has begun to the end as it began. */
#define TG_HOT __attribute__((noinline))

#endif
