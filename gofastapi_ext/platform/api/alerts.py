"""The webhook that is told when something needs you."""

from __future__ import annotations

from fastapi import APIRouter

from gofastapi_ext.core.alerts import AlertsChange, AlertsView
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api/alerts", tags=["alerts"])


@router.get("")
async def get_alerts(services: UsesServices, caller: Caller) -> AlertsView:
    """Where you are told, and how the latest deliveries went."""
    return await services.alerts.view(caller.user)


@router.put("")
async def set_alerts(change: AlertsChange, services: UsesServices, caller: Caller) -> AlertsView:
    """Be told there from now on. The secret that messages are signed with is new, and in this answer alone."""
    return await services.alerts.set(caller.user, change.url)


@router.delete("")
async def remove_alerts(services: UsesServices, caller: Caller) -> AlertsView:
    """Be told nothing any more."""
    return await services.alerts.remove(caller.user)


@router.post("/test")
async def test_alerts(services: UsesServices, caller: Caller) -> AlertsView:
    """Send a message now, once. How that went stands first."""
    return await services.alerts.test(caller.user)
