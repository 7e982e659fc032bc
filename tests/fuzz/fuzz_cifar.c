/* Any bytes as a batch of CIFAR, alone and behind a sound one. */
#include "fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t record[3073] = {7};
    fuzz_file("data_batch_1.bin", data, size);
    tg_import *import = begin_fuzzed_import(false);
    give_fuzzed(import, "data_batch_2.bin", record, sizeof record);
    give_fuzzed(import, "data_batch_1.bin", data, size);
    end_fuzzed_import(import);
    return 0;
}
