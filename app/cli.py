"""The `gruscope` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from app.commands import export, serve, train

COMMANDS = {"serve": serve, "train": train, "export": export}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="gruscope",
        description="See what a gated recurrent unit does with a sequence.",
        epilog=_examples(*(line for command in COMMANDS.values() for line in command.EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar=" | ".join(COMMANDS))
    for name, command in COMMANDS.items():
        of = commands.add_parser(
            name,
            help=command.HELP,
            description=command.HELP,
            epilog=_examples(*command.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(of)

    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "serve")
    options = parser.parse_args(given)
    status: int = COMMANDS[options.command].run(options)
    return status


def _examples(*lines: str) -> str:
    return "\n  ".join(("examples:", *lines))


if __name__ == "__main__":
    sys.exit(main())
