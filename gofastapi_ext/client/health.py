"""How apps are doing, as the command line and the notebook say it."""

from __future__ import annotations

from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.health import Health, HealthCheck, HealthColor, HealthView
from gofastapi_ext.core.models import AppView

_CHECKS_SHOWN = 10
_ROLES = {HealthColor.GREEN: "good", HealthColor.YELLOW: "warning", HealthColor.RED: "error"}


def health_word(health: Health | None) -> str:
    """The colour as a word; a dash where the app is not meant to run."""
    return "–" if health is None or health.color is HealthColor.GREY else str(health.color)


def health_line(name: str, health: Health, paint: Paint = plain, width: int = 0) -> str:
    """`hello  red  since 12:03: the reason`"""
    word = health_word(health)
    painted = paint(word, _ROLES.get(health.color, "dim")) + " " * (6 - len(word))
    return f"{name.ljust(width)}  {painted}  {health_reason(health)}"


def health_reason(health: Health) -> str:
    """The reason, and since when it is so where that is more than usual."""
    usual = health.color not in (HealthColor.YELLOW, HealthColor.RED) or health.since is None
    since = "" if usual or health.since is None else f"since {health.since.astimezone():%Y-%m-%d %H:%M}: "
    return since + printable(health.reason)


def health_as_text(view: HealthView, paint: Paint = plain) -> str:
    """The verdict, and below it the checks behind it, newest first."""
    return "\n".join([health_line(view.app, view, paint), *(f"  {line}" for line in check_lines(view))])


def check_lines(view: HealthView) -> list[str]:
    """A line for each of the last checks, newest first."""
    return [_check_line(check) for check in view.checks[:_CHECKS_SHOWN]]


def apps_health_as_text(apps: list[AppView], paint: Paint = plain) -> str:
    """A line for each app."""
    width = max((len(app.id) for app in apps), default=0)
    return "\n".join(health_line(app.id, app.health, paint, width) for app in apps if app.health is not None)


def _check_line(check: HealthCheck) -> str:
    said = check.problem or f"/health answered {check.status}"
    return f"{check.at.astimezone():%H:%M:%S}  {check.seconds * 1000:6.0f} ms  {printable(said)}"
