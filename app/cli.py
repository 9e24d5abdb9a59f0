"""The `gruscope` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any

INTERRUPTED = 130
"""The exit code after Ctrl+C. As in shells, it is 128 plus the number of the signal."""


COMMANDS = (
    "serve",
    "trace",
    "forecast",
    "write",
    "census",
    "export",
    "import",
    "check",
    "models",
    "train",
    "sweep",
    "experiment",
    "lesson",
    "completion",
)


def command(name: str) -> Any:
    """Return the module of a command."""
    return import_module(f".commands.{name}_" if iskeyword(name) else f".commands.{name}", __package__)


def parsers(names: Sequence[str] = COMMANDS) -> dict[str, argparse.ArgumentParser]:
    """Return the argument parsers by command name. Under "" is the main parser, which has these commands."""
    from .version import VERSIONS

    modules = {name: command(name) for name in names}
    whole = argparse.ArgumentParser(
        prog="gruscope",
        description="See what a gated recurrent unit does with a sequence.",
        epilog=_examples(*(line for module in modules.values() for line in module.EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"gruscope {VERSIONS['gruscope']}")
    subparsers = whole.add_subparsers(dest="command", metavar=" | ".join(COMMANDS))
    by_name = {"": whole}
    for name, module in modules.items():
        by_name[name] = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=_examples(*module.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(by_name[name])
    return by_name


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "serve")
    first = words[0]
    # Only the help, and the error about an unknown command, need the parsers of all commands.
    names = [first] if first in COMMANDS else [] if first == "--version" else COMMANDS
    try:  # includes the imports, which take about a second: the user may press Ctrl+C
        options = parsers(names)[""].parse_args(words)
        status: int = command(options.command).run(options)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        line = "\n" if sys.stderr.isatty() else ""  # after the ^C of the terminal
        print(f"{line}gruscope: {str(error) or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output, such as head, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _examples(*lines: str) -> str:
    return "\n  ".join(("examples:", *lines))


if __name__ == "__main__":
    sys.exit(main())
