"""Press a control by its label."""

from __future__ import annotations

from playwright.sync_api import Locator


def press(control: Locator) -> None:
    """Press a radio button or a checkbox that lies under its label, as soon as the label has stopped moving."""
    control.locator("xpath=ancestor::label").click()
