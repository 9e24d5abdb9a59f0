"""The tests. Like the server, they use one thread for each product."""

import app  # noqa: F401  (sets the number of threads, which NumPy reads when it is imported)
