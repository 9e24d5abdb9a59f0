"""Work that takes seconds, done by other processes: `engine.py` says what any engine does, `pool.py` and `cluster.py`
are the two, `work.py` is what is done there, and `trainings.py` has what visitors have asked for.
"""
