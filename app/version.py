"""The versions of packages that the result of a training depends on."""

from importlib.metadata import version

VERSIONS = {name: version(name) for name in ("gruscope", "numpy")}
