/* Any bytes given as a batch of each kind, alone and behind a sound one: a sentence or a sound dataset. */
#include <stdlib.h>

#include "tabgrad.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) abort();                                                                           \
    } while (0)

static void open_batches(const tg_bytes *files, size_t count, tg_cifar kind) {
    tg_dataset *dataset = NULL;
    tg_error err = {0};
    tg_status status = tg_dataset_from_cifar(files, count, kind, &dataset, &err);
    REQUIRE((status == TG_OK) == (dataset != NULL));
    if (status != TG_OK) {
        REQUIRE(err.status == status && err.what[0]);
        return;
    }
    size_t samples = tg_dataset_count(dataset), bytes = 0, record = kind == TG_CIFAR_10 ? 3073 : 3074;
    for (size_t i = 0; i < count; i++) bytes += files[i].size;
    REQUIRE(samples * record == bytes);
    const uint8_t *last = files[count - 1].data + files[count - 1].size;
    const uint8_t *pixels = tg_dataset_pixels(dataset);
    REQUIRE(pixels[samples * 3072 - 1] == last[-1]);
    for (size_t i = 0; i < samples; i++)
        REQUIRE((size_t)tg_dataset_labels(dataset)[i] < tg_dataset_classes(dataset));
    tg_dataset_destroy(dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t sound[3074];
    static const uint8_t nothing[1];
    for (int kind = TG_CIFAR_10; kind <= TG_CIFAR_100_COARSE; kind++) {
        size_t record = kind == TG_CIFAR_10 ? 3073 : 3074;
        tg_bytes files[] = {{"sound", sound, record}, {"input", size ? data : nothing, size}};
        open_batches(files + 1, 1, (tg_cifar)kind);
        open_batches(files, 2, (tg_cifar)kind);
    }
    return 0;
}
