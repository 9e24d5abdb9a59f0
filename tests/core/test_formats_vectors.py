"""Files of vectors become sequences: .npy, .npz and CSV give the same numbers, and errors name the row and column."""

from __future__ import annotations

import io

import numpy as np
import pytest

import gru_core as gru
from gru_core import Symbols, Vectors
from gru_core.formats import FormatError
from gru_core.formats.vectors import read_vectors
from tests.support.files import FIXTURES

RNG = np.random.default_rng(0)


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int16])
@pytest.mark.parametrize("inputs", [1, 7])
def test_every_digit_of_an_array_arrives(dtype: type, inputs: int) -> None:
    x = (RNG.normal(size=(9, inputs)) * 100).astype(dtype)
    encoder = Vectors(inputs)
    for data, name in ((saved(x), "x.npy"), (zipped(x=x, other=x[:2]), "x.npz"), (zipped(only=x), "run.npz")):
        text = read_vectors(data, name, encoder).text
        np.testing.assert_array_equal(encoder.encode(encoder.tokens(text)).astype(dtype), x)
    if inputs == 1:
        assert read_vectors(saved(x[:, 0]), "x.npy", encoder) == (text, 0)


def test_timesteps_that_a_mask_or_lengths_exclude_are_left_out() -> None:
    x, mask, encoder = RNG.normal(size=(6, 1, 3)), np.array([1, 1, 0, 1, 1, 0]), Vectors(3)
    model = gru.load(FIXTURES / "pytorch-both.safetensors", direction="both")
    text, excluded = file = read_vectors(zipped(x=x, mask=mask), "x.npz", encoder)
    assert excluded == 2
    assert "2 of 6" in file.note
    whole = gru.trace(model, x[:, 0], mask=mask == 1)
    np.testing.assert_allclose(gru.trace(model, text).h, whole.h[mask == 1], atol=1e-12)
    for lengths in (np.array(4), np.array([4])):
        shorter = read_vectors(saved(x[:4, 0]), "x.npy", encoder)
        assert read_vectors(zipped(x=x[:, 0], lengths=lengths), "x.npz", encoder) == (shorter.text, 2)
        assert shorter.note == ""


@pytest.mark.parametrize("form", ["a,b,c\n{}\n", "{}", "\ufeff{}\r\n\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_has_a_row_for_each_timestep(form: str, separator: str) -> None:
    text = form.format("1,-2.5,3\n4, 5 ,6e-3").replace(",", separator)
    assert read_vectors(text.encode(), "x.CSV", Vectors(3)).text == "1,-2.5,3 4,5,6e-3"


@pytest.mark.parametrize(
    ("data", "name", "place"),
    [
        (saved(np.array([[1, 2], [3, np.nan]])), "x.npy", "row 2, column 2"),
        (saved(np.array([[1, 2], [-2e6, 0]])), "x.npy", "row 2, column 1"),
        (b"1,2\n\n3,four\n", "x.csv", "row 3, column 2"),
        (b"1,2\n3,inf\n", "x.csv", "row 2, column 2"),
        (b"1,2\n3\n", "x.csv", "row 2"),
        (saved(np.zeros((3, 4))), "x.npy", "3 × 4"),
        (saved(np.zeros((1, 3, 2))), "x.npy", "1 × 3 × 2.*census"),
        (zipped(x=np.zeros((3, 2)), lengths=np.array([4])), "x.npz", "lengths in 'x.npz'"),
        (zipped(x=np.zeros((3, 2)), lengths=np.array(["3"])), "x.npz", "lengths in 'x.npz'"),
        (zipped(x=np.zeros((3, 2)), mask=np.array([1, 0])), "x.npz", "mask in 'x.npz'"),
        (zipped(x=np.zeros((3, 2)), mask=np.zeros(3)), "x.npz", "no rows"),
        (saved(np.array(["a"])), "x.npy", "no numbers"),
        (saved(np.zeros((0, 2))), "x.npy", "no rows"),
        (zipped(a=np.zeros((1, 2)), b=np.zeros((1, 2))), "x.npz", "2 arrays"),
        (b"a,b\n", "x.csv", "no rows"),
        (b"\xff\xfe\xff", "x.csv", "UTF-8"),
        (b"", "x.npy", ".npy"),
    ],
)
def test_an_error_names_its_place(data: bytes, name: str, place: str) -> None:
    with pytest.raises(FormatError, match=place):
        read_vectors(data, name, Vectors(2))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (saved(np.zeros((4, 2))), "x.npy"),
        (zipped(x=np.zeros((5, 2)), mask=np.array([1, 1, 0, 1, 1])), "x.npz"),
        (b"a,b\n\n" + b"0,1\n" * 4, "x.csv"),
        (b"0,1\n" * 4, "x.csv"),
    ],
)
def test_a_file_may_have_at_most_the_given_timesteps(data: bytes, name: str) -> None:
    with pytest.raises(FormatError, match="4 timesteps; at most 3"):
        read_vectors(data, name, Vectors(2), most=3)
    assert read_vectors(data, name, Vectors(2), most=4).text.count(" ") == 3


def test_a_model_of_symbols_reads_no_file_of_vectors() -> None:
    with pytest.raises(FormatError):
        read_vectors(saved(np.zeros((2, 2))), "x.npy", Symbols(("a", "b")))
