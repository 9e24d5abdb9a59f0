"""`python -m benchmarks [core stream page cursor compare]`: all of them unless told which."""

import sys

from benchmarks import compare, core, cursor, page, stream

PARTS = {"core": core.main, "stream": stream.main, "page": page.main, "cursor": cursor.main, "compare": compare.main}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
