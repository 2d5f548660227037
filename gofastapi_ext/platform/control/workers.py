"""The processes of one app: those that take its traffic side by side, and those on their way out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from gofastapi_ext.core.models import InstanceView
from gofastapi_ext.platform.runtimes.base import Instance, InstanceFailedError

OnExit = Callable[[Instance, InstanceFailedError, float], None]
"""Told of a worker that ended and was not asked to, how it did, and how many seconds it had served."""


class Workers:
    """Each worker is an instance. All accept on the app's one socket: a connection goes to whoever takes it first."""

    def __init__(self, on_exit: OnExit) -> None:
        self._on_exit = on_exit
        self._serving: dict[Instance, asyncio.Task[None]] = {}
        self._draining: list[Instance] = []
        self.serving_since = 0.0
        """When the first of those that serve, or the one before it, began to, by `time.perf_counter`."""

    @property
    def serving(self) -> list[Instance]:
        """Those that take the traffic, the longest one first."""
        return [instance for instance in self._serving if instance.state == "serving"]

    @property
    def count(self) -> int:
        """How many take the traffic."""
        return len(self.serving)

    def views(self) -> list[InstanceView]:
        """Every process there is, those that serve first."""
        return [
            InstanceView(pid=each.pid, version=each.version, state=each.state, started_at=each.started_at)
            for each in [*self._serving, *self._draining]
            if each.state != "ended"
        ]

    async def add(self, instance: Instance) -> None:
        """Have a ready one take connections beside the others. Raises `InstanceFailedError`; then it is gone."""
        try:
            await instance.accept()
        except BaseException:
            await asyncio.shield(instance.kill())
            raise
        self._follow(instance)

    async def accept(self, instances: Sequence[Instance]) -> None:
        """Have ready ones take connections too, until `replace`. Raises `InstanceFailedError`; then none does."""
        results = await asyncio.gather(*(instance.accept() for instance in instances), return_exceptions=True)
        if failures := [result for result in results if isinstance(result, BaseException)]:
            await self._release(instances)
            raise failures[0]

    async def replace(self, instances: Sequence[Instance]) -> None:
        """These, which accept, are the workers from now on; those before finish what they are at, and go."""
        before = list(self._serving)
        self._forget(before)
        for instance in instances:
            self._follow(instance)
        await self._release(before)

    async def dismiss(self, count: int) -> None:
        """Let so many of them finish what they are at and go, the latest first."""
        await self._release(self.serving[-count:] if count else [])

    async def release(self) -> None:
        """Let all of them finish what they are at, and go."""
        await self._release(list(self._serving))

    async def release_if_idle(self) -> bool:
        """Let all of them go where none is in use. False where one is; those that were asked before it are gone."""
        for instance in self.serving:
            if not await instance.release_if_idle():
                return False
            self._drain([instance])
        return True

    async def kill(self) -> None:
        """End every process."""
        self._drain(list(self._serving))
        await asyncio.gather(*(instance.kill() for instance in self._draining))

    def _follow(self, instance: Instance) -> None:
        if not self.count:
            self.serving_since = time.perf_counter()
        self._serving[instance] = asyncio.create_task(self._watch(instance), name=f"watch {instance.pid}")

    def _forget(self, instances: Sequence[Instance]) -> None:
        for instance in instances:
            if watch := self._serving.pop(instance, None):
                watch.cancel()

    def _drain(self, instances: Sequence[Instance]) -> None:
        """They are on their way out, because they were told to be."""
        self._forget(instances)
        self._draining = [instance for instance in [*self._draining, *instances] if instance.state != "ended"]

    async def _release(self, instances: Sequence[Instance]) -> None:
        self._drain(instances)
        await asyncio.gather(*(instance.release() for instance in instances if instance.state == "serving"))

    async def _watch(self, instance: Instance) -> None:
        began = time.monotonic()
        failure = await instance.wait_exited()
        if self._serving.pop(instance, None) is not None:
            self._on_exit(instance, failure, time.monotonic() - began)
