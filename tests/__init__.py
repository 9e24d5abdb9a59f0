"""The tests. Importing `app` first limits NumPy to one thread per matrix product, as on the server."""

import app as app
