"""Tables of a visitor's own task: parsing, split and training, and errors that name the row."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.recipes import RecipeBody
from gru_core.training.checkpoints import Training, train
from gru_core.training.scoring import score
from gru_core.training.table import Split, TableError, read
from tests.support.tables import own_table


def test_a_table_is_parsed_into_sequences_and_targets() -> None:
    text = own_table(40, np.random.default_rng(0))
    table = read(text)
    assert (table.encoder.alphabet, table.labels) == (("A", "B", "x", "y"), ("A", "B"))
    for n, line in enumerate(text.splitlines()[1:]):
        steps, expected = (part.split() for part in line.split(","))
        assert table.text(n) == " ".join(steps)
        batch = table.batch(np.array([n]))
        x, scored = batch.x[:, 0], batch.scored[:, 0]
        np.testing.assert_array_equal(x[: len(steps)], table.encoder.encode(steps))
        assert not x[len(steps) :].any()
        targets = [table.labels[k] if on else "-" for k, on in zip(batch.target[:, 0], scored, strict=True)]
        assert targets[: len(steps)] == expected
        assert not scored[len(steps) :].any()


def test_held_out_sequences_are_never_used_for_training() -> None:
    table = read(own_table(40, np.random.default_rng(1)))
    trained, aside = table.split(3)
    assert sorted([*trained, *aside]) == list(range(40))
    assert len(aside) == 8
    assert set(table.split(4)[1]) != set(aside)
    split, rng = Split(table, 3), np.random.default_rng(0)
    x = table.batch(np.arange(40)).x.swapaxes(0, 1)
    allowed = {x[row].tobytes() for row in trained}
    drawn = split.draw(rng, 20, 500).x
    assert {np.ascontiguousarray(drawn[:, b]).tobytes() for b in range(500)} == allowed
    held_out = split.held_out(rng, 20, 100).x
    assert [np.ascontiguousarray(held_out[:, b]).tobytes() for b in range(8)] == [x[row].tobytes() for row in aside]


def test_a_model_learns_a_table_and_its_card_has_the_held_out_count() -> None:
    text = own_table(200, np.random.default_rng(2))
    recipe = RecipeBody(task="own", table=text, after=50).recipe()
    training = Training(recipe, list(train(recipe)))
    last = training.checkpoints[-1].report
    assert last["good_at"] is not None
    model = training.model(last["step"])
    assert (
        score(model, Split(read(text), recipe.seed).held_out(np.random.default_rng(0), 0, 0)) == last["score"] >= 0.99
    )
    assert [int(number) for number in re.findall(r"\d+", model.card.about)] == [160, 40]
    assert Training.from_bytes(training.to_bytes()).recipe == recipe


ROW = "A m,A A\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 sequences"),
        (ROW * 4, "4 sequences: from 5 to 2,000"),
        (ROW * 2001, "2,001 sequences"),
        (ROW * 5, "at least two different answers"),
        (ROW * 5 + "A B,A\n", "sequence 6 has 2 steps and 1 answers"),
        (ROW * 5 + "A,B,C\n", "sequence 6 has 3 columns"),
        (ROW * 5 + "A\n", "sequence 6 has 1 columns"),
        (ROW * 5 + f"{'A ' * 65},{'A ' * 65}\n", "sequence 6 has 65 timesteps"),
        (ROW * 5 + "A,-\n" + "B,B\n", "sequence 6 has no answer"),
        (ROW * 5 + "A\x00,A\n", "line 6 has a character that cannot be shown"),
        (ROW * 5 + "A\x1b[31m,A\n", "line 6 has a character"),
        (ROW * 5 + '"A,A\n', "is not CSV"),
        (ROW * 5 + f"{'A' * 25},A\n", "symbol or answer of 25 characters: at most 24"),
        ("".join(f"s{i},a{i % 2}\n" for i in range(65)), "65 symbols: at most 64"),
        ("".join(f"A,a{i}\n" for i in range(33)), "33 different answers: at most 32"),
        ("A m p s,A A A A\n" * 10_000, "too large: at most 128 KiB"),
    ],
)
def test_a_bad_table_is_refused_with_its_row(text: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read(text)


def test_spreadsheet_formulas_are_read_as_symbols() -> None:
    table = read('"=SUM(A1) +1","=x =y"\n' * 5)
    assert table.encoder.alphabet == ("+1", "=SUM(A1)")
