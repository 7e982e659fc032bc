/* Any bytes as a .mat file of whatever version. */
#include "fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file("x.mat", data, size);
    return 0;
}
