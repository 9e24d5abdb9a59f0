"""A site with a figure, built by mystmd, which also builds the sites of Jupyter Book 2.

The theme of such sites is not on npm, so a small page replaces it. The page shows the content that mystmd built, with
the theme's widget renderer, which is on npm. A button sets the class "dark" on the root element, as the theme does.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from app.cli import main

from .npm import packages
from .sites import ROOT

PACKAGES = ("mystmd@1.8.3", "@myst-theme/anywidget@1.4.1", "react@18.3.1", "react-dom@18.3.1")

CONFIG = "version: 1\nproject:\n  toc: [{file: index.md}]\nsite:\n  template: ./theme\n"
THEME = "jtex: v1\ntitle: A theme\nkind: site\n"

PAGE = """<!doctype html><html lang="en" class="light"><meta charset="utf-8"><title>A book</title>
<style>html.dark { background: #1c1917; color: #fff }</style>
<script type="importmap">{ "imports": { "react": "./react.js", "react/jsx-runtime": "./jsx.js",
    "classnames": "./classnames.js" } }</script>
<script src="react/umd/react.production.min.js"></script>
<script src="react-dom/umd/react-dom.production.min.js"></script>
<body><h1>A book</h1><button onclick="document.documentElement.className = 'dark'">Dark</button><main></main>
<script type="module">
    import { AnyWidgetRenderer } from "./anywidget/renderers.js";
    const { mdast } = await (await fetch("content/index.json")).json();
    const node = mdast.children[0].children.find(({ type }) => type === "anywidget");
    node.esm = new URL(`public${node.esm}`, location.href).href;
    ReactDOM.createRoot(document.querySelector("main")).render(React.createElement(AnyWidgetRenderer, { node }));
</script>"""

MODULES = {
    "react.js": "export default React;\nexport const { useEffect, useRef, useState } = React;\n",
    "jsx.js": "export const jsx = (type, props) => React.createElement(type, props);\nexport const jsxs = jsx;\n",
    "classnames.js": 'export default (...names) => names.filter(Boolean).join(" ");\n',
}


def myst_book(folder: Path) -> Path:
    """Build a site with the MyST figure in docs/how-to/embed.md, and return its folder. Skips the test without npm."""
    mystmd, renderer, react, react_dom = packages(folder, *PACKAGES)
    guide = (ROOT / "docs" / "how-to" / "embed.md").read_text()
    (block,) = re.findall(r"```\{anywidget\}.*?```", guide, re.S)
    source = folder / "source"
    (source / "theme").mkdir(parents=True)
    files = {"myst.yml": CONFIG, "theme/template.yml": THEME, "index.md": f"# A book\n\n{block}\n\nText after.\n"}
    for name, text in files.items():
        (source / name).write_text(text)
    run = ["--model", "flip-flop", "--sequence", "A m m B m", "--views", "tape,words"]
    assert main(["export", *run, "--widget", str(source / "flip-flop.mjs")]) == 0
    myst = ["node", str(mystmd / "dist" / "myst.cjs"), "build", "--site", "--ci"]
    built = subprocess.run(myst, cwd=source, capture_output=True, text=True, timeout=120)
    site = source / "_build" / "site"
    assert (site / "content" / "index.json").exists(), built.stdout + built.stderr
    for name, text in {**MODULES, "index.html": PAGE}.items():
        (site / name).write_text(text)
    for name, package in {"anywidget": renderer / "dist", "react": react, "react-dom": react_dom}.items():
        shutil.copytree(package, site / name)
    return site
