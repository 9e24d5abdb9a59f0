"""Example sites with a figure, as authors of docs build them with Sphinx and with MkDocs."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

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


def sphinx_site(folder: Path, builder: str = "html") -> Path:
    """Build a site with two figures with Sphinx, and return its folder."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    source, out = folder / "source", folder / builder
    (source / "part").mkdir(parents=True, exist_ok=True)
    (source / "conf.py").write_text(CONF)
    (source / "index.rst").write_text(RST)
    (source / "part" / "plain.rst").write_text("Plain\n=====\n\nNo figure.\n")
    log, places = io.StringIO(), (source, source, out, folder / "doctrees")
    with docutils_namespace():
        Sphinx(*map(str, places), builder, status=None, warning=log).build()
    assert not log.getvalue(), log.getvalue()
    return out


def mkdocs_site(folder: Path) -> Path:
    """Build a site with Material for MkDocs, and return its folder. Its pages are in folders of different depths."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    docs = folder / "docs"
    (docs / "part").mkdir(parents=True)
    (folder / "mkdocs.yml").write_text(MKDOCS)
    (docs / "index.md").write_text("# A site\n\n[The figure](part/figure.md)\n")
    (docs / "part" / "figure.md").write_text(f"# A figure\n\nText.\n\n{BLOCK}\n\nText after.\n\n````\n{BLOCK}\n````\n")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        build(load_config(str(folder / "mkdocs.yml"), site_dir=str(folder / "site")))
    return folder / "site"
