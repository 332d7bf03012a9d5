"""Uploads are decoded in a process of their own: what a damaged file does to a decoder, it does there.

The process has a bound on memory and on time. Where it dies or dawdles, the upload is refused, the next one gets a new
process, and neither the model nor anybody's results are lost.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field

from deixis.errors import ImageError
from deixis.images import Bounds, read
from deixis.images.dicom import recognises, without_pixels
from deixis.images.source import HEAD
from deixis.types import Image
from deixis.web.settings import Limits

# Address space: the interpreter and its libraries, and the largest image in double precision and colour, twice.
MEMORY = 4 << 30
SPOILT = "the image is damaged: no decoder gets through it. Export or copy it again."


@dataclass(frozen=True)
class Upload:
    """What is kept of an upload.

    Args:
        image: what it shows.
        header: of a DICOM file all that stands before its pixels, for objects that refer to it; else nothing.
    """

    image: Image
    header: bytes = field(default=b"", repr=False)


Read = Callable[[bytes], Awaitable[Upload]]


class ReadingProcess:
    """Reads one upload after the other, each in a process that can be lost.

    Args:
        limits: how large an image may be, and how long reading may take.
    """

    def __init__(self, limits: Limits) -> None:
        self._bounds = Bounds(limits.upload_bytes, limits.pixels)
        self._seconds = limits.decode_seconds
        self._turn = asyncio.Lock()
        self._pool: ProcessPoolExecutor | None = None

    async def __call__(self, content: bytes) -> Upload:
        """The image in these bytes, and what is kept beside it.

        Raises:
            ImageError: they are none, or not one that can be read within the bounds.
        """
        async with self._turn:
            loop = asyncio.get_running_loop()
            if self._pool is None:
                self._pool = _pool()
                # The time to start belongs to nobody's upload.
                await loop.run_in_executor(self._pool, os.getpid)
            work = loop.run_in_executor(self._pool, opened, content, self._bounds)
            try:
                return await asyncio.wait_for(work, self._seconds)
            except (BrokenProcessPool, TimeoutError, MemoryError):
                self.close()
                raise ImageError(SPOILT) from None

    async def warm(self) -> None:
        """Have the process up before somebody waits for it."""
        with suppress(ImageError):
            await self(b"none")

    def close(self) -> None:
        """End the process, whatever it does."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # 3.14 has a verb for this
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


def opened(content: bytes, bounds: Bounds) -> Upload:
    """The image in these bytes, and what is kept beside it; raises `ImageError`."""
    image = read(content, bounds)
    return Upload(image, without_pixels(content) if recognises(content[:HEAD]) else b"")


def _pool() -> ProcessPoolExecutor:
    # A fork of a process with threads may hang; a new one knows nothing of the model.
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_bounded)


def _bounded() -> None:
    """Take the bound on memory, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
