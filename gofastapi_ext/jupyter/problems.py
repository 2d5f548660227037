"""How the relay says that something is wrong: JSON for programs, a small page for people."""

from __future__ import annotations

import secrets
from html import escape
from typing import Any

from tornado import web

from gofastapi_ext.core.errors import GoFastAPIError

_STATUS_OF_CODE = {"not_found": 404, "unavailable": 503, "service_unreachable": 503}
_CODE_OF_STATUS = {400: "invalid_request", 403: "forbidden", 404: "not_found"}


class Problem(web.HTTPError):
    """An answer that is an error: `code` for programs, `message` for people, `details` as JSON data."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(status, message)
        self.code = code
        self.message = message
        self.details = details or {}
        self.request_id = secrets.token_hex(8)

    @classmethod
    def from_error(cls, error: GoFastAPIError) -> Problem:
        return cls(_STATUS_OF_CODE.get(error.code, 502), error.code, error.message, error.details)

    @classmethod
    def from_exception(cls, status: int, error: BaseException | None) -> Problem:
        """Whatever went wrong. Text of unknown exceptions stays in Jupyter's log."""
        if isinstance(error, cls):
            return error
        if isinstance(error, web.HTTPError) and error.log_message:
            return cls(status, _CODE_OF_STATUS.get(status, "invalid_request"), error.log_message % error.args)
        if status >= 500:
            return cls(status, "internal", "Internal error. Jupyter's log says more.")
        return cls(status, _CODE_OF_STATUS.get(status, "invalid_request"), "Jupyter refused the request.")

    def as_json(self) -> dict[str, Any]:
        """The body of every error answer of the API."""
        return {
            "message": self.message,
            "code": self.code,
            "details": self.details,
            "request_id": self.request_id,
        }

    def as_page(self) -> str:
        """The same for a browser."""
        return _PAGE.format(message=escape(self.message), code=escape(self.code), request_id=self.request_id)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GoFastAPI</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 20vh auto 0; max-width: 36rem; padding: 0 1rem; }}
body {{ color: #222; background: #fff; }}
small {{ color: #666; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #ddd; background: #181818; }} small {{ color: #999; }} }}
</style>
</head>
<body>
<p>{message}</p>
<small>{code} · {request_id}</small>
</body>
</html>
"""
