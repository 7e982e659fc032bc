/* Pictures are told by content, and decoded by the libraries of the system. */
#include "cli_picture.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 28 };

static bool begins(const cli_file *file, const char *start, size_t length) {
    return file->size >= length && memcmp(file->data, start, length) == 0;
}

cli_picture_kind cli_picture_look(const cli_file *file) {
    if (begins(file, "\x89PNG\r\n\x1a\n", 8)) return CLI_PNG;
    if (begins(file, "\xff\xd8\xff", 3)) return CLI_JPEG;
    if (begins(file, "GIF8", 4)) return CLI_GIF;
    if (begins(file, "RIFF", 4) && file->size > 12 && memcmp(file->data + 8, "WEBP", 4) == 0) return CLI_WEBP;
    bool bmp = begins(file, "BM", 2) && file->size > 26 && file->data[14] >= 12 && !file->data[15] &&
               !file->data[16] && !file->data[17]; /* the size of its second header */
    return bmp ? CLI_BMP : CLI_NO_PICTURE;
}

const char *cli_picture_reserve(cli_picture *out) {
    if (!out->width || !out->height || out->width > MOST_PIXELS / out->height)
        return "has too many pixels, or none; save it again, smaller";
    out->pixels = malloc(out->height * out->width * out->channels);
    return out->pixels ? NULL : "has more pixels than there is memory for; make it smaller";
}

const char *cli_picture_decode(const cli_file *file, cli_picture *out) {
    static const char *(*const decoders[])(const cli_file *, cli_picture *) = {
        [CLI_PNG] = cli_png_decode,   [CLI_JPEG] = cli_jpeg_decode, [CLI_GIF] = cli_gif_decode,
        [CLI_WEBP] = cli_webp_decode, [CLI_BMP] = cli_bmp_decode,
    };
    *out = (cli_picture){0};
    const char *problem = decoders[cli_picture_look(file)](file, out);
    if (!problem) return NULL;
    free(out->pixels);
    *out = (cli_picture){0};
    return problem;
}
