"""Make a draft of several files out of the latest code of an app, where that is one file."""

from __future__ import annotations

import asyncio

from gofastapi_ext.core.convert import convert
from gofastapi_ext.core.drafts import DraftConversion, DraftSave
from gofastapi_ext.platform.control.drafts import Drafts
from gofastapi_ext.platform.store.apps import AppRecord


class Conversions:
    """Converts drafts. Nothing of the code is run, and nothing is deployed."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts

    async def convert(self, app: AppRecord, etag: str, by: str) -> DraftConversion:
        """Convert the code of `etag`, which was read before, and save it as the draft.

        Raises `InvalidRequestError` where nothing is to be gained, and `DraftConflictError` where the code is
        another one meanwhile. Nothing is changed then.
        """
        before = await self._drafts.view(app)
        # In a thread: the event loop serves other people meanwhile.
        conversion = await asyncio.to_thread(convert, before.bundle)
        main = before.bundle.main
        save = DraftSave(
            bundle=conversion.bundle,
            # The lines of the main file are no lines of a cell any more.
            origins={path: parts for path, parts in before.origins.items() if path != main},
            env=before.env,
            interpreter=before.interpreter,
        )
        draft = await self._drafts.save(app, save, before.etag if etag == "*" else etag, by)
        return DraftConversion(draft=draft, etag_before=before.etag, moved=conversion.moved, notes=conversion.notes)
