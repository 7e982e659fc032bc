/* Many files at once. The input holds, one after the other: a name up to the end of its line, two bytes of length, so many
 * bytes. Those called *.picture hold height, width, channels and pixels, which repeat where they are too few. */
#include "fuzz/fuzz_import.h"

static void give_picture(tg_import *import, const char *name, const uint8_t *data, size_t size) {
    if (size < 4) return;
    size_t height = data[0] % 80, width = data[1] % 80, channels = data[2] % 6,
           count = height * width * channels;
    uint8_t *pixels = malloc(count ? count : 1);
    REQUIRE(pixels);
    for (size_t i = 0; i < count; i++) pixels[i] = data[3 + i % (size - 3)];
    REQUIRE(tg_import_picture(import, name, height, width, channels, pixels, NULL) == TG_OK);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tg_import *import = begin_fuzzed_import(size % 2 == 0);
    while (size > 0) {
        char name[128] = "";
        const uint8_t *line = memchr(data, '\n', size);
        size_t length = line ? (size_t)(line - data) : size;
        memcpy(name, data, length < sizeof name - 1 ? length : sizeof name - 1);
        if (!line || size - length < 3) break;
        size_t bytes = (size_t)line[1] << 8 | line[2];
        data = line + 3;
        size -= length + 3;
        if (bytes > size) bytes = size;
        if (strstr(name, ".picture")) give_picture(import, name, data, bytes);
        else give_fuzzed(import, name, data, bytes);
        data += bytes;
        size -= bytes;
    }
    end_fuzzed_import(import);
    return 0;
}
