"""Messages that reach everybody at once."""

from __future__ import annotations

from gofastapi_ext.core.templates.base import Template, bundle_of

_MAIN = '''"""A chat room over WebSockets. Open it in two windows."""

from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse

app = FastAPI(title="Chat")

# In this process alone: an app with several workers keeps its messages in the database.
room: set[WebSocket] = set()


@app.get("/", include_in_schema=False)
def page() -> FileResponse:
    return FileResponse(Path(__file__).parent / "chat.html")


@app.websocket("/ws")
async def chat(socket: WebSocket, name: str = "somebody"):
    await socket.accept()
    room.add(socket)
    await tell(f"{name} is here")
    try:
        while True:
            await tell(f"{name}: {(await socket.receive_text())[:500]}")
    except WebSocketDisconnect:
        room.discard(socket)
        await tell(f"{name} has left")


async def tell(message: str) -> None:
    for socket in list(room):
        try:
            await socket.send_text(message)
        except (WebSocketDisconnect, RuntimeError):
            room.discard(socket)
'''

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chat</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --accent: #0b7a75; }
  * { box-sizing: border-box; }
  body { margin: 0; height: 100vh; display: grid; grid-template-rows: 1fr auto; font: 17px/1.5 system-ui, sans-serif; }
  ul { margin: 0; padding: 24px; overflow: auto; list-style: none; }
  form { display: flex; gap: 8px; padding: 16px; border-top: 1px solid var(--line); }
  input, button { font: inherit; padding: 10px 14px; border: 1px solid var(--line); border-radius: 10px; }
  input { flex: 1; min-width: 0; }
  button { border: 0; background: var(--accent); color: #fff; font-weight: 600; cursor: pointer; }
</style>
</head>
<body>
<ul aria-live="polite"></ul>
<form>
  <input aria-label="Message" placeholder="Say something" maxlength="500" autocomplete="off" required autofocus>
  <button>Send</button>
</form>
<script>
  const list = document.querySelector("ul");
  const input = document.querySelector("input");
  const name = "guest-" + Math.floor(Math.random() * 1000);
  // Relative to this page, so that it also works behind a path prefix.
  const address = new URL("ws?name=" + name, location.href);
  address.protocol = address.protocol.replace("http", "ws");

  function show(text) {
    const item = document.createElement("li");
    item.textContent = text;
    list.append(item);
    item.scrollIntoView();
  }

  let socket;
  function connect() {
    socket = new WebSocket(address);
    socket.onmessage = event => show(event.data);
    socket.onclose = () => setTimeout(connect, 1000);
  }
  connect();

  document.querySelector("form").onsubmit = event => {
    event.preventDefault();
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(input.value);
      input.value = "";
    }
  };
</script>
</body>
</html>
"""

CHAT = Template(
    id="chat",
    title="Chat room",
    description="Messages that reach every open window at once, over WebSockets.",
    uses=["WebSockets", "HTML"],
    bundle=bundle_of({"main.py": _MAIN, "chat.html": _PAGE}),
)
