"""What each magic takes, and a line of words and options read by it. The words of every complaint are here."""

from __future__ import annotations

import shlex

from gofastapi_ext.notebook.errors import CommandFailed

USAGE = {
    "deploy": "%%deploy NAME [--with OBJECT,...] [--env K=V ...] [--file PATH ...] [--run] [--message TEXT] [--open] "
    "[--db-branch NAME] [--draft [--force]]",
    "%deploy": "%deploy NAME [--with OBJECT,...] [--env K=V ...] [--file PATH ...] [--message TEXT] [--open] "
    "[--db-branch NAME] [--draft [--force]] [--dry-run]",
    "db": "%db [COLLECTION [FILTER]] [--sort FIELDS] [--limit N] [--branch NAME]",
    "db_backup": "%db_backup [--branch NAME]",
    "db_backups": "%db_backups",
    "db_branch": "%db_branch [NAME [--ttl TIME] [--of BACKUP] [--extend TIME] [--drop [--force]]]",
    "db_promote": "%db_promote NAME --yes",
    "db_restore": "%db_restore BACKUP|FILE|latest [--branch NAME] --yes, or %db_restore --undo [NAME]",
    "deployfile": "%%deployfile NAME PATH [--force], or %deployfile NAME PATH --remove",
    "versions": "%versions NAME",
    "diff": "%diff NAME [OLD [NEW]]",
    "app": "%app NAME [--sleep-after TIME] [--workers N] [--record-bodies on|off]",
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
    "app": ("--sleep-after", "--workers", "--record-bodies"),
    "deploy": ("--with", "--env", "--file", "--run", "--message", "--open", "--db-branch", "--draft", "--force"),
    "%deploy": ("--with", "--env", "--file", "--message", "--open", "--db-branch", "--draft", "--force", "--dry-run"),
    "db": ("--sort", "--limit", "--branch"),
    "db_backup": ("--branch",),
    "db_branch": ("--ttl", "--of", "--extend", "--drop", "--force"),
    "db_promote": ("--yes",),
    "db_restore": ("--undo", "--branch", "--yes"),
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
        "--workers",
        "--limit",
        "--sort",
        "--since",
        "--until",
        "--grep",
        "--level",
        "--instance",
        "--branch",
        "--db-branch",
        "--ttl",
        "--of",
        "--extend",
    }
)
_SHORT = {"-f": "--follow"}


def split(magic: str, line: str) -> tuple[list[str], dict[str, list[str]]]:
    """The words and the options of a line, quoted as in a shell. Raises `CommandFailed`, as all of these do."""
    try:
        parts = shlex.split(line)
    except ValueError:
        raise CommandFailed(f"A quotation mark is missing its partner. {usage(magic)}") from None
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
            raise CommandFailed(f"There is no option {part.partition('=')[0]}. {usage(magic)}")
        if name in TAKES_VALUE and not equals:
            value = next(rest, "")
            if not value:
                raise CommandFailed(f"{name} needs a value. {usage(magic)}")
        elif equals and name not in TAKES_VALUE:
            raise CommandFailed(f"{name} takes no value. {usage(magic)}")
        options.setdefault(name, []).append(value)
    return words, options


def only_name(magic: str, words: list[str]) -> str:
    """The one word there is to be."""
    if len(words) == 1:
        return words[0]
    if not words:
        raise usage(magic)
    raise CommandFailed(f'"{words[1]}" is one word too many. {usage(magic)}')


def number(what: str, text: str, least: int, most: int) -> int:
    """`text` as a number; `what` is what it stands for, in a complaint."""
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise CommandFailed(f'{what} is a number from {least} to {most}, not "{text}".')
    return int(text)


def usage(magic: str) -> CommandFailed:
    """What is raised where a line is not what the magic takes."""
    escape = "%%" if magic in ("deploy", "deployfile") else "%"
    return CommandFailed(f"Usage: {USAGE[magic]}   ({escape}{magic.lstrip('%')}? says more)")
