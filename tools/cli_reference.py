"""Print docs/cli.md, made from the command line itself: `make docs` writes it, a test compares."""

import sys
from typing import Any

import typer

from deixis.cli.app import app

HEAD = """# The command line

Made by `make docs`; do not edit.

`python -m deixis` is the same command. Every image gets its own folder with pictures and data, see
[output.md](output.md).
"""
TAIL = """## Exit codes and errors

| code | when |
| --- | --- |
| 0 | everything was done |
| 2 | something was wrong with what was asked, or with at least one image; the others are done |
| 130 | interrupted with Ctrl-C; what was finished until then is whole |

An error is one line on standard error that says what was wrong and what to do. Progress is drawn on standard error, and
only on a terminal. Results go to standard output.

| variable | for |
| --- | --- |
| `DEIXIS_MODELS` | directories, separated as in `PATH`, whose folders are models by name |
| `DEIXIS_DEBUG` | set: an error that should not have happened shows its traceback |
"""


def main() -> None:
    """Print the page."""
    command: Any = typer.main.get_command(app)
    sections = [HEAD]
    with command.make_context("deixis", ["--help"], resilient_parsing=True) as context:
        for name, verb in command.commands.items():
            sections.append(section(name, verb, context))
            for further, below in getattr(verb, "commands", {}).items():
                sections.append(section(f"{name} {further}", below, context))
    sys.stdout.write("\n".join([*sections, TAIL]))


def section(name: str, verb: Any, parent: Any) -> str:
    """One verb: what it does, how it is called, and its options."""
    with verb.make_context(name, [], parent=parent, resilient_parsing=True) as context:
        arguments = [p for p in verb.params if p.param_type_name == "argument"]
        options = [p for p in verb.params if p.param_type_name == "option" and p.name != "help"]
        usage = " ".join(
            ["deixis", name, *(call_of(p) for p in arguments), *(call_of(p) for p in options if p.required)]
        )
        rows = [row(p, context) for p in (*arguments, *options)]
    table = ["| | | default |", "| --- | --- | --- |", *rows, ""] if rows else []
    return "\n".join([f"## deixis {name}", "", verb.help, "", "```sh", usage, "```", "", *table])


def call_of(parameter: Any) -> str:
    """A parameter as it is typed."""
    if parameter.param_type_name == "argument":
        word = parameter.metavar or parameter.name.upper()
        return f"{word}..." if parameter.nargs == -1 else word
    return f"{parameter.opts[-1]} {parameter.name.upper()}"


def row(parameter: Any, context: Any) -> str:
    """A parameter as a line of the table."""
    if parameter.param_type_name == "argument":
        name = f"`{call_of(parameter)}`"
    else:
        name = ", ".join(f"`{option}`" for option in parameter.opts)
    default = "required" if parameter.required else parameter.get_default(context)
    told = "" if default is None or default is False else str(default)
    return f"| {name} | {parameter.help or ''} | {told} |"


if __name__ == "__main__":
    main()
