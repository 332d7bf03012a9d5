"""What new objects take over, repaired or left out."""

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from deixis.writers.dicom_inherited import PATIENT_AND_STUDY, inherited

EMPTY = {row.keyword for row in PATIENT_AND_STUDY if row.empty}


def image(**elements) -> Dataset:
    """A data set as it is read: texts still as they stand in the file."""
    made = Dataset()
    for keyword, value in elements.items():
        if isinstance(value, str):
            tag = pydicom.tag.Tag(keyword)
            vr = pydicom.datadict.dictionary_VR(tag)
            stored = value.encode("utf-8", "replace")
            made[tag] = RawDataElement(tag, vr, len(stored), stored, 0, False, True)
        else:
            setattr(made, keyword, value)
    return made


@pytest.mark.parametrize(("keyword", "wrong", "right"), [
    ("PatientAge", "62", "062Y"),
    ("PatientAge", "062Y", "062Y"),
    ("PatientAge", "3m", "003M"),
    ("PatientAge", "sixty", None),
    ("PatientAge", "0062Y", None),
    ("PatientBirthDate", "1947-03-12", "19470312"),
    ("PatientBirthDate", "1947.03.12", "19470312"),
    ("PatientBirthDate", "12/03/1947", ""),
    ("PatientBirthDate", "19471312", ""),
    ("StudyTime", "10:15:00", "101500"),
    ("StudyTime", "101500.123456", "101500.123456"),
    ("StudyTime", "25", ""),
    ("PatientSex", "f", "F"),
    ("PatientSex", "Female", ""),
    ("PatientSex", "U", ""),
    ("PatientSize", "1.7", "1.7"),
    ("PatientWeight", "70,5", None),
    ("PatientWeight", "nan", None),
    ("AccessionNumber", "12345678901234567", ""),
    ("AccessionNumber", "1234567890123456", "1234567890123456"),
    ("StudyID", "a\\b", "a"),
    ("PatientName", "a" * 65, ""),
    ("PatientName", "A^B^C^D^E^F", ""),
    ("PatientName", "PHANTOM^ONE", "PHANTOM^ONE"),
    ("ReferringPhysicianName", None, ""),
    ("StudyDescription", "x" * 65, None),
    ("StudyDescription", "CHEST PA", "CHEST PA"),
    ("PatientIdentityRemoved", "PERHAPS", None),
])  # fmt: skip
def test_values_are_repaired_or_left_out(keyword, wrong, right):
    made = inherited(image(**{keyword: wrong}))
    found = made.get(keyword)
    assert (None if found is None else str(found)) == right


def test_what_must_be_there_is_there_and_empty():
    made = inherited(Dataset())
    assert {element.keyword for element in made} == EMPTY | {"SpecificCharacterSet"}


def test_nothing_else_is_taken_over():
    made = inherited(image(InstitutionName="x", OperatorsName="x", PatientComments="x", OtherPatientIDs="x"))
    assert {element.keyword for element in made} == EMPTY | {"SpecificCharacterSet"}


def test_an_identity_that_was_removed_says_how_or_says_nothing():
    assert "PatientIdentityRemoved" not in inherited(image(PatientIdentityRemoved="YES"))
    assert inherited(image(PatientIdentityRemoved="YES", DeidentificationMethod="x")).PatientIdentityRemoved == "YES"
    whole, half = Dataset(), Dataset()
    whole.CodeValue, whole.CodingSchemeDesignator, whole.CodeMeaning = "113100", "DCM", "Basic profile"
    half.CodeValue = "113101"
    made = inherited(image(PatientIdentityRemoved="YES", DeidentificationMethodCodeSequence=Sequence([whole, half])))
    assert [item.CodeValue for item in made.DeidentificationMethodCodeSequence] == ["113100"]


@pytest.mark.parametrize(("charset", "name"), [("ISO_IR 100", "PHÄNTOM^Ü"), ("ISO_IR 13", "ﾔﾏﾀﾞ"), ("GB18030", "王^小")])
def test_text_comes_in_utf8_whatever_it_was_written_in(charset, name, tmp_path):
    """Names keep their letters."""
    made = Dataset()
    made.SpecificCharacterSet, made.PatientName = charset, name
    made.save_as(tmp_path / "a", implicit_vr=False, little_endian=True)
    kept = inherited(pydicom.dcmread(tmp_path / "a", force=True))
    kept.save_as(tmp_path / "b", implicit_vr=False, little_endian=True)
    assert str(pydicom.dcmread(tmp_path / "b", force=True).PatientName) == name
    assert name.encode() in (tmp_path / "b").read_bytes()


@given(st.sampled_from([row.keyword for row in PATIENT_AND_STUDY if not row.keyword.endswith("Sequence")]), st.text())
def test_whatever_a_value_is_what_is_taken_over_is_valid(keyword, text):
    made = inherited(image(**{keyword: text}))
    for element in made:
        values = element.value if isinstance(element.value, list) else [element.value]
        for value in values:
            pydicom.valuerep.validate_value(element.VR, str(value), pydicom.config.RAISE)
