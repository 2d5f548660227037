"""Write the API's OpenAPI document, without starting anything: `python labextension/openapi.py FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from gofastapi_ext.client.places import Places
from gofastapi_ext.platform.app import create_app
from gofastapi_ext.platform.settings import Settings


def document() -> dict[str, Any]:
    """As the service serves it at /api/openapi.json, without what FastAPI says of refused requests.

    Ours are answered with `ErrorBody`, and that part changes with FastAPI's version.
    """
    nowhere = Path("nowhere")
    made: dict[str, Any] = create_app(Settings(), Places(home=nowhere, run=nowhere)).openapi()
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
    for schema in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(schema, None)
    return made


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(document(), indent=2))
