"""Turn a file or a notebook cell into a bundle, with the local modules and folders it needs."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from gofastapi_ext.client.files import FileSet, is_file, is_folder, read_file
from gofastapi_ext.core.bundle import Bundle, CellOrigin, check_sizes
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.limits import Limits
from gofastapi_ext.core.validation.apps import launched_app
from gofastapi_ext.core.validation.imports import local_imports, referenced_directories
from gofastapi_ext.core.validation.paths import mentioned_paths

CELL_FILE = "main.py"
_MAX_CLIMB = 8


@dataclass(frozen=True)
class Collected:
    """A bundle, and what people want to know about how it came together."""

    bundle: Bundle
    included: list[str] = field(default_factory=list)
    """What came along by itself: `helpers.py`, `routers/`."""
    skipped: list[str] = field(default_factory=list)
    """What was left out, and why: `.env: may hold secrets; ...`. Caches and version control go unnamed."""
    origins: dict[str, list[CellOrigin]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What else people want to know, a sentence each."""


def collect_cell(
    source: str, directory: Path, extra: Sequence[Path], origin: CellOrigin, limits: Limits | None = None
) -> Collected:
    """The bundle of a notebook cell: `source` is its `main.py`. For the rest see `collect_cells`."""
    return collect_cells({CELL_FILE: source}, {CELL_FILE: [origin]}, CELL_FILE, directory, extra, limits)


def collect_cells(
    texts: Mapping[str, str],
    origins: Mapping[str, list[CellOrigin]],
    main: str,
    directory: Path,
    extra: Sequence[Path],
    limits: Limits | None = None,
) -> Collected:
    """The bundle of files that came from notebook cells; `main` is the one with the app.

    Modules are looked up in `directory`. `extra` are the paths of `--file`; relative ones start at `directory`.
    Raises `InvalidBundleError`.
    """
    limits = limits or Limits()
    root = absolute(directory)
    found = FileSet(limits)
    for at, text in texts.items():
        found.add_text(at, text)
    for path in extra:
        add_named(found, path, root, root)
    included = bring_along(found, root)
    skipped = found.skipped
    if main == CELL_FILE and (root / CELL_FILE).exists() and _imports(found, "main"):
        skipped.append(f"{CELL_FILE}: the cell itself is {CELL_FILE} in the app; rename the module")
    return Collected(bundle_of(found, main, limits), included, skipped, dict(origins))


def collect_file(path: Path, extra: Sequence[Path], limits: Limits | None = None) -> Collected:
    """The bundle of a Python file on disk. Its root is the folder from which the file's imports resolve.

    A file that only starts another module's app, `uvicorn.run("app.api:app")`, stands for that module.

    `extra` are the paths of `--file`; relative ones start at the working directory. Raises
    `InvalidBundleError`.
    """
    limits = limits or Limits()
    main = absolute(path)
    source = _read_source(main, limits)
    root = _find_root(main, source)
    launched = launched_app(source, main.stem)
    if launched:
        module = root.joinpath(*launched.partition(":")[0].split(".")).with_suffix(".py")
        if is_file(module) and module != main:
            main, source = module, _read_source(module, limits)
        else:
            launched = None
    at = main.relative_to(root).as_posix()
    found = FileSet(limits)
    found.add_text(at, source)
    for extra_path in extra:
        if absolute(extra_path) != main:
            add_named(found, extra_path, Path.cwd(), root)
    included = []
    package = PurePosixPath(at).parts[0]
    if package != at and found.add_folder(root / package, package, root) > 1:
        included.append(f"{package}/")
    included += bring_along(found, root)
    return Collected(bundle_of(found, at, limits, launched), included, found.skipped)


def _read_source(path: Path, limits: Limits) -> str:
    if path.is_dir():
        raise InvalidBundleError(f"{path} is a folder. Name the file in it that holds the app, main.py for example.")
    if not path.exists():
        raise InvalidBundleError(f"There is no file {path}.")
    if path.suffix == ".ipynb":
        raise InvalidBundleError(f"{path.name} is a notebook. Put %%deploy on top of the cell that holds the app.")
    if not path.is_file():
        raise InvalidBundleError(f"{path} is not a file.")
    try:
        source = read_file(path, limits.max_file_bytes).decode("utf-8")
    except UnicodeDecodeError:
        source = "\0"
    if "\0" in source:
        raise InvalidBundleError(f"{path} is not Python source: it is binary, or not in UTF-8.")
    return source


def _find_root(main: Path, source: str) -> Path:
    """The nearest folder from which most of the file's local imports resolve, then most of the paths it names.

    Folders with `__init__.py` are climbed out of where nothing speaks against it; others only where an
    import names them (`from app.routers import x` in `app/main.py`, or `from .routers import x`).
    """
    folder = main.parent
    init_climb = 0
    while init_climb < _MAX_CLIMB and is_file([folder, *folder.parents][init_climb] / "__init__.py"):
        init_climb += 1
    candidates = [folder, *folder.parents][: _MAX_CLIMB + 1]
    imports = [local_imports(source, ".".join(folder.relative_to(root).parts)) for root in candidates]
    # A relative import is left out where it leads above the root: such a root cannot be it.
    possible = [climb for climb, found in enumerate(imports) if len(found) == len(imports[-1])]

    def score(climb: int) -> int:
        """How many lines import something that lies under this candidate."""
        root = candidates[climb]
        top = folder.relative_to(root).parts[:1]
        lines = set()
        for module in imports[climb]:
            on_the_way = (module.name.partition(".")[0],) == top
            if (climb <= init_climb or on_the_way) and _find_module(root, module.name):
                lines.add(module.line)
        return len(lines)

    ties = _best(possible, score)
    # An app reads its files from the folder it is started in.
    paths = [mention.path for mention in mentioned_paths(source)]
    ties = _best(
        ties,
        lambda climb: sum((is_file(candidates[climb] / path) or is_folder(candidates[climb] / path)) for path in paths),
    )
    return candidates[init_climb if init_climb in ties else ties[0]]


def _best(climbs: list[int], score: Callable[[int], int]) -> list[int]:
    highest = max(score(climb) for climb in climbs)
    return [climb for climb in climbs if score(climb) == highest]


def bring_along(found: FileSet, root: Path) -> list[str]:
    """Add what the Python files in the set import and name, and what that imports, and so on."""
    included: list[str] = []
    _bring_needed(found, root, included)
    if _bring_mentioned(found, root, included):
        _bring_needed(found, root, included)
    return included


def _bring_needed(found: FileSet, root: Path, included: list[str]) -> None:
    """Add modules that are imported, and the directories of static files and templates."""
    looked_at: set[str] = set()
    while pending := [at for at in found.files if at.endswith(".py") and at not in looked_at]:
        for at in pending:
            looked_at.add(at)
            text = found.files[at].text or ""
            folder = PurePosixPath(at).parent
            for module in local_imports(text, ".".join(folder.parts)):
                _bring(found, root, _find_module(root, module.name), included)
            for directory in referenced_directories(text):
                beside = (directory, (folder / directory).as_posix())
                _bring(found, root, next((d for d in beside if is_folder(root / d)), None), included)


def _bring(found: FileSet, root: Path, at: str | None, included: list[str]) -> None:
    if at is None or at in found.folders:
        return
    before = len(found.files)
    if is_folder(root / at):
        found.add_folder(root / at, at, root)
        at = f"{at}/"
    else:
        found.add_found(root / at, at, root.resolve())
    if len(found.files) > before:
        included.append(at)


def _bring_mentioned(found: FileSet, root: Path, included: list[str]) -> bool:
    """Add the files and folders whose paths stand in the code; return whether there is new code among them.

    They may be meant from the root, where the app runs, from the file they stand in, or from between.
    """
    before = set(found.files)
    for source in sorted(at for at in before if at.endswith(".py")):
        folder = PurePosixPath(source).parent
        mentions = mentioned_paths(found.files[source].text or "")
        for base in dict.fromkeys([PurePosixPath(), folder, *folder.parents]):
            beside = {"..", *_entries(root / base)}
            for mention in mentions:
                at = posixpath.normpath(base / mention.path)
                if mention.path.partition("/")[0] not in beside or at.startswith("..") or at == ".":
                    continue
                if is_file(root / at) or (mention.may_be_folder and is_folder(root / at)):
                    count = len(found.files)
                    found.add_mentioned(root / at, at, root)
                    if len(found.files) > count:
                        included.append(f"{at}/" if is_folder(root / at) else at)
    return any(at.endswith(".py") for at in found.files.keys() - before)


def _entries(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _find_module(root: Path, name: str) -> str | None:
    """The path, from `root`, of what has to come along for `import name`: a module or a whole package."""
    top, _, rest = name.partition(".")
    if is_file(root / top / "__init__.py"):
        return top
    if is_file(root / f"{top}.py"):
        return f"{top}.py"
    inner = root / top / rest.partition(".")[0]
    if rest and (is_file(inner.with_name(f"{inner.name}.py")) or is_folder(inner)):
        return top
    return None


def _imports(found: FileSet, name: str) -> bool:
    return any(
        module.name == name
        for at, file in found.files.items()
        if at.endswith(".py") and file.text
        for module in local_imports(file.text, ".".join(PurePosixPath(at).parent.parts))
    )


def add_named(found: FileSet, path: Path, start: Path, root: Path) -> None:
    """Add what `--file` names: at its path from `root`, or under its own name where it lies elsewhere."""
    try:
        _add_named(found, path, start, root)
    except OSError as error:
        raise InvalidBundleError(f"--file {path}: cannot be read ({(error.strerror or str(error)).lower()}).") from None


def _add_named(found: FileSet, path: Path, start: Path, root: Path) -> None:
    full = absolute(start / path.expanduser())
    inside = next((p for p in (full, full.resolve()) if p.is_relative_to(root)), None)
    at = inside.relative_to(root).as_posix() if inside else full.name
    if full.is_dir():
        found.check_named(full, at)
        if not found.add_folder(full, "" if at == "." else at, full):
            raise InvalidBundleError(f"--file {path}: the folder holds no file to bring along.")
    elif full.is_file():
        found.add_file(full, at)
    elif full.exists():
        raise InvalidBundleError(f"--file {path}: neither a file nor a folder.")
    else:
        raise InvalidBundleError(f"--file {path}: there is no such file in {start}.")


def bundle_of(found: FileSet, main: str, limits: Limits, entrypoint: str | None = None) -> Bundle:
    try:
        bundle = Bundle(files=found.files, main=main, entrypoint=entrypoint)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidBundleError(f"The files cannot be an app: {why}.") from None
    check_sizes(bundle, limits)
    return bundle


def absolute(path: Path) -> Path:
    """Absolute and without `..`, yet with its links: what lies beside a link is looked up beside it."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute() keeps ".."
