"""Values that show themselves in a notebook, out of themselves."""

import io
from html.parser import HTMLParser

import numpy as np
import PIL.Image
import pytest

from deixis.notebook import VIEWS
from unit.writers.making import empty_grounding, grounded_report, grounding

VOID = {"meta", "img", "input", "br", "rect"}


class Tags(HTMLParser):
    """Every tag with its attributes; complains where tags are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def picture(png: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_grounding_shows_image_heat_and_boxes_under_a_slider():
    tags = Tags(grounding("effusion <script>alert(1)</script>")._repr_html_())
    sources = [one["src"] for one in tags.of("img")]
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert [one["type"] for one in tags.of("input")] == ["range"]
    assert len(tags.of("rect")) == 2
    assert tags.of("script") == []
    assert "not for diagnosis" in " ".join(tags.words)


def test_nothing_is_fetched_from_elsewhere():
    for page in (grounding()._repr_html_(), grounded_report()._repr_html_()):
        for sign in ("http:", "https:", "//cdn", "@import", "url("):
            assert sign not in page


def test_an_empty_grounding_shows_itself_too():
    tags = Tags(empty_grounding()._repr_html_())
    assert tags.of("rect") == []
    assert "no box" in " ".join(tags.words)


def test_a_grounding_is_a_picture_where_html_is_not_shown():
    assert picture(grounding()._repr_png_()).std() > 10


def test_a_report_shows_its_page_in_a_frame_of_its_own():
    (frame,) = Tags(grounded_report()._repr_html_()).of("iframe")
    assert frame["sandbox"] == "allow-same-origin"  # and no scripts
    inner = Tags(frame["srcdoc"].removeprefix("<!doctype html>"))
    assert len(inner.of("mark")) == 3


def test_a_report_is_a_picture_where_html_is_not_shown():
    shown = picture(grounded_report(shape=(60, 80))._repr_png_())
    assert shown.shape == (60, 80, 3)
    assert len({tuple(pixel) for pixel in shown.reshape(-1, 3)}) > 50


@pytest.mark.parametrize("name", list(VIEWS))
def test_every_row_of_views_is_a_function(name):
    assert callable(VIEWS[name])
