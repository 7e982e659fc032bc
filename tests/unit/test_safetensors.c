#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/safetensors.h"
#include "support/check.h"

/* A file with this header, its length in front, and `data_size` bytes 0, 1, 2, ... behind. Freed with free.
 */
static tg_bytes make_file(const char *header, size_t data_size) {
    size_t length = strlen(header);
    uint8_t *file = calloc(1, 8 + length + data_size);
    assert_non_null(file);
    for (size_t i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)length >> 8 * i);
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < data_size; i++) file[8 + length + i] = (uint8_t)i;
    return (tg_bytes){"file", file, 8 + length + data_size};
}

static void check_refused(const char *header, size_t data_size, const char *expected) {
    tg_bytes bytes = make_file(header, data_size);
    tg_safetensors *file = NULL;
    tg_error err;
    tg_status status = tg_safetensors_open(bytes, &file, &err);
    assert_string_equal(sentence(status, &err), expected);
    assert_int_equal(status, TG_E_FORMAT);
    assert_null(file);
    free((void *)bytes.data);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* As Python writes it: metadata first, sorted by type, spaces at the end. The order of data is that of the
 * offsets. */
static void file_of_python_is_read(void **state) {
    (void)state;
    tg_bytes bytes = make_file(
        "{\"__metadata__\":{\"format\":\"pt\",\"classes\":\"[\\\"a\\\", \\\"b\\\"]\"},"
        "\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[12,20]},"
        " \"w\" : { \"shape\" : [ 1 , 3 ] , \"data_offsets\" : [ 0 , 12 ] , \"dtype\" : \"F32\" } }   ",
        20);
    tg_safetensors *file = NULL;
    assert_int_equal(tg_safetensors_open(bytes, &file, NULL), TG_OK);
    assert_int_equal(tg_safetensors_count(file), 2);
    const tg_tensor *w = tg_safetensors_find(file, "w"), *b = tg_safetensors_find(file, "b");
    assert_ptr_equal(w, tg_safetensors_at(file, 0));
    assert_ptr_equal(b, tg_safetensors_at(file, 1));
    assert_null(tg_safetensors_at(file, 2));
    assert_null(tg_safetensors_find(file, "c"));
    assert_string_equal(w->name, "w");
    assert_string_equal(w->dtype, "F32");
    assert_int_equal(w->type, TG_TENSOR_F32);
    assert_int_equal(w->rank, 2);
    assert_int_equal(w->shape[0], 1);
    assert_int_equal(w->shape[1], 3);
    assert_int_equal(w->size, 3);
    assert_int_equal(w->bytes, 12);
    assert_int_equal(w->data[0], 0);
    assert_int_equal(b->type, TG_TENSOR_I64);
    assert_int_equal(b->rank, 0);
    assert_int_equal(b->size, 1);
    assert_int_equal(b->data[0], 12);
    assert_string_equal(tg_safetensors_metadata(file, "format"), "pt");
    assert_string_equal(tg_safetensors_metadata(file, "classes"), "[\"a\", \"b\"]");
    assert_null(tg_safetensors_metadata(file, "recipe"));
    tg_safetensors_close(file);
    tg_safetensors_close(NULL);
    free((void *)bytes.data);
}

static void empty_file_and_empty_tensors_are_read(void **state) {
    (void)state;
    tg_bytes bytes = make_file("{}", 0);
    tg_safetensors *file = NULL;
    assert_int_equal(tg_safetensors_open(bytes, &file, NULL), TG_OK);
    assert_int_equal(tg_safetensors_count(file), 0);
    assert_null(tg_safetensors_find(file, ""));
    assert_null(tg_safetensors_metadata(file, ""));
    tg_safetensors_close(file);
    free((void *)bytes.data);

    bytes = make_file("{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                      "\"none\":{\"dtype\":\"BF16\",\"shape\":[0,7],\"data_offsets\":[0,0]},"
                      "\"nil\":{\"dtype\":\"BF16\",\"shape\":[7,0],\"data_offsets\":[2,2]}}",
                      2);
    assert_int_equal(tg_safetensors_open(bytes, &file, NULL), TG_OK);
    assert_string_equal(tg_safetensors_at(file, 0)->name, "none");
    assert_int_equal(tg_safetensors_at(file, 0)->type, TG_TENSOR_OTHER);
    assert_string_equal(tg_safetensors_at(file, 0)->dtype, "BF16");
    assert_string_equal(tg_safetensors_at(file, 2)->name, "nil");
    tg_safetensors_close(file);
    free((void *)bytes.data);
}

static void escapes_are_read(void **state) {
    (void)state;
    tg_bytes bytes =
        make_file("{\"__metadata__\":{"
                  "\"plain\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"two\":\"\\u00e9\\u00E9\",\"three\":\"\\u20ac\","
                  "\"four\":\"\\ud83d\\ude00!\",\"raw\":\"\xc3\xa9\","
                  "\"\\u006bey\":\"\"}}",
                  0);
    tg_safetensors *file = NULL;
    assert_int_equal(tg_safetensors_open(bytes, &file, NULL), TG_OK);
    assert_string_equal(tg_safetensors_metadata(file, "plain"), "\"\\/\b\f\n\r\t");
    assert_string_equal(tg_safetensors_metadata(file, "two"), "\xc3\xa9\xc3\xa9");
    assert_string_equal(tg_safetensors_metadata(file, "three"), "\xe2\x82\xac");
    assert_string_equal(tg_safetensors_metadata(file, "four"), "\xf0\x9f\x98\x80!");
    assert_string_equal(tg_safetensors_metadata(file, "raw"), "\xc3\xa9");
    assert_string_equal(tg_safetensors_metadata(file, "key"), "");
    tg_safetensors_close(file);
    free((void *)bytes.data);
}

static void invalid_texts_are_refused(void **state) {
    (void)state;
    static const char *const escapes[] = {"\\x",        "\\u12g4",  "\\u123",         "\\u0000", "\\ud83d",
                                          "\\ud83d\\n", "\\ud83dx", "\\ud83d\\ud83d", "\\ude00"};
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        char header[64];
        snprintf(header, sizeof header, "{\"a%s\":{}}", escapes[i]);
        tg_bytes bytes = make_file(header, 0);
        tg_safetensors *file = NULL;
        tg_error err;
        assert_int_equal(tg_safetensors_open(bytes, &file, &err), TG_E_FORMAT);
        assert_non_null(strstr(err.what, "the header has an invalid escape at byte"));
        free((void *)bytes.data);
    }
    check_refused("{\"a\\", 0, "file: the header has an invalid escape at byte 5; the file is damaged");
    check_refused("{\"a\nb\":{}}", 0,
                  "file: the header has a control character at byte 3; the file is damaged");
    check_refused(
        "{\"a\xff\":{}}", 0,
        "file: the header has a text at byte 2 that does not end or is not UTF-8; the file is damaged");
    check_refused(
        "{\"abc", 0,
        "file: the header has a text at byte 2 that does not end or is not UTF-8; the file is damaged");
}

#define X_OK "\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}"

static void damaged_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t data_size;
        const char *expected;
    } cases[] = {
        {"", 0, "the header does not begin with '{'; this is no .safetensors file"},
        {" {}", 0, "the header does not begin with '{'; this is no .safetensors file"},
        {"[]", 0, "the header does not begin with '{'; this is no .safetensors file"},
        {"{", 0, "byte 1 of the header is not the '\"' that must stand there; the file is damaged"},
        {"{} {", 0, "the header goes on at byte 3 after its end; the file is damaged"},
        {"{\"x\"}", 0, "byte 4 of the header is not the ':' that must stand there; the file is damaged"},
        {"{" X_OK ",}", 2,
         "byte 53 of the header is not the '\"' that must stand there; the file is damaged"},
        {"{" X_OK "," X_OK "}", 2, "the data of tensors \"x\" and \"x\" overlap; the file is damaged"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
         "\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
         0, "tensor \"x\" is there twice; the file is damaged"},
        {"{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}}", 0,
         "the key \"a\" is in __metadata__ twice; the file is damaged"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0,
         "the header has __metadata__ twice; the file is damaged"},
        {"{\"__metadata__\":{\"a\":1}}", 0,
         "byte 21 of the header is not the '\"' that must stand there; the file is damaged"},
        {"{\"x\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0,
         "tensor \"x\" has the key \"dtype\" twice; the file is damaged"},
        {"{\"x\":{\"dtype\":\"U8\",\"stride\":[1]}}", 0,
         "tensor \"x\" has the unknown key \"stride\"; the file is damaged"},
        {"{\"x\":{}}", 0, "tensor \"x\" has no dtype; the file is damaged"},
        {"{\"x\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", 0,
         "tensor \"x\" has no shape; the file is damaged"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[]}}", 0,
         "tensor \"x\" has no data_offsets; the file is damaged"},
        {"{\"x\":{\"dtype\":\"Q4\"}}", 0, "tensor \"x\" has the unknown dtype \"Q4\"; save it as F32"},
        {"{\"x\":{\"shape\":[-1]}}", 0,
         "byte 15 of the header is not the whole number that must stand there; the file is damaged"},
        {"{\"x\":{\"shape\":[01]}}", 0,
         "byte 15 of the header is not the whole number that must stand there; the file is damaged"},
        {"{\"x\":{\"shape\":[1.5]}}", 0,
         "byte 16 of the header is not the ']' that must stand there; the file is damaged"},
        {"{\"x\":{\"shape\":[99999999999999999999]}}", 0,
         "the number at byte 15 of the header is larger than any file; the file is damaged"},
        {"{\"x\":{\"shape\":[4294967296,4294967296]}}", 0,
         "the shape of tensor \"x\" has more elements than any file; the file is damaged"},
        {"{\"x\":{\"shape\":[1,1,1,1,1,1,1,1,1]}}", 0,
         "tensor \"x\" has more than 8 axes; reshape it before saving"},
        {"{\"x\":{\"data_offsets\":[4,2]}}", 8,
         "tensor \"x\" ends at byte 2, before it begins at 4; the file is damaged"},
        {"{\"x\":{\"data_offsets\":[0,9]}}", 8,
         "tensor \"x\" ends at byte 9 of the data, but only 8 are there; the file is cut short, download it "
         "again"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}", 9,
         "tensor \"x\" has 2 elements of F32, but 9 bytes of data; the file is damaged"},
        {"{\"x\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
         "tensor \"x\" has 2305843009213693952 elements of F64, but 0 bytes of data; the file is damaged"},
        {"{" X_OK ",\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3,
         "the data of tensors \"x\" and \"y\" overlap; the file is damaged"},
        {"{" X_OK ",\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[5,6]}}", 6,
         "3 bytes before the data of tensor \"y\" belong to none; the file is damaged"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3,
         "1 bytes before the data of tensor \"x\" belong to none; the file is damaged"},
        {"{" X_OK "}", 5, "3 bytes at the end belong to no tensor; the file is damaged"},
        {"{}", 5, "5 bytes at the end belong to no tensor; the file is damaged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[512];
        snprintf(expected, sizeof expected, "file: %s", cases[i].expected);
        check_refused(cases[i].header, cases[i].data_size, expected);
    }
}

/* Whatever byte a file ends at, it is refused, and nothing behind its end is read (the copy is exactly as
 * long). */
static void every_truncation_is_refused(void **state) {
    (void)state;
    tg_bytes whole = make_file("{\"__metadata__\":{\"k\":\"\\u00e9\"}," X_OK "}", 2);
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut = malloc(size ? size : 1);
        assert_non_null(cut);
        memcpy(cut, whole.data, size);
        tg_safetensors *file = NULL;
        assert_int_equal(tg_safetensors_open((tg_bytes){"cut", cut, size}, &file, NULL), TG_E_FORMAT);
        assert_null(file);
        free(cut);
    }
    free((void *)whole.data);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static void what_is_written_reads_back(void **state) {
    (void)state;
    const float weights[] = {1.5f, -2, 3};
    const uint8_t mask[] = {1, 0, 1};
    const tg_tensor tensors[] = {
        {.name = "dense1.weight",
         .type = TG_TENSOR_F32,
         .rank = 2,
         .shape = {1, 3},
         .size = 3,
         .data = (const uint8_t *)weights,
         .bytes = sizeof weights},
        {.name = "a \"mask\" \xc3\xa9\n",
         .type = TG_TENSOR_OTHER,
         .dtype = "BOOL",
         .rank = 1,
         .shape = {3},
         .size = 3,
         .data = mask,
         .bytes = sizeof mask},
        {.name = "nothing", .type = TG_TENSOR_F64, .rank = 1, .shape = {0}},
    };
    const tg_metadata metadata[] = {{"recipe", "{\"tabgrad\": 1}\n"}, {"empty", ""}};
    uint8_t *bytes = NULL;
    size_t size = 0;
    assert_int_equal(tg_safetensors_write(tensors, 3, metadata, 2, &bytes, &size, NULL), TG_OK);
    size_t header = bytes[0] | (size_t)bytes[1] << 8;
    assert_int_equal(header % 8, 0);
    assert_int_equal(size, 8 + header + sizeof weights + sizeof mask);

    tg_safetensors *file = NULL;
    assert_int_equal(tg_safetensors_open((tg_bytes){"again", bytes, size}, &file, NULL), TG_OK);
    assert_int_equal(tg_safetensors_count(file), 3);
    for (size_t i = 0; i < 3; i++) {
        const tg_tensor *read = tg_safetensors_find(file, tensors[i].name);
        assert_non_null(read);
        assert_int_equal(read->type, tensors[i].type);
        assert_int_equal(read->rank, tensors[i].rank);
        assert_memory_equal(read->shape, tensors[i].shape, sizeof read->shape);
        assert_int_equal(read->bytes, tensors[i].bytes);
        if (read->bytes) assert_memory_equal(read->data, tensors[i].data, read->bytes);
    }
    assert_string_equal(tg_safetensors_metadata(file, "recipe"), metadata[0].value);
    assert_string_equal(tg_safetensors_metadata(file, "empty"), "");
    tg_safetensors_close(file);
    tg_free(bytes);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    tg_tensor tensors[20];
    char names[20][8];
    const uint8_t data[20] = {0};
    for (size_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "t%zu", i);
        tensors[i] = (tg_tensor){names[i], TG_TENSOR_U8, NULL, 1, {1}, 1, &data[i], 1};
    }
    for (size_t successes = 0;; successes++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        tg_error err;
        begin_allocations(successes);
        tg_status status = tg_safetensors_write(tensors, 20, NULL, 0, &bytes, &size, &err);
        tg_safetensors *file = NULL;
        if (status == TG_OK) status = tg_safetensors_open((tg_bytes){"file", bytes, size}, &file, &err);
        bool failed = allocation_failed();
        assert_int_equal(status, failed ? TG_E_MEMORY : TG_OK);
        tg_safetensors_close(file);
        tg_free(bytes);
        assert_int_equal(live_allocations(), 0);
        end_allocations();
        if (!failed) break;
    }
}

/* 50,000 tensors in reversed order: a reader that compared each with each would take minutes. */
static void many_tensors_take_no_time(void **state) {
    (void)state;
    enum { COUNT = 50000 };
    tg_text header = {0};
    tg_json_open(&header, NULL, '{');
    for (size_t i = COUNT; i-- > 0;) {
        char name[24];
        snprintf(name, sizeof name, "t%zu", i);
        tg_json_open(&header, name, '{');
        tg_json_string(&header, "dtype", "U8");
        tg_json_open(&header, "shape", '[');
        tg_json_close(&header, ']');
        tg_text_append(&header, ",\"data_offsets\":[%zu,%zu]", i, i + 1);
        tg_json_close(&header, '}');
    }
    tg_json_close(&header, '}');
    tg_bytes bytes = make_file(header.data, COUNT);
    tg_safetensors *file = NULL;
    assert_int_equal(tg_safetensors_open(bytes, &file, NULL), TG_OK);
    assert_int_equal(tg_safetensors_count(file), COUNT);
    assert_string_equal(tg_safetensors_at(file, 777)->name, "t777");
    assert_ptr_equal(tg_safetensors_find(file, "t49999"), tg_safetensors_at(file, COUNT - 1));
    tg_safetensors_close(file);
    free((void *)bytes.data);
    tg_text_free(&header);
}

/* A file that PyTorch made: the figures are those that Python's json and struct give. */
static void real_file_is_read(void **state) {
    (void)state;
    tg_bytes bytes = {.name = "resnet20_cifar10.safetensors"};
    bytes.data =
        read_whole_file(TG_FIXTURES "/../../../shared/data/onnx/resnet20_cifar10.safetensors", &bytes.size);
    if (!bytes.data) {
        print_message("skipped: ../shared/data/onnx is not there\n");
        skip();
    }
    tg_safetensors *file = NULL;
    assert_int_equal(tg_safetensors_open(bytes, &file, NULL), TG_OK);
    size_t elements = 0, data_bytes = 0;
    for (size_t i = 0; i < tg_safetensors_count(file); i++) {
        const tg_tensor *tensor = tg_safetensors_at(file, i);
        assert_ptr_equal(tg_safetensors_find(file, tensor->name), tensor);
        data_bytes += tensor->bytes;
        assert_int_equal(tensor->type, TG_TENSOR_F32);
        elements += tensor->size;
        for (size_t j = 0; j < tensor->size; j++) {
            float value;
            memcpy(&value, tensor->data + 4 * j, sizeof value);
            assert_true(isfinite(value));
        }
    }
    assert_int_equal(tg_safetensors_count(file), 97);
    assert_int_equal(elements, 271098);
    assert_int_equal(data_bytes, 1084392);
    const tg_tensor *first = tg_safetensors_find(file, "conv1.weight");
    const size_t shape[] = {16, 3, 3, 3};
    float value;
    memcpy(&value, first->data, sizeof value);
    assert_memory_equal(first->shape, shape, sizeof shape);
    assert_float_equal(value, -0.13818146288394928, 0);
    tg_safetensors_close(file);
    free((void *)bytes.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_of_python_is_read),
        cmocka_unit_test(empty_file_and_empty_tensors_are_read),
        cmocka_unit_test(escapes_are_read),
        cmocka_unit_test(invalid_texts_are_refused),
        cmocka_unit_test(damaged_headers_are_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(many_tensors_take_no_time),
        cmocka_unit_test(real_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
