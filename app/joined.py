"""A bundler that joins the JavaScript modules of a page into one script: a visit loads one file instead of sixty.

Each module becomes a function that returns the module's exports, and comes after the modules that it imports. Comments
on their own lines, which are a third of the code, are removed. The rest of the code does not change.
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
    """Return one script with the module `root` and all modules that it imports. `sources` maps paths to code.

    Raises ValueError if modules import one another in a circle, or if an import or export has an unknown form.
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
    """Return the style sheet `name` with each @import replaced by the imported sheet. `sources` maps paths to CSS."""
    return SHEET.sub(lambda part: sources[_beside(name, part[1])], sources[name])


@cache
def _without_comments(source: str) -> str:
    """Return the code of a module without comments on their own lines. Many pages share modules, so this is cached."""
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
