"""Clients that know nothing of us read and add over a real socket, and lose nothing meanwhile.

`taxii2-client` is used as it is. What ingests for OpenCTI is written after its public behaviour:
which headers and arguments it sends, and what of an answer it keeps.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import requests
import stix2
from flask import Flask
from taxii2client.exceptions import AccessError
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from app.config import Settings
from tests.app.exchange import make_exchange
from tests.app.exchange_room.taxii_room import Object, Taxii, changed
from tests.functional.conftest import Platform
from tests.functional.serving import PATIENCE, serving

MEDIA_TYPE = "application/taxii+json;version=2.1"
WRITERS, ENVELOPES, OBJECTS = 8, 6, 4  # threads, of each, in each


@pytest.fixture
def taxii(platform: Platform) -> Taxii:
    return Taxii(make_exchange(platform.app), platform.app.test_client())


def token_of(taxii: Taxii, code: str) -> str:
    return taxii.headers[code]["Authorization"].removeprefix("Bearer ")


def root_of(address: str, taxii: Taxii, code: str) -> ApiRoot:
    """What a user of taxii2-client reaches with the address of the server and a token."""
    server = Server(f"{address}/taxii2/", user="anybody", password=token_of(taxii, code))
    (root,) = server.api_roots
    assert root.url == server.default.url
    return root


def named(root: ApiRoot, collection: UUID) -> Collection:
    (found,) = [each for each in root.collections if each.id == str(collection)]
    return found


@dataclass
class Ingestion:
    """The TAXII ingestion of OpenCTI: a cursor, a date cut to milliseconds, one page a run.

    It sends `next` and `added_after` together, keeps `next` while there is more, and then goes on
    from X-TAXII-Date-Added-Last, which its clock holds to the millisecond.
    """

    address: str
    collection: UUID
    token: str
    added_after: str | None = None
    cursor: str | None = None
    received: list[Object] = field(default_factory=list)

    def run(self, limit: int | None = None) -> int:
        """Ask once; returns how many objects came."""
        arguments = {"next": self.cursor, "added_after": self.added_after, "limit": limit}
        answer = requests.get(
            f"{self.address}/taxii2/exchange/collections/{self.collection}/objects/",
            params={name: each for name, each in arguments.items() if each is not None},
            headers={"Accept": MEDIA_TYPE, "Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200, answer.text
        envelope = answer.json()
        objects = envelope.get("objects", [])
        if not objects:
            return 0
        self.received += objects
        if envelope.get("more") and envelope.get("next"):
            self.cursor = envelope["next"]
        else:
            self.cursor = None
            last = datetime.fromisoformat(answer.headers["X-TAXII-Date-Added-Last"])
            self.added_after = f"{last:%Y-%m-%dT%H:%M:%S}.{last.microsecond // 1000:03d}Z"
        return len(objects)

    def run_all(self, limit: int | None = None) -> None:
        while self.run(limit):
            pass

    def indicators(self) -> list[str]:
        return [each["id"] for each in self.received if each["type"] == "indicator"]


def test_taxii2_client_discovers_adds_reads_and_deletes(platform: Platform, taxii: Taxii) -> None:
    root = root_of(platform.address, taxii, "post-be")
    assert root.versions == [MEDIA_TYPE]
    assert root.max_content_length > 0
    own = named(root, taxii.own)
    assert (own.can_read, own.can_write) == (True, True)
    sent = [taxii.party(permitted_action="watch") for _ in range(5)]
    mail = {
        "type": "email-addr",
        "spec_version": "2.1",
        "id": "email-addr--9a1f834d-2506-5367-baec-7aa63996ac43",
        "value": "jan@example.org",
    }
    status = own.add_objects({"objects": [*sent, mail]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 5, 1)
    status.refresh()
    assert status.total_count == 6

    pages = list(as_pages(own.get_objects, per_request=2))
    found = [each for page in pages for each in page["objects"]]
    assert len(pages) == -(-len(found) // 2)
    assert {each["id"] for each in sent} <= {each["id"] for each in found}
    for each in found:
        stix2.parse(each, allow_custom=False)
    pages = list(as_pages(own.get_manifest, per_request=3))
    listed = [each for page in pages for each in page["objects"]]
    assert [each["id"] for each in listed] == [each["id"] for each in found]
    whole = list(as_pages(own.get_objects))
    assert [each["id"] for page in whole for each in page["objects"]] == [
        each["id"] for each in found
    ]
    (one,) = own.get_object(sent[0]["id"])["objects"]
    assert one["id"] == sent[0]["id"]
    assert own.get_objects(id=sent[1]["id"])["objects"][0]["id"] == sent[1]["id"]
    assert own.object_versions(sent[0]["id"])["versions"] == [sent[0]["modified"]]
    newest = datetime.fromisoformat(listed[-1]["date_added"])
    assert own.get_objects(added_after=newest) == {}
    own.delete_object(sent[2]["id"])
    with pytest.raises(requests.HTTPError) as error:
        own.delete_object(sent[2]["id"])
    assert error.value.response.status_code == 404


def test_taxii2_client_reads_what_others_share_and_sees_it_withdrawn(
    platform: Platform, taxii: Taxii
) -> None:
    own = named(root_of(platform.address, taxii, "post-be"), taxii.own)
    sent = [taxii.party(permitted_action="watch") for _ in range(3)]
    own.add_objects({"objects": sent})
    taxii.work()
    shared = named(root_of(platform.address, taxii, "police-de"), taxii.shared)
    with pytest.raises(AccessError):
        shared.add_objects({"objects": sent})
    page = shared.get_objects()
    indicators = [each for each in page["objects"] if each["type"] == "indicator"]
    assert len(indicators) == 3
    bundle = {"type": "bundle", "id": f"bundle--{taxii.shared}", "objects": page["objects"]}
    assert stix2.parse(bundle, allow_custom=False)
    assert not {each["id"] for each in sent} & {each["id"] for each in indicators}
    own.add_objects({"objects": [changed(sent[0], revoked=True)]})
    taxii.work()
    now = [each for each in shared.get_objects()["objects"] if each["type"] == "indicator"]
    (gone,) = [each for each in now if each.get("revoked")]
    assert gone["id"] in {each["id"] for each in indicators}
    assert len(now) == 3


@pytest.mark.parametrize("limit", [None, 2])
def test_what_ingests_for_opencti_gets_everything_once(
    platform: Platform, taxii: Taxii, limit: int | None
) -> None:
    police = Ingestion(platform.address, taxii.shared, token_of(taxii, "police-de"))
    police.run_all(limit)
    assert police.received == []
    sent: list[Object] = []
    for _ in range(3):
        new = [taxii.party(permitted_action="watch") for _ in range(3)]
        assert taxii.status(*new)["success_count"] == 3
        sent += new
        taxii.work()
        police.run_all(limit)
    ids = police.indicators()
    assert len(ids) == len(set(ids)) == len(sent)
    taxii.status(changed(sent[4], revoked=True))
    taxii.work()
    before = len(police.received)
    police.run_all(limit)
    (gone,) = [each for each in police.received[before:] if each["type"] == "indicator"]
    assert gone["revoked"] is True
    assert gone["id"] in ids


def test_basic_and_bearer_are_one_person_and_a_revoked_token_opens_nothing(
    platform: Platform, taxii: Taxii
) -> None:
    address, token = f"{platform.address}/taxii2/", token_of(taxii, "police-de")
    accept = {"Accept": MEDIA_TYPE}
    basic = requests.get(address, headers=accept, auth=("x", token), timeout=PATIENCE)
    bearer = requests.get(
        address, headers={**accept, "Authorization": f"Bearer {token}"}, timeout=PATIENCE
    )
    assert basic.json() == bearer.json()
    assert basic.json()["x_postern"]["organisation"] == "police-de"
    wrong = requests.get(address, headers=accept, auth=("x", f"{token[:-1]}!"), timeout=PATIENCE)
    assert wrong.status_code == 401
    assert "Basic" in wrong.headers["WWW-Authenticate"]


@dataclass
class Pollers:
    """Clients that keep asking while others write."""

    clients: list[Ingestion]
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, client: Ingestion) -> None:
        while not self.stop.is_set():
            client.run(limit=7)
        client.run_all(limit=7)


@pytest.fixture
def servers(settings: Settings, tmp_path: Path) -> Iterator[list[str]]:
    """Two server processes on one database."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(settings, tmp_path / f"server-{number}.toml"))
            for number in range(2)
        ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_pollers_lose_nothing_while_eight_write_at_two_servers(
    app: Flask, servers: list[str]
) -> None:
    taxii = Taxii(make_exchange(app), app.test_client())
    token = token_of(taxii, "post-be")
    envelopes: list[list[list[Object]]] = [
        [[taxii.party(permitted_action="watch") for _ in range(OBJECTS)] for _ in range(ENVELOPES)]
        for _ in range(WRITERS)
    ]
    pollers = Pollers(
        [
            *(Ingestion(address, taxii.own, token) for address in servers),
            *(Ingestion(each, taxii.shared, token_of(taxii, "police-de")) for each in servers),
        ]
    )

    def write(number: int) -> None:
        with requests.Session() as session:
            for place, objects in enumerate(envelopes[number]):
                server = servers[(number + place) % len(servers)]
                answer = session.post(
                    f"{server}/taxii2/exchange/collections/{taxii.own}/objects/",
                    json={"objects": objects},
                    headers={
                        "Accept": MEDIA_TYPE,
                        "Content-Type": MEDIA_TYPE,
                        "Authorization": f"Bearer {token}",
                    },
                    timeout=PATIENCE,
                )
                assert answer.status_code == 202, answer.text
                assert answer.json()["success_count"] == OBJECTS

    with ThreadPoolExecutor(WRITERS + len(pollers.clients)) as threads:
        polled = [threads.submit(pollers.run, each) for each in pollers.clients]
        written = [threads.submit(write, number) for number in range(WRITERS)]
        try:
            while not all(each.done() for each in written):
                taxii.work()
            taxii.work()
        finally:
            pollers.stop.set()
        for each in (*written, *polled):
            each.result(PATIENCE)

    sent = Counter(obj["id"] for mine in envelopes for each in mine for obj in each)
    assert len(sent) == WRITERS * ENVELOPES * OBJECTS
    for client in pollers.clients[:2]:
        assert Counter(client.indicators()) == sent
    for client in pollers.clients[2:]:
        assert len(client.indicators()) == len(set(client.indicators())) == len(sent)
