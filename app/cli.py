"""The `gruscope` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .commands import check, export, import_, lab, lesson, models, serve, sweep, trace, train

COMMANDS = {
    "serve": serve,
    "trace": trace,
    "export": export,
    "import": import_,
    "check": check,
    "models": models,
    "train": train,
    "sweep": sweep,
    "lab": lab,
    "lesson": lesson,
}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """What reads the command line, by command; under "" what reads the whole of it."""
    whole = argparse.ArgumentParser(
        prog="gruscope",
        description="See what a gated recurrent unit does with a sequence.",
        epilog=_examples(*(line for command in COMMANDS.values() for line in command.EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", metavar=" | ".join(COMMANDS))
    found = {"": whole}
    for name, command in COMMANDS.items():
        found[name] = commands.add_parser(
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
    options = parsers()[""].parse_args(given)
    try:
        status: int = COMMANDS[options.command].run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _examples(*lines: str) -> str:
    return "\n  ".join(("examples:", *lines))


if __name__ == "__main__":
    sys.exit(main())
