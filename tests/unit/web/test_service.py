"""Images, jobs and the queue: when it says no, what it forgets, and how it ends."""

import asyncio
import threading

import pytest

from deixis.errors import ImageError, ModelError, UnknownNameError
from deixis.recipes import RECIPES
from deixis.types import Phrase
from deixis.web.jobs import Order
from deixis.web.problems import Problem
from deixis.web.service import Service
from deixis.web.settings import Limits, Settings
from unit.web.conftest import reader, small


def order(*phrases, recipe="instant", seed=0):
    return Order(tuple(map(Phrase, phrases or ("opacity",))), RECIPES[recipe], seed)


class Gate:
    """A model whose denoiser waits until it is let go."""

    def __init__(self, model):
        self._model, self.open, self.reached = model, threading.Event(), threading.Event()
        self.open.set()

    def __getattr__(self, name):
        return getattr(self._model, name)

    def noise(self, latent, timestep, context):
        self.reached.set()
        assert self.open.wait(60)
        return self._model.noise(latent, timestep, context)

    def close(self):
        self.open.clear()
        self.reached.clear()


@pytest.fixture
def gate(tiny_model):
    return Gate(tiny_model)


def run(work, load, limits=None, failed=lambda error: None):
    """`work(service)`, in a loop of its own, on a service that is ready."""

    async def whole():
        given = Settings(limits=limits or Limits())
        service = Service(given, load, reader(given.limits), failed)
        await service.start()
        for _ in range(600):
            if service.model is not None:
                break
            await asyncio.sleep(0.02)
        try:
            return await work(service)
        finally:
            await service.stop()

    return asyncio.run(whole())


async def reached(gate):
    assert await asyncio.to_thread(gate.reached.wait, 30)


def test_phrases_are_answered_in_order_and_as_by_the_library(tiny_model, png):
    import deixis
    from deixis.images import read

    async def work(service):
        job = service.submit(await service.read(png), order("opacity", "left lung"))
        assert job.state == "waiting"
        await job.wait()
        return job

    job = run(work, lambda: tiny_model)
    expected = deixis.ground(read(png), ["opacity", "left lung"], tiny_model, "instant")
    assert job.state == "done"
    for found, wanted in zip(job.groundings, expected, strict=True):
        assert found.boxes == wanted.boxes
        assert abs(found.heat.values - wanted.heat.values).max() < 1e-5


def test_a_further_phrase_costs_no_evaluation(tiny_model, png):
    """The image stays opened, also where it is sent again."""

    async def work(service):
        spent = []
        for phrase in ("opacity", "left lung"):
            job = service.submit(await service.read(png), order(phrase))
            await job.wait()
            spent.append(job.evaluations)
        opened = service.metrics.registry.get_sample_value("deixis_images_opened_total")
        return spent, opened

    (first, further), opened = run(work, lambda: tiny_model)
    assert first > 0
    assert (further, opened) == (0, 1)


def test_opened_images_are_closed_beyond_their_number(tiny_model, png, grey):
    from unit.web.conftest import as_png

    async def work(service):
        for content in (png, as_png(grey[:, ::-1]), png):
            await service.submit(await service.read(content), order()).wait()
        return service.metrics.registry.get_sample_value("deixis_images_opened_total")

    assert run(work, lambda: tiny_model, small(views=1)) == 3


def test_a_full_queue_says_when_to_come_back(gate, png):
    async def work(service):
        gate.close()
        held = await service.read(png)
        running = service.submit(held, order())
        await reached(gate)
        waiting = [service.submit(held, order()) for _ in range(2)]
        with pytest.raises(Problem) as caught:
            service.submit(held, order())
        gate.open.set()
        await asyncio.gather(*(job.wait() for job in (running, *waiting)))
        assert [job.state for job in (running, *waiting)] == ["done"] * 3
        return caught.value

    problem = run(work, lambda: gate, small(queue=2))
    assert problem.status == 429
    assert 1 <= int(problem.headers["Retry-After"]) <= 60
    assert "2 jobs wait" in problem.detail


def test_a_running_job_is_cancelled_between_two_evaluations(gate, png):
    async def work(service):
        gate.close()
        job = service.submit(await service.read(png), order("opacity", recipe="paper"))
        await reached(gate)
        service.cancel(job)
        gate.open.set()
        await job.wait()
        with pytest.raises(Problem):
            service.job(job.id)
        after = service.submit(await service.read(png), order())
        await after.wait()
        return job, after

    job, after = run(work, lambda: gate)
    assert (job.state, job.groundings) == ("cancelled", [])
    assert after.state == "done"


def test_a_waiting_job_is_cancelled_at_once(gate, png):
    async def work(service):
        gate.close()
        held = await service.read(png)
        running = service.submit(held, order())
        await reached(gate)
        job = service.submit(held, order())
        service.cancel(job)
        assert job.state == "cancelled"
        assert service.waiting() == []
        gate.open.set()
        await running.wait()
        return job

    assert run(work, lambda: gate).problem.status == 409


def test_a_job_beyond_its_time_expires(gate, png):
    async def work(service):
        gate.close()
        job = service.submit(await service.read(png), order("opacity", recipe="paper"))
        await reached(gate)
        await asyncio.sleep(0.3)
        gate.open.set()
        await job.wait()
        return job

    job = run(work, lambda: gate, small(job_seconds=0.2))
    assert (job.state, job.problem.status) == ("expired", 504)


def test_a_bug_ends_its_job_only_and_is_logged_without_its_words(gate, png, monkeypatch, caplog):
    def broken(latent, timestep, context):
        raise KeyError("DOE JANE")

    async def work(service):
        held = await service.read(png)
        monkeypatch.setattr(gate, "noise", broken)
        bad = service.submit(held, order(seed=1))
        await bad.wait()
        monkeypatch.undo()
        good = service.submit(held, order(seed=2))
        await good.wait()
        return bad, good

    caplog.set_level("INFO", "deixis.web")
    bad, good = run(work, lambda: gate)
    assert (bad.state, bad.problem.status) == ("failed", 500)
    assert good.state == "done"
    (said,) = [record.facts for record in caplog.records if record.msg == "bug"]
    assert said["kind"] == "KeyError"
    assert "web/worker.py" in said["where"]
    assert "DOE" not in bad.problem.detail + str(said)


def test_an_error_of_the_user_is_told(tiny_model, png):
    async def work(service):
        job = service.submit(await service.read(png), order("effusion " * 200))
        await job.wait()
        return job

    job = run(work, lambda: tiny_model)
    assert (job.state, job.problem.status) == ("failed", 422)
    assert "fit" in job.problem.detail


def test_images_are_forgotten_on_request(tiny_model, png):
    async def work(service):
        held = service.hold(await service.read(png))
        await service.submit(held, order()).wait()
        service.drop_image(held.id)
        with pytest.raises(Problem) as caught:
            service.image(held.id)
        again = service.submit(await service.read(png), order())
        await again.wait()
        return caught.value, again.evaluations

    problem, evaluations = run(work, lambda: tiny_model)
    assert problem.status == 404
    assert evaluations > 0


def test_an_image_held_twice_stays_opened_for_the_other(tiny_model, png):
    async def work(service):
        one, two = service.hold(await service.read(png)), service.hold(await service.read(png))
        await service.submit(one, order()).wait()
        service.drop_image(one.id)
        job = service.submit(two, order("left lung"))
        await job.wait()
        return job.evaluations

    assert run(work, lambda: tiny_model) == 0


def test_results_go_when_their_time_is_over(tiny_model, png, monkeypatch):
    monkeypatch.setattr("deixis.web.service.SWEEP", 0.05)

    async def work(service):
        held = service.hold(await service.read(png))
        job = service.submit(held, order())
        await job.wait()
        await asyncio.sleep(0.6)
        value = service.metrics.registry.get_sample_value
        assert value("deixis_held_bytes") == 0
        with pytest.raises(Problem):
            service.job(job.id)
        again = service.submit(await service.read(png), order())
        await again.wait()
        return again.evaluations

    assert run(work, lambda: tiny_model, small(lifetime=0.3)) > 0


def test_stopping_finishes_what_runs_and_returns_what_waits(gate, png):
    async def work(service):
        gate.close()
        held = await service.read(png)
        running = service.submit(held, order())
        await reached(gate)
        waiting = service.submit(held, order())
        service.begin_stop()
        with pytest.raises(Problem) as caught:
            service.submit(held, order())
        assert (waiting.state, waiting.problem.status) == ("cancelled", 503)
        assert not running.over
        gate.open.set()
        await service.stop()
        await asyncio.sleep(0)
        return running, caught.value

    running, refused = run(work, lambda: gate)
    assert running.state == "done"
    assert refused.status == 503
    assert "Retry-After" in refused.headers


def test_what_outlives_the_grace_is_stopped(gate, png):
    async def work(service):
        gate.close()
        job = service.submit(await service.read(png), order("opacity", recipe="paper"))
        await reached(gate)
        asyncio.get_running_loop().call_later(0.4, gate.open.set)
        await service.stop()
        await job.wait()
        return job

    assert run(work, lambda: gate, small(grace=0.1)).state == "cancelled"


def test_a_model_that_cannot_be_loaded_is_told():
    def load():
        raise ModelError("no such weights")

    failures = []

    async def work(service):
        return service.model

    async def whole():
        service = Service(Settings(), load, reader(Limits()), failures.append)
        await service.start()
        await asyncio.sleep(0.2)
        await service.stop()

    asyncio.run(whole())
    assert [str(error) for error in failures] == ["no such weights"]


def test_examples_are_known_by_name(tiny_model):
    async def work(service):
        held = await service.example("effusion")
        with pytest.raises(UnknownNameError) as caught:
            await service.example("jane doe")
        return held, str(caught.value)

    held, told = run(work, lambda: tiny_model)
    assert held.image.shape == (256, 256)
    assert "of no patient" in held.image.notices[0]
    assert "effusion, pneumothorax, cardiomegaly" in told
    assert "jane" not in told


def test_what_is_no_image_is_refused(tiny_model):
    async def work(service):
        with pytest.raises(ImageError):
            await service.read(b"text")

    run(work, lambda: tiny_model)
