"""`python -m benchmarks [core stream page]`: all of them unless told which."""

import sys

from benchmarks import core, page, stream

PARTS = {"core": core.main, "stream": stream.main, "page": page.main}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
