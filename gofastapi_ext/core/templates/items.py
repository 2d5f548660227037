"""An API over a collection of the user's database."""

from __future__ import annotations

from gofastapi_ext.core.templates.base import Template, bundle_of

_MAIN = '''"""Create, read, update and delete items, kept in your MongoDB database."""

import os
from typing import Annotated

from bson import ObjectId
from fastapi import FastAPI, HTTPException, Path, Query
from pydantic import BaseModel, Field
from pymongo import MongoClient, ReturnDocument

app = FastAPI(title="Items")
items = MongoClient(os.environ["PLATFORM_MONGO_URI"]).get_default_database().items

ItemId = Annotated[str, Path(pattern="^[0-9a-f]{24}$", description="As the API gave it.")]


class NewItem(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    price: float = Field(ge=0)
    tags: list[str] = []


class Item(NewItem):
    id: str


def shown(document: dict | None) -> Item:
    if document is None:
        raise HTTPException(404, "There is no such item.")
    return Item(id=str(document["_id"]), **{field: document[field] for field in NewItem.model_fields})


@app.get("/items")
def list_items(tag: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Item]:
    """The newest first; with `tag`, those that have it."""
    query = {"tags": tag} if tag else {}
    return [shown(document) for document in items.find(query).sort("_id", -1).limit(limit)]


@app.post("/items", status_code=201)
def create_item(new: NewItem) -> Item:
    document = new.model_dump()
    items.insert_one(document)
    return shown(document)


@app.get("/items/{item_id}")
def read_item(item_id: ItemId) -> Item:
    return shown(items.find_one({"_id": ObjectId(item_id)}))


@app.put("/items/{item_id}")
def update_item(item_id: ItemId, new: NewItem) -> Item:
    changed = items.find_one_and_update(
        {"_id": ObjectId(item_id)}, {"$set": new.model_dump()}, return_document=ReturnDocument.AFTER
    )
    return shown(changed)


@app.delete("/items/{item_id}", status_code=204)
def delete_item(item_id: ItemId) -> None:
    items.delete_one({"_id": ObjectId(item_id)})
'''

ITEMS = Template(
    id="items",
    title="API with a database",
    description="Create, read, update and delete items in MongoDB.",
    uses=["MongoDB"],
    opens="docs",
    bundle=bundle_of({"main.py": _MAIN}),
)
