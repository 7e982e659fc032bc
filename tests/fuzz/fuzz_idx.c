/* Any bytes as images, as labels, or as both. */
#include "fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 1};
    fuzz_file("images-ubyte", data, size);
    for (int as_images = 0; as_images < 2; as_images++) {
        tg_import *import = begin_fuzzed_import(false);
        give_fuzzed(import, "train-images", as_images ? data : images, as_images ? size : sizeof images);
        give_fuzzed(import, "train-labels", as_images ? labels : data, as_images ? sizeof labels : size);
        end_fuzzed_import(import);
    }
    return 0;
}
