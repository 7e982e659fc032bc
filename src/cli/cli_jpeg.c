/* JPEG through libjpeg, turned as its EXIF data say, as browsers show it. */
#include <setjmp.h>
#include <stdio.h> /* before jpeglib.h, which uses it */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "cli_picture.h"

/* ---- EXIF ----------------------------------------------------------------------------------------- */

typedef struct tiff {
    const uint8_t *data;
    size_t size;
    bool big_endian;
} tiff;

static uint32_t number_at(const tiff *t, size_t at, size_t bytes) {
    uint32_t number = 0;
    for (size_t i = 0; i < bytes && at + i < t->size; i++)
        number |= (uint32_t)t->data[at + i] << 8 * (t->big_endian ? bytes - 1 - i : i);
    return number;
}

/* 1 to 8, 1 being upright: entry 0x0112 of the first directory. (Exif 2.32, 4.6.2 and 4.6.4) */
static unsigned find_orientation(const struct jpeg_decompress_struct *jpeg) {
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker; marker = marker->next) {
        if (marker->data_length < 14 || memcmp(marker->data, "Exif\0", 6) != 0) continue;
        tiff t = {marker->data + 6, marker->data_length - 6, marker->data[6] == 'M'};
        size_t at = number_at(&t, 4, 4), entries = at < t.size ? number_at(&t, at, 2) : 0;
        for (at += 2; entries > 0 && at < t.size; entries--, at += 12) {
            unsigned orientation = number_at(&t, at + 8, 2);
            if (number_at(&t, at, 2) == 0x0112) return orientation >= 1 && orientation <= 8 ? orientation : 1;
        }
    }
    return 1;
}

/* Turns and mirrors the pixels, so that they are upright. */
static const char *turn_upright(cli_picture *picture, unsigned orientation) {
    static const struct turn {
        bool swapped, right, down; /* rows are columns; right or bottom first */
    } turns[] = {[2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
                 [5] = {true, false, false}, [6] = {true, false, true}, [7] = {true, true, true},
                 [8] = {true, true, false}};
    if (orientation < 2) return NULL;
    const struct turn turn = turns[orientation];
    cli_picture upright = *picture;
    if (turn.swapped) upright.height = picture->width, upright.width = picture->height;
    const char *problem = cli_picture_reserve(&upright);
    if (problem) return problem;
    uint8_t *to = upright.pixels;
    for (size_t y = 0; y < upright.height; y++)
        for (size_t x = 0; x < upright.width; x++, to += upright.channels) {
            size_t row = turn.swapped ? x : y, column = turn.swapped ? y : x;
            if (turn.down) row = picture->height - 1 - row;
            if (turn.right) column = picture->width - 1 - column;
            memcpy(to, picture->pixels + (row * picture->width + column) * upright.channels,
                   upright.channels);
        }
    free(picture->pixels);
    *picture = upright;
    return NULL;
}

/* ---- pixels --------------------------------------------------------------------------------------- */

typedef struct jpeg_reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf back;
} jpeg_reader;

static void leave_jpeg(j_common_ptr jpeg) {
    jpeg_reader *reader = jpeg->client_data;
    longjmp(reader->back, 1);
}

static void ignore_message(j_common_ptr jpeg) {
    (void)jpeg;
}

static const char *read_jpeg(jpeg_reader *reader, const cli_file *file, cli_picture *out) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (setjmp(reader->back)) return "is a damaged JPEG; download it or save it again";
    jpeg_create_decompress(jpeg);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(jpeg, (const unsigned char *)file->data, file->size);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        return "is a JPEG in colours for print (CMYK); save it as RGB";
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    out->height = jpeg->image_height;
    out->width = jpeg->image_width;
    out->channels = jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    const char *problem = cli_picture_reserve(out);
    if (problem) return problem;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = out->pixels + jpeg->output_scanline * out->width * out->channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    return turn_upright(out, find_orientation(jpeg));
}

const char *cli_jpeg_decode(const cli_file *file, cli_picture *out) {
    jpeg_reader reader = {.jpeg = {.client_data = &reader}};
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = leave_jpeg;
    reader.errors.output_message = ignore_message;
    const char *problem = read_jpeg(&reader, file, out);
    jpeg_destroy_decompress(&reader.jpeg);
    return problem;
}
