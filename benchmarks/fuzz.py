"""A fuzz test with mutated files: `formats.read` must return a model or raise FormatError, within two seconds.

    python -m benchmarks.fuzz --format npz --count 100000 --seed 0 --state fuzz-npz.json

The same seed gives the same files. With `--state` a run continues after a stop or a crash, and the state file lists
the findings. A run with findings exits with 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import random
import sys
import time
import traceback
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import gru_core as gru
from gru_core import formats, presets
from gru_core.formats import FormatError, Unanswered

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures"
ENDINGS = {
    "npz": (".npz",),
    "safetensors": (".safetensors",),
    "onnx": (".onnx",),
    "keras": (".keras",),
    "h5": (".weights.h5",),
    "torch": (".pt", ".pth", ".bin", ".ckpt"),
}
SECONDS = 2.0
HANG = 20.0
"""The time limit for reading a mutant, in seconds. When it is exceeded, the process ends with a traceback.

Nothing else can stop a loop inside a library."""

EVERY = 200
"""The number of mutants between two writes of the state. A mutant's number is written before the mutant is read."""

TOUCHING = {"open", "socket.connect", "subprocess.Popen", "os.mkdir", "os.remove", "os.rename"}
EXTREMES = (0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
DIGITS = ("0", "-1", "9", "64", "257", "99999", "1099511627776", "9" * 30, "1e999", "NaN", "null", "[]", "{}", '"x"')


def files(kind: str) -> list[bytes]:
    """Return the real files of a format, from which mutants are made."""
    paths = [path for path in sorted(FIXTURES.iterdir()) if path.name.endswith(ENDINGS[kind])]
    paths = [path for path in paths if not path.stem.endswith("-reference")]
    if kind == "safetensors":
        paths += [presets.path(name) for name in presets.NAMES]
    return [path.read_bytes() for path in paths]


def flip(data: bytearray, rng: random.Random, _: bytes) -> None:
    for _bit in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: random.Random, _: bytes) -> None:
    del data[rng.randrange(len(data)) :]


def splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    begin, size = rng.randrange(len(other)), rng.randrange(1, 200)
    at, removed = rng.randrange(len(data)), rng.choice((0, size))
    data[at : at + removed] = other[begin : begin + size]


def set_number(data: bytearray, rng: random.Random, _: bytes) -> None:
    """Overwrite 1 to 8 bytes with an extreme number."""
    size, at = rng.choice((1, 2, 4, 8)), rng.randrange(min(len(data), rng.choice((64, 2000, 10**9))))
    number = rng.choice(EXTREMES) % 256**size
    data[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))


def set_digit(data: bytearray, rng: random.Random, _: bytes) -> None:
    """Replace a digit, for example in a header, with another number."""
    places = [i for i, byte in enumerate(data[:20_000]) if 48 <= byte <= 57]
    if places:
        at = rng.choice(places)
        data[at : at + 1] = rng.choice(DIGITS).encode()


def blank(data: bytearray, rng: random.Random, _: bytes) -> None:
    at, size = rng.randrange(len(data)), rng.randrange(1, 300)
    data[at : at + size] = bytes([rng.choice((0, 32, 91, 123, 255))]) * len(data[at : at + size])


def grow(data: bytearray, rng: random.Random, _: bytes) -> None:
    at = rng.randrange(len(data))
    data[at:at] = rng.randbytes(rng.choice((1, 4, 100))) * rng.choice((1, 1, 50))


MUTATIONS = (flip, truncate, splice, set_number, set_digit, blank, grow)


def mutated(data: bytes, rng: random.Random, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if changed:
            rng.choice(MUTATIONS)(changed, rng, other)
    return bytes(changed)


def mutant(kind: str, originals: list[bytes], seed: int, number: int) -> bytes:
    """Return mutant `number` of a seed. Half of all zip mutants have a mutated member and correct checksums."""
    rng = random.Random(f"{seed} {kind} {number}")
    data, other = rng.choice(originals), rng.choice(originals)
    if data[:2] != b"PK" or rng.random() < 0.5:
        return mutated(data, rng, other)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = rng.randrange(len(members))
    members[place] = members[place][0], mutated(members[place][1], rng, rng.choice(members)[1])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def outcome(data: bytes, name: str = "mutant") -> str:
    """Read a file, and return "model" or "refused". Any other result describes a finding."""
    answers: dict[str, str] = {}
    start = time.process_time()
    try:
        with warnings.catch_warnings(action="error"):
            while True:
                try:
                    imported = formats.read(data, name, answers)
                    break
                except Unanswered as error:
                    if error.question.key in answers:
                        return "the same question twice"
                    answers[error.question.key] = error.question.options[0].value
            gru.trace(imported.model, imported.model.examples[0])
    except FormatError as error:
        result = "refused" if str(error) else "refused without a message"
    except Exception:
        return traceback.format_exc(limit=-6)
    else:
        result = "model"
    return result if time.process_time() - start < SECONDS else f"{result}, but after {SECONDS} s"


def opened() -> list[str]:
    """Return a list that records every file and connection opened from now on, except files with Python code.

    Reading a model from bytes must open nothing.
    """
    seen: list[str] = []

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in TOUCHING and not str(arguments[0]).endswith((".py", ".pyc")):
            seen.append(f"{event} {arguments[0]!r}")

    sys.addaudithook(audit)
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--format", choices=list(ENDINGS), required=True)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--state", type=Path, help="file with the state of the run: read at the start, and written during the run"
    )
    options = parser.parse_args()
    kind, originals = options.format, files(options.format)
    state: dict[str, Any] = {"format": kind, "seed": options.seed, "next": 0, "outcomes": {}, "findings": []}
    if options.state and options.state.exists():
        state = json.loads(options.state.read_text())
        if (state["format"], state["seed"]) != (kind, options.seed):
            parser.error(f"{options.state} is of --format {state['format']} --seed {state['seed']}")
        started = options.state.with_suffix(".started")
        if started.exists() and (number := int(started.read_text())) >= state["next"]:
            state["findings"].append({"mutant": number, "what": "the process ended here, or was stopped"})
            state["next"] = number + 1
    outcomes = Counter(state["outcomes"])
    place = options.state.with_suffix(".started").open("w") if options.state else None

    def save(number: int) -> None:
        state.update(next=number, outcomes=dict(outcomes))
        if options.state:
            options.state.write_text(json.dumps(state, indent=1))

    faulthandler.enable()
    for data in [data for ending in ENDINGS for data in files(ending)]:  # imports all modules before `opened`
        if outcome(data) != "model":
            parser.error("a file without mutations cannot be read")
    seen = opened()
    for number in range(state["next"], options.count):
        if place:
            place.seek(0)
            place.write(f"{number}\n")
            place.flush()
        faulthandler.dump_traceback_later(HANG, exit=True)
        before = len(seen)
        what = outcome(mutant(kind, originals, options.seed, number))
        if len(seen) > before:
            what += f", and it opened {seen[before:]}"
        if what in ("model", "refused"):
            outcomes[what] += 1
        else:
            outcomes["findings"] += 1
            state["findings"].append({"mutant": number, "what": what})
            print(f"{kind} {number}: {what}", flush=True)
        if number % EVERY == EVERY - 1:
            save(number + 1)
            seen.clear()
    faulthandler.cancel_dump_traceback_later()
    save(options.count)
    if place:
        place.close()
        options.state.with_suffix(".started").unlink()
    print(f"{kind}: {dict(outcomes)} of {options.count:,} mutants, {len(state['findings'])} findings")
    return 1 if state["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
