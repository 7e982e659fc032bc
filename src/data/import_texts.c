/* Texts in the order they came, each with a number; found again by hash. */
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

void tg_texts_free(tg_texts *texts) {
    tg_text_free(&texts->bytes);
    tg_free(texts->starts);
    tg_free(texts->slots);
    *texts = (tg_texts){0};
}

const char *tg_texts_at(const tg_texts *texts, size_t number) {
    return texts->bytes.data + texts->starts[number];
}

size_t tg_texts_length(const tg_texts *texts, size_t number) {
    size_t end = number + 1 < texts->count ? texts->starts[number + 1] : texts->bytes.size;
    return end - texts->starts[number] - 1;
}

tg_status tg_texts_add(tg_texts *texts, const char *text, size_t length, tg_error *err) {
    void *starts = texts->starts;
    bool room = texts->count < UINT32_MAX - 1 &&
                tg_reserve(&starts, &texts->capacity, texts->count, texts->count + 1, sizeof *texts->starts);
    texts->starts = starts;
    size_t start = texts->bytes.size;
    if (room) {
        tg_text_append_bytes(&texts->bytes, text, length);
        tg_text_append_bytes(&texts->bytes, "", 1);
    }
    TG_REQUIRE(err, room && !texts->bytes.failed, TG_E_MEMORY,
               "no memory is left for %zu names; use fewer files", texts->count + 1);
    texts->starts[texts->count++] = start;
    return TG_OK;
}

/* FNV-1a, from the end, so that on the way to the hash of a text lie those of all that it ends with. */
static uint32_t hash_in_front(uint32_t hash, char c) {
    return (hash ^ (uint8_t)c) * 16777619u;
}

static const uint32_t hash_of_nothing = 2166136261u;

static uint32_t hash_of(const char *text, size_t length) {
    uint32_t hash = hash_of_nothing;
    while (length > 0) hash = hash_in_front(hash, text[--length]);
    return hash;
}

/* The slot that has this text, or the empty one it would go into. */
static uint32_t *slot_of(const tg_texts *texts, uint32_t hash, const char *text, size_t length) {
    for (size_t i = hash ^ hash >> 15;; i++) {
        uint32_t *slot = &texts->slots[i & (texts->slot_count - 1)];
        if (*slot == 0) return slot;
        size_t there = *slot - 1;
        if (tg_texts_length(texts, there) == length && memcmp(tg_texts_at(texts, there), text, length) == 0)
            return slot;
    }
}

static tg_status make_slots(tg_texts *texts, tg_error *err) {
    size_t count = texts->slot_count ? texts->slot_count : 64, bytes = 0;
    while (count <= texts->count * 2)
        count *= 2; /* cannot wrap: count is below 2^32, and so are the texts in memory */
    uint32_t *slots = tg_mul_size(count, sizeof *slots, &bytes) ? tg_allocate_zeroed(bytes) : NULL;
    TG_REQUIRE(err, slots, TG_E_MEMORY, "no memory is left to find %zu names", texts->count);
    tg_free(texts->slots);
    texts->slots = slots;
    texts->slot_count = count;
    for (size_t i = 0; i < texts->count; i++) {
        const char *text = tg_texts_at(texts, i);
        size_t length = tg_texts_length(texts, i);
        uint32_t *slot = slot_of(texts, hash_of(text, length), text, length);
        if (*slot == 0) *slot = (uint32_t)i + 1;
    }
    return TG_OK;
}

tg_status tg_texts_intern(tg_texts *texts, const char *text, size_t length, size_t *number, tg_error *err) {
    if (texts->count * 2 >= texts->slot_count) TG_TRY(make_slots(texts, err));
    uint32_t *slot = slot_of(texts, hash_of(text, length), text, length);
    if (*slot == 0) {
        TG_TRY(tg_texts_add(texts, text, length, err));
        *slot = (uint32_t)texts->count;
    }
    *number = *slot - 1;
    return TG_OK;
}

tg_status tg_texts_index(tg_texts *texts, tg_error *err) {
    return texts->count * 2 >= texts->slot_count ? make_slots(texts, err) : TG_OK;
}

size_t tg_texts_find(const tg_texts *texts, const char *text) {
    size_t length = strlen(text);
    uint32_t slot = texts->slot_count ? *slot_of(texts, hash_of(text, length), text, length) : 0;
    return slot ? slot - 1 : SIZE_MAX;
}

size_t tg_texts_find_end(const tg_texts *texts, const char *path) {
    size_t found = SIZE_MAX, length = strlen(path);
    uint32_t hash = hash_of_nothing;
    for (size_t at = length; texts->slot_count && at-- > 0;) {
        hash = hash_in_front(hash, path[at]);
        if (at > 0 && path[at - 1] != '/') continue;
        uint32_t slot = *slot_of(texts, hash, path + at, length - at);
        if (slot) found = slot - 1;
    }
    return found;
}
