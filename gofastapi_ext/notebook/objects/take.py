"""What a deploy does about the kernel's objects: check the names, save the objects, send what is large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gofastapi_ext.client.client import Client
from gofastapi_ext.core.bundle import Bundle, check_sizes
from gofastapi_ext.core.models import DeployRequest
from gofastapi_ext.notebook.objects.bring import RefusedError, bring, check_names
from gofastapi_ext.notebook.objects.names import find_undefined
from gofastapi_ext.notebook.progress import Progress

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@dataclass(frozen=True)
class FromKernel:
    """The objects of one deploy: `--with model,df`."""

    shell: InteractiveShell
    names: tuple[str, ...]

    def check(self, request: DeployRequest) -> None:
        """Look at the code before anything is sent.

        Raises `CommandFailed` for a name that the kernel does not have, `RefusedError` for one that only it has.
        """
        check_names(self.shell.user_ns, self.names)
        diagnostics = find_undefined(
            _bundle_of(request), request.origins, self.shell.user_ns, self.names, self.shell.user_ns_hidden
        )
        if diagnostics:
            raise RefusedError(diagnostics)

    def take(
        self, client: Client, request: DeployRequest, progress: Progress, tell: Callable[[str], None]
    ) -> tuple[DeployRequest, Progress]:
        """The request with the objects, which the service then has; and what people are told of them.

        `tell` is given what takes a while. Raises `RefusedError` where one cannot be saved.
        """
        if not self.names:
            return request, progress
        limits = client.limits()
        brought = bring(_bundle_of(request), self.shell.user_ns, self.names, limits)
        check_sizes(brought.bundle, limits)
        brought.send(client, tell)
        notes = (*progress.notes, f"From the kernel: {', '.join(brought.labels)}")
        told = replace(progress, notes=notes, diagnostics=(*progress.diagnostics, *brought.warnings))
        return request.model_copy(update={"bundle": brought.bundle}), told


def _bundle_of(request: DeployRequest) -> Bundle:
    return request.bundle or Bundle(files={})
