"""Work on a whole database: each in a task of its own that outlives its caller, one at a time for each user."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from gofastapi_ext.core.backups import DataProgress, DataStage
from gofastapi_ext.core.errors import ConflictError, GoFastAPIError, InternalError, UnavailableError
from gofastapi_ext.core.models import ErrorBody
from gofastapi_ext.platform.databases.progress import Progress

logger = logging.getLogger(__name__)

# Nobody reads faster, and a copy may take thousands of batches.
_TOLD_EVERY_SECONDS = 0.2


class Teller:
    """What a job says of itself, in order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[DataProgress | None] = asyncio.Queue()
        self.error: GoFastAPIError | None = None
        self._begun = time.monotonic()
        self._told_at = 0.0

    def tell(self, stage: DataStage, **more: Any) -> None:
        self.queue.put_nowait(DataProgress(stage=stage, seconds=time.monotonic() - self._begun, **more))

    def copying(self, stage: DataStage, of_documents: int | None = None) -> Callable[[Progress], None]:
        """Takes how far a copy is, as often as it likes."""

        def told(progress: Progress) -> None:
            now = time.monotonic()
            if now - self._told_at >= _TOLD_EVERY_SECONDS:
                self._told_at = now
                # How many there are is what MongoDB says: of a time series, less.
                of = of_documents if progress.documents <= (of_documents or 0) else None
                self.tell(stage, collection=progress.collection, documents=progress.documents, of_documents=of)

        return told

    def failed(self, error: GoFastAPIError) -> None:
        self.error = error
        self.tell(DataStage.FAILED, error=ErrorBody(message=error.message, code=error.code, details=error.details))


Work = Callable[[Teller], Awaitable[None]]


class Jobs:
    """Runs them; ends those that are under way where the service stops."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._busy: dict[str, str] = {}

    async def run(self, user: str, what: str, work: Work) -> AsyncIterator[DataProgress]:
        """Yields what `work` tells. What it raises before it has told anything is raised here.

        Raises `ConflictError` where another job of this user is under way; `what` names it in words.
        """
        if user in self._busy:
            raise ConflictError(f"{self._busy[user]} of your database is under way. Run it again when it is over.")
        self._busy[user] = what
        teller = Teller()
        task = asyncio.create_task(self._to_its_end(user, work, teller), name=f"{what} of {user}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        first = await teller.queue.get()
        if first is None or first.stage is DataStage.FAILED:
            raise teller.error or InternalError("Something of ours broke.")
        yield first
        while (event := await teller.queue.get()) is not None:
            yield event

    async def stop(self) -> None:
        """Give up what is under way. Nothing of it is in force, or all of it is."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _to_its_end(self, user: str, work: Work, teller: Teller) -> None:
        try:
            await work(teller)
        except GoFastAPIError as error:
            teller.failed(error)
        except asyncio.CancelledError:
            teller.failed(UnavailableError("The service is being stopped. Run it again in a moment."))
            raise
        except Exception:
            logger.exception("%s of %s", self._busy[user], user)
            teller.failed(InternalError("Something of ours broke; the service's log says more."))
        finally:
            del self._busy[user]
            teller.queue.put_nowait(None)
