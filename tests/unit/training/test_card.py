"""The model card says what a model was made from."""

from pathlib import Path

from deixis.models.finding import find
from deixis.models.weights import fingerprint
from deixis.training.card import model_card
from deixis.training.plan import TrainingPlan


def test_card_names_data_cost_and_limits(tmp_path: Path) -> None:
    """Seeds, quantiles of finding areas, stages with their wall time, and the notice."""
    (tmp_path / "log.csv").write_text("stage,step,loss,seconds\ndenoiser,20,0.5,60.0\ndenoiser,40,0.25,120.0\n")
    card = model_card(TrainingPlan(images=12, size=64), tmp_path, "cpu", sample=12)
    assert "seeds 0 to 11" in card
    assert "| denoiser | 40 | 24 | 0.2500 | 2 min |" in card
    assert "deixis train -o DIR --seeds 0:12 --size 64 --steps 700,1400,2000 --seed 0`" in card
    assert "never to be used for diagnosis" in card
    assert "| Pneumothorax |" in card or "| Consolidation |" in card


def test_card_tells_what_a_training_went_on_from(tmp_path: Path) -> None:
    """The hash of the first model's weights, and the stages of its own card."""
    plan = TrainingPlan(images=2, size=64, start="phantom")
    card = model_card(plan, tmp_path, "cpu", sample=2)
    assert fingerprint(find("phantom"))[:16] in card
    assert "> | denoiser |" in card
