"""The deck of docs/how-to/embed.md, with reveal.js from npm, as an author of slides would set it up."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from app.exports.site import build
from app.settings import Settings

from .sites import ROOT

PACKAGE = "reveal.js@5.2.1"

SCENARIOS = '[flip-flop]\nmodel = "flip-flop"\nsequence = "A m m B m"\nviews = "tape,words"\n'


def reveal_deck(folder: Path) -> str | None:
    """Write a deck with its figure into a folder. Return None, or why reveal.js is not to be had."""
    if shutil.which("npm") is None:
        return "npm is not installed"
    pack = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=120)
    if pack.returncode:
        return f"npm did not get {PACKAGE}: {pack.stderr.strip()[:200]}"
    with tarfile.open(folder / pack.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    (folder / "package" / "dist").rename(folder / "reveal")
    (folder / "demos.toml").write_text(SCENARIOS)
    list(build(folder, folder / "demos.toml", Settings()))
    slides = (ROOT / "docs" / "how-to" / "embed.md").read_text().partition("## Slides")[2]
    (example,) = re.findall(r"```html\n(.*?)```", slides.partition("\n## ")[0], re.S)
    (folder / "deck.html").write_text(f'<!doctype html><html lang="en"><title>A deck</title><body>{example}')
    return None
