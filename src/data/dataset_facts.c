/* What can be said of a dataset without training on it. */
#include <math.h>
#include <string.h>

#include "base/hot.h"
#include "base/memory.h"
#include "data/dataset.h"

static size_t class_of(const tg_dataset *dataset, size_t sample) {
    if (dataset->labels) return (size_t)dataset->labels[sample];
    const float *row = dataset->targets + sample * dataset->classes;
    size_t best = 0;
    for (size_t k = 1; k < dataset->classes; k++)
        if (row[k] > row[best]) best = k;
    return best;
}

void tg_dataset_class_counts(const tg_dataset *dataset, size_t *counts) {
    memset(counts, 0, dataset->classes * sizeof *counts);
    for (size_t i = 0; i < dataset->count; i++) counts[class_of(dataset, i)]++;
}

TG_HOT static void widen_u8(size_t n, const uint8_t *pixels, double range[2]) {
    uint8_t low = 255, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = pixels[i] < low ? pixels[i] : low;
        high = pixels[i] > high ? pixels[i] : high;
    }
    range[0] = low < range[0] ? low : range[0];
    range[1] = high > range[1] ? high : range[1];
}

TG_HOT static void widen_f32(size_t n, const float *pixels, double range[2]) {
    float low = pixels[0], high = pixels[0];
    for (size_t i = 0; i < n; i++) {
        low = pixels[i] < low ? pixels[i] : low;
        high = pixels[i] > high ? pixels[i] : high;
    }
    range[0] = (double)low < range[0] ? (double)low : range[0];
    range[1] = (double)high > range[1] ? (double)high : range[1];
}

void tg_dataset_range(const tg_dataset *dataset, double range[2]) {
    range[0] = (double)INFINITY;
    range[1] = (double)-INFINITY;
    size_t size = dataset->sample_size;
    for (size_t i = 0; i < dataset->count; i++) {
        if (dataset->type == TG_U8) widen_u8(size, (const uint8_t *)dataset->pixels + i * size, range);
        else widen_f32(size, (const float *)dataset->pixels + i * size, range);
    }
}

/* ---- duplicates --------------------------------------------------------------------------------------- */

static uint64_t fold(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Words at a time: multiply and fold, after wyhash. Samples that meet in it are compared. */
TG_HOT static uint32_t hash_sample(const uint8_t *bytes, size_t size) {
    uint64_t hash = size, word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = fold(hash, word);
    }
    word = 0;
    memcpy(&word, bytes, size);
    hash = fold(hash, word);
    return (uint32_t)(hash ^ hash >> 29);
}

static bool have_same_samples(const tg_dataset *a, const tg_dataset *b) {
    return a->type == b->type && a->height == b->height && a->width == b->width && a->channels == b->channels;
}

tg_status tg_dataset_duplicates(const tg_dataset *first, const tg_dataset *second, uint32_t (*pairs)[2],
                                size_t most, size_t *count, tg_error *err) {
    *count = 0;
    if (!have_same_samples(first, second)) return TG_OK;
    size_t size = tg_dataset_sample_bytes(first), slots = 64, bytes = 0;
    while (slots <= first->count && tg_mul_size(slots, 2, &slots)) {}
    bool fits = tg_mul_size(slots, 2 * sizeof(uint32_t), &bytes); /* twice: half of them stay empty */
    uint32_t *table = fits ? tg_allocate_zeroed(bytes) : NULL;
    TG_REQUIRE(err, table, TG_E_MEMORY, "no memory is left to look for duplicates");
    size_t mask = 2 * slots - 1;
    const uint8_t *known = first->pixels, *sample = second->pixels;
    for (size_t i = 0; i < first->count; i++) {
        size_t at = hash_sample(known + i * size, size) & mask;
        while (table[at] && memcmp(known + (table[at] - 1) * size, known + i * size, size) != 0)
            at = (at + 1) & mask;
        if (!table[at]) table[at] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < second->count; i++, sample += size) {
        size_t at = hash_sample(sample, size) & mask;
        while (table[at] && memcmp(known + (table[at] - 1) * size, sample, size) != 0) at = (at + 1) & mask;
        if (!table[at]) continue;
        if (*count < most) {
            pairs[*count][0] = table[at] - 1;
            pairs[*count][1] = (uint32_t)i;
        }
        ++*count;
    }
    tg_free(table);
    return TG_OK;
}
