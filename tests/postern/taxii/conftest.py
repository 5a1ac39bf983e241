"""A TAXII server on the loopback interface, a client of it, and a folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postern.taxii.client import Collection, TaxiiClient
from postern.taxii.connection import Access, Connection
from postern.taxii.finding import tokens_in
from postern.taxii.folder import Folder
from postern.taxii.pulling import Pulling
from tests.postern.taxii.loopback_taxii import LoopbackTaxii, serving


@pytest.fixture
def taxii() -> Iterator[LoopbackTaxii]:
    with serving(LoopbackTaxii()) as running:
        yield running


@pytest.fixture
def client(taxii: LoopbackTaxii) -> Iterator[TaxiiClient]:
    """A client that does not sleep between attempts."""
    access = Access(user="lab", password="p")
    made = TaxiiClient(Connection(taxii.address, access, sleep=lambda _: None))
    yield made
    made.close()


@pytest.fixture
def collection(client: TaxiiClient) -> Collection:
    return client.every_collection()[0]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder(tmp_path / "received", writing=True, tokens_of=tokens_in) as made:
        yield made


@pytest.fixture
def pulling(client: TaxiiClient, folder: Folder) -> Callable[..., Pulling]:
    """Makes pullings into the folder, ten objects a page."""

    def make(*, is_exact: bool = False, limit: int = 10) -> Pulling:
        return Pulling(client, folder, is_exact=is_exact, limit=limit)

    return make
