"""Pages that MkDocs cannot read from a Markdown file: notebooks, the commands' help, and the routes of the API."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

from app.cli import parsers
from app.main import create_app


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook."""
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        text = page(json.loads(notebook.content_string), Path(notebook.src_uri).name)
        files.append(File.generated(config, notebook.src_uri.removesuffix(".ipynb") + ".md", content=text))
    return files


def page(notebook: dict[str, Any], name: str) -> str:
    """Return a notebook as Markdown: its text, its code, and the stored output of each cell."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                parts.append("".join(data["text/html"]))
            else:
                parts.append(f"```text\n{''.join(output.get('text', data.get('text/plain', []))).rstrip()}\n```")
    return "\n\n".join([*parts, f"[Download this page as a notebook]({name})."])


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the lines `{{ commands }}`, `{{ routes }}` and `{{ public NAME … }}`."""
    return re.sub(r"^\{\{ (\w+)(.*) \}\}$", lambda match: FILL[match[1]](*match[2].split()), markdown, flags=re.M)


def on_post_template(output: str, template_name: str, **_: Any) -> str:
    """Complete the page for a missing address. Its text is not in a landmark."""
    if template_name != "404.html":
        return output
    return on_post_page(output).replace('<div id="main-content"', '<div role="main" id="main-content"', 1)


def on_post_page(output: str, **_: Any) -> str:
    """Complete a page of the theme.

    Its light/dark menu needs two style sheets, its bar is a landmark, and keys scroll wide code and wide tables.
    """
    sheets = '<link id="hljs-light"><link id="hljs-dark">'  # the theme leaves them out without highlight.js
    output = output.replace("</head>", f"{sheets}</head>", 1)
    output = output.replace('<div class="navbar', '<div role="banner" class="navbar', 1)
    return output.replace("<pre>", '<pre tabindex="0">').replace("<table>", '<table tabindex="0">')


@event_priority(-100)  # after the search plugin
def on_post_build(config: MkDocsConfig) -> None:
    """Write the search index as a script too, since a page that was opened from disk can load no JSON."""
    index = Path(config.site_dir) / "search" / "search_index.json"
    index.with_suffix(".js").write_text(f"const searchIndex = {index.read_text('utf-8')};\n", "utf-8")


def commands() -> str:
    """Return the help of every command, each under a heading."""
    os.environ["COLUMNS"] = "100"
    helps = [(f"gruscope {name}".strip(), parser.format_help()) for name, parser in parsers().items()]
    return "\n\n".join(f"## {name}\n\n```text\n{text.rstrip()}\n```" for name, text in helps)


def public(*names: str) -> str:
    """Return the reference of public names, each under the name that a program writes, such as `gru.trace`."""
    return "\n\n".join(f"::: gru_core.{name}\n    options:\n      heading: gru.{name}" for name in names)


def routes() -> str:
    """Return a table of the API's routes, each with its summary."""
    rows = [
        f"| `{method.upper()} {path}` | {operation['summary']} |"
        for path, methods in create_app().openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join(["| route | summary |", "|---|---|", *rows])


FILL = {"commands": commands, "routes": routes, "public": public}
