"""One picture in every kind of file that pictures come in: fixtures/pictures/. Needs python3-pil (Debian's name).

    python3 tests/make_picture_fixtures.py

Those under lossless/ hold the very same pixels, in colour; some under transparent/ have none in a corner. Those under turned/ are JPEGs
whose EXIF data tell how to hold them: blocks of one grey each, so that all of them hold the same values again."""

import pathlib

from PIL import Image

FOLDER = pathlib.Path(__file__).parent / "fixtures/pictures"
INK = [(200, 30, 60), (20, 120, 220), (250, 240, 10), (0, 0, 0), (255, 255, 255), (90, 160, 40)]
# What brings a picture that is held as EXIF's 6 says upright again, and its undoing.
HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def draw(width, height):
    picture = Image.new("RGB", (width, height))
    picture.putdata([INK[(x * 7 + y * 3 + x * y) % len(INK)] for y in range(height) for x in range(width)])
    return picture


def write_lossless(folder):
    folder.mkdir(parents=True, exist_ok=True)
    picture = draw(13, 11)
    palette = picture.quantize(len(INK))
    assert list(palette.convert("RGB").getdata()) == list(picture.getdata())
    picture.save(folder / "colour.png")
    picture.save(folder / "colour.bmp")
    palette.save(folder / "palette.bmp")
    picture.convert("RGBA").save(folder / "alpha.bmp")
    picture.save(folder / "colour.webp", lossless=True, quality=100, exact=True)
    palette.save(folder / "interlaced.gif", interlace=1)
    palette.save(folder / "plain.gif", interlace=0)
    others = [draw(13, 11).rotate(180), draw(13, 11).transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    palette.save(folder / "animated.gif", save_all=True, append_images=others, duration=100)
    picture.save(folder / "animated.webp", save_all=True, append_images=others, duration=100, lossless=True)


def write_transparent(folder):
    folder.mkdir(parents=True, exist_ok=True)
    picture = draw(13, 11).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 4, 3))
    picture.save(folder / "corner.png")
    picture.save(folder / "corner.webp", lossless=True, quality=100, exact=True)
    picture.save(folder / "corner.gif")


def write_turned(folder):
    folder.mkdir(parents=True, exist_ok=True)
    upright = Image.new("L", (32, 16))
    for i, grey in enumerate([0, 36, 72, 108, 144, 180, 216, 252]):
        x, y = i % 4 * 8, i // 4 * 8
        upright.paste(grey, (x, y, x + 8, y + 8))
    upright.save(folder / "1.jpg", quality=100)
    for orientation, held in HELD.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        upright.transpose(held).save(folder / f"{orientation}.jpg", quality=100, exif=exif)


write_lossless(FOLDER / "lossless")
write_transparent(FOLDER / "transparent")
write_turned(FOLDER / "turned")
