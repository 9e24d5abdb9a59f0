"""The script of a page, joined from its modules. The browser tests load this script and test that it works."""

from __future__ import annotations

import re

import pytest

from app.assets import ROOTS, assets
from app.joined import joined


@pytest.mark.parametrize(("page", "root"), ROOTS.items())
def test_the_script_contains_each_module_once_and_after_its_imports(page: str, root: str) -> None:
    script = assets()[f"{page}.js"].content.decode()
    names = re.findall(r"^// ([\w/]+\.js)$", script, re.M)
    assert names[-1] == root
    assert len(set(names)) == len(names) >= 2
    for name, part in zip(names, re.split(r"^// [\w/]+\.js\n", script, flags=re.M)[1:], strict=True):
        source = assets()[name].content.decode()
        own = re.sub(r"^import [^;]*;.*\n", "", source, flags=re.M)
        lines = [line for line in own.splitlines() if not line.startswith("export ")]
        assert set(lines) - set(part.splitlines()) <= {line for line in lines if " as " in line or line == "}"}
        for imported in re.findall(r"= (m\d+);", part):
            assert script.index(f"const {imported} = (() =>") < script.index(f"// {name}\n")


def test_circular_imports_and_unsupported_statements_are_refused() -> None:
    circle = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match=r"in a circle: a\.js → b\.js → a\.js"):
        joined("a.js", circle)
    with pytest.raises(ValueError, match=r'a\.js cannot be joined: import "\./b\.js"'):
        joined("a.js", {"a.js": 'import "./b.js";\n', "b.js": ""})
    with pytest.raises(ValueError, match=r"a\.js cannot be joined: export default 1"):
        joined("a.js", {"a.js": "export default 1;\n"})


def test_an_import_with_as_is_bound_to_the_new_name() -> None:
    sources = {"a.js": 'import { one as two } from "./in/b.js";\nlog(two);\n', "in/b.js": "export const one = 1;\n"}
    assert "const { one: two } = m0;\nlog(two);" in joined("a.js", sources)
    assert "return { one };" in joined("a.js", sources)
