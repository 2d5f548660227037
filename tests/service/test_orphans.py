"""What a service that was killed leaves behind: processes, and deploys that were under way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import psutil
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import until

from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.events import EventKind
from gofastapi_ext.core.lifecycle import State

HELLO = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return 'here'\n"

DAEMONS = f"""{HELLO}
import os, subprocess

def daemon():
    told, tell = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(tell, str(os.getpid()).encode())
            os.execvp("sleep", ["sleep", "1001"])
        os._exit(0)
    os.wait()
    return int(os.read(told, 100))

@app.get("/daemons")
def daemons():
    return [daemon(), subprocess.Popen(["sleep", "1001"], start_new_session=True).pid]
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A service to be killed."""
    with running_platform() as platform:
        yield platform


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the environment of a process")
def test_what_a_killed_service_left_running_is_ended_and_nobody_elses(own: Platform) -> None:
    url = own.deploy_live("daemons", DAEMONS)
    daemons = [psutil.Process(pid) for pid in get(url, "/daemons").json()]
    others = [
        subprocess.Popen(["sleep", "1001"], start_new_session=True, env=environment)
        for environment in (dict(os.environ), {"STARTED_BY_GOFASTAPI": f"{own.places.home}x"})
    ]
    try:
        kill_at_once(own)
        assert all(alive(each) for each in daemons), "else there is nothing to sweep"
        own.start()
        until(lambda: not any(alive(each) for each in daemons), what="swept")
        assert all(other.poll() is None for other in others)
        own.until_state("daemons", State.RUNNING)
        [swept] = until(lambda: [e for e in own.client.events() if e.kind is EventKind.CLEANED])
        assert swept.details["counts"] == {"process": 2}
        assert "2 processes" in swept.message

        # Those of apps that run are nobody's leftovers, however far they went.
        url = own.app("daemons").url or ""
        running = [psutil.Process(pid) for pid in get(url, "/daemons").json()]
        assert own.client.cleanup(dry_run=False).items == []
        assert all(alive(each) for each in running)
    finally:
        for process in [*daemons, *others]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for other in others:
            other.wait(5)


@pytest.mark.parametrize("crashes", [True, False])
def test_a_deploy_that_the_end_of_the_service_cut_short_is_one_that_failed(own: Platform, crashes: bool) -> None:
    app_id = f"cut-{'by-a-crash' if crashes else 'by-a-stop'}"
    before = own.client.stats().promise

    def cut_short() -> None:
        with suppress(GoFastAPIError):
            own.deploy(app_id, f"import time\ntime.sleep(5)\n{HELLO}")

    deploy = Thread(target=cut_short)
    deploy.start()
    until((own.places.home / "apps" / app_id / "versions" / "1").exists, what="files of the new version")
    kill_at_once(own) if crashes else own.stop()
    deploy.join(10)
    own.start()
    after = own.client.stats().promise
    assert (after.deploys, after.succeeded, after.refused) == (before.deploys + 1, before.succeeded, before.refused)


def kill_at_once(platform: Platform) -> None:
    """The service with all it runs, but for daemons: nobody has a moment to tidy up."""
    assert platform.process is not None
    service = psutil.Process(platform.process.pid)
    ours = [each for each in service.children(recursive=True) if each.name() != "sleep"]
    # Stopped first, so that none sees another one go.
    for action in ("suspend", "kill"):
        for process in [service, *ours]:
            getattr(process, action)()
    psutil.wait_procs(ours, 5)
    platform.process.wait(5)


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
