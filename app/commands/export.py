"""gruscope export: write a view to files, or many views to a folder of pages."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from gru_core import SequenceError

from .. import output
from ..embed.component import widget_of
from ..embed.state import HIDDEN, state_of
from ..errors import Refused
from ..exports import page as export
from ..exports.files import CONTENTS, as_csv, as_npz, as_picture, content_of
from ..exports.lesson import lesson_page
from ..exports.models import MOST_WEIGHTS, described
from ..exports.site import KEYS, build
from ..lessons import shelf
from ..link import FOCUS, read_address
from ..models import served_file
from ..runs.answers import whole
from ..runs.linked import LinkedRun, run_link
from ..settings import Settings
from .messages import fail

HELP = "export a view: as a page that needs no server, as numbers or as a picture"
EXAMPLES = (
    'gruscope export --model flip-flop --sequence "A m m B" --t 4 --html flip-flop.html',
    "gruscope export 'http://localhost:8000/?model=sentiment&t=3' --csv - | head",
    "gruscope export 'http://localhost:8000/compare?task=sentiment&t=3' --html compare.html",
    "gruscope export http://localhost:8000/lessons/gates --html gates.html",
    "gruscope export --site pages scenarios.toml",
)

FILES = {
    "html": "the view as one HTML file",
    "widget": "the view as one JavaScript module, for the directive anywidget of MyST",
    "csv": "the run as CSV, one line per timestep",
    "json": "the run as JSON, in the form of /api/trace",
    "npz": "every array of the run, for NumPy",
    "svg": "all signals of a layer as an SVG picture",
    "png": "all signals of a layer as a PNG picture",
    "pdf": "all signals of a layer as a PDF picture, for LaTeX",
}

PAGES = {
    "/compare": export.compare_page,
    "/train": export.train_page,
    "/start": lambda _, settings, live: export.start_page(settings, live),
}
"""The functions that export pages other than the Lab, by the last part of the page's address."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="LINK", help="a link from Share; with --site, a TOML file")
    parser.add_argument(
        "--site", type=Path, metavar="DIR", help="folder to write: one page for each scenario of the TOML file"
    )
    files = parser.add_argument_group("files to write (- is standard output)")
    for ending, words in FILES.items():
        runs = f"; it runs its network if this has at most {MOST_WEIGHTS:,} weights" if ending == "html" else ""
        files.add_argument(f"--{ending}", metavar="FILE", help=words + runs)
    keys = parser.add_argument_group("what to show (these options replace keys of the link)")
    keys.add_argument("--model", help="a preset, or the file of a model (default: flip-flop)")
    keys.add_argument("--sequence", help="the input sequence (default: the first example of the model)")
    keys.add_argument("--clamps", help="clamps, such as z.1@4-6=0")
    keys.add_argument("--weights", help="changed weights, such as z.1.W3=0.5")
    keys.add_argument("--h0", metavar="0.5,-1;0.25", help="the initial state, with semicolons between the layers")
    keys.add_argument("--against", help="a second sequence with the same number of timesteps")
    keys.add_argument("--write", metavar="N", help="timesteps that the network writes after the sequence")
    keys.add_argument("--temperature", metavar="X", help="temperature of what the network writes (default: 1)")
    keys.add_argument("--seed", metavar="N", help="seed of what the network writes (default: 0)")
    for key, (_, words) in FOCUS.items():
        keys.add_argument(f"--{key}", help=words)
    parser.add_argument(
        "--content",
        choices=CONTENTS,
        help="what the files contain: all values, or only the inputs, outputs and signals in single precision "
        "(default: all, and signals for the numbers of a large run)",
    )
    parser.add_argument("--live", default="", metavar="URL", help="address that the link “Open in GRU Scope” opens")


def run(options: argparse.Namespace) -> int:
    if options.live:
        options.live = options.live.rstrip("/") + "/"
    try:
        return _site(options) if options.site else _files(options)
    except (Refused, SequenceError, ValueError, ImportError) as error:
        return fail(str(error))
    except BrokenPipeError:  # the reader of the output, such as head, has closed it
        sys.stdout = None
        return 1
    except OSError as error:
        file = error.filename or "the output"
        # `load` raises an error without a file name for a name that is neither a preset nor a file.
        words = f"{file} cannot be opened or written: {error.strerror}" if error.strerror else str(error)
        return fail(words)


def _files(options: argparse.Namespace) -> int:
    files = {ending: getattr(options, ending) for ending in FILES if getattr(options, ending)}
    if not files:
        return fail(f"choose a file to write: {', '.join(f'--{ending}' for ending in FILES)}", 2)
    if list(files.values()).count("-") > 1:
        return fail("only one file can go to standard output", 2)
    settings = Settings.from_environment(local=True)
    keys = read_address(options.source) if options.source else {}
    keys |= {key: getattr(options, key) for key in KEYS if getattr(options, key) is not None}
    words = dict(FILES)
    make_page = _page_of(urlsplit(options.source or "").path)
    if make_page is not None and list(files) != ["html"]:
        only = "this page can be exported only with --html; to export a run, use a link to the Lab"
        return fail(only, 2)
    with served_file(keys.get("model", ""), settings) as model:
        if make_page is not None:
            contents = {"html": make_page(keys, settings, options.live).encode()}
        else:
            run = run_link(keys | {"model": model}, settings)
            contents = {ending: _content(run, ending, settings, options) for ending in files}
            if options.content != "signals":
                words["html"] += f" {described(run.scenario.model, settings)}"
    for ending, name in files.items():
        if name == "-":
            sys.stdout.buffer.write(contents[ending])
            sys.stdout.buffer.flush()
        else:
            output.write(Path(name), contents[ending])
            print(f"{name}: {words[ending]}, {_size(len(contents[ending]))}", file=sys.stderr)
    return 0


Page = Callable[[Mapping[str, str], Settings, str], str]


def _page_of(path: str) -> Page | None:
    """Return the function that exports the page at `path`, or None for the Lab."""
    lesson = re.search(r"/lessons/([\w-]+)$", path)
    if lesson:
        return lambda _, settings, live: lesson_page(shelf.get(lesson[1], settings), settings, live)
    return next((make for end, make in PAGES.items() if path.endswith(end)), None)


def _content(run: LinkedRun, ending: str, settings: Settings, options: argparse.Namespace) -> bytes:
    content = content_of(run, options.content)
    match ending:
        case "html":
            return export.page(run, settings, options.live, content=options.content or "all").encode()
        case "widget":
            page = export.page(run, settings, options.live, content=options.content or "all", hide=HIDDEN)
            return widget_of(state_of(run, page)).encode()
        case "csv":
            return b"".join(as_csv(run.trace, content=content))
        case "json":
            return b"".join(whole(run.start, run.trace, content=content))
        case "npz":
            return as_npz(run.trace, content)
        case _:
            return as_picture(run.trace, run.layer - 1, run.title, ending)


def _site(options: argparse.Namespace) -> int:
    if not options.source:
        return fail("--site needs a TOML file of scenarios", 2)
    settings = Settings.from_environment(local=True)
    for file, content in build(options.site, Path(options.source), settings, options.live):
        print(f"{file}: {content}, {_size(file.stat().st_size)}", file=sys.stderr)
    return 0


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
