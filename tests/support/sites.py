"""Example sites with figures, built with Sphinx, MyST, MkDocs and Zensical, and the docs of GRU Scope."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[2]

BLOCK = """```{gruscope} flip-flop
:sequence: A m m B m
:t: 4
:views: tape,words
```"""

CONF = """
project, copyright, version = "A site", "Nobody", "1"
extensions = ["app.embed.sphinx"]
"""

RST = """
A site
======

.. gruscope:: flip-flop
   :sequence: A m m B m
   :t: 4
   :views: tape,words

Text after the figure.

.. gruscope:: running-total
   :views: tape

.. toctree::

   part/plain
"""

MYST_CONF = f"""{CONF}
extensions.append("myst_parser")
html_theme = "furo"
"""

MYST = f"# A book\n\n{BLOCK}\n\nText after the figure.\n"

MKDOCS = """
site_name: A site
theme:
  name: material
  font: false
  features: [navigation.instant]
  palette:
    - scheme: default
      toggle: {icon: material/weather-night, name: Dark}
    - scheme: slate
      toggle: {icon: material/weather-sunny, name: Light}
markdown_extensions:
  - app.embed.markdown
extra_javascript: [gruscope/gruscope.js]
plugins: []
"""


def sphinx_site(folder: Path, builder: str = "html", plain: str = "No figure.") -> Path:
    """Build a site of two pages with Sphinx, and return its folder.

    The first page has two figures. The text of the second page, part/plain, is `plain`.
    """
    pages = {"conf.py": CONF, "index.rst": RST, "part/plain.rst": f"Plain\n=====\n\n{plain}\n"}
    return _build(folder, pages, builder)


def myst_site(folder: Path) -> Path:
    """Build a site with a MyST page, using Sphinx as Jupyter Book 1 does, and return its folder."""
    return _build(folder, {"conf.py": MYST_CONF, "index.md": MYST}, "html")


def _build(folder: Path, pages: dict[str, str], builder: str) -> Path:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    source, out = folder / "source", folder / builder
    for name, text in pages.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    log, places = io.StringIO(), (source, source, out, folder / "doctrees")
    with docutils_namespace():
        Sphinx(*map(str, places), builder, status=None, warning=log).build()
    assert not log.getvalue(), log.getvalue()
    return out


def docs_site(folder: Path) -> Path:
    """Build the docs of GRU Scope without the demos into `folder`, and return it."""
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    process = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return folder


def mkdocs_site(folder: Path) -> Path:
    """Build a site with Material for MkDocs, and return the folder of its pages."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    _write_markdown(folder)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        build(load_config(str(folder / "mkdocs.yml"), site_dir=str(folder / "site")))
    return folder / "site"


def zensical_site(folder: Path) -> Path:
    """Build the site of `mkdocs_site` with Zensical, and return the folder of its pages.

    Zensical copies files before it reads pages, so this function builds the site twice.
    """
    _write_markdown(folder)
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    for _ in range(2):
        process = subprocess.run(
            build, cwd=folder, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        assert process.returncode == 0, process.stdout + process.stderr
    return folder / "site"


def _write_markdown(folder: Path) -> None:
    """Write the source files of a site with pages in folders of different depths."""
    docs = folder / "docs"
    (docs / "part").mkdir(parents=True)
    (folder / "mkdocs.yml").write_text(MKDOCS)
    (docs / "index.md").write_text("# A site\n\n[The figure](part/figure.md)\n")
    (docs / "part" / "figure.md").write_text(f"# A figure\n\nText.\n\n{BLOCK}\n\nText after.\n\n````\n{BLOCK}\n````\n")
