"""Limits of a run and of what can be asked about it. What a server can change is in settings.py."""

BLOCK = 64
"""The most timesteps in one write. Long runs are not slowed by single events, and still arrive bit by bit."""

PIECE = 2**14
"""The most numbers in one write, if a timestep does not have more. A client that stops reading holds about ten times
as many."""

MOST_IN_TEXT = 2**20
"""The most numbers of a run in one text, about 20 MB."""

MOST_SHARES = 65_536
"""The most contributions in one response."""

MOST_PRODUCTS = 2**24
"""The largest H² t of one question about sensitivities, about a second's work."""

MOST_SCORED = 2**20
"""The most units × timesteps × sequences that a score is measured on: half a second's work, and about 100 MB."""

MOST_MOMENT, MOST_PLACES = 20, 12
"""The most timesteps of a moment, and the most similar places in one response."""

MOST_READ = 64
"""The most timesteps of a sequence that all checkpoints of a training read."""
