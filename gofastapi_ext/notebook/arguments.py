"""What stands behind a magic, parsed. The words of every complaint are here."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gofastapi_ext.client.arguments import parse_env, parse_level, parse_moment
from gofastapi_ext.core.bundle import check_path
from gofastapi_ext.core.logs import MAX_TAIL
from gofastapi_ext.core.naming import check_app_id
from gofastapi_ext.notebook.errors import CommandFailed

USAGE = {
    "deploy": "%%deploy NAME [--with OBJECT,...] [--env K=V ...] [--file PATH ...] [--run] [--message TEXT] [--open] "
    "[--draft [--force]]",
    "%deploy": "%deploy NAME [--with OBJECT,...] [--env K=V ...] [--file PATH ...] [--message TEXT] [--open] "
    "[--draft [--force]] [--dry-run]",
    "db": "%db [--branch NAME]",
    "deployfile": "%%deployfile NAME PATH [--force], or %deployfile NAME PATH --remove",
    "versions": "%versions NAME",
    "diff": "%diff NAME [OLD [NEW]]",
    "app": "%app NAME [--sleep-after TIME] [--record-bodies on|off]",
    "apps": "%apps",
    "env_set": "%env_set NAME [K=V ...] [--secret K ...] [--unset K ...] [--import FILE]",
    "errors": "%errors NAME [--all] [--clear]",
    "replay": "%replay ERROR_ID [--header 'NAME: VALUE' ...] [--body FILE] [--yes]",
    "health": "%health NAME",
    "metrics": "%metrics [NAME [--window DURATION]]",
    "events": "%events [NAME] [-f] [--limit N]",
    "logs": "%logs NAME [-f] [--tail N] [--since TIME] [--until TIME] [--grep TEXT] [--level LEVEL] [--instance PID]",
    "rollback": "%rollback NAME [N]",
    "sleep": "%sleep NAME",
    "start": "%start NAME",
    "stop": "%stop NAME",
    "restart": "%restart NAME",
    "clone": "%clone NAME NEW",
    "rename": "%rename NAME TITLE",
    "export": "%export NAME FOLDER",
    "undeploy": "%undeploy NAME",
    "restore": "%restore [NAME]",
}
OPTIONS = {
    "app": ("--sleep-after", "--record-bodies"),
    "deploy": ("--with", "--env", "--file", "--run", "--message", "--open", "--draft", "--force"),
    "%deploy": ("--with", "--env", "--file", "--message", "--open", "--draft", "--force", "--dry-run"),
    "db": ("--branch",),
    "deployfile": ("--force", "--remove"),
    "env_set": ("--secret", "--unset", "--import"),
    "errors": ("--all", "--clear"),
    "metrics": ("--window",),
    "events": ("--follow", "--limit"),
    "logs": ("--follow", "--tail", "--since", "--until", "--grep", "--level", "--instance"),
    "replay": ("--header", "--body", "--yes"),
}
TAKES_VALUE = frozenset(
    {
        "--with",
        "--env",
        "--file",
        "--message",
        "--tail",
        "--secret",
        "--unset",
        "--import",
        "--header",
        "--body",
        "--window",
        "--sleep-after",
        "--record-bodies",
        "--limit",
        "--since",
        "--until",
        "--grep",
        "--level",
        "--instance",
        "--branch",
    }
)
_SHORT = {"-f": "--follow"}


@dataclass(frozen=True)
class DeployArguments:
    """`%%deploy NAME ...`"""

    name: str
    objects: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    run: bool = False
    message: str = ""
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
    words, options = _split(magic, line)
    objects = _object_names(options.get("--with", []))
    name = check_app_id(_only_name(magic, words))
    messages = options.get("--message", [])
    if "--draft" in options and ("--open" in options or messages):
        raise CommandFailed("--draft deploys nothing: --open and --message have no use there.")
    if "--force" in options and "--draft" not in options:
        raise CommandFailed("--force goes with --draft: it overwrites the draft that is there.")
    return DeployArguments(
        name=name,
        objects=objects,
        env=parse_env(options.get("--env", [])),
        files=tuple(Path(path) for path in options.get("--file", [])),
        run="--run" in options,
        message=messages[-1] if messages else "",
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
    if _split("apps", line)[0]:
        raise _usage("apps")


def parse_logs(line: str, now: datetime) -> LogsArguments:
    """`now` is what times like `10m` are counted back from."""
    words, options = _split("logs", line)
    given = {name: values[-1] for name, values in options.items()}
    return LogsArguments(
        _only_name("logs", words),
        follow="--follow" in given,
        tail=_number("--tail", given["--tail"], 0, MAX_TAIL) if "--tail" in given else None,
        since=parse_moment(given["--since"], now) if "--since" in given else None,
        until=parse_moment(given["--until"], now) if "--until" in given else None,
        grep=given.get("--grep"),
        level=parse_level(given["--level"]) if "--level" in given else None,
        pid=_number("--instance", given["--instance"], 1, 10**9) if "--instance" in given else None,
    )


def parse_events(line: str) -> tuple[str | None, int, bool]:
    """The app, where one is named; how many; whether to follow."""
    words, options = _split("events", line)
    limit = _number("--limit", options["--limit"][-1], 1, 500) if "--limit" in options else 50
    return _only_name("events", words) if words else None, limit, "--follow" in options


def parse_errors(line: str) -> ErrorsArguments:
    words, options = _split("errors", line)
    return ErrorsArguments(_only_name("errors", words), all="--all" in options, clear="--clear" in options)


def parse_replay(line: str) -> ReplayArguments:
    words, options = _split("replay", line)
    body = options["--body"][-1] if "--body" in options else None
    headers = tuple(options.get("--header", []))
    return ReplayArguments(_only_name("replay", words), headers, body, "--yes" in options)


def parse_metrics(line: str) -> tuple[str | None, str | None]:
    """The app, where one is named, and how far back."""
    words, options = _split("metrics", line)
    if not words and not options:
        return None, None
    return _only_name("metrics", words), options["--window"][-1] if options else None


def parse_rollback(line: str) -> RollbackArguments:
    words, _ = _split("rollback", line)
    if len(words) == 2:
        return RollbackArguments(words[0], _number("The version", words[1].removeprefix("v"), 1, 10**9))
    return RollbackArguments(_only_name("rollback", words))


def parse_deployfile(line: str, *, is_cell: bool) -> tuple[str, str, bool, bool]:
    """The app, the path, whether to overwrite, and whether to take the file away instead."""
    words, options = _split("deployfile", line)
    remove = "--remove" in options
    if len(words) != 2 or remove is is_cell or (remove and "--force" in options):
        raise _usage("deployfile")
    return check_app_id(words[0]), check_path(words[1]), "--force" in options, remove


def parse_diff(line: str) -> tuple[str, str | None, str | None]:
    """The app, and the sides as far as they are named."""
    words, _ = _split("diff", line)
    if not 1 <= len(words) <= 3:
        raise _usage("diff")
    name, old, new = [*words, None, None][:3]
    return str(name), old, new


def parse_app(line: str) -> tuple[str, str | None, str | None]:
    """The app, when it is to sleep, and whether bodies are to be kept; None leaves a thing as it is."""
    words, options = _split("app", line)
    if len(words) != 1:
        raise _usage("app")
    sleep_after, record_bodies = (options.get(name, [None])[-1] for name in ("--sleep-after", "--record-bodies"))
    return words[0], sleep_after, record_bodies


def parse_rename(line: str) -> tuple[str, str]:
    """The app, and its new title, which needs no quotation marks."""
    words, _ = _split("rename", line)
    if len(words) < 2:
        raise _usage("rename")
    return words[0], " ".join(words[1:])


def parse_clone(line: str) -> tuple[str, str]:
    """The app, and the name of the new one."""
    words, _ = _split("clone", line)
    if len(words) != 2:
        raise _usage("clone")
    return words[0], check_app_id(words[1])


def parse_export(line: str) -> tuple[str, Path]:
    """The app, and where its project goes."""
    words, _ = _split("export", line)
    if len(words) != 2:
        raise _usage("export")
    return words[0], Path(words[1])


def parse_env_set(line: str) -> EnvSetArguments:
    words, options = _split("env_set", line)
    if not words:
        raise _usage("env_set")
    return EnvSetArguments(
        name=check_app_id(words[0]),
        pairs=tuple(words[1:]),
        secrets=tuple(options.get("--secret", [])),
        unset=tuple(options.get("--unset", [])),
        files=tuple(Path(path) for path in options.get("--import", [])),
    )


def parse_db(line: str) -> str | None:
    """The branch of the database, where one is meant."""
    words, options = _split("db", line)
    if words:
        raise _usage("db")
    return options["--branch"][-1] if "--branch" in options else None


def parse_name(magic: str, line: str) -> str:
    """Of a magic that takes an app's name alone."""
    return _only_name(magic, _split(magic, line)[0])


def _split(magic: str, line: str) -> tuple[list[str], dict[str, list[str]]]:
    """The words and the options of a line, quoted as in a shell."""
    try:
        parts = shlex.split(line)
    except ValueError:
        raise CommandFailed(f"A quotation mark is missing its partner. {_usage(magic)}") from None
    words: list[str] = []
    options: dict[str, list[str]] = {}
    rest = iter(parts)
    for part in rest:
        if not part.startswith("-") or part == "-":
            words.append(part)
            continue
        name, equals, value = part.partition("=")
        name = _SHORT.get(name, name)
        if name not in OPTIONS.get(magic, ()):
            raise CommandFailed(f"There is no option {part.partition('=')[0]}. {_usage(magic)}")
        if name in TAKES_VALUE and not equals:
            value = next(rest, "")
            if not value:
                raise CommandFailed(f"{name} needs a value. {_usage(magic)}")
        elif equals and name not in TAKES_VALUE:
            raise CommandFailed(f"{name} takes no value. {_usage(magic)}")
        options.setdefault(name, []).append(value)
    return words, options


def _only_name(magic: str, words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    if not words:
        raise _usage(magic)
    raise CommandFailed(f'"{words[1]}" is one word too many. {_usage(magic)}')


def _number(what: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise CommandFailed(f'{what} is a number from {least} to {most}, not "{text}".')
    return int(text)


def _usage(magic: str) -> CommandFailed:
    escape = "%%" if magic in ("deploy", "deployfile") else "%"
    return CommandFailed(f"Usage: {USAGE[magic]}   ({escape}{magic.lstrip('%')}? says more)")
