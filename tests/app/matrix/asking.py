"""One cell as a request: the address of its record, its sender, and a body that would be accepted.

A route that takes a body, a form or arguments has its row in SENT.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.exchange.negotiation import MEDIA_TYPE
from app.origin import REQUEST_ID
from postern import group
from postern.base64url import to_base64url
from postern.tlog.notes import KIND_COSIGNATURE, SigningKey
from postern.vocabulary import Scope
from tests.app.matrix.barrier_stage import model_text
from tests.app.matrix.cells import Cell, routes
from tests.app.matrix.ending_stage import LAST_DAY
from tests.app.matrix.expectations import (
    EXPECTED,
    Caller,
    Means,
    Named,
    Record,
    Relation,
    State,
)
from tests.app.matrix.filter_stage import OLDER
from tests.app.matrix.keys_stage import sealed_file
from tests.app.matrix.pattern_stage import revision_in
from tests.app.matrix.stage import (
    GROUNDS,
    HOMES,
    KEEPER,
    NEVER,
    OWNERS,
    READER,
    SUSPENDED,
    Stage,
)
from tests.app.matrix.watch_stage import watch_of
from tests.app.people import Person
from tests.app.sealing import wire as wire_keys
from tests.app.sharing.ground import NOON, Thing, fitting, wire
from tests.app.sharing.world import PLAIN

Sending = dict[str, Any]

_MACHINE = ("/api/", "/.well-known/", "/audit/log/", "/taxii2/", "/misp/", "/stix/")

_EVERYBODYS: Mapping[Named, tuple[Any, Any]] = {
    Named.ERROR: ("not-found", "no-such-error"),
    Named.TEMPLATE: ("postal-parcel", "person"),
    Named.SCHEMA: ("postal-indicator", "no-such-schema"),
    Named.MEMBER: (KEEPER, "nobody"),
    Named.STEP: (1, 13),
    Named.TILE: ("entries/000.p/1", "0/x999/999"),
    Named.EVALUATION: ({"kind": "phone", "epoch": 1}, {"kind": "nothing", "epoch": 1}),
}
"""What names a thing that belongs to nobody: one that is there, and one that is not."""


SAME_ID = MappingProxyType({REQUEST_ID: "5a" * 16})
"""One id for every request, as if a trusted proxy gave it: answers can be compared whole."""

_WHY_SHARED = {"grounds": "{purpose} {legal_basis}".format(**GROUNDS), "case": "PV-2024-17"}
"""As the form of what others share sends it."""


class Asker:
    """Sends the cells of one stage; `more` is what a proxy tells with every request."""

    def __init__(self, stage: Stage, more: Mapping[str, str] = MappingProxyType({})) -> None:
        self.stage = stage
        self._more = more
        self._rules = routes(stage.app)
        self._adapter = stage.app.url_map.bind("localhost")

    def rule(self, endpoint: str, method: str) -> Rule:
        return self._rules[endpoint, method]

    def is_page(self, endpoint: str, method: str) -> bool:
        return not self.rule(endpoint, method).rule.startswith(_MACHINE)

    def path(self, cell: Cell) -> str:
        """The address, with what names the record."""
        names = self.rule(cell.endpoint, cell.method).arguments
        found = self.value(cell) if names else None
        given = found if isinstance(found, dict) else dict.fromkeys(names, found)
        values = {name: given[name] for name in names}
        return self._adapter.build(cell.endpoint, values, method=cell.method)

    def value(self, cell: Cell) -> Any:
        """What names the record; of an address with several names a mapping."""
        named = EXPECTED[cell.endpoint, cell.method].names
        is_live = cell.record.state is State.LIVE
        if named in _EVERYBODYS:
            live, never = _EVERYBODYS[named]
            return live if is_live else never
        if named is Named.CHECKPOINT:
            return self.stage.checkpoint if is_live else 2**40
        relation, state = cell.record.relation, cell.record.state
        assert relation, f"{cell}: its path names a record"
        assert state, f"{cell}: its path names a record"
        return self.stage.path_value(named, relation, state, self.person(cell))

    def person(self, cell: Cell) -> Person:
        return self.stage.people[home(cell), cell.caller.role]

    def sending(self, cell: Cell) -> Sending:
        """Body, form and arguments, as a test client takes them."""
        make = SENT.get(cell.endpoint)
        made = make(self.stage, cell) if make else {}
        if cell.endpoint in NAMED_IN_QUERY:
            made["query_string"] = {NAMED_IN_QUERY[cell.endpoint]: str(self.value(cell))}
        return made

    def send(
        self,
        cell: Cell,
        *,
        path: str | None = None,
        sending: Sending | None = None,
        verb: str | None = None,
    ) -> TestResponse:
        """The answer to the cell's request, or to one that is changed in something."""
        sending = self.sending(cell) if sending is None else sending
        is_page = self.is_page(cell.endpoint, cell.method)
        headers = {"Accept": "text/html" if is_page else "application/json"}
        headers |= {**self._headers(cell), **sending.pop("headers", {})}
        return self.stage.client.open(
            path or self.path(cell),
            method=verb or cell.method,
            headers=headers,
            environ_overrides=dict(self._more),
            **sending,
        )

    def _headers(self, cell: Cell) -> dict[str, str]:
        caller = cell.caller
        if caller.means is Means.NONE:
            return self.stage.headers[READER, None, Means.NONE, None]
        return self.stage.headers[home(cell), caller.role, caller.means, caller.scope]


def home(cell: Cell) -> str:
    """The organisation whose person asks: the one that has such records."""
    if cell.caller.is_suspended:
        return SUSPENDED
    is_of_keeper = EXPECTED[cell.endpoint, cell.method].names is Named.VERSION
    return KEEPER if is_of_keeper else READER


def query_of(thing: Thing, name: str = "q1") -> dict[str, Any]:
    """A value as a query of a lookup on the wire."""
    tokens = [{"facet": thing.facet, "token": to_base64url(thing.token)}]
    return {"id": name, "kind": thing.kind.value, "epoch": 1, "tokens": tokens}


def lookup_of(*queries: dict[str, Any]) -> dict[str, Any]:
    """A lookup on the wire."""
    return {**GROUNDS, "queries": list(queries)}


def _revision(stage: Stage, record: Record) -> int:
    """The one that the draft has; one that it could have when there is no draft."""
    assert record.relation
    assert record.state
    draft = stage.drafts.get((record.relation, record.state))
    return draft.revision if draft else 1


def _json(**body: Any) -> Callable[[Stage, Cell], Sending]:
    return lambda _stage, _cell: {"json": body}


def _correction() -> dict[str, str]:
    """All that the form of an indicator sends."""
    later = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    return {
        "source_grade": "B",
        "information_grade": "2",
        "assertion": "fact",
        "subject_category": "unknown",
        "tlp": "GREEN",
        "permitted_action": "know",
        "review_on": later,
        "expires_on": later,
        "why": "wrong_data",
    }


def _form(**fields: Any) -> Callable[[Stage, Cell], Sending]:
    return lambda _stage, _cell: {"data": fields}


def _draft_json(**body: Any) -> Callable[[Stage, Cell], Sending]:
    return lambda stage, cell: {"json": {**body, "revision": _revision(stage, cell.record)}}


def _draft_form(**fields: Any) -> Callable[[Stage, Cell], Sending]:
    return lambda stage, cell: {"data": {**fields, "revision": _revision(stage, cell.record)}}


def _pattern_draft(**body: Any) -> Callable[[Stage, Cell], Sending]:
    """With the revision that the draft has; of a draft that can be proposed, its text is sound."""
    return lambda _stage, cell: {"json": {**body, "revision": revision_in(cell.record.state)}}


def _grounds(**arguments: Any) -> Callable[[Stage, Cell], Sending]:
    return lambda _stage, _cell: {"query_string": {**GROUNDS, **arguments}}


def _evaluate(_stage: Stage, _cell: Cell) -> Sending:
    why = {name: GROUNDS[name] for name in ("purpose", "case")}
    elements = [to_base64url(group.GENERATOR)]
    return {"json": {"kind": "phone", "epoch": 1, "elements": elements, **why}}


def _pattern_form(**fields: Any) -> Callable[[Stage, Cell], Sending]:
    """The same as the page's form sends it."""
    return lambda _stage, cell: {"data": {**fields, "revision": revision_in(cell.record.state)}}


def _evaluate_in_bulk(_stage: Stage, _cell: Cell) -> Sending:
    why = {name: GROUNDS[name] for name in ("purpose", "case")}
    octets = {"data": group.GENERATOR, "content_type": "application/octet-stream"}
    return {"query_string": why, **octets}


def _submit(stage: Stage, _cell: Cell) -> Sending:
    thing = stage.sent[Relation.OWN, State.LIVE].thing
    return {"json": {"reports": [wire("new", thing, fitting(thing, PLAIN), NOON)]}}


def _file(stage: Stage, cell: Cell) -> Sending:
    """A second file, sealed for the report that the path names."""
    assert cell.record.state
    raw = sealed_file(stage.keys[READER], cell.record.state.name, 2)
    octets = {"data": raw, "content_type": "application/octet-stream"}
    return {"query_string": {"number": 2}, **octets}


def _hold(stage: Stage, _cell: Cell) -> Sending:
    """The form, for the asking organisation's own report."""
    report = stage.sent[Relation.OWN, State.LIVE].report
    return {"data": {"report": str(report), **_HOLD}}


def _own_keys(stage: Stage, _cell: Cell) -> Sending:
    return {"json": {"entries": wire_keys(stage.keys[READER])}}


def _outcome(stage: Stage) -> dict[str, str]:
    """Of the asking organisation's own indicator."""
    steps = dict.fromkeys(("asked", "located", "held", "examined"), "no")
    indicator = str(stage.sent[Relation.OWN, State.LIVE].indicator)
    return {"indicator": indicator, "case": "PV-2024-17", "result": "not_found", **steps}


def _lookup(stage: Stage, _cell: Cell) -> Sending:
    return {"json": lookup_of(query_of(stage.sent[Relation.FEED, State.LIVE].thing))}


def _new_password(stage: Stage, cell: Cell) -> Sending:
    code = SUSPENDED if cell.caller.is_suspended else HOMES[0]
    present = stage.people[code, cell.caller.role].password
    return {"data": {"present": present, "new": "a longer phrase than before 17"}}


def _own_scopes(as_form: bool) -> Callable[[Stage, Cell], Sending]:
    """A token of no scope that the role allows is refused, so each role asks for one of its own."""

    def made(_stage: Stage, cell: Cell) -> Sending:
        return {"data" if as_form else "json": {"scopes": scopes_to_ask(cell.caller), "days": 5}}

    return made


def _new_witness() -> str:
    key = SigningKey("police.example/witness", os.urandom(32), KIND_COSIGNATURE)
    return str(key.verifier)


def scopes_to_ask(caller: Caller) -> list[str]:
    of_role = {
        "submitter": Scope.REPORTS_WRITE,
        "analyst": Scope.LOOKUPS_WRITE,
        "approver": Scope.REPORTS_READ,
        "compliance": Scope.AUDIT_READ,
    }
    return [of_role.get(caller.role or "", Scope.EVALUATE).value]


_NEW_TEXT = (
    '@id("a/new") @label("New") permit (principal, action == Action::"presence", resource) '
    'when { principal.sector == Sector::"customs" };'
)


def _taxii(**sending: Any) -> Callable[[Stage, Cell], Sending]:
    return lambda _stage, _cell: {"headers": {"Accept": MEDIA_TYPE}, **sending}


_MESSAGE = {"message": "bm9uZQ", "record": f"ask/{'r' * 22}"}
_HOLD = {"reason": "proceedings", "until": str(LAST_DAY), "case": "K-1"}

_NOON_DAY = NOON.date().isoformat()

NAMED_IN_QUERY = {"sharing.audience": "indicator"}
"""Which argument names the record where the path does not."""

SENT: dict[str, Callable[[Stage, Cell], Sending]] = {
    "account.create_token": _own_scopes(as_form=False),
    "accounts.create_token": _own_scopes(as_form=True),
    "account.rotate_token": lambda *_: {"json": {"overlap_hours": 1}},
    "accounts.change_password": _new_password,
    "accounts.sign_on.propose": _form(
        issuer="https://entry.example",
        client_id="postern",
        secret="a secret",
        role_claim="groups",
        roles="desk = analyst",
    ),
    "accounts.security.rename": _form(name="The key at the desk"),
    "accounts.sign_in": _form(login="nobody", password="nothing"),
    "envelopes.attach": _file,
    "organisations.publish_keys": _own_keys,
    "organisations.report_swap": _json(number=9, pinned="", offered=""),
    "organisations.change_contact": _json(desk="Duty desk", phone="+32 2 000 00 00"),
    "organisation_pages.change_contact": _form(desk="Duty desk", mail="desk@police.example"),
    "reports.amend": _json(reason="wrong_data", barrier_step=6),
    "reports.amend_indicator": _json(reason="wrong_data", tlp="GREEN"),
    "holds.place": _json(**_HOLD),
    "compliance.holds.place": _hold,
    "subjects.open_request": _json(right="access", case="K-3"),
    "subjects.search": lambda stage, _cell: {
        "json": {"queries": [query_of(stage.sent[Relation.OWN, State.LIVE].thing)]}
    },
    "subjects.close": _json(state="answered", note="All was told"),
    "compliance.breaches.open_breach": _form(
        title="A breach", aware_at=f"{NOON - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    ),
    "compliance.breaches.add_note": _form(step="fact", note="A file was sent to a wrong desk"),
    "compliance.subjects.open_request": _form(right="access", case="K-3"),
    "compliance.subjects.close": _form(state="answered", note="All was told"),
    "disclosures.ask": _json(
        lookup=str(NEVER),
        indicator=str(NEVER),
        case="PV-2024-17",
        urgency="normal",
        asked=["value"],
    ),
    "disclosures.answer": _json(**_MESSAGE),
    "disclosures.question": _json(**_MESSAGE),
    "disclosures.decide": _json(answer="nothing", reason="too_broad"),
    "disclosures.judge": _json(decision=str(NEVER), agrees=True),
    "disclosures.receive": _json(
        signature=to_base64url(bytes(64)), kid=to_base64url(bytes(16)), check="not_checked"
    ),
    "disclosures.change_rules": _json(four_eyes="always", delivery_days=7),
    "disclosure_pages.refuse": _form(reason="too_broad"),
    "disclosure_pages.judge": _form(decision=str(NEVER), agrees="yes"),
    "disclosure_pages.change_rules": _form(four_eyes="always", delivery_days="7"),
    "recalls.answer": _json(state="completed", done="erased"),
    "disclosure_pages.recalls.answer": _form(state="completed", done="erased"),
    "outcomes.tell": lambda stage, _cell: {"json": _outcome(stage)},
    "disclosure_pages.own_reports.amend": _form(why="wrong_data", barrier_step="6"),
    "disclosure_pages.own_reports.amend_indicator": lambda _stage, _cell: {"data": _correction()},
    "disclosure_pages.own_reports.withdraw": _form(reason="error"),
    "disclosure_pages.outcomes.tell": lambda stage, _cell: {"data": _outcome(stage)},
    "indicators.count_shared": _grounds(),
    "indicators.export_shared": _grounds(),
    "indicators.list_beside": _grounds(),
    "indicators.list_shared": _grounds(),
    "indicators.may_pass_on": _grounds(to=OWNERS[Relation.NOTHING]),
    "indicators.read_shared": _grounds(),
    "lookups.ask": _lookup,
    "watches.set_watch": lambda _stage, _cell: {"json": {**GROUNDS, **watch_of()}},
    "compliance.take_month": lambda _stage, _cell: {"query_string": {"month": f"{NOON:%Y-%m}"}},
    "audit.timeline": lambda _stage, _cell: {"query_string": {"case": "PV-2024-17"}},
    "audit-log.cosign": lambda _stage, _cell: {"data": b"-\n", "content_type": "text/plain"},
    "audit-log.take_evidence": _json(notes=["no checkpoint"]),
    "audit-retention.ask_erasure": _json(records=["A" * 22]),
    "audit-retention.choose_retention": _json(rule="months", length=24, legal_source="Act, s. 1"),
    "compliance.upkeep.ask": _form(of="records", records="A" * 22),
    "compliance.upkeep.choose": _form(rule="months", length="24", legal_source="Act, s. 1"),
    "compliance.log.tell_verified": _form(found="whole", size="3"),
    "compliance.log.end": _form(vkey="nobody"),
    "compliance.log.register": lambda _stage, _cell: {"data": {"vkey": _new_witness()}},
    "witnesses.end": _json(vkey="nobody"),
    "witnesses.register": lambda _stage, _cell: {"json": {"vkey": _new_witness()}},
    "compliance.reviews.judge": _form(place="1", verdict="in-order"),
    "compliance.reviews.order": _form(title="New", sample="5", act="lookup.ask"),
    "compliance.signals.assign": _form(to=""),
    "compliance.signals.close": _form(verdict="in-order", note="Asked, and it was explained"),
    "reviews.judge": _json(place=1, verdict="in-order"),
    "reviews.order_review": _json(title="New", sample=5, act="lookup.ask"),
    "signals.assign_signal": _json(to=None),
    "signals.close_signal": _json(verdict="in-order", note="Asked, and it was explained"),
    "accounts.people.add": _form(name="Duty analyst", login="duty@desk.example", roles="analyst"),
    "accounts.people.change_roles": _form(seen="analyst", roles="approver", confirmed="yes"),
    "accounts.people.decide": _form(role="compliance", decision="confirm"),
    "jobs.retry_job": _form(job=1),
    "channels.add_channel": _json(
        kind="webhook", roles=["analyst"], language="nl", address="https://receiver.example/"
    ),
    "jobs.add_channel": _form(
        kind="webhook", roles="analyst", language="nl", address="https://receiver.example/"
    ),
    **{
        f"taxii.{name}": _taxii()
        for name in (
            *("discover", "show_root", "list_collections", "show_collection", "show_status"),
            *("show_manifest", "show_objects", "show_object", "show_versions", "delete_object"),
        )
    },
    "taxii.add_objects": _taxii(
        data=json.dumps({"objects": [{"type": "none"}]}), content_type=MEDIA_TYPE
    ),
    "exchange_changes.add_news": _json(address="https://receiver.example/"),
    "exchange_changes.rotate_news_secret": _json(overlap_hours=24),
    "channels.rotate_secret": _json(overlap_hours=24),
    "jobs.rotate_secret": _form(overlap_hours="24"),
    "exchange_news.rotate_secret": _form(overlap_hours="24"),
    "exchange_pages.open_one": _form(
        kind="shared",
        title="For a program",
        grounds="criminal_investigation criminal_procedure",
        case="PV-2026-031",
        level="metadata",
        revoked="1",
        days="90",
    ),
    "exchange_servers.add_server": _form(
        title="Another",
        address="https://taxii.example/api1/collections/1/",
        means="none",
        every="60",
        kept="90",
    ),
    "exchange_news.add": _form(address="https://receiver.example/"),
    "shared_pages.count": _form(**_WHY_SHARED),
    "shared_pages.take": _form(**_WHY_SHARED, format="csv"),
    "policies.approve_draft": _draft_json(),
    "policies.check": _json(text=_NEW_TEXT),
    "policies.compose": _json(rules=[]),
    "policies.create_draft": _json(title="New", text=_NEW_TEXT),
    "policies.draft_from_version": _json(),
    "policies.edit_draft": _draft_json(title="New", text=_NEW_TEXT),
    "policies.propose_draft": _draft_json(),
    "policies.refuse_draft": _draft_json(reason="Too wide"),
    "policies.foresee_audience": _json(**PLAIN.stored(), age_band=0),
    "policies.replay_draft": _json(days=7),
    "policies.simulate": _json(text=_NEW_TEXT),
    "barriers.begin_model": _json(text=model_text("a new one", State.LIVE)),
    "barriers.check_model": _json(text="not yet"),
    "barriers.choose_model": lambda stage, _cell: {"json": {"model": str(stage.model)}},
    "barriers.compare_versions": lambda _stage, _cell: {"query_string": {"before": 1, "after": 1}},
    "barriers.propose_version": lambda _stage, _cell: {
        "json": {"text": model_text(READER, State.LIVE, 2)}
    },
    "barriers.approve_model": _json(version=1),
    "barriers.refuse_model": _json(version=1, note="Too short"),
    "barriers.withdraw_model": _json(version=1),
    "barriers.read_tags": lambda _stage, _cell: {"query_string": {"subject": "report"}},
    "barriers.tag": _json(subject="report", step=1),
    "barriers.list_barriers": _grounds(),
    "barriers.register_barrier": _json(
        **{"step": 1, "barrier": "ask-why", "from": _NOON_DAY, "legal_basis": "customs_law"}
    ),
    "barrier_board.read_board": _grounds(),
    "barrier_exports.take_briefing": _grounds(),
    "barriers.read_gaps": _grounds(),
    "barriers.read_barrier": _grounds(),
    "barriers.renew_barrier": _json(),
    "barriers.end_barrier": _json(on=_NOON_DAY),
    "barrier_drafts.keep": _form(text=model_text("one of a page", State.LIVE)),
    "barrier_drafts.keep_next": lambda _stage, _cell: {
        "data": {"text": model_text(READER, State.LIVE, 2)}
    },
    "barrier_models.approve": _form(version="1"),
    "barrier_models.refuse": _form(version="1", note="Too short"),
    "barrier_models.withdraw": _form(version="1"),
    "barrier_pages.register": _form(
        **{"barrier": "ask-why", "from": _NOON_DAY, "cost": "low", "legal_basis": "customs_law"}
    ),
    "barrier_pages.end": _form(on=_NOON_DAY),
    "tag_pages.tag": _form(step="1"),
    "patterns.list_patterns": _grounds(),
    "patterns.begin": _json(text="not yet"),
    "patterns.check": _json(text="not yet"),
    "patterns.read_pattern": _grounds(),
    "patterns.read_figures": _grounds(),
    "patterns.read_version": _grounds(),
    "patterns.save_draft": _pattern_draft(text="not yet"),
    "patterns.discard_draft": lambda _stage, cell: {
        "query_string": {"revision": revision_in(cell.record.state)}
    },
    "patterns.propose": _pattern_draft(),
    "patterns.withdraw": _pattern_draft(),
    "patterns.approve": _pattern_draft(),
    "patterns.refuse": _pattern_draft(note="Too wide"),
    "patterns.deprecate": _json(reason="Worn out"),
    "patterns.subscribe": _json(purpose=GROUNDS["purpose"], legal_basis=GROUNDS["legal_basis"]),
    "patterns.tell_run": _json(version=1, day=_NOON_DAY, parcels=10, hits=1),
    "patterns.tell_outcomes": _json(
        version=1, day=_NOON_DAY, examined=1, found=1, not_found=0, wrong=0
    ),
    "pattern_pages.withdraw": _pattern_form(),
    "pattern_pages.approve": _pattern_form(),
    "pattern_pages.refuse": _pattern_form(note="Too wide"),
    "pattern_pages.deprecate": _form(reason="Worn out"),
    "pattern_pages.editing.keep": _form(text="not yet"),
    "pattern_pages.editing.compose": _form(text="not yet"),
    "pattern_pages.editing.save": _pattern_form(text="not yet"),
    "pattern_pages.editing.propose": _pattern_form(),
    "pattern_pages.editing.discard": _pattern_form(),
    "filters.make": _json(**GROUNDS),
    "filters.fetch": lambda _stage, _cell: {"query_string": {"part": 1}},
    "filters.changes": lambda _stage, _cell: {"query_string": {"since": OLDER}},
    "screening.evaluate": _evaluate_in_bulk,
    "pseudonyms.evaluate": _evaluate,
    "reports.submit": _submit,
    "reports.withdraw": _json(reason="error"),
    "sharing.drafts.approve": _draft_form(),
    "sharing.drafts.create": _form(**{"title": "New", "from": "empty"}),
    "sharing.drafts.propose": _draft_form(),
    "sharing.drafts.refuse": _draft_form(reason="Too wide"),
    "sharing.drafts.save": _draft_form(title="New", text=_NEW_TEXT),
    "web.choose_language": _form(language="fr", next="/"),
    "web.choose_appearance": _form(theme="dark", next="/"),
}
