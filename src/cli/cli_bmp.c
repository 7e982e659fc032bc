/* BMP through stb_image, which is a header. */
#include "cli_picture.h"

#include <limits.h>
#include <string.h>

#ifdef TG_HAVE_STB
#pragma GCC diagnostic ignored "-Wunused-function" /* most of the header is left out */
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#include <stb/stb_image.h>

const char *cli_bmp_decode(const cli_file *file, cli_picture *out) {
    static const char *const damaged = "is a damaged BMP picture; download it or save it again";
    uint32_t promised =
        0; /* bytes of the file, as its header has them; stb_image takes what is missing for 0 */
    for (size_t i = 0; i < 4; i++) promised |= (uint32_t)(uint8_t)file->data[2 + i] << 8 * i;
    if (promised > file->size || file->size > INT_MAX) return damaged;
    int width, height, channels;
    const stbi_uc *bytes = (const stbi_uc *)file->data;
    if (!stbi_info_from_memory(bytes, (int)file->size, &width, &height, &channels)) return damaged;
    *out = (cli_picture){.height = (size_t)height, .width = (size_t)width, .channels = 4};
    const char *problem = cli_picture_reserve(out);
    if (problem) return problem;
    stbi_uc *pixels = stbi_load_from_memory(bytes, (int)file->size, &width, &height, &channels, 4);
    if (!pixels) return damaged;
    memcpy(out->pixels, pixels, out->height * out->width * 4);
    stbi_image_free(pixels);
    return NULL;
}
#else
const char *cli_bmp_decode(const cli_file *file, cli_picture *out) {
    (void)file;
    (void)out;
    return "is a BMP picture, and this program was built without stb_image; convert it to PNG";
}
#endif
