"""From rows to cases: boxes moved to the real image, whatever the row claims; odd ones noted."""

from pathlib import Path

import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deixis.datasets.annotations import Annotation, assembled, by_template, image_shape
from deixis.datasets.collection import Wanted
from deixis.datasets.places import names_place
from deixis.datasets.tables import corner_box, csv_rows, json_of, numbers, text_of
from deixis.errors import CaseError
from deixis.types import Box

WIDTH, HEIGHT = 60, 40


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    PIL.Image.new("L", (WIDTH, HEIGHT)).save(folder / "a.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def one(box, **more):
    return Annotation(
        **{"image": "a", "files": ("a.png",), "category": "X", "text": "left x", "row": "r", "box": box} | more
    )


def made(root, *annotations, **wanted):
    return assembled("mine", annotations, Wanted(root, **wanted))


@given(st.tuples(*[st.floats(-50, 150)] * 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_case_has_its_box_inside_the_image_or_there_is_a_note(root, corners):
    """Clipped, outside and empty boxes are told; what is left lies inside."""
    collection = made(root, one(corners))
    if len(collection):
        (case,) = collection
        (box,) = case.boxes
        assert 0 <= box.x0 < box.x1 <= WIDTH
        assert 0 <= box.y0 < box.y1 <= HEIGHT
        moved = max(abs(a - b) for a, b in zip((box.x0, box.y0, box.x1, box.y1), corners, strict=True)) > 1e-3
        assert ("box clipped" in collection.counts) == moved
    else:
        assert collection.counts in ({"box empty": 1, "no truth": 1}, {"box outside": 1, "no truth": 1})


@given(st.integers(1, 5), st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_of_another_size_is_scaled(root, across, down):
    """The same share of the image, and a note unless the size is right."""
    size = (HEIGHT * down, WIDTH * across)
    collection = made(root, one((10 * across, 10 * down, 20 * across, 20 * down), size=size))
    (case,) = collection
    assert case.boxes == (Box(10, 10, 20, 20),)
    assert ("size differs" in collection.counts) == (size != (HEIGHT, WIDTH))


def test_shares_of_the_sides_are_pixels_of_this_image(root):
    (case,) = made(root, one((0.5, 0.25, 1.0, 1.0), relative=True))
    assert case.boxes == (Box(30, 10, 60, 40),)


def test_one_image_and_phrase_is_one_case_in_the_order_of_the_file(root):
    """Categories may differ: the first is kept, as in the paper."""
    rows = (one((0, 0, 5, 5)), one((9, 9, 20, 20), text="y"), one((5, 5, 9, 9), category="Z", row="s"))
    first, second = made(root, *rows)
    assert (first.boxes, first.category, first.rows) == ((Box(0, 0, 5, 5), Box(5, 5, 9, 9)), "X", ("r", "s"))
    assert second.phrase.text == "y"
    assert first.id != second.id
    assert (first.names_place, second.names_place) == (True, False)


def test_missing_unreadable_and_doubled_rows_are_noted(root):
    rows = (
        one((0, 0, 5, 5)),
        one((0, 0, 5, 5), row="again"),
        one((0, 0, 5, 5), image="b", files=("b.png", "c.png")),
        one((0, 0, 5, 5), image="broken", files=("broken.png",)),
    )
    collection = made(root, *rows)
    assert len(collection) == 1
    assert collection.counts == {"duplicate": 1, "image missing": 1, "image unreadable": 1}


def test_split_and_limit(root):
    rows = [one((0, 0, 5, 5), text=f"t{i}", split="test" if i % 2 else "train") for i in range(6)]
    assert [case.phrase.text for case in made(root, *rows, split="test")] == ["t1", "t3", "t5"]
    assert len(made(root, *rows, limit=2)) == 2
    assert not len(made(root, *rows, split="val"))


def test_the_shape_of_a_dicom_comes_from_its_header():
    file = Path(__file__).parents[3] / "examples" / "cardiomegaly.dcm"
    height, width = image_shape(file)
    assert height > 100
    assert width > 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Left pleural effusion", True), ("bibasilar atelectasis", True), ("opacity in the right upper lobe", True),
        ("retrocardiac opacity", True), ("cardiomegaly", False), ("mild pulmonary edema", False),
        ("nodule", False), ("enlarged heart", False), ("bright", False),
    ],
)  # fmt: skip
def test_words_that_say_where(text, said):
    assert names_place(text) is said


def test_a_class_becomes_a_phrase():
    assert by_template("Pleural_Thickening ") == "pleural thickening"


def test_tables_by_column_with_where_rows_stand(tmp_path):
    """Spaces around names and values go, short rows are filled, empty lines are passed, BOM and gzip are read."""
    file = tmp_path / "t.csv"
    file.write_text("\ufeffa, b ,c\n1, x \n\n2,y,z\n", encoding="utf-8")
    rows = list(csv_rows(file, ["a", "b"]))
    assert rows == [("t.csv:2", {"a": "1", "b": "x", "c": ""}), ("t.csv:4", {"a": "2", "b": "y", "c": "z"})]
    with pytest.raises(CaseError, match="lacks the columns d; it has a, b, c"):
        list(csv_rows(file, ["d"]))
    for content in (b"\xff\xfe\x00", b"\x1f\x8b broken"):
        spoilt = tmp_path / "u.csv.gz"
        spoilt.write_bytes(content)
        with pytest.raises(CaseError, match="cannot be read as text"):
            text_of(spoilt)
    file.write_text("[1,")
    with pytest.raises(CaseError, match="is no JSON"):
        json_of(file)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["1", 2.5], (1.0, 2.5)),
        (["1", ""], None),
        (["nan", "1"], None),
        (["inf"], None),
        ([None], None),
        (["1e3"], (1000.0,)),
    ],
)
def test_numbers_are_finite_or_noted(values, read):
    notes = []
    assert numbers(values, "row", notes) == read
    assert len(notes) == (read is None)


def test_a_corner_and_a_size_are_a_box():
    assert corner_box((1, 2, 3.5, 4)) == (1, 2, 4.5, 6)
