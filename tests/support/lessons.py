"""What a lesson's numbers should be, reckoned here from the core's own runs and from the laboratories' files."""

from __future__ import annotations

import re
from functools import cache
from statistics import median
from urllib.parse import parse_qsl, urlsplit

import gru_core as gru
from gru_core import experiments, presets
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.training.scoring import score

EVERYWHERE = re.compile(r"(\w+)@1-=(.+)")


@cache
def run(model: str, sequence: str, clamps: str) -> gru.Trace:
    """A run under holds of one unit at one step or stretch, such as z@4=0.5 and z@2-101=0.03."""
    held = []
    for one in filter(None, re.split(r",(?=\w+@)", clamps)):
        gate, first, to, value = re.fullmatch(r"(\w+)@(\d+)(?:-(\d*))?=(.+)", one).groups()  # type: ignore[union-attr]
        end = None if to == "" else int(to or first)
        held.append(gru.Clamp(gate, float(value), steps=slice(int(first) - 1, end)))
    return gru.trace(gru.load(model), sequence, clamps=held)


def keys_of(link: str, change: str = "") -> dict[str, str]:
    """What a link says, with the keys of `change` in place of its own, as a scenario of one model."""
    parts = urlsplit(link)
    keys = dict(parse_qsl(parts.query)) | {"page": parts.path.strip("/")}
    for one in filter(None, re.split(r", (?=\w+=)", change)):
        key, _, value = one.strip().partition("=")
        keys[key] = value
    if keys["page"] == "compare":
        keys.setdefault("model", presets.contenders(keys.get("task", "flip-flop"), keys.get("by", "units"))["gru"])
    if keys["page"] == "train":
        keys.setdefault("model", keys["task"] + (f"@{keys['step']}" if keys.get("step") else ""))
    keys.setdefault("model", "flip-flop")
    keys.setdefault("sequence", gru.load(keys["model"]).examples[0])
    return keys


def term(text: str, link: str) -> float | str:
    what, _, change = text.partition("|")
    words = what.split()
    rows = experiments.result(words[0]) if words[0] in ("gap", "race") else []
    if words[0] == "gap":
        kind = {"GRU, b_z = 0": {"z": 0}, "GRU, b_z = -1": {"z": -1}, "GRU, b_z = -2": {"z": -2}}
        of = [
            row
            for row in rows
            if row["cell"] == "gru" and row["T"] == int(words[-1]) + 1
            if (row["first"] == "chrono" if "chrono" in what else row["biases"] == kind[" ".join(words[1:-1])])
        ]
        return float(sum(row["good_at"] is not None for row in of))
    if words[0] == "race":
        good = [row["good_at"] or 10**9 for row in rows if (row["task"], row["cell"]) == (words[1], words[2])]
        return float(median(good))
    if words[0] == "recall":
        return next(
            row["score"]
            for row in experiments.result("bottleneck")
            if (row["units"], row["T"]) == (int(words[1]), 2 * int(words[2]))
        )
    if words[0] == "time":
        return 1000 * experiments.result("sequence")["timing"][words[2]][words[1]]
    if words[0] == "waits":
        steps = int(words[2])
        return float({"gru": steps, "attention": 1, "scan": (steps - 1).bit_length()}[words[1]])
    keys = keys_of(link, change.strip())
    of_model = gru.load(keys["model"])
    if words[0] == "score":
        found = EVERYWHERE.fullmatch(keys.get("clamps", ""))
        clamps = [gru.Clamp(found[1], float(found[2]))] if found else []
        return score(of_model, fresh(PRESETS[of_model.card.task].recipe), clamps)
    if words[0] == "weights":
        return float(sum(a.size for cell in of_model.layers for a in cell.parameters.values()))
    if words[0] == "units":
        return float(of_model.layers[0].units)
    of = run(keys["model"], keys["sequence"], keys.get("clamps", ""))
    name, unit, t, earlier = re.fullmatch(r"([a-z_-]+)(?:\.(\d+))?(?:@(\d+))?(?: from (\d+))?", what.strip()).groups()  # type: ignore[union-attr]
    u, i = int(unit or keys.get("unit", 1)) - 1, int(t or keys.get("t", 1)) - 1
    if name == "steps":
        return float(len(of.y))
    if name == "x":
        return (of.tokens or [])[i]
    if name == "y":
        y = of.y[i]
        return float(y[0]) if of_model.readout.kind == "linear" else of_model.readout.labels[int(y.argmax())]
    if name == "keeps":
        return float(1 - of.z[i, u])
    if name == "half-life":
        stays, n = 1.0, 0
        while stays > 0.5:
            stays, n = stays * (1 - float(of.z[i, u])), n + 1
        return float(n)  # to the step
    if name == "share":
        shares = of.z[:, u].copy()
        for step in range(len(shares)):
            shares[:step] *= 1 - of.z[step, u]
            if step == i:
                return float(shares[int(earlier) - 1])
    if name == "reach":
        x = of.sensitivity(i).x
        return float((x[int(earlier) - 1] ** 2).sum() ** 0.5 / (x[i] ** 2).sum() ** 0.5)
    return float(getattr(of, name)[i, u])


def expected(what: str, link: str) -> float | str:
    """What stands between {{ and }}, of what a link shows."""
    body = what.partition(" as ")[0]
    found = re.fullmatch(r"(.*?\S)\s+([-/])\s+(\S.*)", body)
    if not found:
        return term(body, link)
    first, second = term(found[1], link), term(found[3], link)
    assert isinstance(first, float)
    assert isinstance(second, float)
    return first / second if found[2] == "/" else first - second


RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def holds(text: str, what: str, link: str) -> None:
    """Assert that a number as written is that of the core, to the last digit that it shows."""
    value = expected(what, link)
    if isinstance(value, str):
        assert text == value, (what, link)
        return
    written = text.replace("−", "-").replace(",", "")
    power = re.fullmatch(r"(-?[\d.]+) · 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", written)
    if power:
        assert float(f"{power[1]}e{power[2].translate(RAISED)}") == float(f"{value:.0e}"), (what, link)
        return
    percent = written.endswith("%")
    digits = written.removesuffix("%")
    places = len(digits.partition(".")[2])
    close = 0.5 * 10.0**-places + 1e-9
    shown, wanted = float(digits), 100 * value if percent else value
    assert abs(shown - wanted) <= (1 + close if "half-life" in what else close), (what, link, text, wanted)
