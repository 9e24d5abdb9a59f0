"""The deck of docs/how-to/embed.md, with reveal.js from npm, as an author of slides would set it up."""

from __future__ import annotations

import re
from pathlib import Path

from app.exports.site import build
from app.settings import Settings

from .npm import packages
from .sites import ROOT

PACKAGE = "reveal.js@5.2.1"

SCENARIOS = '[flip-flop]\nmodel = "flip-flop"\nsequence = "A m m B m"\nviews = "tape,words"\n'


def reveal_deck(folder: Path) -> None:
    """Write the slide deck and its figure to a folder. Skips the test if reveal.js is unavailable."""
    (packages(folder, PACKAGE)[0] / "dist").rename(folder / "reveal")
    (folder / "demos.toml").write_text(SCENARIOS)
    list(build(folder, folder / "demos.toml", Settings()))
    slides = (ROOT / "docs" / "how-to" / "embed.md").read_text().partition("## Slides")[2]
    (example,) = re.findall(r"```html\n(.*?)```", slides.partition("\n## ")[0], re.S)
    (folder / "deck.html").write_text(f'<!doctype html><html lang="en"><title>A deck</title><body>{example}')
