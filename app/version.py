"""The installed versions of the packages that affect the result of a training."""

from importlib.metadata import version

VERSIONS = {name: version(name) for name in ("gruscope", "numpy")}
