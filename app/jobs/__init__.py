"""Jobs that take seconds and run in other processes.

`engine.py` declares the interface of engines. `pool.py` and `cluster.py` are the two engines, and `work.py` has the
functions that run there. `trainings.py` has the trainings that visitors start, and `cache.py` their checkpoints.
"""
