"""Names: an app's id is a DNS label, so it can be a host name in every size of the product."""

from __future__ import annotations

import hashlib
import re
import secrets

from gofastapi_ext.core.errors import InvalidNameError

MAX_APP_ID_LENGTH = 40
_PLAIN_USER_ID = re.compile(r"[a-z0-9_-]{1,32}")
_DNS_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")

# Host names the platform itself may want one day, or that mislead whoever reads the URL.
RESERVED_APP_IDS = frozenset({"admin", "gofastapi", "hub", "localhost", "platform", "www"})


def check_app_id(app_id: str) -> str:
    """Return `app_id`, or raise `InvalidNameError` that says what a name may look like."""
    if app_id in RESERVED_APP_IDS:
        raise InvalidNameError(f'The name "{app_id}" is reserved. Choose another, e.g. "my-{app_id}".')
    if len(app_id) > MAX_APP_ID_LENGTH:
        raise InvalidNameError(
            f"The name is {len(app_id)} characters long; an app's name has at most {MAX_APP_ID_LENGTH}."
        )
    if not _DNS_LABEL.fullmatch(app_id):
        suggestion = suggest_app_id(app_id)
        hint = f' Try "{suggestion}".' if suggestion else ""
        raise InvalidNameError(
            f'"{app_id}" cannot be an app\'s name: use lower-case letters, digits and hyphens, '
            f"starting with a letter and not ending with a hyphen.{hint}"
        )
    return app_id


def suggest_app_id(text: str) -> str:
    """The nearest valid app id to `text`, or "" if nothing of it can be used."""
    label = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-").lstrip("0123456789-")
    label = label[:MAX_APP_ID_LENGTH].rstrip("-")
    return f"my-{label}" if label in RESERVED_APP_IDS else label


def database_name(user_id: str) -> str:
    """The database of a user. MongoDB's names are short, and hold neither capitals beside small letters nor dots."""
    if _PLAIN_USER_ID.fullmatch(user_id):
        return f"user_{user_id}"
    readable = re.sub(r"[^a-z0-9_-]+", "-", user_id.lower())[:16].strip("-")
    return f"user_{readable}~{hashlib.sha256(user_id.encode()).hexdigest()[:16]}"


def next_database_name(user_id: str) -> str:
    """A new database that is to take the place of a user's, or to be a branch of it. Nobody's own ends like this."""
    return f"{database_name(user_id)}~{secrets.token_hex(4)}"
