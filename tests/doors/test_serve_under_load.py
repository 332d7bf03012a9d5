"""The service under generated requests, damaged uploads and many clients; afterwards, what its log and metrics hold.

All of it runs on one server, in this order; the last test reads what the others left behind.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO

import httpx2
import hypothesis
import numpy as np
import PIL.Image
import pydicom
import pytest
from serving import served

from deixis.errors import ImageError
from deixis.images import read
from deixis.types import Image
from deixis.writers.dicom_cr import write_cr

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NAME = "PLANTED^PATIENT"
IDENTIFIERS = (NAME, "PLANTED-PHRASE", "PLANTED-FILE", "PLANTED-ID", "1.2.826.0.1.999999", "PLANTED-AGENT")
PHRASE = "effusion of PLANTED-PHRASE"
HEADERS = {"User-Agent": "PLANTED-AGENT"}
CASES, UPLOADS, CLIENTS, SECONDS = 2000, 200, 64, 60
MEBIBYTE = 2**20
FEW = hypothesis.settings(
    max_examples=20, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_folder):
    folder = tmp_path_factory.mktemp("PLANTED-FILE")
    with served(folder, "-m", tiny_folder, OMP_NUM_THREADS="1") as one:
        yield one


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The same picture as PNG, JPEG and DICOM, the last with a patient in it."""
    ys, xs = np.mgrid[0:120, 0:160]
    pixels = (0.5 + 0.25 * np.sin(ys / 9) + 0.25 * np.cos(xs / 13)).astype(np.float32)
    made = {}
    for form in ("PNG", "JPEG"):
        buffer = BytesIO()
        PIL.Image.fromarray(np.rint(255 * pixels).astype(np.uint8)).save(buffer, form)
        made[form] = buffer.getvalue()
    path = write_cr(Image(pixels), tmp_path_factory.mktemp("dicom") / "a.dcm")
    dataset = pydicom.dcmread(path)
    dataset.PatientName, dataset.PatientID, dataset.AccessionNumber = NAME, "PLANTED-ID", "PLANTED-ID"
    dataset.StudyInstanceUID = "1.2.826.0.1.999999.1"
    dataset.save_as(path)
    made["DICOM"] = path.read_bytes()
    return made


def upload(content):
    return {"image": ("PLANTED-FILE.dcm", content, "application/octet-stream")}


# ---- generated requests


@dataclass
class Live:
    """Names that are held just now, so that generated requests also meet what is there."""

    url: str
    png: bytes
    names: dict[str, str] = field(default_factory=dict)

    def renew(self):
        """A job and an image that exist."""
        answer = httpx2.post(f"{self.url}/v1/jobs", files=upload(self.png), data={"phrase": PHRASE}, headers=HEADERS)
        if answer.status_code == 202:
            told = answer.json()
            self.names = {"job": told["job"], "image": told["image"], "image_id": told["image"]}

    def put_into(self, case, chance):
        """Half of the generated names become ones that are held, half of the forms that take one get an image."""
        for place in (case.path_parameters, case.query, case.body):
            for name in list(place) if isinstance(place, dict) else ():
                if name in self.names and chance.random() < 0.5:
                    place[name] = [self.names[name]] if isinstance(place[name], list) else self.names[name]
        if isinstance(case.body, dict) and "reports" not in case.operation.path and chance.random() < 0.5:
            case.body = {name: value for name, value in case.body.items() if name not in ("image_id", "example")}
            case.body["image"] = self.png


def some(cases, ask, seed):
    """Up to twenty of the cases, drawn from this seed."""

    @hypothesis.seed(seed)
    @FEW
    @hypothesis.given(case=cases)
    def asking(case):
        ask(case)

    asking()


def test_generated_requests_find_no_error_of_the_server(server, images):
    """2,000 cases of the service's own description: every answer is one that it describes, and none is 5xx."""
    import schemathesis

    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    live, chance, met = Live(server.url, images["PNG"]), random.Random(0), Counter()
    operations = [one.ok() for one in schema.get_all_operations()]

    def ask(operation, case):
        live.put_into(case, chance)
        answer = case.call(base_url=server.url, headers=HEADERS, timeout=60)
        met[answer.status_code] += 1
        told = (operation.label, answer.status_code, answer.content[:300])
        assert answer.status_code < 500, told
        assert str(answer.status_code) in operation.definition.raw["responses"], told

    for turn in itertools.count():
        if met.total() >= CASES:
            break
        live.renew()
        operation = operations[turn % len(operations)]
        some(operation.as_strategy(), partial(ask, operation), turn)
    print(f"{met.total()} cases: {dict(sorted(met.items()))}")
    assert server.process.poll() is None
    # They met what is there, not only what is not.
    assert {200, 201, 202, 204, 404, 422} <= set(met)


# ---- damaged uploads


def damaged(content, chance):
    """One way of damaging a file: cut short, overwritten, torn apart, or blown up."""
    data = bytearray(content)
    way = chance.randrange(5)
    if way == 0:
        return bytes(data[: chance.randrange(1, len(data))])
    if way == 1:
        for _ in range(chance.randrange(1, 40)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    if way == 2:
        start = chance.randrange(len(data))
        del data[start : start + chance.randrange(1, 400)]
    if way == 3:
        start = chance.randrange(min(len(data), 400))
        data[start : start + 4] = b"\xff" * 4
    if way == 4:
        start = chance.randrange(len(data))
        data[start:start] = chance.randbytes(chance.randrange(1, 2000))
    return bytes(data)


def is_image(content):
    try:
        read(content)
    except ImageError:
        return False
    return True


def refused_ones(images, count, seed):
    """Damaged files that are no images any more, of all formats in turn."""
    chance, made = random.Random(seed), []
    while len(made) < count:
        content = damaged(images[("PNG", "JPEG", "DICOM")[len(made) % 3]], chance)
        if not is_image(content):
            made.append(content)
    return made


def test_damaged_uploads_are_refused_and_leave_no_memory_behind(server, images):
    """200 of them, after 60 that warm up: 4xx every time, no process lost, no growth."""

    def send(contents):
        statuses = Counter()
        for content in contents:
            answer = httpx2.post(f"{server.url}/v1/images", files=upload(content), headers=HEADERS, timeout=60)
            statuses[answer.status_code] += 1
            assert answer.headers["content-type"] == "application/problem+json"
        return statuses

    send(refused_ones(images, 60, seed=1))
    before = server.resident()
    statuses = send(refused_ones(images, UPLOADS, seed=2))
    grown = server.resident() - before
    print(f"{dict(statuses)}, memory grown by {grown / MEBIBYTE:.1f} MiB")
    assert set(statuses) <= {413, 415, 422}
    assert statuses.total() == UPLOADS
    assert grown < 32 * MEBIBYTE
    assert httpx2.get(f"{server.url}/v1/ready").status_code == 200


# ---- many clients


@dataclass
class Tally:
    """What all clients met."""

    statuses: Counter = field(default_factory=Counter)
    answers: Counter = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)


async def client(url, content, until, tally, number):
    """Asks again and again: half of the time at once, half of the time by a job that it watches."""
    chance = random.Random(number)
    async with httpx2.AsyncClient(timeout=120, headers=HEADERS) as http:
        while time.monotonic() < until:
            asked = {"phrase": [PHRASE, "left lung"][: chance.randrange(1, 3)]}
            route = chance.choice(("ground", "jobs"))
            answer = await http.post(f"{url}/v1/{route}", files=upload(content), data=asked)
            tally.statuses[answer.status_code] += 1
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
                await asyncio.sleep(chance.uniform(0.05, 0.3))
            elif route == "jobs" and answer.status_code == 202:
                job = answer.json()["job"]
                tally.accepted.append(job)
                events = (await http.get(f"{url}/v1/jobs/{job}/events")).text
                assert events.count("event: phrase") == len(asked["phrase"])
                assert events.count("event: end") == 1
                assert '"state": "done"' in events.rpartition("event: end")[2]
                tally.answers[job] += 1
            elif answer.status_code == 200:
                found = answer.json()["images"][0]["groundings"]
                assert [one["phrase"] for one in found] == asked["phrase"]


def test_many_clients_meet_no_error_and_every_job_is_answered_once(server, images):
    """64 clients for 60 seconds."""
    tally = Tally()

    async def all_of_them():
        until = time.monotonic() + SECONDS
        forms = list(images.values())
        await asyncio.gather(
            *(client(server.url, forms[number % 3], until, tally, number) for number in range(CLIENTS))
        )

    asyncio.run(all_of_them())
    print(f"{dict(tally.statuses)}, {len(tally.accepted)} jobs")
    assert set(tally.statuses) <= {200, 202, 429}
    assert tally.statuses[200] > 0
    assert tally.answers == Counter(tally.accepted)
    assert len(set(tally.accepted)) == len(tally.accepted) > 0


# ---- what is left behind


def test_log_and_metrics_hold_none_of_the_planted_identifiers(server):
    """After all of the above: phrases, file names, the patient, identifiers, agents."""
    metrics, log = httpx2.get(f"{server.url}/v1/metrics").text, server.said()
    assert "deixis_requests_total" in metrics
    assert len(log.splitlines()) > CASES
    for planted in IDENTIFIERS:
        assert planted not in metrics
        assert planted not in log
    assert '"level": "error"' not in log
