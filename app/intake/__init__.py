"""Bring your own network: files are read in a process apart, and what was read of them is kept for a while.

`upload.py` says what was brought, `child.py` reads it in a process of its own, `reading.py` runs
that process, `store.py` keeps what came of it.
"""
