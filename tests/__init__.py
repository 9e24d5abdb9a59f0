"""The tests. They import the app first, so that a product uses one thread, as on the server."""

import app as app
