"""Readers on samples in the exact format of each file, on the real files where present, and on spoilt ones."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deixis.datasets import DATASETS, Wanted
from deixis.errors import CaseError, DeixisError
from deixis.types import Box

REAL = Path(__file__).parents[4] / "shared" / "data" / "annotations"
ID = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
MIMIC = f"files/p10/p10233088/s54276838/{ID}.jpg"


def picture(file: Path, size=(1000, 800)) -> Path:
    """A grey picture of that width and height."""
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("L", size).save(file)
    return file


def read(name, root, **wanted):
    return DATASETS[name].read(Wanted(root, **wanted))


MS_CXR = f"""dicom_id,category_name,label_text,path,x,y,w,h,image_width,image_height,split
{ID},Pneumonia,left base opacity,{MIMIC},100,200,300,100,1000,800,train
{ID},Pneumonia,left base opacity,{MIMIC},500,200,100,100,1000,800,train
{ID},Pneumonia,left base opacity,{MIMIC},500,200,100,100,1000,800,train
{ID},Edema,"edema, mild",{MIMIC},900,700,300,300,1000,800,validate
{ID},Edema,gone,{MIMIC},900,900,10,10,1000,800,test
nowhere,Edema,lost,files/p10/p1/s1/nowhere.jpg,1,1,10,10,1000,800,test
"""


def test_ms_cxr_csv(tmp_path):
    """Boxes of one sentence are one case; duplicates, clipped, outside and missing ones are noted."""
    (tmp_path / "MS_CXR_Local_Alignment_v1.1.0.csv").write_text(MS_CXR)
    picture(tmp_path / MIMIC)
    collection = read("ms-cxr", tmp_path)
    first, second = collection
    assert first.boxes == (Box(100, 200, 400, 300), Box(500, 200, 600, 300))
    assert (first.phrase.text, first.category, first.split, first.patient) == (
        "left base opacity", "Pneumonia", "train", "10233088",
    )  # fmt: skip
    assert first.names_place
    assert second.boxes == (Box(900, 700, 1000, 800),)
    assert (second.split, second.names_place) == ("val", False)
    assert collection.counts == {
        "duplicate": 1, "image missing": 1, "box clipped": 1, "box outside": 1, "no truth": 1,
    }  # fmt: skip
    assert [case.phrase.text for case in read("ms-cxr", tmp_path, split="val")] == ["edema, mild"]


@pytest.mark.parametrize("place", [MIMIC, MIMIC.removeprefix("files/"), MIMIC.replace(".jpg", ".png")])
def test_ms_cxr_images_with_or_without_files_and_shrunk(tmp_path, place):
    """A copy of half the size has boxes of half the size."""
    (tmp_path / "MS_CXR_Local_Alignment_v1.0.0.csv").write_text(
        "\n".join(line.rsplit(",", 1)[0] for line in MS_CXR.splitlines()[:2])
    )
    picture(tmp_path / place, (500, 400))
    (case,) = read("ms-cxr", tmp_path)
    assert case.boxes == (Box(50, 100, 200, 150),)
    assert case.split is None


def test_ms_cxr_json_is_the_csv(tmp_path):
    """The COCO table of the same rows gives the same cases; the option names it where both are there."""
    from deixis.datasets.phantom import write_set

    write_set(tmp_path / "set", range(5), 64)
    csv = list(read("ms-cxr", tmp_path / "set"))
    coco = list(read("ms-cxr", tmp_path / "set", options={"table": "MS_CXR_Local_Alignment_v1.1.0.json"}))
    assert len(csv) == len(coco) > 3
    for one, other in zip(csv, coco, strict=True):
        assert (one.id, one.phrase, one.boxes, one.split, one.patient) == (
            other.id, other.phrase, other.boxes, other.split, other.patient,
        )  # fmt: skip


def test_vindr_readers_are_fused_in_training_and_taken_as_they_are_in_test(tmp_path):
    """Overlapping boxes of one class become their mean; "readers" asks for agreement."""
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "annotations_train.csv").write_text(
        "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"
        "a,R1,Cardiomegaly,100,100,300,300\na,R2,Cardiomegaly,110,100,310,300\na,R3,Cardiomegaly,600,600,700,700\n"
        "b,R1,No finding,,,,\n"
    )
    (tmp_path / "annotations" / "annotations_test.csv").write_text(
        "image_id,class_name,x_min,y_min,x_max,y_max\nc,Pleural effusion,1.5,2.5,30.5,40.5\n"
    )
    for name in ("train/a.png", "test/c.png"):
        picture(tmp_path / name)
    fused, single = read("vindr-cxr", tmp_path)
    assert fused.boxes == (Box(105, 100, 305, 300), Box(600, 600, 700, 700))
    assert (single.phrase.text, single.boxes) == ("pleural effusion", (Box(1.5, 2.5, 30.5, 40.5),))
    (agreed,) = read("vindr-cxr", tmp_path, split="train", options={"readers": "2"})
    assert agreed.boxes == (Box(105, 100, 305, 300),)
    assert read("vindr-cxr", tmp_path).counts == {"no finding": 1}


@pytest.mark.parametrize("tail", [",,,", ""])
def test_nih_boxes_are_read_by_position(tmp_path, tail):
    """Whether the three empty columns are there or not; floats stay floats; half the size has half the box."""
    (tmp_path / "BBox_List_2017.csv").write_text(
        f"Image Index,Finding Label,Bbox [x,y,w,h]{tail}\n00013118_008.png,Infiltrate,225.5,547.25,86.5,79.25{tail}\n"
    )
    picture(tmp_path / "images" / "00013118_008.png", (512, 512))
    (case,) = read("chestx-ray14", tmp_path)
    assert case.boxes == (Box(112.75, 273.625, 156, 313.25),)
    assert (case.category, case.patient) == ("Infiltration", "00013118")


def test_rsna(tmp_path):
    (tmp_path / "stage_2_train_labels.csv").write_text(
        "patientId,x,y,width,height,Target\np,,,,,0\nq,264.0,152.0,213.0,379.0,1\nq,562.0,152.0,256.0,453.0,1\n"
    )
    picture(tmp_path / "stage_2_train_images" / "q.png", (1024, 1024))
    (case,) = read("rsna", tmp_path)
    assert case.boxes == (Box(264, 152, 477, 531), Box(562, 152, 818, 605))
    assert read("rsna", tmp_path).counts == {"no finding": 1}


def test_siim_rows_of_one_image_are_one_mask(tmp_path):
    (tmp_path / "train-rle.csv").write_text(f"ImageId, EncodedPixels\na,-1\nb,1024 10\nb,0 5\nc,{2**21} 1\n")
    picture(tmp_path / "b.png", (1024, 1024))
    collection = read("siim", tmp_path)
    (case,) = collection
    assert np.flatnonzero(case.mask.T).tolist() == [*range(5), *range(1024, 1034)]
    assert case.boxes == ()
    assert collection.counts == {"no finding": 1, "row unreadable": 1}


def test_chexlocalize(tmp_path):
    coco = pytest.importorskip("pycocotools.mask", reason="writes the masks")
    mask = np.zeros((80, 100), np.uint8)
    mask[10:20, 30:50] = 1
    encoded = {"size": [80, 100], "counts": coco.encode(np.asfortranarray(mask))["counts"].decode()}
    empty = {"size": [80, 100], "counts": coco.encode(np.asfortranarray(mask * 0))["counts"].decode()}
    name = "patient64541_study1_view1_frontal"
    (tmp_path / "CheXlocalize").mkdir()
    (tmp_path / "CheXlocalize" / "gt_segmentations_val.json").write_text(
        json.dumps({name: {"Airspace Opacity": encoded, "Edema": empty}})
    )
    picture(tmp_path / "CheXpert" / "val" / "patient64541" / "study1" / "view1_frontal.jpg", (200, 160))
    (case,) = read("chexlocalize", tmp_path)
    assert (case.category, case.patient, int(case.mask.sum())) == ("Lung Opacity", "patient64541", 4 * 200)


@pytest.mark.parametrize(("language", "text"), [("en", "Nodule."), ("es", "Nódulo.")])
def test_padchest_gr(tmp_path, language, text):
    """Boxes are shares; keys may be missing; the master table says split and patient."""
    study = {
        "StudyID": "1", "ImageID": "x.png",
        "findings": [
            {"sentence_en": "Nodule.", "sentence_es": "Nódulo.", "abnormal": True, "boxes": [[0.1, 0.2, 0.3, 1.0]],
             "labels": ["nodule"]},
            {"sentence_en": "Normal heart.", "sentence_es": "Corazón normal.", "abnormal": False},
        ],
    }  # fmt: skip
    (tmp_path / "grounded_reports_20240819.json").write_text(json.dumps([study]))
    (tmp_path / "master_table.csv").write_text("StudyID,ImageID,PatientID,split\n1,x.png,p9,validation\n")
    picture(tmp_path / "Padchest_GR_files" / "x.png")
    (case,) = read("padchest-gr", tmp_path, language=language)
    assert case.phrase.text == text
    assert (case.category, case.split, case.patient) == ("nodule", "val", "p9")
    np.testing.assert_allclose([case.boxes[0].x0, case.boxes[0].y1], [100, 800])
    assert read("padchest-gr", tmp_path).counts == {"no finding": 1}


@pytest.mark.parametrize("truth", ["boxes", "polygons"])
def test_chestx_det(tmp_path, truth):
    one = {
        "file_name": "36199.png", "syms": ["Effusion"], "boxes": [[100, 200, 300, 400]],
        "polygons": [[[100, 200], [300, 200], [300, 400], [100, 400]]],
    }  # fmt: skip
    (tmp_path / "ChestX_Det_test.json").write_text(json.dumps([one, {"file_name": "1.png", "syms": [], "boxes": []}]))
    picture(tmp_path / "test_data" / "36199.png", (1024, 1024))
    (case,) = read("chestx-det", tmp_path, options={"truth": truth})
    if truth == "boxes":
        assert case.boxes == (Box(100, 200, 300, 400),)
    else:
        assert case.mask[201:399, 101:299].all()
        assert not case.boxes


def test_chest_imagenome(tmp_path):
    """Original pixels; four zeros are an anatomy that is not there."""
    table = tmp_path / "gold_dataset" / "gold_bbox_coordinate_annotations_1000images.csv"
    table.parent.mkdir()
    table.write_text(
        "image_id,x1,y1,x2,y2,bbox_name,original_x1,original_y1,original_x2,original_y2\n"
        f"{ID}.dcm,1,2,3,4,left lung,100,200,400,500\n{ID}.dcm,0,0,0,0,trachea,0,0,0,0\n"
    )
    picture(tmp_path / MIMIC)
    (case,) = read("chest-imagenome", tmp_path)
    assert (case.phrase.text, case.boxes) == ("left lung", (Box(100, 200, 400, 500),))


def test_a_csv_of_ones_own(tmp_path):
    (tmp_path / "cases.csv").write_text(
        "image,phrase,x0,y0,x1,y1,category,patient\n"
        "a.png,left nodule,1,2,30.5,40,Nodule,p\na.png,left nodule,9,9,x,9,N,p\n"
    )
    picture(tmp_path / "images" / "a.png")
    collection = read("csv", tmp_path)
    (case,) = collection
    assert (case.boxes, case.category, case.patient) == ((Box(1, 2, 30.5, 40),), "Nodule", "p")
    assert collection.counts == {"row unreadable": 1}


@pytest.mark.parametrize("truth", ["boxes", "masks"])
def test_a_coco_file_of_ones_own(tmp_path, truth):
    """Phrases on the annotations, else the category's name; polygons and run lengths as masks."""
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 80}],
        "categories": [{"id": 3, "name": "Mass"}],
        "annotations": [
            {"image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40], "caption": "right mass",
             "segmentation": [[10, 20, 40, 20, 40, 60, 10, 60]]},
            {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4],
             "segmentation": {"size": [80, 100], "counts": [7, 5, 7988]}},
        ],
    }  # fmt: skip
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    picture(tmp_path / "a.png", (100, 80))
    first, second = read("coco", tmp_path, options={"truth": truth})
    assert (first.phrase.text, second.phrase.text) == ("right mass", "Mass")
    if truth == "boxes":
        assert first.boxes == (Box(10, 20, 40, 60),)
    else:
        assert first.mask[21:59, 11:39].all()
        assert int(second.mask.sum()) == 5


def test_a_limit_keeps_the_first(tmp_path):
    (tmp_path / "MS_CXR_Local_Alignment_v1.1.0.csv").write_text(MS_CXR)
    picture(tmp_path / MIMIC)
    assert len(read("ms-cxr", tmp_path, limit=1)) == 1


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "phantom"])
def test_an_empty_root_says_what_is_sought(tmp_path, name):
    with pytest.raises(CaseError, match=r"holds no|has no"):
        read(name, tmp_path)
    with pytest.raises(CaseError, match="needs the folder"):
        read(name, None)
    with pytest.raises(CaseError, match="is no folder"):
        read(name, tmp_path / "absent")


FILES = {
    "ms-cxr": "MS_CXR_Local_Alignment_v1.1.0.csv", "vindr-cxr": "train.csv", "chestx-ray14": "BBox_List_2017.csv",
    "rsna": "stage_2_train_labels.csv", "siim": "train-rle.csv", "chexlocalize": "gt_segmentations_val.json",
    "padchest-gr": "grounded_reports_1.json", "chestx-det": "test.json",
    "chest-imagenome": "gold_bbox_coordinate_annotations_1000images.csv", "csv": "cases.csv",
    "coco": "annotations.json",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@given(content=st.binary(max_size=300) | st.text(alphabet='",\n[]{}:0123456789ab._-', max_size=300).map(str.encode))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spoilt_files_are_clear_errors(tmp_path, name, content):
    """Whatever the bytes are: cases, notes, or one of our errors that names the file."""
    (tmp_path / FILES[name]).write_bytes(content)
    told = str(tmp_path)
    with suppress(DeixisError):
        told = str(read(name, tmp_path).counts)
    assert told


@pytest.mark.parametrize("name", [name for name, file in FILES.items() if file.endswith(".csv")])
def test_bytes_that_upset_the_csv_reader_are_clear_errors(tmp_path, name):
    """A lone carriage return ends a row; a field without end is told with the file's name."""
    file = tmp_path / FILES[name]
    for content in (b"0\r0", b'a,"' + b"x" * 200_000):
        file.write_bytes(content)
        with pytest.raises(CaseError, match=FILES[name].replace(".", r"\.")):
            read(name, tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real annotation files")
@pytest.mark.parametrize(
    ("name", "file", "rows"),
    [("chestx-ray14", "nih_BBox_List_2017.csv.gz", 984), ("rsna", "rsna_sample.csv", None),
     ("siim", "siim_sample.csv", None)],
)  # fmt: skip
def test_real_files_are_read_whole(name, file, rows):
    """Every row of the real file becomes a case or a note; here without images, so all positives are missing ones."""
    counts = read(name, REAL).counts
    content = (REAL / file).read_bytes()
    lines = (gzip.decompress(content) if file.endswith("gz") else content).decode().splitlines()[1:]
    assert sum(counts.values()) == len([line for line in lines if line.strip(",\r ")])
    assert rows is None or counts["image missing"] == rows
    assert counts.get("row unreadable", 0) == 0
