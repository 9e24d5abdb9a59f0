"""gruscope completion: print a script that makes a shell complete commands, options and names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from gru_core import presets

HELP = "print a script with which a shell completes commands, options and the names of presets"
EXAMPLES = (
    'eval "$(gruscope completion bash)"',
    'eval "$(gruscope completion zsh)"',
    "gruscope completion fish | source",
)

BASH = """\
_gruscope() {{
  local words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{commands}"
  else
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _gruscope gruscope
"""

ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"
"""The lines before the bash script that let zsh use it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that reads the script")


def run(options: argparse.Namespace) -> int:
    from ..cli import parsers

    words = {name: list(_words(parser)) for name, parser in parsers().items()}
    commands = [name for name in words if name]
    if options.shell == "fish":
        print(f"complete -c gruscope -f -n __fish_use_subcommand -a '{' '.join((*commands, *words['']))}'")
        for name in commands:
            print(f"complete -c gruscope -n '__fish_seen_subcommand_from {name}' -a '{' '.join(words[name])}'")
        return 0
    cases = "\n".join(f'      {name}) words="{" ".join(words[name])}" ;;' for name in commands)
    script = BASH.format(commands=" ".join((*commands, *words[""])), cases=cases)
    print(ZSH * (options.shell == "zsh") + script, end="")
    return 0


def _words(parser: argparse.ArgumentParser) -> Iterable[str]:
    """Yield the words that complete a command: options, choices of arguments, and the presets if it takes a preset."""
    for action in parser._actions:  # argparse has no public list of them
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            if action.dest != "command":
                yield from action.choices
        elif action.choices is not None:
            yield from map(str, action.choices)
        elif action.dest == "model" or str(action.metavar).startswith("NAME"):
            yield from presets.SHIPPED
