"""Side, zones and phrase of a finding: what belongs to it, and nothing of its neighbours."""

import pytest

from deixis.language import read_report
from deixis.language.locations import SIDES, ZONES, side_of, tidy, zones_of


def phrases(sentence: str) -> list[str]:
    return [one.phrase for one in read_report(sentence).mentions]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("There is a small right pleural effusion.", ["small right pleural effusion"]),
        ("Stable large left effusion.", ["large left effusion"]),
        ("Mild stable cardiomegaly.", ["mild cardiomegaly"]),
        ("An opacity is seen in the left lower lobe.", ["opacity in the left lower lobe"]),
        ("In the right lower lobe there is an opacity.", ["opacity in the right lower lobe"]),
        ("Left base: patchy opacity.", ["patchy opacity in the left base"]),
        ("Atelectasis and effusion at the left base.", ["atelectasis at the left base", "effusion at the left base"]),
        (
            "Small right effusion and left basilar atelectasis.",
            ["small right effusion", "left basilar atelectasis"],
        ),
        (
            "Scarring in the left apex and right basilar atelectasis.",
            ["scarring in the left apex", "right basilar atelectasis"],
        ),
        ("Dual-lead pacemaker overlying the left chest.", ["dual-lead pacemaker overlying the left chest"]),
        ("8 mm nodule in the RUL.", ["8 mm nodule in the RUL"]),
        ("Old left-sided rib fractures.", ["old left-sided rib fractures"]),
        ("Bibasilar opacities.", ["bibasilar opacities"]),
        ("Effusion on the right.", ["effusion on the right"]),
        ("Right upper and middle lobe opacities.", ["right upper and middle lobe opacities"]),
        ("A tortuous\naorta.", ["tortuous aorta"]),
        ("No large effusion or pneumothorax.", ["large effusion", "pneumothorax"]),
    ],
)
def test_the_phrase_holds_the_findings_own_words(sentence, expected):
    assert phrases(sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "side", "zones"),
    [
        ("Right pleural effusion.", "right", ()),
        ("Effusions, left.", "left", ()),
        ("Bilateral effusions.", "bilateral", ()),
        ("Biapical scarring.", "bilateral", ("apical",)),
        ("Opacities in the left and right bases.", "bilateral", ("basal",)),
        ("Lingular opacity.", "left", ("middle",)),
        ("Right middle lobe atelectasis.", "right", ("middle",)),
        ("LLL consolidation.", "left", ("lower",)),
        ("Left retrocardiac opacity.", "left", ("retrocardiac",)),
        ("Perihilar edema.", None, ("perihilar",)),
        ("Edema.", None, ()),
    ],
)
def test_side_and_zones(sentence, side, zones):
    (mention,) = read_report(sentence).mentions
    assert mention.laterality == side
    assert mention.zones == zones


def test_neighbours_keep_their_sides():
    left, right = read_report("Left upper lobe consolidation and right apical pneumothorax.").mentions
    assert (left.laterality, left.zones) == ("left", ("upper",))
    assert (right.laterality, right.zones) == ("right", ("apical",))


def test_zones_bear_the_phantoms_names():
    from deixis.datasets.phantom.phrases import ZONE_NOUNS

    assert set(ZONES) == set(ZONE_NOUNS)
    assert set(SIDES) == {"left", "right", "bilateral"}


def test_sides_and_zones_are_whole_words():
    assert side_of("rights and leftover") is None
    assert zones_of("uppermost basely") == ()


def test_a_phrase_is_tidied_without_losing_abbreviations():
    assert tidy("  Right \n IJ  Catheter, ") == "right IJ catheter"
