"""The script of a page, joined from its modules. The browser tests check that this script works."""

from __future__ import annotations

import re

import pytest

from app.assets import ROOTS, STATIC, assets
from app.joined import joined


def comment_lines(lines: list[str]) -> set[str]:
    """Return the lines that contain only a comment or part of a comment."""
    comments, block = set(), list[str]()
    for line in lines:
        text = line.strip()
        if block or text.startswith("/**"):
            block.append(line)
            if "*/" in text:
                comments |= set(block) if text.endswith("*/") else set()
                block = []
        elif text.startswith("//"):
            comments.add(line)
    return comments


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
        comments = comment_lines(lines)
        assert not comments.intersection(part.splitlines())
        missing = set(lines) - comments - set(part.splitlines())
        assert missing <= {line for line in lines if " as " in line or line == "}"}
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


def test_comments_on_lines_of_their_own_are_left_out_and_all_other_code_stays() -> None:
    code = 'const a = /** @type {A} */ (b); // kept\nconst url = "https://x.example/*";\n/** @type {A} */ (b).c();\n'
    comments = "/** One line. */\n  /**\n   * Several ** lines / of words.\n   */\n  // Another.\n"
    assert code in joined("a.js", {"a.js": comments + code})
    assert joined("a.js", {"a.js": comments + code}) == joined("a.js", {"a.js": code})


def test_an_import_with_as_is_bound_to_the_new_name() -> None:
    sources = {"a.js": 'import { one as two } from "./in/b.js";\nlog(two);\n', "in/b.js": "export const one = 1;\n"}
    assert "const { one: two } = m0;\nlog(two);" in joined("a.js", sources)
    assert "return { one };" in joined("a.js", sources)


def test_a_style_sheet_contains_each_of_its_parts_once() -> None:
    folders = [path for path in (STATIC / "css").iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        sheet = assets()[f"css/{folder.name}.css"].content.decode()
        assert "@import" not in sheet
        for part in folder.glob("*.css"):
            assert sheet.count(part.read_text("utf-8")) == 1, part
