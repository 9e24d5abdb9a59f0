"""Load tests of rooms with 300 and 1,000 followers, stalled and hostile clients, restarts and full queues.

`make load` runs all parts except growth. `make load PARTS=growth HOURS=2` measures whether the server's memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import signal
import socket
import sys
import tempfile
import time

from benchmarks.crowd import Follower, Post, Socket, quantile
from benchmarks.hostile import follow, freeze, full, hostile, nat, rooms, votes
from benchmarks.room import CLASS, LIMITS, MOVES, OURS, Room, Running, print_check, print_limit, running
from benchmarks.soak import tables
from benchmarks.timing import verdict
from tests.support.ports import free_port

STALLED = 5
CUTS = 1_000
TRAININGS = 200
KILLS, VOTING = 50, 60


class Other(Room):
    """A room in a program that uses another library. The program has only one room, with its view at /view."""

    async def open(self, secret: str | None = None) -> Room:
        self.post, self.view_path = Post(f"http://{self.crowd.host}:{self.crowd.port}/", {}), "/view"
        return self


async def measured(
    room: Room, server: Running, count: int, seconds: float, path: str, kind: type[Follower] = Follower
) -> dict[str, float]:
    """Measure a class of `count` followers. Return delays in ms, and the server's processor time and memory."""
    before = server.kib()
    await room.crowd.join(count, path, kind)
    await asyncio.sleep(1)
    start, used = time.perf_counter(), server.seconds()
    await room.lead(seconds)
    cpu = (server.seconds() - used) / (time.perf_counter() - start)
    arrived = await room.arrived()
    delays = room.crowd.delays()
    room.crowd.posted.clear()
    received = len(delays) / (count * int(seconds * MOVES))
    backward = sum(follower.backward for follower in room.crowd.followers)
    return {
        "p99": 1000 * quantile(delays, 0.99), "p50": 1000 * quantile(delays, 0.5), "cpu": 100 * cpu,
        "kib": (server.kib() - before) / count, "arrived": float(arrived and not backward), "received": received,
    }  # fmt: skip


async def classes(seconds: float) -> None:
    results: dict[str, dict[str, float]] = {}
    for count, length, most, cpu in ((CLASS, seconds, 30, 12), (1_000, min(seconds, 120), 60, 35)):
        async with running([*OURS, "0"]) as server:
            room = await Room(server.url).open()
            now = await measured(room, server, count, length, f"{room.path}/events")
            print(f"{count} followers for {length:.0f} s, {MOVES} moves a second", flush=True)
            print_check("no follower ended on an older state, or went back to one", now["arrived"] == 1)
            print_limit("from the teacher's post to a follower, p99", now["p99"], most, "ms")
            print_limit("CPU of a core", now["cpu"], cpu, "%")
            print_limit("memory for each", now["kib"], 40, "KiB")
            print(f"  p50 {now['p50']:.1f} ms; {100 * now['received']:.1f} % of all moves were received", flush=True)
            room.crowd.leave()
    print(f"{CLASS} followers for 30 s, with other libraries, and ours in comparison", flush=True)
    for name, path, kind in (
        ("ours", "", Follower),
        ("sse-starlette", "/events", Follower),
        ("python-socketio", "/socket.io/?EIO=4&transport=websocket", Socket),
    ):
        command = [*OURS, "0"] if name == "ours" else [sys.executable, "-m", "benchmarks.other_rooms", name]
        async with running(command) as server:
            room = await (Room if name == "ours" else Other)(server.url).open()
            results[name] = await measured(room, server, CLASS, 30, path or f"{room.path}/events", kind)
            room.crowd.leave()
            now = results[name]
            costs = f"{now['cpu']:.1f} % of a core, {now['kib']:.0f} KiB each"
            print(f"  {name}: p50 {now['p50']:.1f}, p99 {now['p99']:.1f} ms, {costs}", flush=True)
            if name != "ours":
                verdict(f"ours over {name}, p99", results["ours"]["p99"] / now["p99"], 1)


async def stalled() -> None:
    """Measure a class while some followers with small receive buffers read nothing."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS - STALLED, f"{room.path}/events")
        loop, sleepers = asyncio.get_running_loop(), []
        for _ in range(STALLED):
            sleeper = socket.socket()
            sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sleeper.setblocking(False)
            await loop.sock_connect(sleeper, (room.crowd.host, room.crowd.port))
            await loop.sock_sendall(sleeper, follow(room))
            sleepers.append(sleeper)
        reader, writer = await asyncio.open_connection(room.crowd.host, room.crowd.port)
        request = f"GET {room.path}/class HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {room.secret}\r\n\r\n"
        writer.write(request.encode())
        start, disconnected, most = time.perf_counter(), float("inf"), 0
        leading = asyncio.create_task(room.lead(45))
        while not leading.done():
            if match := re.search(rb'"followers":(\d+)', await reader.readline()):
                followers = int(match[1])
                most = max(most, followers)
                if followers == most - STALLED:
                    disconnected = min(disconnected, time.perf_counter() - start)
        await leading
        writer.close()
        print(f"{STALLED} of {CLASS} read nothing", flush=True)
        print_limit("the last of them was disconnected after", disconnected, 35, "s")
        print_limit("p99 of the others", 1000 * quantile(room.crowd.delays(), 0.99), 30, "ms")
        print_check("all others ended on the newest state", await room.arrived())
        for sleeper in sleepers:
            sleeper.close()
        room.crowd.leave()


async def cuts() -> None:
    chance = random.Random(0)
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        followers = await room.crowd.join(CLASS, f"{room.path}/events")
        leading = asyncio.create_task(room.lead(40))
        for _ in range(CUTS):
            follower = chance.choice(room.crowd.followers)
            follower.transport.abort()
            room.crowd.followers.remove(follower)
            headers = f"X-Device: {follower.device}\r\nLast-Event-ID: {follower.id}\r\n"
            (new,) = await room.crowd.join(1, f"{room.path}/events", headers=headers)
            new.seen = max(new.seen, follower.seen)
        await leading
        await room.step()
        print(f"{CUTS} connections of {len(followers)} cut at random while the cursor moved", flush=True)
        print_check("every follower ended on the newest state", await room.arrived())
        room.crowd.leave()


async def answers() -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.ask("a", "b", "c")
        start = time.perf_counter()

        async def answer_twice(n: int, follower: Follower) -> int:
            await asyncio.sleep(n / CLASS / 2)
            post = Post(server.url, {"x-device": follower.device})
            for answer in (0, n % 3):  # every third follower repeats its answer
                status, _ = await post(f"{room.path}/answers", {"question": follower.question, "answer": answer})
            return status

        counted = await asyncio.gather(*(answer_twice(n, each) for n, each in enumerate(room.crowd.followers)))
        seconds = time.perf_counter() - start
        await room.reveal()
        print(f"{CLASS} followers answer, and change their answer, in {seconds:.2f} s", flush=True)
        print_check(
            "the last answer of each follower is counted once",
            {tuple(follower.counts) for follower in room.crowd.followers} == {(100, 100, 100)}
            and set(counted) == {204},
        )
        room.crowd.leave()


async def restart() -> None:
    """End the server with SIGTERM, and start another server at the same port."""
    port = str(free_port())
    async with running([*OURS, port]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.lead(2)
        start = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait)
        print(f"SIGTERM with {CLASS} followers", flush=True)
        print_limit("the process had ended after", time.perf_counter() - start, 5, "s")
    devices = [(follower.device, follower.id) for follower in room.crowd.followers]
    room.crowd.leave()
    async with running([*OURS, port]) as server:
        await room.open(room.secret)
        for device, id in devices:
            await room.crowd.join(1, f"{room.path}/events", headers=f"X-Device: {device}\r\nLast-Event-ID: {id}\r\n")
        await room.step()
        print_check(
            "the room, opened again with its secret, sends the newest state to all of them", await room.arrived()
        )
        room.crowd.leave()


async def trainings() -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        leading = asyncio.create_task(room.lead(40))
        statuses = []
        for seed in range(TRAININGS):
            post = Post(server.url, {})
            status, _ = await post("/api/trainings", {"task": "sentiment", "units": 8, "seed": 1_000 + seed})
            statuses.append(status)
            await asyncio.sleep(0.15)
        await leading
        taken, waits = statuses.count(201), statuses.count(429)
        print(f"{TRAININGS} trainings requested at the same time: {taken} accepted, {waits} refused", flush=True)
        print_limit("p99 of the class", 1000 * quantile(room.crowd.delays(), 0.99), 250, "ms")
        print_check("every follower ended on the newest state", await room.arrived())
        room.crowd.leave()


async def kills() -> None:
    """Kill the server many times while students answer a question."""
    port = str(free_port())
    right, question, devices, room = 0, 0, list[str](), Room(f"http://127.0.0.1:{port}/")
    with tempfile.TemporaryDirectory() as folder:
        for n in range(KILLS + 1):
            async with running([*OURS, port], LIMITS | {"GRUSCOPE_UPLOADS": folder}) as server:
                if n == 0:
                    await room.open()
                    await room.crowd.join(VOTING, f"{room.path}/events")
                    await room.ask("a", "b")
                    question = room.crowd.followers[0].question
                    devices = [follower.device for follower in room.crowd.followers]
                else:
                    for device in devices:
                        await room.crowd.join(1, f"{room.path}/events", headers=f"X-Device: {device}\r\n")
                    await room.all_have_question()
                    tally = (await room.teacher_state())["answers"]["class"][0]
                    same = {follower.question for follower in room.crowd.followers} == {question}
                    right += same and tally["counts"] == [VOTING - n + 1, n - 1]
                if n < KILLS:  # the n-th device changes its answer just before the kill
                    for i, device in enumerate(devices):
                        post = Post(server.url, {"x-device": device})
                        if n == 0 or i == n - 1:
                            await post(f"{room.path}/answers", {"question": question, "answer": int(i < n)})
                            post.close()
                server.process.kill()
            room.crowd.leave()
    print(f"kill -9 in the middle of a question, {KILLS} times, with {VOTING} votes", flush=True)
    print_check(f"the same question with the same counts, {right} of {KILLS} times", right == KILLS)


async def growth(hours: float) -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.lead(300)
        start, first = time.perf_counter(), server.kib()
        while time.perf_counter() - start < 3600 * hours:
            await room.lead(60)
            room.crowd.posted.clear()
            for follower in room.crowd.followers:
                follower.delays.clear()
            passed = (time.perf_counter() - start) / 3600
            print(f"  {60 * passed:.0f} min: {(server.kib() - first) / 1024:+.2f} MB", flush=True)
        rate = (server.kib() - first) / 1024 / hours
        print_limit(f"growth with {CLASS} followers over {hours:g} h", rate, 5, "MB per hour")
        room.crowd.leave()


PARTS = {
    "votes": votes,
    "rooms": rooms,
    "kills": kills,
    "stalled": stalled,
    "cuts": cuts,
    "answers": answers,
    "restart": restart,
    "trainings": trainings,
    "hostile": hostile,
    "freeze": freeze,
    "memory": tables,
    "full": full,
    "nat": nat,
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["classes", *PARTS], help="classes, growth, " + ", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=600, help="of a class")
    parser.add_argument("--hours", type=float, default=2, help="of growth")
    options = parser.parse_args()
    for part in options.parts:
        if part not in ("classes", "growth", *PARTS):
            parser.error(f"there is no part {part!r}; the parts are classes, growth, {', '.join(PARTS)}")
    for part in options.parts:
        if part == "classes":
            await classes(options.seconds)
        elif part == "growth":
            await growth(options.hours)
        else:
            await PARTS[part]()


if __name__ == "__main__":
    asyncio.run(main())
