/* GIF through giflib: the first frame, on the canvas it has to lie on. */
#include "cli_picture.h"

#include <stdlib.h>
#include <string.h>

#ifdef TG_HAVE_GIF
#include <gif_lib.h>

typedef struct input {
    const cli_file *file;
    size_t at;
} input;

static int give_bytes(GifFileType *gif, GifByteType *to, int size) {
    input *in = gif->UserData;
    size_t left = in->file->size - in->at, count = (size_t)size < left ? (size_t)size : left;
    memcpy(to, in->file->data + in->at, count);
    in->at += count;
    return (int)count;
}

/* Up to the first frame; *transparent: the colour that is none, or -1. */
static bool find_frame(GifFileType *gif, int *transparent) {
    GifRecordType record;
    *transparent = NO_TRANSPARENT_COLOR;
    while (DGifGetRecordType(gif, &record) == GIF_OK && record != TERMINATE_RECORD_TYPE) {
        if (record == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif) == GIF_OK;
        int code;
        GifByteType *block = NULL;
        GraphicsControlBlock control;
        if (record != EXTENSION_RECORD_TYPE || DGifGetExtension(gif, &code, &block) != GIF_OK) return false;
        if (code == GRAPHICS_EXT_FUNC_CODE && block &&
            DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
            *transparent = control.TransparentColor;
        while (block)
            if (DGifGetExtensionNext(gif, &block) != GIF_OK) return false;
    }
    return false;
}

/* Row of the frame that comes as the n-th: those of an interlaced one lie 8, 8, 4 and 2 apart. */
static size_t row_of(size_t n, size_t height, bool interlaced) {
    static const size_t first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
    if (!interlaced) return n;
    for (size_t pass = 0; pass < 4; pass++) {
        size_t rows = height > first[pass] ? (height - first[pass] + step[pass] - 1) / step[pass] : 0;
        if (n < rows) return first[pass] + n * step[pass];
        n -= rows;
    }
    return height;
}

static bool draw_row(const GifFileType *gif, const GifByteType *colors, size_t row, int transparent,
                     cli_picture *out) {
    const GifImageDesc *frame = &gif->Image;
    const ColorMapObject *map = frame->ColorMap ? frame->ColorMap : gif->SColorMap;
    size_t y = (size_t)frame->Top + row;
    for (size_t i = 0; i < (size_t)frame->Width; i++) {
        size_t x = (size_t)frame->Left + i;
        if (colors[i] == transparent || x >= out->width || y >= out->height) continue;
        if (!map || colors[i] >= map->ColorCount) return false;
        const GifColorType *color = &map->Colors[colors[i]];
        memcpy(out->pixels + (y * out->width + x) * 4,
               (uint8_t[]){color->Red, color->Green, color->Blue, 255}, 4);
    }
    return true;
}

static const char *read_gif(GifFileType *gif, cli_picture *out) {
    static const char *const damaged = "is a damaged GIF; download it or save it again";
    int transparent;
    if (!find_frame(gif, &transparent) || gif->Image.Width < 1 || gif->Image.Height < 1 ||
        gif->Image.Left < 0 || gif->Image.Top < 0)
        return damaged;
    bool canvas = gif->SWidth > 0 && gif->SHeight > 0;
    out->width = (size_t)(canvas ? gif->SWidth : gif->Image.Width);
    out->height = (size_t)(canvas ? gif->SHeight : gif->Image.Height);
    out->channels = 4;
    const char *problem = cli_picture_reserve(out);
    if (problem) return problem;
    memset(out->pixels, 0, out->width * out->height * 4);
    size_t width = (size_t)gif->Image.Width, height = (size_t)gif->Image.Height;
    GifByteType *colors = malloc(width);
    bool good = colors != NULL;
    for (size_t n = 0; good && n < height; n++)
        good = DGifGetLine(gif, colors, (int)width) == GIF_OK &&
               draw_row(gif, colors, row_of(n, height, gif->Image.Interlace), transparent, out);
    free(colors);
    return good ? NULL : damaged;
}

const char *cli_gif_decode(const cli_file *file, cli_picture *out) {
    int code;
    input in = {.file = file};
    GifFileType *gif = DGifOpen(&in, give_bytes, &code);
    const char *problem = gif ? read_gif(gif, out) : "is a damaged GIF; download it or save it again";
    if (gif) DGifCloseFile(gif, &code);
    return problem;
}
#else
const char *cli_gif_decode(const cli_file *file, cli_picture *out) {
    (void)file;
    (void)out;
    return "is a GIF, and this program was built without giflib; convert it to PNG";
}
#endif
