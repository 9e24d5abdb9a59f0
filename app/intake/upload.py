"""What somebody brought: a file, and what was said about it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

ID = re.compile("u-[0-9a-f]{32}")
"""What names an upload. Whoever knows it can see the model, so it cannot be guessed: 128 bits."""


@dataclass(frozen=True)
class Upload:
    """The bytes of a file and the name it had; the `answers`, `alphabet` and `labels` given with it."""

    data: bytes = field(repr=False)
    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    alphabet: Sequence[str] | None = None
    labels: Sequence[str] | None = None

    @property
    def about(self) -> dict[str, Any]:
        """All but the bytes, as JSON has it."""
        return asdict(replace(self, data=b"")) | {"data": len(self.data)}

    @staticmethod
    def of(about: Mapping[str, Any], data: bytes) -> Upload:
        """The upload of which `about` says all but the bytes."""
        return Upload(**dict(about) | {"data": data})

    @property
    def id(self) -> str:
        """The same for the same file and the same answers, on any server."""
        digest = hashlib.sha256(json.dumps(self.about, sort_keys=True).encode())
        digest.update(self.data)
        return "u-" + digest.hexdigest()[:32]

    def answered(
        self, answers: Mapping[str, str], alphabet: Sequence[str] | None, labels: Sequence[str] | None
    ) -> Upload:
        """The same file with more said about it; what was said before holds where nothing new is."""
        return replace(
            self,
            answers={**self.answers, **answers},
            alphabet=self.alphabet if alphabet is None else alphabet,
            labels=self.labels if labels is None else labels,
        )
