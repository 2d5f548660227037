"""The API's ASGI app: every resource's routes, what all requests pass through, and how errors are answered."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import Lifespan

from gofastapi_ext._version import __version__
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.platform.api import (
    alerts,
    app_errors,
    apps,
    backups,
    blobs,
    branches,
    cleanup,
    convert,
    database,
    documents,
    drafts,
    env,
    events,
    export,
    health,
    metrics,
    service,
    stats,
    transfers,
    versions,
)
from gofastapi_ext.platform.api.bodies import BodyLimit, LingeringBody
from gofastapi_ext.platform.api.errors import add_error_handlers
from gofastapi_ext.platform.api.measured import Measured
from gofastapi_ext.platform.api.segments import RawSegments
from gofastapi_ext.platform.api.version_header import VersionHeader
from gofastapi_ext.platform.control.telemetry import Telemetry

# In the order in which the API's documentation shows them.
_RESOURCES = (
    service,
    stats,
    cleanup,
    apps,
    app_errors,
    env,
    blobs,
    drafts,
    convert,
    export,
    versions,
    health,
    metrics,
    alerts,
    events,
    database,
    backups,
    branches,
    documents,
    transfers,
)


def api_application(lifespan: Lifespan[FastAPI], limits: Limits, telemetry: Telemetry) -> FastAPI:
    """The app. `lifespan` puts the `Services` that its routes work with into `app.state.services`."""
    app = FastAPI(
        title="GoFastAPI",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        lifespan=lifespan,
    )
    for resource in _RESOURCES:
        # Rather than `include_router`, which makes every route a second time when it is first looked for: 2 MB.
        app.router.routes.extend(resource.router.routes)
    add_error_handlers(app)
    app.add_middleware(RawSegments)
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(LingeringBody)
    app.add_middleware(VersionHeader)
    app.add_middleware(Measured, telemetry=telemetry)
    return app
