"""The platform as a TAXII 2.1 server, asked as clients do: docs/taxii.md lists each demand."""

import base64
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.exchange import collections
from app.exchange.models import CollectionKind
from app.exchange.negotiation import MEDIA_TYPE
from app.exchange.taxii_schemas import microseconds
from postern.vocabulary import Role, Scope
from tests.app.exchange import JAN, SOPHIE
from tests.app.exchange_room.taxii_room import (
    COLLECTIONS,
    ROOT,
    Object,
    Taxii,
    changed,
    ids,
    loaded,
    made_taxii,
)
from tests.app.people import make_person, sign_in
from tests.conftest import BACKENDS

UNKNOWN = "indicator--0f2b8a3c-6d14-4f0e-9b57-3c1d2e4f5a6b"  # an id that nothing has
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"


@pytest.fixture(scope="module", params=BACKENDS)
def taxii(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taxii]:
    with made_taxii(request, request.param, tmp_path_factory.mktemp("protocol")) as made:
        yield made


@pytest.fixture(scope="module")
def objects(taxii: Taxii) -> list[Object]:
    """Seven indicators in the own collection, the first in a later version, the second revoked."""
    sent = [taxii.party(tlp="AMBER") for _ in range(7)]
    assert taxii.status(*sent)["success_count"] == 7
    taxii.work()
    sent[0] = changed(sent[0], object_marking_refs=[])
    sent[0]["object_marking_refs"] = taxii.party(tlp="GREEN")["object_marking_refs"]
    assert taxii.status(sent[0])["success_count"] == 1
    taxii.work()
    return sent


def refused(answer: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The error message of a refusal, which has the form that the standard gives it (3.6.1)."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    message: dict[str, Any] = loaded(answer)
    assert message["title"]
    assert message["http_status"] == str(status)
    strings = {name: each for name, each in message.items() if name != "details"}
    assert all(isinstance(each, str) for each in strings.values())
    assert code is None or message["error_code"] == code
    return message


def envelope(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    found: dict[str, Any] = loaded(answer)
    return found


def path(taxii: Taxii, rest: str = "objects/") -> str:
    return f"{COLLECTIONS}{taxii.own}/{rest}"


# 1.6, 3.2: transport, negotiation and authentication


def test_who_does_not_sign_in_is_told_how(taxii: Taxii) -> None:
    for address in ("/taxii2/", ROOT, COLLECTIONS, path(taxii)):
        answer = taxii.client.get(address, headers={"Accept": MEDIA_TYPE})
        refused(answer, 401, "sign-in-needed")
        challenge = answer.headers["WWW-Authenticate"]
        assert "Bearer" in challenge
        assert 'Basic realm="' in challenge


@pytest.mark.parametrize("user", ["", "anybody", "a:b", "é"])
def test_a_token_is_taken_as_the_password_of_basic(taxii: Taxii, user: str) -> None:
    token = taxii.headers["post-be"]["Authorization"].removeprefix("Bearer ")
    told = base64.b64encode(f"{user.replace(':', '')}:{token}".encode()).decode()
    answer = taxii.client.get(
        "/taxii2/", headers={"Accept": MEDIA_TYPE, "Authorization": f"basic {told}"}
    )
    if user == "é":
        refused(answer, 401)
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "credentials",
    ["Basic", "Basic !", "Basic " + "A" * 4000, "Basic bm9jb2xvbg==", "Basic dTpw",
     "Basic w6k6w6k=", "Bearer", "Bearer nothing", "Basic dTpwc3Rf"],
)  # fmt: skip
def test_credentials_that_open_nothing_are_refused(taxii: Taxii, credentials: str) -> None:
    answer = taxii.ask("/taxii2/", headers={"Authorization": credentials})
    refused(answer, 401, "sign-in-needed")
    assert "WWW-Authenticate" in answer.headers


def test_basic_is_taken_nowhere_else(taxii: Taxii) -> None:
    token = taxii.headers["post-be"]["Authorization"].removeprefix("Bearer ")
    told = base64.b64encode(f"anybody:{token}".encode()).decode()
    answer = taxii.client.get("/api/v1/exchange/key", headers={"Authorization": f"Basic {told}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_reading_and_adding_need_their_scopes(taxii: Taxii) -> None:
    reading = taxii.headers_of("post-be", Scope.EXCHANGE_READ)
    writing = taxii.headers_of("post-be", Scope.EXCHANGE_WRITE)
    body = json.dumps({"objects": [taxii.party()]})
    for address in ("/taxii2/", ROOT, COLLECTIONS, f"{COLLECTIONS}{taxii.own}/"):
        for headers in (reading, writing):
            assert taxii.ask(address, headers=headers).status_code == 200
    for address in (path(taxii), path(taxii, "manifest/")):
        assert taxii.ask(address, headers=reading).status_code == 200
        refused(taxii.ask(address, headers=writing), 403, "not-allowed")
    options = {"method": "POST", "data": body, "content_type": MEDIA_TYPE}
    refused(taxii.ask(path(taxii), headers=reading, **options), 403)
    assert taxii.ask(path(taxii), headers=writing, **options).status_code == 202


def test_another_media_type_than_taxii_is_not_spoken(taxii: Taxii) -> None:
    for accept in ("application/json", "application/taxii+json;version=2.0", "text/html"):
        answer = taxii.ask(path(taxii), headers={"Accept": accept})
        refused(answer, 406, "not-acceptable")
    for accept in ("application/taxii+json", "*/*", f"{MEDIA_TYPE};q=0.1, text/html"):
        assert envelope(taxii.ask(path(taxii), headers={"Accept": accept})) is not None


def test_a_body_of_another_media_type_is_not_taken(taxii: Taxii) -> None:
    body = json.dumps({"objects": [taxii.party()]})
    for wrong in ("application/json", "text/plain", "application/taxii+json;version=2.0"):
        refused(taxii.post(body, content_type=wrong), 415)
    for right in ("application/taxii+json", "application/taxii+json; version=2.1"):
        assert taxii.post(body, content_type=right).status_code == 202
    answer = taxii.ask(
        path(taxii),
        method="POST",
        data=body,
        content_type=MEDIA_TYPE,
        headers={"Content-Encoding": "gzip"},
    )
    refused(answer, 415)


# 2: data types


def test_identifiers_are_uuids_of_version_four(taxii: Taxii) -> None:
    status = taxii.status(taxii.party())
    (collection,) = envelope(taxii.ask(COLLECTIONS))["collections"]
    for identifier in (status["id"], collection["id"]):
        assert UUID(identifier).version == 4
        assert str(UUID(identifier)) == identifier


# 4: server information


def test_discovery_names_the_one_root(taxii: Taxii) -> None:
    found = envelope(taxii.ask("/taxii2/"))
    assert found["title"]
    assert found["api_roots"] == [found["default"]]
    assert found["default"].endswith(ROOT)
    assert found["x_postern"] == {"organisation": "post-be", "exact_cursor": True}


def test_the_root_says_what_it_speaks_and_how_much_it_takes(taxii: Taxii) -> None:
    found = envelope(taxii.ask(ROOT))
    assert found["title"]
    assert found["versions"] == [MEDIA_TYPE]
    assert found["max_content_length"] == 8388608


@pytest.mark.parametrize(
    "address", ["/taxii2/none/", "/taxii2/exchange/none/", f"{COLLECTIONS}none/objects/"]
)
def test_what_is_not_there_is_an_error_of_taxii(taxii: Taxii, address: str) -> None:
    refused(taxii.ask(address), 404)


def test_a_method_that_is_not_known_is_an_error_of_taxii(taxii: Taxii) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        answer = taxii.ask(path(taxii), method=method)
        refused(answer, 405)
        assert "GET" in answer.headers["Allow"]


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(taxii: Taxii) -> None:
    answer = taxii.ask("/taxii2")
    assert answer.status_code in (301, 308)
    assert answer.headers["Location"].endswith("/taxii2/")


# 5.1, 5.2: collections


def test_collections_are_those_of_ones_organisation(taxii: Taxii) -> None:
    own = envelope(taxii.ask(COLLECTIONS))["collections"]
    assert [each["id"] for each in own] == [str(taxii.own)]
    assert own[0]["can_read"] is own[0]["can_write"] is True
    assert own[0]["media_types"] == ["application/stix+json;version=2.1"]
    assert own[0]["title"]
    assert envelope(taxii.ask(f"{COLLECTIONS}{taxii.own}/")) == own[0]
    shared = envelope(taxii.ask(COLLECTIONS, "police-de"))["collections"]
    assert [(each["id"], each["can_write"]) for each in shared] == [(str(taxii.shared), False)]
    assert envelope(taxii.ask(COLLECTIONS, "customs-nl")) == {}


@pytest.mark.parametrize(
    "rest", ["", "objects/", "manifest/", f"objects/{UNKNOWN}/", f"objects/{UNKNOWN}/versions/"]
)
def test_a_collection_of_another_is_as_one_that_is_not_there(taxii: Taxii, rest: str) -> None:
    other = taxii.ask(f"{COLLECTIONS}{taxii.own}/{rest}", "police-de")
    none = taxii.ask(f"{COLLECTIONS}{uuid4()}/{rest}", "police-de")
    told = [{**refused(each, 404), "error_id": ""} for each in (other, none)]
    assert told[0] == told[1]


def test_a_closed_collection_is_not_there(taxii: Taxii) -> None:
    opened = taxii.open("customs-nl", CollectionKind.SHARED)
    assert taxii.ask(f"{COLLECTIONS}{opened.id}/", "customs-nl").status_code == 200
    with taxii.exchange.app.app_context(), taxii.exchange.database.transaction() as session:
        collections.close(session, taxii.exchange.caller("customs-nl"), opened.id)
    for rest in ("", "objects/", "manifest/"):
        refused(taxii.ask(f"{COLLECTIONS}{opened.id}/{rest}", "customs-nl"), 404)
    assert envelope(taxii.ask(COLLECTIONS, "customs-nl")) == {}


# 3.3, 3.5, 5.4: pages


def test_objects_come_in_the_order_in_which_they_were_added(
    taxii: Taxii, objects: list[Object]
) -> None:
    answer = taxii.objects(taxii.own, type="indicator")
    assert envelope(answer)["more"] is False
    found = ids(answer)
    assert set(found) >= {each["id"] for each in objects}
    assert found.index(objects[0]["id"]) > found.index(objects[6]["id"]), "the amended is newest"
    manifest = envelope(taxii.ask(path(taxii, "manifest/"), query_string={"limit": 1000}))
    dates = [microseconds(each["date_added"]) for each in manifest["objects"]]
    assert None not in dates
    assert all(one < other for one, other in pairwise(filter(None, dates)))


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_by_next_and_pages_by_added_after_bring_everything_once(
    taxii: Taxii, objects: list[Object], limit: int
) -> None:
    whole = ids(taxii.objects(taxii.own, limit=1000), None)
    by_next, by_date = [], []
    token = None
    while True:
        answer = taxii.objects(taxii.own, limit=limit, next=token)
        page = envelope(answer)
        assert len(page["objects"]) <= limit
        by_next += [each["id"] for each in page["objects"]]
        token = page.get("next")
        assert page["more"] is (token is not None)
        if token is None:
            break
    after = None
    while True:
        answer = taxii.objects(taxii.own, limit=limit, added_after=after)
        found = ids(answer, None)
        if not found:
            assert envelope(answer) == {}
            assert LAST not in answer.headers
            break
        by_date += found
        after = answer.headers[LAST]
        assert answer.headers[FIRST] <= after
    assert by_next == by_date == whole
    assert len(set(whole)) == len(whole)


def test_a_clock_of_milliseconds_misses_and_repeats_nothing_between_batches(
    taxii: Taxii, objects: list[Object]
) -> None:
    """OpenCTI and browsers keep a date to the millisecond: each batch ends on a whole one."""
    answer = taxii.objects(taxii.own, limit=1000)
    last = answer.headers[LAST]
    assert last.endswith("000Z")
    assert envelope(taxii.objects(taxii.own, added_after=f"{last[:-4]}Z")) == {}
    new = taxii.party()
    taxii.status(new)
    assert ids(taxii.objects(taxii.own, added_after=f"{last[:-4]}Z")) == [new["id"]]


def test_the_headers_are_the_dates_of_the_page(taxii: Taxii, objects: list[Object]) -> None:
    for rest, name in (("objects/", "objects"), ("manifest/", "objects")):
        answer = taxii.ask(path(taxii, rest), query_string={"limit": 2})
        assert len(envelope(answer)[name]) == 2
        assert answer.headers[FIRST] < answer.headers[LAST]
    manifest = envelope(answer)["objects"]
    assert [manifest[0]["date_added"], manifest[-1]["date_added"]] == [
        answer.headers[FIRST],
        answer.headers[LAST],
    ]


def test_versions_carry_the_dates_too(taxii: Taxii, objects: list[Object]) -> None:
    answer = taxii.ask(path(taxii, f"objects/{objects[0]['id']}/versions/"))
    assert answer.headers[FIRST] < answer.headers[LAST]


def test_a_paging_token_is_good_for_its_own_list_only(taxii: Taxii, objects: list[Object]) -> None:
    token = envelope(taxii.objects(taxii.own, limit=1))["next"]
    again = [ids(taxii.objects(taxii.own, limit=2, next=token), None) for _ in range(2)]
    assert again[0] == again[1]
    other = taxii.open("post-be", CollectionKind.OWN)
    for answer in (
        taxii.objects(taxii.own, next=token, type="indicator"),
        taxii.objects(taxii.own, next=token, version="all"),
        taxii.objects(taxii.own, next=token, added_after="2020-01-01T00:00:00Z"),
        taxii.objects(other.id, next=token),
        taxii.ask(path(taxii, "manifest/"), query_string={"next": token}),
        taxii.objects(taxii.own, next=f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}"),
        taxii.objects(taxii.own, next="' OR 1=1 --"),
        taxii.objects(taxii.own, next="9" * 5000),
    ):
        refused(answer, 400, "invalid-cursor")


def test_manifest_and_versions_are_paged_by_next_too(taxii: Taxii, objects: list[Object]) -> None:
    for rest, name in (
        ("manifest/", "objects"),
        (f"objects/{objects[0]['id']}/versions/", "versions"),
    ):
        whole = envelope(taxii.ask(path(taxii, rest), query_string={"limit": 1000}))[name]
        found, token = [], None
        while True:
            asked = {"limit": 1, **({"next": token} if token else {})}
            page = envelope(taxii.ask(path(taxii, rest), query_string=asked))
            found += page[name]
            token = page.get("next")
            if token is None:
                break
        assert found == whole


# 3.4: filters


def test_objects_are_found_by_id_and_by_type(taxii: Taxii, objects: list[Object]) -> None:
    wanted = [objects[2]["id"], objects[4]["id"]]
    assert set(ids(taxii.objects(taxii.own, id=",".join(wanted)), None)) == set(wanted)
    assert ids(taxii.objects(taxii.own, id=objects[2]["id"], type="sighting"), None) == []
    assert set(ids(taxii.objects(taxii.own, type="indicator", limit=1000), None)) == set(
        ids(taxii.objects(taxii.own, limit=1000))
    )
    for nothing in (f"indicator--{uuid4()}", "nothing", "' OR ''='", "\0", "é"):
        assert envelope(taxii.objects(taxii.own, id=nothing)) == {}
        assert envelope(taxii.objects(taxii.own, type=nothing)) == {}


def test_versions_are_chosen(taxii: Taxii, objects: list[Object]) -> None:
    id_ = objects[0]["id"]

    def versions(version: str | None) -> list[str]:
        answer = taxii.objects(taxii.own, id=id_, version=version)
        return [each["modified"] for each in envelope(answer).get("objects", [])]

    first, last = "2026-11-20T08:00:00.000Z", "2026-11-20T08:01:00.000Z"
    assert versions(None) == versions("last") == [last]
    assert versions("first") == [first]
    assert versions("all") == versions("first,last") == [first, last]
    assert versions("2026-11-20T08:00:00Z") == [first]
    assert versions(f"{first},{last}") == [first, last]
    assert versions("2020-01-01T00:00:00Z") == []


def test_other_versions_of_stix_are_not_here(taxii: Taxii, objects: list[Object]) -> None:
    assert envelope(taxii.objects(taxii.own, spec_version="2.0")) == {}
    assert ids(taxii.objects(taxii.own, spec_version="2.0,2.1"))


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "added_after=x", "match[version]=x",
     "added_after=2026-13-01T00:00:00Z", "match[spec_version]=x", "next=", "match[id]=",
     "match[version]=last&next=x", "added_after=2026-11-20T08:00:00%2B01:00"],
)  # fmt: skip
@pytest.mark.parametrize("rest", ["objects/", "manifest/"])
def test_arguments_that_cannot_be_read_are_named(taxii: Taxii, rest: str, query: str) -> None:
    message = refused(taxii.ask(f"{path(taxii, rest)}?{query}"), 400)
    if message["error_code"] == "invalid-filter":
        assert set(message["details"]) <= {part.partition("=")[0] for part in query.split("&")}


def test_what_is_no_argument_of_taxii_is_overlooked(taxii: Taxii, objects: list[Object]) -> None:
    assert ids(taxii.ask(f"{path(taxii)}?match[colour]=red&page=7&limit=1000"))


@pytest.mark.parametrize("year", ["0001", "1969", "2254", "2256", "9999"])
def test_moments_far_away_are_answered(taxii: Taxii, objects: list[Object], year: str) -> None:
    moment = f"{year}-12-31T23:59:59.999999Z"
    found = ids(taxii.objects(taxii.own, added_after=moment, limit=1000))
    assert bool(found) is (year < "2026")
    assert envelope(taxii.objects(taxii.own, version=moment)) == {}


# 5.3, 5.6, 5.8: manifests, one object, versions


def test_a_manifest_says_of_each_object_what_the_object_says(
    taxii: Taxii, objects: list[Object]
) -> None:
    manifest = envelope(taxii.ask(path(taxii, "manifest/"), query_string={"limit": 1000}))
    page = envelope(taxii.objects(taxii.own, limit=1000))
    told = {each["id"]: each.get("modified", each.get("created")) for each in page["objects"]}
    assert {each["id"]: each["version"] for each in manifest["objects"]} == told
    assert {each["media_type"] for each in manifest["objects"]} == {
        "application/stix+json;version=2.1"
    }


def test_one_object_and_its_versions_are_read_by_its_id(
    taxii: Taxii, objects: list[Object]
) -> None:
    one = f"objects/{objects[0]['id']}/"
    (found,) = envelope(taxii.ask(path(taxii, one)))["objects"]
    assert found["id"] == objects[0]["id"]
    every = envelope(taxii.ask(path(taxii, one), query_string={"match[version]": "all"}))
    versions = envelope(taxii.ask(path(taxii, f"{one}versions/")))["versions"]
    assert versions == [each["modified"] for each in every["objects"]]
    assert len(versions) == 2
    asked = {"match[version]": "2020-01-01T00:00:00Z"}
    assert envelope(taxii.ask(path(taxii, one), query_string=asked)) == {}


@pytest.mark.parametrize("name", [UNKNOWN, "nothing", "indicator--1", "%00", "%C3%A9", "a%27--"])
def test_an_object_that_is_not_there_is_not_found(taxii: Taxii, name: str) -> None:
    for rest in (f"objects/{name}/", f"objects/{name}/versions/"):
        refused(taxii.ask(path(taxii, rest)), 404)
    refused(taxii.ask(path(taxii, f"objects/{name}/"), method="DELETE"), 404)


# 5.5: what cannot be taken at all


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 50_000, 400),
        (b'{"objects": [{"id": NaN}]}', 400),
        (b'{"objects": [{"id": 1, "id": 2}]}', 400),
        (b"[]", 422),
        (b"7", 422),
        (b"{}", 422),
        (b'{"objects": []}', 422),
        (b'{"objects": {"id": 1}}', 422),
        (b'{"objects": [1, 2]}', 422),
        (b'{"objects": [' + b"{}," * 5000 + b"{}]}", 413),
        (b'{"objects": [{"a": "' + b"x" * 8388608 + b'"}]}', 413),
    ],
    ids=lambda each: repr(each[:24]) if isinstance(each, bytes) else str(each),
)
def test_a_body_that_is_no_envelope_is_refused_and_nothing_is_stored(
    taxii: Taxii, body: bytes, status: int
) -> None:
    before = len(taxii.exchange.entries("report.submit"))
    refused(taxii.post(body), status)
    assert len(taxii.exchange.entries("report.submit")) == before


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
_HOSTILE = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@_HOSTILE
@given(data=st.data())
def test_no_object_is_too_strange_to_be_judged(taxii: Taxii, data: st.DataObject) -> None:
    obj = dict(_SOUND.setdefault(id(taxii), taxii.party()))
    places = st.sampled_from([*obj, "revoked", "x_more", "extensions"])
    for place in data.draw(st.lists(places, max_size=3)):
        obj[place] = data.draw(_JSON | st.sampled_from([*obj.values()]))
    other = data.draw(st.dictionaries(st.text(max_size=12), _JSON, max_size=5))
    answer = taxii.add(obj, other)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    status = loaded(answer)
    assert status["total_count"] == status["success_count"] + status["failure_count"] == 2


@_HOSTILE
@given(
    arguments=st.dictionaries(
        st.sampled_from(["limit", "next", "added_after", "match[id]", "match[type]",
                         "match[version]", "match[spec_version]"]),
        st.text(max_size=40) | st.sampled_from(["last", "all", "2.1", "5", "2026-11-20T08:00:00Z"]),
    ),
    rest=st.sampled_from(["objects/", "manifest/", "objects/indicator--x/"]),
)  # fmt: skip
def test_no_address_is_too_strange_to_be_answered(
    taxii: Taxii, arguments: dict[str, str], rest: str
) -> None:
    answer = taxii.ask(path(taxii, rest), query_string=arguments)
    assert answer.status_code in (200, 400, 404), answer.get_data(as_text=True)


_SOUND: dict[int, Object] = {}


# The log: no page leaves unlogged


def test_every_answer_is_in_the_log_an_empty_one_too(taxii: Taxii, objects: list[Object]) -> None:
    def logged(act: str) -> int:
        return len(taxii.exchange.entries(act))

    before = [logged(act) for act in ("exchange.serve", "exchange.manifest", "exchange.versions")]
    taxii.objects(taxii.own, added_after="2199-01-01T00:00:00Z")
    taxii.objects(taxii.own)
    taxii.ask(path(taxii, "manifest/"))
    taxii.ask(path(taxii, f"objects/{objects[0]['id']}/versions/"))
    after = [logged(act) for act in ("exchange.serve", "exchange.manifest", "exchange.versions")]
    assert [one - other for one, other in zip(after, before, strict=True)] == [2, 1, 1]
    answer = taxii.objects(taxii.own)
    assert answer.headers["Postern-Receipt"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_session_of_a_browser_reads_too(taxii: Taxii) -> None:
    browser = taxii.exchange.app.test_client()
    person = make_person(taxii.exchange.app, "post-be", [Role.ANALYST])
    sign_in(browser, person)
    assert browser.get("/taxii2/", headers={"Accept": MEDIA_TYPE}).status_code == 200
    body = {"objects": [taxii.party()]}
    answer = browser.post(
        path(taxii), data=json.dumps(body), content_type=MEDIA_TYPE, headers={"Accept": MEDIA_TYPE}
    )
    refused(answer, 400, "cross-site-request")


def test_the_key_is_for_analysts_of_the_organisation_and_each_has_another(taxii: Taxii) -> None:
    keys = {
        code: loaded(taxii.ask("/api/v1/exchange/key", code, headers={"Accept": "*/*"}))
        for code in ("post-be", "police-de")
    }
    assert {code: each["organisation"] for code, each in keys.items()} == {
        "post-be": "post-be",
        "police-de": "police-de",
    }
    assert keys["post-be"]["key"] != keys["police-de"]["key"]
    assert len(keys["post-be"]["key"]) == 43
    assert taxii.exchange.entries("exchange.key")


def test_two_readers_of_one_indicator_cannot_compare(taxii: Taxii, objects: list[Object]) -> None:
    taxii.status(taxii.object(SOPHIE), taxii.object(JAN))
    taxii.work()
    tokens = [
        {
            each["pattern"]
            for each in envelope(taxii.objects(collection, code, limit=1000))["objects"]
            if each["type"] == "indicator"
        }
        for collection, code in ((taxii.own, "post-be"), (taxii.shared, "police-de"))
    ]
    assert tokens[0]
    assert tokens[1]
    assert not tokens[0] & tokens[1]


def test_no_unexpected_error_was_caused(taxii: Taxii) -> None:
    refusals = [
        entry.details.get("refusal")
        for act in ("exchange.serve", "exchange.manifest", "exchange.versions", "exchange.add")
        for entry in taxii.exchange.entries(act)
    ]
    assert "unexpected-error" not in refusals


def test_the_table_of_conformance_names_tests_that_there_are() -> None:
    root = Path(__file__).parent
    files = {
        "P": root / "test_taxii_protocol.py",
        "A": root / "test_taxii_adding.py",
        "R": root / "test_taxii_arguments.py",
        "N": root / "test_taxii_negotiation.py",
        "V": root / "test_views.py",
        "S": root / "test_shared_patterns.py",
        "I": root / "test_pattern_imports.py",
        "E": root.parent.parent / "functional" / "test_exchanged_patterns.py",
        "F": root.parent.parent / "functional" / "test_taxii.py",
        "M": root.parent.parent / "functional" / "test_mutual_tls.py",
    }
    page = (root.parent.parent.parent / "docs" / "taxii.md").read_text()
    rows = re.findall(
        r"^\| [^|]+ \| [^|]+ \| (.+) \|$", page.partition("## Conformance")[2], re.MULTILINE
    )
    named = [re.fullmatch(r"([PARNVSIEFM]) `(test_\w+)`", each) for each in rows[1:]]
    assert len(named) > 70
    for found in named:
        assert found
        assert f"def {found[2]}(" in files[found[1]].read_text(), found[0]
