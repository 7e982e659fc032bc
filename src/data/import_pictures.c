/* Pictures, as they come: brought to one size and one number of channels, and sorted into classes and parts by where
 * they lay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

/* Without a size asked for the first picture gives it, unless it is a photograph. */
enum { LARGEST_OWN = 128, PHOTOGRAPH = 64, MAX_SIDE = 1 << 16 };

/* ---- channels ------------------------------------------------------------------------------------------ */

/* value over white */
static uint8_t over_white(unsigned value, unsigned alpha) {
    return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* One pixel as it is seen: red, green, blue. */
static void see(const uint8_t *pixel, size_t channels, uint8_t out[3]) {
    for (size_t c = 0; c < 3; c++) out[c] = pixel[channels >= 3 ? c : 0];
    if (channels % 2 == 0)
        for (size_t c = 0; c < 3; c++) out[c] = over_white(out[c], pixel[channels - 1]);
}

static bool is_grey(const uint8_t *pixels, size_t count, size_t channels) {
    for (size_t i = 0; channels >= 3 && i < count; i++) {
        uint8_t seen[3];
        see(pixels + i * channels, channels, seen);
        if (seen[0] != seen[1] || seen[1] != seen[2]) return false;
    }
    return true;
}

/* Luma as JPEG has it (BT.601), in whole numbers; equal channels stay what they are. */
static uint8_t grey_of(const uint8_t seen[3]) {
    return (uint8_t)((19595u * seen[0] + 38470u * seen[1] + 7471u * seen[2] + 32768u) >> 16);
}

static void convert(const uint8_t *from, size_t count, size_t channels, uint8_t *to, size_t to_channels) {
    for (size_t i = 0; i < count; i++, from += channels, to += to_channels) {
        uint8_t seen[3];
        see(from, channels, seen);
        if (to_channels == 1) to[0] = grey_of(seen);
        else memcpy(to, seen, 3);
    }
}

/* The first picture with colours: those before get three equal channels. */
static tg_status make_room_for_colour(tg_dataset *samples, tg_error *err) {
    size_t elements = samples->capacity * samples->sample_size, bytes;
    uint8_t *pixels = tg_mul_size(elements, 3, &bytes) ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, pixels, TG_E_MEMORY, "no memory is left for its colours; use smaller pictures");
    const uint8_t *grey = samples->pixels;
    for (size_t i = 0; i < samples->count * samples->sample_size; i++) memset(pixels + 3 * i, grey[i], 3);
    tg_free(samples->pixels);
    samples->pixels = pixels;
    samples->channels = 3;
    samples->sample_size *= 3;
    return TG_OK;
}

/* ---- taking one in --------------------------------------------------------------------------------------- */

static tg_status begin(tg_import *import, size_t height, size_t width, size_t channels, tg_error *err) {
    const tg_sizes *size = &import->options.size;
    size_t sides[2] = {height, width};
    if (size->count) {
        sides[0] = (size_t)size->value[0];
        sides[1] = (size_t)size->value[size->count - 1];
    } else if (height > LARGEST_OWN || width > LARGEST_OWN) {
        sides[0] = sides[1] = PHOTOGRAPH;
    }
    tg_dataset **samples = &import->pictures.samples;
    size_t expected = import->pictures.expected;
    tg_status status = TG_E_MEMORY;
    if (expected)
        status = tg_dataset_create(TG_U8, sides[0], sides[1], channels, expected, 1, false, samples, err);
    if (status != TG_OK) /* that many may be more than there is memory for; perhaps they do not all come */
        TG_TRY(tg_dataset_create(TG_U8, sides[0], sides[1], channels, 16, 1, false, samples, err));
    (*samples)->count = 0;
    return TG_OK;
}

/* The picture into the last sample. */
static tg_status put(tg_import *import, size_t height, size_t width, size_t channels, const uint8_t *pixels,
                     tg_error *err) {
    tg_dataset *samples = import->pictures.samples;
    uint8_t *to = (uint8_t *)samples->pixels + (samples->count - 1) * samples->sample_size;
    if (height == samples->height && width == samples->width) {
        convert(pixels, height * width, channels, to, samples->channels);
        return TG_OK;
    }
    size_t bytes = height * width * samples->channels; /* below 2^32 * 3, checked */
    uint8_t *seen = tg_allocate(bytes);
    float *work =
        tg_allocate(tg_resize_work(height, width, samples->channels, samples->height, samples->width));
    if (seen && work) {
        convert(pixels, height * width, channels, seen, samples->channels);
        tg_resize(seen, height, width, samples->channels, (tg_fit)import->options.fit, to, samples->height,
                  samples->width, work);
        import->pictures.resized++;
    }
    tg_free(seen);
    tg_free(work);
    TG_REQUIRE(err, seen && work, TG_E_MEMORY, "no memory is left to resize %zux%zu pixels", height, width);
    return TG_OK;
}

static tg_status take(tg_import *import, const char *path, size_t height, size_t width, size_t channels,
                      const uint8_t *pixels, tg_error *err) {
    TG_REQUIRE(err,
               height && width && channels >= 1 && channels <= 4 && height <= MAX_SIDE && width <= MAX_SIDE,
               TG_E_DATA, "a picture of %zux%zu pixels and %zu channels cannot be used; sides are 1 to %d",
               height, width, channels, MAX_SIDE);
    TG_REQUIRE(err, height * width <= (size_t)1 << 28, TG_E_DATA,
               "a picture of %zux%zu pixels is too large; make it smaller", height, width);
    tg_pictures *pictures = &import->pictures;
    int color = import->options.color;
    bool grey = color == 2 || (color == 0 && is_grey(pixels, height * width, channels));
    if (!pictures->samples) TG_TRY(begin(import, height, width, grey ? 1 : 3, err));
    if (!grey && pictures->samples->channels == 1) TG_TRY(make_room_for_colour(pictures->samples, err));
    TG_TRY(tg_dataset_grow(pictures->samples, 1, err));
    pictures->samples->labels[pictures->samples->count - 1] = (int32_t)pictures->paths.count;
    tg_status status = tg_texts_add(&pictures->paths, path, strlen(path), err);
    if (status == TG_OK) status = put(import, height, width, channels, pixels, err);
    if (status != TG_OK) pictures->samples->count--;
    return status;
}

void tg_import_expect_pictures(tg_import *import, size_t count) {
    if (!import->pictures.samples) import->pictures.expected = count;
}

tg_status tg_import_picture(tg_import *import, const char *path, size_t height, size_t width, size_t channels,
                            const uint8_t *pixels, tg_error *err) {
    TG_REQUIRE(err, !import->finished, TG_E_STATE, "the files were read already; begin again for more");
    if (tg_import_part(import, path) == TG_PART_IGNORE) return TG_OK;
    tg_error own;
    if (!err) err = &own;
    tg_status status = take(import, path, height, width, channels, pixels, err);
    return status == TG_OK ? TG_OK : tg_import_skip_failed(import, path, err);
}
