"""The card of a model in training: its task, and the settings of its training."""

from __future__ import annotations

from dataclasses import replace

from gru_core.card import Card
from gru_core.cells.registry import CELLS
from gru_core.presets.cards import described
from gru_core.presets.recipes import PRESETS
from gru_core.training.own import Column
from gru_core.training.recipe import OWN, Recipe, negated, sign_in_words
from gru_core.training.table import Table


def card_of(recipe: Recipe) -> Card:
    """Return the card of a recipe's task, from a preset, an experiment, or a visitor's table or series."""
    task = recipe.task
    if task == OWN:
        data = recipe.data
        return _card_of_series(data) if isinstance(data, Column) else _card_of_table(data, recipe.seed)
    if task in PRESETS:
        return PRESETS[task].card
    title, description = DESCRIPTIONS[task]
    return Card(title, task, description, "", "random", "untrained", examples=(EXAMPLES[task],))


def _card_of_table(table: Table, seed: int) -> Card:
    trained, aside = map(len, table.split(seed))
    return Card(
        "Your own task",
        OWN,
        f"give the answers of a table: {trained:,} of its sequences are for training, {aside:,} are held out",
        "",
        "random",
        "untrained",
        examples=tuple(map(table.text, range(3))),
    )


def _card_of_series(column: Column) -> Card:
    encoder, series, training = column.encoder, column.task.series, column.training
    held_out = len(column.numbers) - training
    return Card(
        column.name or "Your own series",
        OWN,
        f"forecast the next number of a series: its first {training:,} numbers are for training, the last "
        f"{held_out:,} are held out",
        "",
        "random",
        "untrained",
        examples=column.examples,
        reading=f"x and y are {encoder.scaled('the number')}, and errors are measured in this scale.",
        regressions={} if series is None else {name: w.tolist() for name, w in series.regressions.items()},
    )


DESCRIPTIONS = {
    "gap": ("Memory over a gap", "remember a capital letter through noise, and name it at the end"),
    "recall": ("Recall in order", "read some letters, and name them in the same order at the question marks"),
    "adding": ("Adding", "add the two marked numbers (=v), and give the sum at the end"),
    "parity": ("Parity", "report whether the number of ones so far is even or odd"),
    "brackets": ("Brackets", "count the open brackets"),
    "echo": ("Echo", "name the letter of two timesteps earlier"),
    "counting": ("Counting", "at each b, tell whether the b's so far are fewer than the a's, as many or more"),
}
"""The title and the description of each experiment task."""


EXAMPLES = {
    "gap": "A a c b d a b c c d a d b",
    "recall": "a c b d ? ? ? ?",
    "adding": "0.2 =0.3 -0.1 0.4 -0.2 =-0.4 0.1 0.3",
    "parity": "0 1 1 0 1 0 1 1 1 0",
    "brackets": "( m ( ) ( ( ) m ) ) (",
    "echo": "a c b b d a c d",
    "counting": ". a a a b b b b .",
}


def first_card(recipe: Recipe) -> Card:
    """Return the card of the model before training."""
    card, cell = card_of(recipe), CELLS[recipe.cell]
    units = f"{recipe.units} unit{'s' if recipe.units > 1 else ''}"
    training = {
        "optimizer": "Adam",
        "learning rate": ", ".join(
            [f"{recipe.schedule.rate:g}", *(f"{r:g} after training step {s:,}" for s, r in recipe.schedule.changes)]
        ),
        "batch": f"{recipe.schedule.B} sequences of {recipe.schedule.T} timesteps",
        "seed": recipe.seed,
        "gradient clipping": f"norm at most {recipe.schedule.norm:g}",
        "initialization": recipe.first + (f", memories of up to {recipe.T_max} timesteps" if recipe.T_max else ""),
        "initial biases": ", ".join(f"b_{gate} {value:g}" for gate, value in recipe.biases.items())
        or "from the initialization",
        "penalties": described(recipe.penalties),
        **sign_in_words(negated(recipe)),
    }
    reading = card.reading if recipe.task == OWN else ""  # a preset's text is about its trained units
    return replace(card, title=f"{card.title}, {cell.title} of {units}", training=training, reading=reading)
