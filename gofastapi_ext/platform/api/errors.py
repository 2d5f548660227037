"""One table from errors to status codes, and one body for all of them."""

from __future__ import annotations

import json
import logging
import uuid
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gofastapi_ext.core import errors
from gofastapi_ext.core.models import ErrorBody

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.GoFastAPIError], HTTPStatus] = {
    errors.InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InvalidNameError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidBundleError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.DraftConflictError: HTTPStatus.CONFLICT,
    errors.DocumentConflictError: HTTPStatus.CONFLICT,
    errors.SecretsUnreadableError: HTTPStatus.CONFLICT,
    errors.DamagedBackupError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.OverLimitError: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error with `ErrorBody`."""

    @app.exception_handler(errors.GoFastAPIError)
    async def known(_: Request, error: errors.GoFastAPIError) -> Response:
        status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        return _answer(status, error.code, error.message, error.details)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        found = [each | {"msg": each["msg"].removeprefix("Value error, ")} for each in error.errors()]
        where = ".".join(str(part) for part in found[0]["loc"][1:])
        message = f"{where}: {found[0]['msg']}" if where else str(found[0]["msg"])
        details: dict[str, object] = {"errors": [{"at": list(e["loc"]), "message": e["msg"]} for e in found[:20]]}
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, errors.InvalidRequestError.code, message, details)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        codes = {
            HTTPStatus.BAD_REQUEST: errors.InvalidRequestError.code,
            HTTPStatus.NOT_FOUND: errors.NotFoundError.code,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLargeError.code,
        }
        status = HTTPStatus(error.status_code)
        return _answer(status, codes.get(status, "http"), str(error.detail), {})

    @app.exception_handler(Exception)
    async def unknown(_: Request, error: Exception) -> Response:
        answer = _answer(HTTPStatus.INTERNAL_SERVER_ERROR, errors.InternalError.code, "Internal error", {})
        # The text goes here alone: it may hold what the caller must not see.
        logger.error("request %s failed", answer.headers["X-Request-Id"], exc_info=error)
        return answer


def _answer(status: HTTPStatus, code: str, message: str, details: dict[str, object]) -> Response:
    request_id = uuid.uuid4().hex[:12]
    body = ErrorBody(message=message, code=code, details=details, request_id=request_id)
    # It may quote what was sent, which need not be valid Unicode.
    content = json.dumps(body.model_dump(mode="json"), ensure_ascii=False).encode(errors="replace")
    headers = {"X-Request-Id": request_id}
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        # Else the rest of it would be read, however long it is, only to be thrown away.
        headers["Connection"] = "close"
    return Response(content, status, headers, "application/json")
