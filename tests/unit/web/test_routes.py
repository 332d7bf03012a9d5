"""What the addresses answer."""

import json
import zipfile
from io import BytesIO

import numpy as np
import pytest

from deixis.recipes import RECIPES
from deixis.writers import WRITERS
from unit.web.conftest import small, until_ready


def ground(client, png, *phrases, **fields):
    data = {"phrase": list(phrases), **fields}
    return client.post("/v1/ground", files={"image": ("jane.png", png)}, data=data)


def ask(client, png, *phrases, **fields):
    data = {"phrase": list(phrases), **fields}
    answer = client.post("/v1/jobs", files={"image": ("jane.png", png)}, data=data)
    assert answer.status_code == 202, answer.text
    return answer.json()


def events(client, job):
    """The events of a job, as pairs of name and data."""
    blocks = client.get(f"/v1/jobs/{job}/events").text.strip().split("\n\n")
    lines = [block.split("\n") for block in blocks if block.startswith("event: ")]
    return [(one[0].removeprefix("event: "), json.loads(one[1].removeprefix("data: "))) for one in lines]


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    return told["detail"]


def test_ground_answers_with_the_document(client, png):
    answer = ground(client, png, "opacity", "left lung", recipe="fast", seed=3)
    assert answer.status_code == 200
    document = answer.json()
    assert document["schema"] == "deixis.groundings/1"
    (image,) = document["images"]
    assert (image["source"], image["shape"], image["folder"]) == (None, [150, 200], None)
    assert [found["phrase"] for found in image["groundings"]] == ["opacity", "left lung"]
    provenance = image["groundings"][0]["provenance"]
    assert (provenance["recipe"], provenance["seed"]) == ("fast", 3)


def test_ground_keeps_nothing(client, png):
    assert ground(client, png, "opacity").status_code == 200
    value = client.service.metrics.registry.get_sample_value
    assert (value("deixis_images_held"), value("deixis_held_bytes")) == (0, 0)


def test_a_job_tells_of_every_phrase_and_of_its_end(client, png):
    job = ask(client, png, "opacity", "left lung")
    told = events(client, job["job"])
    phrases = [data for name, data in told if name == "phrase"]
    assert [one["index"] for one in phrases] == [0, 1]
    assert [one["grounding"]["phrase"] for one in phrases] == ["opacity", "left lung"]
    name, end = told[-1]
    assert (name, end["state"], end["answered"], end["document"]) == ("end", "done", 2, None)
    whole = client.get(f"/v1/jobs/{job['job']}").json()
    assert [one["phrase"] for one in whole["document"]["images"][0]["groundings"]] == ["opacity", "left lung"]


def test_a_further_phrase_is_asked_of_the_held_image(client, png):
    job = ask(client, png, "opacity")
    events(client, job["job"])
    data = {"image_id": job["image"], "phrase": "left lung"}
    further = client.post("/v1/jobs", data=data).json()
    assert further["image"] == job["image"]
    assert events(client, further["job"])[-1][1]["evaluations"] == 0


def test_a_map_comes_as_numbers(client, png):
    job = ask(client, png, "opacity")
    events(client, job["job"])
    answer = client.get(f"/v1/jobs/{job['job']}/maps/0")
    assert answer.headers["deixis-shape"] == "150,200"
    heat = np.frombuffer(answer.content, np.uint8).reshape(150, 200)
    assert heat.max() > 200
    x0, y0, x1, y1 = map(int, answer.headers["deixis-seen"].split(","))
    assert (x0, y0, y1) == (25, 0, 150)
    assert x1 in (174, 175)
    assert problem(client.get(f"/v1/jobs/{job['job']}/maps/1"), 404).startswith("This phrase")


def test_a_cancelled_job_is_gone(client, png):
    job = ask(client, png, "opacity")["job"]
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    assert "Ask again" in problem(client.get(f"/v1/jobs/{job}"), 404)
    problem(client.delete(f"/v1/jobs/{job}"), 404)


def test_an_image_is_held_shown_and_forgotten(client, png, grey):
    held = client.post("/v1/images", files={"image": png})
    assert held.status_code == 201
    entry = held.json()
    assert (entry["shape"], entry["lifetime"]) == ([150, 200], 900)
    numbers = client.get(f"/v1/images/{entry['image']}/pixels")
    shown = np.frombuffer(numbers.content, "<u2").reshape(150, 200) / 65535
    np.testing.assert_allclose(shown, grey, atol=0.6 / 255)
    assert client.delete(f"/v1/images/{entry['image']}").status_code == 204
    assert "Send it again" in problem(client.get(f"/v1/images/{entry['image']}/pixels"), 404)


def test_an_example_is_held_as_an_image(client):
    entry = client.post("/v1/images", data={"example": "pneumothorax"}).json()
    assert entry["shape"] == [256, 256]
    assert "of no patient" in entry["notices"][0]


@pytest.mark.parametrize("form", ["png", "json", "npz"])
def test_files_are_those_of_the_writers(client, png, form):
    job = ask(client, png, "opacity")["job"]
    events(client, job)
    answer = client.get(f"/v1/files/{form}", params={"job": job})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="deixis.{form}"'


def test_files_of_several_jobs_of_an_image_come_together(client, png):
    first = ask(client, png, "opacity")
    second = client.post("/v1/jobs", data={"image_id": first["image"], "phrase": "left lung"}).json()
    jobs = [first["job"], second["job"]]
    for job in jobs:
        events(client, job)
    with zipfile.ZipFile(BytesIO(client.get("/v1/files/png", params={"job": jobs}).content)) as archive:
        assert archive.namelist() == ["01.png", "02.png"]
    other = ask(client, png[:-4] + png[-4:] + b"\0", "opacity")["job"]
    events(client, other)
    assert "different images" in problem(client.get("/v1/files/png", params={"job": [*jobs, other]}), 422)


def test_a_format_that_is_not_known_lists_those_that_are(client, png):
    job = ask(client, png, "opacity")["job"]
    assert ", ".join(WRITERS.names()) in problem(client.get("/v1/files/jpg", params={"job": job}), 422)


WRONG = {
    "no phrase": ({}, 422, "phrase: is missing"),
    "an empty phrase": ({"phrase": " "}, 422, "The phrase is empty"),
    "a phrase of too many characters": ({"phrase": "a" * 1001}, 422, "more than 1000 characters"),
    "a phrase of too many tokens": ({"phrase": "effusion " * 100}, 422, "fit"),
    "too many phrases": ({"phrase": ["a"] * 33}, 422, "more than the 32"),
    "an unknown recipe": ({"phrase": "a", "recipe": "DOE JANE"}, 422, "Known: paper"),
    "a seed that is no number": ({"phrase": "a", "seed": "DOE JANE"}, 422, "seed: "),
    "an image and a name": ({"phrase": "a", "image_id": "abc"}, 422, "Give either"),
    "a name that is none": ({"phrase": "a", "image_id": "DOE^JANE"}, 422, "image_id: "),
}


@pytest.mark.parametrize(("fields", "status", "told"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked_is_told_without_being_quoted(client, png, fields, status, told):
    answer = client.post("/v1/ground", files={"image": ("DOE-JANE.png", png)}, data=fields)
    assert told in problem(answer, status)
    assert "DOE" not in answer.text


UPLOADS = {
    "no image": (b"DOE JANE, effusion", 415, "It reads PNG, JPEG, TIFF, DICOM"),
    "nothing": (b"", 422, "empty"),
    "half of one": (None, 422, "damaged or cut short"),
}


@pytest.mark.parametrize(("content", "status", "told"), UPLOADS.values(), ids=UPLOADS)
def test_what_is_no_image_is_told(client, png, content, status, told):
    answer = client.post("/v1/images", files={"image": png[: len(png) // 2] if content is None else content})
    assert told in problem(answer, status)
    assert "DOE" not in answer.text


def test_the_order_is_checked_before_the_image(client):
    answer = client.post("/v1/ground", files={"image": b"no image"}, data={"phrase": " "})
    assert "empty" in problem(answer, 422)


def test_a_phrase_that_does_not_fit_is_known_before_the_others_are_answered(client, png):
    told = events(client, ask(client, png, "opacity", "effusion " * 100)["job"])
    assert [name for name, _ in told if name == "phrase"] == []
    assert "fit" in told[-1][1]["problem"]["detail"]


def test_limits_are_told(serving, png):
    with serving(small(upload_bytes=1000, pixels=1000)) as client:
        until_ready(client)
        assert "million pixels" in problem(client.post("/v1/images", files={"image": png[:900]}), 413)
        large = client.post("/v1/images", files={"image": bytes(3 << 20)})
        assert "larger than this service takes" in problem(large, 413)


def test_more_than_one_file_is_refused(client, png):
    answer = client.post("/v1/images", files=[("image", png), ("image", png)])
    assert "multipart form" in problem(answer, 400)


def test_what_is_not_there_is_told(client):
    assert "openapi.json" in problem(client.get("/nothing"), 404)
    assert "method" in problem(client.get("/v1/ground"), 405)
    problem(client.get("/page/main.py"), 404)
    problem(client.get("/page/..%2Fapp.py"), 404)


def test_the_queue_says_no(serving, png):
    with serving(small(queue=0)) as client:
        until_ready(client)
        answer = ground(client, png, "opacity")
        assert "Ask again" in problem(answer, 429)
        assert int(answer.headers["retry-after"]) >= 1


def test_it_says_what_it_is(client):
    (model,) = client.get("/v1/models").json()["models"]
    assert (model["family"], model["image_size"]) == ("diffusers-ldm", 128)
    recipes = client.get("/v1/recipes").json()["recipes"]
    assert [one["name"] for one in recipes] == list(RECIPES)
    assert [one["name"] for one in recipes if one["default"]] == ["best-instant"]
    offers = client.get("/v1/offers").json()
    assert offers["formats"] == list(WRITERS.names())
    assert all(one["phrases"] for one in offers["examples"])


def test_it_lives_before_it_is_ready(serving, tiny_model):
    import threading

    gate = threading.Event()

    def load():
        assert gate.wait(30)
        return tiny_model

    with serving(load=load) as client:
        assert client.get("/v1/health").status_code == 200
        answer = client.get("/v1/ready")
        assert "loaded" in problem(answer, 503)
        assert client.get("/v1/models").json() == {"models": []}
        gate.set()
        until_ready(client)


def test_metrics_count_requests_by_the_template_of_their_route(client, png):
    job = ask(client, png, "a phrase of jane doe")["job"]
    events(client, job)
    client.get("/v1/nothing/jane-doe")
    text = client.get("/v1/metrics").text
    assert 'deixis_requests_total{method="GET",route="/v1/jobs/{job}/events",status="200"} 1.0' in text
    assert 'route="other",status="404"' in text
    assert 'deixis_jobs_total{recipe="best-instant",state="done"} 1.0' in text
    for kept in ("jane", job):
        assert kept not in text


def test_requests_are_logged_by_template_and_jobs_by_alias(client, png, caplog):
    caplog.set_level("INFO", "deixis.web")
    job = ask(client, png, "a phrase of jane doe")["job"]
    events(client, job)
    told = [{"event": record.msg, **record.facts} for record in caplog.records]
    assert {"request", "job"} <= {one["event"] for one in told}
    assert not any(word in str(told) for word in ("jane", job))


def test_openapi_describes_every_route_and_refusals(client):
    described = client.get("/openapi.json").json()
    assert {path for path in described["paths"] if path.startswith("/v1")} == set(described["paths"])
    for path in ("/v1/ground", "/v1/jobs", "/v1/jobs/{job}", "/v1/jobs/{job}/events", "/v1/models", "/v1/recipes"):
        assert path in described["paths"]
    told = described["paths"]["/v1/ground"]["post"]["responses"]
    assert {"200", "413", "415", "422", "429", "504"} <= set(told)
    assert "application/problem+json" in told["422"]["content"]
    assert "ProblemEntry" in described["components"]["schemas"]


def test_no_page_of_a_framework_is_served(client):
    """They fetch scripts from elsewhere."""
    for path in ("/docs", "/redoc"):
        problem(client.get(path), 404)


def test_an_upload_without_a_length_is_cut_off(serving):
    def endless():
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield bytes(1 << 16)

    with serving(small(upload_bytes=1000)) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = client.post("/v1/images", content=endless(), headers=headers)
        assert "larger than this service takes" in problem(answer, 413)


REPORT = "FINDINGS: Small right pleural effusion. No pneumothorax. Possible basilar atelectasis. 😀 Cardiomegaly."


def test_a_report_is_read_sentence_by_sentence(client):
    """Statuses, reasons, and offsets of characters, also beyond the basic plane."""
    answer = client.post("/v1/reports", data={"report": REPORT})
    assert answer.status_code == 200
    mentions = [one for sentence in answer.json()["sentences"] for one in sentence["mentions"]]
    assert [one["status"] for one in mentions] == ["present", "absent", "uncertain", "present"]
    assert mentions[0]["phrase"] == "small right pleural effusion"
    assert REPORT[mentions[-1]["start"] : mentions[-1]["end"]] == "Cardiomegaly"
    assert mentions[1]["reason"] == "the report denies it"
    assert mentions[0]["reason"] is None


@pytest.mark.parametrize(
    ("report", "status", "told"),
    [("", 422, ""), (" ", 422, "no words"), ("word " * 5000, 422, "one report at a time"), ("x" * 200_000, 400, "")],
)
def test_what_is_no_report_is_told(client, report, status, told):
    assert told in problem(client.post("/v1/reports", data={"report": report}), status)


def test_a_report_leaves_no_trace_in_the_log(client, caplog):
    caplog.set_level("INFO", "deixis.web")
    client.post("/v1/reports", data={"report": "Jane Doe: effusion."})
    told = [{"event": record.msg, **record.facts} for record in caplog.records]
    assert told
    assert "Jane" not in str(told)
