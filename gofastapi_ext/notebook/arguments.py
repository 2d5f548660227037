"""What stands behind each magic, parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gofastapi_ext.client.arguments import parse_env, parse_level, parse_moment
from gofastapi_ext.core.bundle import check_path
from gofastapi_ext.core.logs import MAX_TAIL
from gofastapi_ext.core.naming import check_app_id
from gofastapi_ext.notebook.errors import CommandFailed
from gofastapi_ext.notebook.usage import number, only_name, split, usage


@dataclass(frozen=True)
class DeployArguments:
    """`%%deploy NAME ...`"""

    name: str
    objects: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    run: bool = False
    message: str = ""
    db_branch: str | None = None
    open: bool = False
    draft: bool = False
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class LogsArguments:
    """`%logs NAME ...`"""

    name: str
    follow: bool = False
    tail: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    grep: str | None = None
    level: str | None = None
    pid: int | None = None

    @property
    def is_filtered(self) -> bool:
        return any(each is not None for each in (self.since, self.until, self.grep, self.level, self.pid))


@dataclass(frozen=True)
class ErrorsArguments:
    """`%errors NAME ...`"""

    name: str
    all: bool = False
    clear: bool = False


@dataclass(frozen=True)
class ReplayArguments:
    """`%replay ERROR_ID ...`"""

    error_id: str
    headers: tuple[str, ...] = ()
    body: str | None = None
    yes: bool = False


@dataclass(frozen=True)
class RollbackArguments:
    """`%rollback NAME [N]`"""

    name: str
    number: int | None = None


@dataclass(frozen=True)
class EnvSetArguments:
    """`%env_set NAME ...`"""

    name: str
    pairs: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        return not (self.pairs or self.secrets or self.unset or self.files)


def parse_deploy(line: str, *, is_cell: bool = True) -> DeployArguments:
    """Raises `CommandFailed` or `InvalidNameError`, as all of these do."""
    magic = "deploy" if is_cell else "%deploy"
    words, options = split(magic, line)
    objects = _object_names(options.get("--with", []))
    name = check_app_id(only_name(magic, words))
    messages = options.get("--message", [])
    if "--draft" in options and ("--open" in options or "--db-branch" in options or messages):
        raise CommandFailed("--draft deploys nothing: --open, --message and --db-branch have no use there.")
    if "--force" in options and "--draft" not in options:
        raise CommandFailed("--force goes with --draft: it overwrites the draft that is there.")
    return DeployArguments(
        name=name,
        objects=objects,
        env=parse_env(options.get("--env", [])),
        files=tuple(Path(path) for path in options.get("--file", [])),
        run="--run" in options,
        message=messages[-1] if messages else "",
        db_branch=options["--db-branch"][-1] if "--db-branch" in options else None,
        open="--open" in options,
        draft="--draft" in options,
        force="--force" in options,
        dry_run="--dry-run" in options,
    )


def _object_names(values: list[str]) -> tuple[str, ...]:
    """The names in `model,df`, each once."""
    for value in values:
        parts = value.split(",")
        if not parts[-1]:
            raise CommandFailed("Write the names of --with without a blank between them: --with model,df")
        for name in parts:
            if not name.isidentifier():
                raise CommandFailed(f'--with takes names of the notebook, such as --with model,df; "{name}" is none.')
    return tuple(dict.fromkeys(name for value in values for name in value.split(",")))


def parse_apps(line: str) -> None:
    if split("apps", line)[0]:
        raise usage("apps")


def parse_logs(line: str, now: datetime) -> LogsArguments:
    """`now` is what times like `10m` are counted back from."""
    words, options = split("logs", line)
    given = {name: values[-1] for name, values in options.items()}
    return LogsArguments(
        only_name("logs", words),
        follow="--follow" in given,
        tail=number("--tail", given["--tail"], 0, MAX_TAIL) if "--tail" in given else None,
        since=parse_moment(given["--since"], now) if "--since" in given else None,
        until=parse_moment(given["--until"], now) if "--until" in given else None,
        grep=given.get("--grep"),
        level=parse_level(given["--level"]) if "--level" in given else None,
        pid=number("--instance", given["--instance"], 1, 10**9) if "--instance" in given else None,
    )


def parse_events(line: str) -> tuple[str | None, int, bool]:
    """The app, where one is named; how many; whether to follow."""
    words, options = split("events", line)
    limit = number("--limit", options["--limit"][-1], 1, 500) if "--limit" in options else 50
    return only_name("events", words) if words else None, limit, "--follow" in options


def parse_errors(line: str) -> ErrorsArguments:
    words, options = split("errors", line)
    return ErrorsArguments(only_name("errors", words), all="--all" in options, clear="--clear" in options)


def parse_replay(line: str) -> ReplayArguments:
    words, options = split("replay", line)
    body = options["--body"][-1] if "--body" in options else None
    headers = tuple(options.get("--header", []))
    return ReplayArguments(only_name("replay", words), headers, body, "--yes" in options)


def parse_metrics(line: str) -> tuple[str | None, str | None]:
    """The app, where one is named, and how far back."""
    words, options = split("metrics", line)
    if not words and not options:
        return None, None
    return only_name("metrics", words), options["--window"][-1] if options else None


def parse_rollback(line: str) -> RollbackArguments:
    words, _ = split("rollback", line)
    if len(words) == 2:
        return RollbackArguments(words[0], number("The version", words[1].removeprefix("v"), 1, 10**9))
    return RollbackArguments(only_name("rollback", words))


def parse_deployfile(line: str, *, is_cell: bool) -> tuple[str, str, bool, bool]:
    """The app, the path, whether to overwrite, and whether to take the file away instead."""
    words, options = split("deployfile", line)
    remove = "--remove" in options
    if len(words) != 2 or remove is is_cell or (remove and "--force" in options):
        raise usage("deployfile")
    return check_app_id(words[0]), check_path(words[1]), "--force" in options, remove


def parse_diff(line: str) -> tuple[str, str | None, str | None]:
    """The app, and the sides as far as they are named."""
    words, _ = split("diff", line)
    if not 1 <= len(words) <= 3:
        raise usage("diff")
    name, old, new = [*words, None, None][:3]
    return str(name), old, new


def parse_app(line: str) -> tuple[str, dict[str, str]]:
    """The app, and what is to be set of it, by option."""
    words, options = split("app", line)
    if len(words) != 1:
        raise usage("app")
    return words[0], {name: str(values[-1]) for name, values in options.items()}


def parse_rename(line: str) -> tuple[str, str]:
    """The app, and its new title, which needs no quotation marks."""
    words, _ = split("rename", line)
    if len(words) < 2:
        raise usage("rename")
    return words[0], " ".join(words[1:])


def parse_clone(line: str) -> tuple[str, str]:
    """The app, and the name of the new one."""
    words, _ = split("clone", line)
    if len(words) != 2:
        raise usage("clone")
    return words[0], check_app_id(words[1])


def parse_export(line: str) -> tuple[str, Path]:
    """The app, and where its project goes."""
    words, _ = split("export", line)
    if len(words) != 2:
        raise usage("export")
    return words[0], Path(words[1])


def parse_env_set(line: str) -> EnvSetArguments:
    words, options = split("env_set", line)
    if not words:
        raise usage("env_set")
    return EnvSetArguments(
        name=check_app_id(words[0]),
        pairs=tuple(words[1:]),
        secrets=tuple(options.get("--secret", [])),
        unset=tuple(options.get("--unset", [])),
        files=tuple(Path(path) for path in options.get("--import", [])),
    )


def parse_words(magic: str, line: str, most: int) -> tuple[list[str], dict[str, str]]:
    """Up to `most` words, and each option's last value."""
    words, options = split(magic, line)
    if len(words) > most:
        raise usage(magic)
    return words, {name: values[-1] for name, values in options.items()}


def parse_name(magic: str, line: str) -> str:
    """Of a magic that takes an app's name alone."""
    return only_name(magic, split(magic, line)[0])
