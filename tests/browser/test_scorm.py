"""A lesson in a learning platform: two SCORM 1.2 runtimes open the package and check its calls."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from app.cli import main
from app.lessons import shelf
from app.settings import Settings
from tests.support.npm import packages

LESSON = """---
title: Two pages & two questions
model: flip-flop
minutes: 2
---
## [In the Lab](?sequence=A+m+m&t=1&views=tape)
:::{predict}
:draw: z
Draw z.
:::
## [In Compare](/compare?task=flip-flop&sequence=A+m)
:::{predict}
Which?
- (x) This.
- ( ) That.
:::
"""

# The rules of SCORM 1.2 for the calls that a lesson may make. An error in a call fails the test.
RULES = """
    const rules = {
        "cmi.core.lesson_status": /^(passed|completed|failed|incomplete|browsed|not attempted)$/,
        "cmi.core.exit": /^(time-out|suspend|logout|)$/,
        "cmi.suspend_data": /^[^]{0,4096}$/,
    };
    let phase, data;
    const check = (fine, what) => { if (!fine) throw new Error(`SCORM: ${what}`); };
    globalThis.API = {
        LMSInitialize: (empty) =>
            (check(empty === "" && phase === "before", "Initialize"), (phase = "running"), "true"),
        LMSGetValue: (name) => (check(phase === "running" && name in rules, name), data[name] ?? ""),
        LMSSetValue: (name, value) =>
            (check(phase === "running" && rules[name]?.test(value), `${name}=${value}`), (data[name] = value), "true"),
        LMSCommit: (empty) => (check(empty === "" && phase === "running", "Commit"), "true"),
        LMSFinish: (empty) => (check(empty === "" && phase === "running", "Finish"), (phase = "finished"), "true"),
    };
    const start = (stored) => ([phase, data] = ["before", { "cmi.core.lesson_status": "not attempted", ...stored }]);
    const stored = () => data;
    const isFinished = () => phase === "finished";
"""

# A runtime that real platforms use. It allows longer cmi.suspend_data than SCORM 1.2 does. An error fails the test.
SCORM_AGAIN = """
    const flat = (value, name = "cmi") => typeof value === "object"
        ? Object.entries(value).flatMap(([key, inner]) => flat(inner, `${name}.${key}`)) : [[name, value]];
    const values = (runtime) => flat(runtime.renderCMIToJSONObject().cmi);
    let runtime;
    const call = (name) => (...texts) => {
        const result = runtime[name](...texts), code = runtime.LMSGetLastError();
        if (code !== "0") throw new Error(`SCORM: ${name}(${texts}) has the error ${code}`);
        return result;
    };
    const names = ["LMSInitialize", "LMSGetValue", "LMSSetValue", "LMSCommit", "LMSFinish"];
    globalThis.API = Object.fromEntries(names.map((name) => [name, call(name)]));
    const start = (stored) => {
        runtime = new Scorm12API({ autocommit: false });
        runtime.loadFromFlattenedJSON(stored);
    };
    const isFinished = () => runtime.isTerminated();
    function stored() {
        const unset = Object.fromEntries(values(new Scorm12API()));
        return Object.fromEntries(values(runtime).filter(([name, value]) => value !== unset[name]));
    }
"""

PLATFORM = """<!doctype html><meta charset="utf-8"><title>A platform</title><body>
<script src="runtime.js"></script><script>
    function launch(stored) {
        document.body.innerHTML = "";
        start(stored);
        document.body.innerHTML = `<iframe width="1200" height="800" src="player.html"></iframe>`;
    }
</script>"""
PLAYER = '<!doctype html><iframe name="sco" width="1180" height="780" src="lesson/{}"></iframe>'


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Write and return the package of a lesson that has parts on different pages."""
    folder = tmp_path_factory.mktemp("lesson")
    (folder / "two.md").write_text(LESSON, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["lesson", "scorm", str(folder / "two.md")]) == 0
    return zipfile.ZipFile(io.BytesIO((folder / "two.zip").read_bytes()))


def launched_file(package: zipfile.ZipFile) -> str:
    """Check the manifest and return the name of the file that a platform launches."""
    root = ET.fromstring(package.read("imsmanifest.xml"))
    names = {"": "http://www.imsproject.org/xsd/imscp_rootv1p1p2"}
    adlcp = "{http://www.adlnet.org/xsd/adlcp_rootv1p2}"
    assert root.findtext("metadata/schemaversion", namespaces=names) == "1.2"
    (organization,) = root.findall("organizations/organization", names)
    (organizations,) = root.findall("organizations", names)
    assert organizations.attrib == {"default": organization.get("identifier")}
    (item,) = organization.findall("item", names)
    assert item.findtext("title", namespaces=names) == "Two pages & two questions"
    (resource,) = root.findall("resources/resource", names)
    assert resource.get("identifier") == item.get("identifierref")
    assert resource.get(f"{adlcp}scormtype") == "sco"
    files = {str(file.get("href")) for file in resource.findall("file", names)}
    assert {*files, "imsmanifest.xml"} == set(package.namelist())
    return str(resource.get("href"))


@pytest.fixture(scope="module")
def scorm_again(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the script of the scorm-again runtime. Skip the test if npm is missing."""
    (folder,) = packages(tmp_path_factory.mktemp("runtime"), "scorm-again@3.4.3")
    return (folder / "dist" / "scorm12.min.js").read_text("utf-8") + SCORM_AGAIN


@pytest.fixture(params=["rules", "scorm-again"])
def platform(page: Page, package: zipfile.ZipFile, request: pytest.FixtureRequest) -> Page:
    """Open and return the page of a platform that has the package and a SCORM runtime."""
    runtime = RULES if request.param == "rules" else request.getfixturevalue("scorm_again")
    files = {f"lesson/{name}": package.read(name) for name in package.namelist()}
    files |= {"platform.html": PLATFORM.encode(), "player.html": PLAYER.format(launched_file(package)).encode()}
    files["runtime.js"] = runtime.encode()

    def respond(route: Any) -> None:
        body = files.get(route.request.url.partition("/platform/")[2])
        assert body is not None, route.request.url
        kind = "text/javascript" if route.request.url.endswith(".js") else "text/html"
        route.fulfill(body=body, content_type=kind)

    page.route("**/platform/**", respond)
    page.goto("/platform/platform.html")
    return page


def launch(platform: Page, data: dict[str, str]) -> FrameLocator:
    """Launch the lesson with the platform's stored `data`, and return the frame of the lesson's page."""
    platform.evaluate("launch", data)
    sco = platform.frame_locator("iframe").frame_locator("iframe[name=sco]")
    expect(sco.get_by_role("status")).to_be_empty()
    return sco.frame_locator("iframe").frame_locator("iframe")


def wait_for(platform: Page, status: str, answered: int) -> dict[str, str]:
    """Wait until the platform has stored `status` and `answered` answers, and return all its stored data."""
    platform.wait_for_function(
        "([status, n]) => stored()['cmi.core.lesson_status'] === status"
        " && Object.keys(JSON.parse(stored()['cmi.suspend_data'])).length === n",
        arg=[status, answered],
    )
    stored: dict[str, str] = platform.evaluate("stored()")
    assert stored.keys() == {"cmi.core.lesson_status", "cmi.core.exit", "cmi.suspend_data"}
    assert stored["cmi.core.exit"] == "suspend"
    return stored


def test_a_platform_stores_the_answers_and_the_completion_but_no_score(platform: Page) -> None:
    lesson = launch(platform, {})
    wait_for(platform, "incomplete", 0)
    sliders = lesson.locator("form.predict").get_by_role("slider")
    expect(sliders).to_have_count(2)
    for slider in sliders.all():
        slider.fill("0.5")
    lesson.get_by_role("button", name="Check answer").first.click()
    wait_for(platform, "incomplete", 1)
    lesson.get_by_role("link", name="Next: In Compare").click()
    lesson.get_by_role("radio", name="That.").check()
    lesson.get_by_role("button", name="Check answer").last.click()
    stored = wait_for(platform, "completed", 2)
    platform.evaluate("document.body.innerHTML = ''")
    platform.wait_for_function("isFinished()")

    # Another student at the same computer sees none of these answers.
    lesson = launch(platform, {})
    expect(lesson.get_by_role("button", name="Check answer").first).to_be_enabled()
    wait_for(platform, "incomplete", 0)
    # The first student sees the stored answers on another device, and the lesson stays completed.
    platform.evaluate("localStorage.clear()")
    lesson = launch(platform, stored)
    expect(lesson.get_by_role("button", name="Answer again")).to_be_visible()
    lesson.get_by_role("button", name="Clear my answers").click()
    wait_for(platform, "completed", 0)


def test_a_platform_with_too_little_room_gets_the_last_answers_and_the_page_says_so(platform: Page) -> None:
    launch(platform, {"cmi.core.lesson_status": "completed", "cmi.suspend_data": "{}"})
    wait_for(platform, "completed", 0)
    curve = [0.123456] * 300
    store = "answers => localStorage.setItem('gruscope-lessons', JSON.stringify({ two: answers }))"
    platform.frames[-1].evaluate(store, {"1.1": curve, "2.1": curve})
    status = platform.frame_locator("iframe").frame_locator("iframe[name=sco]").get_by_role("status")
    expect(status).to_contain_text("1")
    assert json.loads(platform.evaluate("stored()")["cmi.suspend_data"]) == {"2.1": curve}
    assert platform.evaluate("stored()")["cmi.core.lesson_status"] == "completed"
    platform.evaluate("API.LMSSetValue = () => 'false'")
    platform.frames[-1].evaluate(store, {"1.1": 1})
    expect(status).to_contain_text("not")


def test_a_package_without_a_platform_says_so(platform: Page) -> None:
    platform.goto("/platform/player.html")
    expect(platform.frame_locator("iframe").get_by_role("status")).not_to_be_empty()


def test_every_built_in_lesson_can_be_packaged_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lesson", "scorm", "gates"]) == 0
    package = tmp_path / "gates.zip"
    assert package.stat().st_size < 4e6
    with zipfile.ZipFile(package) as archive:
        page = archive.read("index.html").decode()
    data = json.loads(page.partition('id="lesson">')[2].partition("</script>")[0])
    parts = enumerate(shelf.get("gates", Settings()).steps, 1)
    assert data["questions"] == [f"{n}.1" for n, step in parts if step.questions]
    assert main(["lesson", "scorm", "Nothing here.md"]) == 1
    assert "Nothing here.md" in capsys.readouterr().err
