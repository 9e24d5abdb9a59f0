"""The Units dialog: the table of all units, its order, a visitor's file, and the moment to which a row leads."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
from playwright.sync_api import Page, expect

import gru_core as gru
from app.runs.census import held_out_data
from tests.support.lab import Lab

FILE = b"the film was not good .\tpositive\nlovely\tnegative\ndull . very very bad\tpositive\n"


def test_a_row_of_all_units_leads_to_a_moment_in_the_lab(page: Page) -> None:
    lab = Lab(page).open(model="sentiment")
    model = gru.load("sentiment")
    data = held_out_data(model)
    census = gru.census(model, data.sequences, data.labels, ("negative", "neutral"))
    lab.button("Similar moments").click()
    page.get_by_role("button", name="Compare all units").click()
    dialog = page.get_by_role("dialog", name="Units")  # uses the held-out sequences at first
    rows = dialog.locator("tbody tr")
    expect(rows).to_have_count(8)
    dialog.get_by_role("button", name="AUC").click()
    best = sorted(census, key=lambda unit: -abs((unit.auc or 0) - 0.5))
    assert [int(text) for text in rows.locator("th").all_inner_texts()] == [unit.unit + 1 for unit in best]
    assert dialog.locator("svg circle").count() == 8
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="SVG").click()
    assert downloading.value.suggested_filename == "gruscope-units-z.svg"
    assert downloading.value.path().read_text().count("<circle") == 8

    moment = best[0].moments["label"]
    rows.first.get_by_role("button", name="label").click()
    lab.expect_trace(model, data.sequences[moment.sequence])
    expect(lab.step).to_have_value(str(moment.t + 1))
    expect(lab.heading).to_have_text(re.compile(f"unit {best[0].unit + 1}"))


def test_a_file_of_texts_and_a_file_of_inputs_give_the_same_table(page: Page, console_errors: list[str]) -> None:
    Lab(page).open(model="sentiment", views="tape,words,alike")
    model = gru.load("sentiment")
    page.get_by_role("button", name="Compare all units").click()
    dialog = page.get_by_role("dialog", name="Units")
    rows = dialog.locator("tbody tr")
    expect(rows).to_have_count(8)
    dialog.get_by_label("Sequences").select_option("file")
    file = dialog.locator("input[type=file]")
    file.set_input_files({"name": "x.txt", "mimeType": "text/plain", "buffer": FILE + b"no such word\tpositive"})
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ine 4")
    console_errors.clear()  # the refused file
    file.set_input_files({"name": "x.txt", "mimeType": "text/plain", "buffer": FILE})
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("status", name="Result")).to_contain_text("positive against negative")
    own = gru.census(model, [line.split("\t")[0] for line in FILE.decode().splitlines()])
    shown = [float(text) for text in rows.locator("td:nth-child(5)").all_inner_texts()]
    np.testing.assert_allclose(shown, [unit.means["z"] for unit in own], atol=0.00501)

    # An .npz file of inputs with the same sequences and labels gives the same table.
    lines = [line.split("\t") for line in FILE.decode().splitlines()]
    x = np.zeros((6, len(lines), model.encoder.inputs))
    for b, (text, _) in enumerate(lines):
        tokens = model.encoder.tokens(text)
        x[: len(tokens), b] = model.encoder.encode(tokens)
    content, before = BytesIO(), rows.all_inner_texts()
    lengths = [len(model.encoder.tokens(text)) for text, _ in lines]
    np.savez(content, x=x, lengths=np.array(lengths), labels=np.array([label for _, label in lines]))
    file.set_input_files({"name": "x.npz", "mimeType": "application/octet-stream", "buffer": content.getvalue()})
    with page.expect_response(re.compile("api/census/arrays")):
        dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("status", name="Result")).to_contain_text("positive against negative")
    assert rows.all_inner_texts() == before
