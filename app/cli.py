"""The `gruscope` command."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from app.main import create_app
from app.settings import Settings
from gru_core.presets.recipes import RECIPES, train


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="gruscope",
        description="See what a gated recurrent unit does with a sequence.",
        epilog="examples:\n  gruscope\n  gruscope serve --port 9000 --no-browser\n  gruscope train sentiment",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="serve | train")
    serve_parser = commands.add_parser("serve", help="open the lab in a browser (what happens without a command)")
    serve_parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve_parser.add_argument(
        "--port", type=_port, default=8000, help="port, or the next free one (default: %(default)s)"
    )
    serve_parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    train_parser = commands.add_parser("train", help="make a shipped model again, from its recipe and seed")
    train_parser.add_argument("name", choices=RECIPES, metavar="NAME", help=", ".join(RECIPES))
    train_parser.add_argument("--out", type=Path, help="file to write (default: NAME.safetensors)")

    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "serve")
    options = parser.parse_args(given)
    if options.command == "train":
        return _train(options.name, options.out or Path(f"{options.name}.safetensors"))
    return _serve(options.host, options.port, not options.no_browser)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) < 2**16:
        raise argparse.ArgumentTypeError("a port is a whole number from 0 to 65535")
    return int(text)


def _train(name: str, out: Path) -> int:
    try:
        out.touch()  # better known before the work than after it
    except OSError as error:
        print(f"gruscope: {out} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    for snapshot in train(RECIPES[name]):
        print(f"\rstep {snapshot.step}  loss {snapshot.loss:.4f}  score {snapshot.score:.4f}", end="", file=sys.stderr)
    print(file=sys.stderr)
    snapshot.model.save(out)
    print(f"{out}: {snapshot.model.card.summary}")
    if not snapshot.reached:
        print(f"gruscope: {name} did not get as good as its recipe asks", file=sys.stderr)
        return 1
    return 0


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
                raise OSError(f"port {candidate} on {host} cannot be had: {error.strerror}") from error
            continue
        return listener
    raise AssertionError


def _serve(host: str, port: int, browser: bool) -> int:
    try:
        settings = Settings.from_environment()
        app = create_app(settings)
        listener = _bind(host, port)
    except (OSError, ValueError) as error:
        print(f"gruscope: {error}", file=sys.stderr)
        return 1
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; a visitor who stops reading would hold a stream for ever
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, settings.stalled_ms)
    bound = listener.getsockname()[1]
    if port and bound != port:
        print(f"port {port} is taken; using {bound} instead")
    url = f"http://{f'[{host}]' if ':' in host else host}:{bound}/"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"GRU Scope is at {url} (Ctrl+C ends it)", flush=True)
            if browser:
                threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()

    config = uvicorn.Config(
        app,
        http="h11",  # refuses headers past 16 KiB
        log_level="warning",
        timeout_graceful_shutdown=settings.shutdown_seconds,
        server_header=False,
    )
    Server(config).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
