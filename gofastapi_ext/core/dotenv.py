"""Read and write `.env` files: as python-dotenv reads them, and back without loss."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gofastapi_ext.core.errors import InvalidRequestError

_BLANK = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?:\n|\Z)")
_NAME = re.compile(r"[^\S\n]*(?:export[^\S\n]+)?([^\s=#]+)[^\S\n]*=[^\S\n]*")
_QUOTED = {
    '"': re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL),
    "'": re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL),
}
_DOUBLE_ESCAPE = re.compile(r"\\(?:([\\'\"abfnrtv])|(\$)(?=\{))")
_SINGLE_ESCAPE = re.compile(r"\\([\\'])")
_REFERENCE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=^-]*")


def parse_dotenv(text: str) -> dict[str, str]:
    """The variables of a file, in order; of a name that stands there twice, the last one.

    `${NAME}` and `${NAME:-otherwise}` stand for variables further up, but not in single quotes. Raises
    `InvalidRequestError` that names the line, never its content.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    variables: dict[str, str] = {}
    place = 0
    while place < len(text):
        if blank := _BLANK.match(text, place):
            place = blank.end()
            continue
        line = text.count("\n", 0, place) + 1
        name = _NAME.match(text, place)
        if name is None:
            raise InvalidRequestError(f"Line {line} of the file is not NAME=VALUE.")
        value, place = _value(text, name.end(), line, variables)
        variables[name[1]] = value
    return variables


def format_dotenv(variables: Mapping[str, str], secrets: Iterable[str] = ()) -> str:
    """The text of a file; of secrets only the names stand in it, as comments."""
    lines = [f"{name}={_quoted(value)}" for name, value in variables.items()]
    lines += [f"# {name} is a secret: its value is not exported" for name in secrets]
    return "".join(f"{line}\n" for line in lines)


def _value(text: str, place: int, line: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """The value that begins at `place`, and where the next line begins."""
    quote = text[place : place + 1]
    if quote not in _QUOTED:
        raw, _, _ = text[place:].partition("\n")
        return _expanded(re.sub(r"\s+#.*", "", raw).rstrip(), line, variables), place + len(raw) + 1
    quoted = _QUOTED[quote].match(text, place)
    end = _BLANK.match(text, quoted.end()) if quoted else None
    if quoted is None:
        raise InvalidRequestError(f"Line {line} of the file: the quotation mark {quote} is never closed.")
    if end is None:
        raise InvalidRequestError(f"Line {line} of the file: something follows the closing quotation mark.")
    if quote == "'":
        return _SINGLE_ESCAPE.sub(r"\1", quoted[1]), end.end()
    return _unescaped(quoted[1], line, variables), end.end()


def _unescaped(content: str, line: int, variables: Mapping[str, str]) -> str:
    """What stands in double quotes. Escapes are taken apart first, so that none is made by what is put in."""
    parts: list[str] = []
    place = 0
    for escape in _DOUBLE_ESCAPE.finditer(content):
        parts.append(_expanded(content[place : escape.start()], line, variables))
        parts.append(_ESCAPED.get(escape[1], escape[1]) if escape[1] else "$")
        place = escape.end()
    return "".join([*parts, _expanded(content[place:], line, variables)])


def _expanded(content: str, line: int, variables: Mapping[str, str]) -> str:
    def found(reference: re.Match[str]) -> str:
        name, otherwise = reference[1], reference[2]
        if name in variables:
            return variables[name]
        if otherwise is None:
            raise InvalidRequestError(
                f"Line {line} of the file: ${{{name}}} is not set further up. Write its value, or 'single quotes' "
                "around what is to stay as it is."
            )
        return otherwise

    return _REFERENCE.sub(found, content)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if re.search(r"[\x00-\x1f\x7f]", value) is None:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    for letter, character in _ESCAPED.items():
        escaped = escaped.replace(character, f"\\{letter}")
    return f'"{escaped}"'
