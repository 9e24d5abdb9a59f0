"""`python -m benchmarks [core stream page cursor compare train sweep]`: all of them unless told which."""

import sys

from benchmarks import compare, core, cursor, page, stream, sweep, train

PARTS = {
    "core": core.main,
    "stream": stream.main,
    "page": page.main,
    "cursor": cursor.main,
    "compare": compare.main,
    "train": train.main,
    "sweep": sweep.main,
}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
