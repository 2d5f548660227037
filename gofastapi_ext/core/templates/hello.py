"""The smallest app that does something."""

from __future__ import annotations

from gofastapi_ext.core.templates.base import Template, bundle_of

_MAIN = '''"""A small API. Change a line, deploy again, and the new version takes over without losing a request."""

from fastapi import FastAPI

app = FastAPI(title="Hello")


@app.get("/")
def hello(name: str = "world") -> dict[str, str]:
    """Say hello: try /?name=Ada."""
    return {"hello": name}


@app.get("/add/{a}/{b}")
def add(a: int, b: int) -> dict[str, int]:
    """Types are checked: /add/1/2 is 3, /add/1/x is an error that says why."""
    return {"sum": a + b}
'''

HELLO = Template(
    id="hello",
    title="Hello API",
    description="A few lines that answer, with interactive documentation.",
    opens="docs",
    bundle=bundle_of({"main.py": _MAIN}),
)
