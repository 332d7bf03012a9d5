"""Opening images and asking for phrases."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import deixis
from deixis.errors import DeixisError, ImageError, PhraseError, UnknownNameError
from deixis.ground import ground, open_image
from deixis.recipes import BEST, FAST, GUIDED, PAPER, PAPER_INTENDED, RECIPES, Calibration, InvertedWalk, Reading
from deixis.types import Box, Image, Phrase
from planted_model import PlantedModel

# The published 300 steps cost seconds on the tiny model; what is tested does not depend on their number.
QUICK = [
    replace(recipe, walk=replace(recipe.walk, steps=50)) if isinstance(recipe.walk, InvertedWalk) else recipe
    for recipe in RECIPES.values()
]
TEXTS = ["left pleural effusion.", "small opacity", "right lung"]


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_every_recipe_answers_in_native_pixels(recipe, grey, tiny_model):
    """Heat in [0, 1], mask and boxes of the image's own shape; the box is the mask's."""
    found = open_image(grey, tiny_model, recipe).find(TEXTS[0])
    assert found.heat.values.shape == found.mask.shape == grey.shape
    assert found.heat.values.dtype == np.float32
    assert 0 <= found.heat.values.min() <= found.heat.values.max() <= 1
    assert not found.mask[~found.heat.seen].any()
    for box in found.boxes:
        assert 0 <= box.x0 < box.x1 <= 200
        assert 0 <= box.y0 < box.y1 <= 150
        assert 0 <= box.score <= 1
    assert [box.score for box in found.boxes] == sorted((box.score for box in found.boxes), reverse=True)


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_many_phrases_together_are_the_phrases_alone(recipe, grey, tiny_model):
    """A batch gives what a loop gives."""
    view = open_image(grey, tiny_model, recipe)
    for together, alone in zip(view.find_all(TEXTS), map(view.find, TEXTS), strict=True):
        np.testing.assert_allclose(together.heat.values, alone.heat.values, atol=1e-3)


def test_answers_do_not_depend_on_what_was_asked_before(grey, tiny_model):
    """Another image, another phrase, in another order: the same heat, to the last bit."""
    first = open_image(grey, tiny_model).find(TEXTS[1])
    open_image(grey[::-1].copy(), tiny_model).find(TEXTS[0])
    view = open_image(grey, tiny_model)
    view.find(TEXTS[0])
    assert np.array_equal(view.find(TEXTS[1]).heat.values, first.heat.values)


def test_the_seed_changes_the_noise(grey, tiny_model):
    """Another seed, another heat; an inversion has no noise and does not change."""
    heats = {
        recipe.name: [open_image(grey, tiny_model, recipe, seed=seed).find(TEXTS[0]).heat.values for seed in (0, 1)]
        for recipe in QUICK
    }
    assert not np.array_equal(*heats["fast"])
    assert np.array_equal(*heats["paper"])


@pytest.mark.parametrize(
    ("recipe", "first", "further"), [(GUIDED, 20, 10), (FAST, 10, 10), (PAPER, 239, 60), (PAPER_INTENDED, 239, 60)]
)
def test_evaluations_are_counted(recipe, first, further, grey):
    """What all phrases share is on the account of the first: 179 + 60·k for the paper, 10 + 10·k when guided."""
    view = open_image(grey, PlantedModel(Box(0, 0, 64, 64)), recipe)
    assert [answer.provenance.unet_evaluations for answer in view.find_all(TEXTS[:2])] == [first, further]
    assert view.find(TEXTS[2]).provenance.unet_evaluations == further


def test_the_network_is_really_asked_that_often(grey):
    """Counted in the model itself."""
    model = PlantedModel(Box(0, 0, 64, 64))
    answers = ground(grey, ["a", "b", "c"], model, "guided")
    assert model.calls == sum(answer.provenance.unet_evaluations for answer in answers) == 40


def test_batches_stay_within_bounds(grey):
    """`batch` bounds every call, whatever the number of phrases."""
    model = PlantedModel(Box(0, 0, 64, 64))
    ground(grey, ["a", "b", "c", "d"], model, "guided", batch=3)
    assert model.largest_batch == 3


def test_provenance_says_how_it_came_about(grey, tiny_model):
    """Model, weights, recipe, seed, versions, and the notices of model and image."""
    image = Image(grey, notices=("colour converted to grey",))
    provenance = open_image(image, tiny_model, "fast", seed=3).find(TEXTS[0]).provenance
    assert (provenance.model, provenance.recipe, provenance.seed) == ("tiny", "fast", 3)
    assert provenance.weights_sha256 == tiny_model.spec.weights_sha256
    assert {"deixis", "torch", "numpy", "python"} <= {*provenance.versions, "deixis"}
    assert provenance.notices == (tiny_model.spec.notice, "colour converted to grey")
    assert provenance.seconds > 0


def test_images_and_phrases_come_in_any_form(grey, tiny_model):
    """An array or an Image; a text or a Phrase, one or several."""
    plain = ground(grey, TEXTS[0], tiny_model, "fast")
    typed = ground(Image(grey), [Phrase(TEXTS[0])], tiny_model, "fast")
    assert len(plain) == len(typed) == 1
    assert np.array_equal(plain[0].heat.values, typed[0].heat.values)
    assert ground(grey, [], tiny_model, "fast") == ()


def test_a_span_changes_what_is_read(grey, tiny_model):
    """Reading one word of a phrase is not reading all of it."""
    view = open_image(grey, tiny_model, "fast")
    whole, part = view.find_all([Phrase(TEXTS[0]), Phrase(TEXTS[0], span=(0, 4))])
    assert not np.array_equal(whole.heat.values, part.heat.values)


def test_a_crop_leaves_its_margins_unseen(grey, tiny_model):
    """A landscape image loses its sides: heat 0, not seen; padded, all of it is seen."""
    cropped = open_image(grey, tiny_model, "fast").find(TEXTS[0]).heat
    assert not cropped.seen[:, :24].any()
    assert cropped.seen[:, 30:170].all()
    assert not cropped.values[:, :24].any()
    assert open_image(grey, tiny_model, replace(FAST, fit="pad")).find(TEXTS[0]).heat.seen.all()


def test_a_phrase_that_changes_nothing_gives_no_box(grey):
    """An empty mask and no boxes, not an exception."""
    for recipe in ("fast", "guided"):
        found = open_image(grey, PlantedModel(Box(500, 500, 600, 600)), recipe).find("effusion")
        assert found.boxes == ()
        assert not found.mask.any()
        assert not found.heat.values.any()


def test_the_published_answer_is_heat_inside_the_mask(grey, tiny_model):
    """`thresholded` is heat × mask."""
    found = open_image(grey, tiny_model, "fast").find(TEXTS[0])
    assert np.array_equal(found.thresholded.values, found.heat.values * found.mask)


def test_a_reading_of_the_model_wins_over_the_rule(grey, tiny_model):
    """Sites and noise levels that a recipe names for a model are the ones read."""
    recipe = replace(FAST, readings={"tiny": Reading(sites=(0, 5), log_snr=(0.0, 1.0))})
    reader = open_image(grey, tiny_model, recipe)._reader
    levels = tiny_model.schedule.log_snr(reader.trajectories[0].timesteps)
    assert [site.index for site in reader.sites] == [0, 5]
    assert levels.min() > -0.02
    assert levels.max() < 1.02


def test_without_a_reading_the_rule_decides(grey, tiny_model):
    """128 / 32 = 4: the 4×4 sites, without the first of the upward pair."""
    assert [site.index for site in open_image(grey, tiny_model, FAST)._reader.sites] == [1, 2, 4]


def test_errors_of_the_caller_are_deixis_errors(grey, tiny_model):
    """Empty and overlong phrases, unknown recipes, unusable images."""
    view = open_image(grey, tiny_model, "fast")
    with pytest.raises(PhraseError, match="empty"):
        view.find("  ")
    with pytest.raises(PhraseError, match="30 fit"):
        view.find("long " * 30)
    with pytest.raises(UnknownNameError, match="guided"):
        open_image(grey, tiny_model, "gided")
    with pytest.raises(ImageError):
        open_image(np.full((4, 4), np.nan), tiny_model)
    with pytest.raises(DeixisError, match="sites"):
        open_image(grey, tiny_model, replace(FAST, readings={"tiny": Reading((99,), (-1.0, 0.0))}))


def test_the_model_is_bit_identical_after_grounding(grey, tiny_model):
    """Frozen means frozen."""
    before = {name: value.clone() for name, value in tiny_model._parts.denoiser.module.state_dict().items()}
    ground(grey, TEXTS, tiny_model, "guided")
    after = tiny_model._parts.denoiser.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def run(code: str) -> str:
    """The output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_deixis_loads_no_framework():
    """No torch, diffusers or transformers, and no scipy either: names are loaded when used."""
    heavy = "{'torch', 'diffusers', 'transformers', 'scipy', 'skimage', 'numpy'} & set(sys.modules)"
    assert run(f"import sys, deixis; print({heavy})") == "set()"


def test_importing_deixis_is_quick():
    """At most 0.3 s (on a shared core, the best of three)."""
    code = "import time; t = time.perf_counter(); import deixis; print(time.perf_counter() - t)"
    assert min(float(run(code)) for _ in range(3)) <= 0.3


def test_the_floor_loads_no_framework():
    """types, geometry, recipes, registry and errors need numpy only."""
    rooms = "deixis.types, deixis.geometry, deixis.recipes, deixis.registry, deixis.errors"
    assert run(f"import sys, {rooms}; print('torch' in sys.modules)") == "False"


def test_listing_models_loads_no_framework():
    """A catalog can be printed without waiting for torch."""
    modules = "deixis.models.catalog, deixis.models.weights, deixis.models.loading, deixis.maps.evidence"
    assert run(f"import sys, {modules}; print('torch' in sys.modules)") == "False"


def test_public_names_are_what_they_say():
    """`deixis.ground` is the function, also after the file of that name was imported."""
    assert deixis.ground is ground
    assert deixis.open_image is open_image
    assert callable(deixis.load)
    assert deixis.Phrase is Phrase
    assert {"load", "read", "open_image", "ground", "evaluate"} <= set(dir(deixis))
    with pytest.raises(AttributeError, match="no attribute 'grind'"):
        deixis.grind  # noqa: B018
    assert run("import deixis; deixis.open_image; print(callable(deixis.ground))") == "True"
    assert run("import deixis.ground; print(callable(deixis.ground))") == "True"


def test_stability_says_how_far_halves_agree(grey, tiny_model):
    """In [0, 1] where the recipe asks for it, and the overlap of two masks by hand."""
    from deixis.answering import overlap

    assert 0 <= ground(grey, "opacity", tiny_model, BEST)[0].stability <= 1
    assert ground(grey, "opacity", tiny_model, FAST)[0].stability is None
    upper, left = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    upper[:2], left[:, :2] = True, True
    assert overlap(upper, left) == pytest.approx(4 / 12)
    assert overlap(np.zeros((4, 4), bool), np.zeros((4, 4), bool)) == 1


def test_agreement_says_how_far_kinds_of_evidence_agree(grey, tiny_model):
    """Between 0 and 1 where a recipe reads several that point, and left out where it reads one."""
    from deixis.recipes import BEST, FAST, Source

    (several,) = ground(grey, "left opacity", tiny_model, BEST)
    assert 0 <= several.agreement <= 1
    twice = replace(FAST, sources=(Source("words", 0.5), Source("words", 0.5)))
    assert ground(grey, "opacity", tiny_model, twice)[0].agreement == 1
    assert ground(grey, "opacity", tiny_model, FAST)[0].agreement is None
    weighed = replace(FAST, sources=(Source("words"), Source("named-side")))
    assert ground(grey, "left opacity", tiny_model, weighed)[0].agreement is None


def test_presence_is_told_where_the_model_is_calibrated(grey, tiny_model):
    """And below the asked minimum there are no boxes, while heat and mask stay."""
    name = tiny_model.spec.name
    calibrated = replace(BEST, presence={name: Calibration(0.0, 1e-6)})
    (plain,) = ground(grey, "opacity", tiny_model, replace(BEST, presence={}))
    (known,) = ground(grey, "opacity", tiny_model, calibrated)
    (strict,) = ground(grey, "opacity", tiny_model, replace(calibrated, minimum_presence=0.9))
    assert plain.presence is None
    assert known.presence == pytest.approx(0.5, abs=1e-3)
    assert known.boxes == plain.boxes
    assert strict.boxes == ()
    assert np.array_equal(strict.heat.values, known.heat.values)
