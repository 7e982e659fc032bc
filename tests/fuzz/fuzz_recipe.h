/* What the targets that make runs share: JSON into attributes, and an allocator that gives only so much. */
#ifndef TG_TESTS_FUZZ_RECIPE_H
#define TG_TESTS_FUZZ_RECIPE_H

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/memory.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) abort();                                                                           \
    } while (0)

static tg_status walk_json(tg_attrs *attrs, const char *key, const cJSON *value) {
    if (cJSON_IsNumber(value)) return tg_attrs_number(attrs, key, value->valuedouble, NULL);
    if (cJSON_IsString(value)) return tg_attrs_string(attrs, key, value->valuestring, NULL);
    if (cJSON_IsBool(value)) return tg_attrs_bool(attrs, key, cJSON_IsTrue(value), NULL);
    if (cJSON_IsNull(value)) return tg_attrs_null(attrs, key, NULL);
    bool object = cJSON_IsObject(value);
    tg_status status = object ? tg_attrs_open_object(attrs, key, NULL) : tg_attrs_open_list(attrs, key, NULL);
    for (const cJSON *item = value->child; item && status == TG_OK; item = item->next)
        status = walk_json(attrs, object ? item->string : NULL, item);
    return status == TG_OK ? tg_attrs_close(attrs, NULL) : status;
}

/* Recipes may ask for any amount; what they get is little, so that inputs stay quick. */
static size_t live_bytes;
enum { MOST_BYTES = 4 << 20, HEADER = 16 };

static void *limited_allocate(size_t bytes, void *ctx) {
    (void)ctx;
    if (bytes > MOST_BYTES - live_bytes) return NULL;
    size_t *block = malloc(bytes + HEADER);
    if (!block) return NULL;
    *block = bytes;
    live_bytes += bytes;
    return (char *)block + HEADER;
}

static void limited_release(void *memory, void *ctx) {
    (void)ctx;
    if (!memory) return;
    size_t *block = (size_t *)(void *)((char *)memory - HEADER);
    live_bytes -= *block;
    free(block);
}

static void limit_memory(void) {
    tg_set_allocator(&(tg_allocator){limited_allocate, limited_release, NULL});
}

/* Three samples of the shape the run reads, one for each of the first classes. */
static tg_dataset *make_data(const tg_run *run) {
    size_t shape[3], classes = tg_run_classes(run) ? tg_run_classes(run) : 1;
    tg_run_input_shape(run, shape);
    tg_dataset *data = NULL;
    if (tg_dataset_create(TG_U8, shape[0], shape[1], shape[2], 3, classes, false, &data, NULL) != TG_OK)
        return NULL;
    uint8_t *pixels = tg_dataset_pixels(data);
    for (size_t i = 0; i < 3 * shape[0] * shape[1] * shape[2]; i++) pixels[i] = (uint8_t)(i * 37);
    for (size_t i = 0; i < 3; i++) tg_dataset_labels(data)[i] = (int32_t)(i % classes);
    REQUIRE(tg_dataset_check(data, NULL, NULL) == TG_OK);
    return data;
}

#endif
