"""The names of all cells' signals, for type checkers and for completion in editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gru_core.arrays import Array


class Signals:
    """An object with the signals of a cell as attributes, `(T, H)` each.

    An object has only the signals of its own cell. The name of any other signal raises AttributeError.
    """

    if TYPE_CHECKING:

        @property
        def r(self) -> Array: ...
        @property
        def z(self) -> Array: ...
        @property
        def h_tilde(self) -> Array: ...
        @property
        def i(self) -> Array: ...
        @property
        def f(self) -> Array: ...
        @property
        def o(self) -> Array: ...
        @property
        def c_tilde(self) -> Array: ...
        @property
        def c(self) -> Array: ...
        @property
        def h(self) -> Array: ...
