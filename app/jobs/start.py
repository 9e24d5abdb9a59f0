"""Selection of the engine that runs jobs."""

from __future__ import annotations

from .cluster import Cluster
from .engine import Engine
from .pool import Pool


def start_engine(workers: int, scheduler: str = "", plain: bool = False) -> Engine:
    """Return a pool of local processes or, if `scheduler` is set, a `Cluster`. Raises the errors of `Cluster`."""
    return Cluster(scheduler, plain) if scheduler else Pool(workers)
