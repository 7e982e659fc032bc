#include "base/sha256.h"

#include <string.h>

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int by) {
    return x >> by | x << (32 - by);
}

/* What the rounds take in does not depend on what came out of the block before: that of several blocks is made at
 * once, a block in each lane, which leaves half of the work to vectors. */
enum { BLOCK = 64, GROUP = TG_SHA256_GROUP, LANES = GROUP / BLOCK };
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t))));

static words rotate_lanes(words x, int by) {
    return x >> by | x << (32 - by);
}

static void add_constant(words w, size_t t, uint32_t sum[LANES]) {
    w += round_constant[t];
    memcpy(sum, &w, sizeof w);
}

/* Step 1 of FIPS 180-4, 6.2.2, with the constants added. */
static void schedule(uint32_t sums[64][LANES], const uint8_t blocks[GROUP]) {
    words w[64];
    for (size_t t = 0; t < 16; t++) {
        for (size_t i = 0; i < LANES; i++) {
            const uint8_t *byte = blocks + BLOCK * i + 4 * t;
            w[t][i] = (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
        }
        add_constant(w[t], t, sums[t]);
    }
    for (size_t t = 16; t < 64; t++) {
        words s0 = rotate_lanes(w[t - 15], 7) ^ rotate_lanes(w[t - 15], 18) ^ w[t - 15] >> 3;
        words s1 = rotate_lanes(w[t - 2], 17) ^ rotate_lanes(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        add_constant(w[t], t, sums[t]);
    }
}

/* Step 3, with choice and majority in fewer operations. The letters take turns, not the values. */
#define ROUND(a, b, c, d, e, f, g, h, t)                                                                     \
    do {                                                                                                     \
        uint32_t choice = g ^ (e & (f ^ g)), majority = (a & b) | (c & (a | b));                             \
        uint32_t sum = h + choice + sums[t][lane] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25));          \
        d += sum;                                                                                            \
        h = sum + majority + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));                                 \
    } while (0)

/* Steps 2 to 4. */
static void mix(uint32_t state[8], uint32_t sums[64][LANES], size_t lane) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (size_t t = 0; t < 64; t += 8) {
        ROUND(a, b, c, d, e, f, g, h, t);
        ROUND(h, a, b, c, d, e, f, g, t + 1);
        ROUND(g, h, a, b, c, d, e, f, t + 2);
        ROUND(f, g, h, a, b, c, d, e, t + 3);
        ROUND(e, f, g, h, a, b, c, d, t + 4);
        ROUND(d, e, f, g, h, a, b, c, t + 5);
        ROUND(c, d, e, f, g, h, a, b, t + 6);
        ROUND(b, c, d, e, f, g, h, a, t + 7);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

/* The first count of a group of blocks. */
static void compress(uint32_t state[8], const uint8_t blocks[GROUP], size_t count) {
    uint32_t sums[64][LANES];
    schedule(sums, blocks);
    for (size_t i = 0; i < count; i++) mix(state, sums, i);
}

void tg_sha256_begin(tg_sha256 *hash) {
    /* The same of the square roots of the first 8 primes (5.3.3). */
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *hash = (tg_sha256){0};
    memcpy(hash->state, initial, sizeof initial);
}

void tg_sha256_update(tg_sha256 *hash, const void *data, size_t size) {
    const uint8_t *next = data;
    while (size > 0) {
        size_t filled = (size_t)(hash->length % GROUP), taken = GROUP - filled;
        if (taken > size) taken = size;
        if (taken == GROUP) { /* a whole group needs no copy */
            compress(hash->state, next, LANES);
        } else {
            memcpy(hash->rest + filled, next, taken);
            if (filled + taken == GROUP) compress(hash->state, hash->rest, LANES);
        }
        hash->length += taken;
        next += taken;
        size -= taken;
    }
}

void tg_sha256_end(tg_sha256 *hash, char hex[65]) {
    uint64_t bits = hash->length * 8;
    /* A one, zeros until 8 bytes are left in a block, the length in bits (5.1.1). */
    uint8_t padding[72] = {0x80};
    size_t zeros_end = 1 + (119 - (size_t)(hash->length % BLOCK)) % 64;
    for (int i = 0; i < 8; i++) padding[zeros_end + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    tg_sha256_update(hash, padding, zeros_end + 8);
    compress(hash->state, hash->rest, (size_t)(hash->length % GROUP) / BLOCK);
    for (int i = 0; i < 64; i++) {
        uint32_t digit = hash->state[i / 8] >> (28 - 4 * (i % 8)) & 15;
        hex[i] = "0123456789abcdef"[digit];
    }
    hex[64] = '\0';
}
