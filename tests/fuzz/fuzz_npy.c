/* Any bytes as an .npy file: samples beside labels, labels beside samples. */
#include "fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 1};
    fuzz_file("x.npy", data, size);
    tg_import *import = begin_fuzzed_import(false);
    give_fuzzed(import, "x_train.npy", data, size);
    give_fuzzed(import, "train-labels", labels, sizeof labels);
    give_fuzzed(import, "y_test.npy", data, size);
    give_fuzzed(import, "test-images", images, sizeof images);
    end_fuzzed_import(import);
    return 0;
}
