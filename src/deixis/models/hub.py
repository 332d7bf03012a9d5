"""Model repositories of the Hugging Face hub: in the local cache, or downloaded; only files that deixis reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import cast

from deixis.errors import ModelError

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# Configurations, tokenizers, and the weights of the parts that are read; a safety checker is never even fetched.
SMALL = (".json", ".txt", ".model")
WEIGHTS = (".safetensors", ".bin", ".pth", ".pt")
UNREAD = ("safety_checker", "image_encoder", "vae_decoder", "vae_encoder", "onnx", "openvino")
DRAFTS = (".fp16", ".non_ema", ".bf16")


def cached(id_: str, revision: str | None = None) -> Path | None:
    """The folder of a repository in the local cache, if weights of it are there, and no download was broken off."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(id_, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        # The hub's newer clients miss the files that we never fetch, and say where the others are.
        if not hasattr(error, "snapshot_path"):
            return None
        folder = Path(error.snapshot_path)
    except HFValidationError:
        return None
    whole = not any((folder.parent.parent / "blobs").glob("*.incomplete"))
    return folder if whole and any(file.suffix in WEIGHTS for file in folder.rglob("*")) else None


def download(id_: str, revision: str | None = None) -> Path | None:
    """The folder of a repository, its missing files downloaded; None where the hub has no such repository or revision.

    Raises:
        ModelError: the hub cannot be reached, is switched off, or wants to know who asks.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    with _refusals_told(id_):
        try:
            listed = HfApi().list_repo_files(id_, revision=revision)
            return Path(snapshot_download(id_, revision=revision, allow_patterns=list(needed(listed))))
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            if type(error).__name__ == "GatedRepoError":
                raise
            return None


def needed(files: Iterable[str]) -> tuple[str, ...]:
    """Of the files of a repository those that deixis reads.

    Safetensors stand in for pickles of the same folder, and full weights for half ones and for those without EMA.
    """
    paths = [PurePosixPath(file) for file in files]
    read = [path for path in paths if not set(path.parts[:-1]) & set(UNREAD)]
    weights = [path for path in read if path.suffix in WEIGHTS]
    # A single file for all parts, in the root of a repository that also has them apart, is the same once more.
    apart = {path.parts[0] for path in weights if len(path.parts) > 1}
    parts = [path for path in weights if len(path.parts) > 1 or not apart]
    chosen = {path for folder in {path.parent for path in parts} for path in _best(parts, folder)}
    return tuple(str(path) for path in paths if path in chosen or (path in read and path.suffix in SMALL))


def _best(weights: list[PurePosixPath], folder: PurePosixPath) -> list[PurePosixPath]:
    here = [path for path in weights if path.parent == folder]
    safe = [path for path in here if path.suffix == ".safetensors"] or here
    full = [path for path in safe if not any(draft in path.name for draft in DRAFTS)]
    return full or safe


@contextmanager
def _refusals_told(id_: str) -> Iterator[None]:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    # A hub that is out of reach raises what its client's HTTP library raises, whichever that is in this version.
    unreachable = cast("tuple[type[Exception], ...]", (OSError, *HfHubHTTPError.__bases__))
    try:
        yield
    except GatedRepoError as error:
        raise ModelError(
            f"{id_} is gated: accept its owners' terms on its page of the hub, then say who you are with "
            "`hf auth login` (or the variable HF_TOKEN), and ask again."
        ) from error
    except HFValidationError as error:
        raise ModelError(f"{id_!r} is no id of a hub repository: {error}") from error
    except OfflineModeIsEnabled as error:
        raise ModelError(
            f"{id_} is not in the local cache, and HF_HUB_OFFLINE forbids to download it. Unset the variable, or copy "
            "the model and give its folder."
        ) from error
    except unreachable as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{id_} is not in the local cache, and cannot be downloaded: {reason} Copy the model and give its folder, "
            "or put it under a folder named by DEIXIS_MODELS."
        ) from error
