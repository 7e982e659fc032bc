#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static void expect_block(const uint32_t counter[4], const uint32_t key[2], const uint32_t wanted[4]) {
    tg_rng rng = {.key = {key[0], key[1]}, .used = 4};
    memcpy(rng.counter, counter, sizeof rng.counter);
    for (size_t i = 0; i < 4; i++) assert_int_equal(tg_rng_u32(&rng), wanted[i]);
}

/* philox4x32 10 of kat_vectors in Random123, the code that came with the paper. */
static void philox_gives_the_published_blocks(void **state) {
    (void)state;
    static const uint32_t zeros[4], zero_block[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    expect_block(zeros, zeros, zero_block);
    static const uint32_t ones[4] = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
    static const uint32_t ones_block[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    expect_block(ones, ones, ones_block);
    static const uint32_t pi[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
    static const uint32_t pi_key[2] = {0xa4093822, 0x299f31d0};
    static const uint32_t pi_block[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    expect_block(pi, pi_key, pi_block);
}

/* What a seed means is pinned: these words may never change. */
static void streams_are_addressed(void **state) {
    (void)state;
    tg_rng rng = tg_rng_stream(0x0123456789abcdefu, TG_RNG_SHUFFLE, 7, 9);
    assert_int_equal(rng.key[0], 0x89abcdef);
    assert_int_equal(rng.key[1], 0x01234567);
    for (int i = 0; i < 5; i++) tg_rng_u32(&rng);
    assert_int_equal(rng.counter[0], 2);
    assert_int_equal(rng.counter[1], 2);
    assert_int_equal(rng.counter[2], 7);
    assert_int_equal(rng.counter[3], 9);

    uint32_t seen[6] = {0};
    const tg_rng streams[6] = {
        tg_rng_stream(1, TG_RNG_INIT, 0, 0),
        tg_rng_stream(2, TG_RNG_INIT, 0, 0),
        tg_rng_stream(1u + (1ull << 32), TG_RNG_INIT, 0, 0),
        tg_rng_stream(1, TG_RNG_SPLIT, 0, 0),
        tg_rng_stream(1, TG_RNG_INIT, 1, 0),
        tg_rng_stream(1, TG_RNG_INIT, 0, 1),
    };
    for (size_t i = 0; i < 6; i++) {
        tg_rng stream = streams[i];
        seen[i] = tg_rng_u32(&stream);
        for (size_t j = 0; j < i; j++) assert_int_not_equal(seen[i], seen[j]);
    }
}

static void below_is_unbiased(void **state) {
    (void)state;
    tg_rng rng = tg_rng_stream(3, TG_RNG_TEST, 0, 0);
    enum { DRAWS = 600000 };
    for (uint32_t bound = 1; bound <= 7; bound++) {
        uint32_t count[7] = {0};
        for (int i = 0; i < DRAWS; i++) count[tg_rng_below(&rng, bound)]++;
        double expected = (double)DRAWS / bound, chi_square = 0;
        for (uint32_t b = 0; b < bound; b++) chi_square += pow(count[b] - expected, 2) / expected;
        assert_true(chi_square < 27); /* p < 0.0001 at 6 degrees of freedom */
    }
    /* Where refusing matters: without it every second draw below 3/4 * 2^32 would be a multiple of 3. */
    const uint32_t bound = 0xc0000000u;
    uint32_t low = 0;
    for (int i = 0; i < DRAWS; i++) {
        uint32_t drawn = tg_rng_below(&rng, bound);
        assert_true(drawn < bound);
        low += drawn % 3 == 0;
    }
    assert_true(fabs(low / (double)DRAWS - 1.0 / 3.0) < 0.003);
}

static void uniform_and_normal_have_their_moments(void **state) {
    (void)state;
    tg_rng rng = tg_rng_stream(4, TG_RNG_TEST, 0, 0);
    enum { DRAWS = 1000000 };
    double u[3] = {0}, z[5] = {0}, smallest = 1, largest = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = tg_rng_uniform(&rng), y = tg_rng_normal(&rng);
        smallest = fmin(smallest, x);
        largest = fmax(largest, x);
        u[1] += x / DRAWS;
        u[2] += x * x / DRAWS;
        for (int p = 1; p <= 4; p++) z[p] += pow(y, p) / DRAWS;
    }
    assert_true(smallest >= 0 && smallest < 1e-5 && largest < 1 && largest > 1 - 1e-5);
    /* Five standard errors of each moment. */
    assert_true(fabs(u[1] - 0.5) < 0.0015 && fabs(u[2] - 1.0 / 3.0) < 0.0015);
    assert_true(fabs(z[1]) < 0.005 && fabs(z[2] - 1) < 0.0071);
    assert_true(fabs(z[3]) < 0.0194 && fabs(z[4] - 3) < 0.049);
}

static void a_permutation_has_every_index_once(void **state) {
    (void)state;
    for (size_t count = 0; count <= 1000; count = count < 20 ? count + 1 : count * 7) {
        uint32_t index[1000];
        bool seen[1000] = {false};
        tg_rng rng = tg_rng_stream(5, TG_RNG_TEST, (uint32_t)count, 0);
        tg_rng_permutation(&rng, index, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(index[i] < count && !seen[index[i]]);
            seen[index[i]] = true;
        }
    }
}

/* Each of the 24 orders of 4 comes up equally often. */
static void permutations_are_uniform(void **state) {
    (void)state;
    enum { DRAWS = 240000 };
    uint32_t count[256] = {0};
    tg_rng rng = tg_rng_stream(6, TG_RNG_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t p[4];
        tg_rng_permutation(&rng, p, 4);
        count[p[0] | p[1] << 2 | p[2] << 4 | p[3] << 6]++;
    }
    double chi_square = 0;
    int orders = 0;
    for (size_t i = 0; i < 256; i++) {
        if (count[i] == 0) continue;
        orders++;
        chi_square += pow(count[i] - DRAWS / 24.0, 2) / (DRAWS / 24.0);
    }
    assert_int_equal(orders, 24);
    assert_true(chi_square < 58); /* p < 0.0001 at 23 degrees of freedom */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_blocks),
        cmocka_unit_test(streams_are_addressed),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(uniform_and_normal_have_their_moments),
        cmocka_unit_test(a_permutation_has_every_index_once),
        cmocka_unit_test(permutations_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
