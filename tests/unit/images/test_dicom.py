"""DICOM: the grey-scale chain, odd files, and what is said about them."""

import copy
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from deixis.errors import ImageError, TooLargeError
from deixis.images import Bounds, read
from unit.images import codestreams
from unit.images.making import dataset, dicom, encoded, ramp, real, saved

EIGHT = ramp().astype(np.uint8)
TWELVE = ramp(top=4095)
DEEP = ramp(top=60000)
NOISE = np.random.default_rng(0).integers(0, 4096, (40, 50)).astype(np.uint16)


def refusal(content: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read(content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def table(first: int, entries: list[int], bits: int, **explanation) -> Sequence:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "US", entries)
    return Sequence([item])


# ---- polarity and range


def test_monochrome1_is_one_minus_monochrome2_exactly():
    """8 bits over their full range, 12 bits by percentiles or window: polarity comes last and exactly."""
    for stored, elements in (
        (EIGHT, {}),
        (NOISE, {"BitsStored": 12}),
        (NOISE, {"WindowCenter": 900, "WindowWidth": 777}),
    ):
        two = read(dicom(stored, **elements)).pixels
        one = read(dicom(stored, PhotometricInterpretation="MONOCHROME1", **elements)).pixels
        np.testing.assert_array_equal(one, 1 - two)


def test_real_files_with_opposite_labels():
    """The two real files hold the same numbers: one is one minus the other."""
    one, two = read(real("cr_mono1_variant.dcm")), read(real("cr_jpeg_baseline_mono2.dcm"))
    np.testing.assert_array_equal(one.pixels, 1 - two.pixels)
    assert one.spacing == two.spacing == (0.168, 0.168)
    assert one.notices == two.notices == ()


def test_8_bits_without_window_are_as_stored():
    """Full range."""
    np.testing.assert_allclose(read(dicom(EIGHT)).pixels, EIGHT / 255, atol=1e-7)


def test_signed_8_bits():
    """-128 is black, 127 white."""
    stored = (EIGHT.astype(np.int16) - 128).astype(np.int8)
    np.testing.assert_allclose(read(dicom(stored)).pixels, EIGHT / 255, atol=1e-7)


def test_more_bits_without_window_go_by_percentiles():
    """The outermost half per cent on either side is cut."""
    low, high = np.percentile(NOISE, [0.5, 99.5])
    expected = np.clip((NOISE - low) / (high - low), 0, 1)
    np.testing.assert_allclose(read(dicom(NOISE, BitsStored=12)).pixels, expected, atol=0.002)


@pytest.mark.parametrize(("photometric", "shape", "inverted", "told"), [
    ("MONOCHROME2", None, False, False),
    ("MONOCHROME1", None, True, False),
    ("MONOCHROME2", "IDENTITY", False, False),
    ("MONOCHROME1", "INVERSE", True, False),
    ("MONOCHROME2", "INVERSE", True, True),
    ("MONOCHROME1", "IDENTITY", True, True),
    (" monochrome1", None, True, False),
])  # fmt: skip
def test_polarity_is_turned_once(photometric, shape, inverted, told):
    """Either label turns the image, both turn it once; contradicting ones get a notice."""
    elements = {"PhotometricInterpretation": photometric} | ({"PresentationLUTShape": shape} if shape else {})
    image = read(dicom(EIGHT, **elements))
    np.testing.assert_allclose(image.pixels, np.abs(inverted - EIGHT / 255), atol=1e-6)
    assert any("PresentationLUTShape (2050,0020)" in notice for notice in image.notices) == told


# ---- windows and tables


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(2048, 4096), (1000, 500.5), (100, 1.5)])
@pytest.mark.parametrize("rescale", [(1, 0), (0.5, -100), (-2, 30)])
def test_windows_as_pydicom_has_them(function, center, width, rescale):
    """The three functions after rescaling, against pydicom's own."""
    elements = {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function, "BitsStored": 12}
    elements |= {"RescaleSlope": rescale[0], "RescaleIntercept": rescale[1]}
    made = dataset(NOISE, **elements)
    with np.errstate(over="ignore"):
        theirs = apply_voi_lut(apply_modality_lut(NOISE, made), made)
    ends = np.array([0, 4095]) * rescale[0] + rescale[1]
    expected = (theirs - ends[0]) / (ends[1] - ends[0])
    ours = read(saved(made))
    if np.ptp(expected) < 1 / 255:
        assert "leaves one grey only" in ours.notices[0]
    else:
        np.testing.assert_allclose(ours.pixels, expected, atol=1e-6)


@pytest.mark.parametrize("written", ["SIGMOID", "sigmoid", " Sigmoid ", ["SIGMOID", "LINEAR"]])
def test_function_as_written_in_the_wild(written):
    """Padded, in lower case, a list: the function is the same."""
    elements = {"WindowCenter": 2000, "WindowWidth": 1000, "BitsStored": 12}
    image = read(dicom(NOISE, VOILUTFunction=("CS", written), **elements))
    np.testing.assert_array_equal(image.pixels, read(dicom(NOISE, VOILUTFunction="SIGMOID", **elements)).pixels)
    assert image.notices == ()


def test_unknown_function_is_linear_with_a_notice():
    """The tag is named, its value is not."""
    elements = {"WindowCenter": 2000, "WindowWidth": 1000}
    image = read(dicom(NOISE, VOILUTFunction=("CS", "DOE^JANE"), **elements))
    np.testing.assert_array_equal(image.pixels, read(dicom(NOISE, **elements)).pixels)
    assert image.notices == ("VOILUTFunction (0028,1056) is unknown and was read as LINEAR",)


def test_first_of_several_windows():
    """Alternatives are left alone."""
    several = read(dicom(NOISE, WindowCenter=[2000, 10], WindowWidth=[1000, 20]))
    np.testing.assert_array_equal(several.pixels, read(dicom(NOISE, WindowCenter=2000, WindowWidth=1000)).pixels)


@pytest.mark.parametrize(("center", "width", "tag"), [
    (2000, 0, "WindowWidth (0028,1051)"),
    (2000, -5, "WindowWidth (0028,1051)"),
    (-9000, 5, "WindowCenter (0028,1050)"),
    (90000, 5, "WindowCenter (0028,1050)"),
])  # fmt: skip
def test_window_that_shows_nothing_is_ignored(center, width, tag):
    """A window that no picture would survive is left out, with a notice."""
    image = read(dicom(NOISE, WindowCenter=center, WindowWidth=width, BitsStored=12))
    np.testing.assert_array_equal(image.pixels, read(dicom(NOISE, BitsStored=12)).pixels)
    assert any(notice.startswith(tag) for notice in image.notices)


def test_width_1_is_a_step():
    """LINEAR of width 1 is black up to center - ½, white above."""
    image = read(dicom(NOISE, WindowCenter=2000, WindowWidth=1))
    np.testing.assert_array_equal(image.pixels, NOISE > 1999.5)


def test_voi_table_replaces_the_window():
    """Where both are given the table counts, first value and ends included."""
    entries = [int(4095 * (i / 2999) ** 2) for i in range(3000)]
    image = read(dicom(NOISE, VOILUTSequence=table(500, entries, 12), WindowCenter=1, WindowWidth=2))
    expected = np.array(entries)[np.clip(NOISE.astype(int) - 500, 0, 2999)] / 4095
    np.testing.assert_allclose(image.pixels, expected, atol=1e-6)


def test_voi_table_that_overstates_its_depth():
    """A descriptor of 16 bits over entries of 12 does not make a black image."""
    entries = list(range(4096))
    image = read(dicom(NOISE, VOILUTSequence=table(0, entries, 16)))
    np.testing.assert_allclose(image.pixels, NOISE / 4095, atol=1e-6)


def test_table_of_65536_entries():
    """A descriptor of 0 entries means 65,536."""
    entries = [65535 - i for i in range(65536)]
    image = read(dicom(DEEP, VOILUTSequence=table(0, entries, 16)))
    np.testing.assert_allclose(image.pixels, 1 - DEEP / 65535, atol=1e-6)


def test_negative_first_value():
    """Signed pixels through a table that begins below zero."""
    stored = NOISE.astype(np.int16) - 2048
    image = read(dicom(stored, VOILUTSequence=table(-2048, list(range(4096)), 12)))
    np.testing.assert_allclose(image.pixels, NOISE / 4095, atol=1e-6)


@pytest.mark.parametrize("entries", [[], None])
def test_malformed_table_is_ignored(entries):
    """Empty or missing data: the window counts, with a notice."""
    sequence = table(0, entries or [0], 12)
    if entries is None:
        del sequence[0].LUTData
    else:
        sequence[0].LUTData = []
    image = read(dicom(NOISE, VOILUTSequence=sequence, WindowCenter=2000, WindowWidth=1000))
    np.testing.assert_array_equal(image.pixels, read(dicom(NOISE, WindowCenter=2000, WindowWidth=1000)).pixels)
    assert image.notices == ("VOILUTSequence (0028,3010) is malformed and was ignored",)


def test_modality_table():
    """Comes before the window."""
    entries = list(range(4095, -1, -1))
    image = read(dicom(NOISE, ModalityLUTSequence=table(0, entries, 12), WindowCenter=2048, WindowWidth=4096))
    np.testing.assert_allclose(image.pixels, (4095 - NOISE) / 4095, atol=1e-6)


def test_unreadable_number_is_ignored_with_a_notice():
    """A window of words is no window."""
    made = dataset(NOISE, BitsStored=12)
    made.WindowWidth = 7
    made.add_new("WindowCenter", "LO", "JANE DOE")
    image = read(saved(made))
    np.testing.assert_array_equal(image.pixels, read(dicom(NOISE, BitsStored=12)).pixels)
    assert image.notices == ("WindowCenter (0028,1050) is not a number and was ignored",)


# ---- padding, depths, frames, colour


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_count(photometric):
    """Padded pixels are black under either label and leave the percentiles alone."""
    stored = NOISE.copy()
    stored[:20] = 65535
    padded = read(dicom(stored, PixelPaddingValue=("US", 65535), PhotometricInterpretation=photometric)).pixels
    alone = read(dicom(NOISE[20:], PhotometricInterpretation=photometric)).pixels
    np.testing.assert_array_equal(padded[20:], alone)
    assert (padded[:20] == 0).all()


def test_padding_range_and_a_wrong_sign():
    """A range of padding; its VR says unsigned while the pixels are signed."""
    stored = NOISE.astype(np.int16)
    stored[:20] = -2000
    elements = {"PixelPaddingValue": ("US", 65536 - 2000), "PixelPaddingRangeLimit": ("US", 65536 - 1990)}
    assert (read(dicom(stored, **elements)).pixels[:20] == 0).all()


def test_padding_of_everything_is_ignored():
    """A range over all values hides nothing."""
    image = read(dicom(EIGHT, PixelPaddingValue=("US", 0), PixelPaddingRangeLimit=("US", 255)))
    np.testing.assert_allclose(image.pixels, EIGHT / 255, atol=1e-7)
    assert "PixelPaddingValue (0028,0120)" in image.notices[0]


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15, 16])
def test_odd_depths(bits):
    """A window over the full range of any depth gives all of it."""
    stored = ramp(top=2**bits - 1)
    image = read(dicom(stored, BitsStored=bits, WindowCenter=2 ** (bits - 1), WindowWidth=2**bits))
    np.testing.assert_allclose(image.pixels, stored / (2**bits - 1), atol=1e-6)


def test_overlay_in_the_unused_bits():
    """Old files keep graphics in the bits above HighBit."""
    stored = NOISE | np.where(np.arange(50) % 7 == 0, 0x8000, 0).astype(np.uint16)
    clean = read(dicom(NOISE, BitsStored=12)).pixels
    np.testing.assert_array_equal(read(dicom(stored, BitsStored=12)).pixels, clean)


def test_numbers_in_the_upper_bits():
    """HighBit 15 with 12 bits stored."""
    stored = ((NOISE << 4) | 7).astype(np.uint16)
    clean = read(dicom(NOISE, BitsStored=12)).pixels
    np.testing.assert_array_equal(read(dicom(stored, BitsStored=12, HighBit=15)).pixels, clean)


def test_signed_numbers_without_sign_extension():
    """12-bit two's complement in 16 bits, upper bits zero."""
    signed = NOISE.astype(np.int16) - 2048
    bare = (signed & 0x0FFF).astype(np.int16)
    elements = {"BitsStored": 12, "WindowCenter": 0, "WindowWidth": 4096}
    np.testing.assert_allclose(read(dicom(bare, **elements)).pixels, NOISE / 4095, atol=1e-6)


def test_32_bits():
    """Whole numbers of any size go by percentiles."""
    image = read(dicom(NOISE.astype(np.uint32) * 1000))
    np.testing.assert_allclose(image.pixels, read(dicom(NOISE, BitsStored=12)).pixels, atol=1e-6)


def test_float_pixels():
    """FloatPixelData too."""
    made = dataset(NOISE, PixelData=None, BitsStored=None, HighBit=None, PixelRepresentation=None)
    made.BitsAllocated = 32
    made.FloatPixelData = (NOISE / 7).astype("<f4").tobytes()
    np.testing.assert_allclose(read(saved(made)).pixels, read(dicom(NOISE, BitsStored=12)).pixels, atol=1e-6)


def test_first_of_several_frames():
    """Multi-frame secondary capture."""
    made = dataset(EIGHT, NumberOfFrames=3)
    made.PixelData = EIGHT.tobytes() + (255 - EIGHT).tobytes() + EIGHT.tobytes()
    image = read(saved(made))
    np.testing.assert_allclose(image.pixels, EIGHT / 255, atol=1e-7)
    assert image.notices == ("only the first of several frames was read",)


@pytest.mark.parametrize("coloured", [False, True])
def test_rgb_secondary_capture(coloured):
    """Colour by luma with a notice; equal channels are grey without one."""
    stored = np.dstack([EIGHT, EIGHT, 255 - EIGHT if coloured else EIGHT])
    image = read(dicom(stored))
    np.testing.assert_allclose(image.pixels, stored @ [0.299, 0.587, 0.114] / 255, atol=1e-6)
    assert image.notices == (("colour converted to grey",) if coloured else ())


def test_palette_colour():
    """Indices go through their palette."""
    made = dataset(EIGHT, PhotometricInterpretation="PALETTE COLOR")
    for name, values in (("Red", range(256)), ("Green", range(255, -1, -1)), ("Blue", range(256))):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(made, f"{name}PaletteColorLookupTableData", bytes(values))
    image = read(saved(made))
    np.testing.assert_allclose(image.pixels, (0.413 * EIGHT + 0.587 * (255.0 - EIGHT)) / 255, atol=1e-6)


def test_binary_image():
    """One bit per pixel."""
    bits = (NOISE > 2000).astype(np.uint8)
    made = dataset(EIGHT, BitsAllocated=1, BitsStored=1)
    made.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
    np.testing.assert_array_equal(read(saved(made)).pixels, bits)


# ---- transfer syntaxes


@pytest.mark.parametrize("syntax", [
    uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless,
    uid.JPEGLSLossless, uid.JPEG2000Lossless,
])  # fmt: skip
def test_lossless_transfer_syntaxes(syntax):
    """The same pixels out of every container."""
    made = dataset(NOISE, BitsStored=12)
    expected = read(saved(made)).pixels
    if syntax.is_encapsulated:
        made.compress(syntax)
    made.file_meta.TransferSyntaxUID = syntax
    np.testing.assert_array_equal(read(saved(made)).pixels, expected)


# Transfer syntax, GDCM's name of it, bits, and by how many levels pixels may differ.
BY_GDCM = [
    (uid.JPEGBaseline8Bit, "JPEGBaselineProcess1", 8, 3),
    (uid.JPEGExtended12Bit, "JPEGExtendedProcess2_4", 8, 3),
    (uid.JPEGLossless, "JPEGLosslessProcess14", 8, 0),
    (uid.JPEGLossless, "JPEGLosslessProcess14", 12, 0),
    (uid.JPEGLossless, "JPEGLosslessProcess14", 16, 0),
    (uid.JPEGLosslessSV1, "JPEGLosslessProcess14_1", 8, 0),
    (uid.JPEGLosslessSV1, "JPEGLosslessProcess14_1", 12, 0),
    (uid.JPEGLosslessSV1, "JPEGLosslessProcess14_1", 16, 0),
    (uid.JPEGLSLossless, "JPEGLSLossless", 16, 0),
    (uid.JPEGLSNearLossless, "JPEGLSNearLossless", 12, 3),
    (uid.JPEG2000, "JPEG2000", 12, 3),
    (uid.JPEG2000Lossless, "JPEG2000Lossless", 16, 0),
    (uid.RLELossless, "RLELossless", 12, 0),
]


def full_range(bits: int) -> pydicom.Dataset:
    """A ramp over all levels, its window the full range."""
    stored = ramp(top=2**bits - 1)
    stored = stored.astype(np.uint8) if bits == 8 else stored
    return dataset(stored, BitsStored=bits, WindowCenter=2 ** (bits - 1), WindowWidth=2**bits)


@pytest.mark.parametrize(("syntax", "name", "bits", "levels"), BY_GDCM)
def test_transfer_syntaxes_that_another_library_encoded(syntax, name, bits, levels):
    """What GDCM compressed is read, exactly where it is lossless."""
    made = full_range(bits)
    content = by_gdcm(made, name)
    assert pydicom.dcmread(BytesIO(content)).file_meta.TransferSyntaxUID == syntax
    difference = np.abs(read(content).pixels - read(saved(made)).pixels).max()
    assert difference <= (levels + 0.01) / (2**bits - 1)


@pytest.mark.parametrize(("syntax", "frame", "levels"), [
    (uid.HTJ2KLossless, codestreams.HTJ2K_LOSSLESS, 0),
    (uid.HTJ2KLosslessRPCL, codestreams.HTJ2K_LOSSLESS, 0),
    (uid.HTJ2K, codestreams.HTJ2K_LOSSY, 30),
    (uid.JPEGExtended12Bit, codestreams.JPEG_EXTENDED, 1),
])  # fmt: skip
def test_transfer_syntaxes_of_which_frames_are_kept(syntax, frame, levels, capfd):
    """High-throughput JPEG 2000, and JPEG of 12 bits; without a word of the libraries."""
    made = full_range(12)
    expected = read(saved(made)).pixels
    difference = np.abs(read(compressed(made, syntax, frame)).pixels - expected).max()
    assert difference <= (levels + 0.01) / 4095
    assert "".join(capfd.readouterr()) == ""


def compressed(made, syntax, frame: bytes) -> bytes:
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate([frame])
    made["PixelData"].is_undefined_length = True
    return saved(made)


@pytest.mark.parametrize("at", [0, 1, 4, 6, 9, 10])
def test_damaged_jpeg_of_12_bits_is_an_error(at):
    """Whatever of its frame header is wrong, the tag is named."""
    frame = bytearray(codestreams.JPEG_EXTENDED)
    frame[frame.index(b"\xff\xc1") + at] ^= 0xFF
    text = refusal(compressed(full_range(12), uid.JPEGExtended12Bit, bytes(frame)))
    assert "PixelData (7FE0,0010)" in text or "Rows (0028,0010)" in text


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_jpeg_of_12_bits_that_is_cut_short_ends_no_process(share):
    """Its tables are missing, or its scan ends early."""
    frame = codestreams.JPEG_EXTENDED[: int(share * len(codestreams.JPEG_EXTENDED))]
    try:
        image = read(compressed(full_range(12), uid.JPEGExtended12Bit, frame))
    except ImageError:
        return
    assert image.shape == (40, 50)


def test_extended_without_gdcm_says_what_to_install(monkeypatch):
    """pydicom's own decoders would refuse it at a later time."""
    monkeypatch.setattr("deixis.images.extended.is_installed", lambda: False)
    text = refusal(compressed(full_range(12), uid.JPEGExtended12Bit, codestreams.JPEG_EXTENDED))
    assert "pip install 'deixis[dicom]'" in text


def test_damaged_jpeg_lossless_never_ends_the_process():
    """GDCM aborts over a gap between segments and over insane depths: such frames do not reach it."""
    content = by_gdcm(full_range(12), "JPEGLosslessProcess14_1")
    start = content.index(b"\xff\xd8")
    header = content.index(b"\xff\xc3") - start
    for at, value in ((2, 0x8F), (header + 4, 0x8E), (header + 4, 1), (header + 13, 0x8F), (header + 9, 2)):
        damaged = bytearray(content)
        damaged[start + at] = value
        assert "PixelData (7FE0,0010) is damaged" in refusal(bytes(damaged))


def test_big_endian():
    """Retired, and still around."""
    made = dataset(NOISE, BitsStored=12)
    expected = read(saved(made)).pixels
    made.PixelData = NOISE.astype(">u2").tobytes()
    made.file_meta.TransferSyntaxUID = uid.ExplicitVRBigEndian
    np.testing.assert_array_equal(read(saved(made)).pixels, expected)


def jpeg(stored: np.ndarray, **elements) -> bytes:
    made = dataset(stored, **elements)
    made.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    made.PixelData = encapsulate([encoded(stored, "JPEG", quality=95)])
    made["PixelData"].is_undefined_length = True
    return saved(made)


def test_jpeg_baseline():
    """Lossy, within a few levels."""
    assert np.abs(read(jpeg(EIGHT)).pixels - EIGHT / 255).max() < 0.03


def by_gdcm(made, name: str) -> bytes:
    """The file in another transfer syntax, compressed by GDCM."""
    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "a.dcm", Path(folder) / "b.dcm"
        plain.write_bytes(saved(made))
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(packed))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return packed.read_bytes()


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_without_preamble_and_meta(syntax):
    """A bare data set, as old archives export it."""
    made = dataset(NOISE, BitsStored=12)
    expected = read(saved(made)).pixels
    buffer = BytesIO()
    pydicom.filewriter.write_dataset(_stream(buffer, syntax), made)
    np.testing.assert_array_equal(read(buffer.getvalue()).pixels, expected)


def _stream(buffer, syntax):
    stream = pydicom.filebase.DicomFileLike(buffer)
    stream.is_implicit_VR, stream.is_little_endian = syntax.is_implicit_VR, True
    return stream


def test_compression_without_decoder_says_what_to_install(monkeypatch):
    """The transfer syntax by its name, and the extra."""
    from pydicom.pixels.decoders.base import Decoder

    content = jpeg(EIGHT)
    monkeypatch.setattr(Decoder, "is_available", property(lambda self: False))
    text = refusal(content)
    assert "JPEG Baseline (Process 1)" in text
    assert "pip install 'deixis[dicom]'" in text


def test_gdcm_is_asked_last():
    """It ends the process over some damaged streams, so what others decode never reaches it."""
    from deixis.images.frames import _plugins
    from deixis.images.header import Header
    from deixis.images.source import open_source

    assert "gdcm" not in _plugins(Header(open_source(jpeg(EIGHT))))


def test_video_is_no_image():
    """A transfer syntax that pydicom decodes no image of."""
    made = dataset(EIGHT)
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    made.PixelData = encapsulate([b"\0" * 10])
    made["PixelData"].is_undefined_length = True
    assert "holds no image that deixis decodes" in refusal(saved(made))


# ---- what is said about an image


@pytest.mark.parametrize(("elements", "spacing", "tag"), [
    ({}, None, None),
    ({"PixelSpacing": [0.2, 0.1]}, (0.2, 0.1), None),
    ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.3, 0.3]}, (0.2, 0.1), None),
    ({"ImagerPixelSpacing": [0.3, 0.3]}, (0.3, 0.3), "ImagerPixelSpacing (0018,1164)"),
    ({"PixelSpacing": [0, 0.1], "ImagerPixelSpacing": [0.3, 0.3]}, (0.3, 0.3), "PixelSpacing (0028,0030)"),
    ({"PixelSpacing": 0.2}, None, "PixelSpacing (0028,0030)"),
])  # fmt: skip
def test_spacing(elements, spacing, tag):
    """The patient's plane where known, else the detector's with a notice."""
    image = read(dicom(EIGHT, **elements))
    assert image.spacing == spacing
    assert (tag is None and image.notices == ()) or image.notices[0].startswith(tag)


@pytest.mark.parametrize(("elements", "notice"), [
    ({"ViewPosition": "LL"}, "lateral"),
    ({"ViewPosition": "LATERAL"}, "lateral"),
    ({"PatientOrientation": ["A", "F"]}, "lateral"),
    ({"PatientOrientation": ["R", "F"]}, "mirrored"),
    ({"PatientOrientation": ["L", "H"]}, "upside down"),
    ({"PresentationIntentType": "FOR PROCESSING"}, "for processing"),
    ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "for processing"),
    ({"ViewPosition": "PA", "PatientOrientation": ["L", "F"]}, None),
    ({"ViewPosition": "LLD"}, None),
    ({"PatientOrientation": ""}, None),
])  # fmt: skip
def test_views_are_flagged_and_left_alone(elements, notice):
    """Laterals, raw images, mirrored and inverted ones get a notice; pixels stay as they are."""
    image = read(dicom(EIGHT, **elements))
    np.testing.assert_allclose(image.pixels, EIGHT / 255, atol=1e-7)
    assert (notice is None and image.notices == ()) or notice in image.notices[0]


@pytest.mark.parametrize(("elements", "view", "laterality"), [
    ({"ViewPosition": "PA"}, "frontal", None),
    ({"ViewPosition": "AP AXIAL"}, "frontal", None),
    ({"ViewPosition": "ap"}, "frontal", None),
    ({"ViewPosition": "LLD"}, "frontal", None),
    ({"ViewPosition": "LL"}, "lateral", None),
    ({"PatientOrientation": ["L", "F"]}, "frontal", None),
    ({"PatientOrientation": ["A", "F"]}, "lateral", None),
    ({"ViewPosition": "PA", "PatientOrientation": ["P", "F"]}, "lateral", None),
    ({"ViewPosition": "", "PatientOrientation": ""}, None, None),
    ({"ViewPosition": "DOE^JANE"}, None, None),
    ({"Laterality": "L"}, None, "left"),
    ({"Laterality": "L", "ImageLaterality": "R"}, None, "right"),
    ({"ImageLaterality": "B"}, None, "bilateral"),
    ({"ImageLaterality": "U"}, None, None),
])  # fmt: skip
def test_view_and_laterality(elements, view, laterality):
    """As words of our own, None where the file says nothing that is known."""
    image = read(dicom(EIGHT, **elements))
    assert (image.view, image.laterality) == (view, laterality)


@pytest.mark.parametrize(("code", "scheme", "view"), [
    ("272479007", "SCT", "frontal"), ("399348003", "SCT", "frontal"), ("399067008", "SCT", "lateral"),
    ("399173006", "SCT", "lateral"), ("R-10236", "SRT", "lateral"), ("R-40888", "SRT", "frontal"),
    ("R-10206", "SRT", "frontal"), ("399173006", "DCM", None), ("1", "SCT", None),
])  # fmt: skip
def test_view_by_its_code(code, scheme, view):
    """DX tells it in a sequence, older files by the older numbers of the same codes."""
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, scheme, "view"
    image = read(dicom(EIGHT, ViewCodeSequence=Sequence([item])))
    assert image.view == view
    assert bool(image.notices) == (view == "lateral")
    assert read(dicom(EIGHT, ViewCodeSequence=Sequence([pydicom.Dataset()]))).view is None


@pytest.mark.parametrize("modality", ["CR", "DX"])
@pytest.mark.parametrize("kind", [
    uid.ComputedRadiographyImageStorage, uid.DigitalXRayImageStorageForPresentation, uid.SecondaryCaptureImageStorage,
])  # fmt: skip
def test_classes_are_read_alike(kind, modality):
    """CR, DX, and the secondary captures of modality CR or DX that public collections consist of."""
    image = read(dicom(EIGHT, SOPClassUID=kind, Modality=modality))
    np.testing.assert_allclose(image.pixels, EIGHT / 255, atol=1e-7)
    assert image.notices == ()


# ---- damaged files


@pytest.mark.parametrize("keyword", [
    "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation", "PixelData",
])  # fmt: skip
def test_missing_element_is_named(keyword):
    """The tag by name and number."""
    made = dataset(EIGHT)
    delattr(made, keyword)
    number = f"({made.data_element(keyword).tag:08X})" if keyword in made else pydicom.datadict.tag_for_keyword(keyword)
    text = refusal(saved_loosely(made))
    assert f"{keyword} ({number >> 16:04X},{number & 0xFFFF:04X}) is missing" in text


def saved_loosely(made) -> bytes:
    """A file of a data set that lacks what writing checks."""
    buffer = BytesIO()
    made.file_meta.MediaStorageSOPInstanceUID = "1.2"
    made.save_as(buffer, enforce_file_format=False, implicit_vr=False, little_endian=True)
    return buffer.getvalue()


@pytest.mark.parametrize(("elements", "tag"), [
    ({"BitsAllocated": 12}, "BitsAllocated (0028,0100)"),
    ({"BitsStored": 9}, "BitsStored (0028,0101)"),
    ({"BitsStored": 0, "HighBit": 0}, "BitsStored (0028,0101)"),
    ({"SamplesPerPixel": 2}, "SamplesPerPixel (0028,0002)"),
    ({"Rows": 41}, "PixelData (7FE0,0010)"),
    ({"PhotometricInterpretation": "YBR_PARTIAL_420"}, "PhotometricInterpretation (0028,0004)"),
])  # fmt: skip
def test_contradiction_is_named(elements, tag):
    """An element that cannot be true."""
    assert tag in refusal(dicom(EIGHT, **elements))


def test_size_of_the_compressed_picture_is_checked_first():
    """A JPEG of another size than Rows and Columns is not decoded."""
    assert "contradict the size of the compressed picture" in refusal(jpeg(EIGHT, Rows=20))


def test_bomb_is_refused_before_it_is_decoded():
    """Rows and Columns of 65,535 over a few bytes."""
    assert "more than the 100 million pixels" in refusal(dicom(EIGHT, Rows=65535, Columns=65535))
    assert "has no pixels" in refusal(dicom(EIGHT, Rows=0))


def test_deflate_bomb():
    """Inflation stops at its limit."""
    made = dataset(np.zeros((4000, 4000), np.uint8))
    made.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    content = saved(made)
    with pytest.raises(TooLargeError, match="would inflate to more than 1 MiB"):
        read(content, Bounds(bytes=1 << 20))


def test_no_image_inside():
    """A structured report or a DICOMDIR."""
    assert "is no image" in refusal(saved_loosely(dataset(EIGHT, PixelData=None)))


CONTENTS = {
    "plain": dicom(NOISE, BitsStored=12, WindowCenter=[2000, 1], WindowWidth=[1000, 2], PixelPaddingValue=("US", 3)),
    "jpeg": jpeg(EIGHT),
    "table": dicom(NOISE, VOILUTSequence=table(0, list(range(256)), 8)),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CONTENTS)), st.floats(0, 0.99))
def test_truncated_file_is_an_error(kind, share):
    """Cut anywhere, a file is refused, never half-read."""
    content = CONTENTS[kind]
    with pytest.raises(ImageError):
        read(content[: int(share * len(content))])


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(CONTENTS)),
    st.lists(st.tuples(st.integers(0, 1100), st.integers(0, 255)), max_size=6),
)
def test_mutated_file_gives_an_image_or_an_error(kind, changes):
    """Whatever bytes a file holds, nothing but an ImageError comes out."""
    content = bytearray(CONTENTS[kind])
    for at, value in changes:
        content[at % len(content)] = value
    try:
        image = read(bytes(content))
    except ImageError:
        return
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 16), st.booleans(), st.floats(-3, 3).filter(lambda s: abs(s) > 0.01), st.integers(-2000, 2000),
    st.sampled_from([None, "LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)  # fmt: skip
def test_opposite_labels_give_opposite_images(bits, signed, slope, intercept, function):
    """read(MONOCHROME1) == 1 - read(MONOCHROME2), whatever else the header says."""
    stored = ramp(top=2**bits - 1)
    stored = (stored.astype(np.int32) - (1 << (bits - 1))).astype(np.int16) if signed else stored
    elements = {"BitsStored": bits, "RescaleSlope": f"{slope:.6f}", "RescaleIntercept": intercept}
    if function:
        elements |= {"WindowCenter": intercept, "WindowWidth": 1 << bits, "VOILUTFunction": function}
    two = read(dicom(stored, **elements)).pixels
    one = read(dicom(stored, PhotometricInterpretation="MONOCHROME1", **elements)).pixels
    np.testing.assert_array_equal(one, 1 - two)


def test_limit_of_pixels_is_that_of_all_readers():
    """One value bounds every format."""
    with pytest.raises(TooLargeError, match="Scale it down"):
        read(dicom(EIGHT), Bounds(pixels=EIGHT.size - 1))


def test_reading_leaves_the_data_set_of_others_alone():
    """Two reads of the same bytes agree."""
    content = copy.copy(CONTENTS["plain"])
    np.testing.assert_array_equal(read(content).pixels, read(content).pixels)
