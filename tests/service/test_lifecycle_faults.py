"""What meets an app's end half-way: a crash in the middle of it, and people who still save."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread

import pytest
from support.platform import Platform, running_platform
from support.waiting import until

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.drafts import DraftSave
from gofastapi_ext.core.errors import GoFastAPIError, NotFoundError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.control.garbage import Garbage
from gofastapi_ext.platform.databases.keys import PlatformKey
from gofastapi_ext.platform.databases.mongod import EmbeddedMongo
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.blobs import BlobStore
from gofastapi_ext.platform.store.bundles import BundleStore
from gofastapi_ext.platform.store.database import DATABASE, connect
from gofastapi_ext.platform.store.drafts import DraftStore
from gofastapi_ext.platform.store.versions import VersionStore

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def draft(source: str) -> DraftSave:
    return DraftSave(bundle=Bundle(files={"main.py": BundleFile(text=source)}))


def delete_for_good(platform: Platform, app_id: str) -> None:
    with Client(platform.places) as client, suppress(GoFastAPIError):
        client.delete(app_id, forever=True)


def test_a_removal_for_good_that_is_cut_short_is_ended_and_never_taken_back() -> None:
    with running_platform() as own:
        own.deploy_live("going", APP)
        own.client.save_draft("going", draft("# another"))
        with own.database() as database:
            [version] = database.versions.find({"app": "going"})
            # The code of so many versions takes a while to remove.
            more = [version | {"_id": f"going:{n}", "number": n, "code_hash": f"{n:064x}"} for n in range(2, 1500)]
            database.versions.insert_many(more)
            thread = Thread(target=delete_for_good, args=(own, "going"))
            thread.start()
            until(lambda: database.versions.count_documents({"app": "going"}) == 0, what="removed by half")
            assert own.process is not None
            own.process.kill()
            own.process.wait(5)
            thread.join(30)
        own.start()
        with pytest.raises(NotFoundError):
            list(own.client.restore("going"))
        with own.database() as database:
            until(lambda: database.apps.find_one({"_id": "going"})["purged"], what="removed wholly")
            assert database.drafts.count_documents({}) == 0
        assert own.deploy("going", APP)[-1].version == 1


def test_a_draft_of_an_app_that_went_for_good_since_it_was_read_is_not_saved(platform: Platform) -> None:
    platform.client.save_draft("raced", draft("x"))

    async def race() -> None:
        home = platform.places.home
        key = PlatformKey.load(home / "platform.key")
        mongo = EmbeddedMongo(home / "mongo", platform.places.mongo_socket, key, None)
        async with connect(mongo.root_uri) as client:
            database = client[DATABASE]
            apps, drafts, versions = AppStore(database), DraftStore(database), VersionStore(database)
            blobs = BlobStore(database)
            bundles = BundleStore(database, blobs)
            garbage = Garbage(versions, drafts, bundles, blobs)
            use_cases = Drafts(apps, drafts, versions, bundles, Limits(), garbage.bundle)
            read = await apps.get("raced")
            assert read is not None
            await asyncio.to_thread(platform.client.delete, "raced", forever=True)
            with pytest.raises(NotFoundError):
                await use_cases.save(read, draft("late"), None, read.owner)
            assert await drafts.get("raced") is None
            assert draft("late").bundle.code_hash not in await bundles.all()

    asyncio.run(race())
