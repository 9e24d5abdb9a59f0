"""What a result depends on besides its recipe."""

from importlib.metadata import version

VERSIONS = {name: version(name) for name in ("gruscope", "numpy")}
