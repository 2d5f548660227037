"""The loop that asks apps for their /health, against servers that answer, and others that do not."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from support.probed import SILENT, World, answers, run, served

from gofastapi_ext.core.health import HealthColor
from gofastapi_ext.core.lifecycle import Status, Target


def test_colours_come_and_go_and_only_changes_are_told() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        says_now = answers(200)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await says_now(reader, writer)

        world.add("shop", await stack.enter_async_context(served(handle)))
        seen = []
        for status in (200, 200, 503, 503, 503, 503, 200, 200, 200, 200):
            says_now = answers(status)
            await world.watch.once()
            seen.append(str(world.color("shop")))
        assert seen == ["green"] * 2 + ["yellow"] * 2 + ["red"] * 2 + ["yellow"] * 2 + ["green"] * 2
        assert [message.split(":")[0] for _, message in world.told] == [
            "It turned yellow",
            "It turned red",
            "It turned yellow",
            "It is green again",
        ]
        assert world.told[1] == ("shop", "It turned red: 3 of the last 3 checks failed: /health answered 503")
        # The newest first, and only so many.
        assert [check.status for check in await world.checks("shop")] == [200] * 4 + [503] * 4 + [200] * 2
        for _ in range(60):
            await world.watch.once()
        assert len(await world.checks("shop")) == 60

    run(test)


def test_errors_of_requests_count_too() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        world.add("shop", await stack.enter_async_context(served(answers(200))))
        await world.watch.once()
        world.recent = (340, 41)
        health = world.watch.of(world.apps["shop"])
        assert (health.color, health.reason) == (
            HealthColor.YELLOW,
            "12% of 340 requests in the last 5 minutes failed",
        )
        assert health.since is None  # the next check will tell
        await world.watch.once()
        assert world.watch.of(world.apps["shop"]).since is not None
        # Errors that are older than the process that serves now are not its own.
        world.pids["shop"], world.errors_age_seconds = 2, 30.0
        assert world.color("shop") is HealthColor.GREEN
        await world.watch.once()
        assert world.color("shop") is HealthColor.GREEN

    run(test)


def test_a_new_process_begins_with_a_clean_sheet() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        world.add("shop", await stack.enter_async_context(served(answers(500))))
        for _ in range(3):
            await world.watch.once()
        assert world.color("shop") is HealthColor.RED
        world.pids["shop"] = 2
        assert world.color("shop") is HealthColor.GREEN
        await world.watch.once()
        assert world.watch.of(world.apps["shop"]).reason == "the last check failed: /health answered 500"
        assert len(await world.checks("shop")) == 4

    run(test)


def test_what_a_process_said_that_went_meanwhile_is_forgotten() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            world.pids["shop"] = 2
            await answers(500)(reader, writer)

        world.add("shop", await stack.enter_async_context(served(handle)))
        await world.watch.once()
        assert await world.checks("shop") == []

    run(test)


def test_who_does_not_serve_is_not_asked() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        asked = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            asked += 1
            await answers(200)(reader, writer)

        port = await stack.enter_async_context(served(handle))
        colors = {
            HealthColor.ASLEEP: world.add("sleeper", port, Status.ASLEEP, Target.ASLEEP),
            HealthColor.GREY: world.add("stopped", port, Status.STOPPED, Target.STOPPED),
            HealthColor.RED: world.add("failed", port, Status.FAILED),
        }
        await world.watch.once()
        for color, record in colors.items():
            assert (await world.watch.view(record)).color is color
        assert asked == 0
        # That an app sleeps or stops is told by those who do it; how one was found at the start, by nobody.
        assert world.told == []

    run(test)


def test_an_app_that_falls_asleep_is_left_alone() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        asked, answer = asyncio.Event(), asyncio.Event()
        count = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            count += 1
            asked.set()
            await answer.wait()
            await answers(200)(reader, writer)

        record = world.add("shop", await stack.enter_async_context(served(handle)))
        checking = asyncio.create_task(world.watch.once())
        await asked.wait()

        async def fall_asleep() -> None:
            async with world.watch.undisturbed("shop"):
                # The question that was under way has its answer.
                assert answer.is_set()
                assert len(await world.checks("shop")) == 1
                # Neither the loop nor a person begins another one.
                await world.watch.once()
                seen = asyncio.create_task(world.watch.view(record))
                await asyncio.sleep(0.05)
                del world.pids["shop"]
            await seen

        falling = asyncio.create_task(fall_asleep())
        await asyncio.sleep(0.05)
        assert not falling.done()
        answer.set()
        await falling
        await checking
        assert count == 1

    run(test)


def test_who_asks_gets_a_fresh_answer_but_not_from_an_app_that_hangs() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        good, silent = [await stack.enter_async_context(served(handler)) for handler in (answers(200), SILENT)]
        view = await world.watch.view(world.add("good", good))
        assert (view.color, len(view.checks)) == (HealthColor.GREEN, 1)
        # Once more: this one is fresh enough.
        assert len((await world.watch.view(world.apps["good"])).checks) == 1
        view = await asyncio.wait_for(world.watch.view(world.add("silent", silent)), 30)
        assert (view.color, view.checks[0].problem) == (HealthColor.YELLOW, "/health did not answer within 1 s")

    run(test)


def test_without_the_database_it_goes_by_what_it_knows_and_forgets_who_is_gone() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        shop = world.add("shop", await stack.enter_async_context(served(answers(200))))
        await world.watch.once()
        world.database_is_away = True
        await world.watch.once()
        assert len(await world.checks("shop")) == 2
        world.database_is_away = False
        del world.apps["shop"], world.pids["shop"]
        await world.watch.once()
        assert (await world.watch.view(shop)).checks == []

    run(test)


def test_each_app_has_a_moment_of_its_own_in_the_cycle() -> None:
    async def test(world: World, stack: AsyncExitStack) -> None:
        moments: list[float] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            moments.append(time.monotonic())
            await answers(200)(reader, writer)

        port = await stack.enter_async_context(served(handle))
        for number in range(40):
            world.add(f"app-{number}", port)
        begun = await world.watch._ask_all(spread_seconds=2.0)
        await asyncio.wait(begun)
        fifths = {int((moment - min(moments)) * 5) for moment in moments}
        assert len(moments) == 40
        assert len(fifths) >= 6, sorted(fifths)

    run(test)
