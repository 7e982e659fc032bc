#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"

/* ---- making ------------------------------------------------------------------------------------------- */

/* What it holds, or the number of its classes, is another. */
static void forget_check(tg_dataset *dataset) {
    dataset->checked = false;
    dataset->sha256[0] = '\0';
    dataset->hashed = 0;
}

/* *out = count * size zeroed bytes, or a sentence that says how many could not be had. */
static tg_status allocate(size_t count, size_t size, const char *what, bool zeroed, void **out,
                          tg_error *err) {
    size_t bytes = 0;
    bool fits = tg_mul_size(count, size, &bytes);
    *out = !fits ? NULL : zeroed ? tg_allocate_zeroed(bytes) : tg_allocate(bytes);
    if (*out) return TG_OK;
    double megabytes = (double)count * (double)size / 1e6;
    bool large = megabytes >= 1e3;
    return tg_fail(err, TG_E_MEMORY,
                   "%.1f %s for the %s could not be had; use fewer samples or a smaller size",
                   large ? megabytes / 1e3 : megabytes, large ? "GB" : "MB", what);
}

/* Pointers and strings in one block. names NULL: "0", "1", ... */
static tg_status make_class_names(size_t classes, const char *const *names, char ***out, tg_error *err) {
    size_t bytes = 0;
    bool fits = tg_mul_size(classes, sizeof(char *), &bytes);
    for (size_t i = 0; fits && names && i < classes; i++)
        fits = tg_add_size(bytes, strlen(names[i]) + 1, &bytes);
    if (fits && !names) {
        size_t digits = 0;
        fits = tg_mul_size(classes, sizeof "2147483647", &digits) && tg_add_size(bytes, digits, &bytes);
    }
    char **block = fits ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, block, TG_E_MEMORY, "the names of %zu classes could not be had; use fewer classes",
               classes);
    char *text = (char *)(block + classes);
    for (size_t i = 0; i < classes; i++) {
        block[i] = text;
        if (names) {
            size_t size = strlen(names[i]) + 1;
            memcpy(text, names[i], size);
            text += size;
        } else {
            text += snprintf(text, sizeof "2147483647", "%" PRId32, (int32_t)i) + 1;
        }
    }
    *out = block;
    return TG_OK;
}

static tg_status create(tg_dtype type, size_t height, size_t width, size_t channels, size_t count,
                        size_t classes, bool soft, void *pixels, tg_dataset **out, tg_error *err) {
    *out = NULL;
    TG_REQUIRE(err, type == TG_U8 || type == TG_F32, TG_E_ARGUMENT,
               "samples are u8 (0) or f32 (1), not type %d", (int)type);
    TG_REQUIRE(err, height && width && channels, TG_E_DATA,
               "a sample of %zu x %zu x %zu (height, width, channels) is empty; each must be at least 1",
               height, width, channels);
    TG_REQUIRE(err, count, TG_E_DATA, "there are no samples; at least one is needed");
    TG_REQUIRE(err, count <= UINT32_MAX, TG_E_DATA,
               "%zu samples are too many; at most 4294967295 can be numbered", count);
    TG_REQUIRE(err, classes >= 1 && classes <= INT32_MAX, TG_E_DATA,
               "%zu classes; there must be 1 to 2147483647", classes);
    size_t sample_size = 0;
    bool fits = tg_mul_size(height, width, &sample_size) && tg_mul_size(sample_size, channels, &sample_size);
    size_t element = type == TG_U8 ? sizeof(uint8_t) : sizeof(float);
    size_t sample_bytes = 0;
    TG_REQUIRE(err, fits && tg_mul_size(sample_size, element, &sample_bytes), TG_E_MEMORY,
               "one sample of %zu x %zu x %zu does not fit into memory; use a smaller size", height, width,
               channels);

    tg_dataset *dataset = tg_allocate_zeroed(sizeof *dataset);
    TG_REQUIRE(err, dataset, TG_E_MEMORY,
               "no memory is left for a dataset; close other runs and datasets first");
    dataset->type = type;
    dataset->height = height;
    dataset->width = width;
    dataset->channels = channels;
    dataset->count = dataset->capacity = count;
    dataset->classes = classes;
    dataset->sample_size = sample_size;
    dataset->pixels = pixels;
    tg_status status = pixels ? TG_OK : allocate(count, sample_bytes, "pixels", false, &dataset->pixels, err);
    void *labels = NULL;
    if (status == TG_OK && soft) {
        size_t row = 0;
        if (!tg_mul_size(classes, sizeof(float), &row))
            row = SIZE_MAX; /* then no count of rows fits either */
        status = allocate(count, row, "targets", true, &labels, err);
        dataset->targets = labels;
    } else if (status == TG_OK) {
        status = allocate(count, sizeof(int32_t), "labels", true, &labels, err);
        dataset->labels = labels;
    }
    if (status == TG_OK) status = make_class_names(classes, NULL, &dataset->class_names, err);
    if (status != TG_OK) {
        if (pixels) dataset->pixels = NULL;
        tg_dataset_destroy(dataset);
        return status;
    }
    *out = dataset;
    return TG_OK;
}

tg_status tg_dataset_create(tg_dtype type, size_t height, size_t width, size_t channels, size_t count,
                            size_t classes, bool soft, tg_dataset **out, tg_error *err) {
    return create(type, height, width, channels, count, classes, soft, NULL, out, err);
}

tg_status tg_dataset_create_on(tg_dtype type, const size_t shape[3], size_t count, void *pixels,
                               tg_dataset **out, tg_error *err) {
    return create(type, shape[0], shape[1], shape[2], count, 1, false, pixels, out, err);
}

size_t tg_dataset_sample_bytes(const tg_dataset *dataset) {
    return dataset->sample_size * (dataset->type == TG_U8 ? sizeof(uint8_t) : sizeof(float));
}

tg_status tg_dataset_grow(tg_dataset *dataset, size_t more, tg_error *err) {
    size_t count = 0, capacity = dataset->capacity, same = capacity, bytes = tg_dataset_sample_bytes(dataset);
    void *pixels = dataset->pixels, *labels = dataset->labels;
    TG_REQUIRE(err, tg_add_size(dataset->count, more, &count) && count <= UINT32_MAX, TG_E_DATA,
               "more than 4294967295 samples cannot be numbered; use fewer");
    bool fits = tg_reserve(&labels, &same, dataset->count, count, sizeof(int32_t));
    dataset->labels = labels;
    fits = fits && tg_reserve(&pixels, &capacity, dataset->count, count, bytes);
    dataset->pixels = pixels;
    TG_REQUIRE(err, fits, TG_E_MEMORY,
               "%.1f MB for the pixels of %zu samples could not be had; use fewer samples or a smaller size",
               (double)count * (double)bytes / 1e6, count);
    memset(dataset->labels + dataset->count, 0, more * sizeof(int32_t));
    dataset->capacity = capacity < same ? capacity : same;
    dataset->count = count;
    forget_check(dataset);
    return TG_OK;
}

tg_status tg_dataset_permute(tg_dataset *dataset, uint32_t *order, tg_error *err) {
    size_t bytes = tg_dataset_sample_bytes(dataset);
    uint8_t *pixels = dataset->pixels, *held = tg_allocate(bytes);
    TG_REQUIRE(err, held, TG_E_MEMORY, "no memory is left to sort the samples");
    for (size_t start = 0; start < dataset->count; start++) {
        if (order[start] == start) continue;
        memcpy(held, pixels + start * bytes, bytes);
        int32_t label = dataset->labels[start];
        size_t to = start;
        for (size_t from; (from = order[to]) != start; to = from) { /* one cycle after the other */
            memcpy(pixels + to * bytes, pixels + from * bytes, bytes);
            dataset->labels[to] = dataset->labels[from];
            order[to] = (uint32_t)to;
        }
        memcpy(pixels + to * bytes, held, bytes);
        dataset->labels[to] = label;
        order[to] = (uint32_t)to;
    }
    tg_free(held);
    return TG_OK;
}

void tg_dataset_destroy(tg_dataset *dataset) {
    if (!dataset) return;
    tg_free(dataset->pixels);
    tg_free(dataset->labels);
    tg_free(dataset->targets);
    tg_free(dataset->class_names);
    tg_free(dataset);
}

tg_status tg_dataset_set_classes(tg_dataset *dataset, size_t classes, const char *const *names,
                                 tg_error *err) {
    TG_REQUIRE(err, classes >= 1 && classes <= INT32_MAX, TG_E_DATA,
               "%zu classes; there must be 1 to 2147483647", classes);
    TG_REQUIRE(err, !dataset->targets || classes == dataset->classes, TG_E_DATA,
               "%zu class names, but the targets have %zu classes", classes, dataset->classes);
    for (size_t i = 0; dataset->labels && classes < dataset->classes && i < dataset->count; i++)
        TG_REQUIRE(err, dataset->labels[i] < (int32_t)classes, TG_E_DATA,
                   "%zu class names, but sample %zu has label %" PRId32 "; name every class", classes, i,
                   dataset->labels[i]);
    char **block = NULL;
    TG_TRY(make_class_names(classes, names, &block, err));
    tg_free(dataset->class_names);
    dataset->class_names = block;
    if (classes != dataset->classes) { /* the hash says how many classes there are */
        dataset->classes = classes;
        forget_check(dataset);
    }
    return TG_OK;
}

/* ---- checking ----------------------------------------------------------------------------------------- */

static tg_status check_pixels(const tg_dataset *dataset, tg_error *err) {
    if (dataset->type == TG_U8) return TG_OK;
    const float *pixels = dataset->pixels;
    for (size_t i = 0; i < dataset->count; i++, pixels += dataset->sample_size)
        for (size_t j = 0; j < dataset->sample_size; j++)
            TG_REQUIRE(
                err, isfinite(pixels[j]), TG_E_DATA,
                "sample %zu has %s at row %zu, column %zu, channel %zu; every pixel must be a finite number",
                i, isnan(pixels[j]) ? "NaN" : "an infinity", j / dataset->channels / dataset->width,
                j / dataset->channels % dataset->width, j % dataset->channels);
    return TG_OK;
}

static tg_status check_labels(const tg_dataset *dataset, tg_error *err) {
    for (size_t i = 0; i < dataset->count; i++) {
        int32_t label = dataset->labels[i];
        TG_REQUIRE(err, label >= 0 && (size_t)label < dataset->classes, TG_E_DATA,
                   "sample %zu has label %" PRId32 "; with %zu classes labels are 0 to %zu", i, label,
                   dataset->classes, dataset->classes - 1);
    }
    return TG_OK;
}

static tg_status check_targets(const tg_dataset *dataset, tg_error *err) {
    const float *row = dataset->targets;
    for (size_t i = 0; i < dataset->count; i++, row += dataset->classes) {
        double sum = 0;
        for (size_t k = 0; k < dataset->classes; k++) {
            TG_REQUIRE(err, isfinite(row[k]) && row[k] >= 0, TG_E_DATA,
                       "sample %zu has target %g for class %zu; targets are finite and not negative", i,
                       (double)row[k], k);
            sum += (double)row[k];
        }
        TG_REQUIRE(err, fabs(sum - 1) <= 1e-3, TG_E_DATA,
                   "the targets of sample %zu sum to %g; they must sum to 1", i, sum);
    }
    return TG_OK;
}

/* Integers of any width as little-endian bytes, whatever the machine's own order. */
static void hash_u64(tg_sha256 *hash, uint64_t value) {
    uint8_t bytes[8];
    for (size_t i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> 8 * i);
    tg_sha256_update(hash, bytes, sizeof bytes);
}

/* data: count elements of 32 bits, int32_t or float. */
static void hash_words(tg_sha256 *hash, const void *data, size_t count) {
    const uint8_t *from = data;
    uint8_t bytes[4096];
    for (size_t done = 0; done < count;) {
        size_t words = count - done < sizeof bytes / 4 ? count - done : sizeof bytes / 4;
        for (size_t i = 0; i < words; i++) {
            uint32_t word;
            memcpy(&word, from + 4 * (done + i), sizeof word);
            for (size_t k = 0; k < 4; k++) bytes[4 * i + k] = (uint8_t)(word >> 8 * k);
        }
        tg_sha256_update(hash, bytes, 4 * words);
        done += words;
    }
}

/* The hash is over, all little-endian: type, height, width, channels, count, classes, soft (0 or 1), each as
 * u64; the pixels; the labels as i32 or the targets as f32. Class names are not part of it: renaming changes
 * nothing learned. */
static void begin_hash(tg_dataset *dataset) {
    const uint64_t header[] = {(uint64_t)dataset->type, dataset->height, dataset->width,
                               dataset->channels,       dataset->count,  dataset->classes,
                               dataset->targets != NULL};
    tg_sha256_begin(&dataset->hash);
    for (size_t i = 0; i < sizeof header / sizeof header[0]; i++) hash_u64(&dataset->hash, header[i]);
}

bool tg_dataset_hash_some(tg_dataset *dataset, size_t bytes) {
    if (!dataset->checked || dataset->sha256[0]) return true;
    size_t pixels = dataset->count * tg_dataset_sample_bytes(dataset);
    size_t answers = dataset->count * sizeof(int32_t) * (dataset->labels ? 1 : dataset->classes);
    if (dataset->hashed == 0) begin_hash(dataset);
    bool in_pixels = dataset->hashed < pixels;
    const void *labels = dataset->labels ? (const void *)dataset->labels : dataset->targets;
    const uint8_t *data = in_pixels ? dataset->pixels : labels;
    size_t at = dataset->hashed - (in_pixels ? 0 : pixels), left = (in_pixels ? pixels : answers) - at;
    size_t some = left < bytes ? left : bytes / 4 * 4;
    if (in_pixels && dataset->type == TG_U8) tg_sha256_update(&dataset->hash, data + at, some);
    else hash_words(&dataset->hash, data + at, some / 4);
    dataset->hashed += some;
    if (dataset->hashed < pixels + answers) return false;
    tg_sha256_end(&dataset->hash, dataset->sha256);
    return true;
}

tg_status tg_dataset_check_samples(const tg_dataset *dataset, tg_error *err) {
    TG_TRY(check_pixels(dataset, err));
    return dataset->labels ? check_labels(dataset, err) : check_targets(dataset, err);
}

tg_status tg_dataset_check(tg_dataset *dataset, const char *name, tg_error *err) {
    forget_check(dataset);
    tg_status status = tg_dataset_check_samples(dataset, err);
    if (status != TG_OK) return name ? tg_fail_at(err, status, "%s", name) : status;
    dataset->checked = true;
    return TG_OK;
}

/* ---- looking inside ----------------------------------------------------------------------------------- */

size_t tg_dataset_count(const tg_dataset *dataset) {
    return dataset->count;
}
size_t tg_dataset_classes(const tg_dataset *dataset) {
    return dataset->classes;
}
tg_dtype tg_dataset_type(const tg_dataset *dataset) {
    return dataset->type;
}
void *tg_dataset_pixels(tg_dataset *dataset) {
    return dataset->pixels;
}
int32_t *tg_dataset_labels(tg_dataset *dataset) {
    return dataset->labels;
}
float *tg_dataset_targets(tg_dataset *dataset) {
    return dataset->targets;
}
const char *tg_dataset_sha256(tg_dataset *dataset) {
    while (!tg_dataset_hash_some(dataset, SIZE_MAX)) {
    }
    return dataset->sha256;
}

void tg_dataset_shape(const tg_dataset *dataset, size_t shape[3]) {
    shape[0] = dataset->height;
    shape[1] = dataset->width;
    shape[2] = dataset->channels;
}

const char *tg_dataset_class_name(const tg_dataset *dataset, size_t index) {
    return index < dataset->classes ? dataset->class_names[index] : NULL;
}
