"""What every model family must keep to. A plug-in package subclasses `ModelConformance` with its own `model`."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from deixis.errors import ModelError, PhraseError
from deixis.maps.taps import answers, probabilities
from deixis.models.catalog import entry_of
from deixis.models.loading import load
from deixis.types import KeysValues, LatentModel

TEXTS = ["small left effusion.", ""]


class Recorder:
    """Keeps every site's probabilities."""

    def __init__(self):
        self.maps = {}
        self.grids = {}
        self.timesteps = []

    def receive(self, site, timestep, q, k, bias):
        self.maps[site.index] = probabilities(site, q, k, bias)
        self.grids[site.index] = site.grid
        self.timesteps.append(timestep.tolist())


class Refusing:
    """A tap that fails while it listens."""

    def receive(self, site, timestep, q, k, bias):
        raise RuntimeError("the tap failed")


def weights_of(model):
    """A copy of all weights of the denoiser."""
    return {key: value.clone() for key, value in model._parts.denoiser.module.state_dict().items()}


class ModelConformance:
    """The suite; it needs a fixture `model` that gives a `LatentModel`.

    Args:
        room: how many of the tokens begin and end take.
        remake: gives the same model in another precision; None where a suite cannot make it anew.
    """

    room = 2
    remake = None

    @pytest.fixture
    def asked(self, model):
        """Two latents, two timesteps, two texts."""
        side = model.spec.image_size // model.spec.downsampling
        generator = torch.Generator().manual_seed(0)
        latent = torch.randn(2, model.spec.latent_channels, side, side, generator=generator)
        return latent, torch.tensor([100, 700]), model.embed(TEXTS)

    def test_is_a_latent_model(self, model):
        """It has every verb of the protocol."""
        assert isinstance(model, LatentModel)

    def test_spec_tells_what_it_is(self, model):
        """A hash over the weights, sites in call order with plausible grids, a notice."""
        spec = model.spec
        assert len(spec.weights_sha256) == 64
        assert spec.notice
        assert [site.index for site in spec.sites] == list(range(len(spec.sites)))
        side = spec.image_size // spec.downsampling
        assert all(0 < cells <= side for site in spec.sites for cells in site.grid)

    def test_schedule_falls(self, model):
        """ᾱ falls strictly from below 1 to above or at 0."""
        alphas = model.schedule.alphas_bar
        assert alphas.dtype == np.float64
        assert (np.diff(alphas) < 0).all()
        assert 0 <= alphas[-1] < alphas[0] < 1

    def test_encode_gives_a_finite_latent(self, model):
        """[case 1 y x] in [0, 1] → [case channel row column], deterministic."""
        spec = model.spec
        pixels = torch.rand(2, 1, spec.image_size, spec.image_size, generator=torch.Generator().manual_seed(0))
        latent = model.encode(pixels)
        side = spec.image_size // spec.downsampling
        assert latent.shape == (2, spec.latent_channels, side, side)
        assert torch.isfinite(latent).all()
        assert torch.equal(latent, model.encode(pixels))

    def test_embed_says_where_every_token_comes_from(self, model):
        """Spans lie inside the text and spell it in order; end is where the text is over."""
        context = model.embed(TEXTS)
        assert context.states.shape[:2] == (2, model.spec.tokens)
        assert len(context.spans[0]) == model.spec.tokens
        spans = [span for span in context.spans[0] if span[0] < span[1]]
        assert spans == sorted(spans)
        spelt = {position for start, end in spans for position in range(start, end)}
        assert {position for position, letter in enumerate(TEXTS[0]) if letter != " "} <= spelt
        assert context.spans[0][context.ends[0]] == (0, 0)
        assert context.ends[1] < context.ends[0]
        assert not any(start < end for start, end in context.spans[0][context.ends[0] :])

    def test_embed_does_not_depend_on_the_company(self, model):
        """A text gets the same states alone and among others."""
        torch.testing.assert_close(model.embed(TEXTS).states[:1], model.embed(TEXTS[:1]).states)

    def test_a_text_that_does_not_fit_is_an_error(self, model):
        """It says how many tokens fit, and nothing is cut off silently."""
        with pytest.raises(PhraseError, match=f"{model.spec.tokens - self.room} fit"):
            model.embed(["a " * model.spec.tokens])

    def test_noise_has_one_timestep_and_text_per_case(self, model, asked):
        """A batch of two is the two alone."""
        latent, timestep, context = asked
        whole = model.noise(latent, timestep, context)
        alone = [model.noise(latent[i : i + 1], timestep[i : i + 1], context.take([i])) for i in (0, 1)]
        torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-4, atol=1e-4)

    def test_noise_is_always_epsilon(self, model, asked):
        """Whatever the network answers, √ᾱ x₀ + √(1-ᾱ) ε gives z back, with the x₀ that its answer means."""
        latent, timestep, context = asked
        noise = model.noise(latent, timestep, context)
        alpha = torch.from_numpy(model.schedule.alphas_bar[timestep.numpy()]).float()[:, None, None, None]
        raw = model._parts.denoiser.answer(latent, timestep, context).float()
        meant = {
            "epsilon": (latent - (1 - alpha).sqrt() * raw) / alpha.sqrt(),
            "v_prediction": alpha.sqrt() * latent - (1 - alpha).sqrt() * raw,
            "sample": raw,
        }[model.spec.prediction]
        torch.testing.assert_close(alpha.sqrt() * meant + (1 - alpha).sqrt() * noise, latent, rtol=1e-3, atol=1e-3)

    def test_noise_needs_no_gradient(self, model, asked):
        """The model is frozen: nothing is recorded for a backward pass."""
        assert not model.noise(*asked).requires_grad

    def test_a_tap_changes_nothing(self, model, asked):
        """The model's answer is bit-identical before, under and after a tap."""
        before, weights = model.noise(*asked), weights_of(model)
        with model.tapped(model.spec.sites, Recorder()):
            under = model.noise(*asked)
        assert torch.equal(before, under)
        assert torch.equal(before, model.noise(*asked))
        after = weights_of(model)
        assert all(torch.equal(value, after[key]) for key, value in weights.items())

    def test_a_tap_that_fails_leaves_the_model_as_found(self, model, asked):
        """Its exception comes through, and the next answer is bit-identical."""
        before = model.noise(*asked)
        with pytest.raises(RuntimeError, match="the tap failed"), model.tapped(model.spec.sites, Refusing()):
            model.noise(*asked)
        assert torch.equal(before, model.noise(*asked))

    def test_a_tap_hears_every_site_in_call_order(self, model, asked):
        """Once each, with the timesteps of the cases; probabilities sum to 1 over the tokens."""
        recorder = Recorder()
        with model.tapped(model.spec.sites, recorder):
            model.noise(*asked)
        assert list(recorder.maps) == [site.index for site in model.spec.sites]
        assert recorder.timesteps == [[100, 700]] * len(model.spec.sites)
        for site in model.spec.sites:
            heard = recorder.maps[site.index]
            assert heard.shape == (2, site.grid[0] * site.grid[1], model.spec.tokens)
            torch.testing.assert_close(heard.sum(-1), torch.ones(heard.shape[:2]))

    def test_any_latent_grid_is_heard_as_it_is(self, model, asked):
        """Half as wide again as high: each site tells the grid that it has there."""
        side = model.spec.image_size // model.spec.downsampling
        latent = torch.randn(2, model.spec.latent_channels, side, side * 3 // 2)
        recorder = Recorder()
        with model.tapped(model.spec.sites, recorder):
            answer = model.noise(latent, *asked[1:])
        assert answer.shape == latent.shape
        for site in model.spec.sites:
            assert recorder.grids[site.index] == (site.grid[0], site.grid[1] * 3 // 2)
            assert recorder.maps[site.index].shape[1] == site.grid[0] * site.grid[1] * 3 // 2

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_reduced_precision_answers_alike(self, model, asked, dtype):
        """Single in and out, close to the answer in single precision; attention still sums to 1."""
        if self.remake is None:
            pytest.skip("this suite has no files to load anew")
        reduced, recorder = self.remake(dtype), Recorder()
        with reduced.tapped(reduced.spec.sites, recorder):
            answer = reduced.noise(*asked[:2], reduced.embed(TEXTS))
        assert answer.dtype == torch.float32
        expected = model.noise(*asked)
        assert (answer - expected).abs().mean() < 0.05 * expected.abs().mean().clamp(min=1)
        for heard in recorder.maps.values():
            torch.testing.assert_close(heard.float().sum(-1), torch.ones(heard.shape[:2]), rtol=0.02, atol=0.02)
        assert model.encode(torch.rand(1, 1, 64, 64)).dtype == torch.float32

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
    def test_another_device_answers_alike(self, model, asked):
        """The same on a GPU, where there is one."""
        if self.remake is None:
            pytest.skip("this suite has no files to load anew")
        moved = self.remake(torch.float32, "cuda")
        answer = moved.noise(asked[0].cuda(), asked[1].cuda(), moved.embed(TEXTS))
        torch.testing.assert_close(answer.cpu(), model.noise(*asked), rtol=1e-2, atol=1e-2)

    def test_taps_nest(self, model, asked):
        """Two taps hear the same, and each stops only its own block."""
        inner, outer = Recorder(), Recorder()
        with model.tapped(model.spec.sites, outer):
            with model.tapped(model.spec.sites[:1], inner, stop_after_last=True):
                model.noise(*asked)
            model.noise(*asked)
        assert list(inner.maps) == [0]
        assert len(outer.maps) == len(model.spec.sites)

    def test_a_tap_hears_its_own_thread_alone(self, model, asked):
        """Another thread that calls the same model meanwhile, under a tap of its own, changes nothing."""
        latent, timesteps, context = asked
        others, taps = (latent.flip(0), latent), (Recorder(), Recorder())
        wanted = []
        for own in others:
            alone = Recorder()
            with model.tapped(model.spec.sites, alone):
                model.noise(own, timesteps, context)
            wanted.append(alone)
        entered = threading.Barrier(2)

        def read(own, tap):
            with model.tapped(model.spec.sites, tap):
                entered.wait()
                model.noise(own, timesteps, context)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(read, others, taps))
        for tap, alone in zip(taps, wanted, strict=True):
            assert tap.timesteps == alone.timesteps
            for index, maps in tap.maps.items():
                torch.testing.assert_close(maps, alone.maps[index], rtol=1e-3, atol=1e-4)

    def test_a_pass_can_stop_after_the_last_site(self, model, asked):
        """What follows the call in the block does not run; what was heard is the same."""
        full, early = Recorder(), Recorder()
        with model.tapped(model.spec.sites[:2], full):
            model.noise(*asked)
        reached = False
        with model.tapped(model.spec.sites[:2], early, stop_after_last=True):
            model.noise(*asked)
            reached = True
        assert not reached
        assert all(torch.equal(full.maps[index], early.maps[index]) for index in (0, 1))

    def test_an_empty_tap_is_an_error(self, model):
        """A block in which the denoiser was not called, or which asks for no site, says so."""
        with pytest.raises(ModelError, match="Nothing was heard"), model.tapped(model.spec.sites, Recorder()):
            pass
        with pytest.raises(ModelError, match="at least one"), model.tapped((), Recorder()):
            pass

    def test_keys_are_those_of_a_pass(self, model, asked):
        """Keys for a text without an evaluation equal the keys that a tap hears."""
        heard = {}

        class Keys:
            def receive(self, site, timestep, q, k, bias):
                heard[site.index] = k

        with model.tapped(model.spec.sites, Keys()):
            model.noise(*asked)
        for site, keys in zip(model.spec.sites, model.keys(asked[2], model.spec.sites), strict=True):
            torch.testing.assert_close(keys.k, heard[site.index])

    def test_values_give_the_sites_answer(self, model, asked):
        """Attention times values is what the site's output projection answers, but for its constant bias."""
        heard, answered = {}, {}

        class Queries:
            def receive(self, site, timestep, q, k, bias):
                heard[site.index] = q

        projections = model._parts.denoiser.projections
        handles = [
            one.to_out.register_forward_hook(lambda module, given, out, at=one.site.index: answered.update({at: out}))
            for one in projections
        ]
        with model.tapped(model.spec.sites, Queries()):
            model.noise(*asked)
        for handle in handles:
            handle.remove()
        for site, offered in zip(model.spec.sites, model.keys(asked[2], model.spec.sites), strict=True):
            constant = projections[site.index].to_out.bias
            theirs = answered[site.index] - (0 if constant is None else constant)
            ours = [
                answers(site, heard[site.index][case : case + 1], KeysValues(offered.k[at], offered.v[at], bias))
                for case in range(2)
                for at in [slice(case, case + 1)]
                for bias in [None if offered.bias is None else offered.bias[at]]
            ]
            torch.testing.assert_close(torch.cat(ours), theirs, atol=2e-5, rtol=1e-4)

    def test_keys_under_a_tap_are_not_heard(self, model, asked):
        """A query cache at work is no reading."""
        recorder = Recorder()
        with model.tapped(model.spec.sites, recorder):
            model.keys(asked[2], model.spec.sites)
            assert not recorder.maps
            model.noise(*asked)

    def test_a_text_mask_is_respected(self, model, asked):
        """Masked tokens get no attention, and the tap says the same as the model."""
        latent, timestep, context = asked
        mask = torch.ones(2, model.spec.tokens, dtype=torch.bool)
        mask[:, 3:] = False
        masked = replace(context, mask=mask)
        recorder = Recorder()
        with model.tapped(model.spec.sites, recorder):
            answer = model.noise(latent, timestep, masked)
        assert all(heard[..., 3:].max() == 0 for heard in recorder.maps.values())
        changed = replace(masked, states=torch.cat([context.states[:, :3], context.states[:, 3:] + 1], dim=1))
        torch.testing.assert_close(answer, model.noise(latent, timestep, changed))


class OnFiles(ModelConformance):
    """The suite on a small random network in the layout of real files, which `write` puts into a folder."""

    @pytest.fixture(scope="class")
    def files(self, tmp_path_factory):
        """Where the model lies, and what `load` is told beside it."""
        folder = tmp_path_factory.mktemp("files")
        return self.write(folder)

    @pytest.fixture(scope="class", autouse=True)
    def remade(self, files):
        """`remake` knows the files."""
        place, told = files
        type(self).remake = staticmethod(lambda dtype, device="cpu": load(place, device=device, dtype=dtype, **told))

    @pytest.fixture(scope="class")
    def model(self, files):
        place, told = files
        return load(place, device="cpu", **told)


class TestStableDiffusion(OnFiles):
    """A folder, v-prediction, stored in half precision."""

    def write(self, folder):
        from tiny_model import write_tiny_model

        return write_tiny_model(folder / "sd"), {}


class TestStableDiffusion2(OnFiles):
    """Its marks: linear projections, heads of one width, half-precision file names; one that predicts ε."""

    def write(self, folder):
        from tiny_model import write_tiny_sd2

        return write_tiny_sd2(folder / "sd2"), {}


class TestSdxl(OnFiles):
    """Two text encoders, pooled text, sizes."""

    def write(self, folder):
        from tiny_sdxl import write_tiny_sdxl

        return write_tiny_sdxl(folder / "xl"), {}


class TestLora(OnFiles):
    """A LoRA folded into a folder."""

    def write(self, folder):
        pytest.importorskip("peft", reason="writes adapters with peft")
        from tiny_lora import write_lora
        from tiny_model import write_tiny_model

        write_lora(folder / "lora")
        return write_tiny_model(folder / "sd"), {"lora": [folder / "lora"]}


class TestSingleFile(OnFiles):
    """All networks in one file; its first generation."""

    def write(self, folder):
        from tiny_single_file import write_single_file, write_tokenizer

        write_single_file(folder / "model.safetensors")
        return folder / "model.safetensors", {"text_encoder": write_tokenizer(folder / "words")}


class TestBertOnStableDiffusion(OnFiles):
    """Generate to Ground's layout."""

    def write(self, folder):
        from tiny_bert import write_bert_ldm

        return write_bert_ldm(folder / "ldm"), {}


class TestRadEdit(OnFiles):
    """A bare UNet whose parts lie elsewhere."""

    def write(self, folder):
        from tiny_bert import write_radedit

        return write_radedit(folder), {}


class TestPixArt(OnFiles):
    """A transformer under T5."""

    room = 1

    def write(self, folder):
        pytest.importorskip("sentencepiece", reason="needs the extra: pip install 'deixis[pixart]'")
        from tiny_pixart import write_pixart

        return write_pixart(folder / "sigma"), {}


class TestMonaiBundle(OnFiles):
    """MONAI's layout, the text encoder given apart."""

    def write(self, folder):
        pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")
        from monai_bundle import write_bundle
        from tiny_model import write_tiny_model

        words = write_tiny_model(folder / "words", width=64)
        return write_bundle(folder / "bundle"), {"text_encoder": words}

    def test_a_text_mask_is_respected(self, model, asked):
        """MONAI's UNet takes none, and says so rather than looking at what is masked."""
        masked = replace(asked[2], mask=torch.ones(2, model.spec.tokens, dtype=torch.bool))
        with pytest.raises(ModelError, match="every token"):
            model.noise(*asked[:2], masked)


class TestBundledModel(OnFiles):
    """The model that comes with deixis."""

    def write(self, folder):
        return "phantom", {}


REAL_WEIGHTS = "DEIXIS_REAL_WEIGHTS"  # a folder of models, each in a folder or file of its own, for those who have them


def real_models():
    root = os.environ.get(REAL_WEIGHTS)
    return sorted(place for place in Path(root).iterdir() if place.name[0] != ".") if root else []


@pytest.mark.slow
@pytest.mark.parametrize("place", real_models(), ids=lambda place: place.name)
class TestRealWeights(ModelConformance):
    """The same suite on real weights."""

    @pytest.fixture
    def model(self, place):
        return real_model(place)


@lru_cache(maxsize=1)
def real_model(place):
    """By its name, so that its catalog row tells what its files leave out."""
    return load(place.name if entry_of(place.name) else place, device="cpu")
