"""Lessons as packages for learning platforms: Moodle, Canvas, ILIAS, Blackboard, Open edX.

A package is a SCORM 1.2 zip file. All of these platforms accept SCORM 1.2, and Moodle accepts no later version.
"""

from __future__ import annotations

import io
import zipfile

from markupsafe import Markup

from ..assets import assets
from ..lessons.reading import Lesson
from ..pages.boot import escape_for_script
from ..pages.page import templates
from ..runs.answers import to_json
from ..settings import Settings
from .lesson import lesson_page
from .page import policy


def package(lesson: Lesson, settings: Settings) -> bytes:
    """Return a lesson as a SCORM package. A student completes it by answering all questions. There is no score.

    Raises ValueError if the lesson cannot be shown.
    """
    questions = [f"{n}.{k}" for n, step in enumerate(lesson.steps, 1) for k in range(1, len(step.questions) + 1)]
    script = Markup(assets()["scorm.js"].content.decode())
    context = {
        "lesson": lesson,
        "data": escape_for_script(to_json({"name": lesson.name, "questions": questions})),
        "script": script,
        "policy": f"{policy([script])}; frame-src 'self'",
    }
    files = {
        "imsmanifest.xml": templates.get_template("scorm.xml").render(context),
        "index.html": templates.get_template("scorm.html").render(context),
        "lesson.html": lesson_page(lesson, settings),
    }
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return package.getvalue()
