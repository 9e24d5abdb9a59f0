"""Uploads: another process reads an uploaded file, and this package stores the result for a while.

`upload.py` describes an upload, `child.py` reads it in a process of its own, `reading.py` runs that process, and
`store.py` stores the results.
"""
