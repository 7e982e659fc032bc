/* Any bytes as a table; its last line again as a second table, so that both number their classes alike. */
#include "fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file("x.csv", data, size);
    size_t last = size;
    while (last > 0 && data[last - 1] != '\n') last--;
    tg_import *import = begin_fuzzed_import(false);
    give_fuzzed(import, "train.csv", data, size);
    give_fuzzed(import, "test.tsv", data + last, size - last);
    end_fuzzed_import(import);
    return 0;
}
