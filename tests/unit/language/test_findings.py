"""What findings are called: every class has names that are found, and look-alikes are none."""

import re

import pytest

from deixis.datasets.phantom.phrases import CATEGORIES, DEVICE_NOUNS, NOUNS
from deixis.language.findings import Span, longest, names
from deixis.language.lexicon import LEXICON, compiled, patterns

# Made-up wordings of every class.
WORDINGS = {
    "Atelectasis": ("atelectasis", "plate-like atelectasis", "volume loss", "collapse of the left lower lobe"),
    "Cardiomegaly": (
        "cardiomegaly", "the heart is mildly enlarged", "enlarged cardiac silhouette", "borderline heart size",
    ),
    "Consolidation": ("air-space consolidation", "airspace disease", "air space disease", "air bronchograms"),
    "Edema": ("pulmonary edema", "vascular congestion", "congestive heart failure", "Kerley B lines", "oedema"),
    "Lung Opacity": ("opacity", "hazy densities", "infiltrates", "ground-glass opacity"),
    "Pleural Effusion": ("pleural effusions", "pleural fluid", "fluid in the minor fissure", "hemothorax"),
    "Pneumonia": ("pneumonia", "bronchopneumonia", "tuberculosis", "infectious process"),
    "Pneumothorax": ("pneumothorax", "pneumothoraces", "hydropneumothorax"),
    "Support Devices": (
        "endotracheal tube", "PICC line", "dual-chamber pacemaker", "ICD leads", "surgical clips", "sternotomy wires",
        "mitral valve replacement", "Port-A-Cath", "right IJ central venous catheter", "spinal hardware",
    ),
    "Nodule or Mass": ("nodule", "hilar mass", "nodular opacity", "metastatic disease", "cavitary lesion"),
    "Granuloma or Calcification": ("calcified granuloma", "granulomatous disease", "calcified hilar lymph nodes"),
    "Scarring": ("scarring", "pleural-parenchymal scarring", "fibrosis"),
    "Interstitial or Airway Change": ("interstitial markings", "bronchiectasis", "peribronchial cuffing"),
    "Emphysema or Hyperinflation": ("emphysema", "COPD", "hyperinflated", "flattened diaphragms", "bullae"),
    "Low Lung Volumes": ("low lung volumes", "the lung volumes are low", "shallow inspiration", "hypoinflated"),
    "Pleural Change": ("pleural thickening", "blunting of the left costophrenic angle", "apical capping"),
    "Mediastinal or Hilar Change": ("lymphadenopathy", "widened mediastinum", "hilar fullness", "tracheal deviation"),
    "Diaphragm Change": ("elevated right hemidiaphragm", "left hemidiaphragm is elevated", "eventration"),
    "Hernia": ("hiatal hernia",),
    "Aortic or Vascular Change": ("tortuous aorta", "the aorta is calcified and tortuous", "coronary calcification"),
    "Fracture or Dislocation": ("rib fractures", "wedge deformity of T8", "shoulder dislocation"),
    "Degenerative Change": ("degenerative changes", "osteophytes", "disc space narrowing", "spondylosis"),
    "Spinal Curvature": ("scoliosis", "dextroscoliosis", "kyphosis", "curvature of the thoracic spine"),
    "Osteopenia": ("osteopenia", "bony demineralization", "bone density is decreased"),
    "Bone Lesion": ("lytic lesion", "sclerotic focus"),
    "Postoperative Change": ("median sternotomy", "CABG", "left mastectomy", "cervical fusion", "postsurgical changes"),
    "Other": ("pneumoperitoneum", "free air", "subcutaneous emphysema", "azygos fissure", "pericardial effusion"),
}  # fmt: skip


@pytest.mark.parametrize("category", WORDINGS)
def test_a_class_is_found_by_its_wordings(category):
    for wording in WORDINGS[category]:
        for sentence in (wording, f"There is {wording} today.", wording.upper()):
            assert [one.category for one in names(sentence)] == [category], sentence


def test_every_class_has_wordings_and_those_of_the_phantom_are_among_them():
    assert set(WORDINGS) == set(LEXICON)
    assert set(CATEGORIES) <= set(LEXICON)


def test_the_phantoms_own_nouns_are_found_in_their_classes():
    """All but those that are phrases of a sign, not names of it."""
    told = [(category, noun) for category, nouns in NOUNS.items() for noun in nouns]
    told += [("Support Devices", noun) for nouns in DEVICE_NOUNS.values() for noun in nouns]
    right = [category in {one.category for one in names(noun)} for category, noun in told]
    assert sum(right) >= 0.85 * len(right)


@pytest.mark.parametrize(
    "sentence",
    [
        "The lungs are clear.",
        "Heart size is normal.",
        "Cardiomediastinal silhouette is within normal limits.",
        "No acute cardiopulmonary abnormality.",
        "Apical lordotic view.",
        "CT with IV contrast is recommended.",
        "There is no mass effect.",
        "Osseous structures are intact.",
        "A portable view was obtained.",
    ],
)
def test_normal_statements_name_nothing(sentence):
    assert names(sentence) == ()


def test_names_that_look_alike_are_kept_apart():
    """Emphysema under the skin is not that of the lung, a calcified aorta is no granuloma, and so on."""
    assert [one.category for one in names("subcutaneous emphysema")] == ["Other"]
    assert [one.category for one in names("calcified aorta")] == ["Aortic or Vascular Change"]
    assert [one.category for one in names("calcified nodule")] == ["Granuloma or Calcification"]
    assert [one.category for one in names("sternotomy wires")] == ["Support Devices"]
    assert [one.category for one in names("median sternotomy")] == ["Postoperative Change"]
    assert [one.category for one in names("interstitial edema")] == ["Edema"]


def test_several_findings_of_a_sentence_are_found_in_order():
    sentence = "Small right effusion, basilar atelectasis and a tortuous aorta."
    assert [sentence[one.start : one.end] for one in names(sentence)] == ["effusion", "atelectasis", "tortuous aorta"]


def test_a_name_does_not_reach_over_another_statement():
    assert [one.category for one in names("The heart is normal and the aorta is dilated.")] == [
        "Aortic or Vascular Change"
    ]


def test_words_are_whole():
    assert names("The opacityx and xnodule are no words.") == ()


def test_the_longest_of_names_that_meet_is_kept():
    runs = [Span(0, 4), Span(2, 9), Span(9, 12), Span(3, 5)]
    assert longest(runs) == [Span(2, 9), Span(9, 12)]


def test_a_space_stands_for_blanks_and_hyphens_and_dots_for_words_between():
    assert compiled("air ?space x").fullmatch("air-space   x")
    assert compiled("air ?space x").fullmatch("airspace\nx")
    assert compiled("heart… big").fullmatch("heart is really very big")
    assert not compiled("heart… big").search("heart is small and lungs are big")


def test_every_pattern_compiles_and_none_finds_nothing():
    for _, pattern in patterns():
        assert isinstance(pattern, re.Pattern)
        assert pattern.search("") is None
