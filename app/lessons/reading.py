"""Parsing of lessons. A lesson has steps; each step has a figure, and can have questions. The pages call such a step
a "part", because for students a "step" is a timestep. An example:

---
title: The gate that keeps
model: flip-flop
minutes: 5
---

## [Two letters, then noise](?sequence=A+m+m&t=1)
At the A [z](#z) is {{ z@1 }}.

:::{predict}
What does it do next?
- (x) It keeps its state.
- ( ) It takes the candidate.
  > It did so at the A.
:::
:::{reveal} ?t=2
z is {{ z }}: {{ keeps }} of the state stays.
:::
:::{why}
It was trained to remember the letter.
:::
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from markdown_it.token import Token

from ..link import APPEARANCE
from ..schemas import SIGNALS
from ..sitemap import PAGES
from .markdown import PARTS, Prose, markdown, mathml

MOST_BYTES = 32_768
"""The maximum size of a lesson's file, in bytes."""

KEYS = ("title", "model", "minutes", "needs")


class Mistake(NamedTuple):
    """A mistake in a lesson's file. `line` counts from 1."""

    line: int
    reason: str


class LessonError(Exception):
    """The error for a lesson that cannot be shown. `mistakes` lists all reasons."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(f"line {line}: {reason}" for line, reason in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Figure:
    """The figure of a step: a page, and the keys of the link that opens it."""

    page: str
    keys: Mapping[str, str]


class Option(NamedTuple):
    """An answer option of a question. Students who choose the option see its `reply`, if it has one."""

    words: Prose
    right: bool
    reply: Prose | None


@dataclass
class LessonQuestion:
    """A question. Its `kind` is "choose", "number", "draw" or "click".

    `target` is the expression for "number", the signal for "draw", and the condition for "click". The answer is
    computed from `figure`, which the page shows with the answer.
    """

    kind: str
    text: Prose
    target: str
    options: list[Option]
    figure: Figure
    reveal: Prose | None = None
    why: Prose | None = None


IN_PARTS = ("compare/bottleneck", "compare/attention")
"""The experiments in which a link chooses one part of the result. A lesson shows that part before the answer."""


@dataclass
class Step:
    """A step of a lesson: a heading with a figure, and its text and questions. `notes` are for the teacher."""

    title: str
    line: int
    figure: Figure
    parts: list[Prose | LessonQuestion] = field(default_factory=list)
    notes: Prose | None = None

    @property
    def questions(self) -> list[LessonQuestion]:
        return [part for part in self.parts if isinstance(part, LessonQuestion)]

    @property
    def upto(self) -> int | None:
        """The last timestep that the Lab shows before the answer, or None if there is no question or no Lab figure."""
        asks = bool(self.questions) and self.figure.page == ""
        return int(self.figure.keys.get("t", 1)) if asks else None

    @property
    def covered(self) -> bool:
        """Whether the figure is hidden until the student answers, because an experiment shows its result at once."""
        page = self.figure.page
        return bool(self.questions) and page.startswith("compare/") and page not in IN_PARTS


@dataclass(frozen=True, eq=False)
class Lesson:
    """A lesson. Students should know the lessons in `needs` before this one.

    A lesson equals only itself, so that a cache treats a changed file as a new lesson.
    """

    name: str
    title: str
    model: str
    minutes: int
    needs: tuple[str, ...]
    steps: list[Step]


def read(name: str, text: str) -> Lesson:
    """Parse a lesson. Raises LessonError with all mistakes that can be found without running a model."""
    if len(text.encode()) > MOST_BYTES:
        raise LessonError([Mistake(1, f"the file is larger than {MOST_BYTES:,} bytes, the limit for a lesson")])
    return _Reader(name).lesson(text)


class _Reader:
    """A parser for one lesson, which collects the mistakes in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mistakes: list[Mistake] = []
        self.known: dict[str, str] = {}

    def lesson(self, text: str) -> Lesson:
        try:
            tokens = markdown().parse(text)
        except RecursionError:
            raise LessonError([Mistake(1, "the lists or quotes in this file are nested too deeply")]) from None
        front = tokens.pop(0).content if tokens and tokens[0].type == "front_matter" else ""
        self.known = self.front_matter(front)
        steps = list(self.steps(tokens))
        if not steps:
            self.add_mistake(1, "there is no part: start one with a line such as “## [What it shows](?sequence=A+m)”")
        if self.mistakes:
            raise LessonError(sorted(self.mistakes))
        needs = tuple(need.strip() for need in self.known.get("needs", "").split(",") if need.strip())
        return Lesson(
            self.name, self.known["title"], self.known["model"], int(self.known["minutes"]), needs, steps
        )  # fmt: skip

    def add_mistake(self, line: int, reason: str) -> None:
        self.mistakes.append(Mistake(line, reason))

    def front_matter(self, text: str) -> dict[str, str]:
        known: dict[str, str] = {}
        for line, row in enumerate(text.splitlines(), 2):
            key, colon, value = row.partition(":")
            if not row.strip():
                continue
            if not colon or key.strip() not in KEYS:
                keys = f"{':, '.join(KEYS[:-1])}: or {KEYS[-1]}:"
                self.add_mistake(line, f"between the two lines ---, each line must start with {keys}")
            known[key.strip()] = value.strip()
        for key in KEYS[:3]:
            if not known.get(key):
                self.add_mistake(1, f"the line “{key}: …” is missing between the two lines --- at the top")
        if known.get("minutes") and not re.fullmatch("[1-9][0-9]?", known["minutes"]):
            self.add_mistake(1, "minutes must be a whole number from 1 to 99")
        return known

    def steps(self, tokens: list[Token]) -> Iterator[Step]:
        """Yield a step for each level-2 heading (##)."""
        figure = Figure("", {"model": self.known.get("model", "")})
        step: Step | None = None
        loose: list[Token] = []
        place = 0
        while place < len(tokens):
            token = tokens[place]
            line = token.map[0] + 1 if token.map else 1
            if token.type == "heading_open" and token.tag == "h2":
                if step:
                    self.add_prose(step, loose)
                    yield step
                elif loose:
                    self.add_mistake(
                        _line(loose), "there is text before the first part: start a part with a heading ##"
                    )
                loose = []
                title, figure = self.heading(tokens[place + 1], line, figure)
                step = Step(title, line, figure)
                place += 3
                continue
            if token.type == "colon_fence":
                if step:
                    self.add_prose(step, loose)
                    loose = []
                    self.add_block(step, token, line)
                else:
                    self.add_mistake(line, "there is a ::: block before the first part: start a part with a heading ##")
            else:
                self.check_text(token, line)
                loose.append(token)
            place += 1
        if step:
            self.add_prose(step, loose)
            yield step

    def add_prose(self, step: Step, loose: list[Token]) -> None:
        if loose:
            step.parts.append(Prose(loose, _line(loose)))

    def heading(self, inline: Token, line: int, before: Figure) -> tuple[str, Figure]:
        """Return the title and the figure of a step. Without a link in the heading, the figure is `before`."""
        children = inline.children or []
        link = next((child for child in children if child.type == "link_open"), None)
        title = "".join(child.content for child in children).strip()
        if not title:
            self.add_mistake(line, "a part needs a title: write it after ##")
        if link is None:
            return title, before
        base = Figure("", {"model": self.known.get("model", "")})
        return title, self.figure(str(link.attrs["href"]), line, base)

    def figure(self, link: str, line: int, base: Figure) -> Figure:
        try:
            return figure_of(link, base)
        except ValueError as error:
            self.add_mistake(line, str(error))
            return base

    def add_block(self, step: Step, token: Token, line: int) -> None:
        """Add a ::: block to a step: notes, a question, or text that the page shows with the answer to a question."""
        kind, _, link = token.info.strip().partition(" ")
        tokens = self.block_tokens(token.content, line)
        last = step.parts[-1] if step.parts else None
        if kind == "{notes}" and step.notes is None:
            step.notes = Prose(tokens, line + 1)
        elif kind == "{predict}":
            step.parts.append(self.question(tokens, token.content, line, step.figure))
        elif kind not in ("{reveal}", "{why}"):
            self.add_mistake(line, "a ::: block must be {predict}, {reveal}, {why} or, once in a part, {notes}")
        elif not isinstance(last, LessonQuestion) or getattr(last, kind[1:-1]) is not None:
            self.add_mistake(line, f"{kind} must stand below a {{predict}}, without text between, and only once")
        elif kind == "{why}":
            last.why = Prose(tokens, line + 1)
        else:
            last.reveal = Prose(tokens, line + 1)
            if link.strip():
                last.figure = self.figure(link.strip(), line, step.figure)
                if last.figure.page != step.figure.page:
                    self.add_mistake(
                        line, "a {reveal} can show only the page of its part: write what changes, such as ?t=2"
                    )

    def block_tokens(self, content: str, line: int) -> list[Token]:
        """Parse a ::: block into tokens, and number their lines as in the whole file."""
        tokens = markdown().parse(content)
        for token in tokens:
            if token.map:
                token.map = [token.map[0] + line, token.map[1] + line]
            self.check_text(token, token.map[0] + 1 if token.map else line)
        return tokens

    def check_text(self, token: Token, line: int) -> None:
        """Record the mistakes in a token: invalid formulas, links to unknown page parts, and nested ::: blocks."""
        for part in (token, *(token.children or ())):
            if part.type.startswith("math_"):
                try:
                    mathml(part.content, block="block" in part.type)
                except ValueError as error:
                    self.add_mistake(line, str(error))
            elif part.type == "link_open" and str(part.attrs.get("href", "")).startswith("#"):
                target = str(part.attrs["href"])[1:]
                if target not in (*SIGNALS, *PARTS):
                    parts = ", ".join((*SIGNALS, *PARTS))
                    self.add_mistake(line, f"“#{target}” is not a part of the page; choose one of {parts}")
            elif part.type == "colon_fence":
                self.add_mistake(line, "a ::: block cannot stand inside another")

    def question(self, tokens: list[Token], content: str, line: int, figure: Figure) -> LessonQuestion:
        directive = re.match(r"\s*:(number|draw|click):[ \t]*(.*)", content)
        options: list[Option] = []
        text: list[Token] = []
        place = 0
        while place < len(tokens):
            if tokens[place].type == "bullet_list_open":
                end = _closing(tokens, place)
                block_options = [*self.options(tokens[place + 1 : end])]
                if block_options:
                    options += block_options
                    place = end + 1
                    continue
            text.append(tokens[place])
            place += 1
        if directive:
            _drop_line(text)
        kind = directive[1] if directive else "choose"
        if directive and options:
            self.add_mistake(
                line, "a question is answered by its options or by a number, drawing or click, not by both"
            )
        elif not directive and len(options) < 2:
            needed = "two options or more, such as “- (x) It keeps”, or a line such as “:number: z@3, 0 to 1”"
            self.add_mistake(line, f"a question needs an answer: {needed}")
        elif not directive and not any(option.right for option in options):
            self.add_mistake(line, "a question needs an answer: none of its options is marked (x)")
        if not any(token.type == "inline" and token.content.strip() for token in text):
            self.add_mistake(line, "the question has no text: write it in the {predict} block")
        return LessonQuestion(kind, Prose(text, line + 1), directive[2].strip() if directive else "", options, figure)

    def options(self, tokens: list[Token]) -> Iterator[Option]:
        place = 0
        while place < len(tokens):
            end = _closing(tokens, place)
            item = tokens[place + 1 : end]
            place = end + 1
            words = next((token for token in item if token.type == "inline"), None)
            marked = re.match(r"\(([ xX])\) ", words.content) if words else None
            if words is None or marked is None:
                return
            children = words.children or []
            if children and children[0].type == "text":
                children[0].content = children[0].content[len(marked[0]) :]
            quoted = next((i for i, token in enumerate(item) if token.type == "blockquote_open"), None)
            reply = None if quoted is None else item[quoted + 1 : _closing(item, quoted)]
            line = words.map[0] + 1 if words.map else 1
            yield Option(
                Prose([words], line), marked[1] != " ", Prose(reply, _line(reply)) if reply else None
            )  # fmt: skip


def figure_of(link: str, base: Figure) -> Figure:
    """Return the figure that a link shows. The link may lead to another server.

    A link that starts with "?" changes the keys of `base`; an empty value removes a key. Raises ValueError if a lesson
    cannot show the page of the link.
    """
    path, _, query = link.partition("?")
    keys = {key: value for key, value in parse_qsl(query, keep_blank_values=True) if key not in ("v", *APPEARANCE)}
    if not path:
        return Figure(base.page, {key: value for key, value in (dict(base.keys) | keys).items() if value})
    page = re.sub(r"^(?:https?:)?//[^/]*", "", path).strip("/").removeprefix("embed").strip("/")
    match = next((known for known in PAGES if page == known or (known and page.endswith("/" + known))), None)
    if match is None:
        pages = ", ".join(f"/{known}" for known in PAGES)
        raise ValueError(f"“{link}” is not a page that a lesson can show; choose one of {pages}")
    return Figure(match, keys if match or "model" in keys else dict(base.keys) | keys)


def _line(tokens: list[Token]) -> int:
    return next((token.map[0] + 1 for token in tokens if token.map), 1)


def _closing(tokens: list[Token], place: int) -> int:
    """Return the index of the token that closes the block opened at index `place`."""
    kind = tokens[place].type.replace("_open", "_close")
    level = tokens[place].level
    return next(i for i in range(place, len(tokens)) if tokens[i].type == kind and tokens[i].level == level)


def _drop_line(tokens: list[Token]) -> None:
    """Remove the first line of the first paragraph, a directive such as “:number: z@3, 0 to 1”."""
    for token in tokens:
        if token.type == "inline":
            children = token.children or []
            broken = next((i for i, child in enumerate(children) if child.type == "softbreak"), len(children) - 1)
            token.children = children[broken + 1 :]
            token.content = token.content.partition("\n")[2]
            return
