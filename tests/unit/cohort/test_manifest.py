"""Manifests of every form, whole and broken: a row that cannot be used says why, and takes no other with it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deixis.cohort.items import Item
from deixis.cohort.manifest import read_manifest
from deixis.errors import ManifestError

ROWS = [
    {"image": "a.png", "phrases": ["left effusion", "edema"], "id": "one", "split": "test", "report": None},
    {"image": "s3://bucket/b.png", "phrases": None, "id": None, "split": None, "report": "Edema.\nNo effusion."},
]
CSV = """image,phrases,id,split,report
a.png,left effusion | edema,one,test,
s3://bucket/b.png,,,,"Edema.
No effusion."
"""


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def manifest(request, tmp_path):
    path = tmp_path / f"cohort.{request.param}"
    if request.param == "csv":
        path.write_text(CSV, encoding="utf-8")
    elif request.param == "jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n", encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_form_gives_the_same_items(manifest):
    found = read_manifest(manifest)
    first = 2 if manifest.suffix == ".csv" else 1
    assert found.items == (
        Item(first, "a.png", ("left effusion", "edema"), None, "test", "one"),
        Item(first + 1, "s3://bucket/b.png", (), "Edema.\nNo effusion.", None),
    )
    assert found.failures == ()
    assert found.root == manifest.parent.resolve()


def test_a_folder_is_a_manifest_of_its_images(tmp_path):
    """Sorted, with those below; hidden files and texts are none."""
    for name in ("b.png", "below/a.dcm", ".hidden/c.png", "notes.txt", "below/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = read_manifest(tmp_path, ["edema"])
    assert [item.image for item in found.items] == ["b.png", "below/a.dcm", "below/d"]
    assert {item.phrases for item in found.items} == {("edema",)}
    before = found.sha256
    (tmp_path / "e.png").write_bytes(b"x")
    assert read_manifest(tmp_path, ["edema"]).sha256 != before


def test_phrases_given_beside_are_for_rows_without_their_own(tmp_path):
    path = write(tmp_path / "m.csv", "image,phrase,report\na.png,,\nb.png,edema,\nc.png,,Effusion.\n")
    assert [item.phrases for item in read_manifest(path, ["mass"]).items] == [("mass",), ("edema",), ()]


def test_broken_rows_of_a_csv_say_why_and_where(tmp_path):
    """Numbers are those that a spreadsheet shows."""
    lines = [
        b"image,phrases,id", b"a.png,edema,1", b"b.png", b",edema,2", b"c.png,,3", b"d.png,edema,1",
        b"e.png,ed\xffma,4", b"f.png,edema,5", b"",
    ]  # fmt: skip
    found = read_manifest(write(tmp_path / "m.csv", b"\n".join(lines)))
    assert [item.row for item in found.items] == [2, 8]
    told = {one.row: one.reason for one in found.failures}
    assert told.keys() == {3, 4, 5, 6, 7}
    assert "has 1 columns, the header 3" in told[3]
    assert "names no image" in told[4]
    assert "neither phrases nor a report" in told[5]
    assert "has the id of row 2" in told[6]
    assert "no UTF-8" in told[7]
    assert {one.kind for one in found.failures} == {"manifest"}
    assert found.failures[-1].image == "e.png"


def test_a_quotation_mark_that_is_not_closed_is_told(tmp_path):
    found = read_manifest(write(tmp_path / "m.csv", 'image,phrases\n"a.png,edema\nb.png","edema"\nc.png,edema\n'))
    assert [item.image for item in found.items] == ["c.png"]
    assert "runs over several lines" in found.failures[0].reason


def test_broken_lines_of_a_jsonl(tmp_path):
    lines = ['{"image": "a.png", "phrases": "edema|mass"}', "{", "[1]", '{"image": 3.5, "phrases": ["x"]}']
    lines += ['{"image": "b.png", "phrases": [1]}', '{"image": "c.png", "phrases": 5}', '{"phrase": "x"}']
    found = read_manifest(write(tmp_path / "m.jsonl", "\n".join(lines)))
    assert [item.phrases for item in found.items] == [("edema", "mass")]
    told = [one.reason for one in found.failures]
    expected = (
        "is no JSON",
        "is a list",
        "a float as `image`",
        "a list as `phrases`",
        "a int as `phrases`",
        "no image",
    )
    assert len(told) == len(expected)
    assert all(part in one for part, one in zip(expected, told, strict=True))


def test_the_same_row_twice_is_done_once(tmp_path):
    found = read_manifest(write(tmp_path / "m.csv", "image,phrases\na.png,edema\na.png,edema\na.png,mass\n"))
    assert [item.row for item in found.items] == [2, 4]
    assert "has the id of row 2" in found.failures[0].reason


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("m.csv", "path,phrases\n", "no column `image`; it has path, phrases"),
        ("m.csv", "", "it has none"),
        ("m.xlsx", "x", "no manifest"),
        ("m.parquet", "x", "is no Parquet"),
    ],
)
def test_what_is_no_manifest_says_what_it_should_be(tmp_path, name, content, told):
    with pytest.raises(ManifestError, match=told):
        read_manifest(write(tmp_path / name, content))


def test_a_manifest_that_is_not_there(tmp_path):
    with pytest.raises(ManifestError, match="is not there"):
        read_manifest(tmp_path / "m.csv")
