"""The address that the server sees for a visitor: behind a real nginx with the docs' config, and without a proxy."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.support.commands import exit_code, serving
from tests.support.nginx_server import installed

HOST = (Path(__file__).parents[2] / "docs" / "how-to" / "host.md").read_text()
(COMMAND,) = re.findall(r"^    GRUSCOPE_HOSTS=scope.example gruscope (serve .*--proxy-headers)$", HOST, re.M)
(LOCATION,) = re.findall(r"^```nginx\n(.*?)^```$", HOST, re.M | re.S)

needs_nginx = pytest.mark.skipif(
    installed() is None or sys.platform != "linux", reason="there is no nginx here, or no 127.0.0.2"
)


@contextmanager
def nginx(folder: Path, server: int) -> Iterator[int]:
    """Run nginx in front of a server, with the configuration from the docs, and yield the port of nginx."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; events {{}}"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port};"
        f"{LOCATION.replace('127.0.0.1:8000', f'127.0.0.1:{server}')} }} }}"
    )
    command = [installed() or "", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        assert process.poll() is None
        yield port
    finally:
        process.terminate()
        process.wait()


def get(port: int, path: str, address: str = "127.0.0.1", **headers: str) -> HTTPResponse:
    """Request `path` with `address`, one of this machine's addresses, as the client. Return the response."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20, source_address=(address, 0))
    sent_headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"Connection": "close"}
    connection.request("GET", path, headers=sent_headers)
    response = connection.getresponse()
    response.read()
    return response


def guess(port: int, path: str, address: str = "127.0.0.1", claimed: str | None = None) -> int:
    """Request a room with a wrong code and return the status: 404, or 429 after many guesses from `address`."""
    headers = {} if claimed is None else {"X_Forwarded_For": claimed}
    return get(port, f"{path}api/rooms/NOSUCH/qr.svg", address, **headers).status


def exhaust(port: int, path: str, address: str) -> None:
    """Guess room codes until `address` gets status 429. Each request claims to come from a different address."""
    for n in range(1_000):
        if guess(port, path, address, f"192.0.2.{n % 250}, 10.0.0.{n % 250}") == 429:
            return
    raise AssertionError("no limit holds")


@needs_nginx
def test_behind_nginx_each_visitor_has_limits_by_the_address_that_nginx_sets(tmp_path: Path) -> None:
    with serving(*shlex.split(COMMAND), "--port", "0") as (_, _, url):
        port = int(re.findall(r":(\d+)", url)[0])
        with nginx(tmp_path, port) as outside:
            exhaust(outside, "/scope/", "127.0.0.2")
            assert guess(outside, "/scope/", "127.0.0.2", "127.0.0.1") == 429
            assert guess(outside, "/scope/", "127.0.0.1") == 404
            assert guess(outside, "/scope/", "127.0.0.3", "127.0.0.2") == 404
            # This nginx has no certificate, so no request is really HTTPS, even if it claims to be.
            secure = "Strict-Transport-Security"
            assert get(outside, "/scope/", X_Forwarded_Proto="https").headers[secure] is None
        assert get(port, "/", X_Forwarded_Proto="https").headers[secure]


def test_without_the_flag_forwarded_headers_are_ignored() -> None:
    with serving("serve", "--no-browser", "--port", "0") as (_, _, url):
        port = int(re.findall(r":(\d+)", url)[0])
        exhaust(port, "/", "127.0.0.1")
        assert get(port, "/", X_Forwarded_Proto="https").headers["Strict-Transport-Security"] is None


@needs_nginx
def test_only_the_named_proxies_may_set_forwarded_headers() -> None:
    proxies = ["--proxy-headers", "--forwarded-allow-ips", "127.0.0.2, 127.0.1.0/24"]
    with serving("serve", "--no-browser", "--port", "0", *proxies) as (_, _, url):
        port = int(re.findall(r":(\d+)", url)[0])
        for proxy, believed in (("127.0.0.1", False), ("127.0.0.2", True), ("127.0.1.9", True)):
            response = get(port, "/", proxy, X_Forwarded_Proto="https")
            assert ("Strict-Transport-Security" in response.headers) == believed


@pytest.mark.parametrize(
    "arguments", [["--forwarded-allow-ips", "10.0.0.1"], ["--proxy-headers", "--forwarded-allow-ips", "10.0.0.x"]]
)
def test_a_list_of_proxies_without_effect_is_an_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("serve", "--no-browser", *arguments) == 2
    assert arguments[-2] in capsys.readouterr().err
