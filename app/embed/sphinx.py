"""The Sphinx directive `.. gruscope:: MODEL`, which shows a figure. With MyST it also works in Markdown.

`extensions = ["gruscope.embed.sphinx"]` in conf.py turns the directive on. HTML gets the live figure. Every other
format gets a table of the run and, if the extra `pictures` is installed, a picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from ..exports.files import as_picture
from ..output import write
from ..pages.page import outputs
from ..runs.linked import LinkedRun
from .component import SCRIPT
from .figures import OPTIONS, Figure, opened, write_shared

FOLDER = "_static/gruscope"
"""The folder in the built site with the script and the figures."""

TILDE = "\N{COMBINING TILDE}"
"""The combining character in a symbol such as h̃, after the letter."""

logger = logging.getLogger(__name__)


class FigureNode(nodes.General, nodes.Element):
    """A figure in a document.

    The attributes `model` and `options` are the argument and the options of the directive. Model files are relative to
    `folder`, the folder of the document.
    """


class Directive(SphinxDirective):
    """The directive. Its argument is the name or the file of a model, and its options are the options of a figure."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = dict.fromkeys(OPTIONS, directives.unchanged_required)

    def run(self) -> list[nodes.Node]:
        model, options = self.arguments[0], {key: str(value) for key, value in self.options.items()}
        folder = Path(self.env.doc2path(self.env.docname)).parent
        node = FigureNode(model=model, options=options, folder=str(folder))
        try:
            with _figure(node):
                pass
        except (ValueError, FileNotFoundError) as error:
            raise self.error(f"gruscope: {error}") from error
        if (folder / model).is_file():
            self.env.note_dependency(str(folder / model))
        self.set_source_info(node)
        return [node]


def _replace_in_other_formats(app: Sphinx, document: nodes.document, page: str) -> None:
    """Replace each figure with a picture and a table of its run, unless the output format shows live figures."""
    if _is_live(app):
        return
    for node in list(document.findall(FigureNode)):
        with _figure(node) as figure:
            picture = _picture(figure, app, page)
            node.replace_self([*([picture] if picture else []), _table(figure.run, app.builder.format == "latex")])


def _picture(figure: Figure, app: Sphinx, page: str) -> nodes.image | None:
    """Return the picture of a figure's run, or None if the picture cannot be drawn on this machine."""
    path = Path(app.doctreedir) / "gruscope" / figure.file.replace(".html", ".png")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, as_picture(figure.run.trace, figure.run.layer - 1, figure.label, "png"))
    except (ImportError, ValueError) as error:
        logger.info("gruscope: %s", error)
        return None
    app.env.images.add_file(page, str(path))
    return nodes.image(uri=str(path), candidates={"*": str(path)}, alt=figure.label)


def _figure(node: nodes.Element) -> AbstractContextManager[Figure]:
    return opened(node["model"], node["options"], Path(node["folder"]))


def _is_live(app: Sphinx) -> bool:
    """Return whether the output format of the build shows live figures."""
    return app.builder.format == "html" and app.builder.name != "epub"


def _table(run: LinkedRun, as_math: bool) -> nodes.table:
    """Return a table of a run with a row for each timestep, and columns for the signals of the unit at the cursor.

    If `as_math` is true, symbols with a tilde become math.
    """
    layer = run.trace.layers[run.layer - 1]
    answers = outputs(run.trace.model, run.trace)
    symbols = [signal.symbol for signal in layer.cell.signals.values()]
    heads = [[nodes.Text(head)] for head in ("t", "input", "output")]
    heads += [[_symbol(symbol, as_math), nodes.Text(f" of unit {run.unit}")] for symbol in symbols]
    columns = [
        [f"{value:.2f}".replace("-", "−") for value in getattr(layer, name)[:, run.unit - 1]]
        for name in layer.cell.signals
    ]
    tokens = run.trace.tokens or [""] * len(answers)
    rows = zip(map(str, range(1, len(answers) + 1)), tokens, answers, *columns, strict=True)
    group = nodes.tgroup("", *(nodes.colspec(colwidth=12) for _ in heads), cols=len(heads))
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *(_row([nodes.Text(text)] for text in row) for row in rows))
    return nodes.table("", group)


def _symbol(symbol: str, as_math: bool) -> nodes.Node:
    """Return the node for a symbol such as h̃. pdflatex cannot print combining tildes, so LaTeX gets math instead."""
    if not as_math or TILDE not in symbol:
        return nodes.Text(symbol)
    formula = rf"\tilde{{{symbol.replace(TILDE, '')}}}"
    return nodes.math(formula, formula)


def _row(cells: Iterable[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def _visit_html(translator: Any, node: FigureNode) -> None:
    with _figure(node) as figure:
        builder = translator.builder
        figure.write(Path(builder.outdir) / FOLDER)
        folder = relative_uri(builder.get_target_uri(builder.current_docname), FOLDER)
        translator.body.append(figure.element(folder))
    raise nodes.SkipNode


def _write_script(app: Sphinx) -> None:
    if _is_live(app):
        write_shared(Path(app.outdir) / FOLDER)


def _add_script(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add the script to a page if the page has a figure."""
    if doctree is not None and _is_live(app) and next(iter(doctree.findall(FigureNode)), None):
        app.add_js_file(f"gruscope/{SCRIPT}", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive, and the event handlers that write and load its files."""
    app.add_node(FigureNode, html=(_visit_html, None))
    app.add_directive("gruscope", Directive)
    app.connect("builder-inited", _write_script)
    app.connect("doctree-resolved", _replace_in_other_formats)
    app.connect("html-page-context", _add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
