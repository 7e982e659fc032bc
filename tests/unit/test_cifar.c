#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/assert.h"

static tg_bytes read_fixture(const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/cifar/%s", TG_FIXTURES, name);
    tg_bytes bytes = {.name = name};
    bytes.data = read_whole_file(path, &bytes.size);
    if (!bytes.data) fail_msg("%s cannot be read", path);
    return bytes;
}

/* Byte j of every picture's planes in the fixtures is 7 j modulo 256. */
static void planes_become_pixels(void **state) {
    (void)state;
    tg_bytes file = read_fixture("two-of-10"), files[] = {file, file};
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_from_cifar(files, 2, TG_CIFAR_10, &dataset, &err));
    size_t shape[3];
    tg_dataset_shape(dataset, shape);
    assert_memory_equal(shape, ((size_t[]){32, 32, 3}), sizeof shape);
    assert_int_equal(tg_dataset_count(dataset), 4);
    assert_int_equal(tg_dataset_classes(dataset), 10);
    assert_memory_equal(tg_dataset_labels(dataset), ((int32_t[]){3, 9, 3, 9}), 4 * sizeof(int32_t));
    const uint8_t *pixels = tg_dataset_pixels(dataset);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 1024; j++)
            for (size_t c = 0; c < 3; c++, pixels++) assert_int_equal(*pixels, (c * 1024 + j) * 7 % 256);
    assert_true(dataset->checked);
    tg_dataset_destroy(dataset);
    free((void *)file.data);
}

static void cifar_100_has_fine_and_coarse_labels(void **state) {
    (void)state;
    tg_bytes file = read_fixture("two-of-100");
    const int32_t expected[][2] = {[TG_CIFAR_100_FINE] = {99, 7}, [TG_CIFAR_100_COARSE] = {19, 0}};
    const size_t classes[] = {[TG_CIFAR_100_FINE] = 100, [TG_CIFAR_100_COARSE] = 20};
    for (int kind = TG_CIFAR_100_FINE; kind <= TG_CIFAR_100_COARSE; kind++) {
        tg_dataset *dataset;
        tg_error err;
        ASSERT_OK(tg_dataset_from_cifar(&file, 1, (tg_cifar)kind, &dataset, &err));
        assert_int_equal(tg_dataset_classes(dataset), classes[kind]);
        assert_memory_equal(tg_dataset_labels(dataset), expected[kind], sizeof expected[kind]);
        assert_int_equal(((uint8_t *)tg_dataset_pixels(dataset))[3], 7); /* red of the second pixel */
        tg_dataset_destroy(dataset);
    }
    free((void *)file.data);
}

static void nonsense_gets_its_sentence(void **state) {
    (void)state;
    tg_bytes sound = read_fixture("two-of-10"), files[] = {sound, {"cut", sound.data, 3072}};
    tg_dataset *dataset;
    tg_error err;
    ASSERT_FAILS(tg_dataset_from_cifar(files, 0, TG_CIFAR_10, &dataset, &err), TG_E_ARGUMENT,
                 "there are no batches; at least one is needed");
    assert_null(dataset);
    ASSERT_FAILS(tg_dataset_from_cifar(files, 1, (tg_cifar)3, &dataset, &err), TG_E_ARGUMENT,
                 "CIFAR comes as 10 (0), 100 fine (1) or 100 coarse (2), not 3");
    assert_null(dataset);
    ASSERT_FAILS(
        tg_dataset_from_cifar(files, 2, TG_CIFAR_10, &dataset, &err), TG_E_FORMAT,
        "cut: has 3072 bytes, no multiple of the 3073 of a CIFAR-10 record; take the binary version and "
        "download it again");
    assert_null(dataset);
    free((void *)sound.data);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    tg_bytes file = read_fixture("two-of-10");
    for (size_t successes = 0;; successes++) {
        tg_dataset *dataset;
        tg_error err;
        begin_allocations(successes);
        tg_status status = tg_dataset_from_cifar(&file, 1, TG_CIFAR_10, &dataset, &err);
        bool failed = allocation_failed();
        assert_int_equal(status, failed ? TG_E_MEMORY : TG_OK);
        if (failed) assert_string_equal(err.where, "two-of-10");
        tg_dataset_destroy(dataset);
        assert_int_equal(live_allocations(), 0);
        end_allocations();
        if (!failed) break;
    }
    free((void *)file.data);
}

static void real_cifar_10_is_read(void **state) {
    (void)state;
    tg_bytes file = {.name = "test_batch.bin"};
    file.data = read_whole_file(TG_DATA "/cifar10/test_batch.bin", &file.size);
    if (!file.data) {
        print_message("skipped: CIFAR-10 is not prepared in build/data\n");
        skip();
    }
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_from_cifar(&file, 1, TG_CIFAR_10, &dataset, &err));
    size_t of_class[10] = {0};
    for (size_t i = 0; i < tg_dataset_count(dataset); i++) of_class[tg_dataset_labels(dataset)[i]]++;
    for (size_t k = 0; k < 10; k++) assert_int_equal(of_class[k], 1000);
    tg_dataset_destroy(dataset);
    free((void *)file.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_become_pixels),       cmocka_unit_test(cifar_100_has_fine_and_coarse_labels),
        cmocka_unit_test(nonsense_gets_its_sentence), cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(real_cifar_10_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
