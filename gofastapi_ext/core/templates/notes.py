"""A page, an API and a database, in files of their own."""

from __future__ import annotations

from gofastapi_ext.core.templates.base import Template, bundle_of

_MAIN = '''"""Notes: a page rendered on the server, kept in your MongoDB database."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from bson import ObjectId
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pymongo import MongoClient

HERE = Path(__file__).parent

app = FastAPI(title="Full-Stack Notes App")
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
templates = Jinja2Templates(HERE / "templates")
notes = MongoClient(os.environ["PLATFORM_MONGO_URI"]).get_default_database().notes


@app.get("/", response_class=HTMLResponse)
def page(request: Request):
    newest_first = list(notes.find().sort("_id", -1).limit(100))
    return templates.TemplateResponse(request, "index.html", {"notes": newest_first})


@app.post("/notes")
def add(request: Request, text: Annotated[str, Form(min_length=1, max_length=500)]):
    notes.insert_one({"text": text, "at": datetime.now(UTC)})
    print("new note:", text)
    return RedirectResponse(request.url_for("page"), status_code=303)


@app.post("/notes/{note_id}/delete")
def delete(request: Request, note_id: str):
    if ObjectId.is_valid(note_id):
        notes.delete_one({"_id": ObjectId(note_id)})
    return RedirectResponse(request.url_for("page"), status_code=303)
'''

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Notes</title>
  <!-- Relative addresses, so that the page also works behind a path prefix. -->
  <link rel="stylesheet" href="static/style.css">
</head>
<body>
<main>
  <h1>Notes</h1>
  <form class="new" method="post" action="notes">
    <input name="text" aria-label="A new note" placeholder="Write something down" maxlength="500" autocomplete="off"
           required autofocus>
    <button>Add</button>
  </form>
  <ul>
    {% for note in notes %}
    <li>
      <span>{{ note.text }}</span>
      <form method="post" action="notes/{{ note._id }}/delete"><button aria-label="Delete">&times;</button></form>
    </li>
    {% else %}
    <li class="empty">Nothing here yet.</li>
    {% endfor %}
  </ul>
</main>
</body>
</html>
"""

_STYLE = """:root {
  color-scheme: light dark;
  --ink: #1c2024; --soft: #6b7079; --page: #f6f6f4; --card: #fff; --line: #e4e4e0; --accent: #0b7a75;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e3; --soft: #9a9fa8; --page: #16181b; --card: #1f2226; --line: #31353b; --accent: #4cc2b9; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 8vh 20px; background: var(--page); color: var(--ink); font: 17px/1.5 system-ui, sans-serif; }
main { max-width: 520px; margin: auto; }
h1 { margin: 0 0 20px; font-size: 30px; letter-spacing: -0.02em; }
input, button { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: 10px; }
.new { display: flex; gap: 8px; }
.new input { flex: 1; min-width: 0; padding: 10px 14px; background: var(--card); }
.new button { padding: 0 18px; border: 0; background: var(--accent); color: var(--page); font-weight: 600; }
ul { margin: 20px 0; padding: 0; list-style: none; }
li { display: flex; align-items: center; gap: 8px; margin-bottom: 8px; padding: 10px 8px 10px 14px;
     background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
li span { flex: 1; overflow-wrap: anywhere; }
li button { padding: 0 8px; border: 0; background: none; color: var(--soft); }
li.empty { color: var(--soft); }
button { cursor: pointer; }
"""

NOTES = Template(
    id="notes",
    title="Full-Stack Notes App",
    description="A page, a form and a stylesheet, with MongoDB behind them.",
    uses=["MongoDB", "Jinja2", "HTML"],
    bundle=bundle_of({"main.py": _MAIN, "templates/index.html": _PAGE, "static/style.css": _STYLE}),
)
