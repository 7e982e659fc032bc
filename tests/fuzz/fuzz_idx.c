/* Any bytes given as images, as labels, or as both: a sentence or a sound dataset, never anything else. */
#include <stdlib.h>

#include "tabgrad.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) abort();                                                                           \
    } while (0)

static void open_pair(tg_bytes images, tg_bytes labels) {
    tg_dataset *dataset = NULL;
    tg_error err = {0};
    tg_status status = tg_dataset_from_idx(images, labels, &dataset, &err);
    REQUIRE((status == TG_OK) == (dataset != NULL));
    if (status != TG_OK) {
        REQUIRE(err.status == status && err.what[0]);
        return;
    }
    size_t shape[3], count = tg_dataset_count(dataset), sum = 0;
    tg_dataset_shape(dataset, shape);
    const uint8_t *pixels = tg_dataset_pixels(dataset);
    size_t bytes =
        count * shape[0] * shape[1] * shape[2] * (tg_dataset_type(dataset) == TG_F32 ? sizeof(float) : 1);
    for (size_t i = 0; i < bytes; i++) sum += pixels[i];
    REQUIRE(bytes < images.size && sum <= 255 * images.size);
    for (size_t i = 0; i < count; i++)
        REQUIRE((size_t)tg_dataset_labels(dataset)[i] < tg_dataset_classes(dataset));
    tg_dataset_destroy(dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 1};
    static const uint8_t nothing[1];
    tg_bytes input = {"input", size ? data : nothing, size};
    open_pair(input, (tg_bytes){0});
    open_pair(input, (tg_bytes){"labels", labels, sizeof labels});
    open_pair((tg_bytes){"images", images, sizeof images}, input);
    open_pair(input, input);
    return 0;
}
