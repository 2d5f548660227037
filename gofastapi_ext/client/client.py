"""The client: one method per thing the API can do, typed both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from gofastapi_ext._version import __version__
from gofastapi_ext.client.discovery import ensure_running
from gofastapi_ext.client.places import Places, find_places
from gofastapi_ext.core.errors import (
    InternalError,
    ServiceUnreachableError,
    VersionMismatchError,
    error_from_code,
)
from gofastapi_ext.core.lifecycle import Stage
from gofastapi_ext.core.models import (
    AppView,
    DeployRequest,
    ErrorBody,
    LogLine,
    Me,
    ServiceView,
    StageEvent,
    ValidateRequest,
    ValidateResult,
    VersionView,
)

VERSION_HEADER = "X-GoFastAPI-Version"
_WENT_AWAY = (
    "The GoFastAPI service went away in the middle of the request. What was live still is, or comes back by itself; "
    "run it again."
)

_Model = TypeVar("_Model", bound=BaseModel)
_APPS = TypeAdapter(list[AppView])
_VERSIONS = TypeAdapter(list[VersionView])


class Client:
    """Speaks to the platform service of this user over its unix socket.

    Every method raises a `GoFastAPIError`; none raises anything of the HTTP library. By default it waits for
    an answer as long as it takes: a followed log is silent for as long as its app is.
    """

    def __init__(
        self, places: Places, *, check_version: bool = True, read_timeout_seconds: float | None = None
    ) -> None:
        self._places = places
        self._check_version = check_version
        self._http = httpx.Client(
            base_url="http://gofastapi",
            # No TLS on a unix socket: without this httpx loads the certificate store, for 55 ms.
            transport=httpx.HTTPTransport(uds=str(places.socket), verify=False),
            timeout=httpx.Timeout(read_timeout_seconds, connect=5.0),
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def me(self) -> Me:
        return self._get("/api/me", Me)

    def service(self) -> ServiceView:
        return self._get("/api/service", ServiceView)

    def apps(self) -> list[AppView]:
        return _APPS.validate_json(self._request("GET", "/api/apps").content)

    def app(self, app_id: str) -> AppView:
        return self._get(f"/api/apps/{app_id}", AppView)

    def delete(self, app_id: str) -> None:
        self._request("DELETE", f"/api/apps/{app_id}")

    def validate(self, request: ValidateRequest) -> ValidateResult:
        response = self._request("POST", "/api/validate", content=request.model_dump_json())
        return ValidateResult.model_validate_json(response.content)

    def deploy(self, app_id: str, request: DeployRequest) -> Iterator[StageEvent]:
        """Deploy, and yield each stage as it ends; the last is `live` or `failed`."""
        body = request.model_dump_json(exclude_defaults=True)
        yield from _until_the_end(self._stream("POST", f"/api/apps/{app_id}/deploy", StageEvent, content=body))

    def versions(self, app_id: str) -> list[VersionView]:
        """Newest first."""
        return _VERSIONS.validate_json(self._request("GET", f"/api/apps/{app_id}/versions").content)

    def rollback(self, app_id: str, number: int) -> Iterator[StageEvent]:
        """Make a new version out of an old one; yields stages as `deploy` does."""
        yield from _until_the_end(self._stream("POST", f"/api/apps/{app_id}/rollback/{number}", StageEvent))

    def logs(self, app_id: str, *, tail: int = 200, follow: bool = False) -> Iterator[LogLine]:
        """The last `tail` lines, oldest first; with `follow`, then each new one as it comes."""
        params = {"tail": tail, "follow": "true" if follow else "false"}
        yield from self._stream("GET", f"/api/apps/{app_id}/logs", LogLine, params=params)

    def _get(self, path: str, model: type[_Model]) -> _Model:
        return model.model_validate_json(self._request("GET", path).content)

    def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        with self._translated():
            response = self._http.request(method, path, **_with_json(kwargs))
        self._check(response)
        return response

    def _stream(self, method: str, path: str, model: type[_Model], **kwargs: Any) -> Iterator[_Model]:
        with self._translated(), self._http.stream(method, path, **_with_json(kwargs)) as response:
            if response.status_code >= 400:
                response.read()
            self._check(response)
            for line in _lines(response.iter_bytes()):
                yield model.model_validate_json(line)

    def _check(self, response: httpx.Response) -> None:
        served_by = response.headers.get(VERSION_HEADER)
        if self._check_version and served_by and served_by != __version__:
            raise VersionMismatchError(
                f"The running GoFastAPI service is version {served_by}, this is {__version__}. "
                "Restart it with `gofastapi up --restart`: apps come back by themselves, versions and data stay.",
                {"service": served_by, "client": __version__},
            )
        if response.status_code < 400:
            return
        try:
            body = ErrorBody.model_validate_json(response.content)
        except ValidationError:
            raise InternalError(f"The service answered {response.status_code} without an explanation.") from None
        details = dict(body.details)
        if body.request_id:
            details["request_id"] = body.request_id
        raise error_from_code(body.code, body.message, details)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError as error:
            raise ServiceUnreachableError("The GoFastAPI service is not running. Start it: gofastapi up") from error
        except httpx.ReadTimeout as error:
            raise ServiceUnreachableError(
                "The GoFastAPI service does not answer. Start it anew: gofastapi up --restart"
            ) from error
        except httpx.TransportError as error:
            raise ServiceUnreachableError(_WENT_AWAY) from error


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What lies between newlines. `iter_lines` of httpx also cuts at U+2028 and the like, which JSON may hold."""
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        yield from lines


def _until_the_end(events: Iterator[StageEvent]) -> Iterator[StageEvent]:
    """The events; raises where the service was stopped before the last one."""
    last = None
    for event in events:
        last = event
        yield event
    if last is None or last.stage not in (Stage.LIVE, Stage.FAILED):
        raise ServiceUnreachableError(_WENT_AWAY)


def connect(places: Places | None = None, *, start: bool = True, check_version: bool = True) -> Client:
    """A client of this user's service, which is started first where it does not run and `start` is true."""
    places = places or find_places()
    if start:
        ensure_running(places)
    return Client(places, check_version=check_version)


def _with_json(kwargs: dict[str, Any]) -> dict[str, Any]:
    if "content" in kwargs:
        kwargs["headers"] = {"Content-Type": "application/json"}
    return kwargs
