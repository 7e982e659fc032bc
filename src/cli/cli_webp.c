/* WebP through libwebp: the picture, or the first of an animation. */
#include "cli_picture.h"

#include <string.h>

#ifdef TG_HAVE_WEBP
#include <webp/demux.h>

const char *cli_webp_decode(const cli_file *file, cli_picture *out) {
    static const char *const damaged = "is a damaged WebP picture; download it or save it again";
    WebPAnimDecoderOptions options;
    WebPAnimInfo info;
    uint8_t *frame;
    int timestamp;
    if (!WebPAnimDecoderOptionsInit(&options)) return damaged;
    WebPAnimDecoder *decoder =
        WebPAnimDecoderNew(&(WebPData){(const uint8_t *)file->data, file->size}, &options);
    if (!decoder) return damaged;
    const char *problem = damaged;
    if (WebPAnimDecoderGetInfo(decoder, &info) && WebPAnimDecoderGetNext(decoder, &frame, &timestamp)) {
        *out = (cli_picture){.height = info.canvas_height, .width = info.canvas_width, .channels = 4};
        problem = cli_picture_reserve(out);
        if (!problem) memcpy(out->pixels, frame, out->height * out->width * 4);
    }
    WebPAnimDecoderDelete(decoder);
    return problem;
}
#else
const char *cli_webp_decode(const cli_file *file, cli_picture *out) {
    (void)file;
    (void)out;
    return "is a WebP picture, and this program was built without libwebp; convert it to PNG";
}
#endif
