"""The card and the plain text, drawn from the events of a deploy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from gofastapi_ext.core.diagnostics import CellPosition, Diagnostic
from gofastapi_ext.core.drafts import CodeState
from gofastapi_ext.core.lifecycle import STAGES, Stage, State, Status, Target
from gofastapi_ext.core.models import AppView, StageEvent
from gofastapi_ext.notebook.card import html_card
from gofastapi_ext.notebook.magic_words import as_magics
from gofastapi_ext.notebook.progress import Ending, Progress, summary
from gofastapi_ext.notebook.text import coloured, ending_lines, in_cell, text_card

URL = "http://127.0.0.1:18000"
START = Progress(app="hello", title="Deploying hello")
SYNTAX = Diagnostic(
    code="syntax_error",
    message="Syntax error: '(' was never closed",
    hint="Close it.",
    file="main.py",
    line=3,
    column=4,
    end_line=3,
    end_column=5,
    source="x = (<b>",
    cell=CellPosition(label="In[5]", line=4),
)


class Visible(HTMLParser):
    """What a viewer without style sheets shows, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append(dict(attrs) | {"tag": tag})
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def after(*events: StageEvent, start: Progress = START) -> Progress:
    progress = start
    for event in events:
        progress = progress.after(event, 0.118)
    return progress


def stages(*names: Stage) -> list[StageEvent]:
    return [StageEvent(stage=name, seconds=0.01) for name in names]


LIVE = after(*stages(*STAGES[:4]), StageEvent(stage=Stage.LIVE, seconds=0.05, url=URL, version=2))
UNCHANGED = after(*stages(*STAGES[:2]), StageEvent(stage=Stage.LIVE, seconds=0.02, url=URL, version=2, unchanged=True))
FAILED = after(
    StageEvent(stage=Stage.FAILED, seconds=0.01, failed_stage=Stage.VALIDATE, diagnostics=[SYNTAX]),
)


def test_the_running_stage_is_the_first_that_is_not_over() -> None:
    assert START.running_stage is Stage.VALIDATE
    assert after(*stages(Stage.VALIDATE, Stage.RELEASE)).running_stage is Stage.START
    assert LIVE.running_stage is None
    assert START.waiting("Starting the service.").running_stage is None


def test_a_card_while_it_runs() -> None:
    html = html_card(after(*stages(Stage.VALIDATE)))
    assert '<li class="gofastapi-done">validate <span>10 ms</span>' in html
    assert '<li class="gofastapi-now">release' in html
    assert '<li class="gofastapi-later">live' in html
    assert "Deploying <b>hello</b>" in html
    assert "Copy" not in Visible(html).text


def test_a_live_card_reads_well_without_styles_and_scripts() -> None:
    shown = Visible(html_card(LIVE))
    assert "hello v2 is live" in shown.text
    assert "118 ms" in shown.text
    assert URL in shown.text
    [link] = [a for a in shown.attributes if a["tag"] == "a"]
    assert (link["href"], link["target"], link["rel"]) == (URL, "_blank", "noopener")
    [button] = [a for a in shown.attributes if a.get("role") == "button"]
    assert button["data-copy"] == URL
    assert "Copy" not in shown.text


def test_the_time_of_live_is_what_the_other_stages_leave() -> None:
    assert LIVE.done[Stage.LIVE] == pytest.approx(0.01)


def test_through_jupyter_only_where_there_is_a_server() -> None:
    assert "through Jupyter" not in html_card(LIVE)
    behind = after(
        StageEvent(stage=Stage.LIVE, seconds=0.1, url=URL, version=1),
        start=Progress(app="hello", title="", relay="/user/a%40b/gofastapi/apps/hello/"),
    )
    assert 'href="/user/a%40b/gofastapi/apps/hello/"' in html_card(behind)


def test_plain_text_of_a_live_app() -> None:
    assert text_card(LIVE).splitlines() == [
        "  validate     10 ms",
        "  release      10 ms",
        "  start        10 ms",
        "  ready        10 ms",
        "  live         10 ms",
        f"hello v2 is live in 118 ms: {URL}",
    ]


def test_unchanged_says_so_and_shows_no_stages() -> None:
    assert text_card(UNCHANGED) == f"Unchanged: version 2 is live at {URL}, nothing to do"
    shown = Visible(html_card(UNCHANGED)).text
    assert "Unchanged: version 2 is live, nothing to do" in shown
    assert URL in shown
    assert "validate" not in shown


def test_a_failure_shows_the_line_of_the_cell_with_a_caret() -> None:
    shown = Visible(html_card(FAILED)).text
    assert "hello was not deployed" in shown
    assert "In[5], line 4" in shown
    assert "4 | x = (<b>\n  |     ^" in shown
    assert "Close it." in shown
    text = text_card(FAILED)
    assert "      4 | x = (<b>\n        |     ^" in text
    assert "In[5]:4:5" in text
    assert "main.py" not in shown + text


def test_the_error_that_ends_the_cell_is_one_line() -> None:
    assert summary(FAILED) == "hello: Syntax error: '(' was never closed (In[5], line 4)"
    two = SYNTAX.model_copy(update={"message": "One\nmore words", "cell": None})
    several = after(StageEvent(stage=Stage.FAILED, seconds=0.1, diagnostics=[two, SYNTAX]))
    assert summary(several) == "hello: One (main.py, line 3), and 1 more"
    assert summary(after(StageEvent(stage=Stage.FAILED, seconds=0.1))) == "hello was not deployed"


def test_end_lines_move_with_the_cell() -> None:
    moved = in_cell(SYNTAX.model_copy(update={"end_line": 6}))
    assert (moved.file, moved.line, moved.end_line) == ("In[5]", 4, 7)
    other = SYNTAX.model_copy(update={"cell": None})
    assert in_cell(other) == other


def test_what_users_wrote_cannot_become_markup_or_drive_a_terminal() -> None:
    nasty = Diagnostic(
        code="x",
        message="<script>alert(1)</script>\x1b[2J",
        hint="<i>\x01",
        file="<u>.py",
        line=1,
        source="<s>\x01&\x02",
        column=0,
        traceback="<em>\x1b]0;x\x07",
    )
    start = Progress(
        app="hello", title="", included=("<a>.py",), skipped=("<q>: why\x1b",), env_names=("A",), relay="/x/"
    )
    failed = after(StageEvent(stage=Stage.FAILED, seconds=0.1, diagnostics=[nasty]), start=start)
    tags = {a["tag"] for a in Visible(html_card(failed)).attributes}
    assert tags <= {"div", "style", "p", "span", "b", "ol", "li", "pre", "br", "code"}
    for text in (html_card(failed), text_card(failed)):
        assert not {"\x1b", "\x01", "\x02", "\x07"} & set(text)


def test_what_came_along_and_what_did_not() -> None:
    start = Progress(
        app="hello",
        title="",
        included=("helpers.py", "templates/"),
        skipped=("pkg/.env: may hold secrets",),
        env_names=("TOKEN",),
    )
    live = after(StageEvent(stage=Stage.LIVE, seconds=0.1, url=URL, version=1), start=start)
    for shown in (Visible(html_card(live)).text, text_card(live)):
        assert "Came along: helpers.py, templates/" in shown
        assert "Left out: pkg/.env: may hold secrets" in shown
        assert "Environment: TOKEN" in shown


def test_long_lists_are_cut_short() -> None:
    start = Progress(app="hello", title="", skipped=tuple(f"pkg/.h{n}: hidden" for n in range(300)))
    for shown in (Visible(html_card(start)).text, text_card(start)):
        assert shown.count("Left out:") == 6
        assert "Left out: 295 more" in shown


def test_a_failure_says_what_is_still_live() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    view = AppView(
        id="hello", title="hello", code_state=CodeState.UP_TO_DATE, url=URL,
        state=State.RUNNING, target=Target.RUNNING, status=Status.RUNNING, reason=None,
        version=1, code_hash="x", port=18000, created_at=now, updated_at=now,
    )  # fmt: skip
    failed = FAILED.with_still_live(view)
    assert f"Version 1 is still live at {URL}." in text_card(failed)
    assert f"Version 1 is still live at {URL}." in Visible(html_card(failed)).text
    assert f'<a href="{URL}"' in html_card(failed)
    assert "still live" not in text_card(FAILED.with_still_live(view.model_copy(update={"version": None})))


def test_interrupted_and_lost() -> None:
    interrupted = START.ended(Ending.INTERRUPTED, 1.5)
    assert "still deploying in the background: %apps shows when it is live" in text_card(interrupted)
    assert "still deploying in the background" in Visible(html_card(interrupted)).text
    assert "no answer" in text_card(START.ended(Ending.LOST, 1.5))


def test_what_the_service_refuses_is_no_missing_answer() -> None:
    refused = START.ended(Ending.REFUSED, 0.1)
    assert text_card(refused) == "hello: nothing was changed"
    assert "validate" not in Visible(html_card(refused)).text


def test_a_notebook_is_told_magics() -> None:
    told = replace(START, skipped=(".env: give them to it with: gofastapi env import NAME .env",))
    assert "Left out: .env: give them to it with: %env_set hello --import .env" in text_card(told)
    assert "%env_set hello --import .env" in Visible(html_card(told)).text
    for command, magic in (
        ("gofastapi env set hello --secret KEY", "%env_set hello --secret KEY"),
        ("gofastapi env unset hello KEY", "%env_set hello --unset KEY"),
        ("gofastapi restore hello", "%restore hello"),
        ("gofastapi rm --forever hello", "gofastapi rm --forever hello"),
    ):
        assert as_magics(f"Do: {command}") == f"Do: {magic}"


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b" not in text_card(LIVE)
    assert "\x1b[32mhello v2 is live\x1b[0m" in "\n".join(ending_lines(LIVE, coloured))
