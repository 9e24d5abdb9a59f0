"""Fixed limits of runs and of questions about runs. The limits that a server can configure are in settings.py."""

BLOCK = 64
"""The most timesteps in one network write. With one write per timestep, long runs would be slow."""

PIECE = 2**18
"""The most numbers in one network write, unless a single timestep has more.

If a client stops reading, the server buffers a few writes of this size.
"""

WORK = 2**29
"""The most multiply-adds for one network write.

They take between 30 and 100 milliseconds, which is short enough for pictures to grow smoothly.
"""

MOST_EXACT = 2**20
"""The most numbers of a run that a page gets exactly. A larger run is sent as float32, with one unit exactly."""

MOST_IN_TEXT = 2**24
"""The most numbers of a run in one HTML file, about 90 MB in float32."""

MOST_OUTPUTS, LIKELIEST = 1_024, 16
"""The most outputs that are sent for each timestep, and the number of outputs that are sent if there are more."""

MOST_EQUATIONS = 512
"""The most timesteps with a unit's equations in one response."""

MOST_SHARES = 65_536
"""The most contributions in one response."""

MOST_PRODUCTS = 2**24
"""The largest H² t for one question about sensitivities, which takes about one second to answer."""

MOST_SCORED = 5 * 2**18
"""The largest units × timesteps × sequences for a score, which takes half a second and about 125 MB.

It is 1.2 million for all held-out names and the largest network that comes with GRU Scope.
"""

MOST_COUNTED = 2**21
"""The largest units × timesteps for a census on a page, which takes about a second and about 200 MB."""

MOST_LINES = 10_000
"""The most lines of text with sequences for a census on a page."""

MOST_MOMENT, MOST_PLACES = 20, 12
"""The most timesteps in a moment, and the most similar moments in one response."""

MOST_READ = 64
"""The most timesteps in a sequence that is run at all checkpoints of a training run."""
