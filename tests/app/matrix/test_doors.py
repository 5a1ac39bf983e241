"""The same records through every door: each shows what the reference allows there, and no more.

Here requests leave their traces: the notifications of owners and the reader's own log are doors
too. The reference is Cedar, asked about one record and one action at a time.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.audit.reading import Filters, entries
from app.jobs.models import Notification
from app.organisations import service as organisations
from app.patterns import losses, telling
from app.patterns.models import SharedPattern
from app.sharing.seats import Seat
from postern.base64url import from_base64url, to_base64url
from postern.token_tags import TAG_SIZE, tag
from postern.token_tags import records as records_of
from postern.vocabulary import (
    LegalBasis,
    Purpose,
    Role,
    Scope,
)
from tests.app.matrix.asking import lookup_of, query_of
from tests.app.matrix.cells import PERSONS, records
from tests.app.matrix.door_asking import (
    log_of,
    member,
    page_of,
    pattern_rulings,
    patterns_of_owners,
    subscribed_to_all,
)
from tests.app.matrix.expectations import Means, Named, Relation, State
from tests.app.matrix.stage import (
    GROUNDS,
    MEMBERS,
    OWNERS,
    POLICIES,
    READER,
    RECORD,
    Sent,
    Stage,
)
from tests.app.people import bearer, sign_in
from tests.app.sharing.ground import fitting
from tests.app.sharing.reference import NOTHING, Expected, reference_ruling

LEVELS = ("", "presence", "metadata", "request")
Key = tuple[Relation, State]
KEYS: list[Key] = [
    (record.relation, record.state)
    for record in records(Named.INDICATOR)
    if record.relation
    and record.state
    and record.relation is not Relation.READER_SUSPENDED
    and record.state is not State.NEVER
]
OTHERS = [key for key in KEYS if key[0] is not Relation.OWN]
OPEN_OWNERS = {
    relation: code for relation, code in OWNERS.items() if relation is not Relation.OWNER_SUSPENDED
}


@dataclass
class Doors:
    """The reader's analyst at the doors, each opened once; records by relation and state."""

    stage: Stage
    rulings: Mapping[Key, Expected]

    def get(self, path: str, **arguments: Any) -> TestResponse:
        key = READER, Role.ANALYST, Means.TOKEN, Scope.INDICATORS_READ
        headers = self.stage.headers[key]
        wanted = {**GROUNDS, **arguments}
        given = {name: each for name, each in wanted.items() if each is not None}
        return self.stage.client.get(
            f"/api/v1/indicators{path}", query_string=given, headers=headers
        )

    def keys(self, indicators: Iterator[str] | list[str]) -> list[Key]:
        """Which records these ids are."""
        return [self._by_id[each] for each in indicators]

    def subject(self, key: Key) -> str:
        """By what the reader may know a record that it was told of: at presence by its owner."""
        is_above = self.rulings[key].level > 1
        return str(self.stage.sent[key].indicator) if is_above else MEMBERS[key[0]]

    def may(self, least: int, *, in_bulk: bool = False) -> set[Key]:
        """What the reference lets the reader have of others."""
        return {
            key
            for key in OTHERS
            if self.rulings[key].level >= least and (self.rulings[key].may_feed or not in_bulk)
        }

    def hidden_in(self, text: str) -> list[Key]:
        """The records of others below metadata that the text names, or whose reports it names."""
        return [
            key
            for key in OTHERS
            if key not in self.may(2)
            and any(
                str(each) in text
                for each in (self.stage.sent[key].indicator, self.stage.sent[key].report)
            )
        ]

    @cached_property
    def _by_id(self) -> dict[str, Key]:
        return {str(self.stage.sent[key].indicator): key for key in KEYS}

    @cached_property
    def looked_up(self) -> dict[str, Any]:
        """The answer to one lookup of everything."""
        queries = [
            query_of(self.stage.sent[key].thing, f"q{place}") for place, key in enumerate(KEYS)
        ]
        headers = self.stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.LOOKUPS_WRITE]
        answer = self.stage.client.post(
            "/api/v1/lookups", json=lookup_of(*queries), headers=headers
        )
        assert answer.status_code == 200, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        return found

    @cached_property
    def listed(self) -> list[Key]:
        """All pages of the list, one to a page."""
        found, cursor = [], None
        while True:
            page = self.get("", limit=1, cursor=cursor).get_json()
            found += [each["indicator"]["id"] for each in page["indicators"]]
            cursor = page["next"]
            if cursor is None:
                return self.keys(found)

    @cached_property
    def read(self) -> dict[Key, TestResponse]:
        """Each record by its id."""
        return {key: self.get(f"/{self.stage.sent[key].indicator}") for key in KEYS}

    @cached_property
    def exported(self) -> dict[str, TestResponse]:
        return {form: self.get("/export", format=form) for form in ("csv", "ndjson")}


@pytest.fixture(scope="module")
def doors(stage: Stage) -> Doors:
    made = Doors(stage, {key: ruling(stage, key) for key in KEYS})
    assert made.looked_up
    assert made.listed
    assert made.exported
    assert made.read
    return made


def ruling(stage: Stage, key: Key) -> Expected:
    """What the reference says; of what has ended or is yet to be seen nobody gets anything."""
    relation, state = key
    if state is not State.LIVE or relation is Relation.OWNER_SUSPENDED:
        return NOTHING
    reader, owner = member(stage, READER), member(stage, MEMBERS[relation])
    purpose, basis = Purpose(GROUNDS["purpose"]), LegalBasis(GROUNDS["legal_basis"])
    sent = stage.sent[key]
    return reference_ruling(
        Seat(reader, Role.ANALYST, purpose, basis),
        owner,
        POLICIES.get(relation, ""),
        fitting(sent.thing, RECORD),
        sent.age,
    )


def test_the_reference_tells_the_relations_apart(doors: Doors) -> None:
    told = {
        relation: doors.rulings[relation, State.LIVE]
        for relation in MEMBERS
        if (relation, State.LIVE) in doors.rulings
    }
    assert told == {
        Relation.OWN: Expected(3, True, True, True),
        Relation.NOTHING: NOTHING,
        Relation.PRESENCE: Expected(1, True),
        Relation.METADATA: Expected(2, True),
        Relation.REQUEST: Expected(3, True, True),
        Relation.FEED: Expected(2, True, False, True),
        Relation.OWNER_ONLY: Expected(0, True),
        Relation.REQUESTER_ONLY: Expected(2, False, False, True),
        Relation.OWNER_SUSPENDED: NOTHING,
        Relation.READER_LEFT: NOTHING,
    }


def test_a_lookup_answers_at_the_level_of_the_reference(doors: Doors) -> None:
    for key, result in zip(KEYS, doors.looked_up["results"], strict=True):
        level = LEVELS[doors.rulings[key].level]
        assert [hit["level"] for hit in result["hits"]] == ([level] if level else []), key
        assert not result["more"]
        for hit in result["hits"]:
            assert hit["organisation"]["code"] == MEMBERS[key[0]]
            shown = hit["indicator"] and hit["indicator"]["id"]
            is_above = doors.rulings[key].level > 1
            assert shown == (str(doors.stage.sent[key].indicator) if is_above else None), key


def test_lists_and_files_hold_what_may_leave_in_bulk(doors: Doors) -> None:
    allowed = doors.may(2, in_bulk=True)
    assert len(allowed) == 2
    assert len(doors.listed) == len(set(doors.listed))
    assert set(doors.listed) == allowed
    rows = csv.DictReader(io.StringIO(doors.exported["csv"].get_data(as_text=True)))
    assert doors.keys([row["id"] for row in rows]) == doors.listed
    lines = doors.exported["ndjson"].get_data(as_text=True).splitlines()
    assert doors.keys([json.loads(each)["indicator"]["id"] for each in lines]) == doors.listed


def test_a_search_finds_what_the_list_holds_of_it(doors: Doors) -> None:
    for relation, code in OWNERS.items():
        page = doors.get("", owner=code).get_json()
        found = doors.keys([each["indicator"]["id"] for each in page["indicators"]])
        assert found == [key for key in doors.listed if key[0] is relation]
    for wanted, is_found in (("phone", True), ("email", False)):
        page = doors.get("", kind=wanted).get_json()
        found = doors.keys([each["indicator"]["id"] for each in page["indicators"]])
        assert found == (doors.listed if is_found else [])


def test_a_count_is_the_length_of_its_list(doors: Doors) -> None:
    counted = doors.get("/counts").get_json()
    assert counted["indicators"] == len(doors.listed)
    assert {each["organisation"]: each["indicators"] for each in counted["counts"]} == {
        MEMBERS[relation]: 1 for relation, _ in doors.listed
    }
    for relation, code in OWNERS.items():
        of_owner = doors.get("/counts", owner=code).get_json()["indicators"]
        assert of_owner == sum(key[0] is relation for key in doors.listed)


def test_one_is_read_from_metadata_on(doors: Doors) -> None:
    read = {key for key, answer in doors.read.items() if answer.status_code == 200}
    assert read == doors.may(2) | {(Relation.OWN, State.LIVE)}
    assert set(doors.listed) <= read
    for key in read:
        told = doors.read[key].get_json()
        assert told["level"] == LEVELS[doors.rulings[key].level]
        assert told["organisation"]["code"] == MEMBERS[key[0]]
        assert told["report"]["id"] == str(doors.stage.sent[key].report)
    asked = {
        key: doors.get(f"/{doors.stage.sent[key].indicator}/onward", to=OWNERS[Relation.NOTHING])
        for key in KEYS
    }
    assert {key for key, answer in asked.items() if answer.status_code == 200} == read


def test_each_owner_is_told_what_the_reference_says_and_nobody_else(doors: Doors) -> None:
    tells = {key for key in OTHERS if doors.rulings[key].tells_owner}
    demanded = {
        "indicator.match": tells & doors.may(1),
        "indicator.alert": tells - doors.may(1),
        "indicator.shared": tells & doors.may(2),
    }
    assert all(demanded.values())
    for relation, code in {**OPEN_OWNERS, Relation.OWN: READER}.items():
        for act, told_of in demanded.items():
            entries = log_of(doors.stage, code, act)
            named = {each for entry in entries for each in entry["details"]["objects"]}
            assert set(doors.keys(sorted(named))) == {key for key in told_of if key[0] is relation}
            for entry in entries:
                assert entry["details"]["viewer"] == READER
                assert not {"actor", "case"} & entry["details"].keys()
    assert log_of_suspended(doors.stage) == 0


def test_what_an_owner_is_told_of_a_list_is_what_left_in_it(doors: Doors) -> None:
    told: dict[str, set[Key]] = {}
    for code in OPEN_OWNERS.values():
        for entry in log_of(doors.stage, code, "indicator.shared"):
            by = entry["details"]["by"]
            told.setdefault(by, set()).update(doors.keys(entry["details"]["objects"]))
    tells = {key for key in OTHERS if doors.rulings[key].tells_owner}
    assert told["indicator.list"] == told["indicator.export"] == tells & set(doors.listed)
    assert told["indicator.read"] == tells & doors.may(2)


def test_the_reader_s_own_log_names_what_it_got_and_no_more(doors: Doors) -> None:
    for act, allowed in (
        ("indicator.list", doors.may(2, in_bulk=True)),
        ("indicator.export", doors.may(2, in_bulk=True)),
        ("indicator.read", doors.may(2) | {(Relation.OWN, State.LIVE)}),
        ("indicator.onward", doors.may(2) | {(Relation.OWN, State.LIVE)}),
    ):
        entries = [each["details"] for each in log_of(doors.stage, READER, act, outcome="ok")]
        named = {each for entry in entries for each in entry.get("objects", ())}
        assert set(doors.keys(sorted(named))) == allowed, act
    for entry in log_of(doors.stage, READER, "indicator.count"):
        assert "objects" not in entry["details"]
    (asked,) = [
        entry
        for entry in log_of(doors.stage, READER, "lookup.ask")
        if entry["details"]["objects"][0] == doors.looked_up["lookup"]
    ]
    known = set(doors.keys(sorted(asked["details"]["objects"][1:])))
    assert known == doors.may(2) | {(Relation.OWN, State.LIVE)}  # a presence names no record
    shown = doors.may(1) | {(Relation.OWN, State.LIVE)}
    assert asked["details"]["hits"] == len(shown)
    whose = {MEMBERS[relation] for relation, _ in doors.may(2)}
    assert {each.split("/")[0] for each in asked["details"]["policies"]} == whose | {"platform"}
    results = [
        [doors.subject(key), LEVELS[doors.rulings[key].level]] for key in KEYS if key in shown
    ]
    digest = hashlib.sha256(json.dumps(results, separators=(",", ":")).encode()).digest()
    assert asked["record"]["rh"] == to_base64url(digest)
    # A refused entry names what the reader itself asked for, be there such a record or not.
    assert doors.hidden_in(json.dumps(log_of(doors.stage, READER, outcome="ok"))) == []
    assert doors.hidden_in(json.dumps(log_of(doors.stage, READER, outcome="denied"))) == []


def test_no_page_of_the_reader_names_what_it_may_not_see(doors: Doors) -> None:
    pages = [page_of(doors.stage, READER, role, "/") for role in PERSONS]
    pages.append(page_of(doors.stage, READER, Role.COMPLIANCE, "/access-log?limit=200&outcome=ok"))
    for page in pages:
        assert doors.hidden_in(page) == []
    own = doors.stage.sent[Relation.OWN, State.LIVE].report
    assert any(str(own) in page for page in pages)


def test_the_explanation_explains_the_hits_of_the_answer(doors: Doors) -> None:
    headers = doors.stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.LOOKUPS_WRITE]
    address = f"/api/v1/lookups/{doors.looked_up['lookup']}/explanation"
    explained = doors.stage.client.get(address, headers=headers).get_json()["hits"]
    answered = [
        (place, hit["organisation"], hit["level"], hit["band"], (hit["indicator"] or {}).get("id"))
        for place, result in enumerate(doors.looked_up["results"])
        for hit in result["hits"]
    ]
    assert answered == [
        (hit["query"], hit["organisation"], hit["level"], hit["band"], hit["indicator"])
        for hit in explained
    ]


def test_figures_count_what_was_answered(doors: Doors) -> None:
    hits = sum(len(result["hits"]) for result in doors.looked_up["results"])
    headers = doors.stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.LOOKUPS_WRITE]
    page = doors.stage.client.get("/api/v1/lookups?limit=200", headers=headers).get_json()
    (own,) = [each for each in page["lookups"] if each["id"] == doors.looked_up["lookup"]]
    assert (own["queries"], own["hits"]) == (len(KEYS), hits)
    home = page_of(doors.stage, READER, Role.ANALYST, "/")
    total = sum(each["hits"] for each in page["lookups"])
    assert re.search(rf">\s*{total}\s*<", home)


def test_reports_are_their_owner_s_alone(doors: Doors) -> None:
    for relation, code in {**OPEN_OWNERS, Relation.OWN: READER}.items():
        headers = bearer(doors.stage.app, doors.stage.writers[code], [Scope.REPORTS_READ])
        page = doors.stage.client.get("/api/v1/reports?limit=100", headers=headers).get_json()
        of_owner = {key: doors.stage.sent[key] for key in KEYS if key[0] is relation}
        assert {each["id"] for each in page["reports"]} == {
            str(sent.report) for sent in of_owner.values()
        }
        shown = {each["id"] for report in page["reports"] for each in report["indicators"]}
        assert doors.keys(sorted(shown)) == [(relation, State.LIVE)]


def test_the_audience_that_an_owner_is_told_of_is_who_gets_it(doors: Doors) -> None:
    for relation, code in OPEN_OWNERS.items():
        expected = doors.rulings[relation, State.LIVE]
        found = audience_of(doors.stage, code, doors.stage.sent[relation, State.LIVE])
        level = LEVELS[expected.level] or None
        got = [(level, expected.may_screen, expected.may_feed)] if expected != NOTHING else []
        assert found == got, relation


def test_a_filter_holds_the_tags_of_what_may_be_screened_and_no_other(doors: Doors) -> None:
    stage, screened = doors.stage, {key for key in OTHERS if doors.rulings[key].may_screen}
    assert screened
    client = stage.client
    headers = stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.SCREENING_RUN]
    made = client.post("/api/v1/filters", json=GROUNDS, headers=headers).get_json()
    content = b"".join(
        client.get(f"/api/v1/filters/{made['id']}/content?part={part + 1}", headers=headers).data
        for part in range(made["parts"])
    )
    salt = from_base64url(made["header"]["document"]["salt"])
    tags = {record[:TAG_SIZE] for record in records_of(content)}
    held = {key for key in KEYS if tag(salt, stage.sent[key].thing.token) in tags}
    assert held == screened | {(Relation.OWN, State.LIVE)}
    assert len(tags) == len(held)
    told = screened & {key for key in OTHERS if doors.rulings[key].tells_owner}
    for relation, code in OPEN_OWNERS.items():
        entries = [
            (each["record"]["n"], each["details"]["viewer"])
            for each in log_of(stage, code, "filter.shared")
        ]
        number = sum(key[0] is relation for key in told)
        assert set(entries) == ({(number, READER)} if number else set()), relation


@dataclass
class Patterns:
    """The owners' patterns, and whose the reference lets the reader know of and screen with."""

    stage: Stage
    ids: Mapping[Relation, UUID]
    rulings: Mapping[Relation, Expected]

    @property
    def screened(self) -> set[Relation]:
        return {each for each, one in self.rulings.items() if one.level > 1 and one.may_screen}

    @property
    def known(self) -> set[Relation]:
        fed = {each for each, one in self.rulings.items() if one.level > 1 and one.may_feed}
        return self.screened | fed

    @property
    def by_id(self) -> dict[str, Relation]:
        return {str(public_id): relation for relation, public_id in self.ids.items()}

    def get(self, path: str, **more: Any) -> TestResponse:
        headers = self.stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.PATTERNS_READ]
        given = {**GROUNDS, **{name: each for name, each in more.items() if each is not None}}
        address = f"/api/v1/patterns{path}"
        return self.stage.client.get(address, query_string=given, headers=headers)

    def put(self, path: str) -> int:
        headers = self.stage.headers[READER, Role.ANALYST, Means.TOKEN, Scope.PATTERNS_WRITE]
        why = {name: GROUNDS[name] for name in ("purpose", "legal_basis")}
        address = f"/api/v1/patterns{path}"
        return self.stage.client.put(address, json=why, headers=headers).status_code


@pytest.fixture
def patterns(stage: Stage) -> Patterns:
    made = Patterns(stage, patterns_of_owners(stage), pattern_rulings(stage))
    assert made.screened
    assert made.known - made.screened
    return made


def test_patterns_are_listed_read_and_counted_as_the_reference_says(patterns: Patterns) -> None:
    own, known, screened = {Relation.OWN}, patterns.known, patterns.screened
    listed: list[dict[str, Any]] = []
    cursor = None
    while True:  # all pages, one to a page
        page = patterns.get("", limit=1, cursor=cursor).get_json()
        listed += [each for each in page["patterns"] if each["id"] in patterns.by_id]
        cursor = page["next"]
        if cursor is None:
            break
    found = [patterns.by_id[each["id"]] for each in listed]
    assert found == sorted(own | known, key=lambda one: patterns.ids[one], reverse=True)
    with_rule = {patterns.by_id[each["id"]] for each in listed if each["may_screen"]}
    assert with_rule == own | screened
    for path, allowed in (("", known), ("/figures", known), ("/versions/1", screened)):
        answers = {each: patterns.get(f"/{it}{path}") for each, it in patterns.ids.items()}
        read = {each for each, answer in answers.items() if answer.status_code == 200}
        assert read == own | allowed, path
        if not path:
            told = {each for each in read if answers[each].get_json()["text"] is not None}
            assert told == own | screened
    hidden = [str(it) for each, it in patterns.ids.items() if each not in own | known]
    assert len(hidden) > 3
    for text in (
        json.dumps(log_of(patterns.stage, READER, outcome="ok")),
        page_of(patterns.stage, READER, Role.ANALYST, "/patterns"),
        page_of(patterns.stage, READER, Role.ANALYST, "/"),
    ):
        assert not [each for each in hidden if each in text]


def test_subscribers_get_and_are_told_what_the_reference_says(patterns: Patterns) -> None:
    own, screened, stage = {Relation.OWN}, patterns.screened, patterns.stage
    lost = OWNERS.keys() - screened
    with subscribed_to_all(stage):
        fetched = patterns.get("/subscribed").get_json()
        made = {each: patterns.put(f"/{it}/subscription") for each, it in patterns.ids.items()}
        with stage.transaction() as session:
            rows = session.execute(select(SharedPattern.id, SharedPattern.public_id)).all()
            for key, public_id in rows:
                if str(public_id) in patterns.by_id:
                    change = {"pattern": key, "kind": telling.DEPRECATED, "version": 1}
                    telling.tell(session, change)
            losses.look(session)
    assert {patterns.by_id[each["id"]] for each in fetched["documents"]} == own | screened
    assert {patterns.by_id[each] for each in fetched["withdrawn"]} == lost
    # Of what it had once it keeps the name that it knew, and learns that it is shared no more.
    gone = {patterns.by_id[each["id"]]: each["is_known"] for each in fetched["no_longer_shared"]}
    assert gone == {each: each in patterns.known for each in lost}
    assert {each for each, status in made.items() if status == 204} == own | screened
    told: dict[str, set[Relation]] = {telling.DEPRECATED: set(), telling.UNSHARED: set()}
    with stage.transaction() as session:
        reader, _ = organisations.find(session, READER)
        of_reader = Notification.organisation_id == reader, Notification.kind.in_(told)
        for each in session.scalars(select(Notification).where(*of_reader)):
            told[each.kind].add(patterns.by_id[each.facts["pattern"]])
    assert told == {telling.DEPRECATED: screened, telling.UNSHARED: lost}


def test_owners_of_patterns_are_told_what_the_reference_says(patterns: Patterns) -> None:
    for public_id in patterns.ids.values():
        patterns.get(f"/{public_id}")
    for relation, code in OPEN_OWNERS.items():
        entries = log_of(patterns.stage, code, "pattern.shared")
        by_reader = [each["details"] for each in entries if each["details"]["viewer"] == READER]
        named = {patterns.by_id[each] for details in by_reader for each in details["objects"]}
        is_told = relation in patterns.screened and patterns.rulings[relation].tells_owner
        assert named == ({relation} if is_told else set())


def audience_of(stage: Stage, code: str, sent: Sent) -> list[tuple[Any, ...]]:
    """What the reader gets of the record for its purpose, as its owner reads it."""
    client = stage.app.test_client()
    headers = sign_in(client, stage.writers[code])
    address = f"/api/v1/indicators/{sent.indicator}/audience"
    told = client.get(address, headers=headers).get_json()
    return [
        (access["level"], access["may_screen"], access["may_feed"])
        for each in told["in_force"]["audiences"]
        if READER in [one["code"] for one in each["organisations"]]
        and GROUNDS["purpose"] in each["purposes"]
        and (not each["bases"] or GROUNDS["legal_basis"] in each["bases"])
        for access in [each["periods"][0]["access"]]
    ]


def log_of_suspended(stage: Stage) -> int:
    """How many notifications lie there for the suspended owner, who cannot read them now."""
    acts = ("indicator.match", "indicator.alert", "indicator.shared")
    with stage.database.reading() as session:
        return sum(
            len(entries(session, OWNERS[Relation.OWNER_SUSPENDED], Filters(act=act)).entries)
            for act in acts
        )
