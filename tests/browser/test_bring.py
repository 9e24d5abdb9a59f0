"""Uploads in the browser: a real file is dropped on the page, run, named and checked."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from gru_core import formats
from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.lab import Lab

FILES = Path(__file__).parent.parent / "fixtures"


class Bring(Lab):
    """The Lab with its upload dialog."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.dialog = page.get_by_role("dialog", name=contract.UPLOAD)
        self.understood = self.dialog.get_by_role("region", name="How the file was read")
        self.alert = self.dialog.get_by_role("alert")
        self.parity = self.dialog.get_by_role("status", name="Parity")

    def drop(self, name: str, data: bytes | None = None) -> None:
        """Drop the fixture `name`, or a file with this name and `data`, on the page."""
        content = (FILES / name).read_bytes() if data is None else data
        self.page.evaluate(
            """([name, text]) => {
                const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name));
                for (const kind of ["dragover", "drop"])
                    document.querySelector("#tape").dispatchEvent(new DragEvent(kind, { bubbles: true, dataTransfer }));
            }""",
            [name, base64.b64encode(content).decode()],
        )

    def expect_model(self, imported: formats.Imported) -> None:
        """Assert that the page shows the import report, and the model's first example with the core's numbers."""
        expect(self.understood.get_by_role("listitem")).to_have_text(list(imported.report))
        self.expect_trace(imported.model, imported.model.examples[0])


@pytest.mark.parametrize(
    "name",
    [
        "pytorch-tagger.safetensors",
        "pytorch-tagger.onnx",
        "keras-tagger.keras",
        "keras-before.weights.h5",
        "keras2-compiled.h5",
    ],
)
def test_a_dropped_file_of_a_library_shows_its_gates_and_passes_the_parity_check(same_page: Page, name: str) -> None:
    lab = Bring(same_page).follow(model="flip-flop")
    lab.drop(name)
    imported = formats.read_file(FILES / name)
    lab.expect_model(imported)
    expect(lab.model.locator("option:checked")).to_have_text(imported.model.card.title)
    # The parity check compares every timestep with the results of the library.
    lab.drop(f"{name.split('.')[0]}-reference.npz")
    expect(lab.parity).to_contain_text("Parity check passed:")
    rows = lab.dialog.get_by_role("row").filter(has_text="h of layer")
    expect(rows).to_have_count(len(imported.model.layers))
    lab.dialog.get_by_role("button", name="Close").click()


@pytest.mark.parametrize(("name", "group"), [("pytorch-lstm", "Cell state c"), ("pytorch-rnn", "Hidden state h")])
def test_an_uploaded_lstm_or_rnn_is_checked_and_opens_with_its_own_signals(page: Page, name: str, group: str) -> None:
    lab = Bring(page).open(model="flip-flop")
    lab.drop(f"{name}.safetensors")
    expect(lab.understood.get_by_role("heading").first).to_contain_text("close this dialog to open it")
    lab.drop(f"{name}-reference.npz")
    expect(lab.parity).to_contain_text("Parity check passed:")
    lab.dialog.get_by_role("button", name="Close").click()
    page.wait_for_url(re.compile(r"model=u-[0-9a-f]{32}"))
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    model = formats.read_file(FILES / f"{name}.safetensors").model
    run = gru.trace(model, model.examples[0]).layers[-1]
    expect(page.get_by_role("group", name=group)).to_be_visible()
    expect(page.locator(".tape .signal")).to_have_count(len(run.cell.signals))
    for signal in run.cell.signals:
        np.testing.assert_allclose(lab.drawn(signal), getattr(run, signal), atol=1e-6)
    expect(lab.model.locator("option:checked")).to_have_text(name)


def test_the_dialog_asks_open_questions_and_accepts_names_of_symbols_and_outputs(same_page: Page) -> None:
    lab = Bring(same_page).follow(model="flip-flop")
    lab.drop("pytorch-both.safetensors")
    question = lab.dialog.get_by_role("group", name="Layer 1 is bidirectional. Which direction do you want to see?")
    expect(question).to_contain_text("the half that reads from the last step to the first: write the last step first.")
    lab.expect_trace("flip-flop", lab.sequence.input_value())  # the page still shows the last run
    question.get_by_role("radio", name="both").check()
    lab.dialog.get_by_role("button", name="Continue").click()
    lab.expect_model(formats.read_file(FILES / "pytorch-both.safetensors", {"direction": "both"}))

    lab.drop("pytorch-tagger.safetensors")
    expect(lab.understood).to_contain_text("2 layers of 5 → 5 units")
    lab.dialog.get_by_label("Input symbols").fill("the a cat dog runs sleeps .")
    lab.dialog.get_by_label("Output labels").fill("article noun verb end")
    lab.dialog.get_by_label("After the linear layer").select_option("softmax")
    lab.dialog.get_by_role("button", name="Save", exact=True).click()
    words, labels = ["the", "a", "cat", "dog", "runs", "sleeps", "."], ["article", "noun", "verb", "end"]
    named = formats.read_file(FILES / "pytorch-tagger.safetensors", {"readout": "softmax"}, words, labels)
    lab.expect_model(named)
    expect(lab.dialog.get_by_label("Input symbols")).to_have_value(" ".join(words))
    lab.drop("names.json", b'{"alphabet": ["a", "b", "c", "d", "e", "f", "g"]}')
    lab.expect_tokens(list("abcdefg"))
    lab.dialog.get_by_role("button", name="Close").click()


def test_the_link_to_an_uploaded_model_works_until_the_model_is_deleted(
    page: Page, uploads: Path, console_errors: list[str]
) -> None:
    lab = Bring(page).open(model="flip-flop")
    lab.drop("pytorch-cell.safetensors")
    imported = formats.read_file(FILES / "pytorch-cell.safetensors")
    lab.expect_model(imported)
    lab.dialog.get_by_role("button", name="Close").click()
    lab.sequence.fill("0,1,0 1,0,0")
    page.wait_for_url("**model=u-**sequence=0,1,0+1,0,0**")
    address = page.url
    second = page.context.new_page()
    second.goto(address)
    second.wait_for_selector(".heatmaps .heatmaplayer image")
    Lab(second).expect_trace(imported.model, "0,1,0 1,0,0")
    expect(second.get_by_text("How the file was read")).to_be_attached()
    second.close()
    for file in uploads.glob("*"):
        file.unlink()
    page.goto(address)
    expect(lab.error).to_contain_text("does not store")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    lab.expect_trace("flip-flop", lab.sequence.input_value())
    console_errors.clear()


def test_a_bad_upload_is_refused_with_a_message(same_page: Page, console_errors: list[str]) -> None:
    lab = Bring(same_page).follow(model="flip-flop")
    lab.drop("model.pt", b"\x80\x04K\x01.")
    expect(lab.alert).to_contain_text("This is a pickle, which can run anybody's code")
    expect(lab.alert).to_contain_text("torch.save(model.state_dict()")
    lab.drop("model.safetensors", b"nothing of the kind")
    expect(lab.alert).to_contain_text(".safetensors, .pt, .pth, .bin, .ckpt, .npz, .onnx, .keras or .h5")
    same_page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(21 * 2 ** 20)], "large.npz"));
            document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer }));
        }"""
    )
    expect(lab.alert).to_contain_text("at most 20 MiB")
    lab.expect_trace("flip-flop", lab.sequence.input_value())
    console_errors.clear()
    expect_no_barriers(same_page)
    lab.dialog.get_by_role("button", name="Close").click()


def test_a_reference_of_another_network_fails_the_parity_check(same_page: Page) -> None:
    lab = Bring(same_page).follow(model="flip-flop")
    lab.drop("keras-before.weights.h5")
    expect(lab.understood).to_be_visible()
    lab.dialog.get_by_label("Choose a reference").set_input_files(FILES / "pytorch-cell-reference.npz")
    expect(lab.parity).to_contain_text(re.compile("parity check failed", re.I))
    lab.dialog.get_by_role("button", name="Close").click()


def test_timesteps_that_a_mask_skips_are_drawn_and_named(page: Page) -> None:
    lab = Bring(page).open(model="flip-flop")
    lab.drop("keras3-masked.keras")
    expect(lab.understood.get_by_role("heading").first).to_contain_text("close this dialog to open it")
    lab.dialog.get_by_role("button", name="Close").click()
    page.wait_for_url(re.compile(r"model=u-[0-9a-f]{32}"))
    network = formats.read_file(FILES / "keras3-masked.keras")
    lab.sequence.fill("0 0 3 1 0 2")
    lab.expect_tokens(["0", "0", "3", "1", "0", "2"])
    skipped = page.locator("#tape .skipped")
    expect(skipped).to_have_text(["skipped", "skipped"])
    np.testing.assert_allclose(lab.drawn("h"), gru.trace(network.model, "0 0 3 1 0 2").h, atol=1e-6)
    tokens, boxes = page.locator("#tokens li"), [skipped.nth(i).bounding_box() for i in range(2)]
    for box, (first, last) in zip(boxes, ((0, 1), (4, 4)), strict=True):
        left, right = tokens.nth(first).bounding_box(), tokens.nth(last).bounding_box()
        assert box is not None
        assert left is not None
        assert right is not None
        assert abs(box["x"] - left["x"]) < 2
        assert abs(box["x"] + box["width"] - right["x"] - right["width"]) < 2
    expect(lab.narration).to_contain_text("the network skips this timestep, because it is padding")
