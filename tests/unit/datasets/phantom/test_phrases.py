"""The grammar: English, wide, and never stating what its attributes do not say."""

import re

import numpy as np

from deixis.datasets.phantom import CATEGORIES, sample_phrases
from deixis.datasets.phantom.phrases import NOUNS, Facts, describe, report

PHRASES = sample_phrases(4000, 1)


def test_sides_are_stated_exactly_when_said() -> None:
    """The attribute and the words agree, for all phrases."""
    for text, attributes in PHRASES:
        for side in ("left", "right"):
            assert (f"side:{side}" in attributes) == bool(re.search(rf"\b{side}\b", text.lower())), text


def test_degrees_are_stated_exactly_when_said() -> None:
    """ "small" and its synonyms carry the attribute."""
    words = {"small": "small|minimal|mild|tiny|trace", "large": "large|extensive|severe|massive|marked|florid"}
    for text, attributes in PHRASES:
        for severity, pattern in words.items():
            said = bool(re.search(rf"\b({pattern})\b", text.lower()))
            assert said == (f"severity:{severity}" in attributes), text


def test_zones_are_stated_exactly_when_said() -> None:
    """The zone attribute and the words agree, for all phrases."""
    words = {
        "upper": "upper",
        "middle": "mid|midlung|middle|lingula",
        "perihilar": "perihilar|hilar",
        "apical": "apex|apical|biapical",
        "retrocardiac": "retrocardiac|behind the heart",
        "basal": "base|basilar|bibasilar|costophrenic",
    }
    for text, attributes in PHRASES:
        for zone, pattern in words.items():
            said = bool(re.search(rf"\b({pattern})\b", text.lower()))
            assert said == (f"zone:{zone}" in attributes), text


def test_no_tube_in_the_trachea_has_a_side() -> None:
    """An endotracheal tube lies in the middle."""
    tubes = [attributes for _, attributes in PHRASES if "kind:endotracheal tube" in attributes]
    assert tubes
    assert not any(name.startswith("side:") for attributes in tubes for name in attributes)


def test_grammar_is_wide() -> None:
    """Every class, and hundreds of different phrases."""
    assert {a for _, names in PHRASES for a in names if a.startswith("category:")} == {
        f"category:{c}" for c in CATEGORIES
    }
    assert len({text.lower().rstrip(".") for text, _ in PHRASES}) > 800


def test_same_seed_same_phrases() -> None:
    """Sampling is deterministic and the seed matters."""
    assert sample_phrases(20, 5) == sample_phrases(20, 5)
    assert sample_phrases(20, 5) != sample_phrases(20, 6)


def test_no_place_is_named_unless_asked() -> None:
    """With `say_place` off neither side nor zone appears."""
    rng = np.random.default_rng(0)
    for category in NOUNS:
        for _ in range(30):
            saying = describe(Facts(category, "left", "upper", "small"), rng, say_place=False)
            assert not saying.names_place
            assert "left" not in saying.text.lower()


def test_report_says_the_findings_and_denies_only_absent_ones() -> None:
    """The positive phrase appears in both sections; no sentence denies it."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        saying = describe(Facts("Pneumothorax", "left", "apical", "small"), rng, say_place=True)
        text = report([saying], rng)
        assert text.lower().count(saying.text.lower().rstrip(".")) >= 2
        assert "no pneumothorax" not in text.lower()
        assert "evidence of pneumothorax" not in text.lower()


def test_report_of_a_normal_image() -> None:
    """Nothing found reads as nothing found."""
    assert "No acute cardiopulmonary process." in report([], np.random.default_rng(0))
