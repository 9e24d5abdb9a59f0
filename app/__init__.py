"""The GRU Scope server and its command line."""

import os

# A matrix product of these sizes gains little from several threads. On a busy machine the threads wait for each other,
# and a run takes up to fifty times as long. NumPy reads this variable when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
