"""How an app is doing: its colour, the reason, and the checks behind it."""

from __future__ import annotations

from fastapi import APIRouter

from gofastapi_ext.core.health import HealthView
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/apps", tags=["health"])


@router.get("/{app_id}/health-status")
async def get_health(app_id: str, services: UsesServices, caller: Caller) -> HealthView:
    """Whether the app is well, and why. One that runs is asked now, unless it was in the last seconds."""
    return await services.health.view(await services.apps.find(app_id, caller.user))
