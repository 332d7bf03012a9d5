"""`deixis serve`: how it starts, what it answers, how it ends."""

import json
import signal
import socket
import threading
import time

import httpx2
import pytest
from calling import call, write_picture
from serving import end, served, start

from deixis.web.logs import alias
from deixis.web.settings import LOOPBACK

SECRET = "DOE^JANE"
TOKEN = "a-secret-of-more-than-sixteen"


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_folder):
    """One server for the tests that only ask."""
    folder = tmp_path_factory.mktemp("serve")
    with served(folder, "-m", tiny_folder, OMP_NUM_THREADS="1") as one:
        yield one


def ground(url, picture, **data):
    with picture.open("rb") as file:
        return httpx2.post(f"{url}/v1/ground", files={"image": file}, data=data, timeout=60)


def without_time(document):
    """A document without what differs from run to run and door to door."""
    (image,) = document["images"]
    for found in image["groundings"]:
        found["provenance"].pop("seconds")
        found["files"] = []
    return {**document, "images": [{**image, "source": None, "folder": None, "files": []}]}


@pytest.mark.parametrize("recipe", ["instant", "fast"])
def test_the_same_words_give_the_same_answer_as_the_command_line(server, picture, ground_, recipe):
    """The command line's --json, the service's document: equal but for names of files and seconds."""
    answer = ground(server.url, picture, phrase=["opacity", "left lung"], recipe=recipe, seed="2")
    assert answer.status_code == 200
    told = ground_(picture, "-p", "opacity", "-p", "left lung", "-r", recipe, "--seed", "2", "--json")
    ours, theirs = without_time(answer.json()), without_time(json.loads(told.out))
    # Phrases of one call share batches on the command line; the service answers them one by one.
    for left, right in zip(ours["images"][0]["groundings"], theirs["images"][0]["groundings"], strict=True):
        for box, other in zip(left.pop("boxes"), right.pop("boxes"), strict=True):
            assert box == pytest.approx(other, abs=1e-4)
        assert left.pop("heat")["peak"] == pytest.approx(right.pop("heat")["peak"], abs=1e-4)
    assert ours == theirs


@pytest.fixture
def ground_(capsys, tiny_folder):
    return lambda *arguments: call(capsys, "ground", *arguments, "-m", tiny_folder)


def test_words_and_defaults_are_those_of_the_command_line():
    """Options that both have are called and explained alike; the page's own recipe differs on purpose."""
    from dataclasses import fields

    from deixis.cli.ground import Options
    from deixis.cli.serve import ServeOptions

    ours, theirs = ({field.name: field for field in fields(kind)} for kind in (ServeOptions, Options))
    both = (set(ours) & set(theirs)) - {"recipe"}
    assert both == {"model", "device", "dtype"}
    for name in both:
        assert ours[name].default == theirs[name].default
        assert ours[name].type == theirs[name].type
    assert ours["recipe"].default == "best-instant"


def test_forms_use_the_words_of_the_command_line(server):
    from dataclasses import fields

    from deixis.cli.ground import Options

    described = httpx2.get(f"{server.url}/openapi.json").json()
    (reference,) = described["paths"]["/v1/ground"]["post"]["requestBody"]["content"]["multipart/form-data"][
        "schema"
    ].values()
    form = described["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
    words = {field.name for field in fields(Options)} | {"image", "image_id"}
    assert set(form) <= words
    assert {"phrase", "recipe", "seed"} <= set(form)


def test_what_was_asked_stays_out_of_the_log(server, place):
    """Phrase, file name, recipe, address, host and agent; a job is told by its alias, which is salted anew."""
    picture = write_picture(place / f"{SECRET}.png")
    assert ground(server.url, picture, phrase=f"effusion of {SECRET}").status_code == 200
    assert ground(server.url, picture, phrase="a", recipe=SECRET).status_code == 422
    for path in (f"/v1/jobs/{SECRET}", f"/{SECRET}?{SECRET}"):
        httpx2.get(server.url + path, headers={"User-Agent": SECRET, "Referer": f"http://{SECRET}"})
    httpx2.get(server.url, headers={"Host": "doe-jane"})
    text = server.said() + httpx2.get(f"{server.url}/v1/metrics").text
    assert '"event": "request"' in text
    assert not any(part in text for part in ("DOE", "JANE", "doe-jane"))
    assert alias("abc") not in text
    assert all(json.loads(line) for line in server.said().splitlines() if line.startswith("{"))


def test_nothing_stays_on_disk_and_sigterm_finishes_what_runs(tmp_path, tiny_folder):
    """The folder for temporary files is empty again, also of a large upload that is spooled; the running job ends."""
    temporary, answers = tmp_path / "tmp", []
    temporary.mkdir()
    picture = write_picture(tmp_path / "large.png", shape=(1500, 1800))
    assert picture.stat().st_size > 1 << 20
    with served(tmp_path, "-m", tiny_folder, TMPDIR=str(temporary)) as one:
        with picture.open("rb") as file:
            job = httpx2.post(f"{one.url}/v1/jobs", files={"image": file}, data={"phrase": "opacity"}).json()["job"]
        httpx2.get(f"{one.url}/v1/jobs/{job}/events", timeout=60)
        assert httpx2.get(f"{one.url}/v1/files/png", params={"job": job}, timeout=60).status_code == 200
        assert list(temporary.iterdir()) == []
        asking = threading.Thread(target=lambda: answers.append(ground(one.url, picture, phrase="a", recipe="paper")))
        asking.start()
        until_running(one)
        one.process.send_signal(signal.SIGTERM)
        asking.join(60)
        assert one.process.wait(60) == 0
        assert [answer.status_code for answer in answers] == [200]
        assert '"event": "stopped", "finished": true' in one.said()
        assert "Traceback" not in one.said()
        assert list(temporary.iterdir()) == []


def until_running(one):
    """Wait until the worker has a job."""
    for _ in range(400):
        if "deixis_running 1.0" in httpx2.get(f"{one.url}/v1/metrics").text:
            return
        time.sleep(0.01)
    pytest.fail("the job did not begin in time")


def test_a_secret_is_needed_and_opens_and_ctrl_c_ends_it(tmp_path, tiny_folder):
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with served(tmp_path, "-m", tiny_folder, "--token-file", tmp_path / "token") as one:
            assert httpx2.get(f"{one.url}/v1/models").status_code == 401
            headers = {"Authorization": f"Bearer {TOKEN}"}
            assert httpx2.get(f"{one.url}/v1/models", headers=headers).status_code == 200
            one.process.send_signal(signal.SIGINT)
            assert one.process.wait(60) == 130
            assert not any(word in one.said() for word in ("Traceback", TOKEN))
    finally:
        signal.signal(signal.SIGINT, before)


HOSTS = {
    "the loopback": ({}, LOOPBACK),
    "a proxy in front": ({"allowed_host": ["Grounding.Example"]}, (*LOOPBACK, "grounding.example")),
    "all machines, since the secret protects": ({"host": "0.0.0.0"}, ()),
    "all machines under a name": ({"host": "0.0.0.0", "allowed_host": ["a.example"]}, (*LOOPBACK, "a.example")),
}


@pytest.mark.parametrize(("options", "hosts"), HOSTS.values(), ids=HOSTS)
def test_which_host_names_are_served(options, hosts):
    from deixis.cli.serve import ServeOptions, settings_of

    assert settings_of(ServeOptions(**options)).hosts == hosts


def test_options_become_limits():
    from deixis.cli.serve import ServeOptions, settings_of

    asked = ServeOptions(queue=3, max_upload=2, max_pixels=1.5, job_seconds=7, keep_minutes=2, max_held=32)
    limits = settings_of(asked).limits
    assert (limits.queue, limits.upload_bytes, limits.pixels) == (3, 2 << 20, 1_500_000)
    assert (limits.job_seconds, limits.lifetime, limits.held_bytes) == (7, 120, 32 << 20)


REFUSED = {
    "a host of others without a secret": (["--host", "0.0.0.0"], "--token-file"),
    "a secret that is not there": (["--token-file", "none"], "none cannot be read"),
    "a secret too short": (["--token-file", "short"], "at least 16"),
    "an unknown recipe": (["-r", "instnt"], "Did you mean 'instant'?"),
    "an unknown model": (["-m", "phantm"], "Did you mean 'phantom'?"),
    "a port that is none": (["--port", "70000"], "--port"),
    "a host that is not here": (["--host", "::2", "--token-file", "long"], "cannot be listened on"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_served_gets_one_line(capsys, place, arguments, told):
    (place / "short").write_text("short", encoding="utf-8")
    (place / "long").write_text(TOKEN, encoding="utf-8")
    done = call(capsys, "serve", *arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.lines) == 1
    assert told in done.lines[0]


def test_a_port_that_is_taken_gets_one_line(capsys, place):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = call(capsys, "serve", "--port", other.getsockname()[1])
    assert done.code == 2
    assert "Choose another --port" in done.lines[0]


def test_weights_that_cannot_be_loaded_end_it_with_one_line(tmp_path, tiny_folder):
    import shutil

    folder = shutil.copytree(tiny_folder, tmp_path / "damaged")
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    process = start(tmp_path, "--port", 0, "-m", folder)
    try:
        assert process.wait(120) == 2
    finally:
        end(process)
    lines = (tmp_path / "serve.log").read_text(encoding="utf-8").splitlines()
    (error,) = (line for line in lines if line.startswith("error: "))
    assert "unet" in error


def test_without_its_extra_it_says_what_to_install(capsys, monkeypatch):
    from deixis.cli import serve

    monkeypatch.setattr(serve, "NEEDED", ("fastapi", "no_such_package"))
    done = call(capsys, "serve")
    assert done.code == 2
    assert "needs no_such_package: pip install 'deixis[web]'" in done.lines[0]
