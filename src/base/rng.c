#include "base/rng.h"

#include <assert.h>
#include <math.h>

#include "base/math.h"

/* One block: ten rounds, the key bumped between them by the golden ratio and sqrt(3) - 1 (Salmon et al.,
 * section 4.3). */
static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)c0 * 0xD2511F53u;
        uint64_t p1 = (uint64_t)c2 * 0xCD9E8D57u;
        uint32_t next0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t next2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = next0;
        c2 = next2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

tg_rng tg_rng_stream(uint64_t seed, tg_rng_purpose purpose, uint32_t major, uint32_t minor) {
    return (tg_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)purpose, major, minor},
        .used = 4,
    };
}

tg_rng tg_rng_layer_stream(uint64_t seed, tg_rng_purpose purpose, uint32_t layer, uint32_t epoch,
                           uint32_t sample) {
    tg_rng rng = tg_rng_stream(seed, purpose, epoch, sample);
    rng.counter[1] |= layer << 8;
    return rng;
}

uint32_t tg_rng_u32(tg_rng *rng) {
    if (rng->used == 4) {
        philox(rng->counter, rng->key, rng->block);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

/* The high word of u * bound is uniform once the few low words that would come up too often are refused
 * (Lemire, "Fast random integer generation in an interval", 2019). */
uint32_t tg_rng_below(tg_rng *rng, uint32_t bound) {
    assert(bound >= 1);
    uint64_t product = (uint64_t)tg_rng_u32(rng) * bound;
    if ((uint32_t)product < bound) {
        uint32_t refused = (uint32_t)(0u - bound) % bound; /* 2^32 mod bound */
        while ((uint32_t)product < refused) product = (uint64_t)tg_rng_u32(rng) * bound;
    }
    return (uint32_t)(product >> 32);
}

double tg_rng_uniform(tg_rng *rng) {
    uint32_t high = tg_rng_u32(rng) >> 5; /* 27 bits */
    uint32_t low = tg_rng_u32(rng) >> 6;  /* 26 bits */
    return ((double)high * 0x1p26 + (double)low) * 0x1p-53;
}

double tg_rng_normal(tg_rng *rng) {
    double radius = sqrt(-2.0 * tg_log_f64(1.0 - tg_rng_uniform(rng))); /* the logarithm of (0, 1] */
    return radius * tg_cos_f64(6.283185307179586 * tg_rng_uniform(rng));
}

void tg_rng_permutation(tg_rng *rng, uint32_t *index, size_t count) {
    assert(count <= UINT32_MAX);
    for (size_t i = 0; i < count; i++) index[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        uint32_t j = tg_rng_below(rng, (uint32_t)i);
        uint32_t moved = index[i - 1];
        index[i - 1] = index[j];
        index[j] = moved;
    }
}
