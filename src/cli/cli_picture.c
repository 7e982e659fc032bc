/* PNG and JPEG, told by content, through the libraries of the system: pixels as they are stored, 8 bits a channel. */
#include <setjmp.h>
#include <stdio.h> /* before jpeglib.h, which uses it */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "cli.h"

enum { MOST_PIXELS = 1 << 28 };

static bool begins(const cli_file *file, const char *start, size_t length) {
    return file->size >= length && memcmp(file->data, start, length) == 0;
}

cli_picture_kind cli_picture_look(const cli_file *file) {
    if (begins(file, "\x89PNG\r\n\x1a\n", 8)) return CLI_PNG;
    if (begins(file, "\xff\xd8\xff", 3)) return CLI_JPEG;
    bool bmp = begins(file, "BM", 2) && file->size > 26 && file->data[14] >= 12 && !file->data[15] &&
               !file->data[16] && !file->data[17]; /* the size of its second header */
    bool webp = begins(file, "RIFF", 4) && file->size > 12 && memcmp(file->data + 8, "WEBP", 4) == 0;
    return bmp || webp || begins(file, "GIF8", 4) ? CLI_OTHER_PICTURE : CLI_NO_PICTURE;
}

static const char *take_memory(cli_picture *out) {
    if (!out->width || !out->height || out->width > MOST_PIXELS / out->height)
        return "has too many pixels; make it smaller";
    out->pixels = malloc(out->height * out->width * out->channels);
    return out->pixels ? NULL : "has more pixels than there is memory for; make it smaller";
}

/* ---- PNG ---------------------------------------------------------------------------------------------- */

typedef struct png_input {
    const cli_file *file;
    size_t at;
} png_input;

static void give_png(png_structp png, png_bytep to, size_t size) {
    png_input *in = png_get_io_ptr(png);
    if (size > in->file->size - in->at) png_error(png, "cut short");
    memcpy(to, in->file->data + in->at, size);
    in->at += size;
}

static void leave_png(png_structp png, png_const_charp message) {
    (void)message;
    png_longjmp(png, 1);
}

static void be_silent(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/* Everything but gamma is undone: palettes, few and many bits, interlacing, transparency as a chunk. */
static const char *read_png(png_structp png, png_infop info, cli_picture *out) {
    if (setjmp(png_jmpbuf(png))) return "is a damaged PNG; download it or save it again";
    png_read_info(png, info);
    png_set_expand(png);
    png_set_scale_16(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    out->height = png_get_image_height(png, info);
    out->width = png_get_image_width(png, info);
    out->channels = png_get_channels(png, info);
    const char *problem = take_memory(out);
    if (problem) return problem;
    size_t row = out->width * out->channels;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < out->height; y++) png_read_row(png, out->pixels + y * row, NULL);
    return NULL;
}

static const char *open_png(const cli_file *file, cli_picture *out) {
    const char *problem = "cannot be read: no memory is left";
    png_input input = {.file = file};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, leave_png, be_silent);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info) {
        png_set_read_fn(png, &input, give_png);
        problem = read_png(png, info, out);
    }
    png_destroy_read_struct(&png, &info, NULL);
    return problem;
}

/* ---- JPEG --------------------------------------------------------------------------------------------- */

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
    jpeg_mem_src(jpeg, (const unsigned char *)file->data, file->size);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        return "is a JPEG in colours for print (CMYK); save it as RGB";
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    out->height = jpeg->image_height;
    out->width = jpeg->image_width;
    out->channels = jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    const char *problem = take_memory(out);
    if (problem) return problem;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = out->pixels + jpeg->output_scanline * out->width * out->channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    return NULL;
}

static const char *open_jpeg(const cli_file *file, cli_picture *out) {
    jpeg_reader reader = {.jpeg = {.client_data = &reader}};
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = leave_jpeg;
    reader.errors.output_message = ignore_message;
    const char *problem = read_jpeg(&reader, file, out);
    jpeg_destroy_decompress(&reader.jpeg);
    return problem;
}

const char *cli_picture_decode(const cli_file *file, cli_picture *out) {
    *out = (cli_picture){0};
    cli_picture_kind kind = cli_picture_look(file);
    if (kind == CLI_OTHER_PICTURE)
        return "is a GIF, BMP or WebP picture, which only the page reads; convert it to PNG";
    const char *problem = kind == CLI_PNG ? open_png(file, out) : open_jpeg(file, out);
    if (!problem) return NULL;
    free(out->pixels);
    *out = (cli_picture){0};
    return problem;
}
