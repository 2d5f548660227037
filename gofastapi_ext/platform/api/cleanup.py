"""Clean-up, by hand: what would go, and let it go."""

from __future__ import annotations

from fastapi import APIRouter

from gofastapi_ext.core.cleanup import CleanupReport
from gofastapi_ext.core.errors import NotFoundError
from gofastapi_ext.platform.api.state import Caller, UsesServices
from gofastapi_ext.platform.auth import Principal

router = APIRouter(prefix="/api/cleanup", tags=["service"])


@router.get("")
async def plan(services: UsesServices, caller: Caller) -> CleanupReport:
    """What would go now, each with the reason; nothing is changed. Admins only."""
    _check_is_admin(caller)
    return await services.cleanup.report(dry_run=True)


@router.post("")
async def clean_up(services: UsesServices, caller: Caller) -> CleanupReport:
    """Let it go now, as the service does by itself every hour; answers what went. Admins only."""
    _check_is_admin(caller)
    return await services.cleanup.report(dry_run=False)


def _check_is_admin(caller: Principal) -> None:
    if not caller.is_admin:
        raise NotFoundError("Only those who look after this service clean it up.")
