"""The number of timesteps per second that a client on the same machine receives from the event stream of a run."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.server import gruscope, serving
from gru_core import GRU, Model, Readout
from gru_core.model import Card
from gru_core.training.toys import TASKS


def main() -> None:
    print(
        "The stream: 2,000 timesteps at H = 64, each with r, z, h_tilde, h, x, y and the terms W x and U h of each gate"
    )
    rng = np.random.default_rng(0)
    task = TASKS["store-and-recall"]
    readout = Readout("softmax", rng.normal(size=(4, 64)), np.zeros(4), task.labels)
    card = Card("Wide", "store-and-recall", "", "", "random", "", examples=("A b ?",))
    model = Model(task.encoder, (GRU.random(9, 64, rng),), readout, card)
    body = json.dumps({"model": "wide", "sequence": task.text(rng, 2000)})
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "wide.safetensors")  # no preset has 64 units
        with serving(gruscope(), GRUSCOPE_MODELS=folder) as url:
            connection = http.client.HTTPConnection(urlsplit(url).netloc)
            rates, size = [], 0
            for _ in range(12):
                start = time.perf_counter()
                headers = {"content-type": "application/json", "accept": "text/event-stream"}
                connection.request("POST", "/api/trace", body, headers)
                stream = connection.getresponse().read()
                rates.append(2000 / (time.perf_counter() - start))
                assert stream.count(b"event: step") == 2000
                assert stream[stream.rindex(b"event:") :].startswith(b'event: done\ndata: {"T":2000,')
                size = len(stream)
    rate = statistics.median(rates[2:])
    enough = "yes" if rate >= 10_000 else "NO"
    print(f"  {rate:,.0f} timesteps per second, {rate * size / 2000 / 1e6:.0f} MB/s (at least 10,000: {enough})")
