"""An app's variables and secrets. What they are changed to comes in; the value of a secret never goes out."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gofastapi_ext.core.dotenv import parse_dotenv
from gofastapi_ext.core.environment import check_change, check_environment, looks_secret
from gofastapi_ext.core.errors import InvalidRequestError, NotFoundError
from gofastapi_ext.core.models import StageEvent
from gofastapi_ext.core.variables import DotenvText, DotenvVariable, EnvChange, EnvView, KeyRotation, Setting
from gofastapi_ext.platform.api.apps import stream
from gofastapi_ext.platform.api.state import Caller, Services, UsesServices
from gofastapi_ext.platform.auth import Principal

router = APIRouter(prefix="/api", tags=["environment"])


@router.get("/apps/{app_id}/env")
async def get_env(app_id: str, services: UsesServices, caller: Caller) -> EnvView:
    """The app's own variables, by name. Of a secret there is only whether it is set."""
    record = await services.apps.find(app_id, caller.user)
    overridden: set[str] = set()
    if record.live_version is not None:
        overridden = set((await services.deployments.version(record, record.live_version)).env)
    return await services.environments.view(record.id, record.env_revision, overridden)


@router.put("/apps/{app_id}/env", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def change_env(app_id: str, change: EnvChange, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Set and take away variables and secrets, as one change with one restart. Answers as deploy does.

    Where the app does not come up with them, it goes on as it was, and nothing is changed. Where it does not run
    they are kept: the only event is `saved`. A new app is made where there is none of this name.
    """
    return await _change(app_id, change, services, caller)


@router.put("/apps/{app_id}/env/{name}", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def set_variable(
    app_id: str, name: str, setting: Setting, services: UsesServices, caller: Caller
) -> StreamingResponse:
    """Set one variable or secret."""
    return await _change(app_id, EnvChange(set={name: setting}), services, caller)


@router.delete("/apps/{app_id}/env/{name}", response_class=StreamingResponse, responses={200: {"model": StageEvent}})
async def unset_variable(app_id: str, name: str, services: UsesServices, caller: Caller) -> StreamingResponse:
    """Take one variable or secret away."""
    return await _change(app_id, EnvChange(unset=[name]), services, caller)


@router.post("/dotenv")
async def read_dotenv(content: DotenvText) -> list[DotenvVariable]:
    """What the text of a `.env` file sets, in order, for a person to choose from. Nothing is stored."""
    return [
        DotenvVariable(name=name, value=value, looks_secret=looks_secret(name), problem=_problem(name, value))
        for name, value in parse_dotenv(content.text.get_secret_value()).items()
    ]


@router.post("/admin/keys/rotate")
async def rotate_key(services: UsesServices, caller: Caller) -> KeyRotation:
    """Encrypt every secret with a new key; of a key file that was mounted, with its first one. Admins only."""
    if not caller.is_admin:
        raise NotFoundError("Only those who look after this service rotate its key.")
    return await services.environments.rotate()


def _problem(name: str, value: str) -> str | None:
    try:
        check_environment({name: value})
    except InvalidRequestError as error:
        return error.message
    return None


async def _change(app_id: str, change: EnvChange, services: Services, caller: Principal) -> StreamingResponse:
    # An app that cannot start without a secret needs it before its first deploy.
    find = services.apps.find_or_create if change.set else services.apps.find
    check_change(change, services.limits.max_env_bytes)
    record = await find(app_id, caller.user)
    await services.environments.check(record.id, record.env_revision, change)
    return await stream(services.deployments.change_env(record, change, caller.user))
