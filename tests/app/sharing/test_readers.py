"""Who could read, in groups that stand for one another, without a database."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.sharing import grants, readers
from app.sharing.distinctions import Distinctions
from app.sharing.engine import Ruling
from app.sharing.policy_text import platform_policies
from app.sharing.readers import Access, Group, Named, Rule
from app.sharing.seats import Member, Seat
from postern.vocabulary import LegalBasis, Level, Purpose, Role, Sector, Told
from tests.app.sharing.test_audience import OWNER, POLICE, READABLE, named, permit, version_of

SESSION: Any = object()


def test_the_others_are_all_that_are_active_in_order_of_their_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members = {number: Member(code, Sector.POST, "BE") for number, code in enumerate("cabd")}
    listed = {
        number: SimpleNamespace(code=each.code, name=each.code.upper(), is_active=number != 3)
        for number, each in members.items()
    }
    monkeypatch.setattr(grants, "members", lambda session: members if session is SESSION else {})
    monkeypatch.setattr(readers, "directory", lambda session: listed if session is SESSION else {})
    assert readers.others(SESSION, 0) == [
        (Named("a", "A"), members[1]),
        (Named("b", "B"), members[2]),
    ]


def test_those_whom_no_policy_tells_apart_are_one_group() -> None:
    policies = version_of(permit("presence", POLICE)).policies
    found = readers.groups(Distinctions((*platform_policies(), *policies)), OWNER, READABLE)
    codes = [[each.code for each in group.organisations] for group in found]
    assert codes == [
        ["authority-be"],
        ["courier-nl"],
        ["customs-be", "customs-nl"],
        ["police-be", "police-de", "police-fr"],
    ]
    assert [[each.code for each in group.members] for group in found] == codes
    assert all(group.member is group.members[0] for group in found)


def test_an_analyst_of_each_group_asks_for_every_purpose_on_every_basis() -> None:
    members = tuple(member for _, member in READABLE[:2])
    group = Group(named("authority-be", "courier-nl"), members)
    found = readers.seats([group])
    assert found == [
        Seat(members[0], Role.ANALYST, purpose, basis)
        for purpose in Purpose
        for basis in LegalBasis
    ]
    one = readers.seats([group], [Purpose.RISK_ANALYSIS])
    assert [seat.legal_basis for seat in one] == list(LegalBasis)
    assert {seat.purpose for seat in one} == {Purpose.RISK_ANALYSIS}


def test_bases_are_named_unless_they_are_all_that_may_be_relied_on() -> None:
    some = [LegalBasis.COURT_ORDER, LegalBasis.POLICE_LAW]
    assert readers.told_bases(some, some) == ()
    assert readers.told_bases(some, some[:1]) == ()
    assert readers.told_bases(some, LegalBasis) == (LegalBasis.POLICE_LAW, LegalBasis.COURT_ORDER)


def test_rules_are_told_with_their_labels_in_order() -> None:
    policies = version_of(permit("presence", POLICE), permit("metadata", POLICE)).policies
    (own,) = [each for each in platform_policies() if each.id == "platform/own"]
    assert readers.rules(["platform/own", "a/1", "a/0", "a/1"], policies) == (
        Rule("a/0", "Rule 0"),
        Rule("a/1", "Rule 1"),
        Rule("platform/own", own.label),
    )
    assert readers.rules([], policies) == ()


@pytest.mark.parametrize(
    ("ruling", "access", "rank"),
    [
        (Ruling(0, ()), Access(None, False, False, None), 0),
        (Ruling(0, (), tells_owner=True), Access(None, False, False, Told.OWNER_ONLY), 0),
        (Ruling(1, (), may_screen=True),
         Access(Level.PRESENCE, True, False, Told.REQUESTER_ONLY), 1),
        (Ruling(2, (), may_feed=True, tells_owner=True),
         Access(Level.METADATA, False, True, Told.BOTH), 2),
        (Ruling(3, (), tells_owner=True), Access(Level.REQUEST, False, False, Told.BOTH), 3),
    ],
)  # fmt: skip
def test_a_ruling_is_told_as_what_a_reader_gets(ruling: Ruling, access: Access, rank: int) -> None:
    assert Access.of(ruling) == access
    assert access.rank == rank
