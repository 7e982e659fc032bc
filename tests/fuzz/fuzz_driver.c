/* Runs a fuzz target once over every file of the folders it is given: what libFuzzer has found, or could
 * begin with, stays a plain test for any compiler. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run_folder(const char *folder) {
    DIR *entries = opendir(folder);
    if (!entries) {
        fprintf(stderr, "%s cannot be read\n", folder);
        exit(2);
    }
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        size_t size = 0;
        uint8_t *data = read_whole_file(path, &size);
        if (!data) {
            fprintf(stderr, "%s cannot be read\n", path);
            exit(2);
        }
        /* A copy that ends where the input ends, so that a sanitizer sees a read behind it. */
        uint8_t *exact = malloc(size ? size : 1);
        if (!exact) abort();
        for (size_t i = 0; i < size; i++) exact[i] = data[i];
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        free(data);
        files++;
    }
    closedir(entries);
    return files;
}

int main(int argc, char **argv) {
    size_t files = 0;
    for (int i = 1; i < argc; i++) files += run_folder(argv[i]);
    printf("%zu files\n", files);
    return files ? 0 : 2;
}
