/* Memory: one replaceable allocator, size arithmetic that reports overflow, and the arena a run lives in. */
#ifndef TG_BASE_MEMORY_H
#define TG_BASE_MEMORY_H

#include "base/status.h"

#define TG_ALIGNMENT 64 /* a cache line, and the widest vector */

/* For tests: every allocation of the library goes through these two. NULL restores malloc and free.
 * allocate returns NULL on failure. The only process-wide state there is; set it before anything else. */
typedef struct tg_allocator {
    void *(*allocate)(size_t bytes, void *ctx);
    void (*release)(void *memory, void *ctx);
    void *ctx;
} tg_allocator;
void tg_set_allocator(const tg_allocator *allocator);

void *tg_allocate(size_t bytes); /* aligned to TG_ALIGNMENT; NULL on failure; bytes 0 is fine */
void *tg_allocate_zeroed(size_t bytes);
/* tg_free is in tabgrad.h */

/* *out = a * b (a + b); false when it does not fit. */
bool tg_mul_size(size_t a, size_t b, size_t *out);
bool tg_add_size(size_t a, size_t b, size_t *out);

/* Makes room for `needed` elements of `size` bytes in a block that grows: at least by half, so that many small steps
 * copy little. What is in the first `used` stays. false, and nothing changed, where there is no memory. */
bool tg_reserve(void **block, size_t *capacity, size_t used, size_t needed, size_t size);

/* A block that is measured first and placed afterwards: the same calls are made twice, first with base NULL
 * (they count), then on the allocated block (they hand out). Nothing is freed singly. */
typedef struct tg_arena {
    uint8_t *base;
    size_t used;
    bool overflow; /* a size did not fit: the count is meaningless */
} tg_arena;
void *tg_arena_take(tg_arena *arena, size_t count, size_t size); /* NULL while counting */

#endif
