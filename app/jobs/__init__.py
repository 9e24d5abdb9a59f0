"""Jobs that take seconds and run in other processes.

`engine.py` declares what every engine does. `pool.py` and `cluster.py` are the two engines, `work.py` has the functions
that run there, and `trainings.py` has the trainings that visitors start.
"""
