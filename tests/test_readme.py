"""The README's example prints what the README says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path


def test_the_example_prints_what_its_comments_say() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    printed = StringIO()
    with redirect_stdout(printed):
        exec(code, {})
    said = [line.split("# ")[1].split() for line in code.splitlines() if line.startswith("print")]
    # A remark may follow the output.
    for output, comment in zip(printed.getvalue().splitlines(), said, strict=True):
        assert comment[: len(output.split())] == output.split()
