"""Who you are, and what answers you."""

from __future__ import annotations

from fastapi import APIRouter

from gofastapi_ext._version import __version__
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.models import Me, ServiceView, ValidateRequest, ValidateResult
from gofastapi_ext.core.templates import TEMPLATES, Template
from gofastapi_ext.platform.api.state import Caller, UsesServices, WithoutData

router = APIRouter(prefix="/api", tags=["service"])


@router.get("/me")
async def get_me(services: UsesServices, caller: Caller) -> Me:
    """The caller."""
    database = (await services.databases.binding(caller.user)).name
    return Me(user=caller.user, is_admin=caller.is_admin, version=__version__, database=database)


@router.get("/limits")
async def get_limits(services: WithoutData) -> Limits:
    """How large things may be."""
    return services.limits


@router.get("/templates")
async def list_templates() -> tuple[Template, ...]:
    """Whole apps to begin with, the easiest first. Deploy a template's bundle as it is, or changed."""
    return TEMPLATES


@router.get("/service")
async def get_service(services: WithoutData) -> ServiceView:
    """The process behind this API and its MongoDB server."""
    return services.describe()


@router.post("/validate")
async def validate(request: ValidateRequest, services: WithoutData) -> ValidateResult:
    """Diagnostics of a bundle. Executes nothing of it, stores nothing."""
    return await services.validator.validate(request.bundle, request.origins, request.interpreter)
