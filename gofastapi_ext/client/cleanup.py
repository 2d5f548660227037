"""What clean-up takes away, as a table."""

from __future__ import annotations

from gofastapi_ext.client.render import printable
from gofastapi_ext.core.cleanup import CleanupItem, CleanupReport, Leftover
from gofastapi_ext.core.limits import format_bytes

_WORDS = {
    Leftover.APP_WARNED: "warning to app",
    Leftover.APP_REMOVED: "app",
    Leftover.APP_PURGED: "deleted app",
    Leftover.NAME: "name",
    Leftover.BUNDLE: "bundle",
    Leftover.BLOB: "blob",
    Leftover.BRANCH: "branch",
    Leftover.DATABASE: "database",
    Leftover.FILES: "files",
    Leftover.SOCKET: "socket",
    Leftover.PROCESS: "process",
}


def cleanup_as_text(report: CleanupReport) -> str:
    """What went, or of a dry run would go, each with its reason; then how much that is."""
    if not report.items:
        return "There is nothing to clean up."
    rows = [_row(item) for item in report.items]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{what.ljust(widths[0])}  {name.ljust(widths[1])}  {size.rjust(widths[2])}  {reason}"
        for what, name, size, reason in rows
    ]
    count, total = len(report.items), format_bytes(sum(item.size_bytes or 0 for item in report.items))
    things = "1 thing" if count == 1 else f"{count} things"
    ending = f"{things} would go: {total}." if report.dry_run else f"{things} went: {total}."
    return "\n".join([*lines, ending])


def _row(item: CleanupItem) -> tuple[str, str, str, str]:
    reason = (
        item.reason if item.due_at is None else f"{item.reason}: it goes on {item.due_at.astimezone():%Y-%m-%d %H:%M}"
    )
    size = "" if item.size_bytes is None else format_bytes(item.size_bytes)
    return _WORDS[item.what], printable(item.name), size, printable(reason)
