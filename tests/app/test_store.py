"""The upload store: complete files or none, removal of the least recently used upload, and sharing between servers."""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from app.intake import store as store_module
from app.intake.reading import UploadResult
from app.intake.store import ABANDONED, LOADED, Store
from app.intake.upload import ID, Upload
from tests.support.networks import deep

MODEL = gru.load("flip-flop")


def upload(n: int, size: int = 10) -> Upload:
    return Upload(bytes([n]) * size, "x")


def test_a_stored_upload_is_read_back_complete(tmp_path: Path) -> None:
    store = Store(tmp_path, 10, 10**6)
    stored = Upload(b"a\nb\0", "né\n.npz", {"z": "keep"}, ["a", "\ud800"], None)
    store.put(stored, UploadResult(("One.", "Two."), MODEL))
    for server in (store, Store(tmp_path, 10, 10**6)):
        result = server.get(stored.id)
        assert result is not None
        assert result.model is not None
        assert (result.report, result.question) == (("One.", "Two."), None)
        assert result.model.to_bytes() == MODEL.to_bytes()
        assert server.upload(stored.id) == stored
    assert store.get("u-" + "0" * 32) is None
    assert [path.name for path in tmp_path.iterdir()] == [f"{stored.id}.upload"]


def test_the_id_of_an_upload_depends_on_content_name_and_answers() -> None:
    uploads = [
        Upload(b"a", "x"),
        Upload(b"b", "x"),
        Upload(b"a", "y"),
        Upload(b"a", "x", {"z": "keep"}),
        Upload(b"a", "x", {}, ["z", "keep"]),
        Upload(b"a", "x", {}, None, ["z", "keep"]),
        Upload(b"a", "x", {}, [], []),
    ]
    assert len({item.id for item in uploads}) == len(uploads)
    assert all(ID.fullmatch(item.id) for item in uploads)
    assert Upload(b"a", "x", {"z": "1", "a": "2"}).id == Upload(b"a", "x", {"a": "2", "z": "1"}).id


def test_the_least_recently_used_upload_is_removed_at_the_limits_of_count_and_size(tmp_path: Path) -> None:
    store = Store(tmp_path, 3, 10**6)
    ids = [upload(n).id for n in range(5)]
    for n in range(3):
        store.put(upload(n), UploadResult())
        time.sleep(0.02)
    assert store.get(ids[0]) is not None  # this use makes 1 the least recently used
    time.sleep(0.02)
    store.put(upload(3), UploadResult())
    assert [store.get(id) is not None for id in ids] == [True, False, True, True, False]
    assert len(store.ids()) == 3
    small = Store(tmp_path, 100, 5000)
    small.put(upload(4, 4000), UploadResult())
    assert small.get(ids[4]) is None
    assert small.get(upload(4, 4000).id) is not None
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert total <= 5000
    small.put(upload(5, 20_000), UploadResult())  # too large even alone, but the newest upload stays
    assert small.ids() == [upload(5, 20_000).id]


def test_an_upload_removed_by_another_server_is_gone(tmp_path: Path) -> None:
    first, second = Store(tmp_path, 2, 10**6), Store(tmp_path, 2, 10**6)
    first.put(upload(0), UploadResult(("x",), MODEL))
    assert first.get(upload(0).id) is not None
    for n in (1, 2):
        time.sleep(0.02)
        second.put(upload(n), UploadResult())
    assert first.get(upload(0).id) is None
    assert first.upload(upload(0).id) is None


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, 2, 10**6)

    def full(_: int) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no room"):
        store.put(upload(0), UploadResult())
    assert list(tmp_path.iterdir()) == []


def test_abandoned_partial_files_are_removed(tmp_path: Path) -> None:
    store = Store(tmp_path, 2, 10**6)
    for name, age in (("old.part", ABANDONED + 60), ("new.part", 0)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    store.put(upload(0), UploadResult())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["new.part", f"{upload(0).id}.upload"])


def test_a_malformed_file_counts_as_missing(tmp_path: Path) -> None:
    store = Store(tmp_path, 2, 10**6)
    for content in (b"", b"{}\n", b'{"model": 3}\nabc', b"\xff\n"):
        (tmp_path / f"{upload(0).id}.upload").write_bytes(content)
        assert store.get(upload(0).id) is None
        assert store.upload(upload(0).id) is None


def test_a_damaged_file_counts_as_missing_until_it_is_stored_again(tmp_path: Path) -> None:
    stored = upload(7, 300)
    Store(tmp_path, 10, 10**6).put(stored, UploadResult(("One.",), MODEL))
    (file,) = tmp_path.iterdir()
    whole, rng = file.read_bytes(), random.Random(0)
    cut = [whole[:at] for at in {0, 1, 64, 65, 66, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(40))}]
    flipped = []
    for _ in range(400):
        data = bytearray(whole)
        data[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        flipped.append(bytes(data))
    for damaged in [*cut, *flipped, b"\0" * len(whole), whole[65:]]:
        file.write_bytes(damaged)
        server = Store(tmp_path, 10, 10**6)
        result, content = server.get(stored.id), server.upload(stored.id)
        assert result is None or content is None
        assert result is None or (result.model is not None and result.model.to_bytes() == MODEL.to_bytes())
        assert content is None or content == stored
    server.put(stored, UploadResult(("One.",), MODEL))
    assert file.read_bytes() == whole
    assert server.get(stored.id) is not None


WITH_MANY_SYMBOLS = deep(gru.Symbols(tuple(f"symbol{n}" for n in range(1_000))), layers=1, units=1)


@pytest.mark.parametrize("kinds", [[MODEL, deep(units=16), deep(units=32).astype(np.float32)], [WITH_MANY_SYMBOLS]])
def test_the_counted_memory_of_loaded_models_is_their_real_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: list[gru.Model]
) -> None:
    monkeypatch.setattr(store_module, "LOADED", 2**20)
    store = Store(tmp_path, 1_000, 10**9)
    for n in range(150):
        store.put(Upload(str(n).encode(), "x"), UploadResult(("x",), kinds[n % len(kinds)]))
    store.get(upload(0).id)
    tracemalloc.start()
    try:
        for n in range(150):
            result = store.get(Upload(str(n).encode(), "x").id)
            assert result is not None
            assert result.model is not None
            gru.trace(result.model, result.model.examples[0])
        del result
        gc.collect()
        memory, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.6 * 2**20 < memory < 1.3 * 2**20


LOADER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import gru_core as gru
from app.intake import store
from app.server.memory import configure_allocator
from tests.support.networks import deep

def used():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

configure_allocator()
store.LOADED = int(sys.argv[2])
model = deep(units=16)
with ThreadPoolExecutor(16) as threads:
    list(threads.map(lambda _: gru.trace(model, model.examples[0]), range(100)))
    loaded = store.Store(sys.argv[1], 100, 10**9)
    before = used()
    list(threads.map(loaded.get, loaded.ids()))
print(used() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have no such settings")
def test_loading_models_grows_the_process_by_the_counted_memory(tmp_path: Path) -> None:
    most, model = 16 * 2**20, deep(units=160)
    store = Store(tmp_path, 100, 10**9)
    for n in range(16):
        store.put(upload(n), UploadResult(("x",), model))
    command = [sys.executable, "-c", LOADER, str(tmp_path), str(most)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert most / 2 < int(run.stdout) < 1.5 * most


HOLES = """
from pathlib import Path
from app.server.memory import configure_allocator, trim

def used():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

configure_allocator()
blocks = [bytes(2**14) for _ in range(4096)]  # 64 MiB
whole = used()
kept = blocks[::4]
del blocks
trim()
print((whole - used()) / 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have no such call")
def test_trim_returns_freed_memory_to_the_system() -> None:
    run = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    assert float(run.stdout) > 32


def test_loaded_models_stay_within_the_memory_limit(tmp_path: Path) -> None:
    store, model = Store(tmp_path, 100, 10**9), deep(units=256)
    size = sum(array.nbytes for array in model.parameters.values())
    for n in range(LOADED // size + 4):
        store.put(upload(n), UploadResult(("x",), model))
        assert store.get(upload(n).id) is not None
    assert len(store._loaded) <= LOADED // size
    assert store.get(upload(0).id) is not None


WRITER = """
import sys
from app.intake.reading import UploadResult
from app.intake.store import Store
from app.intake.upload import Upload
store = Store(sys.argv[1], 5, 10**6)
for n in range(60):
    one = Upload(bytes([n % 9]) * 2000, "x")
    store.put(one, UploadResult(("x",)))
    for m in range(9):
        kept = store.upload(Upload(bytes([m]) * 2000, "x").id)
        assert kept is None or kept.data == bytes([m]) * 2000
"""


def test_two_processes_share_a_directory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with ThreadPoolExecutor() as threads:
        runs = [threads.submit(subprocess.run, command, capture_output=True, text=True) for _ in range(2)]
        assert [run.result().stderr for run in runs] == ["", ""]
    assert len(list(tmp_path.iterdir())) <= 6
    for path in tmp_path.iterdir():
        assert json.loads(path.read_bytes().split(b"\n")[1])["report"] == ["x"]
