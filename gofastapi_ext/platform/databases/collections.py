"""Collections and indexes of one database: made, dropped, and asked how they serve a query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from gofastapi_ext.core.documents.names import check_collection, check_path
from gofastapi_ext.core.documents.query import check_filter
from gofastapi_ext.core.documents.views import Explanation, IndexCreate
from gofastapi_ext.core.errors import ConflictError, InvalidRequestError, NotFoundError
from gofastapi_ext.platform.databases import ejson
from gofastapi_ext.platform.databases.paging import Query
from gofastapi_ext.platform.databases.trouble import told

Document = dict[str, Any]

# An index is built while everything goes on; of a full database it takes seconds.
_INDEX_SECONDS = 600.0
_ADVISED_FROM = 1_000


class Collections:
    """Every method raises a `GoFastAPIError`."""

    def __init__(self, database: AsyncDatabase[Document], seconds: float) -> None:
        self._database = database
        self._seconds = seconds

    async def create(self, name: str) -> None:
        """Raises `ConflictError` where it is there."""
        check_collection(name)
        if await self.exists(name):
            raise ConflictError(f'There is a collection "{name}" already.')
        with told(self._seconds):
            await self._database.create_collection(name, check_exists=False)

    async def drop(self, name: str) -> None:
        """With everything in it. Raises `NotFoundError`."""
        await self._check_exists(name)
        with told(self._seconds):
            await self._database.drop_collection(name)

    async def exists(self, name: str) -> bool:
        with told(self._seconds):
            return bool(await self._database.list_collection_names(filter={"name": name}))

    async def create_index(self, name: str, index: IndexCreate) -> str:
        """Build it, and return its name. The same again changes nothing; `ConflictError` where one is in the way."""
        check_collection(name)
        for path in index.keys:
            check_path(path, "keys")
        options: Document = {"unique": True} if index.unique else {}
        options |= {"sparse": True} if index.sparse else {}
        options |= {"name": index.name} if index.name else {}
        if index.expire_after_seconds is not None:
            options["expireAfterSeconds"] = index.expire_after_seconds
        if index.partial is not None:
            options["partialFilterExpression"] = ejson.from_json(check_filter(index.partial))
        with told(_INDEX_SECONDS):
            return await self._database[name].create_index(list(index.keys.items()), **options)

    async def drop_index(self, name: str, index: str) -> None:
        await self._check_exists(name)
        if index == "*":  # which would be all of them
            raise NotFoundError('There is no index "*".')
        with told(self._seconds):
            await self._database[name].drop_index(index)

    async def explain(self, name: str, query: Query) -> Explanation:
        """Run the query, throw its result away, and say how it was found."""
        await self._check_exists(name)
        find: Document = {"find": name, "filter": query.filter}
        find |= {"sort": query.sort} if query.sort else {}
        find |= {"projection": query.projection} if query.projection else {}
        with told(self._seconds):
            answer = await self._database.command("explain", find, verbosity="executionStats")
        return _explanation(answer)

    async def _check_exists(self, name: str) -> None:
        check_collection(name)
        if not await self.exists(name):
            raise NotFoundError(f'There is no collection "{name}" in your database.')


def _explanation(answer: Document) -> Explanation:
    try:
        plan, statistics = answer["queryPlanner"]["winningPlan"], answer["executionStats"]
        if not statistics.get("executionSuccess", True):
            raise InvalidRequestError(f"MongoDB refuses this: {statistics.get('errorMessage', 'no reason given')}.")
        keys, looked_at, returned = (
            int(statistics[name]) for name in ("totalKeysExamined", "totalDocsExamined", "nReturned")
        )
        seconds = int(statistics["executionTimeMillis"]) / 1000
    except KeyError as error:
        raise InvalidRequestError(f"MongoDB explains this in a way that is not known here: no {error}.") from None
    stages = list(_stages(plan))
    kinds = [str(stage["stage"]) for stage in stages]
    indexes = sorted({str(stage["indexName"]) for stage in stages if "indexName" in stage})
    uses_index = "COLLSCAN" not in kinds and any(kind in kinds for kind in ("IXSCAN", "IDHACK", "COUNT_SCAN", "TEXT"))
    sorts = "SORT" in kinds
    through = f"through {', '.join(indexes) or 'the index of _id'}" if uses_index else "by reading the whole collection"
    summary = (
        f"Finds {returned:,} documents {through}: {looked_at:,} documents and {keys:,} index keys looked at, "
        f"{seconds * 1000:.0f} ms{', sorted in memory' if sorts else ''}."
    )
    advice = None
    if not uses_index and looked_at >= _ADVISED_FROM and looked_at > 10 * returned:
        advice = "An index on the fields of the filter would spare it reading everything."
    elif sorts and looked_at >= _ADVISED_FROM:
        advice = "An index on the fields of the sort would spare it sorting."
    return Explanation(
        summary=summary,
        uses_index=uses_index,
        indexes=indexes,
        sorts_in_memory=sorts,
        keys_examined=keys,
        documents_examined=looked_at,
        returned=returned,
        seconds=seconds,
        advice=advice,
        plan=ejson.to_json(plan, relaxed=True),
    )


def _stages(plan: Any) -> Iterator[Document]:
    """Every stage of a plan, wherever the version of the server puts it."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan
        for each in plan.values():
            yield from _stages(each)
    elif isinstance(plan, list):
        for each in plan:
            yield from _stages(each)
