/* Pictures while they are decoded: what the decoders share. */
#ifndef TG_CLI_PICTURE_H
#define TG_CLI_PICTURE_H

#include "cli.h"

/* Memory for the pixels of a picture whose sides and channels are known; NULL, or why there is none. */
const char *cli_picture_reserve(cli_picture *out);

/* Each is given what begins like its own: NULL, or why it cannot be read; *out may hold memory all the same. */
const char *cli_png_decode(const cli_file *file, cli_picture *out);
const char *cli_jpeg_decode(const cli_file *file, cli_picture *out); /* turned as its EXIF data say */
const char *cli_gif_decode(const cli_file *file,
                           cli_picture *out); /* the first frame; RGBA, as the others below */
const char *cli_webp_decode(const cli_file *file, cli_picture *out);
const char *cli_bmp_decode(const cli_file *file, cli_picture *out);

#endif
