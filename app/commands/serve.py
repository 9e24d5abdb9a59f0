"""gruscope serve: open the lab in a browser."""

from __future__ import annotations

import argparse
import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from dataclasses import replace
from ipaddress import ip_network
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from gru_core.numerals import whole

from ..interrupts import deaf_children
from ..main import create_app
from ..server.connections import protocol
from ..server.log import LOG
from ..server.primary import POSSIBLE, Primary
from ..settings import Settings, with_cache

try:
    import resource
except ImportError:  # Windows has no limit of open files
    resource = None  # type: ignore[assignment]

HELP = "start a server and open the Lab in a browser (the default command)"
EXAMPLES = ("gruscope", "gruscope serve --port 9000 --no-browser", "gruscope serve --workers 2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="port; if it is taken, the next free port (default: %(default)s)"
    )
    parser.add_argument(
        "--root-path", default="", metavar="/scope", help="path at which a proxy serves GRU Scope, if not at /"
    )
    parser.add_argument(
        "--proxy-headers",
        action="store_true",
        help="read the visitor's address from X-Forwarded-For and the scheme (http or https) from X-Forwarded-Proto, "
        "if a trusted proxy sends them",
    )
    parser.add_argument(
        "--forwarded-allow-ips",
        type=_proxies,
        metavar="ADDRESSES",
        help="proxies to trust with --proxy-headers: addresses and networks, separated by commas, or * for all "
        "(default: the variable FORWARDED_ALLOW_IPS; without it, only proxies on this machine)",
    )
    parser.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="worker processes (default: %(default)s)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--scheduler", metavar="tls://HOST:PORT", help="train on the Dask cluster of this scheduler")
    parser.add_argument("--read-only", action="store_true", help="refuse uploads, but serve the models that are stored")


def _port(text: str) -> int:
    port = whole(text)
    if port is None or port >= 2**16:
        raise argparse.ArgumentTypeError("a port is a whole number from 0 to 65535")
    return port


def _workers(text: str) -> int:
    number = whole(text)
    if number is None or not 0 < number < 1_000:
        raise argparse.ArgumentTypeError("the number of workers is a whole number from 1 to 999")
    return number


def _proxies(text: str) -> str:
    try:
        networks = [ip_network(part.strip()) for part in text.split(",") if text != "*"]
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            "proxies are IP addresses such as 10.0.0.2 and networks such as 10.0.0.0/8, separated by commas, or *"
        ) from error
    return ",".join(str(network) for network in networks) or "*"


OTHER_FILES = 200
"""Files that are open beside connections: pipes of processes, models, Redis."""


def _allowed(connections: int) -> int:
    """Raise this process's limit of open files for so many connections; return how many the system then allows."""
    if resource is None:
        return connections
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (OSError, ValueError):  # macOS has a lower limit than it says
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return max(1, min(connections, soft - OTHER_FILES))
    return connections


def _bind(host: str, port: int) -> socket.socket:
    """A socket at that port, or at the next free one of the twenty after it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + 20, 2**16)):
        # The protocol is named because asyncio switches Nagle's delay off (40 ms a stream) only where it is.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":  # elsewhere it would share a taken port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or candidate == min(port + 19, 2**16 - 1):
                ports = f"port {port}" if candidate == port else f"ports {port} to {candidate}"
                raise OSError(f"{ports} on {host} cannot be used: {error.strerror}") from error
            continue
        return listener
    raise AssertionError


def run(options: argparse.Namespace, page: str = "", lessons: str | None = None) -> int:
    """Serve as the options say, `lessons` of this folder; `page` is what a browser opens."""
    try:
        settings = with_cache(Settings.from_environment())
    except ValueError as error:
        print(f"gruscope: {error}", file=sys.stderr)
        return 1
    if lessons is not None:
        settings = replace(settings, lessons=lessons)
    if options.scheduler:
        settings = replace(settings, scheduler=options.scheduler)
    if options.read_only:
        settings = replace(settings, read_only=True)
    proxies: str | None = None
    if options.proxy_headers:
        proxies = options.forwarded_allow_ips or os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
    elif options.forwarded_allow_ips:
        print("gruscope: --forwarded-allow-ips needs --proxy-headers: add --proxy-headers", file=sys.stderr)
        return 2
    return serve(
        settings,
        options.host,
        options.port,
        not options.no_browser,
        options.root_path,
        page,
        proxies=proxies,
        workers=options.workers,
    )


def serve(
    settings: Settings,
    host: str,
    port: int,
    browser: bool,
    root_path: str = "",
    page: str = "",
    proxies: str | None = None,
    workers: int = 1,
) -> int:
    """Serve until told to end, with a browser opened at `page` if there is to be one. The exit status.

    `proxies` are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed. Raises KeyboardInterrupt after
    Ctrl+C.
    """
    if workers > 1 and not POSSIBLE:
        print("gruscope: --workers needs Unix sockets, which Windows does not have: leave it out", file=sys.stderr)
        return 1
    # One of several processes may have the streams of all.
    allowed = _allowed(workers * settings.max_connections) // workers
    if allowed < settings.max_connections:
        each = " for each worker" if workers > 1 else ""
        print(f"this system allows only {allowed} of {settings.max_connections} connections{each}: raise ulimit -n")
        settings = replace(settings, max_connections=allowed)
    settings = replace(settings, hosts=f"{settings.hosts},{host}")
    with tempfile.TemporaryDirectory(prefix="gruscope-") as folder:
        worker = Worker(settings, root_path, proxies, folder if workers > 1 else "", workers)
        try:
            if workers == 1:
                worker.load()
            else:  # what every worker would refuse is refused here, once
                asyncio.run(create_app(settings, Primary(Path(folder), settings)).state.trainings.close())
            listener = _bind(host, port)
        except (ImportError, OSError, ValueError) as error:
            print(f"gruscope: {error}", file=sys.stderr)
            return 1
        if not settings.uploads:
            print("uploads are off: set GRUSCOPE_UPLOADS to a folder for uploaded models")
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; a visitor who stops reading would hold a stream for ever
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.stalled_ms)
        bound = listener.getsockname()[1]
        if port and bound != port:
            print(f"port {port} is taken; using {bound} instead")
        if workers > 1 and not settings.redis:
            others = "the others forward" if workers > 2 else "the other forwards"
            print(f"one of the {workers} workers serves all rooms, and {others} requests about rooms to it")
            print("to let every worker serve every room, set GRUSCOPE_REDIS")
        worker.url = f"http://{f'[{host}]' if ':' in host else host}:{bound}/{page}"
        worker.browser = browser
        sys.stdout.flush()
        if workers == 1:
            uvicorn.Server(worker).run([listener])
            return 0
        return Workers(worker, listener).serve()


class Worker(uvicorn.Config):
    """How a process serves. Each of several gets a copy, and makes the application and the protocol for itself.

    `folder` is what several processes share, "" for one alone. `url` is where the first to serve says that they are.
    """

    url, browser = "", False

    def __init__(self, settings: Settings, root_path: str, proxies: str | None, folder: str, workers: int) -> None:
        super().__init__(
            "",
            ws="none",
            root_path=root_path.rstrip("/"),
            proxy_headers=proxies is not None,  # uvicorn would trust everything on this machine
            forwarded_allow_ips=proxies,
            log_level="warning",
            timeout_graceful_shutdown=settings.shutdown_seconds,
            server_header=False,
            workers=workers,
            callback_notify=self.serving,
            timeout_notify=10**9,  # seconds: once, when it has begun to serve
            timeout_worker_healthcheck=30,  # a process that begins on a busy machine takes more than uvicorn's 5
        )
        self.settings, self.folder = settings, folder

    def load(self) -> None:
        """Make what serves. Raises ImportError, OSError or ValueError as `create_app`."""
        logging.basicConfig(format="%(asctime)s %(message)s")
        LOG.setLevel(logging.INFO)
        parent = parent_process()
        if parent is not None:
            threading.Thread(target=_end_after, args=[parent.sentinel], daemon=True).start()
        shared = Primary(Path(self.folder), self.settings) if self.folder else None
        app = create_app(self.settings, shared)
        bounded: Any = protocol(self.settings)

        class Protocol(bounded):  # type: ignore[misc]
            def shutdown(self) -> None:
                # uvicorn waits for streams, and those of rooms end only when they are told to.
                app.state.rooms.leave()
                super().shutdown()

        self.app, self.http = app, Protocol
        super().load()

    @property
    def _mark(self) -> Path:
        """A file that is there from when the first of several processes serves."""
        return Path(self.folder) / "serving"

    @property
    def begun(self) -> bool:
        return self._mark.exists()

    async def serving(self) -> None:
        """What is done once visitors are answered."""
        # Looking through all objects for cycles holds up a class of 1,000 for 0.2 s: what is here by now stays, and
        # what comes later is looked through ten times more rarely.
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 100)
        if self.folder:
            try:
                self._mark.touch(exist_ok=False)
            except FileExistsError:  # another has said it
                return
        print(f"GRU Scope is at {self.url} (press Ctrl+C to stop the server)", flush=True)
        if self.browser:
            threading.Thread(target=webbrowser.open, args=[self.url], daemon=True).start()


def _end_after(parent: int) -> None:
    """End this process as soon as its parent has, which may have been killed."""
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


class Workers(Multiprocess):
    """uvicorn's supervisor of several processes: it replaces those that die."""

    interrupted = False

    def __init__(self, worker: Worker, listener: socket.socket) -> None:
        super().__init__(worker, [listener])
        self.worker = worker

    def serve(self) -> int:
        """Serve until told to end. The exit status. Raises KeyboardInterrupt when that is how it was ended."""
        self.run()
        if self.interrupted:
            raise KeyboardInterrupt
        return 1 if any(process.exitcode == STARTUP_FAILURE for process in self.processes) else 0

    def init_processes(self) -> None:
        with deaf_children():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        # Processes that all begin still cannot say that they are well, and Ctrl+C would wait for them to.
        if self.worker.begun or any(process.exitcode is not None for process in self.processes):
            with deaf_children():
                super().keep_subprocess_alive()

    def handle_int(self) -> None:
        self.interrupted = True
        super().handle_int()
