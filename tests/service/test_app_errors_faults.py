"""Errors of apps while things break: floods, a database that is away, a service that restarts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.models import AppChange

SOURCE = """from fastapi import FastAPI, HTTPException

app = FastAPI()

@app.get("/")
def root():
    return "here"

@app.get("/fail/{number}")
def fail(number: int):
    raise HTTPException(500 + number % 50, "x" * (number % 30))

@app.get("/raise")
def crash():
    raise RuntimeError("so it is")
"""


@pytest.fixture(scope="module")
def hurt() -> Iterator[Platform]:
    """A service of the module's own, that keeps few errors and hears of them soon."""
    with running_platform(
        GOFASTAPI_MAX_ERRORS_KEPT="5", GOFASTAPI_REPORT_INTERVAL_SECONDS="0.1", GOFASTAPI_METRICS_KEEP_HOURS="2"
    ) as platform:
        yield platform


def kept(platform: Platform, app: str) -> int:
    with platform.database() as database:
        return database["errors"].count_documents({"app": app})


def test_a_flood_is_kept_in_bounds(hurt: Platform) -> None:
    url = hurt.deploy_live("flood", SOURCE)
    hurt.client.change("flood", AppChange(record_bodies=True))
    for number in range(60):
        get(url, f"/fail/{number}")
    get(url, "/raise")
    until(lambda: hurt.client.errors("flood")[0].exception == "RuntimeError", what="the last one")
    assert len(hurt.client.errors("flood")) == 5
    # One is written before another one goes.
    until(lambda: kept(hurt, "flood") == 5, what="those beyond are gone")
    assert get(url).json() == "here"


def test_they_are_noted_without_anybody_asking_and_expire_as_set(hurt: Platform) -> None:
    url = hurt.deploy_live("noted", SOURCE)
    get(url, "/raise")
    until(lambda: kept(hurt, "noted") == 1, what="noted")
    with hurt.database() as database:
        assert database["errors"].index_information()["last_at_1"]["expireAfterSeconds"] == 7200


def test_what_goes_wrong_while_the_database_is_away_is_there_afterwards(hurt: Platform) -> None:
    url = hurt.deploy_live("patient", SOURCE)
    before = hurt.mongod_pid
    os.kill(before, signal.SIGKILL)
    assert get(url, "/raise").status_code == 500
    [error] = until(lambda: hurt.client.errors("patient"), what="errors after the restart of mongod")
    assert (error.exception, error.count) == ("RuntimeError", 1)
    assert hurt.mongod_pid != before


def test_they_survive_the_service_and_the_instances_last_words_count(hurt: Platform) -> None:
    url = hurt.deploy_live("lasting", SOURCE)
    get(url, "/raise")
    until(lambda: kept(hurt, "lasting") == 1, what="noted")
    hurt.stop()
    hurt.start()
    until(lambda: hurt.app("lasting").instances, what="back")
    [error] = hurt.client.errors("lasting")
    assert (error.exception, error.count) == ("RuntimeError", 1)
    # The next version takes over at once: what the one before told last is not lost.
    get(url, "/raise")
    hurt.deploy_live("lasting", SOURCE + "# another\n")
    [error] = until(lambda: [e for e in hurt.client.errors("lasting") if e.count == 2], what="the last words")
    assert error.version == 1
