"""PNG, JPEG and TIFF."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from deixis.errors import ImageError, TooLargeError
from deixis.images import Bounds, read
from unit.images.making import encoded, ramp, real

RANDOM = np.random.default_rng(0)
GREY = ramp().astype(np.uint8)
DEEP = ramp(top=65535)
TWELVE = ramp(top=4095)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and goes no further."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_8_bits_are_divided_by_255(form):
    """Exactly, and without notice."""
    image = read(encoded(GREY, form))
    assert image.pixels.dtype == np.float32
    assert image.notices == ()
    np.testing.assert_array_equal(image.pixels, GREY / np.float32(255))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_over_their_full_range(form):
    """Exposure stays: nothing is stretched."""
    image = read(encoded(DEEP, form))
    np.testing.assert_allclose(image.pixels, DEEP / 65535, atol=1e-7)
    assert image.notices == ()


@pytest.mark.parametrize(("top", "depth"), [(255, 8), (1000, 10), (4095, 12), (4000, 12), (16000, 14), (20000, 16)])
def test_fewer_bits_in_a_16_bit_file(top, depth):
    """12-bit numbers in a 16-bit file are no black image; a notice says what was taken for white."""
    image = read(encoded(ramp(top=top), "PNG"))
    assert image.pixels.max() == pytest.approx(top / (2**depth - 1))
    assert bool(image.notices) == (depth < 16)


def test_big_endian_tiff():
    """Byte order is the file's."""
    buffer = encoded(TWELVE.astype(">u2"), "TIFF")
    np.testing.assert_allclose(read(buffer).pixels, TWELVE / 4095, atol=1e-7)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(compression):
    """As without compression."""
    image = read(encoded(TWELVE, "TIFF", compression=compression))
    np.testing.assert_allclose(image.pixels, TWELVE / 4095, atol=1e-7)


def test_float_tiff_in_the_unit_range_is_kept():
    """Numbers in [0, 1] are already what an image holds."""
    values = RANDOM.random((20, 30)).astype(np.float32)
    image = read(encoded(values, "TIFF"))
    np.testing.assert_array_equal(image.pixels, values)
    assert image.notices == ()


@pytest.mark.parametrize("values", [RANDOM.normal(0, 900, (20, 30)).astype(np.float32), ramp().astype(np.int32) - 99])
def test_numbers_without_a_range(values):
    """Other floats and signed numbers go from minimum to maximum, with a notice."""
    image = read(encoded(values, "TIFF"))
    expected = (values - values.min()) / np.ptp(values)
    np.testing.assert_allclose(image.pixels, expected, atol=1e-6)
    assert "minimum to maximum" in image.notices[0]


def test_float_tiff_with_nan():
    """NaN carries no meaning here."""
    values = np.full((9, 9), 0.5, np.float32)
    values[3, 3] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        read(encoded(values, "TIFF"))


@pytest.mark.parametrize("values", [GREY, TWELVE])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_white_is_zero_tiff_is_turned(values, compression):
    """Photometric interpretation 0 means that 0 is white, at any depth."""
    top = 255 if values.dtype == np.uint8 else 4095
    plain = encoded(values, "TIFF", compression=compression)
    photometric = struct.pack("<HHII", 262, 3, 1, 1)
    assert plain.count(photometric) == 1
    image = read(plain.replace(photometric, struct.pack("<HHII", 262, 3, 1, 0)))
    np.testing.assert_allclose(image.pixels, 1 - values / top, atol=1e-6)


def test_jpeg_is_near_its_original():
    """A lossy codec, quality 95."""
    image = read(encoded(GREY, "JPEG", quality=95))
    assert np.abs(image.pixels - GREY / 255).max() < 0.03


def test_colour_photo_is_converted_with_a_notice():
    """Grey by luma."""
    values = RANDOM.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    image = read(encoded(values, "PNG"))
    np.testing.assert_allclose(image.pixels, values @ [0.299, 0.587, 0.114] / 255, atol=1e-6)
    assert image.notices == ("colour converted to grey",)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_grey_stored_as_colour_is_grey(form):
    """Most radiographs on the web are RGB with equal channels: no notice."""
    image = read(encoded(np.repeat(GREY[..., None], 3, -1), form, **({"quality": 100} if form == "JPEG" else {})))
    assert image.notices == ()
    assert np.abs(image.pixels - GREY / 255).max() < 0.02


def test_alpha_is_shown_over_black():
    """Transparent parts are black, with a notice."""
    values = np.dstack([GREY, GREY, GREY, np.where(GREY > 128, 255, 0).astype(np.uint8)])
    image = read(encoded(values, "PNG"))
    np.testing.assert_allclose(image.pixels, np.where(GREY > 128, GREY, 0) / 255, atol=1e-6)
    assert image.notices == ("transparency shown over black",)


def test_opaque_alpha_says_nothing():
    """An alpha channel of 255 changes nothing."""
    image = read(encoded(np.dstack([GREY, np.full_like(GREY, 255)]), "PNG"))
    np.testing.assert_allclose(image.pixels, GREY / 255, atol=1e-6)
    assert image.notices == ()


@pytest.mark.parametrize("coloured", [False, True])
def test_palette(coloured, tmp_path):
    """A palette of greys is grey, one of colours is converted."""
    picture = Pillow.fromarray(GREY).convert("P")
    picture.putpalette([value for i in range(256) for value in ((i, i, i) if not coloured else (255 - i, i, i))])
    path = tmp_path / "a.png"
    picture.save(path)
    image = read(path)
    assert bool(image.notices) == coloured
    expected = GREY / 255 if not coloured else (0.299 * (255.0 - GREY) + 0.701 * GREY) / 255
    np.testing.assert_allclose(image.pixels, expected, atol=1e-6)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_grey_levels(bits, tmp_path):
    """1, 2 and 4 bits go over their full range."""
    levels = (GREY >> (8 - bits)).astype(np.uint8)
    rows = [np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits :].ravel()) for row in levels]
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50, 40, bits, 0, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    np.testing.assert_allclose(read(content).pixels, levels / (2**bits - 1), atol=1e-6)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(
    ("form", "options"), [("JPEG", {"quality": 100}), ("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})]
)
def test_exif_orientation(orientation, form, options):
    """The image comes upright, once, with a notice."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    image = read(encoded(GREY, form, exif=exif, **options))
    turns = {2: np.fliplr, 3: lambda a: a[::-1, ::-1], 4: np.flipud, 5: np.transpose}
    turns |= {6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].T, 8: np.rot90}
    np.testing.assert_allclose(image.pixels, turns[orientation](GREY) / 255, atol=0.02)
    assert "EXIF orientation" in image.notices[0]


def test_broken_exif_is_no_broken_image():
    """Unreadable EXIF says nothing about the picture."""
    image = read(encoded(GREY, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"))
    assert image.shape == GREY.shape


def test_first_of_several_pages(tmp_path):
    """A multi-page TIFF gives its first page, with a notice."""
    path = tmp_path / "a.tif"
    Pillow.fromarray(GREY).save(path, save_all=True, append_images=[Pillow.fromarray(255 - GREY)])
    image = read(path)
    np.testing.assert_allclose(image.pixels, GREY / 255, atol=1e-6)
    assert "several pages" in image.notices[0]


def test_unusual_mode_is_named():
    """A colour space without a way to grey is refused by its name, not called damaged."""
    with pytest.raises(ImageError, match="stored as LAB"):
        read(_lab())


def _lab() -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    Pillow.fromarray(np.dstack([GREY] * 3), mode="LAB").save(buffer, "TIFF")
    return buffer.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "TIFF", "LZW"]), st.floats(0, 0.97))
def test_truncated_file_is_an_error(form, share):
    """Cut anywhere before its last bytes, a file is refused, never half-read."""
    options = {"compression": "tiff_lzw"} if form == "LZW" else {}
    content = encoded(RANDOM_PICTURE, "TIFF" if form == "LZW" else form, **options)
    with pytest.raises(ImageError):
        read(content[: int(share * len(content))])


RANDOM_PICTURE = np.random.default_rng(1).integers(0, 256, (40, 50)).astype(np.uint8)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_truncated_file_says_what_to_do(form):
    """One clear line."""
    content = encoded(RANDOM_PICTURE, form)
    with pytest.raises(ImageError, match=r"^the image is damaged or cut short\. Export or copy it again\.$"):
        read(content[: len(content) // 2])


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG", "TIFF"]), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6)
)
def test_mutated_file_gives_an_image_or_an_error(form, changes):
    """Whatever bytes a file holds, nothing but an ImageError comes out."""
    content = bytearray(encoded(RANDOM_PICTURE, form))
    for at, value in changes:
        content[at] = value
    try:
        image = read(bytes(content))
    except ImageError:
        return
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1


def test_decompression_bomb_is_refused_before_it_is_decoded():
    """Less than 100 bytes that say 121 million pixels, or, beyond Pillow's own limit, 400 million."""
    for side in (11_000, 20_000):
        with pytest.raises(ImageError, match="more than the 100 million pixels that deixis takes"):
            read(png_header(side, side))


def test_limit_is_a_limit():
    """As many pixels as allowed, not one more."""
    assert read(encoded(GREY, "PNG"), Bounds(pixels=GREY.size)).shape == GREY.shape
    with pytest.raises(TooLargeError, match="Scale it down"):
        read(encoded(GREY, "PNG"), Bounds(pixels=GREY.size - 1))


def test_zero_size_image():
    """A header of 0 × 10 pixels."""
    with pytest.raises(ImageError):
        read(png_header(0, 10))


@pytest.mark.parametrize("name", ["hannover_2168a917.png", "nih_00000001_000.png"])
def test_real_radiographs(name):
    """Real files are read without notice, dark air and bright bone."""
    image = read(real(name))
    assert image.notices == ()
    assert image.pixels.min() < 0.1
    assert image.pixels.max() > 0.9
