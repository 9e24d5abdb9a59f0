"""Check files for words that the product avoids, for terms that a page must contain, and for spelling.

    python -m tests.words          # check the files of CHECKED; exit with 1 if anything is reported
    python -m tests.words --count  # count the reports in all text that people read, by area

CONTRIBUTING.md, "How the product speaks", has the rules and the table of terms.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

AREAS = {
    "notes": ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff"),
    "docs": ("mkdocs.yml", "docs/**/*.md", "docs/**/*.ipynb", "docs/demos.toml"),
    "templates": ("templates/**/*.html",),
    "lessons": ("templates/lessons/*.md",),
    "static": ("static/**/*.js",),
    "messages": ("app/**/*.py", "gru_core/**/*.py"),
}
"""The files with text that people read, by area."""

CHECKED = ("notes", "docs", "templates", "lessons", "static", "messages")
"""The areas that `make check` checks."""

TERMS_INSTEAD = {
    r"kept aside|keeps? aside": "held-out",
    r"\bfresh (data|sequences|letters)": "held-out sequences",
    r"way back": "gradient flow, how far the gradient reaches",
    r"good enough|got there": "reaches the target",
    r"first (weights?|bias(es)?|b)\b": "initial weights, initial bias",
    r"begins? (nearly )?(shut|open|half|by)|begun": "starts, initial",
    r"\bshut": "closed, clamped at 0",
    r"\btaught": "trained",
    r"left alone|untouched": "original run, baseline",
    r"\btwins?\b": "original run; for a model: the version without the penalty",
    r"of which (a|the) state is made|ledger": "contribution of each step to the state",
    r"listens? to": "sensitivity, gradient with respect to",
    r"like moments|\balike\b": "similar moments",
    r"laborator(y|ies)": "experiment",
    r"\bbrought|bring your own|brings? (a|the|your) (own|network|model)": "uploaded model, upload",
    r"let(s|ting)? go\b": "release, clear, disconnect, ignore",
    r"train on from|in its place|beside it\b": "branch, replace this run, compare with this run",
    r"two inputs|(an|the)?other input": "second sequence",
    r"held to its own library": "matches PyTorch, parity check passed",
    r"is told to wait|is told \d{3}": "gets status 429",
    r"follow again|back to mine": "Return to teacher's view, Return to my view",
    r"optimiser": "optimizer",
}
"""Patterns of phrases, each with the field's standard term to use instead."""

PLAIN_INSTEAD = {
    r"nought": "zero",
    r"anew": "again",
    r"whoever|whatever|wherever": "everyone who, any, name the thing",
    r"for want of|in this house|be it\b|so that is so|next to nothing": "plain words",
    r"whence|thereby|thither|therein|hitherto": "plain words",
    r"of which|that which|those that|those who": "name the thing again, or two sentences",
    r"whose": "with its, that has",
    r"(?-i:\bOf )": "a sentence starts with its subject",
    r"(?-i:\bWere (?!there)[^?]*?[.,;])": "if",
    r"(?-i:\bWhere there (is|are))|where there are": "with, if there are",
    r"but for": "except for",
    r"comes? by\b|came by\b": "name who does what",
    r"\bhas it (that|so)|\bsay(s|ing)? of\b|\bsaid of\b|\btells? of\b": "name who reports what",
}
"""Patterns of unclear and literary English, each with advice. A space in a pattern also matches a line break."""

FORM_INSTEAD = {
    r"\d[ \u00a0\u202f]%": 'a percentage has no space: "98%"',
    r"#[ ]+(?-i:What\b)(?! if\b)[^?\n¶]*(¶|$)": "a heading is a noun or a question",
}
"""Patterns of badly formatted numbers and headings, each with advice. A space in a pattern matches only a space."""

ALLOWED = (
    ("docs/reference/glossary.md", "in code, the ledger", "the glossary gives the code's name for the term"),
    ("app/routes/trace.py", "`twin.", "a field of the answer"),
    ("app/routes/unit.py", "`twin` and", "a field of the answer"),
    ("app/routes/score.py", "`untouched` is", "a field of the answer"),
    ("static/train/curves.js", "mean twin of-", "a class of the style sheet"),
    ("gru_core/runs/trace.py", "use gru.twin", "the name of a function"),
    ("templates/docs.html", "LedgerBody", "the name of a schema of the HTTP API"),
)
"""Exceptions: a file, the text around the phrase, and the reason."""

GLOSSARY, FAQ, LINKS = "docs/reference/glossary.md", "docs/faq.md", "docs/reference/links.md"
PAGES, TUTORIAL, PYTHON = "docs/reference/pages.md", "docs/tutorial.md", "docs/how-to/python.md"
MEMORY, GRADIENTS = "docs/explanation/memory.md", "docs/explanation/gradients.md"
LAB, WHATIF = "templates/lab.html", "templates/whatif.html"
CONVENTIONS, WEIGHTS = "docs/explanation/conventions.md", "docs/how-to/weights.md"

COMPARE, TRAIN, GAP = "templates/compare.html", "templates/train.html", "templates/experiments/gap.html"
RACE, CAPACITY, SEQUENTIAL = (f"templates/experiments/{name}.html" for name in ("race", "bottleneck", "sequence"))

TERMS = {
    "backpropagation through time": (GLOSSARY, GRADIENTS),
    "baseline": (GLOSSARY,),
    "candidate": (
        "README.md",
        "docs/index.md",
        GLOSSARY,
        FAQ,
        TUTORIAL,
        CONVENTIONS,
        MEMORY,
        LAB,
        "templates/gru/cell.html",
        "templates/lstm/cell.html",
        "templates/mingru/cell.html",
        "static/gru/narration.js",
        "static/mixing.js",
        "static/lstm/narration.js",
        COMPARE,
        TRAIN,
    ),
    "checkpoint": (GLOSSARY, PAGES, LINKS, "docs/reference/http.md", TRAIN, "gru_core/training/checkpoints.py"),
    "clamp": (
        GLOSSARY,
        PAGES,
        LINKS,
        TUTORIAL,
        PYTHON,
        MEMORY,
        "docs/reference/http.md",
        WHATIF,
        "static/words.js",
        COMPARE,
    ),
    "contribution": (GLOSSARY, TUTORIAL, PYTHON, MEMORY, LAB, "templates/memory.html", "static/views/memory.js"),
    "gradient": (GLOSSARY, PAGES, FAQ, TUTORIAL, PYTHON, GRADIENTS, "templates/influence.html", GAP),
    "gradient clipping": (GLOSSARY,),
    "gradient flow": (GLOSSARY, COMPARE, TRAIN, GAP),
    "half-life": (GLOSSARY, TUTORIAL, MEMORY, LAB),
    "held-out": (
        GLOSSARY,
        PAGES,
        LINKS,
        CONVENTIONS,
        "docs/reference/http.md",
        "docs/how-to/lessons.md",
        WHATIF,
        "static/views/alike.js",
        "static/views/model.js",
        TRAIN,
        GAP,
        RACE,
        CAPACITY,
        SEQUENTIAL,
        "gru_core/training/scoring.py",
    ),
    "hidden state": ("docs/index.md", GLOSSARY, TUTORIAL, LAB),
    "initial bias": (GLOSSARY, PAGES, LINKS, FAQ, TRAIN, GAP, RACE),
    "initial state": (GLOSSARY, TUTORIAL, MEMORY, WEIGHTS),
    "initial weights": (GLOSSARY, "docs/reference/http.md", TRAIN, GAP),
    "initialization": (GLOSSARY, PAGES, LINKS, GAP, "gru_core/cells/initial.py"),
    "learning rate": (GLOSSARY, PAGES, LINKS, FAQ, TRAIN, COMPARE, RACE, "static/train/recipe.js"),
    "loss": (GLOSSARY, PAGES, TRAIN, GAP),
    "optimizer": (GLOSSARY, FAQ),
    "original run": (
        GLOSSARY,
        PAGES,
        PYTHON,
        "docs/how-to/export.md",
        "docs/reference/http.md",
        WHATIF,
        "templates/tape.html",
        "static/run.js",
    ),
    "overfitting": (GLOSSARY,),
    "parity check": (GLOSSARY, FAQ, "templates/bring.html"),
    "penalty": (GLOSSARY, PAGES, FAQ, GRADIENTS, TRAIN),
    "readout": (GLOSSARY, WEIGHTS),
    "regularization": (GLOSSARY,),
    "reset gate": ("docs/index.md", GLOSSARY, FAQ, TUTORIAL, CONVENTIONS),
    "second sequence": (
        GLOSSARY,
        PAGES,
        LINKS,
        "docs/reference/http.md",
        LAB,
        "templates/sequence.html",
        "static/run.js",
    ),
    "seed": (GLOSSARY, PAGES, LINKS, FAQ, TRAIN, RACE),
    "sensitivity": (GLOSSARY, "templates/influence.html"),
    "similar moments": (GLOSSARY, PAGES, LINKS, "docs/reference/http.md", LAB, "templates/alike.html"),
    "softmax": (GLOSSARY,),
    "timestep": (
        GLOSSARY,
        PAGES,
        LINKS,
        TUTORIAL,
        PYTHON,
        MEMORY,
        GRADIENTS,
        "docs/reference/http.md",
        LAB,
        "templates/base.html",
        "static/whatif/text.js",
        COMPARE,
        TRAIN,
        GAP,
        SEQUENTIAL,
    ),
    "training step": (GLOSSARY, PAGES, LINKS, TRAIN, COMPARE, GAP, RACE, CAPACITY, "gru_core/training/checkpoints.py"),
    "update gate": ("README.md", "docs/index.md", GLOSSARY, FAQ, TUTORIAL, PYTHON, "static/mixing.js"),
    "validation": (GLOSSARY,),
    "vanish": (GLOSSARY, FAQ, GRADIENTS, COMPARE, GAP),
}
"""The standard terms, each with the files that must contain the term because they use its concept."""


@dataclass(frozen=True)
class Hit:
    """A phrase that the product avoids: its file, line and text, and advice on what to write instead."""

    path: Path
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.text}” → {self.instead}"


# Prose: the text in a file that is written for people. Spaces replace everything else, so words keep their lines.


def _blank(text: str) -> str:
    """Return `text` with every character except line breaks replaced by a space."""
    return re.sub(r"[^\n]", " ", text)


def _without(pattern: str, text: str) -> str:
    """Return `text` with every match of `pattern` replaced by spaces."""
    return re.sub(pattern, lambda match: _blank(match[0]), text, flags=re.S | re.M)


def _hole(text: str) -> str:
    """Replace the expression `text` with spaces and a final "0", which stands for the value of the expression."""
    return _blank(text[:-1]) + "0"


def _is_prose(text: str) -> bool:
    """Return whether a string literal is text for people."""
    return (" " in text.strip() or text[:1].isupper()) and text[:1] not in ".#["


def markdown(text: str) -> str:
    """Return the prose of Markdown, without code, formulas and addresses."""
    text = _without(r"^```.*?^```|^ {4}.*?$|^:::.*?$|^:\w+:|\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)]*\)|https?://\S+", text)
    text = re.sub(r"`[^`\n]*`|\{\{.*?\}\}", lambda match: _hole(match[0]), text)
    return _html(text)


def _strings(text: str) -> str:
    """Return the expression `text` with everything except string literals of prose replaced by spaces."""
    parts = re.split(r"(\"[^\"\n]*\"|'[^'\n]*')", text)
    return "".join(
        f" {part[1:-1]} " if i % 2 and _is_prose(part[1:-1]) else _blank(part) for i, part in enumerate(parts)
    )


def _tag(tag: re.Match[str]) -> str:
    """Return the visible or spoken attribute values of `tag`. Mark a heading's start with "#" and its end with "¶"."""
    attribute = re.compile(r"((?:aria-label|title|placeholder|alt|content|label)=\")([^\"]*)\"")
    result, end = "", 0
    for match in attribute.finditer(tag[0]):
        result += _blank(tag[0][end : match.start(2)]) + match[2]
        end = match.end(2)
    result += _blank(tag[0][end:])
    if re.match(r"<h[1-6]\b", tag[0]) and not result.strip():
        return result[:-2] + "# "
    return "¶" + result[1:] if re.match(r"</h[1-6]", tag[0]) else result


def _html(text: str) -> str:
    """Return the prose of HTML, without scripts, styles and code."""
    text = _without(r"<!--.*?-->|<script\b.*?</script>|<style\b.*?</style>|<code>.*?</code>|<kbd>.*?</kbd>", text)
    return re.sub(r"</?[a-zA-Z](?:\"[^\"]*\"|[^>\"])*>", _tag, text)


def template(text: str) -> str:
    """Return the prose of a Jinja template."""
    text = _without(r"\{#.*?#\}", text)
    text = re.sub(r"\{%.*?%\}", lambda match: _strings(match[0]), text, flags=re.S)
    return _html(re.sub(r"\{\{.*?\}\}", lambda match: _strings(match[0])[:-1] + "0", text, flags=re.S))


def script(text: str) -> str:
    """Return the prose strings of JavaScript, with a "0" for each expression in a template literal."""
    token = re.compile(
        r"//[^\n]*|/\*.*?\*/"  # comments
        r"|(?<=[(,=:\[!&|?{};\n])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*"  # regular expressions
        r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[`{}]",
        re.S,
    )
    out, end, depth, templates = "", 0, 0, list[int]()
    while match := token.search(text, end):
        out += _blank(text[end : match.start()])
        piece, end = match[0], match.end()
        if piece[0] in "\"'" and _is_prose(piece[1:-1]):
            out += f" {piece[1:-1]} "
        elif piece == "`" or (piece == "}" and templates and templates[-1] == depth):
            if piece == "}":
                templates.pop()
            rest = re.compile(r"(?:\\.|(?!\$\{)[^`\\])*(`|\$\{)", re.S).match(text, end)
            if rest is None:
                break
            body = rest[0][: -len(rest[1])]
            out += ("0" if piece == "}" else " ") + (body if _is_prose(f"A{body}") else _blank(body))
            out += " " * len(rest[1])
            end = rest.end()
            if rest[1] == "${":
                templates.append(depth)
        else:
            depth += {"{": 1, "}": -1}.get(piece, 0)
            out += _blank(piece)
    return _html(out + _blank(text[end:]))


def python(text: str) -> str:
    """Return the prose strings of Python, without docstrings."""
    docstrings = {
        (node.value.lineno, node.value.col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    out = list(_blank(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if tokenize.tok_name[token.type] not in ("STRING", "FSTRING_MIDDLE"):
            continue
        row, column = token.start
        place = (row, len(lines[row - 1][:column].encode()))
        if place in docstrings or not _is_prose(token.string.lstrip("rbfRBF\"'")):
            continue
        start = starts[row - 1] + column
        literal = token.string
        if token.type == tokenize.STRING and literal[0] in "fF":
            literal = re.sub(r"\{[^{}]*\}", lambda match: _hole(match[0]), literal)
        out[start : start + len(literal)] = literal
        if tokenize.tok_name[token.type] == "FSTRING_MIDDLE" and text[start - 1] == "}":
            out[start - 1] = "0"
    return _html("".join(out))


def notebook(text: str) -> str:
    """Return the lines of a notebook's Markdown cells."""
    out, in_markdown = "", False
    for line in text.splitlines(keepends=True):
        if '"cell_type": ' in line:
            in_markdown = '"markdown"' in line
        is_prose = in_markdown and line.startswith('    "')
        out += re.sub(r'^ {4}"|(\\n)?",?$', lambda match: _blank(match[0]), line) if is_prose else _blank(line)
    return re.sub(r"`[^`\n]*`", lambda match: _blank(match[0]), out)


READ: dict[str, Callable[[str], str]] = {
    ".md": markdown,
    ".html": template,
    ".js": script,
    ".py": python,
    ".ipynb": notebook,
    ".toml": str,
    ".yml": str,
    ".cff": str,
}


def prose(path: Path) -> str:
    """Return the prose of a file."""
    return READ[path.suffix](path.read_text("utf-8"))


# The checks.


def files(area: str) -> Iterator[Path]:
    """Yield the files of an area, relative to the project."""
    for pattern in AREAS[area]:
        yield from (path.relative_to(ROOT) for path in sorted(ROOT.glob(pattern)))


def hits(path: Path, text: str) -> Iterator[Hit]:
    """Yield a `Hit` for each phrase that is not allowed in the prose of a file."""
    phrases = {pattern.replace(" ", r"\s+"): instead for pattern, instead in (TERMS_INSTEAD | PLAIN_INSTEAD).items()}
    for pattern, instead in (phrases | FORM_INSTEAD).items():
        for match in re.finditer(pattern, text, re.I | re.M):
            around = " ".join(text[max(match.start() - 60, 0) : match.end() + 60].split())
            if any(path.as_posix() == file and allowed in around for file, allowed, _ in ALLOWED):
                continue
            yield Hit(path, text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), instead)


def stale() -> Iterator[str]:
    """Yield a message for each exception in ALLOWED that no file needs."""
    for name, allowed, _ in ALLOWED:
        if allowed not in " ".join(prose(ROOT / name).split()):
            yield f"tests/words.py: the exception “{allowed}” for {name} is not needed"


def missing_terms() -> Iterator[str]:
    """Yield a message for each file that lacks a term that TERMS requires there."""
    for term, paths in TERMS.items():
        for name in paths:
            if term not in " ".join(prose(ROOT / name).lower().split()):
                yield f"{name}: the term “{term}” must stand here"


def misspelled(texts: dict[Path, str]) -> list[str]:
    """Return codespell's reports about the prose in `texts`. pyproject.toml has the settings of codespell."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in texts.items():
            copy = Path(folder) / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, "utf-8")
        command = [sys.executable, "-m", "codespell_lib", "--toml", str(ROOT / "pyproject.toml"), "."]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout.splitlines()


def checked() -> dict[Path, str]:
    """Return the prose of every file in the CHECKED areas."""
    return {path: prose(ROOT / path) for area in CHECKED for path in files(area)}


def main() -> int:
    """Print the hits in all files, or with --count their number by area, and return the exit code."""
    if "--count" in sys.argv:
        for area in AREAS:
            texts = {path: prose(ROOT / path) for path in files(area)}
            reports = [hit for path, text in texts.items() for hit in hits(path, text)]
            print(f"{area}: {len(reports)} hits in {len(texts)} files; spelling: {len(misspelled(texts))}")
            for instead, count in Counter(hit.instead for hit in reports).most_common(5):
                print(f"    {count} × {instead}")
        return 0
    texts = checked()
    reports = [str(hit) for path, text in texts.items() for hit in hits(path, text)]
    reports += [*missing_terms(), *stale(), *misspelled(texts)]
    print(*reports, f"words: {len(reports)} hits in {len(texts)} files", sep="\n")
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
