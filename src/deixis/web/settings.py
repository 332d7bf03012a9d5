"""What the service is told when it starts, and how much it takes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from deixis.recipes import BEST_INSTANT, RECIPES
from deixis.registry import unknown_name

MEBIBYTE = 2**20
# What a form has beside its file: boundaries, headers, phrases.
AROUND = MEBIBYTE
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Limits:
    """How much the service takes on at once; beyond each it refuses, and says when to come back.

    Args:
        upload_bytes: of one request; the largest radiograph of 30 million pixels has 60 MB.
        pixels: of an image, asked before it is decoded.
        decode_seconds: for reading one upload.
        uploads: requests with a body that are received at the same time.
        queue: jobs that wait; one more runs.
        phrases: of one job.
        phrase_length: characters of a phrase.
        job_seconds: that a job may run.
        lifetime: seconds without being asked for after which images and results are gone.
        held_bytes: of images, and as many of results; the longest unused go first.
        views: opened images that are kept ready for a further phrase.
        grace: seconds that what runs is given when the service is stopped.
    """

    upload_bytes: int = 64 * MEBIBYTE
    pixels: int = 36_000_000
    decode_seconds: float = 30.0
    uploads: int = 8
    queue: int = 16
    phrases: int = 32
    phrase_length: int = 1000
    job_seconds: float = 120.0
    lifetime: float = 900.0
    held_bytes: int = 512 * MEBIBYTE
    views: int = 8
    grace: float = 30.0

    @property
    def request_bytes(self) -> int:
        """Of a whole request: its image, and its form around it."""
        return self.upload_bytes + AROUND


@dataclass(frozen=True)
class Settings:
    """What the service is.

    Args:
        recipe: the recipe of a request that names none.
        token: the secret that requests must bear, or None.
        hosts: host names under which it may be addressed, without ports; empty means any.
        limits: how much it takes on.
    """

    recipe: str = BEST_INSTANT.name
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = LOOPBACK
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.recipe not in RECIPES:
            raise unknown_name("recipe", self.recipe, tuple(RECIPES))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
