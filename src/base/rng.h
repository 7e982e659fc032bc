/* Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", 2011).
 *
 * A stream is addressed, not advanced: seed, purpose and two indices (epoch and sample, or parameter and
 * element) name it, so order of use, threads, prefetch and resuming cannot change what it yields. */
#ifndef TG_BASE_RNG_H
#define TG_BASE_RNG_H

#include "tabgrad.h"

/* Pinned: they are part of what a seed means. Below 256. */
typedef enum tg_rng_purpose {
    TG_RNG_INIT = 1,
    TG_RNG_SHUFFLE = 2,
    TG_RNG_SPLIT = 3,
    TG_RNG_DROPOUT = 4,
    TG_RNG_AUGMENT = 5,
    TG_RNG_TEST = 6
} tg_rng_purpose;

typedef struct tg_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* counter[0] counts blocks; the others are purpose and indices */
    uint32_t block[4];
    unsigned used; /* words of block handed out; 4: draw a new one */
} tg_rng;

tg_rng tg_rng_stream(uint64_t seed, tg_rng_purpose purpose, uint32_t major, uint32_t minor);
/* The same for one of several layers (below 2^24) that draw for the same sample. */
tg_rng tg_rng_layer_stream(uint64_t seed, tg_rng_purpose purpose, uint32_t layer, uint32_t epoch,
                           uint32_t sample);
uint32_t tg_rng_u32(tg_rng *rng);
uint32_t tg_rng_below(tg_rng *rng, uint32_t bound); /* unbiased (Lemire 2019); bound >= 1 */
double tg_rng_uniform(tg_rng *rng);                 /* [0, 1), 53 bits */
double tg_rng_normal(tg_rng *rng);                  /* mean 0, deviation 1; Box-Muller with base/math.h */

/* index[count] = a permutation of 0..count-1 (Fisher-Yates). */
void tg_rng_permutation(tg_rng *rng, uint32_t *index, size_t count);

#endif
