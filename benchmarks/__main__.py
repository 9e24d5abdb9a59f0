"""`python -m benchmarks [core stream page cursor]`: all of them unless told which."""

import sys

from benchmarks import core, cursor, page, stream

PARTS = {"core": core.main, "stream": stream.main, "page": page.main, "cursor": cursor.main}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
