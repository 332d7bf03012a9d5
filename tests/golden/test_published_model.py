"""The published implementation of arXiv 2404.12920 on small networks of its architecture, end to end with weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")

from deixis.ground import open_image
from deixis.maps.sites import choose_by_rule
from deixis.maps.taps import probabilities
from deixis.models.catalog import Label
from deixis.models.composed import ComposedModel, Parts
from deixis.models.monai_files import load_autoencoder, load_denoiser, prediction_of, read_bundle, schedule_of
from deixis.models.monai_ldm import MonaiAutoencoder, MonaiUNet
from deixis.recipes import PAPER, PAPER_INTENDED, InvertedWalk
from deixis.types import Context
from monai_bundle import golden_config, write_bundle
from walking import walked

FOLDER = Path(__file__).parent / "ldm"
WALKS = {"golden.npz": PAPER, "golden_intended.npz": PAPER_INTENDED}


class GivenText:
    """The states that the published run was given: "" and its one phrase, one character per token."""

    def __init__(self, states, first, last):
        self.states, self.first, self.last = torch.from_numpy(states), first, last
        self.tokens, self.width = states.shape[1:]

    def embed(self, texts):
        rows = [int(bool(text)) for text in texts]
        words = tuple((i, i + 1) if self.first <= i + 1 < self.last else (0, 0) for i in range(-1, self.tokens - 1))
        spans = tuple(words if row else ((0, 0),) * self.tokens for row in rows)
        return Context(tuple(texts), self.states[rows], None, spans, tuple(self.last if row else 1 for row in rows))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write_bundle(tmp_path_factory.mktemp("published") / "bundle"))


@pytest.fixture(params=WALKS)
def run(request, bundle):
    """The golden arrays, the model with their text states, and the recipe with their number of steps."""
    with np.load(FOLDER / request.param) as arrays:
        golden = dict(arrays)
    text = GivenText(golden["prompt_embeds"], *golden["token_slice"])
    vae, unet = load_autoencoder(bundle, torch.float32).eval(), load_denoiser(bundle, torch.float32).eval()
    parts = Parts(
        MonaiAutoencoder(vae, bundle.scale),
        text,
        MonaiUNet(unet, bundle, text.tokens),
        schedule_of(bundle),
        prediction_of(bundle),
    )
    recipe = WALKS[request.param]
    steps = golden_config()["num_inversion_steps"]
    model = ComposedModel("monai-ldm", Label(name="golden"), parts, "0" * 64)
    return golden, model, replace(recipe, walk=InvertedWalk(steps=steps, step=recipe.walk.step))


def test_the_latent_is_theirs(run):
    golden, model, _ = run
    latent = model.encode(torch.from_numpy(golden["image"])[None, None])
    assert np.abs(latent.numpy() - golden["latent0"]).max() <= 1e-5


def test_the_walk_passes_their_latents(run):
    """Timesteps exactly, latents to 1e-4; positions outside the window that is read are not kept."""
    golden, model, recipe = run
    trajectory = walked(model, torch.from_numpy(golden["latent0"]), recipe.walk, content="")
    positions = golden["steps"].tolist()
    assert trajectory.timesteps.tolist() == golden["timesteps"][positions].tolist()
    checked = [(i, positions.index(step)) for i, step in enumerate(golden["latent_steps"]) if step in positions]
    assert len(checked) >= 3
    for theirs, ours in checked:
        assert np.abs(trajectory.latents[ours].numpy() - golden["latents"][theirs]).max() <= 1e-4


def attention(model, sites, latents, timesteps, tokens):
    """Mean over the phrase's tokens of every site's probabilities, per step."""
    heard = {}

    class Tap:
        def receive(self, site, timestep, q, k, bias):
            mean = probabilities(site, q, k, bias)[..., slice(*tokens)].mean(-1)
            heard[site.index] = mean.unflatten(-1, site.grid).numpy()

    with model.tapped(sites, Tap()):
        model.noise(latents, torch.from_numpy(timesteps), model.embed(["phrase"]).take([0] * len(latents)))
    return heard


def test_every_site_attends_as_theirs(run):
    """The rule picks their four sites; on their latents the mean over the phrase's tokens agrees to 1e-5."""
    golden, model, _ = run
    sites = choose_by_rule(model.spec).sites
    assert [site.index for site in sites] == golden_config()["attention_layers"]
    rows = [(i, step) for i, step in enumerate(golden["latent_steps"].tolist()) if step in golden["steps"]]
    latents = torch.from_numpy(golden["latents"][[i for i, _ in rows]])
    steps = np.array([step for _, step in rows])
    heard = attention(model, sites, latents, golden["timesteps"][steps], golden["token_slice"])
    for index, maps in heard.items():
        theirs = golden[f"attention_layer{index}"][steps - golden["steps"][0]]
        assert np.abs(maps - theirs).max() <= 1e-5


def test_every_step_of_our_walk_attends_as_theirs(run):
    """On our own walk's latents, whose rounding differs: to 5e-5, where a step is up to 2e-5 away."""
    golden, model, recipe = run
    trajectory = walked(model, torch.from_numpy(golden["latent0"]), recipe.walk, content="")
    heard = attention(
        model, choose_by_rule(model.spec).sites, trajectory.latents, trajectory.timesteps, golden["token_slice"]
    )
    for index, maps in heard.items():
        assert np.abs(maps - golden[f"attention_layer{index}"]).max() <= 5e-5


def test_the_answer_is_theirs(run):
    """Smoothed heat to 1e-4; the cut heat too, but for pixels on the edge of Otsu's threshold."""
    golden, model, recipe = run
    found = open_image(golden["image"], model, recipe).find("phrase")
    smoothed = golden["heatmap_smoothed"]
    expected = (smoothed - smoothed.min()) / (smoothed.max() - smoothed.min())
    assert np.abs(found.heat.values - expected).max() <= 1e-4
    threshold = expected[golden["heatmap"] > 0].min()
    clear = np.abs(expected - threshold) > 1e-4
    assert np.abs(found.thresholded.values - golden["heatmap"])[clear].max() <= 1e-4
