"""Reading a whole collection: over the thin client, and by taxii2-client as its users do."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from requests import PreparedRequest
from requests.auth import AuthBase
from taxii2client.v21 import Collection, as_pages

from bench.taxii_wire import OBJECT, Door, Line, pages

PAGE = 1000


class _Bearer(AuthBase):
    """taxii2-client knows passwords only."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._authorization
        return request


def whole(door: Door, patience: float) -> tuple[int, float]:
    """Objects in the collection, and seconds until the last page was there; bodies are counted."""
    line = Line(door.port, patience)
    start = perf_counter()
    count = sum(answer.body.count(OBJECT) for answer in pages(line, door, PAGE))
    spent = perf_counter() - start
    line.close()
    return count, spent


def whole_by_client(door: Door) -> tuple[int, float]:
    """The same by taxii2-client, which reads every object."""
    collection = Collection(
        f"http://127.0.0.1:{door.port}{door.collection}", auth=_Bearer(door.authorization)
    )
    start = perf_counter()
    count = sum(len(each.get("objects", ())) for each in _client_pages(collection))
    return count, perf_counter() - start


def _client_pages(collection: Any) -> Iterator[dict[str, Any]]:
    found: Iterator[dict[str, Any]] = as_pages(collection.get_objects, per_request=PAGE)
    return found
