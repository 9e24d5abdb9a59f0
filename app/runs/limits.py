"""Limits of runs and of questions about them. The limits that each server can set are in settings.py."""

BLOCK = 64
"""The most timesteps in one write. Long runs would be slow with a write for each timestep."""

PIECE = 2**18
"""The most numbers in one write, if a timestep does not have more. A client that stops reading makes the server buffer
a few such pieces."""

WORK = 2**29
"""The most multiply-adds for one write: between 30 and 100 milliseconds of computing, so that pictures keep growing."""

MOST_EXACT = 2**20
"""The most numbers of a run that a page gets exactly. Of a larger run it gets float32, and one unit exactly."""

MOST_IN_TEXT = 2**24
"""The most numbers of a run in one HTML file, about 90 MB in float32."""

MOST_OUTPUTS, LIKELIEST = 1_024, 16
"""The most outputs that are sent for each timestep, and the number of the likeliest ones that are sent instead."""

MOST_EQUATIONS = 512
"""The most timesteps of a unit's equations in one response."""

MOST_SHARES = 65_536
"""The most contributions in one response."""

MOST_PRODUCTS = 2**24
"""The largest H² t of one question about sensitivities, about one second of computing."""

MOST_SCORED = 5 * 2**18
"""The most units × timesteps × sequences that a score is measured on: half a second of computing, and about 125 MB.

All held-out names with the largest network that comes with GRU Scope are 1.2 million.
"""

MOST_COUNTED = 2**21
"""The most units × timesteps of a census on a page: about a second of computing, and about 200 MB."""

MOST_LINES = 10_000
"""The most lines of the sequences that a census on a page reads."""

MOST_MOMENT, MOST_PLACES = 20, 12
"""The most timesteps of a moment, and the most similar places in one response."""

MOST_READ = 64
"""The most timesteps of a sequence that all checkpoints of a training read."""
