"""`deixis pacs ground` against a real Orthanc: retrieve, ground, store, and read again what was stored."""

import logging
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pydicom
import pytest
from calling import call
from orthanc import running
from pydicom import uid

import deixis
from deixis.archive import Archive
from deixis.credentials import Credentials
from deixis.errors import ArchiveError
from deixis.images import read
from deixis.pacs import Order, ground_study
from deixis.recipes import RECIPES
from deixis.types import Image, Phrase
from deixis.writers.dicom_cr import write_cr
from deixis.writers.overlay import picture
from dicom_reading import boxes, errors, planes

PHRASES = ("left effusion", "opacity")
SECRETS = ("SECRETNAME", "SECRETID", "19470312", "SECRETPLACE", "SECRETACC")


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture(scope="module")
def archive(orthanc):
    return Archive.at(orthanc.url, Credentials(orthanc.user, orthanc.password))


@pytest.fixture
def study(orthanc, grey, tmp_path):
    """Puts images of one study into the archive; gives its identifier."""
    numbers = iter(range(1, 100))

    def put(*changes, sent_as=None) -> str:
        first = None
        for change in changes or ({},):
            number = next(numbers)
            # Another study for every test, another picture for every image.
            rng = np.random.default_rng(abs(hash((str(tmp_path), number))))
            pixels = np.clip(grey + rng.normal(0, 0.02, grey.shape), 0, 1).astype(np.float32)
            made = pydicom.dcmread(write_cr(Image(pixels, (0.7, 0.7)), tmp_path / f"{number}.dcm"))
            made.InstanceNumber = number
            first = first or made
            made.StudyInstanceUID, made.SeriesInstanceUID = first.StudyInstanceUID, first.SeriesInstanceUID
            for keyword, value in change.items():
                setattr(made, keyword, value)
            if sent_as:
                made.compress(sent_as)
            orthanc.client.store_instances([made])
        return str(first.StudyInstanceUID)

    return put


@pytest.fixture
def pacs(capsys, orthanc, tiny_folder, monkeypatch):
    """`deixis pacs ground ARGUMENTS` with the tiny model and the environment's credentials."""
    monkeypatch.setenv("DEIXIS_PACS_USER", orthanc.user)
    monkeypatch.setenv("DEIXIS_PACS_PASSWORD", orthanc.password)
    asked = [part for phrase in PHRASES for part in ("-p", phrase)]

    def ground(uid, *arguments):
        return call(
            capsys, "pacs", "ground", "--url", orthanc.url, "--study", uid, *asked, "-m", tiny_folder, *arguments
        )

    return ground


def by_modality(orthanc, study) -> dict[str, list[pydicom.Dataset]]:
    found: dict[str, list[pydicom.Dataset]] = {}
    for one in orthanc.everything(study):
        found.setdefault(one.Modality, []).append(one)
    return found


def content(dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def became(done) -> list[str]:
    """What the command says of each image, in order."""
    return re.findall(r"^image \d+: (.*)$", done.out, re.MULTILINE)


def test_round_trip(pacs, orthanc, study, tiny_model, tmp_path):
    """Stored, read again: boxes, masks, heat and pictures are those of the library; all of it valid."""
    asked = study()
    done = pacs(asked)
    assert done.code == 0, done.err
    assert "image 1: 5 objects stored" in done.out
    there = by_modality(orthanc, asked)
    assert {modality: len(found) for modality, found in there.items()} == {"CR": 1, "SEG": 2, "SR": 1, "OT": 2}
    found = deixis.ground(read(content(there["CR"][0])), PHRASES, tiny_model)
    by_type = {one.SegmentationType: planes(one) for one in there["SEG"]}
    reported = boxes(there["SR"][0])
    captures = {one.ImageComments: one.pixel_array for one in there["OT"]}
    for one in found:
        text = one.phrase.text
        np.testing.assert_array_equal(by_type["BINARY"][text], one.mask)
        np.testing.assert_allclose(by_type["FRACTIONAL"][text], one.heat.values, atol=0.51 / 255)
        assert reported[text] == [replace(box, score=round(box.score, 6)) for box in one.boxes]
        assert captures[text].shape == np.asarray(picture(one)).shape
    for number, one in enumerate(orthanc.everything(asked)):
        (tmp_path / f"{number}.check").write_bytes(content(one))
        assert errors(tmp_path / f"{number}.check") == []


def test_a_second_run_stores_nothing(pacs, orthanc, study):
    """Nor does it compute."""
    asked = study()
    assert pacs(asked).code == 0
    before = sorted(one.SOPInstanceUID for one in orthanc.everything(asked))
    done = pacs(asked)
    assert done.code == 0
    assert "image 1: answered before: the archive has all 5 objects" in done.out
    assert sorted(one.SOPInstanceUID for one in orthanc.everything(asked)) == before


def test_what_was_lost_on_the_way_is_stored_by_the_next_run(pacs, orthanc, study):
    """Only what is missing."""
    asked = study()
    assert "1 objects stored" in pacs(asked, "--format", "sr").out
    done = pacs(asked)
    assert "4 objects stored, 1 were there" in done.out
    assert len(by_modality(orthanc, asked)["SR"]) == 1


def test_another_question_is_another_answer(pacs, orthanc, study):
    asked = study()
    pacs(asked, "--format", "sr")
    pacs(asked, "--format", "sr", "--seed", 1)
    assert len(by_modality(orthanc, asked)["SR"]) == 2


def test_the_original_is_as_it_was(pacs, orthanc, study):
    asked = study()
    before = content(orthanc.everything(asked)[0])
    pacs(asked, "--format", "sr")
    assert content(by_modality(orthanc, asked)["CR"][0]) == before


def test_dry_run_shows_and_stores_nothing(pacs, orthanc, study):
    asked = study()
    done = pacs(asked, "--dry-run")
    assert done.code == 0
    assert "image 1: nothing stored, as asked" in done.out
    assert all(phrase in done.out for phrase in PHRASES)
    assert len(orthanc.everything(asked)) == 1


def test_frontal_images_are_chosen(pacs, orthanc, study):
    """Laterals and raw images are passed over, with the reason; what is no radiograph is not looked at."""
    asked = study(
        {}, {"ViewPosition": "LL"}, {"SOPClassUID": uid.DigitalXRayImageStorageForProcessing},
        {"Modality": "CT", "SeriesInstanceUID": "1.2.3.4"},
    )  # fmt: skip
    done = pacs(asked, "--format", "sr")
    assert done.code == 0
    assert sorted(became(done)) == [
        "1 objects stored",
        "passed over, a lateral view",
        "passed over, a raw image for processing",
    ]
    assert len(by_modality(orthanc, asked)["SR"]) == 1


def test_one_series_where_it_is_asked_for(pacs, orthanc, study):
    asked = study({}, {"SeriesInstanceUID": "1.2.3.5"})
    done = pacs(asked, "--format", "sr", "--series", "1.2.3.5")
    assert became(done) == ["1 objects stored"]
    assert "no CR, DX or SC radiograph in that series" in pacs(asked, "--series", "1.2.3.6").err


@pytest.mark.parametrize("syntax", [uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.RLELossless])
def test_images_come_in_the_syntax_they_are_kept_in(pacs, orthanc, study, syntax):
    asked = study(sent_as=syntax)
    assert orthanc.everything(asked)[0].file_meta.TransferSyntaxUID == syntax
    assert "1 objects stored" in pacs(asked, "--format", "sr").out


def test_a_damaged_image_keeps_no_other_from_being_read(pacs, study):
    done = pacs(study({"Rows": 700}, {}), "--format", "sr")
    assert done.code == 0
    assert "passed over, the image" in done.out
    assert "1 objects stored" in done.out


def test_what_was_done_before_a_failure_is_shown(pacs, study, monkeypatch):
    """The archive fails over the second image: the first one's answer is stored, and told."""
    store, calls = Archive.store, []

    def failing(self, *given):
        calls.append(given)
        if len(calls) == 2:
            raise ArchiveError("The archive did not take the results.")
        store(self, *given)

    monkeypatch.setattr(Archive, "store", failing)
    done = pacs(study({}, {}), "--format", "sr")
    assert done.code == 2
    assert became(done) == ["1 objects stored"]
    assert done.lines == ["error: The archive did not take the results."]


def test_a_study_that_is_not_there(pacs):
    done = pacs("1.2.3.999")
    assert done.code == 2
    assert done.lines == ["error: The archive has no such study. Check --study and the address."]


def test_wrong_credentials_are_told_without_them(pacs, study, monkeypatch):
    asked = study()
    monkeypatch.setenv("DEIXIS_PACS_PASSWORD", "wrong-secret")
    done = pacs(asked)
    assert done.code == 2
    assert len(done.lines) == 1
    assert "401 Unauthorized" in done.err
    assert "DEIXIS_PACS_USER" in done.err
    assert "wrong-secret" not in done.err
    assert asked not in done.err


def test_credentials_from_a_file(pacs, orthanc, study, monkeypatch, tmp_path):
    for name in ("DEIXIS_PACS_USER", "DEIXIS_PACS_PASSWORD"):
        monkeypatch.delenv(name)
    kept = tmp_path / "credentials"
    kept.write_text(f"DEIXIS_PACS_USER={orthanc.user}\nDEIXIS_PACS_PASSWORD={orthanc.password}\n")
    kept.chmod(0o600)
    assert "1 objects stored" in pacs(study(), "--format", "sr", "--credentials", kept).out


@pytest.mark.parametrize("formats", ["png", "", "sr,png"])
def test_an_unknown_format_lists_the_known(pacs, formats):
    done = pacs("1.2.3", "--format", formats)
    assert done.code == 2
    assert "Known: seg, sr, sc" in done.err


def test_a_query_is_read_page_by_page(archive, orthanc, study, monkeypatch):
    """All rows, each once, whatever fits a page."""
    asked = study(*[{"SeriesInstanceUID": f"1.2.3.{number}"} for number in range(7)])
    for page in (1, 3, 7, 100):
        monkeypatch.setattr("deixis.archive.PAGE", page)
        found = [one.uid for one in archive.series(asked)]
        assert sorted(found) == [f"1.2.3.{number}" for number in range(7)]


def test_the_library_does_the_same(archive, orthanc, study, tiny_model):
    """An outcome per image, and the groundings with it."""
    asked = study()
    order = Order((Phrase("opacity"),), tiny_model, RECIPES["guided"], formats=("sr", "seg"))
    (outcome,) = ground_study(archive, asked, order)
    assert (outcome.stored, outcome.kept, outcome.skipped) == (3, 0, None)
    assert outcome.groundings[0].phrase.text == "opacity"
    with pytest.raises(ArchiveError, match="no such study"):
        list(ground_study(archive, "1.2.3.998", order))


def test_nothing_of_the_patient_is_logged_or_told(pacs, study, caplog):
    """At the most talkative level of every library: no identifier, no unique identifier, no phrase, no pixel."""
    change = dict(zip(
        ("PatientName", "PatientID", "PatientBirthDate", "InstitutionName", "AccessionNumber"), SECRETS, strict=True
    ))  # fmt: skip
    asked = study(change, change | {"Rows": 700})
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    done = pacs(asked)
    assert done.code == 0
    assert "objects stored" in done.out
    said = caplog.text + done.err
    assert not [secret for secret in (*SECRETS, *PHRASES, asked, "2.25.", "1.2.826") if secret in said]
    assert not [secret for secret in (*SECRETS, asked, "2.25.") if secret in done.out]
