"""The text of each file an export writes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gofastapi_ext.core.project.manifest import Manifest

if TYPE_CHECKING:
    from gofastapi_ext.core.project.generated import Frozen

# The word "PLATFORM_" keeps it apart from every variable an app may have of its own.
MONGO_PASSWORD = "PLATFORM_MONGO_PASSWORD"  # noqa: S105 - a variable's name
PORT = 8000
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")

# An app without /health answers 404, which proves as much as we ask: that it answers.
_HEALTH_CHECK = (
    "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); "
    "c.request('GET', '/health'); raise SystemExit(c.getresponse().status >= 500)"
)


class Serve(NamedTuple):
    """How the project is served: what uvicorn is told, and what the files are called."""

    app: str
    is_factory: bool
    requirements: str
    dockerfile: str
    compose: str
    env_example: str

    @property
    def words(self) -> list[str]:
        """The command, without host and port."""
        return ["uvicorn", *(["--factory"] if self.is_factory else []), self.app]


def requirements(pins: Collection[str], kept: Collection[str]) -> str:
    text = "# What the app ran with, and all that needs.\n" + "".join(f"{pin}\n" for pin in pins)
    if kept:
        text += "# Asked for, yet not installed where the app ran.\n" + "".join(f"{line}\n" for line in kept)
    return text


def dockerfile(name: str, frozen: Frozen, serve: Serve) -> str:
    git = (
        "RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*\n"
        if any("@ git+" in pin for pin in [*frozen.pins, *frozen.kept])
        else ""
    )
    command = json.dumps([*serve.words, "--host", "0.0.0.0", "--port", str(PORT)])  # noqa: S104 - in a container
    return f"""\
# {name}, exported from GoFastAPI.
FROM python:{frozen.python}-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT={PORT}
WORKDIR /app

{git}COPY {serve.requirements} ./
RUN pip install --no-cache-dir -r {serve.requirements}

# The app may write beside its code, as it could before, and owns nothing else.
RUN useradd --create-home app && chown app /app
COPY --chown=app . .
USER app

EXPOSE {PORT}
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \\
    CMD {json.dumps(["python", "-c", _HEALTH_CHECK])}
CMD {command}
"""


def compose(name: str, serve: Serve) -> str:
    build = "." if serve.dockerfile == "Dockerfile" else f"{{context: ., dockerfile: {serve.dockerfile}}}"
    password = f"${{{MONGO_PASSWORD}:?set it in .env}}"
    return f"""\
name: "{name}"

services:
  app:
    build: {build}
    init: true
    restart: unless-stopped
    ports:
      - "127.0.0.1:{PORT}:{PORT}"
    env_file: .env
    environment:
      PLATFORM_MONGO_URI: "mongodb://app:{password}@mongo:27017/{name}?authSource=admin"
    depends_on:
      mongo:
        condition: service_healthy

  # Reached by the app alone: no port of it is published.
  mongo:
    image: mongo:8.0
    restart: unless-stopped
    environment:
      MONGO_INITDB_ROOT_USERNAME: app
      MONGO_INITDB_ROOT_PASSWORD: "{password}"
    volumes:
      - mongo:/data/db
    healthcheck:
      # By its name: while it is first set up it listens on the loopback address only.
      test: ["CMD", "mongosh", "mongodb://mongo/admin", "--quiet", "--eval", "db.runCommand('ping').ok || quit(1)"]
      interval: 5s
      timeout: 10s
      retries: 12
      start_period: 30s

volumes:
  mongo:
"""


def env_example(variables: Mapping[str, str | None]) -> str:
    """Every variable by name, with its value where that is no secret."""
    text = (
        "# Copy this file to .env, fill in what is empty, and keep .env to yourself.\n\n"
        "# The password of the MongoDB that compose starts: letters and digits, of your own choice.\n"
        f"{MONGO_PASSWORD}=\n"
    )
    plain = {name: value for name, value in sorted(variables.items()) if value is not None}
    secrets = sorted(name for name, value in variables.items() if value is None)
    if plain:
        text += "\n# The app's variables.\n" + "".join(f"{_assignment(*item)}\n" for item in plain.items())
    if secrets:
        text += "\n# The app's secrets, which were not exported.\n" + "".join(f"{name}=\n" for name in secrets)
    return text


def dockerignore(taken: Collection[str]) -> str:
    """What stays out of the image, but for what the app brought itself."""
    lines = [line for line in (".env", ".git", ".venv", "venv") if line not in taken]
    return "".join(f"{line}\n" for line in [*lines, "**/__pycache__"])


def asgi(app: str, is_factory: bool, loader: str | None) -> str:
    """A module that exposes `app` as the platform loaded it: with its search path, and its things from the kernel."""
    module, _, name = app.partition(":")
    package = module.rpartition(".")[0]
    lines = ['"""The app, started as it was on GoFastAPI."""', "", "import importlib"]
    lines += ["import sys"] if package else []
    lines += ["from pathlib import Path", ""]
    lines += [f"import {loader}", ""] if loader else []
    lines += ["HERE = Path(__file__).resolve().parent", ""]
    if package:
        folders = ", ".join(map(json.dumps, package.split(".")))
        lines += [
            "# What lies beside the app's main file is found too, after everything else.",
            f"sys.path.append(str(HERE.joinpath({folders})))",
            "",
        ]
    if loader:
        lines += [
            "# The things from the kernel stand in the main module when its code begins to run.",
            f'{loader}.provide(HERE, "{module}")',
            "",
        ]
    lines.append(f'app = importlib.import_module("{module}").{name}{"()" if is_factory else ""}')
    return "\n".join(lines) + "\n"


def readme(manifest: Manifest, python: str, serve: Serve) -> str:
    what = f"version {manifest.version}" if manifest.version is not None else "draft"
    command = " ".join([*serve.words, "--port", str(PORT)])
    compose_file = "" if serve.compose == "compose.yaml" else f"-f {serve.compose} "
    notes = "".join(f"- {note}\n" for note in manifest.notes)
    notes = f"\n## Good to know\n\n{notes}" if notes else ""
    return f"""\
# {" ".join(manifest.title.split())}

The app `{manifest.name}`, exported from GoFastAPI. It runs without it.

| | |
|---|---|
| What | {what}, {manifest.created_at:%Y-%m-%d %H:%M} UTC |
| Code | `{manifest.code_hash}` |
| Main file | `{manifest.main}` |
| Python | {python} |

## Run it with uvicorn

With Python {python}:

```console
python -m venv .venv
.venv/bin/pip install -r {serve.requirements}
export PLATFORM_MONGO_URI=mongodb://localhost:27017/{manifest.name}
.venv/bin/{command}
```

`PLATFORM_MONGO_URI` is the app's database; an app that uses none does without. Its other variables are named in
`{serve.env_example}`.

## Run it with Docker

```console
cp {serve.env_example} .env     # then fill it in
docker compose {compose_file}up --build
```

The app is at http://127.0.0.1:{PORT}, with a MongoDB of its own that nobody else reaches; its data is in the volume
`mongo`.

## What is not in here

- What the app stored in MongoDB, and the files it wrote while it ran.
- The values of its secrets.
- What GoFastAPI added around it: an answer at `/health`, and the way from `/` to `/docs`, where the app has none
  of its own.
{notes}
## Back to GoFastAPI

```console
gofastapi import .
```

makes a draft of it. The files that the export added stay out of it, unless you changed them.
"""


def _assignment(name: str, value: str) -> str:
    """One line of a `.env` file, as Docker Compose, python-dotenv and a shell read it."""
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    if not any(character in value for character in "'\\\n\r"):
        return f"{name}='{value}'"
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(character, escape)
    return f'{name}="{value}"'
