"""The models that ship, each one `.safetensors` file beside this one."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

NAMES = tuple(
    name + twin
    for name in ("flip-flop", "pocket-calculator", "running-total", "store-and-recall", "sentiment")
    for twin in ("", "-plain")
)
"""Every preset; NAME-plain was trained like NAME but without its penalties."""


def path(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"
