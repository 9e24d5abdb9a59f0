"""Responses with JSON that can contain NumPy arrays."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from ..runs.answers import to_json


class JSON(Response):
    """A response that sends its content as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content)
