#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

const char *sentence(tg_status status, const tg_error *err) {
    static char text[sizeof err->where + sizeof err->what + 2];
    if (status == TG_OK) return "";
    snprintf(text, sizeof text, "%s%s%s", err->where, err->where[0] ? ": " : "", err->what);
    return text;
}

uint8_t *read_whole_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    uint8_t *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long length = ftell(file);
        rewind(file);
        if (length >= 0) data = malloc((size_t)length + 1);
        if (data && fread(data, 1, (size_t)length, file) != (size_t)length) {
            free(data);
            data = NULL;
        }
        if (data) {
            *size = (size_t)length;
            data[*size] = 0;
        }
    }
    fclose(file);
    return data;
}

static struct {
    size_t successes, live;
    bool failed;
} state;

static void *counted_allocate(size_t bytes, void *ctx) {
    (void)ctx;
    if (state.successes == 0 && !state.failed) {
        state.failed = true;
        return NULL;
    }
    if (!state.failed) state.successes--;
    void *memory = malloc(bytes);
    if (memory) state.live++;
    return memory;
}

static void counted_release(void *memory, void *ctx) {
    (void)ctx;
    if (memory) state.live--;
    free(memory);
}

void begin_allocations(size_t successes) {
    state.successes = successes;
    state.live = 0;
    state.failed = false;
    tg_set_allocator(&(tg_allocator){counted_allocate, counted_release, NULL});
}

void end_allocations(void) {
    tg_set_allocator(NULL);
}

size_t live_allocations(void) {
    return state.live;
}

bool allocation_failed(void) {
    return state.failed;
}
