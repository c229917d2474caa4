"""`wufeng listen` as a developer runs it: a process beside a server and a receiver."""

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.cli.conftest import environment, run_here

from wufeng.client import verify_webhook


def event(n: int) -> bytes:
    kind = "payment.captured" if n % 2 else "payment.declined"
    return (
        f'{{"id":"evt_{n}","object":"event","type":"{kind}","timestamp":"2026-09-03T04:00:0{n % 10}Z","data":'
        f'{{"business_date":"2026-09-03","id":"pay_{n}","amount_minor":{n * 100},"currency":"CNY"}}}}'
    ).encode()


class Feed:
    """The API's event feed and a receiver on one port: /v1/events by cursor, /hook keeps what it is sent."""

    def __init__(self) -> None:
        self.events = [event(n) for n in range(1, 4)]
        self.problem: tuple[int, str] | None = None
        self.hook_status = 200
        self.asked: list[str] = []
        self.hooked: list[tuple[dict[str, str], bytes]] = []

    def answer(self, query: dict[str, list[str]], authorization: str) -> tuple[int, bytes]:
        after = query.get("after", [""])[0]
        self.asked.append(after)
        if authorization != "Bearer wf_test_key":
            return 401, b'{"code":"unauthenticated","detail":"This key does not exist.","status":401}'
        if self.problem is not None:
            status, code = self.problem
            return status, json.dumps({"code": code, "detail": "busy", "status": status}).encode()
        start = len(self.events) if after == "latest" else int(after.removeprefix("c") or 0)
        page = self.events[start : start + 2]
        end = start + len(page)
        more = b"true" if end < len(self.events) else b"false"
        return 200, b'{"data":[%s],"next":"c%d","has_more":%s}' % (b",".join(page), end, more)


@pytest.fixture
def feed() -> Iterator[tuple[Feed, str]]:
    feed = Feed()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.reply(*feed.answer(parse_qs(parts.query), self.headers.get("authorization", "")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            feed.hooked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.reply(feed.hook_status, b"")

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield feed, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Listening:
    """The command, running."""

    def __init__(self, tmp_path: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wufeng.cli", "listen", "--poll-s", "0.05", *words],
            env=environment(tmp_path / "data", WUFENG_API_KEY="wf_test_key", PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        assert "Traceback" not in err, err
        return self.process.returncode, out, err


def until(true: Callable[[], object], within_s: float = 20.0) -> None:
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)


def test_it_shows_and_forwards_what_happens(tmp_path: Path, feed: tuple[Feed, str]) -> None:
    api, url = feed
    listening = Listening(tmp_path, "--url", url, "--forward-to", f"{url}/hook")
    until(lambda: "c3" in api.asked)
    api.events += [event(4), event(5)]
    until(lambda: "c5" in api.asked)
    code, out, err = listening.end()
    assert code == 0
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", out)
    assert secret is not None
    events = [verify_webhook(secret[0], headers, body) for headers, body in api.hooked]
    assert [(e.id, e.raw) for e in events] == [("evt_4", event(4)), ("evt_5", event(5))], (
        "only new ones, the same bytes"
    )
    line = next(line for line in out.splitlines() if "pay_5" in line)
    assert re.fullmatch(
        r"2026-09-03 04:00:05  payment\.captured +pay_5  5\.00 CNY  → 200 \(\d+ ms\)", line.strip()
    )
    assert "--after c5" in err


def test_it_goes_on_from_a_cursor(tmp_path: Path, feed: tuple[Feed, str]) -> None:
    """By --after, and by a file that is kept: what was shown is not shown again."""
    api, url = feed
    kept = tmp_path / "cursor"
    words = ("--url", url, "--json", "--cursor-file", str(kept))
    listening = Listening(tmp_path, *words, "--after", "first")
    until(lambda: kept.is_file() and kept.read_text() == "c3\n")
    code, out, _ = listening.end(signal.SIGTERM)
    assert code == 0
    assert [json.loads(line)["event"]["id"] for line in out.splitlines()] == ["evt_1", "evt_2", "evt_3"]
    assert all(event(n).decode() in out for n in (1, 2, 3)), "to the byte"
    api.events.append(event(4))
    listening = Listening(tmp_path, *words)
    until(lambda: kept.read_text() == "c4\n")
    _, out, _ = listening.end()
    assert [json.loads(line)["event"]["id"] for line in out.splitlines()] == ["evt_4"]


def test_a_receiver_that_fails_is_shown(tmp_path: Path, feed: tuple[Feed, str]) -> None:
    api, url = feed
    api.hook_status = 500
    listening = Listening(tmp_path, "--url", url, "--json", "--after", "c2", "--forward-to", f"{url}/hook")
    until(lambda: api.hooked)
    until(lambda: "c3" in api.asked)
    _, out, _ = listening.end()
    assert json.loads(out)["forwarded"]["status"] == 500
    listening = Listening(
        tmp_path, "--url", url, "--json", "--after", "c2", "--forward-to", "http://127.0.0.1:9/"
    )
    until(lambda: api.asked.count("c3") > 5)
    _, out, _ = listening.end()
    assert "ConnectError" in json.loads(out)["forwarded"]["failure"]


def test_a_server_that_is_away_is_waited_for(tmp_path: Path, feed: tuple[Feed, str]) -> None:
    api, url = feed
    api.problem = (503, "overloaded")
    listening = Listening(tmp_path, "--url", url, "--after", "first")
    assert listening.process.stdout is not None
    lines = _lines(listening.process.stdout)
    until(lambda: any("busy" in line for line in lines))
    api.problem = None
    until(lambda: any("pay_3" in line for line in lines))
    listening.process.send_signal(signal.SIGINT)
    assert listening.process.wait(20) == 0


def _lines(stream: IO[str]) -> list[str]:
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(iter(stream.readline, "")), daemon=True).start()
    return lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--key", "wrong"], "This key does not exist."),
        (["--forward-to", "ftp://x"], "--forward-to: It must begin with https:// or http://."),
        (
            ["--forward-to", "http://127.0.0.1:1/", "--secret", "whsec_!"],
            "--secret: whsec_ and base 64 are expected",
        ),
        (
            ["--secret", "é", "--forward-to", "http://127.0.0.1:1/"],
            "--secret: whsec_ and base 64 are expected",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    tmp_path: Path, feed: tuple[Feed, str], words: list[str], said: str
) -> None:
    ran = run_here(tmp_path, "listen", "--url", feed[1], *words, WUFENG_API_KEY="wf_test_key")
    assert ran.code == 2
    assert ran.err.strip() == f"wufeng: {said}"


def test_without_a_key(tmp_path: Path) -> None:
    assert "WUFENG_API_KEY" not in os.environ
    ran = run_here(tmp_path, "listen")
    assert ran.code == 2
    assert "--key" in ran.err
