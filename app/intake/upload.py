"""An uploaded file, with the visitor's answers and names for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypedDict, cast

ID = re.compile("u-[0-9a-f]{32}")
"""The pattern of an upload id. Everyone with the id can see the model, so it has 128 bits, too many to guess."""


class Metadata(TypedDict):
    """The fields of an `Upload` in JSON. `data` is the number of bytes instead of the bytes."""

    data: int
    name: str
    answers: Mapping[str, str]
    alphabet: Sequence[str] | None
    labels: Sequence[str] | None


@dataclass(frozen=True)
class Upload:
    """An uploaded file: its bytes and its name, and the `answers`, `alphabet` and `labels` that the visitor sent."""

    data: bytes = field(repr=False)
    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    alphabet: Sequence[str] | None = None
    labels: Sequence[str] | None = None

    @property
    def metadata(self) -> Metadata:
        """The upload in JSON types, with the number of bytes as `data`."""
        return cast(Metadata, asdict(replace(self, data=b"")) | {"data": len(self.data)})

    @staticmethod
    def from_metadata(metadata: Metadata, data: bytes) -> Upload:
        """Return the upload with this metadata and these bytes."""
        return Upload(data, metadata["name"], metadata["answers"], metadata["alphabet"], metadata["labels"])

    @property
    def id(self) -> str:
        """The id, which depends only on the file and the answers, and is the same on every server."""
        digest = hashlib.sha256(json.dumps(self.metadata, sort_keys=True).encode())
        digest.update(self.data)
        return "u-" + digest.hexdigest()[:32]

    def with_answers(
        self, answers: Mapping[str, str], alphabet: Sequence[str] | None, labels: Sequence[str] | None
    ) -> Upload:
        """Return the upload with more answers and names. Earlier answers and names stay unless replaced."""
        return replace(
            self,
            answers={**self.answers, **answers},
            alphabet=self.alphabet if alphabet is None else alphabet,
            labels=self.labels if labels is None else labels,
        )
