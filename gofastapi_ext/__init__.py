"""GoFastAPI: from a notebook cell to a live app. Imports nothing heavy: kernels and servers load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gofastapi_ext._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension", "url"]


def url(app: str) -> str:
    """The address of one of your live apps, without a slash at its end.

    Raises `NotFoundError` where there is no such app, or no version of it is live.
    """
    from gofastapi_ext.client.client import connect
    from gofastapi_ext.core.errors import NotFoundError

    with connect() as client:
        view = client.app(app)
    if view.version is None or view.url is None:
        raise NotFoundError(f"No version of {app} is live.")
    return view.url


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where Jupyter Server finds the relay."""
    from gofastapi_ext.jupyter.extension import GoFastAPIExtension

    return [{"module": "gofastapi_ext.jupyter.extension", "app": GoFastAPIExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where `jupyter labextension develop` finds the front end, once it is built."""
    return [{"src": "labextension", "dest": "gofastapi"}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext gofastapi_ext`; the start-up file of the environment does it for every kernel."""
    from gofastapi_ext.notebook.extension import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext gofastapi_ext`."""
    from gofastapi_ext.notebook.extension import unregister

    unregister(shell)
