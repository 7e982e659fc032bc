/* Any bytes given as a .safetensors file: a sentence, or tensors inside the file that survive being written
 * again. */
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) abort();                                                                           \
    } while (0)

/* Writes the tensors of `file`, reads them back and compares. */
static void round_trip(const tg_safetensors *file) {
    size_t count = tg_safetensors_count(file), size = 0;
    uint8_t *bytes = NULL;
    REQUIRE(tg_safetensors_write(tg_safetensors_at(file, 0), count, NULL, 0, &bytes, &size, NULL) == TG_OK);
    tg_safetensors *again = NULL;
    REQUIRE(tg_safetensors_open((tg_bytes){"again", bytes, size}, &again, NULL) == TG_OK);
    REQUIRE(tg_safetensors_count(again) == count);
    for (size_t i = 0; i < count; i++) {
        const tg_tensor *was = tg_safetensors_at(file, i), *is = tg_safetensors_find(again, was->name);
        REQUIRE(is && strcmp(is->dtype, was->dtype) == 0 && is->rank == was->rank && is->bytes == was->bytes);
        REQUIRE(memcmp(is->shape, was->shape, sizeof is->shape) == 0);
        REQUIRE(memcmp(is->data, was->data, is->bytes) == 0);
    }
    tg_safetensors_close(again);
    tg_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tg_safetensors *file = NULL;
    tg_error err = {0};
    tg_status status = tg_safetensors_open((tg_bytes){"input", data, size}, &file, &err);
    REQUIRE((status == TG_OK) == (file != NULL));
    if (status != TG_OK) {
        REQUIRE(err.status == status && err.what[0]);
        return 0;
    }
    for (size_t i = 0; i < tg_safetensors_count(file); i++) {
        const tg_tensor *tensor = tg_safetensors_at(file, i);
        REQUIRE(tensor->data >= data && tensor->bytes <= (size_t)(data + size - tensor->data));
        REQUIRE(tg_safetensors_find(file, tensor->name) == tensor);
    }
    round_trip(file);
    tg_safetensors_close(file);
    return 0;
}
