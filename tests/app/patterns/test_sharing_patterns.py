"""Patterns among organisations: written by two people, seen as policies say, fetched, counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app import clock
from app.errors import InvalidRequestError, NotFoundError, PosternError
from app.indicators.telling import Grounds
from app.jobs.models import Notification
from app.patterns import (
    counting,
    drafting,
    figures,
    losses,
    reading,
    subscriptions,
    telling,
    upkeep,
)
from app.patterns.beside import Beside
from app.patterns.counting import Examined
from app.patterns.figures import Figures
from app.patterns.models import PatternSubscription, PatternVersion, SharedPattern, VersionState
from app.patterns.reading import PatternState, Wanted
from postern.vocabulary import Handling, LegalBasis, Purpose, Role, Substance
from tests.app.exchange import SOPHIE, Exchange, make_exchange
from tests.app.lookups.watching import notices, work
from tests.app.patterns.writing import (
    ANALYSIS,
    CONTROL,
    SCREENING,
    act,
    document,
    next_version,
    published,
    revision_of,
    second,
    seen,
    shares,
)
from tests.app.people import make_person

FIRST_ID, OTHER_ID, THIRD_ID = (
    f"5f4f1d2e-0b5e-4f0a-9d0c-2d0a8f0f0a0{number}" for number in (1, 2, 3)
)


@pytest.fixture
def exchange(app: Any) -> Exchange:
    return make_exchange(app)


def refused(code: str, verb: Callable[..., Any], exchange: Exchange, *given: Any) -> PosternError:
    """The refusal of a verb, which has that code."""
    with pytest.raises(PosternError) as caught:
        act(exchange, verb, *given)
    assert caught.value.code == code, caught.value.extensions
    return caught.value


def test_one_person_writes_and_another_publishes(exchange: Exchange) -> None:
    one, other = exchange.caller("police-de"), second(exchange, "police-de")
    begun = act(exchange, drafting.begin, one, document(weight=700), Beside())
    pattern = begun.listed.id
    assert begun.listed.state is PatternState.DRAFT
    # A test that fails, a marking that contradicts a handling code: told with their places.
    coded = Beside(handling=frozenset({Handling.H2}))
    saved = act(exchange, drafting.save_draft, one, pattern, document(weight=700), coded, 1)
    error = refused("pattern-refused", drafting.propose, exchange, one, pattern, 2)
    assert [each["reason"] for each in error.extensions["errors"]] == [
        "This test must hit and does not.",
        "TLP:GREEN contradicts the handling code H2.",
    ]
    # Nobody decides on, or overwrites, what they did not read.
    changed = refused(
        "pattern-draft-changed", drafting.save_draft, exchange, one, pattern, "x", Beside(), 1
    )
    assert changed.extensions["revision"] == revision_of(saved) == 2
    refused("pattern-not-proposed", drafting.approve, exchange, other, pattern, 2)
    saved = act(exchange, drafting.save_draft, one, pattern, document(), Beside(), 2)
    proposed = act(exchange, drafting.propose, one, pattern, 3)
    refused("pattern-proposed", drafting.save_draft, exchange, one, pattern, "x", Beside(), 4)
    refused("pattern-own", drafting.approve, exchange, one, pattern, 4)
    refused("pattern-draft-changed", drafting.approve, exchange, other, pattern, 3)
    # Whoever had a part stays barred, also when the text is no longer theirs.
    helper = make_person(exchange.app, "police-de", [Role.ANALYST, Role.APPROVER]).caller
    act(exchange, drafting.withdraw, one, pattern, revision_of(proposed))
    act(exchange, drafting.save_draft, helper, pattern, document(title="By another"), Beside(), 5)
    act(exchange, drafting.propose, one, pattern, 6)
    refused("pattern-own", drafting.approve, exchange, helper, pattern, 7)
    made = act(exchange, drafting.approve, other, pattern, 7, "Good")
    assert (made.listed.state, made.listed.version, made.draft) == (PatternState.LIVE, 1, None)
    (version,) = made.versions
    assert (version.state, version.decided_by, version.note) == ("published", other.person, "Good")


def test_the_next_version_leaves_the_one_in_force_until_it_is_published(
    exchange: Exchange,
) -> None:
    one, other = exchange.caller("police-de"), second(exchange, "police-de")
    pattern = published(exchange, "police-de", document(title="By another"))
    text = document(title="Better", weight=300)
    drafted = act(exchange, drafting.save_draft, one, pattern, text, Beside(), None)
    assert (drafted.listed.title, drafted.listed.has_draft) == ("By another", True)
    act(exchange, drafting.propose, one, pattern, 1)
    refused("invalid-request", drafting.refuse, exchange, other, pattern, 2, " ")
    act(exchange, drafting.refuse, other, pattern, 2, "Too wide")
    refused("pattern-no-draft", drafting.propose, exchange, one, pattern, 3)
    next_version(exchange, "police-de", pattern, text)
    now = seen(exchange, "police-de", None, pattern)
    assert [(each.seq, each.state.value) for each in now.versions] == [
        (3, "published"),
        (2, "refused"),
        (1, "published"),
    ]
    assert (now.listed.title, now.text) == ("Better", text)
    first = act(exchange, reading.version_text, one, None, pattern, 1)
    assert first == document(title="By another")
    told = [kind for kind, _ in notices(exchange, "police-de")]
    assert told.count("pattern.proposed") == 6  # three times to both roles
    assert told.count("pattern.decided") == 6

    # One document, one pattern: its id is kept over versions and taken for others.
    stolen = act(exchange, drafting.begin, one, document(), Beside())
    refused("pattern-refused", drafting.propose, exchange, one, stolen.listed.id, 1)
    moved = act(exchange, drafting.save_draft, one, pattern, document(OTHER_ID), Beside(), None)
    refused("pattern-refused", drafting.propose, exchange, one, pattern, revision_of(moved))
    # Nobody is told of a version in which nothing differs.
    same = act(exchange, drafting.save_draft, one, pattern, text, Beside(), revision_of(moved))
    error = refused("pattern-refused", drafting.propose, exchange, one, pattern, revision_of(same))
    assert [each["line"] for each in error.extensions["errors"]] == [1]
    coded = Beside(substance=Substance.KETAMINE)
    moved = act(exchange, drafting.save_draft, one, pattern, text, coded, revision_of(same))
    moved = act(exchange, drafting.propose, one, pattern, revision_of(moved))
    moved = act(exchange, drafting.withdraw, one, pattern, revision_of(moved))
    # What was never published goes with its draft; what was stays.
    act(exchange, drafting.discard, one, stolen.listed.id, 1)
    with pytest.raises(NotFoundError):
        seen(exchange, "police-de", None, stolen.listed.id)
    act(exchange, drafting.discard, one, pattern, revision_of(moved))
    assert seen(exchange, "police-de", None, pattern).listed.version == 3
    steps = [entry.details["step"] for entry in exchange.entries("pattern.draft")]
    assert steps.count("discard") == 2
    assert [entry.details["version"] for entry in exchange.entries("pattern.publish")] == [1, 3]


def test_an_organisation_has_so_many_patterns_and_no_more(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "MOST_PATTERNS", 2)
    one = exchange.caller("police-de")
    published(exchange, "police-de")
    begun = act(exchange, drafting.begin, one, document(OTHER_ID))
    error = refused("too-many-patterns", drafting.begin, exchange, one, document(THIRD_ID))
    assert "patterns" in error.detail
    act(exchange, drafting.begin, exchange.caller("post-be"), document(THIRD_ID))
    assert stored(exchange) == (3, 3)
    act(exchange, drafting.discard, one, begun.listed.id, revision_of(begun))
    act(exchange, drafting.begin, one, document(THIRD_ID))


def test_an_organisation_has_so_many_open_drafts_and_no_more(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "MOST_DRAFTS", 2)
    one = exchange.caller("police-de")
    first = published(exchange, "police-de")
    other = published(exchange, "police-de", document(OTHER_ID))
    begun = act(exchange, drafting.begin, one, document(THIRD_ID))
    act(exchange, drafting.save_draft, one, first, document(), Beside(), None)
    next_one = (other, document(OTHER_ID), Beside(), None)
    for verb, given in ((drafting.begin, (document(THIRD_ID),)), (drafting.save_draft, next_one)):
        assert "open drafts" in refused("too-many-patterns", verb, exchange, one, *given).detail
    assert stored(exchange) == (3, 4)
    # What is open may be changed, and once it is not there is room.
    act(exchange, drafting.save_draft, one, first, document(title="Better"), Beside(), 1)
    act(exchange, drafting.discard, one, begun.listed.id, revision_of(begun))
    act(exchange, drafting.save_draft, one, *next_one)


def stored(exchange: Exchange) -> tuple[int, int]:
    """How many patterns there are, and versions of them."""
    return len(exchange.rows(select(SharedPattern))), len(exchange.rows(select(PatternVersion)))


def test_policies_decide_who_knows_of_a_pattern_and_who_has_its_rule(exchange: Exchange) -> None:
    pattern = published(exchange, "police-de")
    strict = published(exchange, "police-de", document(OTHER_ID, tlp="AMBER+STRICT"))

    def known(code: str, grounds: Grounds | None, which: UUID = pattern) -> str:
        listed = act(exchange, reading.list_patterns, exchange.caller(code), grounds)
        ids = [each.id for each in listed.patterns]
        try:
            found = seen(exchange, code, grounds, which)
        except NotFoundError:
            assert which not in ids
            return "nothing"
        assert which in ids
        assert (found.text is None) is (found.rule is None) is (found.sha256 is None)
        assert found.listed.may_screen is (found.text is not None)
        return "rule" if found.text else "metadata"

    policies = {
        "": "nothing",
        shares("police-de", level="presence"): "nothing",
        shares("police-de"): "nothing",  # metadata alone is for whoever holds an identifier
        shares("police-de", "feed"): "metadata",
        shares("police-de", "screen"): "rule",
        shares("police-de", "feed", "screen", kinds="party"): "nothing",
    }
    for text, expected in policies.items():
        exchange.publish("police-de", text)
        # From police to post flows of an indicator at most its presence; of a pattern what is said.
        assert known("post-be", SCREENING) == expected, text
        assert known("customs-nl", CONTROL) == expected, text
        # Without a purpose, or with one that is not the reader's, nothing of others.
        assert known("post-be", None) == "nothing"
        assert known("post-be", CONTROL) == "nothing"
        assert known("police-de", None) == "rule"
        assert known("police-de", ANALYSIS) == "rule"
    exchange.publish("police-de", shares("police-de", "screen", "feed"))
    assert known("post-be", SCREENING, strict) == "nothing"
    assert known("police-de", ANALYSIS, strict) == "rule"

    # Whoever gets a rule is named to its owner, whoever only knows of it is not; nor by a denial.
    entries = exchange.entries("pattern.shared")
    assert {entry.details["viewer"] for entry in entries} == {"post-be", "customs-nl"}
    assert all(entry.audience == ["police-de"] for entry in entries)
    assert all("actor" not in entry.details for entry in entries)
    told = len(entries)
    act(exchange, figures.figures, exchange.caller("post-be"), SCREENING, pattern)
    exchange.publish("police-de", shares("police-de", "feed"))
    assert known("post-be", SCREENING) == "metadata"
    assert len(exchange.entries("pattern.shared")) == told

    # The texts of versions follow their own share classes, drafts are nobody else's.
    exchange.publish("police-de", shares("police-de", "screen"))
    act(
        exchange,
        drafting.save_draft,
        exchange.caller("police-de"),
        pattern,
        document(title="To come"),
        Beside(),
        None,
    )
    other = seen(exchange, "post-be", SCREENING, pattern)
    assert ([each.seq for each in other.versions], other.draft) == ([1], None)
    assert other.versions[0].author is None
    post = exchange.caller("post-be")
    assert act(exchange, reading.version_text, post, SCREENING, pattern, 1) == other.text
    for seq in (2, 3):
        with pytest.raises(NotFoundError):
            act(exchange, reading.version_text, post, SCREENING, pattern, seq)
    assert other.policy == "police-de/9"
    assert other.rules == ["Everybody gets the patterns of police-de"]


def test_indicators_keep_to_presence_from_an_authority_to_an_operator(exchange: Exchange) -> None:
    text = shares("police-de", "screen", "feed").partition("when")[0] + ";"
    exchange.publish("police-de", text)
    exchange.submit("police-de", {"client_key": "k1", "indicators": [exchange.indicator(SOPHIE)]})
    published(exchange, "police-de")
    answer = exchange.ask(
        "post-be", SOPHIE, purpose=Purpose.PARCEL_SCREENING, legal_basis=LegalBasis.POSTAL_LAW
    )
    (result,) = answer.results
    assert [hit.level.value for hit in result.hits] == ["presence"]
    listed = act(exchange, reading.list_patterns, exchange.caller("post-be"), SCREENING)
    assert [each.may_screen for each in listed.patterns] == [True]


def test_lists_are_filtered_and_paged(exchange: Exchange) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    ids = [
        published(exchange, "police-de", document(str(uuid4()), title=f"Number {n}"))
        for n in range(3)
    ]
    draft = act(exchange, drafting.begin, exchange.caller("post-be"), "no document", Beside())
    own = published(exchange, "post-be", document(str(uuid4()), title="Our 100% own"))

    def found(limit: int = 50, cursor: UUID | None = None, **wanted: Any) -> list[UUID]:
        page = act(
            exchange,
            reading.list_patterns,
            exchange.caller("post-be"),
            SCREENING,
            wanted=Wanted(**wanted),
            limit=limit,
            cursor=cursor,
        )
        assert page.next == (page.patterns[-1].id if len(page.patterns) == limit else None)
        return [each.id for each in page.patterns]

    everything = [own, draft.listed.id, *reversed(ids)]
    assert found() == everything
    assert found(2) == everything[:2]
    assert found(2, everything[1]) == everything[2:4]
    assert found(own=True) == [own, draft.listed.id]
    assert found(own=False, words="number 1") == [ids[1]]
    assert found(words="100%") == [own]
    assert found(words="Number letters") == ids[::-1]
    assert found(owner="police-de", level="high", barrier_step=5) == ids[::-1]
    assert found(level="low") == []
    assert found(state=PatternState.DRAFT) == [draft.listed.id]
    assert found(state=PatternState.LIVE, own=True) == [own]
    post = exchange.caller("post-be")
    act(exchange, subscriptions.subscribe, post, SCREENING, ids[0])
    assert found(subscribed=True) == [ids[0]]
    act(exchange, drafting.deprecate, second(exchange, "police-de"), ids[2], "Worn out", ids[1])
    assert found(state=PatternState.DEPRECATED) == [ids[2]]
    deprecation = seen(exchange, "post-be", SCREENING, ids[2]).deprecation
    assert deprecation is not None
    assert (deprecation.reason, deprecation.superseded_by) == ("Worn out", ids[1])


def test_subscribers_fetch_what_they_may_screen_with_and_are_told_of_changes(
    exchange: Exchange,
) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    pattern = published(exchange, "police-de")
    post = exchange.caller("post-be")
    # For a purpose that the platform's rules keep from an operator there is nothing.
    refused("not-found", subscriptions.subscribe, exchange, post, CONTROL, pattern)
    refused("not-found", subscriptions.unsubscribe, exchange, post, pattern)
    act(exchange, subscriptions.subscribe, post, SCREENING, pattern)
    act(exchange, subscriptions.subscribe, post, SCREENING, pattern)  # again: no matter

    def fetched() -> tuple[list[tuple[UUID, int]], list[UUID]]:
        found = act(exchange, subscriptions.subscribed, post)
        return [(each.id, each.version) for each in found.documents], list(found.withdrawn)

    assert fetched() == ([(pattern, 1)], [])
    next_version(exchange, "police-de", pattern, document(title="Second"))
    work(exchange)
    assert fetched() == ([(pattern, 2)], [])
    # Two documents of one id cannot be run together.
    twin = published(exchange, "customs-nl")
    exchange.publish("customs-nl", shares("customs-nl", "screen"))
    refused("pattern-rule-twice", subscriptions.subscribe, exchange, post, SCREENING, twin)

    exchange.publish("police-de", shares("police-de", "feed"))
    next_version(exchange, "police-de", pattern, document(title="Third"))
    work(exchange)
    assert fetched() == ([], [pattern])
    exchange.publish("police-de", shares("police-de", "screen"))
    assert fetched() == ([(pattern, 3)], [])
    act(exchange, drafting.deprecate, second(exchange, "police-de"), pattern, "Worn out")
    work(exchange)
    assert fetched() == ([], [pattern])
    refused("pattern-deprecated", subscriptions.subscribe, exchange, post, SCREENING, pattern)
    # Of the third version it was not told: then it might not have it.
    assert notices(exchange, "post-be") == [
        (
            "pattern.published",
            {"pattern": str(pattern), "version": 2, "organisation": "police-de"},
        ),
        (
            "pattern.deprecated",
            {"pattern": str(pattern), "version": 3, "organisation": "police-de"},
        ),
    ]
    act(exchange, subscriptions.unsubscribe, post, pattern)
    assert fetched() == ([], [])


def test_an_organisation_has_so_many_subscriptions_and_no_more(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_SUBSCRIPTIONS", 2)
    exchange.publish("police-de", shares("police-de", "screen"))
    patterns = [
        published(exchange, "police-de", document(each)) for each in (FIRST_ID, OTHER_ID, THIRD_ID)
    ]
    post = exchange.caller("post-be")
    for each in patterns[:2]:
        act(exchange, subscriptions.subscribe, post, SCREENING, each)
    last = patterns[2]
    error = refused("too-many-patterns", subscriptions.subscribe, exchange, post, SCREENING, last)
    assert "subscriptions" in error.detail
    assert len(exchange.rows(select(PatternSubscription))) == 2
    # One that is held may be held for another purpose, and one that ended makes room.
    act(exchange, subscriptions.subscribe, post, ANALYSIS, patterns[0])
    act(exchange, subscriptions.unsubscribe, post, patterns[1])
    act(exchange, subscriptions.subscribe, post, SCREENING, last)


def test_counts_flow_back_once_a_day_and_small_ones_stay_hidden(exchange: Exchange) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    pattern = published(exchange, "police-de")
    today = clock.now().date()
    members = {"post-be": SCREENING, "customs-nl": CONTROL}

    def run(code: str, parcels: int, hits: int, version: int = 1, ago: int = 0) -> None:
        on = today - timedelta(days=ago)
        caller = exchange.caller(code)
        act(exchange, counting.tell_run, caller, pattern, version, on, parcels, hits)

    def outcome(code: str, *counts: int) -> None:
        caller = exchange.caller(code)
        act(exchange, counting.tell_outcomes, caller, pattern, 1, today, Examined(*counts))

    def read(code: str, grounds: Grounds | None) -> Figures:
        return act(exchange, figures.figures, exchange.caller(code), grounds, pattern)

    with pytest.raises(NotFoundError):  # it was not given it
        run("post-be", 1000, 10)
    for code, grounds in members.items():
        act(exchange, subscriptions.subscribe, exchange.caller(code), grounds, pattern)
    next_version(exchange, "police-de", pattern, document(title="Second"))
    with pytest.raises(NotFoundError):  # of that version it does not know yet
        run("post-be", 1000, 10, version=2)
    for parcels, hits, ago in ((10, 11, 0), (10, -1, 0), (10, 1, -1), (10, 1, 367)):
        with pytest.raises(InvalidRequestError):
            run("post-be", parcels, hits, ago=ago)
    with pytest.raises(InvalidRequestError):
        outcome("post-be", 10, 5, 4, 2)

    run("post-be", 1_000, 999)
    run("post-be", 300_000, 30)  # the newest stands
    outcome("post-be", 10, 4, 6, 0)
    run("customs-nl", 100_000, 4)
    outcome("customs-nl", 4, 4, 0, 0)

    own = read("post-be", SCREENING).own
    assert own.total is not None
    assert (own.total.examined, own.total.found) == (10, 4)
    assert own.total.precision is not None
    assert 0.16 < own.total.precision.low < 0.4 < own.total.precision.high < 0.69
    (month,) = own.months
    assert (month.parcels, month.hits, month.per_million) == (300_000, 30, 100.0)

    # Four of customs are too few for the post, with what it knows of itself already taken out.
    post = read("post-be", SCREENING)
    assert (post.versions, post.total) == ([], None)
    assert [each.per_million for each in post.months] == [None]
    assert (post.organisations, post.age_days, post.version_age_days) == (None, 0, 0)
    # For its owner both count together; but four more would show as a difference to before.
    owner = read("police-de", None)
    (row,) = owner.versions
    assert (row.version, row.examined, row.found) == (1, 10, None)
    outcome("police-de", 9, 0, 5, 4)  # its own stand apart
    outcome("customs-nl", 9, 6, 3, 0)  # told again, with more of that day
    (row,) = read("police-de", None).versions
    assert (row.examined, row.found, row.not_found) == (19, 10, 9)
    assert [(each.per_million, each.parcels, each.hits) for each in owner.months] == [
        (85.0, None, None)
    ]
    assert owner.own.months == []
    with pytest.raises(NotFoundError):
        read("customs-nl", None)


def test_of_versions_that_are_not_shared_nothing_shows(exchange: Exchange) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    pattern = published(exchange, "police-de")
    post, today = exchange.caller("post-be"), clock.now().date()
    customs = exchange.caller("customs-nl")
    for caller, grounds in ((post, SCREENING), (customs, CONTROL)):
        act(exchange, subscriptions.subscribe, caller, grounds, pattern)
    # The second version is for one reader alone, the third for all again.
    only = shares("police-de", "screen").replace(
        "when {",
        'when { (principal.sector == Sector::"customs" || resource.tlp != Tlp::"AMBER") &&',
    )
    exchange.publish("police-de", only)
    next_version(exchange, "police-de", pattern, document(tlp="AMBER"))
    with pytest.raises(NotFoundError):
        seen(exchange, "post-be", SCREENING, pattern)
    act(exchange, subscriptions.subscribed, customs)
    for version in (1, 2):
        told = Examined(20 * version, 10, 20 * version - 10, 0)
        act(exchange, counting.tell_run, customs, pattern, version, today, 1_000, 10 * version)
        act(exchange, counting.tell_outcomes, customs, pattern, version, today, told)
    next_version(exchange, "police-de", pattern, document(title="Third"))
    act(exchange, subscriptions.subscribed, post)
    for version in (1, 3):
        act(exchange, counting.tell_run, post, pattern, version, today, 1_000, 10)
    for version in (2, 4):  # it was given neither, be there such a one or not
        with pytest.raises(NotFoundError):
            act(exchange, counting.tell_run, post, pattern, version, today, 1_000, 10)
    read = act(exchange, figures.figures, post, SCREENING, pattern)
    assert [(each.version, each.examined) for each in read.versions] == [(1, 20)]
    assert [each.per_million for each in read.months] == [10_000.0]
    owner = act(exchange, figures.figures, exchange.caller("police-de"), None, pattern)
    assert [(each.version, each.examined) for each in owner.versions] == [(2, 40), (1, 20)]
    # What replaces it is named to whom that is shared with.
    hidden = published(exchange, "police-de", document(OTHER_ID, tlp="AMBER"))
    other = second(exchange, "police-de")
    act(exchange, drafting.deprecate, other, pattern, "There is a better one", hidden)
    for code, grounds, named in (("post-be", SCREENING, None), ("customs-nl", CONTROL, hidden)):
        deprecation = seen(exchange, code, grounds, pattern).deprecation
        assert deprecation is not None
        assert deprecation.superseded_by == named


def test_what_is_shared_no_longer_is_told_once_and_listed_as_it_was_known(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    pattern = published(exchange, "police-de", document(title="Known"))
    post = exchange.caller("post-be")
    act(exchange, subscriptions.subscribe, post, SCREENING, pattern)

    def look() -> int:
        with exchange.app.app_context(), exchange.database.transaction() as session:
            return losses.look(session)

    def lost() -> list[tuple[UUID, str, int, bool]]:
        found = act(exchange, subscriptions.no_longer_shared, post)
        assert act(exchange, subscriptions.subscribed, post).no_longer_shared == found
        return [(each.id, each.title, each.version, each.is_known) for each in found]

    assert (look(), lost()) == (0, [])
    next_version(exchange, "police-de", pattern, document(title="Newer", tlp="AMBER+STRICT"))
    assert lost() == [(pattern, "Known", 1, False)]
    assert (look(), look()) == (1, 0)
    told = ("pattern.unshared", {"pattern": str(pattern), "version": 1})
    assert notices(exchange, "post-be") == [told]
    (notice,) = exchange.rows(select(Notification).where(Notification.kind == told[0]))
    with exchange.database.reading() as session:
        assert telling.may_tell_loss(session, notice)

    # It comes back, and goes to those who only may know of it: each is told anew.
    next_version(exchange, "police-de", pattern, document(title="For all"))
    assert (look(), lost()) == (1, [])  # and fetched: that is what it knows from now on
    with exchange.app.app_context(), exchange.database.transaction() as session:
        assert not telling.may_tell_loss(session, notice)
    exchange.publish("police-de", shares("police-de", "feed"))
    assert lost() == [(pattern, "For all", 3, True)]
    assert look() == 1
    assert len(notices(exchange, "post-be")) == 2
    later = clock.now() + losses.KEPT
    monkeypatch.setattr(losses, "now", lambda: later)
    assert (look(), lost()) == (1, [])
    entry = exchange.entries("pattern.unsubscribe")[-1]
    assert (entry.audience, entry.details["cause"]) == (["platform", "post-be"], "lost")


def test_patterns_end_by_themselves(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange.publish("police-de", shares("police-de", "screen"))
    police, post = exchange.caller("police-de"), exchange.caller("post-be")
    pattern = published(exchange, "police-de", document(days=60))
    kept = published(exchange, "police-de", document(OTHER_ID, days=700))
    act(exchange, subscriptions.subscribe, post, SCREENING, pattern)
    proposed = act(exchange, drafting.begin, police, document(str(uuid4())), Beside())
    act(exchange, drafting.propose, police, proposed.listed.id, 1)
    edited = act(exchange, drafting.begin, police, "begun", Beside())
    began = clock.now()

    def after(days: int) -> list[int]:
        monkeypatch.setattr(clock, "now", lambda: began + timedelta(days=days))
        for module in (upkeep, drafting, subscriptions):
            if hasattr(module, "now"):
                monkeypatch.setattr(module, "now", clock.now)
        monkeypatch.setattr("app.patterns.storage.now", clock.now)
        done = []
        for sweep in (upkeep.remind, upkeep.discard_stale, upkeep.erase):
            with exchange.app.app_context(), exchange.database.transaction() as session:
                done.append(sweep(session))
        return done

    assert after(29) == [0, 0, 0]
    assert after(30) == [1, 1, 0]  # its end is near; the proposal waited long enough
    assert after(31) == [0, 0, 0]
    assert after(59) == [0, 0, 0]
    assert act(exchange, subscriptions.subscribed, post).withdrawn == []
    # On the day of its end it is gone for others, and its owner sees that it has expired.
    assert after(60) == [0, 0, 0]
    assert act(exchange, subscriptions.subscribed, post).withdrawn == [pattern]
    with pytest.raises(NotFoundError):
        seen(exchange, "post-be", SCREENING, pattern)
    assert seen(exchange, "police-de", None, pattern).listed.state is PatternState.EXPIRED
    assert after(180) == [0, 1, 0]  # the draft that nobody went on with
    states = {
        row.pattern_id: row.state
        for row in exchange.rows(select(PatternVersion))
        if row.state is VersionState.DISCARDED
    }
    assert len(states) == 2
    assert after(60 + 366) == [0, 0, 2]  # the pattern and the proposal, with what is about them
    assert after(180 + 366) == [0, 0, 1]
    assert [row.public_id for row in exchange.rows(select(SharedPattern))] == [kept]
    assert exchange.rows(select(PatternSubscription)) == []
    erased = [entry.details["objects"] for entry in exchange.entries("pattern.erase")]
    assert sorted(map(sorted, erased)) == sorted(
        [sorted([str(pattern), str(proposed.listed.id)]), [str(edited.listed.id)]]
    )
