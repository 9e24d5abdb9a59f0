"""The `gruscope` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

INTERRUPTED = 130
"""The exit code after Ctrl+C, as shells have it: 128 and the signal's number."""


def commands() -> dict[str, Any]:
    """The modules of the commands, by name. To import them takes a second, in which Ctrl+C may come already."""
    from .commands import check, experiment, export, import_, lesson, models, serve, sweep, trace, train

    return {
        "serve": serve,
        "trace": trace,
        "export": export,
        "import": import_,
        "check": check,
        "models": models,
        "train": train,
        "sweep": sweep,
        "experiment": experiment,
        "lesson": lesson,
    }


def parsers() -> dict[str, argparse.ArgumentParser]:
    """What reads the command line, by command; under "" what reads the whole of it."""
    known = commands()
    whole = argparse.ArgumentParser(
        prog="gruscope",
        description="See what a gated recurrent unit does with a sequence.",
        epilog=_examples(*(line for command in known.values() for line in command.EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    each = whole.add_subparsers(dest="command", metavar=" | ".join(known))
    found = {"": whole}
    for name, command in known.items():
        found[name] = each.add_parser(
            name,
            help=command.HELP,
            description=command.HELP,
            epilog=_examples(*command.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(found[name])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "serve")
    try:
        options = parsers()[""].parse_args(given)
        status: int = commands()[options.command].run(options)
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        line = "\n" if sys.stderr.isatty() else ""  # after the ^C of the terminal
        print(f"{line}gruscope: {str(error) or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _examples(*lines: str) -> str:
    return "\n  ".join(("examples:", *lines))


if __name__ == "__main__":
    sys.exit(main())
