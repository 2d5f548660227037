"""Who is calling."""

from __future__ import annotations

import getpass
import re

from pydantic import BaseModel, ConfigDict


class Principal(BaseModel):
    """The caller of a request."""

    model_config = ConfigDict(frozen=True)

    user: str
    is_admin: bool


def laptop_owner() -> Principal:
    """On a laptop whoever can open the socket is its owner: the directory lets no other user in."""
    name = re.sub(r"[^a-z0-9_-]+", "-", getpass.getuser().lower()).strip("-")
    return Principal(user=name or "owner", is_admin=True)
