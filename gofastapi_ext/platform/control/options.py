"""What an owner may set of an app beside its code: read from a request, checked, and put in words."""

from __future__ import annotations

from typing import Any

from gofastapi_ext.core.durations import format_duration, parse_duration
from gofastapi_ext.core.errors import InvalidRequestError
from gofastapi_ext.core.models import AppChange

_MIN_SLEEP_AFTER_SECONDS = 1.0
_MAX_SLEEP_AFTER_SECONDS = 365 * 86_400.0


def options_of(change: AppChange, max_workers: int) -> dict[str, Any]:
    """What is to be stored of a change. Raises `InvalidRequestError`."""
    options: dict[str, Any] = {}
    if change.title is not None:
        title = " ".join(change.title.split())
        if not title.isprintable():
            raise InvalidRequestError("A title is one line of text, without control characters.")
        options["title"] = title or None
    if change.sleep_after is not None:
        options["sleep_after_seconds"] = _sleep_after(change.sleep_after)
    if change.record_bodies is not None:
        options["record_bodies"] = change.record_bodies
    if change.workers is not None:
        if change.workers > max_workers:
            raise InvalidRequestError(f"An app has {max_workers} workers at most.", {"max_workers": max_workers})
        options["workers"] = change.workers
    return options


def _sleep_after(text: str) -> float | None:
    match text.strip().lower():
        case "default":
            return None
        case "never":
            return 0.0
        case duration:
            try:
                seconds = parse_duration(duration)
            except InvalidRequestError as error:
                raise InvalidRequestError(f"{error.message} Or write never, or default.") from None
    if not _MIN_SLEEP_AFTER_SECONDS <= seconds <= _MAX_SLEEP_AFTER_SECONDS:
        raise InvalidRequestError("An app sleeps after 1s at least and 365d at most; or write never, or default.")
    return seconds


def in_words(options: dict[str, Any]) -> str:
    """What was changed, as a sentence."""
    told = []
    if "title" in options:
        told.append(f"its title is {options['title'] or 'its name'}")
    if "sleep_after_seconds" in options:
        after = options["sleep_after_seconds"]
        told.append(
            "it sleeps as others do"
            if after is None
            else f"it sleeps after {format_duration(after)}"
            if after
            else "it never sleeps"
        )
    if "record_bodies" in options:
        kept = "kept" if options["record_bodies"] else "not kept"
        told.append(f"bodies of requests that fail are {kept}")
    if "workers" in options:
        told.append(f"it has {options['workers']} worker{'s' if options['workers'] > 1 else ''}")
    return f"Changed: {', '.join(told)}."
