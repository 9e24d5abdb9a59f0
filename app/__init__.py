"""The GRU Scope server and its command line."""

import os

# Several threads for one product gain little at these sizes. While a machine is busy, they wait for each other, and a
# run takes up to fifty times as long. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
