"""Requests to the platform service over its unix socket, and its errors raised again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from gofastapi_ext._version import __version__
from gofastapi_ext.client.places import Places
from gofastapi_ext.core.errors import (
    InternalError,
    ServiceUnreachableError,
    VersionMismatchError,
    error_from_code,
)
from gofastapi_ext.core.models import ErrorBody

VERSION_HEADER = "X-GoFastAPI-Version"
WENT_AWAY = (
    "The GoFastAPI service went away in the middle of the request. What was live still is, or comes back by itself; "
    "run it again."
)

_Model = TypeVar("_Model", bound=BaseModel)


class Transport:
    """What every call of the client goes through.

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

    def _ask(self, method: str, path: str, model: type[_Model], **kwargs: Any) -> _Model:
        return model.model_validate_json(self._request(method, path, **kwargs).content)

    def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        with self._translated():
            response = self._http.request(method, path, **_with_json(kwargs))
        self._check(response)
        return response

    def _exists(self, path: str) -> bool:
        with self._translated():
            response = self._http.request("HEAD", path)
        if response.status_code == 404:
            return False
        self._check(response)
        return True

    def _stream(self, method: str, path: str, model: type[_Model], **kwargs: Any) -> Iterator[_Model]:
        with self._opened(method, path, **kwargs) as response:
            for line in _lines(response.iter_bytes()):
                yield model.model_validate_json(line)

    def _server_sent(self, path: str, model: type[_Model], **kwargs: Any) -> Iterator[_Model]:
        """The events of a stream of server-sent events whose data are models of one line each."""
        with self._opened("GET", path, **kwargs) as response:
            for line in _lines(response.iter_bytes()):
                if line.startswith(b"data: "):
                    yield model.model_validate_json(line[6:])

    def _download(self, path: str, target: IO[bytes], **kwargs: Any) -> None:
        with self._opened("GET", path, **kwargs) as response:
            for chunk in response.iter_bytes():
                target.write(chunk)

    @contextmanager
    def _opened(self, method: str, path: str, **kwargs: Any) -> Iterator[httpx.Response]:
        """An answer whose body is read by the caller, piece by piece."""
        with self._translated(), self._http.stream(method, path, **_with_json(kwargs)) as response:
            if response.status_code >= 400:
                response.read()
            self._check(response)
            yield response

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
            raise ServiceUnreachableError(WENT_AWAY) from error


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What lies between newlines. `iter_lines` of httpx also cuts at U+2028 and the like, which JSON may hold."""
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        yield from lines


def _with_json(kwargs: dict[str, Any]) -> dict[str, Any]:
    if "content" in kwargs:
        kwargs["headers"] = {"Content-Type": "application/json"} | kwargs.get("headers", {})
    return kwargs
