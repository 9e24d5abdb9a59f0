"""Run the benchmarks: `python -m benchmarks [core stream answers page …]` runs these parts, or all parts."""

import sys

from benchmarks import answers, compare, core, cursor, doctor, large, page, static, stream, sweep, train

PARTS = {
    "core": core.main,
    "stream": stream.main,
    "answers": answers.main,
    "page": page.main,
    "static": static.main,
    "cursor": cursor.main,
    "compare": compare.main,
    "train": train.main,
    "sweep": sweep.main,
    "doctor": doctor.main,
    "large": large.main,
}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
