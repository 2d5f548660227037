"""How apps are doing, in numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from gofastapi_ext.core.metrics import AppNumbers, MetricsView
from gofastapi_ext.platform.api.state import Caller, UsesServices

router = APIRouter(prefix="/api", tags=["metrics"])

_NUMBERS = TypeAdapter(list[AppNumbers])


@router.get("/apps/{app_id}/metrics", response_model=MetricsView)
async def get_metrics(
    app_id: str,
    services: UsesServices,
    caller: Caller,
    window_seconds: Annotated[float | None, Query(description="How far back; 24 hours by default.")] = None,
    step_seconds: Annotated[int | None, Query(description="Of the time line; whole minutes.")] = None,
) -> Response:
    """Requests, errors, latency, bytes, processor and memory: in all, over time, and by route. Up to this moment."""
    view = await services.metrics.view(app_id, caller.user, window_seconds, step_seconds)
    # Written as it is: it was validated when it was made.
    return Response(view.model_dump_json(), media_type="application/json")


@router.get("/metrics", response_model=list[AppNumbers])
async def list_numbers(services: UsesServices, caller: Caller) -> Response:
    """The last 24 hours of each of your apps, by name, as they reported in the last seconds."""
    return Response(_NUMBERS.dump_json(await services.metrics.of(caller.user)), media_type="application/json")
