"""`python -m benchmarks [core stream answers page cursor compare train sweep doctor large]`: runs these, or all."""

import sys

from benchmarks import answers, compare, core, cursor, doctor, large, page, stream, sweep, train

PARTS = {
    "core": core.main,
    "stream": stream.main,
    "answers": answers.main,
    "page": page.main,
    "cursor": cursor.main,
    "compare": compare.main,
    "train": train.main,
    "sweep": sweep.main,
    "doctor": doctor.main,
    "large": large.main,
}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
