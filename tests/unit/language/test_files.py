"""Reports from files: text in UTF-8, and errors that say what else it was."""

import pytest

from deixis.errors import ReportError
from deixis.language.files import MOST_BYTES, decoded, read_file


def test_text_is_read_with_and_without_a_mark(tmp_path):
    path = tmp_path / "report.txt"
    for content in (b"No effusion.", b"\xef\xbb\xbfNo effusion.", "Keine Ergüsse.".encode()):
        path.write_bytes(content)
        assert read_file(path) == content.decode("utf-8-sig")


def test_line_ends_become_plain(tmp_path):
    assert decoded(b"one thing\r\ntwo\rthree", "x") == "one thing\ntwo\nthree"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no words"),
        (b"\x89PNG\r\n\x1a\n", "byte 0x89 at 0"),
        ("Ergüsse".encode("latin-1"), "byte 0xfc at 3"),
        ("effusion".encode("utf-16"), "byte 0xff at 0"),
        (b"effusion\x00", "which no text has"),
        (b"effusion " * MOST_BYTES, "longer than the"),
    ],
)
def test_other_files_are_refused_by_name_and_reason(content, told, tmp_path):
    path = tmp_path / "report.bin"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=told) as caught:
        read_file(path)
    assert "report.bin" in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ReportError, match="does not exist"):
        read_file(tmp_path / "none.txt")
    with pytest.raises(ReportError, match="cannot be read"):
        read_file(tmp_path)
