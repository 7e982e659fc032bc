/* Statuses, memory, arena and SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/status.h"

static void an_error_collects_its_place(void **state) {
    (void)state;
    tg_error err;
    assert_int_equal(tg_fail(&err, TG_E_SHAPE, "kernel %dx%d exceeds input %dx%d", 5, 5, 3, 3), TG_E_SHAPE);
    assert_string_equal(err.where, "");
    assert_int_equal(tg_fail_at(&err, TG_E_SHAPE, "model.layers[%d] conv2d", 3), TG_E_SHAPE);
    assert_string_equal(err.where, "model.layers[3] conv2d");
    tg_fail_at(&err, TG_E_SHAPE, "recipe.json");
    assert_string_equal(err.where, "recipe.json: model.layers[3] conv2d");
    assert_string_equal(err.what, "kernel 5x5 exceeds input 3x3");
    assert_int_equal(err.status, TG_E_SHAPE);

    assert_int_equal(tg_fail(NULL, TG_E_DATA, "nobody listens"), TG_E_DATA);
    assert_int_equal(tg_fail_at(NULL, TG_E_DATA, "nowhere"), TG_E_DATA);
    assert_string_equal(tg_status_name(TG_E_DIVERGED), "diverged");
}

static void a_long_error_is_cut(void **state) {
    (void)state;
    tg_error err;
    char name[1000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    tg_fail(&err, TG_E_FORMAT, "%s", name);
    assert_int_equal(strlen(err.what), sizeof err.what - 1);
    for (int i = 0; i < 3; i++) {
        tg_fail_at(&err, TG_E_FORMAT, "%s", name);
        assert_int_equal(strlen(err.where), sizeof err.where - 1);
    }
    tg_fail(&err, TG_E_FORMAT, "short");
    for (int i = 0; i < 50; i++) tg_fail_at(&err, TG_E_FORMAT, "level %d", i);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_memory_equal(err.where, "level 49: level 48: ", 20);
}

typedef struct counters {
    size_t live, left;
    size_t skew; /* so many bytes into the block: an allocator that does not align */
} counters;

static void *counting_allocate(size_t bytes, void *ctx) {
    counters *c = ctx;
    if (c->left == 0) return NULL;
    c->left--;
    uint8_t *block = malloc(bytes + c->skew);
    if (!block) return NULL;
    c->live++;
    return block + c->skew;
}

static void counting_release(void *memory, void *ctx) {
    counters *c = ctx;
    c->live--;
    free((uint8_t *)memory - c->skew);
}

static void every_block_is_aligned_and_returned(void **state) {
    (void)state;
    for (size_t skew = 0; skew < 32; skew++) {
        counters c = {.left = 10, .skew = skew};
        tg_set_allocator(&(tg_allocator){counting_allocate, counting_release, &c});
        void *blocks[10];
        for (size_t i = 0; i < 10; i++) {
            blocks[i] = tg_allocate_zeroed(i * 7);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % TG_ALIGNMENT, 0);
            for (size_t j = 0; j < i * 7; j++) assert_int_equal(((uint8_t *)blocks[i])[j], 0);
            memset(blocks[i], 0xff, i * 7);
        }
        assert_int_equal(c.live, 10);
        assert_null(tg_allocate(1));
        assert_null(tg_allocate_zeroed(1));
        for (size_t i = 0; i < 10; i++) tg_free(blocks[i]);
        assert_int_equal(c.live, 0);
        tg_set_allocator(NULL);
    }
    tg_free(NULL);
    assert_null(tg_allocate(SIZE_MAX));
    assert_null(tg_allocate(SIZE_MAX - 64));
}

static void sizes_report_overflow(void **state) {
    (void)state;
    size_t out;
    assert_true(tg_mul_size(SIZE_MAX / 3, 3, &out) && out == SIZE_MAX / 3 * 3);
    assert_false(tg_mul_size(SIZE_MAX / 3 + 1, 3, &out));
    assert_true(tg_mul_size(SIZE_MAX, 0, &out) && out == 0);
    assert_true(tg_mul_size(0, SIZE_MAX, &out) && out == 0);
    assert_true(tg_add_size(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    assert_false(tg_add_size(SIZE_MAX, 1, &out));
}

static void an_arena_is_measured_then_placed(void **state) {
    (void)state;
    static const size_t counts[] = {3, 0, 17, 1};
    tg_arena arena = {0};
    for (size_t i = 0; i < 4; i++) assert_null(tg_arena_take(&arena, counts[i], 8));
    assert_false(arena.overflow);
    size_t measured = arena.used;
    arena = (tg_arena){.base = tg_allocate(measured)};
    uint8_t *end = arena.base;
    for (size_t i = 0; i < 4; i++) {
        uint8_t *taken = tg_arena_take(&arena, counts[i], 8);
        assert_true(taken >= end);
        assert_int_equal((uintptr_t)taken % TG_ALIGNMENT, 0);
        end = taken + 8 * counts[i];
    }
    assert_int_equal(arena.used, measured);
    assert_ptr_equal(end, arena.base + measured);
    tg_free(arena.base);

    arena = (tg_arena){0};
    tg_arena_take(&arena, SIZE_MAX / 8, 16);
    assert_true(arena.overflow);
    arena = (tg_arena){0};
    tg_arena_take(&arena, SIZE_MAX / 2, 1);
    assert_false(arena.overflow);
    tg_arena_take(&arena, SIZE_MAX / 2 + 1, 1);
    assert_true(arena.overflow);
}

static void hash_of(const char *text, size_t repeats, size_t piece, char hex[65]) {
    tg_sha256 hash;
    tg_sha256_begin(&hash);
    size_t length = strlen(text);
    for (size_t r = 0; r < repeats; r++) {
        for (size_t i = 0; i < length; i += piece) {
            tg_sha256_update(&hash, text + i, length - i < piece ? length - i : piece);
        }
    }
    tg_sha256_end(&hash, hex);
}

/* The examples that NIST publishes with FIPS 180-4. */
static void sha256_gives_the_published_digests(void **state) {
    (void)state;
    char hex[65];
    hash_of("", 1, 1, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_of("abc", 1, 64, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, 64, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    /* Python's hashlib: padded to three blocks, and to four. */
    hash_of("aaaaaaaaaa", 15, 10, hex);
    assert_string_equal(hex, "7595af82ae2fa59cd9bf3b4405d31c69b98de71fed5945fd777d8ab3b393a85f");
    hash_of("aaaaaaaaaa", 20, 10, hex);
    assert_string_equal(hex, "c2a908d98f5df987ade41b5fce213067efbcc21ef2240212a41e54b5e7c28ae5");
    hash_of("aaaaaaaaaa", 100000, 64, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_does_not_depend_on_the_pieces(void **state) {
    (void)state;
    char text[300], whole[65], pieces[65];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i % 26);
    for (size_t length = 0; length < sizeof text; length++) {
        text[length] = '\0';
        hash_of(text, 1, 1000, whole);
        for (size_t piece = 1; piece < 200; piece += 31) {
            hash_of(text, 1, piece, pieces);
            assert_string_equal(pieces, whole);
        }
        text[length] = 'q';
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_collects_its_place),
        cmocka_unit_test(a_long_error_is_cut),
        cmocka_unit_test(every_block_is_aligned_and_returned),
        cmocka_unit_test(sizes_report_overflow),
        cmocka_unit_test(an_arena_is_measured_then_placed),
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(sha256_does_not_depend_on_the_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
