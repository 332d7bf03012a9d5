"""The documentation: its Python blocks run, its links lead somewhere."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)\)")
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_the_code_blocks_of_a_page_run_one_after_the_other(page, place, bundled):
    (place / "examples").symlink_to(ROOT / "examples")
    text = page.read_text(encoding="utf-8")
    space = {"__name__": "page"}
    for block in BLOCK.finditer(text):
        # Blank lines in front make line numbers in a traceback those of the page.
        lines = text[: block.start(1)].count("\n")
        exec(compile("\n" * lines + block[1], str(page), "exec"), space)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_files_lead_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    absent = [target for target in targets if not (page.parent / target).exists()]
    assert absent == []


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("metrics.md", "deixis.metrics:METRICS"),
        ("maps.md", "deixis.maps.evidence:EVIDENCE"),
        ("maps.md", "deixis.maps.masks:THRESHOLDS"),
        ("models.md", "deixis.models.loading:FAMILIES"),
        ("output.md", "deixis.writers:WRITERS"),
        ("pacs.md", "deixis.writers:DICOM_OBJECTS"),
    ],
)
def test_the_page_of_a_room_names_every_row_of_its_table(page, table):
    module, _, attribute = table.partition(":")
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    absent = [name for name in getattr(import_module(module), attribute).builtin if f"`{name}`" not in text]
    assert absent == []


def test_every_table_stands_on_the_page_about_extending():
    """And so does its entry-point group."""
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = set()
    for file in (ROOT / "src" / "deixis").rglob("*.py"):
        found |= set(re.findall(r'group="(deixis\.\w+)"', file.read_text(encoding="utf-8")))
    assert found
    assert [group for group in sorted(found) if f"`{group}`" not in text] == []


def test_the_readme_names_every_recipe():
    from deixis.recipes import RECIPES

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in RECIPES if f"`{name}`" not in text] == []
