"""A lesson's file, read: its steps, the figure that each shows, its questions.

---
title: The gate that keeps
model: flip-flop
minutes: 5
---

## [Two letters, then noise](?sequence=A+x+x&t=1)
At the A [z](#z) is {{ z@1 }}.

:::{predict}
What does it do next?
- (x) It keeps its state.
- ( ) It takes the candidate.
  > That is what it did at the A.
:::
:::{reveal} ?t=2
z is {{ z }}: {{ keeps }} of the state stay.
:::
:::{why}
It was taught to.
:::
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from markdown_it.token import Token

from ..assets import LABS
from ..schemas import SIGNALS
from .markdown import PARTS, Prose, markdown, mathml

MOST_BYTES = 32_768
"""Of a lesson's file."""

PAGES = ("", "compare", "train", *(f"compare/{name}" for name in LABS))
"""What a step can show: the lab, "", and the other pages by their path."""

KEYS = ("title", "model", "minutes", "needs")


class Mistake(NamedTuple):
    line: int
    reason: str


class LessonError(Exception):
    """A lesson that cannot be shown, and every reason why, by line."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(f"line {line}: {reason}" for line, reason in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Figure:
    """A page, and what its link says."""

    page: str
    keys: Mapping[str, str]


class Option(NamedTuple):
    """What can be chosen; `reply` is for whoever did, None where there is nothing special to say."""

    words: Prose
    right: bool
    reply: Prose | None


@dataclass
class Question:
    """`kind` is choose, number, draw or click; `asked` says after what the last three ask.

    `figure` is shown once one has answered: the answer and what is said then are measured on it. `covered`: the figure
    of the step would give it away.
    """

    kind: str
    ask: Prose
    asked: str
    options: list[Option]
    figure: Figure
    covered: bool
    reveal: Prose | None = None
    why: Prose | None = None


@dataclass
class Step:
    """`notes` are for whoever teaches."""

    title: str
    line: int
    figure: Figure
    parts: list[Prose | Question] = field(default_factory=list)
    notes: Prose | None = None

    @property
    def questions(self) -> list[Question]:
        return [part for part in self.parts if isinstance(part, Question)]

    @property
    def covered(self) -> bool:
        """Whether the figure shows no step beyond its cursor until the question is answered."""
        return any(question.covered for question in self.questions)


@dataclass(frozen=True, eq=False)
class Lesson:
    """One reading of a file, the same only as itself. `needs` are the lessons to have seen before."""

    name: str
    title: str
    model: str
    minutes: int
    needs: tuple[str, ...]
    steps: list[Step]


def read(name: str, text: str) -> Lesson:
    """Raises LessonError with every mistake that can be seen without running anything."""
    if len(text.encode()) > MOST_BYTES:
        raise LessonError([Mistake(1, f"the file is larger than {MOST_BYTES:,} bytes, the limit for a lesson")])
    return _Reader(name).lesson(text)


class _Reader:
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
            self.wrong(1, "there is no step: start one with a line such as “## [What it shows](?sequence=A+x)”")
        if self.mistakes:
            raise LessonError(sorted(self.mistakes))
        needs = tuple(need.strip() for need in self.known.get("needs", "").split(",") if need.strip())
        return Lesson(
            self.name, self.known["title"], self.known["model"], int(self.known["minutes"]), needs, steps
        )  # fmt: skip

    def wrong(self, line: int, reason: str) -> None:
        self.mistakes.append(Mistake(line, reason))

    def front_matter(self, text: str) -> dict[str, str]:
        known: dict[str, str] = {}
        for line, row in enumerate(text.splitlines(), 2):
            key, colon, value = row.partition(":")
            if not row.strip():
                continue
            if not colon or key.strip() not in KEYS:
                keys = f"{':, '.join(KEYS[:-1])}: or {KEYS[-1]}:"
                self.wrong(line, f"between the two lines ---, each line must start with {keys}")
            known[key.strip()] = value.strip()
        for key in KEYS[:3]:
            if not known.get(key):
                self.wrong(1, f"the line “{key}: …” is missing between the two lines --- at the top")
        if known.get("minutes") and not re.fullmatch("[1-9][0-9]?", known["minutes"]):
            self.wrong(1, "minutes must be a whole number from 1 to 99")
        return known

    def steps(self, tokens: list[Token]) -> Iterator[Step]:
        """One for each heading of the second level."""
        figure = Figure("", {"model": self.known.get("model", "")})
        step: Step | None = None
        loose: list[Token] = []
        place = 0
        while place < len(tokens):
            token = tokens[place]
            line = token.map[0] + 1 if token.map else 1
            if token.type == "heading_open" and token.tag == "h2":
                if step:
                    self.close(step, loose)
                    yield step
                elif loose:
                    self.wrong(_line(loose), "there is text before the first step: start a step with a heading ##")
                loose = []
                title, figure = self.heading(tokens[place + 1], line, figure)
                step = Step(title, line, figure)
                place += 3
                continue
            if token.type == "colon_fence":
                if step:
                    self.close(step, loose)
                    loose = []
                    self.fence(step, token, line)
                else:
                    self.wrong(line, "there is a ::: block before the first step: start a step with a heading ##")
            else:
                self.look(token, line)
                loose.append(token)
            place += 1
        if step:
            self.close(step, loose)
            yield step

    def close(self, step: Step, loose: list[Token]) -> None:
        if loose:
            step.parts.append(Prose(loose, _line(loose)))

    def heading(self, inline: Token, line: int, before: Figure) -> tuple[str, Figure]:
        """The title, and where its link leads; without a link, what the step before shows."""
        children = inline.children or []
        link = next((child for child in children if child.type == "link_open"), None)
        title = "".join(child.content for child in children).strip()
        if not title:
            self.wrong(line, "a step needs a title: write it after ##")
        if link is None:
            return title, before
        base = Figure("", {"model": self.known.get("model", "")})
        return title, self.figure(str(link.attrs["href"]), line, base)

    def figure(self, link: str, line: int, base: Figure) -> Figure:
        try:
            return figure_of(link, base)
        except ValueError as error:
            self.wrong(line, str(error))
            return base

    def fence(self, step: Step, token: Token, line: int) -> None:
        """A question, or what is said once it is answered."""
        kind, _, link = token.info.strip().partition(" ")
        inner = self.inner(token.content, line)
        last = step.parts[-1] if step.parts else None
        if kind == "{notes}" and step.notes is None:
            step.notes = Prose(inner, line + 1)
        elif kind == "{predict}":
            step.parts.append(self.question(inner, token.content, line, step.figure))
        elif kind not in ("{reveal}", "{why}"):
            self.wrong(line, "a ::: block must be {predict}, {reveal}, {why} or, once in a step, {notes}")
        elif not isinstance(last, Question) or getattr(last, kind[1:-1]) is not None:
            self.wrong(line, f"{kind} must stand below a {{predict}}, without text between, and only once")
        elif kind == "{why}":
            last.why = Prose(inner, line + 1)
        else:
            last.reveal = Prose(inner, line + 1)
            if link.strip():
                last.figure = self.figure(link.strip(), line, step.figure)
                if last.figure.page != step.figure.page:
                    self.wrong(line, "a {reveal} can show only the page of its step: write what changes, such as ?t=2")
                last.covered = last.kind in ("draw", "click")

    def inner(self, content: str, line: int) -> list[Token]:
        """What stands in a fence, its lines counted as in the file."""
        tokens = markdown().parse(content)
        for token in tokens:
            if token.map:
                token.map = [token.map[0] + line, token.map[1] + line]
            self.look(token, token.map[0] + 1 if token.map else line)
        return tokens

    def look(self, token: Token, line: int) -> None:
        """Note what is wrong in a piece of text: a formula that cannot be set, a word that points nowhere."""
        for one in (token, *(token.children or ())):
            if one.type.startswith("math_"):
                try:
                    mathml(one.content, block="block" in one.type)
                except ValueError as error:
                    self.wrong(line, str(error))
            elif one.type == "link_open" and str(one.attrs.get("href", "")).startswith("#"):
                about = str(one.attrs["href"])[1:]
                if about not in (*SIGNALS, *PARTS):
                    parts = ", ".join((*SIGNALS, *PARTS))
                    self.wrong(line, f"“#{about}” is not a part of the page; choose one of {parts}")
            elif one.type == "colon_fence":
                self.wrong(line, "a ::: block cannot stand inside another")

    def question(self, tokens: list[Token], content: str, line: int, figure: Figure) -> Question:
        asked = re.match(r"\s*:(number|draw|click):[ \t]*(.*)", content)
        options: list[Option] = []
        ask: list[Token] = []
        place = 0
        while place < len(tokens):
            if tokens[place].type == "bullet_list_open":
                end = _closing(tokens, place)
                found = [*self.options(tokens[place + 1 : end])]
                if found:
                    options += found
                    place = end + 1
                    continue
            ask.append(tokens[place])
            place += 1
        if asked:
            _drop_line(ask)
        kind = asked[1] if asked else "choose"
        if asked and options:
            self.wrong(line, "a question is answered by its options or by a number, drawing or click, not by both")
        elif not asked and len(options) < 2:
            needed = "two options or more, such as “- (x) It keeps”, or a line such as “:number: z@3, 0 to 1”"
            self.wrong(line, f"a question needs an answer: {needed}")
        elif not asked and not any(option.right for option in options):
            self.wrong(line, "a question needs an answer: none of its options is marked (x)")
        if not any(token.type == "inline" and token.content.strip() for token in ask):
            self.wrong(line, "the question has no text: write it in the {predict} block")
        return Question(kind, Prose(ask, line + 1), asked[2].strip() if asked else "", options, figure, True)

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
    """Where a link leads, of this server or another; one that begins with "?" changes the keys of `base`, of which one
    without a value is left out. Raises ValueError."""
    path, _, query = link.partition("?")
    keys = {key: value for key, value in parse_qsl(query, keep_blank_values=True) if key not in ("v", "hide", "theme")}
    if not path:
        return Figure(base.page, {key: value for key, value in (dict(base.keys) | keys).items() if value})
    page = re.sub(r"^(?:https?:)?//[^/]*", "", path).strip("/").removeprefix("embed").strip("/")
    named = next((one for one in PAGES if page == one or (one and page.endswith("/" + one))), None)
    if named is None:
        pages = ", ".join(f"/{one}" for one in PAGES)
        raise ValueError(f"“{link}” is not a page that a step can show; choose one of {pages}")
    return Figure(named, keys if named or "model" in keys else dict(base.keys) | keys)


def _line(tokens: list[Token]) -> int:
    return next((token.map[0] + 1 for token in tokens if token.map), 1)


def _closing(tokens: list[Token], place: int) -> int:
    """Where the block that opens at `place` closes."""
    kind = tokens[place].type.replace("_open", "_close")
    level = tokens[place].level
    return next(i for i in range(place, len(tokens)) if tokens[i].type == kind and tokens[i].level == level)


def _drop_line(tokens: list[Token]) -> None:
    """Take the first line away from the first paragraph: it says after what is asked, and is not read out."""
    for token in tokens:
        if token.type == "inline":
            children = token.children or []
            broken = next((i for i, child in enumerate(children) if child.type == "softbreak"), len(children) - 1)
            token.children = children[broken + 1 :]
            token.content = token.content.partition("\n")[2]
            return
