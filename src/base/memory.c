#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void *libc_allocate(size_t bytes, void *ctx) {
    (void)ctx;
    return malloc(bytes);
}

static void libc_release(void *memory, void *ctx) {
    (void)ctx;
    free(memory);
}

static const tg_allocator libc_allocator = {libc_allocate, libc_release, NULL};
static tg_allocator current = {libc_allocate, libc_release, NULL};

void tg_set_allocator(const tg_allocator *allocator) {
    current = allocator ? *allocator : libc_allocator;
}

/* The allocator need not align: we ask for more, and keep its own pointer just before the aligned block. */
void *tg_allocate(size_t bytes) {
    size_t padded;
    if (!tg_add_size(bytes, TG_ALIGNMENT + sizeof(void *), &padded)) return NULL;
    void *own = current.allocate(padded, current.ctx);
    if (!own) return NULL;
    uintptr_t first = (uintptr_t)own + sizeof(void *);
    size_t skip = (TG_ALIGNMENT - first % TG_ALIGNMENT) % TG_ALIGNMENT;
    uint8_t *block = (uint8_t *)own + sizeof(void *) + skip;
    memcpy(block - sizeof own, &own, sizeof own);
    return block;
}

void *tg_allocate_zeroed(size_t bytes) {
    void *block = tg_allocate(bytes);
    if (block) memset(block, 0, bytes);
    return block;
}

void tg_free(void *memory) {
    if (!memory) return;
    void *own;
    memcpy(&own, (uint8_t *)memory - sizeof own, sizeof own);
    current.release(own, current.ctx);
}

bool tg_mul_size(size_t a, size_t b, size_t *out) {
    if (b && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

bool tg_add_size(size_t a, size_t b, size_t *out) {
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

bool tg_reserve(void **block, size_t *capacity, size_t used, size_t needed, size_t size) {
    if (needed <= *capacity) return true;
    size_t larger = *capacity + *capacity / 2, bytes;
    if (larger < needed) larger = needed;
    void *grown = tg_mul_size(larger, size, &bytes) ? tg_allocate(bytes) : NULL;
    if (!grown && larger > needed) { /* at the edge of what there is, only what is needed */
        larger = needed;
        grown = tg_mul_size(larger, size, &bytes) ? tg_allocate(bytes) : NULL;
    }
    if (!grown) return false;
    if (used) memcpy(grown, *block, used * size);
    tg_free(*block);
    *block = grown;
    *capacity = larger;
    return true;
}

void *tg_arena_take(tg_arena *arena, size_t count, size_t size) {
    size_t bytes, start, end;
    bool fits = tg_mul_size(count, size, &bytes) && tg_add_size(arena->used, TG_ALIGNMENT - 1, &start);
    if (fits) {
        start -= start % TG_ALIGNMENT;
        fits = tg_add_size(start, bytes, &end);
    }
    if (!fits) {
        arena->overflow = true;
        return NULL;
    }
    arena->used = end;
    return arena->base ? arena->base + start : NULL;
}
