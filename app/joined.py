"""A bundler: it joins the JavaScript modules of a page into one script, so that a visit loads one instead of sixty.

Each module becomes a function that returns the module's exports. It comes after the modules that it imports. The rest
of its code does not change, but comments on lines of their own are left out. They are a third of the code.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import cache

IMPORT = re.compile(r'^import (?:\* as (\w+)|\{([^}]*)\}) from "(\.{1,2}/[^"]+)";.*\n', re.M)
SHEET = re.compile(r'^@import "([^"]+)";\n', re.M)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.M)
COMMENT = re.compile(r"^[ \t]*(?:/\*\*(?:[^*]|\*(?!/))*\*/|//.*)[ \t]*\n", re.M)


def joined(root: str, sources: Mapping[str, str]) -> str:
    """Return one script of the module `root` and all modules that it imports; `sources` has their code by path.

    Raises ValueError if modules import one another in a circle, or if the form of an import or export is unknown.
    """
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"modules import one another in a circle: {' → '.join((*above, name))}")
        for _, _, path in IMPORT.findall(sources[name]):
            other = _beside(name, path)
            if other not in order:
                visit(other, (*above, name))
        order.append(name)

    visit(root, ())
    return "\n".join(_part(name, order, sources[name], name == root) for name in order)


def joined_sheet(name: str, sources: Mapping[str, str]) -> str:
    """Return the style sheet `name` with each part in place of its import. `sources` maps paths to texts."""
    return SHEET.sub(lambda part: sources[_beside(name, part[1])], sources[name])


@cache
def _without_comments(source: str) -> str:
    """Return a module without the comments on lines of their own. The result is cached, since many pages use it."""
    return COMMENT.sub("", source)


def _beside(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _part(name: str, order: list[str], source: str, root: bool) -> str:
    def bound(match: re.Match[str]) -> str:
        whole, names, path = match.groups()
        target = whole or "{" + names.replace(" as ", ": ") + "}"
        return f"const {target} = m{order.index(_beside(name, path))};\n"

    text = IMPORT.sub(bound, _without_comments(source))
    exports = EXPORT.findall(text)
    text = f"// {name}\n{EXPORT.sub('', text)}"
    unknown = re.search(r"^(?:import|export) .*", text, re.M)
    if unknown:
        raise ValueError(f"{name} cannot be joined: {unknown[0]}")
    if root:
        return text
    return f"const m{order.index(name)} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();\n"
