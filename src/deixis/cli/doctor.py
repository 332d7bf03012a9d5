"""`deixis doctor`: what this machine and this installation offer, without stopping at what is missing."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import typer

from deixis.cli import console
from deixis.cli.failures import WRONG
from deixis.crew import cores

Finding = tuple[str, str]

# What a finding begins with that keeps deixis from working.
MISSING, DAMAGED = "MISSING", "DAMAGED"

# What an extra gives, for the extras that give something to a user; its packages are read from the installation.
GIVES = {
    "dicom": "compressed DICOM (JPEG Lossless, JPEG-LS, JPEG 2000, HTJ2K), SEG, SR and SC, archives",
    "eval": "plots of training and evaluation",
    "monai": "MONAI's latent diffusion bundles",
    "pixart": "tokenizers of PixArt's T5 encoder",
    "scale": "`deixis batch`: cohorts into Parquet files, on this machine or a Ray cluster",
    "web": "`deixis serve`: the page and the HTTP service",
    "dev": "tests, types, formatting",
}
REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+).*?(?:extra == ['\"](?P<extra>\w+)['\"])?$")


def doctor() -> None:
    """Show versions, devices, free memory, the bundled model, and what each extra would add."""
    sound = True
    for title, findings in SECTIONS.items():
        console.say(title)
        for name, told in _all(findings):
            sound = sound and not told.startswith((MISSING, DAMAGED))
            console.say(f"  {name:<22} {told}")
    if not sound:
        console.complain(
            "Something that deixis needs is missing or damaged, see above; installing deixis again puts it right."
        )
        raise typer.Exit(WRONG)


def _all(findings: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a section; where looking itself fails, that is the finding."""
    try:
        yield from findings()
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        yield "could not look", f"{MISSING} {type(error).__name__}: {str(error).splitlines()[0]}"


def machine() -> Iterator[Finding]:
    """The system, its cores, memory and disk."""
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "python", f"{platform.python_version()} at {sys.executable}"
    yield "cores", str(cores())
    yield "free memory", free_memory()
    yield "free disk here", f"{shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB"


def packages() -> Iterator[Finding]:
    """The installed version of everything that deixis needs."""
    yield "deixis", version("deixis")
    for name in _required(None):
        yield name, _version(name) or f"{MISSING} pip install {name}"


def devices() -> Iterator[Finding]:
    """What torch can compute on; `auto` takes the last of them."""
    import torch

    yield "cpu", f"{torch.get_num_threads()} threads"
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield f"cuda:{index}", f"{name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    if torch.backends.mps.is_available():
        yield "mps", "Apple GPU"


def bundled() -> Iterator[Finding]:
    """Whether the model that comes with deixis is here and whole."""
    from deixis.errors import DeixisError
    from deixis.models.finding import find
    from deixis.models.loading import load

    try:
        folder = find("phantom")
        spec = load(folder, device="cpu").spec
    except DeixisError as error:
        yield "phantom", f"{MISSING} {error}"
        return
    yield "phantom", f"{spec.family}, {spec.image_size} px, in {folder}"
    yield "weights", _compared(spec.weights_sha256, folder / "MODEL_CARD.md")


def _compared(fingerprint: str, card: Path) -> str:
    """Whether the weights are those that their card names."""
    said = card.read_text(encoding="utf-8") if card.is_file() else ""
    told = f"sha256 {fingerprint[:16]}…"
    if fingerprint in said:
        return f"{told}, as their card says"
    return f"{DAMAGED} {told} is not what {card.name} says" if "sha256" in said.lower() else told


def extras() -> Iterator[Finding]:
    """What each extra would add, and which of its packages are absent."""
    for extra, gives in GIVES.items():
        absent = [name for name in _required(extra) if _version(name) is None]
        state = f"not installed ({', '.join(absent)}): pip install 'deixis[{extra}]'" if absent else "installed"
        yield extra, f"{gives}: {state}"


SECTIONS: dict[str, Callable[[], Iterator[Finding]]] = {
    "machine": machine,
    "packages": packages,
    "devices": devices,
    "bundled model": bundled,
    "extras": extras,
}


def free_memory() -> str:
    """Memory that a new program could have, where the system tells."""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        fields = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
        available, total = (int(fields[key].split()[0]) / 2**20 for key in ("MemAvailable", "MemTotal"))
        return f"{available:.1f} of {total:.1f} GiB"
    return "unknown on this system"


def _required(extra: str | None) -> Iterator[str]:
    """Names of the distributions that deixis, or one of its extras, requires."""
    for line in requires("deixis") or ():
        found = REQUIREMENT.match(line)
        if found and found["extra"] == extra and found["name"] != "deixis":
            yield found["name"]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
