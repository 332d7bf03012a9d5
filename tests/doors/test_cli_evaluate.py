"""`deixis evaluate`, `compare` and `datasets`: whole runs on phantoms, killed ones, two processes, other systems."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from calling import call

from deixis.datasets.phantom import TEST_SEED, cases, write_set
from deixis.evaluate import truth_of

REPORT = ("report.json", "cases.csv", "table.md", "table.tex", "report.html")


def told(out: Path, *more: str) -> list[str]:
    return ["evaluate", "phantom", "--limit", "5", "-r", "fast", "--prior-cases", "20", "-o", str(out), *more]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that nobody disturbed."""
    from deixis.cli.app import main

    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert main(told(folder, "--device", "cpu")) == 0
    return folder


def test_a_run_leaves_a_report_with_every_control(run):
    """Numbers with intervals, controls, what was not beaten, and a page that needs no other file."""
    assert all((run / name).stat().st_size > 100 for name in REPORT)
    report = json.loads((run / "report.json").read_text())
    assert set(report["controls"]) == {
        "center_gaussian", "uniform", "class_prior", "text_prior", "other_image", "random_phrase", "swapped_side",
        "empty_phrase",
    }  # fmt: skip
    assert report["cases"] == {"scored": 5, "failed": 0}
    assert report["macro"]["auroc"]["low"] <= report["macro"]["auroc"]["value"] <= report["macro"]["auroc"]["high"]
    assert set(report["not_beaten"]) == {"auroc_smoothed", "pointing", "miou", "cnr_smoothed"}
    assert report["controls"]["uniform"]["auroc"]["value"] == 0.5
    page = (run / "report.html").read_text()
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 6 + 3 * 4
    assert "Research use only" in page
    assert len((run / "cases.csv").read_text().splitlines()) > 5 * 8


def test_the_same_command_adds_nothing_and_another_is_refused(run, capsys):
    before = (run / "cases.jsonl").read_bytes()
    assert call(capsys, *told(run, "--device", "cpu")).code == 0
    assert (run / "cases.jsonl").read_bytes() == before
    refused = call(capsys, *told(run, "--seed", "1"))
    assert refused.code == 2
    assert "seed: 0 there, 1 now" in refused.err


def test_a_killed_run_goes_on_to_the_same_bytes(run, tmp_path):
    """kill -9 in the middle, and half a line at the end: the resumed run is equal to the undisturbed one."""
    command = [sys.executable, "-m", "deixis", *told(tmp_path / "run", "--device", "cpu")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = tmp_path / "run" / "cases.jsonl"
    for _ in range(6000):
        if lines.exists() and lines.stat().st_size:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lines.read_bytes()
    whole = (run / "cases.jsonl").read_bytes()
    with lines.open("ab") as opened:
        opened.write(whole[lines.stat().st_size :][:40])
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert lines.read_bytes() == whole
    for name in ("report.json", "cases.csv", "table.md"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes()


def test_two_processes_give_the_same_bytes(run, tmp_path):
    """Every process has the same number of threads, as here."""
    command = [
        sys.executable,
        "-m",
        "deixis",
        *told(tmp_path / "run", "--device", "cpu", "--workers", "2"),
    ]
    subprocess.run(command, capture_output=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert (tmp_path / "run" / "cases.jsonl").read_bytes() == (run / "cases.jsonl").read_bytes()


def test_a_mock_of_ms_cxr_from_csv_from_json_and_as_phantoms(tmp_path, capsys):
    """Both tables give the same report; drawn from their seeds the phantoms have the same truth, and nearly the same
    scores: pictures of the mock are JPEG of 8 bits."""
    write_set(tmp_path / "set", range(TEST_SEED, TEST_SEED + 3), findings=(1, 3))
    common = ["-r", "fast", "--device", "cpu", "--prior-cases", "0"]
    reports = []
    for name in ("csv", "json"):
        table = f"table=MS_CXR_Local_Alignment_v1.1.0.{name}"
        asked = ["evaluate", "ms-cxr", "--root", str(tmp_path / "set"), "--option", table, "-o", str(tmp_path / name)]
        assert call(capsys, *asked, *common).code == 0
        report = json.loads((tmp_path / name / "report.json").read_text())
        report["config"]["options"] = {}
        reports.append(report)
    assert reports[0] == reports[1]
    count = len(list(cases(range(TEST_SEED, TEST_SEED + 3))))
    drawn = ["evaluate", "phantom", "--limit", str(count), "-o", str(tmp_path / "drawn")]
    assert call(capsys, *drawn, *common).code == 0
    other = json.loads((tmp_path / "drawn" / "report.json").read_text())
    assert other["cases"] == reports[0]["cases"]
    assert other["controls"]["center_gaussian"] == reports[0]["controls"]["center_gaussian"]
    for metric in ("auroc", "miou"):
        assert other["macro"][metric]["value"] == pytest.approx(reports[0]["macro"][metric]["value"], abs=0.03)


def test_answers_of_another_system_stand_in_the_same_table(tmp_path, capsys):
    """Truth as a prediction scores 1, as a map or as boxes; a case without one is a failure with its reason."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    drawn = list(cases(range(TEST_SEED, TEST_SEED + 3)))[:4]
    for case in drawn[:2]:
        np.savez(folder / f"{case.id}.npz", heat=truth_of(case).astype(np.float32))
    boxes = {case.id: {"boxes": [[b.x0, b.y0, b.x1, b.y1, 1.0] for b in case.boxes]} for case in drawn[2:3]}
    (folder / "predictions.json").write_text(json.dumps(boxes))
    asked = ["evaluate", "phantom", "--limit", "4", "--predictions", str(folder), "--prior-cases", "20"]
    done = call(capsys, *asked, "-o", str(tmp_path / "run"))
    assert done.code == 2
    assert "1 of 4 cases failed" in done.err or "of 4 cases failed" in done.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["macro"]["auroc"]["value"] == 1
    assert report["macro"]["miou"]["value"] == 1
    assert "holds no prediction of" in next(iter(report["omitted"].values()))
    assert set(report["controls"]) == {"center_gaussian", "uniform", "class_prior", "text_prior"}


def test_runs_side_by_side(run, tmp_path, capsys):
    """Differences with intervals and p-values; a run with itself differs by nothing."""
    assert call(capsys, "compare", str(run), str(run)).code == 2
    again = shutil.copytree(run, tmp_path / "again")
    done = call(capsys, "compare", str(run), str(again))
    assert done.code == 0
    assert "0.000 [0.000, 0.000]" in done.out
    assert "1.0000" in done.out
    assert call(capsys, "compare", str(tmp_path)).code == 2


def test_datasets_are_listed_and_a_copy_is_checked(tmp_path, capsys):
    """Without a model: phrases, classes, and what would be left out."""
    listed = call(capsys, "datasets").out
    assert "ms-cxr" in listed
    assert "padchest-gr" in listed
    write_set(tmp_path / "set", range(4), 64)
    done = call(capsys, "datasets", "check", "ms-cxr", "--root", str(tmp_path / "set"))
    assert done.code == 0
    assert "phrases in" in done.out
    next((tmp_path / "set" / "files").rglob("*.jpg")).unlink()
    assert "image missing" in call(capsys, "datasets", "check", "ms-cxr", "--root", str(tmp_path / "set")).out
    assert call(capsys, "datasets", "check", "rsna", "--root", str(tmp_path / "set")).code == 2
    assert call(capsys, "evaluate", "nothing", "-o", str(tmp_path / "x")).code == 2
