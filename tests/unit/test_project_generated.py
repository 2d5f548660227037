"""What an export writes beside an app's own files, and the way back."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime

import pytest
import yaml
from dotenv import dotenv_values

from gofastapi_ext.core.bundle import Bundle, BundleFile
from gofastapi_ext.core.errors import InvalidBundleError
from gofastapi_ext.core.project.generated import Facts, Frozen, generate, needed_modules, required
from gofastapi_ext.core.project.manifest import Manifest, find_manifest, free_name
from gofastapi_ext.core.project.restored import restore

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
FROZEN = Frozen(python="3.12", pins=["fastapi==0.1", "uvicorn==0.2"])


def bundle(files: dict[str, str] | None = None, **more: object) -> Bundle:
    return Bundle(files={path: BundleFile(text=text) for path, text in (files or {"main.py": APP}).items()}, **more)  # type: ignore[arg-type]


def facts(**more: object) -> Facts:
    known = {
        "name": "shop",
        "title": "My shop",
        "version": 3,
        "created_at": datetime(2026, 5, 1, 10, 30, tzinfo=UTC),
        "app": "main:app",
        "env": {},
        "variables": {},
    }
    return Facts(**(known | more))  # type: ignore[arg-type]


def manifest_of(files: dict[str, str]) -> Manifest:
    found = find_manifest({path: BundleFile(text=text) for path, text in files.items()})
    assert found is not None
    return found[1]


def project(of: Bundle, generated: dict[str, str]) -> dict[str, BundleFile]:
    """All the files of an exported project."""
    assert not of.files.keys() & generated.keys()
    return {**of.files, **{path: BundleFile(text=text) for path, text in generated.items()}}


def test_a_plain_app_gets_no_module_of_ours() -> None:
    files = generate(bundle(), facts(), FROZEN)
    assert sorted(files) == [
        ".dockerignore", ".env.example", "Dockerfile", "README.md", "compose.yaml", "gofastapi.json",
        "requirements.txt",
    ]  # fmt: skip
    assert "\n.venv/bin/uvicorn main:app --port 8000\n" in files["README.md"]


def test_the_readme_says_what_was_there() -> None:
    text = generate(bundle(), facts(), FROZEN)["README.md"]
    for word in ("# My shop", "`shop`", "version 3, 2026-05-01 10:30 UTC", bundle().code_hash, "| Python | 3.12 |"):
        assert word in text
    assert "| What | draft, 2026-05-01" in generate(bundle(), facts(version=None), FROZEN)["README.md"]


def test_the_dockerfile_is_slim_and_runs_as_nobody_special() -> None:
    lines = generate(bundle(), facts(), FROZEN)["Dockerfile"].splitlines()
    assert "FROM python:3.12-slim" in lines
    assert lines.index("USER app") > lines.index("RUN pip install --no-cache-dir -r requirements.txt")
    [command] = [line for line in lines if line.startswith("CMD ")]
    assert json.loads(command.removeprefix("CMD "))[:2] == ["uvicorn", "main:app"]
    check = json.loads(next(line for line in lines if line.startswith("    CMD ")).strip().removeprefix("CMD "))
    compile(check[2], "healthcheck", "exec")


def test_git_is_there_where_a_package_comes_from_it_and_else_is_not() -> None:
    pins = ["tool @ git+https://example.com/tool@abc"]
    assert (
        "install -y --no-install-recommends git"
        in generate(bundle(), facts(), Frozen(python="3.12", pins=pins))["Dockerfile"]
    )
    assert "apt-get" not in generate(bundle(), facts(), FROZEN)["Dockerfile"]


def test_the_compose_file_keeps_mongodb_to_the_app() -> None:
    compose = yaml.safe_load(generate(bundle(), facts(name="on"), FROZEN)["compose.yaml"])
    assert compose["name"] == "on"
    app, mongo = compose["services"]["app"], compose["services"]["mongo"]
    assert app["environment"]["PLATFORM_MONGO_URI"] == (
        "mongodb://app:${PLATFORM_MONGO_PASSWORD:?set it in .env}@mongo:27017/on?authSource=admin"
    )
    assert app["depends_on"] == {"mongo": {"condition": "service_healthy"}}
    assert app["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in mongo
    assert mongo["environment"]["MONGO_INITDB_ROOT_PASSWORD"].startswith("${PLATFORM_MONGO_PASSWORD:?")
    assert mongo["healthcheck"]["test"][0] == "CMD"
    assert [volume.partition(":")[0] for volume in mongo["volumes"]] == list(compose["volumes"])


@pytest.mark.parametrize(
    "value",
    ["plain", "", "two words", "it's", 'say "hi"', "back\\slash", "a # b", "line\nline", "100 % $HOME", "grüße"],
)
def test_values_of_variables_survive_a_dotenv_file(value: str) -> None:
    text = generate(bundle(), facts(env={"VALUE": value}), FROZEN)[".env.example"]
    assert dotenv_values(stream=io.StringIO(text), interpolate=False)["VALUE"] == value


def test_secrets_are_named_and_empty_and_the_versions_own_values_win() -> None:
    variables = {"KEY": None, "MODE": "slow", "OTHER": "x"}
    text = generate(bundle(), facts(env={"MODE": "fast"}, variables=variables), FROZEN)[".env.example"]
    values = re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert dict(values) == {"PLATFORM_MONGO_PASSWORD": "", "MODE": "fast", "OTHER": "x", "KEY": ""}


def test_a_factory_is_started_as_one() -> None:
    files = generate(bundle(), facts(app="app.main:create_app()"), FROZEN)
    assert "uvicorn --factory app.main:create_app --port" in files["README.md"]
    assert '["uvicorn", "--factory", "app.main:create_app", "--host"' in files["Dockerfile"]


def test_what_lies_beside_a_main_file_in_a_folder_is_found() -> None:
    beside = {"backend/main.py": f"import db\n{APP}", "backend/db.py": "x = 1"}
    files = generate(bundle(beside, main="backend/main.py"), facts(app="backend.main:app"), FROZEN)
    assert 'sys.path.append(str(HERE.joinpath("backend")))' in files["asgi.py"]
    assert "uvicorn asgi:app" in files["README.md"]
    absolute = {"backend/main.py": f"from backend import db\n{APP}", "backend/db.py": "x = 1"}
    assert "asgi.py" not in generate(bundle(absolute, main="backend/main.py"), facts(app="backend.main:app"), FROZEN)


def test_things_from_the_kernel_are_there_before_the_code_runs() -> None:
    objects = {"main.py": APP, ".gofastapi/objects.json": '{"objects": []}'}
    files = generate(bundle(objects), facts(objects_loader="# the loader\n"), FROZEN)
    assert files["gofastapi_objects.py"] == "# the loader\n"
    assert 'gofastapi_objects.provide(HERE, "main")' in files["asgi.py"]
    compile(files["asgi.py"], "asgi.py", "exec")


def test_files_of_the_app_win_and_ours_take_other_names_and_say_so() -> None:
    own = [
        "Dockerfile",
        "readme.md",
        "requirements.txt",
        "docker-compose.yml",
        ".dockerignore",
        ".env.example",
        "asgi/x.py",
    ]
    app = {"main.py": APP, ".gofastapi/objects.json": "{}"} | dict.fromkeys(own, "mine\n")
    files = generate(bundle(app), facts(), FROZEN)
    assert sorted(files) == [
        ".env.gofastapi.example", "Dockerfile.gofastapi", "README.gofastapi.md", "asgi_gofastapi.py",
        "compose.gofastapi.yaml", "gofastapi.json", "gofastapi_objects.py", "requirements.gofastapi.txt",
    ]  # fmt: skip
    compose = yaml.safe_load(files["compose.gofastapi.yaml"])
    assert compose["services"]["app"]["build"] == {"context": ".", "dockerfile": "Dockerfile.gofastapi"}
    assert "COPY requirements.gofastapi.txt ./" in files["Dockerfile.gofastapi"]
    readme = files["README.gofastapi.md"]
    assert "docker compose -f compose.gofastapi.yaml up" in readme
    assert "uvicorn asgi_gofastapi:app" in readme
    for name in ("Dockerfile", "README.md", "requirements.txt", ".dockerignore"):
        assert any(f"Your own {name} stays as it is" in note for note in manifest_of(files).notes), name


def test_names_are_free_in_whatever_case() -> None:
    assert free_name("README.md", ["readme.MD"]) == "README.gofastapi.md"
    assert free_name("README.md", ["README.md", "readme.gofastapi.md"]) == "README.gofastapi2.md"


def test_what_could_not_be_pinned_is_told() -> None:
    frozen = Frozen(python="3.12", pins=["a==1"], kept=["b>2"], notes=["c: installed from a folder"])
    files = generate(bundle(), facts(), frozen)
    assert [line for line in files["requirements.txt"].splitlines() if not line.startswith("#")] == ["a==1", "b>2"]
    assert "- c: installed from a folder.\n" in files["README.md"]


def test_modules_are_needed_that_no_import_names() -> None:
    source = "from fastapi import Form\nfrom x import Jinja2Templates\n# postgresql+asyncpg://\nsocket: WebSocket\n"
    needed = needed_modules(bundle({"main.py": source, "notes.txt": "EmailStr"}), ["x.y"])
    assert needed == {"uvicorn", "x.y", "python_multipart", "jinja2", "asyncpg", "websockets"}


def test_requirements_of_all_kinds_are_asked_for() -> None:
    own = "# mine\nfastapi==0.1  # web\n-r other.txt\n--index-url x\nnumpy>=1 --hash=sha256:abc\n\ndouble\\\n"
    objects = json.dumps({"objects": [{"libraries": {"scikit-learn": "1.0"}}, {"libraries": {}}]})
    app = bundle(
        {"main.py": APP, "requirements.txt": own, ".gofastapi/objects.json": objects}, requirements=["httpx>=0.2"]
    )
    assert required(app) == ["httpx>=0.2", "fastapi==0.1", "numpy>=1", "scikit-learn"]
    assert required(bundle({"main.py": APP, ".gofastapi/objects.json": "[1]"})) == []


@pytest.mark.parametrize(
    "app",
    [
        bundle(),
        bundle({"app/main.py": APP, "README.md": "mine", "gofastapi.json": "{}"}, main="app/main.py"),
        bundle({"main.py": APP}, entrypoint="main:app", requirements=["b", "a>1"]),
    ],
)
def test_the_way_back_gives_the_same_code(app: Bundle) -> None:
    restored = restore(project(app, generate(app, facts(env={"A": "1"}), FROZEN)))
    assert restored.bundle.code_hash == app.code_hash
    assert restored.env == {"A": "1"}
    assert restored.notes == []


def test_an_export_of_an_export_leads_back_to_the_one_before() -> None:
    """Somebody deployed a whole exported folder."""
    first = bundle()
    second = Bundle(files=project(first, generate(first, facts(), FROZEN)))
    restored = restore(project(second, generate(second, facts(version=4), FROZEN)))
    assert restored.bundle.code_hash == second.code_hash
    assert restored.manifest is not None
    assert restored.manifest.version == 4


def test_what_people_added_or_changed_since_comes_along_and_is_told() -> None:
    app = bundle({"main.py": APP, "old.txt": "x"})
    files = project(app, generate(app, facts(variables={"MODE": "x", "KEY": None}), FROZEN))
    files |= {"new.py": BundleFile(text="y = 1"), "Dockerfile": BundleFile(text="FROM scratch")}
    files[".env.example"] = BundleFile(text="KEY=secret")
    del files["old.txt"]
    restored = restore(files)
    assert sorted(restored.bundle.files) == ["Dockerfile", "main.py", "new.py"]
    assert restored.notes == [
        "Dockerfile was changed since the export, so it comes along as a file of the app.",
        "Not there any more: old.txt.",
        "It had variables of its own, which do not come along: MODE, KEY.",
    ]


def test_a_manifest_of_somebody_else_is_a_file_like_any_other() -> None:
    restored = restore({"main.py": BundleFile(text=APP), "gofastapi.json": BundleFile(text='{"format": 1}')})
    assert sorted(restored.bundle.files) == ["gofastapi.json", "main.py"]


def test_a_newer_format_is_refused() -> None:
    newer = json.dumps({"format": 2, "code_hash": "x", "something": "else"})
    with pytest.raises(InvalidBundleError, match="newer GoFastAPI"):
        restore({"main.py": BundleFile(text=APP), "gofastapi.json": BundleFile(text=newer)})
