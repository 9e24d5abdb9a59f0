"""gruscope serve: start a server, and open the Lab in a browser."""

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

from ..interrupts import ignore_interrupts_in_children
from ..main import create_app
from ..server.connections import protocol
from ..server.log import LOG
from ..server.primary import POSSIBLE, Primary
from ..settings import Settings, is_loopback, with_cache
from .messages import fail
from .numbers import whole_number

try:
    import resource
except ImportError:  # Windows has no limit of open files
    resource = None  # type: ignore[assignment]

HELP = "start a server and open the Lab in a browser (the default command)"
EXAMPLES = ("gruscope", "gruscope serve --port 9000 --no-browser", "gruscope serve --workers 2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=whole_number("a port is a whole number from 0 to 65535", 0, 65_535),
        default=8000,
        help="port; if it is taken, the next free port (default: %(default)s)",
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
        "--workers",
        type=whole_number("the number of workers is a whole number from 1 to 999", 1, 999),
        default=1,
        metavar="N",
        help="worker processes (default: %(default)s)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--scheduler", metavar="tls://HOST:PORT", help="train on the Dask cluster of this scheduler")
    parser.add_argument("--read-only", action="store_true", help="refuse uploads, but serve the models that are stored")


def _proxies(text: str) -> str:
    try:
        networks = [ip_network(part.strip()) for part in text.split(",") if text != "*"]
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            "proxies are IP addresses such as 10.0.0.2 and networks such as 10.0.0.0/8, separated by commas, or *"
        ) from error
    return ",".join(str(network) for network in networks) or "*"


OTHER_FILES = 200
"""The number of open files to allow besides connections: for pipes to processes, models and Redis."""


def _raise_file_limit(connections: int) -> int:
    """Raise the limit on open files of this process. Return how many of `connections` the system then allows."""
    if resource is None:
        return connections
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (OSError, ValueError):  # macOS reports a higher limit than it allows
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return max(1, min(connections, soft - OTHER_FILES))
    return connections


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the first free port from `port` to `port + 19`. Raises OSError if all are taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + 20, 2**16)):
        # With an explicit protocol asyncio turns off Nagle's algorithm, which would delay a stream by 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":  # on Windows this would share a port that is in use
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
    """Start a server, and return the exit status. A browser opens `page`, unless --no-browser is given.

    `lessons`, if given, is the folder of lessons.
    """
    try:
        # A proxy passes on the requests of other machines.
        local = is_loopback(options.host) and not options.proxy_headers
        settings = with_cache(Settings.from_environment(local=local))
    except ValueError as error:
        return fail(str(error))
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
        return fail("--forwarded-allow-ips needs --proxy-headers: add --proxy-headers", 2)
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
    """Run the server until a signal ends it, and return the exit status. If `browser`, open `page` in a browser.

    `proxies` lists the trusted proxies; the server reads their X-Forwarded-For and X-Forwarded-Proto headers. Raises
    KeyboardInterrupt after Ctrl+C.
    """
    if workers > 1 and not POSSIBLE:
        return fail("--workers needs Unix sockets, which Windows does not have: leave it out")
    # One of several workers may serve the streams of all workers.
    allowed = _raise_file_limit(workers * settings.max_connections) // workers
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
            else:  # find errors once here, and not in each worker
                asyncio.run(create_app(settings, Primary(Path(folder), settings)).state.trainings.close())
            listener = _bind(host, port)
        except (ImportError, OSError, ValueError) as error:
            return fail(str(error))
        if not settings.uploads:
            print("uploads are off: set GRUSCOPE_UPLOADS to a folder for uploaded models")
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Linux only: otherwise a client that stops reading would keep its stream open forever.
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
    """The uvicorn config of a worker. Each worker process gets a copy, and creates its own application and protocol.

    `folder` is the folder that all workers share, or "" if there is only one worker. The first worker that serves
    prints `url`.
    """

    url, browser = "", False

    def __init__(self, settings: Settings, root_path: str, proxies: str | None, folder: str, workers: int) -> None:
        super().__init__(
            "",
            ws="none",
            root_path=root_path.rstrip("/"),
            proxy_headers=proxies is not None,  # uvicorn's default trusts everything on this machine
            forwarded_allow_ips=proxies,
            log_level="warning",
            timeout_graceful_shutdown=settings.shutdown_seconds,
            server_header=False,
            workers=workers,
            callback_notify=self.serving,
            timeout_notify=10**9,  # seconds between calls: one call, after the start
            timeout_worker_healthcheck=30,  # on a busy machine a start takes longer than uvicorn's 5
        )
        self.settings, self.folder = settings, folder

    def load(self) -> None:
        """Create the application and the protocol. Raises the ImportError, OSError or ValueError of `create_app`."""
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
                # uvicorn waits for open streams, and `leave` is what ends the streams of rooms.
                app.state.rooms.leave()
                super().shutdown()

        self.app, self.http = app, Protocol
        super().load()

    @property
    def _started_file(self) -> Path:
        """The path of a file in the shared folder. The first worker that serves creates it."""
        return Path(self.folder) / "serving"

    @property
    def started(self) -> bool:
        return self._started_file.exists()

    async def serving(self) -> None:
        """Tune the garbage collector, print the address and open the browser. Called when the server is ready."""
        # With a class of 1,000, a full garbage collection stops the server for 0.2 s. The objects that exist now are
        # therefore never checked again, and full collections are ten times rarer.
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 100)
        if self.folder:
            try:
                self._started_file.touch(exist_ok=False)
            except FileExistsError:  # another worker has printed the address
                return
        print(f"GRU Scope is at {self.url} (press Ctrl+C to stop the server)", flush=True)
        if self.browser:
            threading.Thread(target=webbrowser.open, args=[self.url], daemon=True).start()


def _end_after(parent: int) -> None:
    """End this process when its parent ends, even if the parent is killed."""
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


class Workers(Multiprocess):
    """uvicorn's supervisor of worker processes. It replaces workers that die."""

    interrupted = False

    def __init__(self, worker: Worker, listener: socket.socket) -> None:
        super().__init__(worker, [listener])
        self.worker = worker

    def serve(self) -> int:
        """Serve until a signal ends the server, and return the exit status. Raises KeyboardInterrupt after Ctrl+C."""
        self.run()
        if self.interrupted:
            raise KeyboardInterrupt
        return 1 if any(process.exitcode == STARTUP_FAILURE for process in self.processes) else 0

    def init_processes(self) -> None:
        with ignore_interrupts_in_children():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        # While all workers are still starting, health checks would fail, and Ctrl+C would wait for the checks.
        if self.worker.started or any(process.exitcode is not None for process in self.processes):
            with ignore_interrupts_in_children():
                super().keep_subprocess_alive()

    def handle_int(self) -> None:
        self.interrupted = True
        super().handle_int()
