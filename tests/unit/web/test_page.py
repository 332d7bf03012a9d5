"""The page's files: all inside the package, none that reaches out."""

import re
from importlib.resources import files

import pytest

from deixis.web.routes.page import TYPES, asset
from deixis.writers.ramp import ramp

PAGE = files("deixis.web").joinpath("page")
NAMES = sorted(one.name for one in PAGE.iterdir() if one.is_file())


def text(name):
    return PAGE.joinpath(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_served_with_its_type(client, name):
    answer = client.get(f"/page/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[name[name.rfind(".") :]]
    assert answer.content == PAGE.joinpath(name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_no_file_names_a_place_outside(name):
    """But the name of a namespace, which is no address."""
    found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", text(name)))
    assert found <= {"http://www.w3.org/2000/svg"}


def test_nothing_stands_inline():
    """Neither scripts nor styles nor handlers: the policy would refuse them."""
    html = text("index.html")
    assert re.findall(r"<script(?![^>]* src=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", html) == []
    assert not any(word in text(name) for name in NAMES if name.endswith(".js") for word in ("innerHTML", "eval("))


def test_what_the_page_imports_is_there():
    for name in NAMES:
        for target in re.findall(r'from "\./([\w.]+)"', text(name)):
            assert target == "setup.js" or asset(target) is not None, (name, target)
    for target in re.findall(r'(?:href|src)="page/([\w.]+)"', text("index.html")):
        assert asset(target) is not None


def test_ids_that_scripts_ask_for_are_there():
    html = text("index.html")
    ids = set(re.findall(r'id="([\w-]+)"', html))
    asked = set(re.findall(r'\$\("([\w-]+)"\)', text("main.js")))
    assert asked
    assert asked <= ids
    assert len(re.findall(r'id="', html)) == len(ids)


def test_colours_of_heat_are_those_of_the_pictures(client):
    said = client.get("/page/setup.js").text
    numbers = [int(one) for one in re.search(r"\[([\d,]+)\]", said)[1].split(",")]
    assert numbers == ramp().ravel().tolist()
    assert "Research use only, not for diagnosis." in said


def test_the_banner_stands_without_any_script():
    assert "Research use only, not for diagnosis." in text("index.html")


def test_a_file_that_is_none_of_the_page_is_not_served():
    assert asset("../app.py") is None
    assert asset("nothing.js") is None
