"""What the service says of itself: to people, and to Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gofastapi_ext.core.stats import StatsView
from gofastapi_ext.platform.api.state import Caller, UsesServices
from gofastapi_ext.platform.control.telemetry import MEDIA_TYPE

router = APIRouter(tags=["service"])


@router.get("/api/stats")
async def get_stats(services: UsesServices, caller: Caller) -> StatsView:
    """From the cell to the URL: how fast, how surely, in the last 7 days; and how many apps there are."""
    return await services.stats.of(caller.user)


@router.get("/metrics", include_in_schema=False)
async def get_metrics(services: UsesServices) -> Response:
    """The service's own figures, in Prometheus text."""
    return Response(services.telemetry.render(await services.stats.apps_by_state()), media_type=MEDIA_TYPE)
