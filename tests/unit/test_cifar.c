#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/importing.h"

/* Byte j of every picture's planes in the fixtures is 7 j modulo 256. */
static void planes_become_pixels(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_fixture(&in, "data_batch_1.bin", "cifar/two-of-10");
    give_fixture(&in, "data_batch_2.bin", "cifar/two-of-10");
    end_import(&in);
    size_t shape[3];
    tg_dataset_shape(in.train, shape);
    assert_memory_equal(shape, ((size_t[]){32, 32, 3}), sizeof shape);
    assert_int_equal(in.train->count, 4);
    assert_int_equal(in.train->classes, 10);
    assert_memory_equal(in.train->labels, ((int32_t[]){3, 9, 3, 9}), 4 * sizeof(int32_t));
    const uint8_t *pixels = in.train->pixels;
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 1024; j++)
            for (size_t c = 0; c < 3; c++, pixels++) assert_int_equal(*pixels, (c * 1024 + j) * 7 % 256);
    free_import(&in);
}

static void cifar_100_has_fine_and_coarse_labels(void **state) {
    (void)state;
    static const struct {
        const char *options;
        size_t classes;
        int32_t labels[2];
    } kinds[] = {{NULL, 100, {99, 7}}, {"{'labels':'coarse'}", 20, {19, 0}}};
    for (size_t i = 0; i < 2; i++) {
        importing in;
        begin_import(&in, kinds[i].options);
        give_fixture(&in, "train.bin", "cifar/two-of-100");
        give_text(&in, "fine_label_names.txt", "a b\n");
        end_import(&in);
        assert_int_equal(in.train->classes, kinds[i].classes);
        assert_memory_equal(in.train->labels, kinds[i].labels, sizeof kinds[i].labels);
        assert_int_equal(((uint8_t *)in.train->pixels)[3], 7); /* red of the second pixel */
        free_import(&in);
    }
}

static void batches_of_two_sets_are_no_set(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_fixture(&in, "data_batch_1.bin", "cifar/two-of-10");
    give_fixture(&in, "test.bin", "cifar/two-of-100");
    end_import(&in);
    assert_int_equal(in.train->count, 2);
    assert_null(in.test);
    report_says(
        &in, "'skipped':[{'name':'test.bin','reason':'is a batch of CIFAR-100, but others are not; give the "
             "files of one set at a time'}]");
    free_import(&in);
}

static void real_cifar_10_is_read(void **state) {
    (void)state;
    size_t size;
    uint8_t *data = read_whole_file(TG_DATA "/cifar10/test_batch.bin", &size);
    if (!data) {
        print_message("skipped: CIFAR-10 is not prepared in build/data\n");
        skip();
    }
    importing in;
    begin_import(&in, NULL);
    give_bytes(&in, "test_batch.bin", data, size);
    end_import(&in);
    size_t of_class[10];
    tg_dataset_class_counts(in.train, of_class);
    for (size_t k = 0; k < 10; k++) assert_int_equal(of_class[k], 1000);
    free_import(&in);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_become_pixels),
        cmocka_unit_test(cifar_100_has_fine_and_coarse_labels),
        cmocka_unit_test(batches_of_two_sets_are_no_set),
        cmocka_unit_test(real_cifar_10_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
