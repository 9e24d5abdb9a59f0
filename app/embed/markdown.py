"""A Python-Markdown extension for figures in MkDocs, Material for MkDocs, Zensical and Pelican.

A fenced block in a page becomes a figure:

    ```{gruscope} flip-flop
    :sequence: A m m B m
    :t: 4
    ```

MyST reads the same block with the Sphinx directive. The extension writes the files of all figures into the folder that
the option `folder` names, by default docs/gruscope. The site copies this folder like all other files, and loads the
script gruscope.js from it, in MkDocs with `extra_javascript: [gruscope/gruscope.js]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from .figures import Figure, opened, write_shared

FENCED = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>.*)\n(?P<body>[^\0]*?)^(?P=indent)(?P=fence) *$", re.M
)
INFO = re.compile(r" *\{gruscope\} *(\S+) *")
OPTION = re.compile(r":(\w+): *(.*)")

BEFORE_FENCES = 27
"""The priority of the preprocessor: after whitespace normalization and before the processing of fenced code."""


def figures(text: str, folder: Path) -> Iterator[tuple[re.Match[str], Figure]]:
    """Yield the match of each figure's block in `text`, and the figure. Model files are relative to `folder`.

    Raises ValueError if a figure is not valid.
    """
    for block in FENCED.finditer(text):  # Match all blocks: a figure inside another block is an example.
        model = INFO.fullmatch(block["info"])
        if model is None:
            continue
        options: dict[str, str] = {}
        for line in filter(str.strip, block["body"].splitlines()):
            option = OPTION.fullmatch(line.strip())
            if option is None:
                raise ValueError(f"gruscope: {line.strip()!r} is not an option: write it as :t: 4")
            options[option[1]] = option[2]
        try:
            with opened(model[1], options, folder) as figure:
                yield block, figure
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"gruscope: {error}") from error


class Blocks(Preprocessor):
    """The preprocessor that replaces the blocks of figures with HTML elements."""

    def __init__(self, md: Markdown, folder: Path) -> None:
        super().__init__(md)
        self.folder = folder

    def run(self, lines: list[str]) -> list[str]:
        """Write the files of all figures on a page, and return its lines with a placeholder for each figure."""
        text = "\n".join(lines)
        parts, end = [], 0
        for block, figure in figures(text, self.folder.parent):
            figure.write(self.folder)
            parts += [text[end : block.start()], f"\n{block['indent']}{self.md.htmlStash.store(figure.element())}\n"]
            end = block.end()
        return "".join([*parts, text[end:]]).split("\n")


class FigureExtension(Extension):
    """The Python-Markdown extension. Its option `folder` names a folder for figures in the folder of Markdown files."""

    def __init__(self, **options: Any) -> None:
        self.config = {"folder": ["docs/gruscope", "the folder for the files of the figures"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the preprocessor, and write the files of all figures, which a site copies before it reads pages."""
        folder = Path(self.getConfig("folder"))
        write_shared(folder)
        for page in folder.parent.rglob("*.md"):
            for _, figure in figures(page.read_text("utf-8").replace("\r\n", "\n"), folder.parent):
                figure.write(folder)
        md.preprocessors.register(Blocks(md, folder), "gruscope", BEFORE_FENCES)


def makeExtension(**options: Any) -> FigureExtension:
    """Return the extension. Python-Markdown calls this function to load it."""
    return FigureExtension(**options)
