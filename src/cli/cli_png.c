/* PNG through libpng: pixels as they are stored, 8 bits a channel. */
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "cli_picture.h"

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
    const char *problem = cli_picture_reserve(out);
    if (problem) return problem;
    size_t row = out->width * out->channels;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < out->height; y++) png_read_row(png, out->pixels + y * row, NULL);
    return NULL;
}

const char *cli_png_decode(const cli_file *file, cli_picture *out) {
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
