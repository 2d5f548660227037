"""Apps without visitors are warned, and then removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import httpx
import pytest
from support.platform import Platform, get, running_platform
from support.waiting import held_until, until

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.events import Event, EventKind
from gofastapi_ext.core.lifecycle import Stage

REMOVE_AFTER_SECONDS = 24
HELLO = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return 'here'\n"


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A service that has no patience with apps nobody visits."""
    settings = {"GOFASTAPI_REMOVE_AFTER": f"{REMOVE_AFTER_SECONDS}s", "GOFASTAPI_SLEEP_AFTER": "never"}
    with running_platform(**settings) as platform:
        yield platform


def events(platform: Platform, app_id: str, kind: EventKind) -> list[Event]:
    return [event for event in platform.client.events() if event.kind is kind and event.app == app_id]


def age(platform: Platform, *names: str, seconds: float) -> None:
    """As if all that happened to these apps had been that much earlier."""
    fields = ("created_at", "updated_at", "removal_warned_at")
    earlier = {field: {"$subtract": [f"${field}", int(seconds * 1000)]} for field in fields}
    with platform.database() as database:
        database.apps.update_many({"_id": {"$in": names}}, [{"$set": earlier}])


def there(platform: Platform) -> set[str]:
    return {app.id for app in platform.client.apps()}


def test_who_is_visited_stays_and_who_is_not_is_warned_removed_and_can_be_restored(
    own: Platform, tmp_path: Path
) -> None:
    own.client.save_draft("only-a-draft", DraftSave(bundle=Bundle(files={"main.py": BundleFile(text=HELLO)})))
    # Too busy to tell that somebody is there.
    gate = tmp_path / "gate"
    hangs = "".join(f"    {line}\n" for line in ("print('it hangs', flush=True)", *held_until(gate).splitlines()))
    stuck = own.deploy_live("stuck", f"{HELLO}@app.get('/stuck')\nasync def stuck():\n{hangs}")
    visitor = Thread(target=lambda: httpx.get(f"{stuck}/stuck", timeout=60, trust_env=False))
    visitor.start()
    until(lambda: "it hangs" in own.logs("stuck"), what="it hangs")
    urls = {name: own.deploy_live(name, HELLO) for name in ("visited", "deployed", "forgotten", "stopped")}
    own.client.stop("stopped")
    own.client.sleep("forgotten")
    assert not events(own, "forgotten", EventKind.REMOVAL_WARNING)

    def warned(name: str) -> list[Event]:
        return events(own, name, EventKind.REMOVAL_WARNING)

    # From here on a quarter of the time is left to each.
    age(own, *urls, "stuck", "only-a-draft", seconds=REMOVE_AFTER_SECONDS * 3 / 4)
    [warning] = until(lambda: warned("visited"), what="warned")
    # Asked for by its address, of which the service learns with the next look at its instances.
    assert get(urls["visited"]).json() == "here"
    assert "A visit or a deploy keeps it" in warning.message
    assert "goes_at" in warning.details
    until(lambda: warned("deployed"), what="warned")
    own.deploy_live("deployed", HELLO + "# more\n")
    until(lambda: warned("forgotten") and warned("stopped"), what="warned")
    age(own, "forgotten", "stopped", "stuck", "only-a-draft", seconds=REMOVE_AFTER_SECONDS)
    until(lambda: not {"forgotten", "stopped"} & there(own), what="removed")
    assert there(own) == {"only-a-draft", "stuck", "visited", "deployed"}
    assert not warned("stuck")
    gate.touch()
    visitor.join()

    [removed] = until(lambda: events(own, "forgotten", EventKind.REMOVED), what="told")
    assert removed.message.endswith("gofastapi restore forgotten")
    assert {app.id for app in own.client.apps(deleted=True)} == {"forgotten", "stopped"}
    assert list(own.client.restore("stopped"))[-1].stage is Stage.SAVED
    restored = list(own.client.restore("forgotten"))[-1]
    assert restored.stage is Stage.LIVE
    assert get(restored.url or "").json() == "here"
    assert "forgotten" in there(own), "being restored counts as use"


def test_a_service_that_was_away_warns_before_it_removes(own: Platform) -> None:
    own.deploy_live("overdue", HELLO)
    own.stop()
    own.start()
    with own.database() as database:
        # As if the service had been away for days, and a warning been given before.
        ago = {name: {"$subtract": ["$$NOW", days * 86_400_000]} for name, days in (("used", 5), ("warned", 4))}
        fields = {"created_at": ago["used"], "updated_at": ago["used"], "removal_warned_at": ago["warned"]}
        database.apps.update_one({"_id": "overdue"}, [{"$set": fields}])
        changed_at = datetime.now(UTC)

    def since(moment: datetime, kind: EventKind) -> list[Event]:
        return [each for each in events(own, "overdue", kind) if each.at > moment]

    until(lambda: "overdue" not in there(own), what="removed")
    # Not those of a run before: the same app may have been removed in it.
    [removed] = until(lambda: since(changed_at, EventKind.REMOVED), what="told")
    [warning] = since(changed_at, EventKind.REMOVAL_WARNING)
    assert (removed.at - warning.at).total_seconds() >= REMOVE_AFTER_SECONDS / 4
