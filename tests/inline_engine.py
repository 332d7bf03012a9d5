"""An engine that is this process: for tests of what is done, not of who does it. Also a row of another package."""


def inline_map(work, items, crew):
    """One worker, which nothing kills."""
    step = work.make()
    for item in items:
        yield step(work.prepare(item))
