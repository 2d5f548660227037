"""An app's own variables and secrets, as they travel over the API. Their rules are in `core.environment`."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Setting(_Frozen):
    """A value to set. It is hidden in every representation but the JSON that travels."""

    value: SecretStr
    secret: bool = False

    @field_serializer("value", when_used="json")
    def _revealed(self, value: SecretStr) -> str:
        return value.get_secret_value()


class EnvChange(_Frozen):
    """Variables to set and to take away, as one change: the app restarts once, or nothing changed."""

    set: dict[str, Setting] = Field(default_factory=dict)
    unset: list[str] = Field(default_factory=list)


class VariableView(_Frozen):
    """A variable of an app. The value of a secret is never told."""

    name: str
    secret: bool
    value: str | None
    """None for a secret."""
    missing: bool = False
    """A secret that came along by name only (from a clone); the app does not get it until it is set."""
    overridden: bool = False
    """The live version brings a value of its own, by `--env`."""
    updated_at: datetime
    updated_by: str


class EnvView(_Frozen):
    """The variables of an app, by name."""

    variables: list[VariableView]


class DotenvText(_Frozen):
    """The text of a `.env` file. It is hidden in every representation."""

    text: SecretStr


class DotenvVariable(_Frozen):
    """A variable as a `.env` file sets it."""

    name: str
    value: str
    looks_secret: bool
    """By its name; a person decides."""
    problem: str | None = None
    """Why an app cannot have it, where it cannot."""


class KeyRotation(_Frozen):
    """What a rotation of the key did."""

    key: str
    """The id of the key that all secrets are encrypted with now."""
    secrets: int
    """How many were encrypted anew."""
    unreadable: list[str] = Field(default_factory=list)
    """Those whose key is gone, as `app: NAME`: they stay as they are until they are set again."""
