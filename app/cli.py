"""The `gruscope` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from .version import VERSIONS

INTERRUPTED = 130
"""The exit code after Ctrl+C. As in shells, it is 128 plus the number of the signal."""


def commands() -> dict[str, Any]:
    """Return the modules of the commands by name.

    They are imported here, because this takes a second in which the user can already press Ctrl+C.
    """
    from .commands import (
        census,
        check,
        completion,
        experiment,
        export,
        forecast,
        import_,
        lesson,
        models,
        serve,
        sweep,
        trace,
        train,
        write,
    )

    return {
        "serve": serve,
        "trace": trace,
        "forecast": forecast,
        "write": write,
        "census": census,
        "export": export,
        "import": import_,
        "check": check,
        "models": models,
        "train": train,
        "sweep": sweep,
        "experiment": experiment,
        "lesson": lesson,
        "completion": completion,
    }


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the argument parser of each command, and under "" the parser of the whole command line."""
    modules = commands()
    whole = argparse.ArgumentParser(
        prog="gruscope",
        description="See what a gated recurrent unit does with a sequence.",
        epilog=_examples(*(line for command in modules.values() for line in command.EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"gruscope {VERSIONS['gruscope']}")
    subparsers = whole.add_subparsers(dest="command", metavar=" | ".join(modules))
    by_name = {"": whole}
    for name, command in modules.items():
        by_name[name] = subparsers.add_parser(
            name,
            help=command.HELP,
            description=command.HELP,
            epilog=_examples(*command.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(by_name[name])
    return by_name


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "serve")
    try:
        options = parsers()[""].parse_args(words)
        status: int = commands()[options.command].run(options)
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
