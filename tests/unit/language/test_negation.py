"""What a sentence makes of a finding: every cue, its direction, and where its reach ends. All sentences are made up."""

import pytest

from deixis.language.cues import CUES
from deixis.language.findings import names
from deixis.language.negation import judged


def read(sentence: str) -> dict[str, str]:
    """Status by name, names in lower case."""
    return {sentence[one.name.start : one.name.end].lower(): one.status for one in judged(sentence, names(sentence))}


@pytest.mark.parametrize(
    "sentence",
    [
        "No pneumothorax.",
        "There is no pneumothorax.",
        "No evidence of pneumothorax.",
        "No definite pneumothorax is identified.",
        "The lungs are expanded without pneumothorax.",
        "Negative for pneumothorax.",
        "The pleural spaces are free of pneumothorax.",
        "Both lungs are clear of pneumothorax.",
        "Absence of pneumothorax.",
        "Pneumothorax is not seen.",
        "A pneumothorax is not definitely identified.",
        "Pneumothorax has not been demonstrated, pneumothorax is absent.",
        "Pneumothorax: none.",
        "Neither lung shows a pneumothorax.",
        "Nothing to suggest pneumothorax.",
        "There are no findings to suggest pneumothorax.",
        "No lucency suggestive of pneumothorax.",
        "Skin fold rather than pneumothorax.",
        "No new pneumothorax.",
        "No large pneumothorax.",
    ],
)
def test_denied(sentence):
    assert read(sentence)["pneumothorax"] == "absent"


@pytest.mark.parametrize(
    "sentence",
    [
        "There may be a small effusion.",
        "Blunted angle, which could represent an effusion.",
        "Possible effusion.",
        "Probable effusion at the left base.",
        "The veil is most likely an effusion.",
        "Questionable effusion.",
        "Findings suggest an effusion.",
        "Findings are suspicious for effusion.",
        "Concerning for effusion.",
        "Cannot exclude effusion.",
        "A small effusion cannot be excluded.",
        "A small effusion cannot entirely be excluded.",
        "An effusion is difficult to exclude.",
        "An effusion is not excluded.",
        "An effusion is possible.",
        "An effusion is suspected.",
        "Effusion is likely.",
        "Decubitus view to rule out effusion.",
        "Evaluate for effusion.",
        "If there is concern for effusion, repeat.",
        "Presumed effusion.",
        "The opacity is favored to represent effusion.",
        "This is thought to be effusion.",
        "Without a lateral view, a small effusion cannot be excluded.",
        "No evidence that effusion can be excluded, effusion cannot be ruled out.",
    ],
)
def test_left_open(sentence):
    assert read(sentence)["effusion"] == "uncertain"


@pytest.mark.parametrize(
    "sentence",
    [
        "The pneumothorax has resolved.",
        "The pneumothorax has now completely resolved.",
        "Interval resolution of the pneumothorax.",
        "The pneumothorax is no longer seen.",
        "No longer any pneumothorax.",
        "Resolved pneumothorax.",
        "History of pneumothorax.",
        "Prior pneumothorax on that side.",
    ],
)
def test_past(sentence):
    assert read(sentence)["pneumothorax"] == "prior"


@pytest.mark.parametrize(
    "sentence",
    [
        "Small pneumothorax.",
        "No change in the pneumothorax.",
        "No significant interval change in the pneumothorax.",
        "The pneumothorax is not significantly changed.",
        "Without interval increase in pneumothorax.",
        "Unchanged pneumothorax compared to the prior study.",
        "Appearance is consistent with pneumothorax.",
        "Compatible with pneumothorax.",
        "The previously seen pneumothorax is unchanged.",
        "Prior chest radiograph showed the same pneumothorax.",
        "Partial resolution of the pneumothorax.",
        "Pneumothorax, not well seen on the lateral view.",
        "With or without oxygen the pneumothorax remains.",
    ],
)
def test_stated(sentence):
    assert read(sentence)["pneumothorax"] == "present"


def test_a_list_is_denied_as_a_whole():
    assert set(read("No focal consolidation, large effusion, or pneumothorax.").values()) == {"absent"}
    assert set(read("Neither effusion nor pneumothorax.").values()) == {"absent"}
    assert set(read("Effusion and pneumothorax are not seen.").values()) == {"absent"}


@pytest.mark.parametrize(
    ("sentence", "denied", "stated"),
    [
        ("No pneumothorax, but a small effusion.", "pneumothorax", "effusion"),
        ("No pneumothorax; small effusion.", "pneumothorax", "effusion"),
        ("No pneumothorax, however there is an effusion.", "pneumothorax", "effusion"),
        ("No pneumothorax, stable cardiomegaly.", "pneumothorax", "cardiomegaly"),
        ("No pneumothorax, small effusion.", "pneumothorax", "effusion"),
        ("No pneumothorax and there is an effusion.", "pneumothorax", "effusion"),
        ("No edema with mild cardiomegaly.", "edema", "cardiomegaly"),
        ("Cardiomegaly without edema.", "edema", "cardiomegaly"),
        ("No pneumothorax following removal of fluid, effusion has grown.", "pneumothorax", "effusion"),
        ("No consolidation aside from atelectasis.", "consolidation", "atelectasis"),
    ],
)
def test_a_denial_ends_where_something_is_stated(sentence, denied, stated):
    found = read(sentence)
    assert found[denied] == "absent"
    assert found[stated] == "present"


def test_a_degree_inside_a_list_does_not_end_a_denial():
    assert set(read("No pneumothorax, small effusion or consolidation.").values()) == {"absent"}


@pytest.mark.parametrize("joint", ["or", "versus", "vs", "and/or"])
def test_alternatives_are_left_open(joint):
    assert read(f"Left basilar atelectasis {joint} consolidation.") == {
        "atelectasis": "uncertain",
        "consolidation": "uncertain",
    }


def test_what_is_explained_by_alternatives_is_stated():
    found = read("Left basilar opacity, atelectasis versus pneumonia.")
    assert found == {"opacity": "present", "atelectasis": "uncertain", "pneumonia": "uncertain"}


def test_a_finding_against_something_without_a_name_is_left_open():
    assert read("Small effusion versus chronic fat.")["effusion"] == "uncertain"


def test_an_and_states_both():
    assert set(read("Effusion and atelectasis.").values()) == {"present"}


def test_cause_and_effect_may_differ():
    found = read("Opacity likely due to atelectasis.")
    assert found == {"opacity": "present", "atelectasis": "uncertain"}


def test_a_cue_inside_a_name_is_that_names_alone():
    assert read("The heart is not enlarged and there is mild edema.") == {
        "heart is not enlarged": "absent",
        "edema": "present",
    }
    assert read("The heart is borderline in size.") == {"heart is borderline in size": "uncertain"}


def test_what_leaves_traces_is_seen_though_it_is_old():
    assert read("Prior granulomatous disease.") == {"granulomatous disease": "present"}
    assert read("Previous rib fracture.") == {"rib fracture": "present"}


def test_what_is_called_normal_is_no_finding():
    assert read("The interstitial markings are normal.") == {}
    assert read("Normal interstitial markings.") == {}


def test_every_row_of_cues_has_words_of_its_own():
    words = [(row.direction, word) for row in CUES for word in row.words]
    assert len(words) == len(set(words))
