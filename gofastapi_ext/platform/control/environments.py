"""The variables and secrets of apps: what an app is started with, what people see, and what they change."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gofastapi_ext.core.environment import check_change, size_bytes, too_large
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError, SecretsUnreadableError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.variables import EnvChange, EnvView, KeyRotation, VariableView
from gofastapi_ext.platform.control.alerts import reseal_webhooks
from gofastapi_ext.platform.keyring import KeyRing, Sealed
from gofastapi_ext.platform.store.alerts import AlertStore
from gofastapi_ext.platform.store.apps import AppStore
from gofastapi_ext.platform.store.environments import EnvRecord, EnvStore, VariableRecord
from gofastapi_ext.platform.store.undo import UndoStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Environment:
    """What an app gets. Neither values nor secrets show in its representation."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    """Variables and secrets by name; a secret that is missing is not among them."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """The values of the secrets."""
    names: list[str] = field(default_factory=list)
    """Of everything in `values`, sorted."""
    missing: list[str] = field(default_factory=list)
    """Names of secrets that came along from a clone by name only."""


class Environments:
    """Revision 0 stands for an app that never had variables."""

    def __init__(
        self,
        store: EnvStore,
        apps: AppStore,
        alerts: AlertStore,
        undo: UndoStore,
        keyring: KeyRing,
        limits: Limits,
    ) -> None:
        self._store = store
        self._alerts = alerts
        self._undo = undo
        self._apps = apps
        self._keyring = keyring
        self._limits = limits

    async def resolve(self, app_id: str, revision: int) -> Environment:
        """What an app is started with. Raises `SecretsUnreadableError` that names the app and its secrets."""
        variables = await self._variables(app_id, revision)
        values: dict[str, str] = {}
        unreadable: list[str] = []
        why = ""
        for variable in variables:
            if variable.value is not None:
                values[variable.name] = variable.value
            elif variable.sealed is not None:
                try:
                    values[variable.name] = self._keyring.open(variable.sealed, _bound_to(app_id, variable.name))
                except SecretsUnreadableError as error:
                    unreadable.append(variable.name)
                    why = error.message
        if unreadable:
            raise _unreadable(app_id, unreadable, why)
        return Environment(
            values=values,
            secrets=frozenset(values[v.name] for v in variables if v.secret and v.name in values),
            names=sorted(values),
            missing=_missing(variables),
        )

    async def prepare(self, app_id: str, current_revision: int, change: EnvChange, by: str) -> EnvRecord:
        """Store the variables as they are after `change`, as a new revision, which is not in force yet.

        The one in force comes back where the change changes nothing. Raises `InvalidRequestError`, and
        `NotFoundError` for a variable to take away that is not there.
        """
        now = datetime.now(UTC)
        async with self._keyring.sealing:
            # Read in here: a rotation would forget the key of what was read before it.
            before = await self.check(app_id, current_revision, change)
            after = {name: variable for name, variable in before.items() if name not in change.unset}
            for name, setting in change.set.items():
                value = setting.value.get_secret_value()
                old = before.get(name)
                if old is not None and old.value == value and not setting.secret:
                    continue
                sealed = self._keyring.seal(value, _bound_to(app_id, name)) if setting.secret else None
                after[name] = VariableRecord(
                    name=name,
                    secret=setting.secret,
                    value=None if setting.secret else value,
                    sealed=sealed,
                    updated_at=now,
                    updated_by=by,
                )
            if after == before:
                return EnvRecord(app=app_id, revision=current_revision, variables=list(before.values()))
            if len(after) > self._limits.max_env_variables:
                raise InvalidRequestError(
                    f"These would be {len(after)} variables; {self._limits.max_env_variables} is the limit."
                )
            size = sum(map(_size_bytes, after.values()))
            if size > self._limits.max_env_bytes:
                raise too_large(size, self._limits.max_env_bytes)
            return await self._store.add(app_id, current_revision, sorted(after.values(), key=lambda v: v.name))

    async def check(self, app_id: str, revision: int, change: EnvChange) -> dict[str, VariableRecord]:
        """Whether the app can take `change`, as `prepare` says; the variables it has, by name."""
        check_change(change)
        variables = {v.name: v for v in await self._variables(app_id, revision)}
        if unknown := [name for name in change.unset if name not in variables]:
            raise NotFoundError(f'"{app_id}" has no variable {unknown[0]}.')
        for name, setting in change.set.items():
            if not setting.secret and name in variables and variables[name].secret:
                raise InvalidRequestError(
                    f"{name} is a secret, and this would put its value in the open. Set it as one, "
                    f"--secret {name}, or take it away first."
                )
        return variables

    async def view(self, app_id: str, revision: int, overridden: Collection[str]) -> EnvView:
        """What people see; the value of a secret is not read for it."""
        views = [
            VariableView(
                name=v.name,
                secret=v.secret,
                value=v.value,
                missing=v.secret and v.sealed is None,
                overridden=v.name in overridden,
                updated_at=v.updated_at,
                updated_by=v.updated_by,
            )
            for v in await self._variables(app_id, revision)
        ]
        return EnvView(variables=views)

    async def names(self, app_id: str, revision: int) -> tuple[frozenset[str], frozenset[str]]:
        """The names of the plain variables, and those of the secrets, missing ones included."""
        variables = await self._variables(app_id, revision)
        secret = frozenset(v.name for v in variables if v.secret)
        return frozenset(v.name for v in variables) - secret, secret

    async def check_open(self, app_id: str, revision: int, env: Collection[str]) -> None:
        """Raise `InvalidRequestError` where one of these names is a secret of the app: a value would be in the open."""
        _, secret = await self.names(app_id, revision)
        if both := sorted(secret.intersection(env)):
            raise InvalidRequestError(
                f"{', '.join(both)} is a secret of {app_id}, and --env would put a value in the open. Leave it out, or "
                f"take the secret away: gofastapi env unset {app_id} {both[0]}"
            )

    async def copy(self, source_app: str, revision: int, target_app: str, by: str) -> tuple[int, list[str]]:
        """Store an app's variables for another one, secrets by name only.

        Returns the revision there (0 where there is nothing to copy), and the names that are missing.
        """
        now = datetime.now(UTC)
        variables = [
            v.model_copy(update={"sealed": None, "updated_at": now, "updated_by": by})
            for v in await self._variables(source_app, revision)
        ]
        if not variables:
            return 0, []
        return (await self._store.add(target_app, 0, variables)).revision, _missing(variables)

    async def rotate(self) -> KeyRotation:
        """Encrypt every secret with a new key. Begun again after a crash at any point, it ends what is left.

        Secrets that cannot be read stay as they are, are named, and keep nothing back.
        """
        async with self._keyring.sealing:
            key = self._keyring.begin_rotation()
            count, unreadable = await reseal_webhooks(self._alerts, self._keyring, key)
            for record in await self._store.with_secrets():
                resealed: dict[str, Sealed] = {}
                for variable in record.variables:
                    if variable.sealed is None or variable.sealed.key == key:
                        continue
                    bound_to = _bound_to(record.app, variable.name)
                    try:
                        resealed[variable.name] = self._keyring.seal(
                            self._keyring.open(variable.sealed, bound_to), bound_to
                        )
                    except SecretsUnreadableError as error:
                        unreadable.append(f"{record.app}: {variable.name}")
                        logger.warning("%s: %s was not encrypted anew: %s", record.app, variable.name, error.message)
                if resealed:
                    await self._store.reseal(record, resealed)
                    count += len(resealed)
            left = await self._store.with_secrets()
            used = {v.sealed.key for record in left for v in record.variables if v.sealed}
            used |= {webhook.sealed.key for webhook in await self._alerts.webhooks()}
            # Documents that may still be brought back are gone in a minute: they keep their key.
            used |= await self._undo.keys()
            self._keyring.end_rotation(used)
        return KeyRotation(key=key, secrets=count, unreadable=sorted(set(unreadable)))

    async def remove_app(self, app_id: str) -> None:
        await self._store.remove_app(app_id)

    async def prune(self, app_id: str, keep: int) -> None:
        """Forget every revision of an app but the one in force."""
        await self._store.prune(app_id, keep)

    async def _variables(self, app_id: str, revision: int) -> list[VariableRecord]:
        while revision:
            record = await self._store.get(app_id, revision)
            if record is not None:
                return record.variables
            # A change may have come into force since the app was read, and this revision have gone.
            app = await self._apps.get(app_id)
            if app is None or app.env_revision == revision:
                raise NotFoundError(f'The variables of "{app_id}" (revision {revision}) are no longer stored.')
            revision = app.env_revision
        return []


def _bound_to(app_id: str, name: str) -> str:
    """What a secret is bound to: it cannot be moved to another app or name, not even inside the database."""
    return f"{app_id}/{name}"


def _missing(variables: list[VariableRecord]) -> list[str]:
    return sorted(v.name for v in variables if v.secret and v.sealed is None)


def _size_bytes(variable: VariableRecord) -> int:
    return size_bytes(variable.name, variable.value or "") + (variable.sealed.size_bytes if variable.sealed else 0)


def _unreadable(app_id: str, names: list[str], why: str) -> SecretsUnreadableError:
    again = " ".join(f"--secret {name}" for name in names)
    return SecretsUnreadableError(
        f'The secrets of "{app_id}" cannot be read: {", ".join(names)}. {why} Bring the key back from a backup, '
        f"or set them anew: gofastapi env set {app_id} {again}. Other apps go on.",
        {"app": app_id, "secrets": names},
    )
