"""`python -m benchmarks [core stream page cursor compare train]`: all of them unless told which."""

import sys

from benchmarks import compare, core, cursor, page, stream, train

PARTS = {
    "core": core.main,
    "stream": stream.main,
    "page": page.main,
    "cursor": cursor.main,
    "compare": compare.main,
    "train": train.main,
}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
