"""Drafts: two people, revisions, times, and what happens at the same time."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy import text as sql

from app import clock
from app.access import CONSOLE, Caller, Means
from app.audit.models import AuditEntry
from app.audit.reading import Filters, entries
from app.audit.service import appended
from app.database import Database
from app.errors import InvalidRequestError, NotAllowedError, PosternError
from app.sharing import drafts, versions
from app.sharing.drafts import Draft
from app.sharing.models import DraftStatus, PolicyDraft
from app.sharing.policy_text import PolicyRefusedError
from postern.vocabulary import Role, Sector
from tests.app.bare import NOON, Clock
from tests.app.sharing.world import EVERYTHING_TO_POLICE, World, token_of, trio

ANN, BOB, EVE = UUID(int=1), UUID(int=2), UUID(int=3)

TO_CUSTOMS = """
@id("post-be/customs") @label("Customs learn of us")
permit (principal, action == Action::"presence", resource)
when { principal.sector == Sector::"customs" };
"""
FAULTY = '@id("post-be/x") @label("X") permit (principal, action, resource) when { nothing };'
EVERYBODY = '@id("post-be/all") @label("All") permit (principal, action, resource);'
FORM = [
    {
        "name": "customs",
        "label": "Customs learn of us",
        "sectors": ["customs"],
        "level": "presence",
    }
]


@pytest.fixture
def world(database: Database) -> World:
    return trio(database)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The platform's clock, standing still until a test moves it."""
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing)
    return standing


def by(world: World, person: UUID, organisation: str = "post-be", *roles: Role) -> Caller:
    return Caller(
        person_id=person.int,
        person=person,
        organisation_id=world.ids[organisation],
        organisation=organisation,
        roles=frozenset(roles or {Role.POLICY_OWNER}),
        scopes=None,
        means=Means.SESSION,
    )


def do(world: World, verb: Callable[..., Any], who: UUID, *args: Any, **kwargs: Any) -> Any:
    """One verb in a transaction of its own, as a person of post-be."""
    with world.database.transaction() as session:
        return verb(session, by(world, who), *args, **kwargs)


def drafted(world: World, who: UUID = ANN, policy: str = TO_CUSTOMS) -> Draft:
    made: Draft = do(world, drafts.create, who, title="Customs", text=policy)
    return made


def proposed(world: World, who: UUID = ANN, policy: str = TO_CUSTOMS, **kwargs: Any) -> Draft:
    draft = drafted(world, who, policy)
    made: Draft = do(world, drafts.propose, who, draft.id, draft.revision, **kwargs)
    return made


def text_in_force(world: World) -> str | None:
    with world.database.reading() as session:
        held = versions.in_force(session, world.ids["post-be"], clock.now())
        return held.text if held else None


def told(world: World, act: str, organisation: str = "post-be") -> list[dict[str, Any]]:
    """The details of an organisation's entries of one act, oldest first."""
    with world.database.reading() as session:
        page = entries(session, organisation, Filters(act=act))
    return [dict(entry.details) for entry in reversed(page.entries)]


def test_a_draft_changes_nothing_until_a_second_person_approves_it(world: World) -> None:
    world.publish("post-be", EVERYTHING_TO_POLICE)
    draft = proposed(world)
    assert text_in_force(world) == EVERYTHING_TO_POLICE
    decided = do(world, drafts.approve, BOB, draft.id, draft.revision, "As agreed")
    assert text_in_force(world) == TO_CUSTOMS
    assert (decided.status, decided.version) == (DraftStatus.APPROVED, 2)
    assert (decided.decided_by, decided.reason) == (BOB, "As agreed")
    with world.database.reading() as session:
        made = versions.version(session, world.ids["post-be"], 2)
    assert (made.author, made.approved_by, made.cause.value) == (ANN, BOB, "draft")


def test_the_approved_version_decides_the_next_question(world: World) -> None:
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("customs-nl")
    draft = proposed(world)
    assert world.level(profile, token_of(1)) == 0
    do(world, drafts.approve, BOB, draft.id, draft.revision)
    assert world.level(profile, token_of(1)) == 1


def test_nobody_approves_what_they_proposed_whatever_their_role(world: World) -> None:
    draft = proposed(world)
    approver = by(world, ANN, "post-be", Role.APPROVER)
    with pytest.raises(drafts.OwnDraftError), world.database.transaction() as session:
        drafts.approve(session, approver, draft.id, draft.revision)
    assert text_in_force(world) is None


def test_the_author_of_an_earlier_revision_may_not_approve_the_last(world: World) -> None:
    first = drafted(world, ANN)
    second = do(
        world, drafts.edit, BOB, first.id, first.revision, title="Police", text=EVERYTHING_TO_POLICE
    )
    third = do(world, drafts.edit, ANN, first.id, second.revision, title="x", text=TO_CUSTOMS)
    last = do(world, drafts.propose, ANN, third.id, third.revision)
    for barred in (ANN, BOB):
        with pytest.raises(drafts.OwnDraftError):
            do(world, drafts.approve, barred, last.id, last.revision)
    assert do(world, drafts.approve, EVE, last.id, last.revision).version == 1


def test_who_proposed_without_writing_may_not_approve(world: World) -> None:
    draft = drafted(world, ANN)
    last = do(world, drafts.propose, BOB, draft.id, draft.revision)
    with pytest.raises(drafts.OwnDraftError):
        do(world, drafts.approve, BOB, last.id, last.revision)


def test_who_proposed_it_the_first_time_may_not_approve_the_second(world: World) -> None:
    draft = drafted(world, ANN)
    do(world, drafts.propose, BOB, draft.id, draft.revision)
    back = do(world, drafts.withdraw, ANN, draft.id)
    last = do(world, drafts.propose, ANN, back.id, back.revision)
    with pytest.raises(drafts.OwnDraftError):
        do(world, drafts.approve, BOB, last.id, last.revision)


def test_who_goes_back_to_a_version_needs_a_second_person_too(world: World) -> None:
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.publish("post-be", "")
    draft = do(world, drafts.from_version, ANN, 1)
    assert (draft.text, draft.title, draft.base_seq) == (
        EVERYTHING_TO_POLICE,
        "Back to version 1",
        2,
    )
    edited = do(world, drafts.edit, BOB, draft.id, 1, title="Back", text=TO_CUSTOMS)
    last = do(world, drafts.propose, BOB, draft.id, edited.revision)
    with pytest.raises(drafts.OwnDraftError):
        do(world, drafts.approve, ANN, last.id, last.revision)
    assert do(world, drafts.approve, EVE, last.id, last.revision).version == 3


def test_who_wrote_a_version_long_ago_may_approve_its_return(world: World) -> None:
    draft = proposed(world)
    do(world, drafts.approve, BOB, draft.id, draft.revision)
    do(world, versions.stop, BOB, world.ids["post-be"])
    back = do(world, drafts.from_version, BOB, 1)
    last = do(world, drafts.propose, BOB, back.id, back.revision)
    assert do(world, drafts.approve, ANN, last.id, last.revision).version == 3


def test_a_version_that_does_not_exist_cannot_be_gone_back_to(world: World) -> None:
    with pytest.raises(versions.UnknownVersionError):
        do(world, drafts.from_version, ANN, 1)


def test_a_refused_approval_of_ones_own_is_a_denial_for_the_log() -> None:
    assert issubclass(drafts.OwnDraftError, NotAllowedError)


def test_a_text_with_faults_is_kept_and_cannot_be_proposed(world: World) -> None:
    draft = drafted(world, policy=FAULTY)
    assert do(world, drafts.read, ANN, draft.id).text == FAULTY
    assert do(world, drafts.check_text, ANN, draft.id).faults[0].policy == "post-be/x"
    with pytest.raises(PolicyRefusedError):
        do(world, drafts.propose, ANN, draft.id, draft.revision)


@pytest.mark.parametrize("policy", [EVERYBODY, TO_CUSTOMS.replace("customs", "cust")])
def test_a_text_that_lets_everybody_or_nobody_in_cannot_be_proposed(
    world: World, policy: str
) -> None:
    draft = drafted(world, policy=policy)
    with pytest.raises(PolicyRefusedError):
        do(world, drafts.propose, ANN, draft.id, draft.revision)


def test_a_text_that_became_faulty_since_is_not_approved(world: World) -> None:
    world.organisation("police-fr", Sector.POLICE, "FR")
    named = TO_CUSTOMS.replace(
        'principal.sector == Sector::"customs"', 'principal in Organisation::"police-fr"'
    )
    draft = proposed(world, policy=named)
    with world.database.transaction() as session:
        session.execute(sql("UPDATE organisation SET code = 'gone' WHERE code = 'police-fr'"))
    with pytest.raises(PolicyRefusedError):
        do(world, drafts.approve, BOB, draft.id, draft.revision)
    assert text_in_force(world) is None


def test_a_form_is_kept_with_the_text_that_it_makes(world: World) -> None:
    draft = do(world, drafts.create, ANN, title="Customs", form=FORM)
    assert draft.text.startswith('@id("post-be/customs")')
    assert draft.form[0]["sectors"] == ["customs"]
    assert draft.form[0]["told"] == "both"
    by_hand = do(world, drafts.edit, ANN, draft.id, 1, title="Customs", text=TO_CUSTOMS)
    assert by_hand.form is None
    again = do(world, drafts.edit, ANN, draft.id, 2, title="Customs", form=FORM)
    assert (again.text, again.form) == (draft.text, draft.form)


def test_the_form_comes_back_with_its_version(world: World) -> None:
    draft = do(world, drafts.create, ANN, title="Customs", form=FORM)
    draft = do(world, drafts.propose, ANN, draft.id, 1)
    do(world, drafts.approve, BOB, draft.id, draft.revision)
    again = do(world, drafts.from_version, EVE, 1)
    assert (again.form, again.text) == (draft.form, draft.text)


@pytest.mark.parametrize(
    "content",
    [
        {"title": "x"},
        {"title": "x", "text": "", "form": []},
        {"title": " ", "text": ""},
        {"title": "x" * 201, "text": ""},
        {"title": "a\nb", "text": ""},
        {"title": "x", "text": "a\0b"},
        {"title": "x", "text": "\ud800"},
        {"title": "x", "text": "x" * 131_073},
        {"title": "x", "form": [{"name": "No name", "label": "x"}]},
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(
    world: World, content: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        do(world, drafts.create, ANN, **content)
    assert refusal.value.extensions["errors"][0]["field"]
    assert do(world, drafts.list_drafts, ANN) == []


def test_ends_of_lines_of_browsers_become_line_feeds(world: World) -> None:
    assert drafted(world, policy="// a\r\n// b\r// c\n").text == "// a\n// b\n// c\n"


def test_a_stale_revision_is_told_the_newest(world: World) -> None:
    draft = drafted(world)
    do(world, drafts.edit, BOB, draft.id, 1, title="Mine", text="")
    for verb, more in (
        (drafts.edit, {"title": "x", "text": ""}),
        (drafts.propose, {}),
    ):
        with pytest.raises(drafts.DraftChangedError) as refusal:
            do(world, verb, ANN, draft.id, 1, **more)
        assert refusal.value.extensions["revision"] == 2
    assert do(world, drafts.read, ANN, draft.id).title == "Mine"


def test_an_approval_names_the_revision_that_was_proposed(world: World) -> None:
    draft = proposed(world)
    for verb in (drafts.approve, drafts.refuse):
        with pytest.raises(drafts.DraftChangedError):
            do(world, verb, BOB, draft.id, draft.revision - 1, "Why")
    back = do(world, drafts.withdraw, ANN, draft.id)
    again = do(
        world,
        drafts.propose,
        ANN,
        draft.id,
        back.revision,
        activate_at=clock.now() + timedelta(days=2),
    )
    with pytest.raises(drafts.DraftChangedError):  # another time than the one that was read
        do(world, drafts.approve, BOB, draft.id, draft.revision)
    assert do(world, drafts.approve, BOB, draft.id, again.revision).version == 1


def test_a_proposed_text_stands_still_until_it_is_withdrawn(world: World) -> None:
    draft = proposed(world)
    with pytest.raises(drafts.DraftProposedError) as refusal:
        do(world, drafts.edit, ANN, draft.id, draft.revision, title="x", text="")
    assert refusal.value.extensions == {"revision": 2}
    with pytest.raises(drafts.DraftProposedError):
        do(world, drafts.propose, ANN, draft.id, draft.revision)
    back = do(world, drafts.withdraw, BOB, draft.id)
    assert (back.status, back.proposed_by) == (DraftStatus.EDITING, None)
    do(world, drafts.edit, ANN, draft.id, back.revision, title="x", text="")


def test_what_was_not_proposed_is_not_decided_on(world: World) -> None:
    draft = drafted(world)
    for verb, args in (
        (drafts.approve, (draft.revision,)),
        (drafts.refuse, (draft.revision, "No")),
        (drafts.withdraw, ()),
    ):
        with pytest.raises(drafts.DraftNotProposedError) as refusal:
            do(world, verb, BOB, draft.id, *args)
        assert refusal.value.extensions == {"revision": 1}


@pytest.mark.parametrize("ending", ["approve", "refuse", "discard"])
def test_a_closed_draft_is_kept_and_never_changed(world: World, ending: str) -> None:
    draft = proposed(world)
    if ending == "discard":
        closed = do(world, drafts.discard, ANN, draft.id)
        assert closed.decided_by == ANN
    else:
        verb = getattr(drafts, ending)
        closed = do(world, verb, BOB, draft.id, draft.revision, "Because")
    for change, args, more in (
        (drafts.edit, (closed.revision,), {"title": "x", "text": ""}),
        (drafts.propose, (closed.revision,), {}),
        (drafts.withdraw, (), {}),
        (drafts.approve, (closed.revision,), {}),
        (drafts.refuse, (closed.revision, "No"), {}),
        (drafts.discard, (), {}),
    ):
        with pytest.raises(drafts.DraftClosedError):
            do(world, change, EVE, draft.id, *args, **more)
    assert do(world, drafts.read, EVE, draft.id) == closed


def test_a_refusal_needs_a_reason_and_changes_nothing_in_force(world: World) -> None:
    draft = proposed(world)
    with pytest.raises(InvalidRequestError):
        do(world, drafts.refuse, BOB, draft.id, draft.revision, " \n")
    refused = do(world, drafts.refuse, BOB, draft.id, draft.revision, "Too wide")
    assert (refused.status, refused.reason) == (DraftStatus.REFUSED, "Too wide")
    assert refused.decided_by == BOB
    assert (refused.version, text_in_force(world)) == (None, None)


def test_another_organisations_draft_is_one_that_does_not_exist(world: World) -> None:
    draft = proposed(world)
    stranger = by(world, EVE, "customs-nl")
    verbs: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, str]]] = [
        (drafts.read, (), {}),
        (drafts.check_text, (), {}),
        (drafts.edit, (draft.revision,), {"title": "x", "text": ""}),
        (drafts.propose, (draft.revision,), {}),
        (drafts.withdraw, (), {}),
        (drafts.approve, (draft.revision,), {}),
        (drafts.refuse, (draft.revision, "No"), {}),
        (drafts.discard, (), {}),
    ]
    for verb, args, more in verbs:
        problems = []
        for draft_id in (draft.id, uuid4()):
            with (
                pytest.raises(drafts.UnknownDraftError) as refusal,
                world.database.transaction() as session,
            ):
                verb(session, stranger, draft_id, *args, **more)
            problems.append(refusal.value.as_problem("reference"))
        assert problems[0] == problems[1]
    with world.database.transaction() as session:
        assert drafts.list_drafts(session, stranger) == []
        assert drafts.list_drafts(session, stranger, before=draft.id) == []


def test_drafts_are_listed_newest_first_by_pages_and_status(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PAGE", drafts.PAGE - 48)  # 2
    foreign = by(world, EVE, "customs-nl")
    with world.database.transaction() as session:
        drafts.create(session, foreign, title="Theirs", text="")
    made = [drafted(world).id for _ in range(3)]
    do(world, drafts.discard, ANN, made[1])
    first = do(world, drafts.list_drafts, BOB)
    assert [each.id for each in first] == [made[2], made[1]]
    rest = do(world, drafts.list_drafts, BOB, before=first[-1].id)
    assert [each.id for each in rest] == [made[0]]
    closed = do(world, drafts.list_drafts, BOB, DraftStatus.DISCARDED)
    assert [(each.id, each.is_open) for each in closed] == [(made[1], False)]
    assert all(each.is_open for each in rest)
    with world.database.transaction() as session:
        # The id of another organisation's draft is no place in one's own list.
        assert len(drafts.list_drafts(session, foreign)) == 1
        assert drafts.list_drafts(session, foreign, before=made[2]) == []


def test_a_draft_older_than_the_newest_version_must_be_compared_again(world: World) -> None:
    early, late = drafted(world), proposed(world, BOB)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    with pytest.raises(drafts.OutdatedDraftError) as refusal:
        do(world, drafts.approve, ANN, late.id, late.revision)
    assert refusal.value.extensions == {"revision": 2, "newest_version": 1}
    with pytest.raises(drafts.OutdatedDraftError):
        do(world, drafts.propose, ANN, early.id, early.revision)
    saved = do(world, drafts.edit, ANN, early.id, 1, title="Compared", text=TO_CUSTOMS)
    assert saved.base_seq == 1
    last = do(world, drafts.propose, ANN, early.id, saved.revision)
    assert do(world, drafts.approve, EVE, last.id, last.revision).version == 2


def test_what_was_proposed_before_a_stop_does_not_start_sharing_again(world: World) -> None:
    draft = proposed(world)
    do(world, versions.stop, EVE, world.ids["post-be"])
    with pytest.raises(drafts.OutdatedDraftError):
        do(world, drafts.approve, BOB, draft.id, draft.revision)
    assert text_in_force(world) == ""


def test_a_version_waits_for_its_time(world: World, at: Clock) -> None:
    due = at.at + timedelta(days=3, microseconds=5)
    draft = proposed(world, activate_at=due)
    assert draft.activate_at == due.replace(microsecond=0)
    decided = do(world, drafts.approve, BOB, draft.id, draft.revision)
    assert (decided.valid_from, decided.time_had_passed) == (draft.activate_at, False)
    assert text_in_force(world) is None
    at.at = due
    assert text_in_force(world) == TO_CUSTOMS


def test_a_time_that_passed_before_the_approval_takes_effect_at_once_and_says_so(
    world: World, at: Clock
) -> None:
    draft = proposed(world, activate_at=at.at + timedelta(hours=1))
    at.at += timedelta(hours=2)
    decided = do(world, drafts.approve, BOB, draft.id, draft.revision)
    assert (decided.valid_from, decided.time_had_passed) == (at.at, True)
    assert text_in_force(world) == TO_CUSTOMS


def test_a_draft_without_a_time_is_never_late(world: World) -> None:
    draft = proposed(world)
    assert not do(world, drafts.approve, BOB, draft.id, draft.revision).time_had_passed


@pytest.mark.parametrize(
    "moment",
    [
        timedelta(0),
        timedelta(seconds=-1),
        timedelta(microseconds=999_999),  # the same second
        timedelta(days=365, seconds=1),
    ],
)
def test_a_time_that_has_passed_or_is_far_away_is_refused(
    world: World, at: Clock, moment: timedelta
) -> None:
    draft = drafted(world)
    with pytest.raises(InvalidRequestError) as refusal:
        do(world, drafts.propose, ANN, draft.id, draft.revision, activate_at=at.at + moment)
    assert refusal.value.extensions["errors"][0]["field"] == "activate_at"


def test_a_moment_without_a_time_zone_is_refused(world: World) -> None:
    draft = drafted(world)
    naive = datetime(2999, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidRequestError):
        do(world, drafts.propose, ANN, draft.id, draft.revision, activate_at=naive)


def test_a_year_ahead_is_not_too_far(world: World, at: Clock) -> None:
    draft = proposed(world, activate_at=at.at + timedelta(days=365))
    assert draft.status is DraftStatus.PROPOSED


def test_while_a_version_waits_no_other_is_approved(world: World, at: Clock) -> None:
    first = proposed(world, activate_at=at.at + timedelta(days=3))
    do(world, drafts.approve, BOB, first.id, first.revision)
    second = proposed(world, policy="")
    with pytest.raises(versions.ScheduledPolicyError):
        do(world, drafts.approve, BOB, second.id, second.revision)
    at.at += timedelta(days=3)
    assert do(world, drafts.approve, BOB, second.id, second.revision).version == 2


def test_a_proposal_without_a_decision_is_discarded_after_thirty_days(
    world: World, at: Clock
) -> None:
    old = proposed(world)
    edited = drafted(world)
    at.at += timedelta(days=1)
    young = proposed(world)
    at.at += timedelta(days=29) - timedelta(seconds=1)
    assert _discard_stale(world) == 0
    at.at += timedelta(seconds=1)
    assert _discard_stale(world) == 1
    assert _discard_stale(world) == 0
    status = {each.id: each.status for each in do(world, drafts.list_drafts, ANN)}
    assert status == {
        old.id: DraftStatus.DISCARDED,
        edited.id: DraftStatus.EDITING,
        young.id: DraftStatus.PROPOSED,
    }
    kept = do(world, drafts.read, ANN, old.id)
    assert (kept.decided_by, kept.decided_at, kept.revision) == (None, at.at, old.revision + 1)
    assert kept.updated_at == at.at
    last = told(world, "policy.draft")[-1]
    assert (last["step"], last["objects"], last["actor"]) == ("expire", [str(old.id)], "console")


def test_so_many_proposals_are_discarded_at_once_the_oldest_first(
    world: World, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "STALE_BATCH", drafts.STALE_BATCH - 98)  # 2
    first, second, last = proposed(world), proposed(world), proposed(world)
    # PostgreSQL keeps what was changed behind what was not.
    do(world, drafts.withdraw, ANN, first.id)
    do(world, drafts.propose, ANN, first.id, first.revision + 1)
    at.at += timedelta(days=31)
    assert _discard_stale(world) == 2
    left = do(world, drafts.list_drafts, ANN, DraftStatus.PROPOSED)
    assert [each.id for each in left] == [last.id]
    assert _discard_stale(world) == 1
    expired = [each["objects"] for each in told(world, "policy.draft") if each["step"] == "expire"]
    assert expired == [[str(each.id)] for each in (first, second, last)]


def test_a_closed_draft_tells_how_it_ended(world: World) -> None:
    draft = drafted(world)
    do(world, drafts.discard, ANN, draft.id)
    with pytest.raises(drafts.DraftClosedError) as refusal:
        do(world, drafts.propose, ANN, draft.id, 2)
    assert refusal.value.extensions == {"draft_status": "discarded", "revision": 2}


def test_what_was_read_before_it_was_held_is_read_again(world: World) -> None:
    draft = drafted(world)
    with world.database.transaction() as session:
        seen = session.scalars(select(PolicyDraft)).one()
        session.execute(
            update(PolicyDraft).values(revision=7), execution_options={"synchronize_session": False}
        )
        assert seen.revision == 1
        with pytest.raises(drafts.DraftChangedError):
            drafts.propose(session, by(world, ANN), draft.id, 1)


def test_every_step_is_told_to_the_organisation_and_to_no_other(world: World) -> None:
    draft = drafted(world)
    edited = do(world, drafts.edit, ANN, draft.id, 1, title="x", text=EVERYTHING_TO_POLICE)
    sent = do(world, drafts.propose, ANN, draft.id, 2)
    do(world, drafts.withdraw, ANN, draft.id)
    again = do(world, drafts.propose, ANN, draft.id, 4)
    do(world, drafts.approve, BOB, draft.id, again.revision)
    other = proposed(world, policy="")
    do(world, drafts.refuse, BOB, other.id, other.revision, "No")
    do(world, drafts.discard, ANN, drafted(world).id)
    steps = told(world, "policy.draft")
    assert [each["step"] for each in steps] == [
        *("create", "edit", "propose", "withdraw", "propose", "approve"),
        *("create", "propose", "refuse", "create", "discard"),
    ]
    assert [each["revision"] for each in steps[:6]] == [1, 2, 3, 4, 5, 6]
    assert {each["objects"][0] for each in steps[:6]} == {str(draft.id)}
    assert [each["sha256"] for each in steps[:2]] == [draft.sha256, edited.sha256]
    assert steps[5]["sha256"] == sent.sha256
    assert (steps[4]["actor"], steps[5]["actor"]) == (str(ANN), str(BOB))
    assert told(world, "policy.draft", "customs-nl") == []
    with world.database.reading() as session:
        records = session.scalars(select(AuditEntry.rec).where(AuditEntry.act == "policy.draft"))
        assert {json.loads(record)["obj"] for record in records} == {"policy-draft"}
    assert told(world, "policy.publish")[0]["author"] == str(ANN)


def test_a_draft_tells_who_did_what_and_when(world: World, at: Clock) -> None:
    made = drafted(world)
    at.at += timedelta(hours=1)
    sent = do(world, drafts.propose, BOB, made.id, 1, at.at + timedelta(days=1))
    at.at += timedelta(hours=1)
    approved = do(world, drafts.approve, EVE, made.id, 2, "As agreed")
    assert made == Draft(
        id=made.id,
        title="Customs",
        text=TO_CUSTOMS,
        form=None,
        base_seq=0,
        status=DraftStatus.EDITING,
        revision=1,
        activate_at=None,
        created_at=NOON,
        created_by=ANN,
        updated_at=NOON,
        proposed_at=None,
        proposed_by=None,
        decided_at=None,
        decided_by=None,
        reason=None,
        authors=frozenset({ANN}),
        version=None,
        valid_from=None,
    )
    begins = NOON + timedelta(hours=1, days=1)
    assert sent == replace(
        made,
        status=DraftStatus.PROPOSED,
        revision=2,
        activate_at=begins,
        updated_at=NOON + timedelta(hours=1),
        proposed_at=NOON + timedelta(hours=1),
        proposed_by=BOB,
        authors=frozenset({ANN, BOB}),
    )
    assert approved == replace(
        sent,
        status=DraftStatus.APPROVED,
        revision=3,
        updated_at=at.at,
        decided_at=at.at,
        decided_by=EVE,
        reason="As agreed",
        version=1,
        valid_from=begins,
    )


def test_reading_and_listing_are_told_to_the_log(world: World) -> None:
    drafted(world)
    draft = drafted(world)
    verbs: list[tuple[Callable[..., Any], tuple[UUID, ...]]] = [
        (drafts.read, (draft.id,)),
        (drafts.list_drafts, ()),
        (drafts.check_text, (draft.id,)),
    ]
    for verb, args in verbs:
        with world.database.transaction() as session:
            verb(session, by(world, ANN), *args)
            assert appended(session)
    with world.database.reading() as session:
        records = session.scalars(select(AuditEntry.rec).where(AuditEntry.act == "policy.read"))
        found = [json.loads(record) for record in records]
    assert 2 in [each["n"] for each in found]
    assert [each["obj"] for each in found[:2]] == ["policy-draft"] * 2
    (read,) = [each for each in told(world, "policy.read") if "revision" in each]
    assert (read["objects"], read["revision"]) == ([str(draft.id)], 1)


def test_the_console_is_nobody_who_could_write_a_draft(world: World) -> None:
    for nobody in (CONSOLE, replace(by(world, ANN), person=None)):
        with pytest.raises(LookupError), world.database.transaction() as session:
            drafts.create(session, nobody, title="x", text="")


def test_of_two_approvals_at_the_same_time_one_makes_the_version(world: World) -> None:
    draft = proposed(world)
    outcomes = at_the_same_time(
        lambda: do(world, drafts.approve, BOB, draft.id, draft.revision),
        lambda: do(world, drafts.approve, EVE, draft.id, draft.revision),
    )
    assert sorted(outcomes) == ["DraftClosedError", "done"]
    with world.database.reading() as session:
        assert len(versions.history(session, world.ids["post-be"])) == 1


def test_of_two_drafts_approved_at_the_same_time_the_second_is_outdated(world: World) -> None:
    first, second = proposed(world), proposed(world, policy="")
    outcomes = at_the_same_time(
        lambda: do(world, drafts.approve, BOB, first.id, first.revision),
        lambda: do(world, drafts.approve, BOB, second.id, second.revision),
    )
    assert sorted(outcomes) == ["OutdatedDraftError", "done"]


def test_an_edit_and_a_proposal_at_the_same_time_do_not_mix(world: World) -> None:
    draft = drafted(world)
    outcomes = at_the_same_time(
        lambda: do(world, drafts.edit, ANN, draft.id, 1, title="x", text=EVERYTHING_TO_POLICE),
        lambda: do(world, drafts.propose, BOB, draft.id, 1),
    )
    left = do(world, drafts.read, ANN, draft.id)
    if left.status is DraftStatus.PROPOSED:
        assert (outcomes, left.text) == (["DraftProposedError", "done"], TO_CUSTOMS)
    else:
        assert (outcomes, left.text) == (["done", "DraftChangedError"], EVERYTHING_TO_POLICE)


def test_an_approval_waits_for_an_edit_that_is_under_way(world: World) -> None:
    draft = proposed(world)
    approved: list[str] = []
    with world.database.transaction() as session:
        drafts.withdraw(session, by(world, ANN), draft.id)
        thread = threading.Thread(
            target=lambda: approved.append(
                outcome(lambda: do(world, drafts.approve, BOB, draft.id, draft.revision))
            )
        )
        thread.start()
        _until_it_waits(world, thread)
    thread.join()
    assert approved == ["DraftNotProposedError"]


def test_a_proposal_that_somebody_is_deciding_on_is_not_waited_for(world: World, at: Clock) -> None:
    if world.database.is_sqlite:
        return  # it has one writer
    held, other = proposed(world), proposed(world)
    at.at += timedelta(days=31)
    with world.database.transaction() as session:
        drafts.withdraw(session, by(world, ANN), held.id)
        with world.database.transaction() as beside:
            beside.execute(sql("SET LOCAL lock_timeout = '5s'"))  # else it would wait for ever
            assert drafts.discard_stale(beside) == 1
    assert do(world, drafts.read, ANN, other.id).status is DraftStatus.DISCARDED


def at_the_same_time(*acts: Callable[[], Any]) -> list[str]:
    """How each act ended, when all begin together."""
    ended = [""] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(place: int) -> None:
        barrier.wait()
        ended[place] = outcome(acts[place])

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def outcome(act: Callable[[], Any]) -> str:
    try:
        act()
    except PosternError as error:
        return type(error).__name__
    return "done"


def _until_it_waits(world: World, thread: threading.Thread) -> None:
    """SQLite has one writer: there the other transaction has not even begun."""
    while not world.database.is_sqlite and thread.is_alive():
        with world.database.reading() as session:
            if session.scalar(sql("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
    assert world.database.is_sqlite, "nothing made the other transaction wait"


def _discard_stale(world: World) -> int:
    with world.database.transaction() as session:
        return drafts.discard_stale(session)
