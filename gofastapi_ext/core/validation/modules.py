"""The modules a bundle holds: which file an import of its own code means, and which files `main` leads to."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import PurePosixPath

from gofastapi_ext.core.diagnostics import Diagnostic, Severity
from gofastapi_ext.core.validation.imports import absolute_base, find_imports
from gofastapi_ext.core.validation.parsing import Parsed


class Whose(Enum):
    """Where an imported module is to be found."""

    LOCAL = auto()
    ENVIRONMENT = auto()
    NOWHERE = auto()  # inside a package of the bundle, which does not have it


@dataclass(frozen=True)
class ImportUse:
    """An import of something that is not in the bundle, and where. `top` is what has to be installed."""

    top: str
    module: str
    file: str
    line: int
    column: int
    end_line: int | None = None
    end_column: int | None = None
    optional: bool = False
    """The app may start without it: it stands in a function, under a condition, or its failure is caught."""
    reached: bool = True
    """The app's main file leads to this file, as far as the text tells."""


@dataclass
class FileImports:
    """What one file imports."""

    uses: list[ImportUse] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    """Files of the bundle it cannot be imported without."""
    optional: set[str] = field(default_factory=set)
    """Files of the bundle it may import."""
    diagnostics: list[Diagnostic] = field(default_factory=list)


def module_name(path: str) -> str:
    """`app.api` for `app/api.py`, and for `app/api/__init__.py`."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(path: str) -> str:
    """The package the module in `path` belongs to, "" at the top."""
    return ".".join(PurePosixPath(path).parts[:-1])


class LocalModules:
    """The modules in a set of files, found from the bundle's root or from the folder of its main file."""

    def __init__(self, paths: Iterable[str], main: str) -> None:
        self._files: dict[str, str] = {}
        self._namespaces: set[str] = set()
        for path in sorted(p for p in paths if p.endswith(".py")):
            name = module_name(path)
            # A package wins over a module of the same name, as it does when Python looks.
            if name not in self._files or path.endswith("/__init__.py"):
                self._files[name] = path
            parents = PurePosixPath(path).parts[:-1]
            self._namespaces |= {".".join(parents[:n]) for n in range(1, len(parents) + 1)}
        self._roots = ("", package_of(main)) if package_of(main) else ("",)

    def file(self, name: str) -> str | None:
        """The file of the module with this name counted from the bundle's root."""
        return self._files.get(name)

    def has(self, name: str) -> bool:
        """Whether there is such a module, package or folder of modules, counted from the bundle's root."""
        return name in self._files or name in self._namespaces

    def whose(self, name: str) -> Whose:
        """Where an absolute import of `name` finds it."""
        if self.absolute(name) is not None:
            return Whose.LOCAL
        # A folder without __init__.py gives way to an installed package of the same name, and so does all
        # that lies beside the main file only: it is looked up last.
        return Whose.NOWHERE if name.partition(".")[0] in self._files else Whose.ENVIRONMENT

    def absolute(self, name: str) -> str | None:
        """`name` counted from the bundle's root, or None where the bundle does not have it."""
        return next((full for root in self._roots if self.has(full := f"{root}.{name}".lstrip("."))), None)

    def is_folder_only(self, name: str) -> bool:
        """Whether `name` is no more than a folder: what an installed package of that name would hide."""
        full = self.absolute(name)
        return full is not None and full not in self._files

    def chain(self, full: str) -> set[str]:
        """The files that run when `full` is imported: its own and those of the packages around it."""
        parts = full.split(".")
        names = (".".join(parts[:n]) for n in range(1, len(parts) + 1))
        return {self._files[name] for name in names if name in self._files}

    def imports_of(self, parsed: Parsed) -> FileImports:
        """Sort what a file imports into its own modules, the environment's, and what is nowhere."""
        found = FileImports()
        for use in find_imports(parsed.tree) if parsed.tree else ():
            if isinstance(use.node, ast.Import):
                for alias in use.node.names:
                    self._absolute_import(found, parsed, use.node, alias.name, [], use.optional)
            elif use.node.level == 0:
                members = [alias.name for alias in use.node.names]
                self._absolute_import(found, parsed, use.node, use.node.module or "", members, use.optional)
            else:
                self._relative_import(found, parsed, use.node, use.optional)
        return found

    def _absolute_import(
        self,
        found: FileImports,
        parsed: Parsed,
        node: ast.Import | ast.ImportFrom,
        name: str,
        members: list[str],
        optional: bool,
    ) -> None:
        whose = self.whose(name)
        if whose is Whose.NOWHERE:
            message = f"{name} is not among the app's files: {name.partition('.')[0]} has no such module"
            found.diagnostics.append(_invalid_import(parsed, node, message, None, optional))
            return
        reaches_member = self._follow(found, self.absolute(name), members, optional)
        if whose is Whose.ENVIRONMENT or (self.is_folder_only(name) and not reaches_member):
            folder = whose is Whose.LOCAL
            top = name.partition(".")[0]
            place = parsed.place(node)
            found.uses.append(ImportUse(top, name, parsed.path, **place, optional=optional or folder))

    def _relative_import(self, found: FileImports, parsed: Parsed, node: ast.ImportFrom, optional: bool) -> None:
        base = absolute_base(node, package_of(parsed.path))
        dots = "." * node.level
        if base is None:
            message = f"This relative import leads out of the app: {parsed.path} is not that deep in a package"
            hint = f"Import it without the dot{'s' if node.level > 1 else ''}."
            found.diagnostics.append(_invalid_import(parsed, node, message, hint, optional))
        elif not self.has(base):
            message = f"{dots}{node.module or ''} is not among the app's files"
            found.diagnostics.append(_invalid_import(parsed, node, message, _HINT_ADD, optional))
        else:
            names = [alias.name for alias in node.names]
            self._follow(found, base, names, optional)
            absent = [n for n in names if n != "*" and not self.has(f"{base}.{n}")]
            if absent and self.file(base) is None:
                message = f"{dots}{node.module or ''} has no module {absent[0]}"
                found.diagnostics.append(_invalid_import(parsed, node, message, _HINT_ADD, optional))

    def _follow(self, found: FileImports, full: str | None, members: list[str], optional: bool) -> bool:
        """Note the files an import runs; return whether a member of it is a module of the bundle."""
        if full is None:
            return False
        modules = [f"{full}.{m}" for m in members if self.has(f"{full}.{m}")]
        files = set().union(*(self.chain(name) for name in [full, *modules]))
        (found.optional if optional else found.needed).update(files)
        return bool(modules)


_HINT_ADD = "Add the file with --file, or correct the name."


def _invalid_import(
    parsed: Parsed, node: ast.Import | ast.ImportFrom, message: str, hint: str | None, optional: bool
) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING if optional else Severity.ERROR,
        code="invalid_import",
        message=message,
        hint=hint or _HINT_ADD,
        file=parsed.path,
        **parsed.place(node),
    )
