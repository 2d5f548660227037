"""The one gate in front of every route: nobody unknown, nobody unauthorized, nothing forged."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.utils import HTTP_METHOD_TO_AUTH_ACTION
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import ensure_async

from gofastapi_ext.jupyter.problems import Problem

if TYPE_CHECKING:
    from gofastapi_ext.jupyter.upstream import Upstream

Connect = Callable[[], Awaitable["Upstream"]]


class Gate(JupyterHandler):
    """Base of every handler. Until the gate has let a request in, the only answer is 403."""

    auth_resource = "gofastapi"
    """What an Authorizer knows these routes by."""
    _admitted = False

    shows_pages = False
    """Whether people meet this route's errors in a browser."""

    def initialize(self, root: str, connect: Connect) -> None:
        """`root` is the path all routes begin with, `connect` gives the way to platform and apps."""
        self.root = root
        self.connect = connect

    async def prepare(self) -> None:  # type: ignore[override]
        """Let the request in, or raise. JupyterHandler finds the user and checks Host and XSRF."""
        await super().prepare(_redirect_to_login=False)
        if not self.current_user:
            raise Problem(403, "forbidden", "Log in to Jupyter first, in this browser or with its token.")
        action = self.auth_action
        # Not by the `authorized` decorator: it remembers the action of the first request it sees.
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)):
            raise Problem(403, "forbidden", f"You are not allowed to {action} GoFastAPI here.")
        self.check_site()
        self._admitted = True

    @property
    def auth_action(self) -> str:
        """What an Authorizer is asked for: `read`, `write` or `execute`."""
        return HTTP_METHOD_TO_AUTH_ACTION.get(self.request.method or "", "write")

    def check_site(self) -> None:
        """Raise where a page of another site makes the request through the viewer's login."""
        if not self.check_origin():
            raise Problem(403, "forbidden", "The request comes from a page of another site.")

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        super().send_error(status_code if self._admitted else 403, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        exc_info = kwargs.get("exc_info")
        problem = Problem.from_exception(status_code, exc_info[1] if exc_info else None)
        if status_code >= 500:
            self.log.warning("GoFastAPI: %s (request %s)", problem.message, problem.request_id)
        if self.shows_pages and "text/html" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(problem.as_page())
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(problem.as_json()))
