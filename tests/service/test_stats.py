"""The measured promise, and the service's own /metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from support.cli import CommandLine
from support.kernel import Kernel, running_kernel
from support.platform import Platform, get
from support.waiting import until

HELLO = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.fixture(scope="module")
def kernel(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "marked.ipynb").write_text("{}")
    with running_kernel(folder, GOFASTAPI_HOME=str(platform.places.home)) as running:
        yield running


def samples(platform: Platform) -> dict[str, list[Sample]]:
    """What /metrics says, as Prometheus reads it, by the names of the series."""
    with httpx.Client(timeout=30, transport=httpx.HTTPTransport(uds=str(platform.places.socket))) as client:
        answer = client.get("http://gofastapi/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(platform: Platform, name: str, **labels: str) -> float:
    """The sum of all that have these labels."""
    return sum(s.value for s in samples(platform).get(name, []) if labels.items() <= s.labels.items())


def attempts(platform: Platform, app_id: str) -> list[dict[str, object]]:
    with platform.database() as database:
        return list(database.deployments.find({"app": app_id}).sort("started_at"))


def test_good_and_bad_deploys_of_a_notebook_count_from_the_cell_on(platform: Platform, kernel: Kernel) -> None:
    # Another module may have been here before.
    with platform.database() as database:
        database.deployments.delete_many({})
    before = platform.client.stats().promise
    assert (before.deploys, before.is_kept) == (0, None)
    began = time.perf_counter()
    assert kernel.run(f"%%deploy good\n{HELLO}").status == "ok"
    took = time.perf_counter() - began
    assert kernel.run("%%deploy refused\napp = = FastAPI()\n").status == "error"
    assert kernel.run(f"%%deploy broken\n{HELLO}1 / 0\n").status == "error"

    stats = until(lambda: found if (found := platform.client.stats()).promise.deploys == 3 else None)
    promise = stats.promise
    assert (promise.succeeded, promise.refused, promise.is_kept) == (1, 1, False)
    [good], [refused], [broken] = (attempts(platform, each) for each in ("good", "refused", "broken"))
    assert (refused["failed_stage"], refused["was_refused"]) == ("validate", True)
    assert (broken["failed_stage"], broken["was_refused"]) == ("start", False)
    assert 0 < good["client_seconds"] < took  # type: ignore[operator]
    assert promise.p50_seconds == pytest.approx(good["client_seconds"] + good["seconds"])  # type: ignore[operator]
    assert good["seconds"] < promise.p50_seconds < took  # type: ignore[operator]
    assert [each.stage for each in stats.stages] == ["validate", "release", "start", "ready", "live"]
    assert (stats.apps, stats.apps_running, stats.apps_asleep) == (3, 1, 0)


def test_the_command_line_counts_from_its_start_and_says_how_it_stands(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(HELLO)
    cli = CommandLine(platform.places.home, tmp_path)
    cli.run("deploy", "main.py", "--name", "by-hand")
    [attempt] = until(lambda: attempts(platform, "by-hand"))
    assert attempt["client_seconds"] > 0  # type: ignore[operator]
    cli.run("draft", "save", "by-hand", "main.py")
    cli.run("draft", "deploy", "by-hand")
    _, second = until(lambda: found if len(found := attempts(platform, "by-hand")) == 2 else [])
    assert second["client_seconds"] > 0  # type: ignore[operator]
    told = cli.run("stats")
    assert "✓ 95 % within" in told
    assert "promised: 60 s" in told
    assert cli.json("stats")["promise"]["target_success_rate"] == 0.95


def test_what_is_older_than_a_week_and_what_is_no_deploy_does_not_count(platform: Platform) -> None:
    count = platform.client.stats().promise.deploys
    platform.deploy_live("counted", HELLO)
    list(platform.client.restart("counted"))
    until(lambda: len(attempts(platform, "counted")) == 2)
    assert platform.client.stats().promise.deploys == count + 1
    with platform.database() as database:
        old = {"$set": {"started_at": datetime.now(UTC) - timedelta(days=7, minutes=1)}}
        database.deployments.update_many({"app": "counted"}, old)
        assert database.deployments.index_information()["started_at_1"]["expireAfterSeconds"] == 30 * 86_400
    assert platform.client.stats().promise.deploys == count


def test_metrics_are_as_prometheus_reads_them_by_route_and_without_what_callers_choose(platform: Platform) -> None:
    count = "gofastapi_api_requests_total"
    view = {"method": "GET", "route": "/api/apps/{app_id}", "status": "2xx"}
    platform.deploy_live("seen", HELLO)
    asked, missed = value(platform, count, **view), value(platform, count, status="4xx")
    for _ in range(3):
        platform.app("seen")
    with httpx.Client(timeout=30, transport=httpx.HTTPTransport(uds=str(platform.places.socket))) as client:
        for method, path in (("TRACE", "one"), ("PROPFIND", "two")):
            assert client.request(method, f"http://gofastapi/{path}").status_code == 404
    assert value(platform, count, **view) == asked + 3
    assert value(platform, count, status="4xx") == missed + 2
    told = samples(platform)
    routes = {sample.labels["route"] for sample in told[count]}
    assert not {"/one", "/two", "/api/apps/seen"} & routes
    assert {s.labels["method"] for s in told[count]} <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"}
    assert value(platform, "gofastapi_apps", state="running") == len(
        [app for app in platform.client.apps() if app.state == "running"]
    )
    assert value(platform, "process_resident_memory_bytes") > 10_000_000
    assert value(platform, "gofastapi_loop_last_success_timestamp_seconds", loop="cleanup") <= time.time()


def test_metrics_tell_of_deploys_their_stages_and_how_they_ended(platform: Platform) -> None:
    live = {"kind": "deploy", "outcome": "live"}
    failed = {"kind": "deploy", "outcome": "failed"}
    before = [value(platform, "gofastapi_deployments_total", **labels) for labels in (live, failed)]
    starts = value(platform, "gofastapi_deployment_stage_seconds_count", stage="start")
    platform.deploy_live("told", HELLO)
    platform.deploy_failed("told", "nothing = 1\n")
    until(lambda: value(platform, "gofastapi_deployments_total", **failed) == before[1] + 1)
    assert value(platform, "gofastapi_deployments_total", **live) == before[0] + 1
    assert value(platform, "gofastapi_deployment_stage_seconds_count", stage="start") == starts + 1


def test_an_answer_that_goes_on_is_counted_when_it_begins(platform: Platform) -> None:
    platform.deploy_live("talks", HELLO + "print('a word', flush=True)\n")
    count = ("gofastapi_api_request_seconds_count", "/api/apps/{app_id}/logs")
    total = ("gofastapi_api_request_seconds_sum", "/api/apps/{app_id}/logs")
    asked, seconds = (value(platform, name, route=route) for name, route in (count, total))
    lines = platform.client.logs("talks", follow=True)
    began = time.perf_counter()
    next(lines)
    until(lambda: value(platform, count[0], route=count[1]) == asked + 1)
    until(lambda: time.perf_counter() - began > 1)
    lines.close()  # type: ignore[attr-defined]
    assert value(platform, count[0], route=count[1]) == asked + 1
    assert value(platform, total[0], route=total[1]) - seconds < 1


def test_wakes_are_counted_and_timed(platform: Platform) -> None:
    url = platform.deploy_live("sleeper", HELLO)
    before = platform.client.stats()
    wakes = value(platform, "gofastapi_wakes_total")
    platform.client.sleep("sleeper")
    assert platform.client.stats().apps_asleep == before.apps_asleep + 1
    assert get(url, "/openapi.json").status_code == 200
    stats = until(lambda: found if (found := platform.client.stats()).wakes == before.wakes + 1 else None)
    assert 0 < (stats.wake_p50_seconds or 0) < 10
    assert stats.apps_asleep == before.apps_asleep
    assert value(platform, "gofastapi_wakes_total") == wakes + 1
    assert value(platform, "gofastapi_wake_seconds_count") == value(platform, "gofastapi_events_total", kind="woke")
    until(lambda: platform.client.stats().requests > before.requests, what="the request counts")
