"""Logs as people ask for them: what of them, and following over whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue

import httpx
import pytest
from pydantic import SecretStr
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.models import LogLevel, LogLine
from gofastapi_ext.core.variables import EnvChange, Setting

COMMAND = str(Path(sys.executable).with_name("gofastapi"))

APP = """
import logging
import os
from fastapi import FastAPI

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
app = FastAPI()

@app.get("/say")
def say(word: str, times: int = 1):
    for number in range(times):
        print(f"{word} {number}" if times > 1 else word)
    return os.getpid()

@app.get("/log")
def log(level: str, word: str):
    logging.getLogger("shop").log(getattr(logging, level), word)

@app.get("/fail")
def fail():
    raise ValueError("sold out")
"""


@pytest.fixture(scope="module")
def hurt() -> Iterator[Platform]:
    """A service of its own with small logs, for tests that do it harm."""
    with running_platform(GOFASTAPI_LOG_MAX_BYTES="40000") as running:
        yield running


def texts(platform: Platform, app_id: str, **wanted: object) -> list[str]:
    return [line.text for line in platform.client.logs(app_id, **wanted)]  # type: ignore[arg-type]


def say(platform: Platform, url: str, word: str, app_id: str) -> datetime:
    """Have it print a word, and wait until that stands in the log. When it did."""
    get(url, f"/say?word={word}")
    (line,) = until(lambda: list(platform.client.logs(app_id, grep=word)), what=word)
    return line.time


def test_since_until_grep_and_instance(platform: Platform) -> None:
    url = platform.deploy_live("asked", APP)
    first = get(url, "/say?word=apple").json()
    say(platform, url, "Banana", "asked")
    time.sleep(0.01)  # another millisecond
    middle = say(platform, url, "cherry", "asked")
    platform.deploy_live("asked", APP + "\n")
    time.sleep(0.01)
    say(platform, url, "banana-2", "asked")
    assert texts(platform, "asked", grep="BANANA") == ["Banana", "banana-2"]
    assert texts(platform, "asked", grep="banana", tail=1) == ["banana-2"]
    assert texts(platform, "asked", since=middle, pid=first) == ["cherry"]
    assert texts(platform, "asked", since=middle)[0] == "cherry"
    assert texts(platform, "asked", until=middle) == ["apple", "Banana", "cherry"]
    assert texts(platform, "asked", pid=first, tail=2) == ["Banana", "cherry"]
    assert texts(platform, "asked", grep="nothing like it") == []


def test_levels(platform: Platform) -> None:
    url = platform.deploy_live("levels", APP)
    get(url, "/log?level=INFO&word=open")
    get(url, "/log?level=WARNING&word=few-left")
    get(url, "/say?word=unsure")
    get(url, "/fail")
    until(lambda: texts(platform, "levels", grep="sold out"), what="the traceback")
    levels = {line.text.split()[-1]: line.level for line in platform.client.logs("levels")}
    assert levels["open"] is LogLevel.INFO
    assert levels["unsure"] is None
    errors = texts(platform, "levels", level="error")
    assert errors[-1].endswith("ValueError: sold out")
    assert any("Traceback (most recent call last)" in text for text in errors)
    assert any(text.strip() == 'raise ValueError("sold out")' for text in errors)
    assert not any("few-left" in text for text in errors)
    warnings = texts(platform, "levels", level="warning")
    assert warnings[0].endswith("few-left")
    assert warnings[1:] == errors


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"since": "2026-01-31T12:00:00"}, "since needs a time zone: write it like 2026-01-31T12:00:00Z"),
        ({"until": "2026-01-31T12:00:00"}, "until needs a time zone"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since is beyond the years"),
        ({"since": "yesterday"}, "since: "),
        ({"level": "loud"}, "level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ({"pid": "0"}, "pid: "),
        ({"tail": "10001"}, "tail: "),
    ],
)
def test_what_is_asked_for_wrongly_is_refused_with_words(
    platform: Platform, params: dict[str, str], words: str
) -> None:
    platform.deploy_live("strict", APP)
    with pytest.raises(InvalidRequestError) as refused:
        platform.client._request("GET", "/api/apps/strict/logs", params=params)
    assert words in refused.value.message


def test_a_secret_is_not_found_in_a_log(platform: Platform) -> None:
    source = APP + "print('the key is', os.environ['API_KEY'])\n"
    platform.deploy("secretive", "from fastapi import FastAPI\napp = FastAPI()\n")
    secret = Setting(value=SecretStr("s3cr3t-enough"), secret=True)
    list(platform.client.change_env("secretive", EnvChange(set={"API_KEY": secret})))
    platform.deploy_live("secretive", source)
    (line,) = until(lambda: texts(platform, "secretive", grep="the key is"), what="printed")
    assert "s3cr3t" not in line
    assert texts(platform, "secretive", grep="s3cr3t") == []


@contextmanager
def following(platform: Platform, app_id: str, *options: str) -> Iterator[Queue[LogLine]]:
    """What `gofastapi logs -f` tells."""
    command = [COMMAND, "logs", app_id, "-f", "--json", *options]
    process = subprocess.Popen(command, env=platform.environment, stdout=subprocess.PIPE, text=True)
    output = process.stdout
    assert output is not None
    told: Queue[LogLine] = Queue()

    def read() -> None:
        with output:
            for line in output:
                told.put(LogLine.model_validate_json(line))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield told
    finally:
        process.send_signal(signal.SIGINT)
        thread.join(30)
        assert process.wait(30) == 0


def next_texts(told: Queue[LogLine], count: int) -> list[str]:
    return [told.get(timeout=30).text for _ in range(count)]


def numbered(word: str, count: int) -> list[str]:
    return [f"{word} {number}" for number in range(count)]


def test_following_goes_on_over_restarts_redeploys_and_rotations(hurt: Platform) -> None:
    url = hurt.deploy_live("steady", APP)
    with following(hurt, "steady", "--grep", "word") as told:
        get(url, "/say?word=first-word")
        assert next_texts(told, 1) == ["first-word"]
        hurt.deploy_live("steady", APP + "\n")
        for round_ in range(4):
            # 25 kB each: the log is in its third file by the end.
            get(url, f"/say?word=word-{round_}&times=400")
            assert next_texts(told, 400) == numbered(f"word-{round_}", 400)
        list(hurt.client.restart("steady"))
        os.kill(hurt.app("steady").instances[0].pid, signal.SIGKILL)
        get(url, "/say?word=last-word")
        assert next_texts(told, 1) == ["last-word"]
        assert told.empty()


def test_following_goes_on_exactly_where_it_was_when_the_service_is_killed(hurt: Platform) -> None:
    url = hurt.deploy_live("exact", APP)
    get(url, "/say?word=before&times=300")
    until(lambda: texts(hurt, "exact", grep="before 299"), what="printed")
    with following(hurt, "exact", "--tail", "1000", "--grep", "r") as told:
        assert next_texts(told, 300) == numbered("before", 300)
        get(url, "/say?word=during&times=300")
        assert next_texts(told, 300) == numbered("during", 300)
        service = hurt.client.service().pid
        os.kill(service, signal.SIGKILL)
        if hurt.process is not None and hurt.process.pid == service:
            hurt.process.wait()
        # The follower starts the service again, which starts the app again.
        until(lambda: _answers(url), what="the app is back")
        get(url, "/say?word=after&times=300")
        assert next_texts(told, 300) == numbered("after", 300)
        assert told.empty()


def test_one_who_follows_a_silent_app_misses_nothing_of_what_comes_while_the_service_is_away(hurt: Platform) -> None:
    hurt.deploy_live("silent", APP + "print('hello from the start')\n")
    until(lambda: texts(hurt, "silent", grep="hello"), what="printed")
    with following(hurt, "silent", "--tail", "0") as told:
        # It has asked by the time it waits for an answer.
        until(lambda: _readers(hurt) > 0, what="follows")
        os.kill(hurt.client.service().pid, signal.SIGKILL)
        if hurt.process is not None:
            hurt.process.poll()
        # The app prints this as it is started again, maybe before the follower is back.
        assert next_texts(told, 1) == ["hello from the start"]


def test_following_ends_with_the_app(platform: Platform) -> None:
    url = platform.deploy_live("mortal", APP)
    get(url, "/say?word=hello")
    lines = platform.client.logs("mortal", follow=True)
    assert next(lines).text == "hello"
    with Client(platform.places) as client:
        client.delete("mortal")
    assert list(lines) == []


def test_a_flood_with_a_reader_who_is_slow_leaves_the_service_awake(hurt: Platform) -> None:
    url = hurt.deploy_live("flood", APP)
    lines = hurt.client.logs("flood", tail=0, follow=True)
    thread = threading.Thread(target=get, args=(url, "/say?word=drop&times=100000"))
    thread.start()
    told = [int(next(lines).text.split()[1])]
    slowest = 0.0
    while thread.is_alive():
        began = time.monotonic()
        hurt.client.me()
        slowest = max(slowest, time.monotonic() - began)
    thread.join()
    assert slowest < 5
    while told[-1] != 99_999:
        told.append(int(next(lines).text.split()[1]))
    # It got what it could, in order, each line once.
    assert told == sorted(set(told))


def test_times_on_the_command_line(platform: Platform) -> None:
    url = platform.deploy_live("timely", APP)
    say(platform, url, "now", "timely")

    def logs(*options: str) -> str:
        command = [COMMAND, "logs", "timely", *options]
        done = subprocess.run(command, env=platform.environment, capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr

    local = datetime.now(UTC).astimezone() - timedelta(minutes=1)
    assert "now" in logs("--since", f"{local:%Y-%m-%dT%H:%M}")
    assert "now" not in logs("--until", "10m")
    assert "No line of timely is like that." in logs("--since", "10m", "--until", "2026-01-31T12:00")
    assert '"soon" is no time' in logs("--since", "soon")


def _answers(url: str) -> bool:
    try:
        return get(url, "/say?word=x").status_code == 200
    except httpx.HTTPError:
        return False


def _readers(platform: Platform) -> int:
    """How many descriptors of the service lead to the log of `silent`, beside the one it writes with."""
    targets = []
    for path in Path(f"/proc/{platform.client.service().pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.append(os.readlink(path))
    return sum(target.endswith("apps/silent/log/app.log") for target in targets) - 1
