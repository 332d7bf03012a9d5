"""Uploads are read in a process that can be lost."""

import asyncio
import os
import time
from io import BytesIO

import numpy as np
import pydicom
import pytest

from deixis.errors import ImageError, TooLargeError, UnknownFormatError
from deixis.images import Bounds, read
from deixis.types import Image
from deixis.web import reading
from deixis.web.reading import ReadingProcess, opened
from deixis.web.settings import Limits
from deixis.writers.dicom_cr import write_cr


def killing(content, bounds):
    """Stands in for a decoder that ends the process over one upload."""
    if content == b"kill":
        os.kill(os.getpid(), 9)
    if content == b"hang":
        time.sleep(60)
    if content == b"fill":
        bytearray(8 << 30)
    return opened(content, bounds)


def in_turn(process, *contents):
    """What becomes of each content, one after the other."""

    async def all_of_them():
        results = []
        for content in contents:
            try:
                results.append(await process(content))
            except ImageError as error:
                results.append(error)
        process.close()
        return results

    return asyncio.run(all_of_them())


def test_it_reads_what_is_read_here(png):
    (upload,) = in_turn(ReadingProcess(Limits()), png)
    np.testing.assert_array_equal(upload.image.pixels, read(png).pixels)
    assert upload.header == b""


def test_of_a_dicom_file_what_stands_before_its_pixels_is_kept(tmp_path, grey):
    content = write_cr(Image(grey), tmp_path / "a.dcm").read_bytes()
    header = opened(content, Bounds()).header
    assert content.startswith(header)
    assert len(header) < 2000
    dataset = pydicom.dcmread(BytesIO(header))
    assert (dataset.Rows, dataset.Columns) == grey.shape
    assert "PixelData" not in dataset


def test_errors_come_through_as_they_are(png):
    nothing, large = in_turn(ReadingProcess(Limits(pixels=100)), b"%PDF-1.7", png)
    assert isinstance(nothing, UnknownFormatError)
    assert isinstance(large, TooLargeError)


@pytest.mark.parametrize("upload", [b"kill", b"hang", b"fill"])
def test_an_upload_that_ends_or_stops_or_fills_the_process_is_refused_and_the_next_is_read(upload, png, monkeypatch):
    monkeypatch.setattr(reading, "opened", killing)
    process = ReadingProcess(Limits(decode_seconds=10.0))
    lost, image = in_turn(process, upload, png)
    assert "no decoder gets through it" in str(lost)
    assert image.image.shape == (150, 200)


def test_an_end_twice_is_an_end():
    process = ReadingProcess(Limits())
    process.close()
    process.close()
