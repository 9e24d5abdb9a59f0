"""The engine that is asked for."""

from __future__ import annotations

from .cluster import Cluster
from .engine import Engine
from .pool import Pool


def start(workers: int, scheduler: str = "", plain: bool = False) -> Engine:
    """Processes of this machine, or the cluster of a `scheduler`. Raises as `Cluster`."""
    return Cluster(scheduler, plain) if scheduler else Pool(workers)
