"""The command `deixis`: its verbs, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from deixis.cli import console
from deixis.cli.failures import INTERRUPTED, TOLD, WRONG, as_told

# In the order of `deixis --help`. Each is a file beside this one with a function, or an app of verbs, of its name.
VERBS = (
    "ground", "batch", "demo", "models", "recipes", "doctor", "phantom", "train", "datasets", "evaluate", "compare",
    "pacs", "serve",
)  # fmt: skip

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    epilog=(
        "Research use only, not for diagnosis. Exit codes: 0 done, 1 done but for rows of a batch that are listed, "
        "2 something was wrong, 130 interrupted."
    ),
)
for verb in VERBS:
    spoken = getattr(import_module(f"deixis.cli.{verb}"), verb)
    if isinstance(spoken, typer.Typer):
        app.add_typer(spoken, name=verb)
    else:
        app.command(verb)(spoken)


def show_version(asked: bool) -> None:
    """Print the version and end, where it was asked for."""
    if asked:
        console.say(f"deixis {version('deixis')}")
        raise typer.Exit


@app.callback()
def deixis(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=show_version, help="Show the version and end.")
    ] = False,
) -> None:
    """Where in a medical image does a phrase live? Read out of a frozen text-to-image diffusion model."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code.

    Every error that a user can put right becomes one line on standard error and exit code 2. What escapes is a bug.
    """
    try:
        code = app(arguments, prog_name="deixis", standalone_mode=False)
    except typer.TyperException as error:
        # Without arguments typer shows the help and raises with no message.
        if told := error.format_message():
            console.complain(f"{told.rstrip('.')}. See `{_command(error)} --help`.")
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except TOLD as error:
        line = as_told(error)
        if line is None:
            raise
        console.complain(line)
        return WRONG
    return code if isinstance(code, int) else 0


def _command(error: typer.TyperException) -> str:
    """The command at which a usage error happened, as it was typed."""
    context: typer.Context | None = getattr(error, "ctx", None)
    return context.command_path if context else "deixis"
