"""What MkDocs is given besides the pages: parts of the README, the commands' help, and notebooks as pages."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from app.cli import parsers

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Beside each notebook the page that it makes."""
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        text = page(json.loads(notebook.content_string), Path(notebook.src_uri).name)
        files.append(File.generated(config, notebook.src_uri.removesuffix(".ipynb") + ".md", content=text))
    return files


def page(notebook: dict[str, Any], name: str) -> str:
    """A notebook as Markdown: its texts, its code, and under each the outputs that are kept in it."""
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
    return "\n\n".join([*parts, f"[This page as a notebook]({name})."])


def on_page_markdown(markdown: str, **_: Any) -> str:
    """`{{ what: of what }}` on a line of its own is filled in."""
    return re.sub(r"^\{\{ (\w+)(?:: (.*?))? \}\}$", lambda found: FILL[found[1]](found[2]), markdown, flags=re.M)


def readme(section: str) -> str:
    """What stands in the README under a heading, up to the table of the link's keys."""
    text = (ROOT / "README.md").read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    return (
        text.partition("Sites that know oEmbed")[0]
        + "What the address can say is listed under [links](../reference/links.md)."
    )


def keys(page: str | None) -> str:
    """The README's table of the keys of a link: to the lab, or to another page."""
    tables = re.findall(r"^\| key \| value \|\n(?:\|.*\n)+", (ROOT / "README.md").read_text(), re.M)
    return str(tables[[None, "compare", "train"].index(page)])


def commands(_: str | None) -> str:
    """The help of every command."""
    os.environ["COLUMNS"] = "100"
    found = [(f"gruscope {name}".strip(), parser.format_help()) for name, parser in parsers().items()]
    return "\n\n".join(f"## {name}\n\n```text\n{said.rstrip()}\n```" for name, said in found)


FILL: dict[str, Callable[[Any], str]] = {"readme": readme, "keys": keys, "commands": commands}
