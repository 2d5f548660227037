"""The key of the secrets: changed without loss, killed half-way, lost, damaged, mounted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection
from support.platform import Platform, get, running_platform
from support.secrets import SECRET, SHOWS, database_of, put_secrets
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.errors import GoFastAPIError
from gofastapi_ext.core.lifecycle import Stage, State
from gofastapi_ext.core.variables import EnvChange, Setting
from gofastapi_ext.platform.keyring import KeyRing
from gofastapi_ext.platform.store.environments import EnvRecord, VariableRecord


@pytest.fixture
def own() -> Iterator[Platform]:
    """A service of the test's own, to be hurt."""
    with running_platform() as running:
        yield running


def key_lines(platform: Platform) -> list[str]:
    return (platform.places.home / "secrets.key").read_text().splitlines()


def test_rotation_leaves_one_key_and_every_secret_as_it_was(own: Platform) -> None:
    url = own.deploy_live("talks", SHOWS)
    put_secrets(own, "talks", TOKEN=SECRET)
    put_secrets(own, "other", TOKEN="another secret")
    [before] = key_lines(own)
    assert (own.places.home / "secrets.key").stat().st_mode & 0o777 == 0o600
    done = own.client.rotate_key()
    [after] = key_lines(own)
    assert (done.secrets, done.unreadable) == (2, [])
    assert after.split()[0] == done.key
    assert after != before
    assert (own.places.home / "secrets.key").stat().st_mode & 0o777 == 0o600
    list(own.client.restart("talks"))
    assert get(url).json() == SECRET


def fill(platform: Platform, count: int) -> None:
    """Secrets of many apps, so that a rotation takes a while."""
    ring = KeyRing(platform.places.home / "secrets.key")
    documents = [{"_id": f"fill-{n}:1", **_filled(ring, n).model_dump()} for n in range(count)]
    with database_of(platform) as database:
        database["env"].insert_many(documents)


def _filled(ring: KeyRing, number: int) -> EnvRecord:
    sealed = ring.seal(f"secret {number}", f"fill-{number}/TOKEN")
    token = VariableRecord(name="TOKEN", secret=True, sealed=sealed, updated_at=datetime.now(UTC), updated_by="me")
    return EnvRecord(app=f"fill-{number}", revision=1, variables=[token])


def test_a_change_of_variables_during_a_rotation_keeps_the_secrets_beside_it(own: Platform) -> None:
    url = own.deploy_live("talks", SHOWS)
    put_secrets(own, "talks", TOKEN=SECRET)
    own.client.stop("talks")
    fill(own, 100)
    for number in range(5):
        client = Client(own.places)
        rotation = threading.Thread(target=client.rotate_key)
        rotation.start()
        while rotation.is_alive():
            change = EnvChange(set={"WORD": Setting(value=f"{number} {time.monotonic()}")})
            assert list(own.client.change_env("talks", change))[-1].stage is Stage.SAVED
        client.close()
    assert list(own.client.start("talks"))[-1].stage is Stage.LIVE
    assert get(url).json() == SECRET


def test_a_rotation_that_is_killed_half_way_loses_nothing_and_is_ended_by_the_next(own: Platform) -> None:
    url = own.deploy_live("talks", SHOWS)
    put_secrets(own, "talks", TOKEN=SECRET)
    fill(own, 1500)
    [old] = key_lines(own)
    with database_of(own) as database:
        env = database["env"]
        for _ in range(3):
            kill_half_way(own, env)
            assert len(env.distinct("variables.sealed.key")) > 1
            assert old in key_lines(own)
            own.start()
            own.until_state("talks", State.RUNNING)
            assert get(url).json() == SECRET
        done = own.client.rotate_key()
        assert done.unreadable == []
        assert [line.split()[0] for line in key_lines(own)] == [done.key]
        assert env.distinct("variables.sealed.key") == [done.key]
        ring = KeyRing(own.places.home / "secrets.key")
        for n in range(0, 1500, 100):
            [variable] = EnvRecord.model_validate(env.find_one({"_id": f"fill-{n}:1"})).variables
            assert variable.sealed is not None
            assert ring.open(variable.sealed, f"fill-{n}/TOKEN") == f"secret {n}"


def kill_half_way(platform: Platform, env: Collection[dict[str, Any]]) -> None:
    """Kill the service while it encrypts anew."""
    count = len(key_lines(platform))
    thread = threading.Thread(target=_rotate_and_be_killed, args=(platform,))
    thread.start()
    until(lambda: len(key_lines(platform)) > count, what="the new key is on top")
    newest = key_lines(platform)[0].split()[0]
    until(lambda: env.count_documents({"variables.sealed.key": newest}) > 20, what="half-way")
    assert platform.process is not None
    platform.process.kill()
    thread.join()
    platform.process.wait(10)


def _rotate_and_be_killed(platform: Platform) -> None:
    with Client(platform.places) as client, pytest.raises(GoFastAPIError):
        client.rotate_key()


def lose(file: Path) -> None:
    file.rename(file.with_suffix(".bak"))


def damage(file: Path) -> None:
    file.write_text(file.read_text()[:40])


def swap(file: Path) -> None:
    file.write_text(f"{file.read_text().split()[0]} {'ab' * 32}\n")


def replace(file: Path) -> None:
    file.write_text(f"other {'ab' * 32}\n")


@pytest.mark.parametrize(
    ("hurt", "words"),
    [(lose, "is gone"), (damage, "damaged in line 1"), (swap, "another one than"), (replace, "is not in")],
)
def test_without_its_key_an_app_says_so_and_the_others_go_on(
    own: Platform, hurt: Callable[[Path], object], words: str
) -> None:
    url = own.deploy_live("keyed", SHOWS)
    other = own.deploy_live("other", SHOWS)
    put_secrets(own, "keyed", TOKEN=SECRET)
    file = own.places.home / "secrets.key"
    good = file.read_bytes()
    own.stop()
    hurt(file)
    left = file.read_bytes() if file.exists() else None
    own.start()
    own.until_state("other", State.RUNNING)
    assert get(other).json() == ""
    failed = own.until_state("keyed", State.FAILED)
    assert failed.reason is not None
    for word in (words, "TOKEN", '"keyed"', "gofastapi env set keyed --secret TOKEN", str(file)):
        assert word in failed.reason
    page = get(url)
    assert (page.status_code, "Its secrets cannot be read" in page.text, "TOKEN" in page.text) == (503, True, False)
    assert [v.name for v in own.client.env("keyed").variables] == ["TOKEN"]
    last = own.deploy_failed("keyed", SHOWS + "# 2\n")
    assert last.diagnostics[0].code == "secrets_unreadable"
    assert (file.read_bytes() if file.exists() else None) == left
    # It comes back by itself with its key.
    file.write_bytes(good)
    own.until_state("keyed", State.RUNNING)
    assert get(url).json() == SECRET


def test_a_lost_key_is_got_over_by_setting_the_secrets_anew(own: Platform) -> None:
    url = own.deploy_live("keyed", SHOWS)
    put_secrets(own, "keyed", TOKEN=SECRET)
    put_secrets(own, "hopeless", TOKEN=SECRET)
    (own.places.home / "secrets.key").unlink()
    put_secrets(own, "keyed", TOKEN="a new one")
    assert get(url).json() == "a new one"
    done = own.client.rotate_key()
    assert (done.secrets, done.unreadable) == (1, ["hopeless: TOKEN"])
    own.client.delete("keyed")
    list(own.client.restore("keyed"))
    assert get(url).json() == "a new one"


def test_a_damaged_key_file_takes_no_new_secret(own: Platform) -> None:
    file = own.places.home / "secrets.key"
    file.write_text("what is this?\n")
    change = EnvChange(set={"TOKEN": Setting(value=SECRET, secret=True)})
    last = list(own.client.change_env("keyed", change))[-1]
    assert (last.stage, last.diagnostics[0].code) == (Stage.FAILED, "secrets_unreadable")
    with pytest.raises(GoFastAPIError, match="damaged in line 1"):
        own.client.rotate_key()
    assert file.read_text() == "what is this?\n"


def test_a_mounted_key_file_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "mounted.key"
    file.write_text(f"k1 {'01' * 32}\n")
    file.chmod(0o444)
    with running_platform(GOFASTAPI_SECRETS_KEY_FILE=str(file)) as platform:
        url = platform.deploy_live("talks", SHOWS)
        put_secrets(platform, "talks", TOKEN=SECRET)
        assert platform.client.rotate_key().model_dump() == {"key": "k1", "secrets": 0, "unreadable": []}
        file.chmod(0o644)
        file.write_text(f"# the new one first\nk2 {'02' * 32}\nk1 {'01' * 32}\n")
        written = file.stat().st_mtime_ns
        assert platform.client.rotate_key().model_dump() == {"key": "k2", "secrets": 1, "unreadable": []}
        assert file.stat().st_mtime_ns == written
        file.write_text(f"k2 {'02' * 32}\n")
        list(platform.client.restart("talks"))
        assert get(url).json() == SECRET
        assert not (platform.places.home / "secrets.key").exists()
        file.unlink()
        put = list(platform.client.change_env("talks", EnvChange(set={"B": Setting(value="long", secret=True)})))
        assert "is not there" in put[-1].diagnostics[0].message
