"""The page in a real browser: what a user sees, does and hears, by mouse, by keys, light and dark."""

import hashlib
import json
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import chromium, kept
from calling import write_picture
from serving import served

from deixis.types import Image
from deixis.writers.dicom_cr import write_cr

PATIENCE = 60_000  # milliseconds, on a machine that does other things


@pytest.fixture(scope="module")
def server(tmp_path_factory, bundled_folder):
    with served(tmp_path_factory.mktemp("page"), "-m", bundled_folder) as one:
        yield one


@pytest.fixture(scope="module")
def bundled_folder():
    from deixis.models.catalog import CATALOG

    return CATALOG["phantom"].folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@contextmanager
def opened(browser, url, *, scheme="dark", size=(1440, 900), **context):
    """The page, ready, in a window of its own; nothing may go wrong in it or reach outside."""
    wrong = []
    width, height = size
    window = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height}, **context)
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda one: wrong.append(one.url) if not one.url.startswith((url, "blob:")) else None)
    try:
        page.goto(url)
        page.wait_for_selector("#recipe option", state="attached")
        yield page
        assert wrong == []
    finally:
        window.close()


@pytest.fixture
def page(browser, server):
    with opened(browser, server.url) as one:
        yield one


def take_example(page, name="pneumothorax"):
    page.select_option("#example", name)
    page.wait_for_selector("#chips button")


def find(page, phrase):
    """Type a phrase, press Enter, wait for its figures."""
    before = page.locator(".figures").count()
    page.fill("#phrase", phrase)
    page.press("#phrase", "Enter")
    page.locator(".figures").nth(before).wait_for()


def picture(page, which="#view-a canvas"):
    """What the canvas shows, as a hash."""
    page.wait_for_timeout(60)  # the drawing of the next frame
    return hashlib.sha256(page.locator(which).screenshot()).hexdigest()


def set_slider(page, name, value):
    page.locator(name).fill(str(value))


def test_two_phrases_are_found_shown_changed_and_saved(page):
    """The whole way: example, phrases, boxes, sliders, download."""
    empty = picture(page)
    take_example(page)
    image = picture(page)
    assert image != empty
    find(page, "pneumothorax with visible pleural line")
    one = picture(page)
    assert one != image
    find(page, "medium-sized consolidation with air bronchograms")
    two = picture(page)
    assert two not in (one, image)
    assert page.locator(".phrase").count() == 2
    assert page.locator(".phrase .boxes tbody tr").count() >= 1
    seen = {two}
    for slider, value in (("#opacity", 20), ("#threshold", 80), ("#level", 30), ("#width", 40)):
        set_slider(page, slider, value)
        seen.add(picture(page))
    for button in ("#invert", "#show-heat", "#show-boxes", "#in"):
        page.click(button)
        seen.add(picture(page))
    assert len(seen) == 9
    page.click("#reset")
    assert picture(page) == two
    for form, first in (("png", b"PK"), ("json", b"{"), ("npz", b"PK")):
        with page.expect_download() as download:
            page.click(f"#formats button[aria-label='Save as {form}']")
        assert Path(download.value.path()).read_bytes().startswith(first)


def test_saved_json_is_the_document_of_what_is_shown(page):
    take_example(page)
    find(page, "consolidation")
    with page.expect_download() as download:
        page.click("#formats button[aria-label='Save as json']")
    (image,) = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))["images"]
    (found,) = image["groundings"]
    shown = page.locator(".boxes tbody tr").first.inner_text().split()
    box = found["boxes"][0]
    assert shown == [*(f"{box[end]:.0f}" for end in ("x0", "y0", "x1", "y1")), f"{box['score']:.2f}"]


def test_files_are_chosen_or_dropped(page, place):
    """A PNG and a JPEG by choosing, a DICOM by dropping."""
    for name in ("chest.png", "chest.jpg"):
        page.set_input_files("#file", write_picture(place / name))
        page.get_by_text("120 × 90 pixels").wait_for()
        page.click("#forget")
        page.locator("#empty").wait_for()
    import numpy as np

    ramp = np.linspace(0, 1, 6000, dtype=np.float32).reshape(60, 100)
    content = write_cr(Image(ramp), place / "chest.dcm").read_bytes()
    drop(page, content)
    page.get_by_text("100 × 60 pixels").wait_for()


def drop(page, content):
    """Drop a file of these bytes on the image."""
    transfer = page.evaluate_handle(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "a"));
          return transfer;
        }""",
        list(content),
    )
    page.dispatch_event("#stage", "drop", {"dataTransfer": transfer})


def test_what_is_refused_is_told_where_it_was_asked(browser, server, place):
    (place / "text.png").write_text("no picture", encoding="utf-8")
    with opened_loosely(browser, server.url) as page:
        page.fill("#phrase", "effusion")
        page.press("#phrase", "Enter")
        assert "Choose an image" in page.inner_text("#phrase-alert")
        page.set_input_files("#file", place / "text.png")
        page.get_by_text("It reads PNG, JPEG, TIFF, DICOM").wait_for()
        take_example(page)
        page.fill("#phrase", "effusion " * 60)
        page.press("#phrase", "Enter")
        page.locator(".phrase .alert").wait_for()
        assert "fit" in page.inner_text(".phrase .alert")


@contextmanager
def opened_loosely(browser, url):
    """The page where refusals are expected, which browsers write into their console."""
    window = browser.new_context()
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    try:
        page.goto(url)
        page.wait_for_selector("#recipe option", state="attached")
        yield page
    finally:
        window.close()


def test_two_recipes_stand_side_by_side(page):
    take_example(page)
    find(page, "consolidation")
    page.select_option("#compare", "guided")
    page.locator(".figures").nth(1).wait_for()
    assert page.locator("figcaption:visible").all_inner_texts() == ["best-instant", "guided"]
    assert picture(page) != picture(page, "#view-b canvas")
    page.select_option("#compare", "")
    page.locator("#view-b").wait_for(state="hidden")


def test_hovering_reads_out_the_heat(page):
    take_example(page)
    find(page, "consolidation")
    page.hover("#view-a canvas")
    page.get_by_text(re.compile(r"x \d+ +y \d+ +grey 0\.\d+ +heat \d\.\d\d")).wait_for()


def test_dragging_windows_and_pans_and_the_wheel_zooms(page):
    take_example(page)
    box = page.locator("#view-a canvas").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(by):
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + by, middle[1] + by, steps=3)
        page.mouse.up()

    drag(60)
    assert page.input_value("#width") != "100"
    assert page.input_value("#level") != "50"
    page.mouse.move(*middle)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    assert "zoom 100 %" not in page.inner_text("#readout")
    before = picture(page)
    window = page.input_value("#width")
    page.get_by_text("Pan", exact=True).click()
    drag(60)
    assert page.input_value("#width") == window
    assert picture(page) != before


def test_everything_is_done_by_keys(page):
    """From the example to the heat under a probe, and earlier phrases come back."""
    take_example(page)
    page.focus("#phrase")
    page.keyboard.type("consolidation")
    page.keyboard.press("Enter")
    page.locator(".figures").wait_for()
    assert "consolidation" in page.inner_text("#said")
    page.keyboard.press("ArrowUp")
    assert page.input_value("#phrase") == "consolidation"
    page.focus("#view-a canvas")
    before = picture(page)
    for key in ("i", "[", "h", "b", "+", "Shift+ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
        after = picture(page)
        assert after != before, key
        before = after
    assert "heat" in page.inner_text("#readout")
    page.keyboard.press("r")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "phrase"


def test_a_phrase_is_hidden_chosen_and_removed(page):
    take_example(page)
    find(page, "pneumothorax")
    find(page, "consolidation")
    both = picture(page)
    page.click(".phrase >> nth=0 >> .eye")
    hidden = picture(page)
    assert hidden != both
    page.click(".phrase >> nth=0 >> .name")
    assert page.locator(".phrase").first.get_attribute("data-active") is not None
    assert picture(page) not in (both, hidden)
    page.click(".phrase >> nth=0 >> .drop")
    assert page.locator(".phrase").count() == 1
    page.get_by_role("button", name="Find pneumothorax", exact=True).wait_for()


def test_a_phrase_that_takes_long_shows_progress_and_is_cancelled(page, server):
    take_example(page)
    page.select_option("#recipe", "paper")
    page.fill("#phrase", "consolidation")
    page.press("#phrase", "Enter")
    page.get_by_text(re.compile(r"reading, \d+ evaluations")).wait_for()
    assert page.locator(".phrase progress").count() == 1
    page.click(".phrase .drop")
    assert page.locator(".phrase").count() == 0
    page.select_option("#recipe", "best-instant")
    find(page, "pneumothorax")


def test_the_banner_and_the_model_stand_at_all_times(page):
    assert page.get_by_text("Research use only, not for diagnosis.").is_visible()
    page.get_by_text("trained on synthetic images only").wait_for()
    assert "phantom" in page.inner_text("#model")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["wide", "narrow"])
def test_axe_finds_no_serious_violation_and_pictures_are_kept(browser, server, tmp_path, scheme, size):
    """With an image, phrases and a comparison; in both schemes, on a desk and in a hand."""
    from axe_playwright_python.sync_playwright import Axe

    name = f"page-{scheme}-{size[0]}"
    # The policy of the page would refuse axe's script, as it should.
    with opened(browser, server.url, scheme=scheme, size=size, bypass_csp=True) as page:
        page.screenshot(path=kept(tmp_path, f"{name}-empty.png"))
        assert serious(Axe().run(page)) == []
        take_example(page)
        find(page, "pneumothorax with visible pleural line")
        find(page, "medium-sized consolidation with air bronchograms")
        page.select_option("#compare", "guided")
        page.locator(".figures").nth(3).wait_for()
        page.screenshot(path=kept(tmp_path, f"{name}.png"), full_page=True)
        assert serious(Axe().run(page)) == []
        page.click("#help-open")
        assert serious(Axe().run(page)) == []
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0


def serious(results):
    """What axe calls serious or critical, with where it is."""
    return [
        (one["id"], one["impact"], [node["target"] for node in one["nodes"]])
        for one in results.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_the_theme_is_chosen(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: light"
    assert page.evaluate(ground) != dark


def test_a_secret_is_asked_for_and_used(browser, tmp_path, tiny_folder):
    (tmp_path / "token").write_text("a-secret-of-more-than-sixteen", encoding="utf-8")
    with served(tmp_path, "-m", tiny_folder, "--token-file", tmp_path / "token") as one:
        window = browser.new_context()
        page = window.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(one.url)
        page.fill("#token", "a-secret-of-more-than-sixteen")
        page.press("#token", "Enter")
        page.wait_for_selector("#recipe option", state="attached")
        take_example(page)
        find(page, "opacity")
        window.close()


def test_a_report_is_pasted_and_what_it_asserts_is_found(page, tmp_path):
    """Assertions become phrases, the rest stands with its status; a finding in the text chooses its phrase."""
    take_example(page)
    page.click("#report summary")
    page.fill("#report-text", "FINDINGS: Left consolidation. Right pneumothorax. No pleural effusion. Possible edema.")
    page.click("#report-read")
    page.locator(".figures").nth(1).wait_for()
    assert page.locator(".phrase .name").all_inner_texts() == ["left consolidation", "right pneumothorax"]
    shown = page.inner_text("#report-shown")
    assert "pleural effusion absent" in shown
    assert "edema uncertain" in shown
    page.click("#report-shown .mention >> nth=1")
    assert page.locator(".phrase").nth(1).get_attribute("data-active") is not None
    page.screenshot(path=kept(tmp_path, "page-report.png"))
    page.click("#report-edit")
    assert page.input_value("#report-text").startswith("FINDINGS")


def test_axe_has_nothing_against_a_report(browser, server):
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, server.url, scheme="light", bypass_csp=True) as page:
        take_example(page)
        page.click("#report summary")
        page.fill("#report-text", "Left consolidation. No pleural effusion.")
        page.click("#report-read")
        page.locator(".figures").wait_for()
        assert serious(Axe().run(page)) == []
