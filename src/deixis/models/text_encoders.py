"""Text encoders by what their configuration says they are, wherever they lie: in a model's folder or apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.errors import ModelError
from deixis.models.catalog import Label
from deixis.models.diffusers_files import read_json
from deixis.models.family import Placing
from deixis.models.parts import Text
from deixis.registry import Table


@dataclass(frozen=True)
class TextFolders:
    """Where a text encoder lies.

    Args:
        network: config.json and weights.
        tokenizer: its tokenizer.
    """

    network: Path
    tokenizer: Path

    @property
    def config(self) -> dict[str, Any]:
        """The network's configuration."""
        return read_json(self.network / "config.json")


LoadText = Callable[[TextFolders, Label, Placing], Text]

TEXT_ENCODERS: Table[LoadText] = Table(
    kind="type of text encoder",
    group="deixis.text_encoders",
    builtin={
        "clip": "deixis.models.clip_text:load",
        "clip_text_model": "deixis.models.clip_text:load",
        "bert": "deixis.models.bert_text:load",
        "cxr-bert": "deixis.models.bert_text:load",
        "t5": "deixis.models.t5_text:load",
    },
)


def load_text(folders: TextFolders, label: Label, placing: Placing) -> Text:
    """The text encoder there, by the `model_type` of its configuration.

    Raises:
        ModelError: broken files.
        UnknownNameError: a type that deixis does not know; lists the known.
    """
    return TEXT_ENCODERS[str(folders.config.get("model_type"))](folders, label, placing)


def text_folders(place: Path) -> TextFolders:
    """Where in `place` a text encoder lies: in `text_encoder` and `tokenizer`, or both in the folder itself.

    Raises:
        ModelError: no text encoder is there; says what was sought.
    """
    for folders in (TextFolders(place / "text_encoder", place / "tokenizer"), TextFolders(place, place)):
        if (folders.network / "config.json").is_file() and folders.tokenizer.is_dir():
            return folders
    raise ModelError(
        f"{place} holds no text encoder: neither text_encoder/config.json beside tokenizer, nor a config.json. Name a "
        "folder that does, such as a Stable Diffusion folder: --text-encoder PATH."
    )


def check_width(text: Text, wanted: int, place: Path, told: str = "") -> None:
    """Raise `ModelError` where a denoiser was made for texts of another width."""
    if text.width != wanted:
        raise ModelError(
            f"The text encoder gives states of width {text.width} for {text.tokens} tokens; the denoiser in {place} "
            f"takes {wanted}. {told or 'Name the one it was trained with: --text-encoder PATH.'}"
        )
