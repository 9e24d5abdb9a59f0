"""Clients that send WebDriver commands to Firefox and WebKitGTK.

Firefox receives the commands through its Marionette port, and WebKitGTK through the HTTP server of its driver. Both
clients need only system packages.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
MINI_BROWSER = "/usr/lib/*-linux-gnu/webkit2gtk-4.*/MiniBrowser"
PATIENCE = 60.0  # seconds until a test gives up


class Driver(Protocol):
    """A client of a browser, with the commands that the tests need."""

    def navigate(self, url: str) -> None: ...
    def script(self, body: str, *args: Any) -> Any: ...
    def click(self, element: dict[str, str]) -> None: ...
    def type(self, element: dict[str, str], keys: str) -> None: ...


def until(condition: Any) -> Any:
    """Return the value of `condition()` as soon as it is true. Raise TimeoutError if it never is."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
    return value


class Firefox:
    """A client that controls Firefox through its Marionette port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._responses = self._socket.makefile("rb")
        self._read()
        self._command("WebDriver:NewSession", capabilities={"alwaysMatch": {}})

    def _read(self) -> Any:
        length = b""
        while (digit := self._responses.read(1)) not in (b":", b""):
            length += digit
        return json.loads(self._responses.read(int(length)))

    def _command(self, name: str, **keys: Any) -> Any:
        message = json.dumps([0, 1, name, keys]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        assert not error, error
        return result

    def navigate(self, url: str) -> None:
        self._command("WebDriver:Navigate", url=url)

    def script(self, body: str, *args: Any) -> Any:
        return self._command("WebDriver:ExecuteScript", script=body, args=args)["value"]

    def click(self, element: dict[str, str]) -> None:
        self._command("WebDriver:ElementClick", id=element[ELEMENT])

    def type(self, element: dict[str, str], keys: str) -> None:
        self._command("WebDriver:ElementSendKeys", id=element[ELEMENT], text=keys)

    def close(self) -> None:
        self._responses.close()
        self._socket.close()


class WebKit:
    """A client that controls WebKitGTK through its driver."""

    def __init__(self, port: int, browser: str) -> None:
        self._base = f"http://127.0.0.1:{port}/session"
        options = {"binary": browser, "args": ["--automation"]}
        session = self._command("", capabilities={"alwaysMatch": {"webkitgtk:browserOptions": options}})
        self._base += f"/{session['sessionId']}"

    def _command(self, path: str, **keys: Any) -> Any:
        request = urllib.request.Request(self._base + path, json.dumps(keys).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def navigate(self, url: str) -> None:
        self._command("/url", url=url)

    def script(self, body: str, *args: Any) -> Any:
        return self._command("/execute/sync", script=body, args=args)

    def click(self, element: dict[str, str]) -> None:
        self._command(f"/element/{element[ELEMENT]}/click")

    def type(self, element: dict[str, str], keys: str) -> None:
        self._command(f"/element/{element[ELEMENT]}/value", text=keys)

    def close(self) -> None:
        urllib.request.urlopen(urllib.request.Request(self._base, method="DELETE"), timeout=PATIENCE).close()


@contextmanager
def _running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the background until the block ends, and yield its process."""
    program = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield program
    finally:
        program.terminate()
        program.wait()


@contextmanager
def firefox(program: str, folder: Path) -> Iterator[Driver]:
    """Run Firefox and yield its client."""
    (folder / "user.js").write_text('user_pref("marionette.port", 0);\n', "utf-8")
    port = folder / "MarionetteActivePort"
    with _running(program, "--headless", "--marionette", "--no-remote", "--profile", str(folder)):
        driver = Firefox(int(until(lambda: port.exists() and port.read_text())))
        try:
            yield driver
        finally:
            driver.close()


@contextmanager
def webkit(program: str, folder: Path) -> Iterator[Driver]:
    """Run WebKitGTK and yield its client. WebKitGTK needs a screen, which Xvfb provides."""
    browser = next(Path("/").glob(MINI_BROWSER[1:]))
    number, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1000x24"],
        pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        display = f":{os.read(number, 16).decode().strip()}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with _running(program, f"--port={port}", DISPLAY=display, HOME=str(folder), GDK_BACKEND="x11"):
            until(lambda: _listens(port))
            driver = WebKit(port, str(browser))
            try:
                yield driver
            finally:
                driver.close()
    finally:
        os.close(number)
        os.close(write)
        screen.terminate()
        screen.wait()


def _listens(port: int) -> bool:
    """Return whether a program accepts connections at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
