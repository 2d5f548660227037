"""The app that both peers serve."""

from fastapi import FastAPI

VERSION = 1

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str | int]:
    return {"hello": "world", "version": VERSION}


@app.get("/sync")
def hello_sync() -> dict[str, str | int]:
    return {"hello": "world", "version": VERSION}
