"""What Cedar answers, and what is made of an answer."""

from dataclasses import replace
from typing import Any, cast

import cedarpy
import pytest

from app.errors import StartRefusedError
from app.sharing import engine, policy_text, start
from app.sharing.engine import NOTHING, Ruling, Verdict, Window
from app.sharing.policy_text import Policy
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    Action,
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)
from tests.app.sharing.world import PLAIN, like

POST = Member("post-be", Sector.POST, "BE")
POLICE = Member("police-de", Sector.POLICE, "DE", ("postal-exchange",))
INVESTIGATION = Seat(
    POLICE, Role.ANALYST, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE
)
OPEN = '@id("post-be/open") @label("All") permit (principal, action, resource);\n'
ALL_OF_IT = Ruling(3, ("post-be/open",), tells_owner=True, may_screen=True, may_feed=True)
TO_BE_WATCHED = like(permitted_action=PermittedAction.WATCH)


def ruling(text: str, seat: Seat = INVESTIGATION, attributes: Any = PLAIN, band: int = 0) -> Ruling:
    ((found,),) = engine.load(text).rulings(POST, [seat], [(attributes, band)])
    return found


def seat(sector: Sector, purpose: Purpose, basis: LegalBasis = LegalBasis.PUBLIC_TASK) -> Seat:
    return Seat(Member("other", sector, "DE"), Role.ANALYST, purpose, basis)


def test_without_a_policy_nothing_is_shared() -> None:
    assert ruling("") == NOTHING


def test_a_permit_of_all_levels_reaches_request_and_names_itself() -> None:
    assert ruling(OPEN, attributes=TO_BE_WATCHED) == ALL_OF_IT


def test_what_is_to_be_known_only_is_not_screened() -> None:
    assert ruling(OPEN) == replace(ALL_OF_IT, may_screen=False)


def test_a_denial_of_a_lower_level_ends_the_chain() -> None:
    without_presence = (
        '@id("a/high") @label("High") permit (principal, '
        'action in [Action::"metadata", Action::"request"], resource);'
    )
    assert ruling(without_presence) == NOTHING
    without_metadata = OPEN + (
        '@id("a/gap") @label("Gap") forbid (principal, action == Action::"metadata", resource);'
    )
    assert ruling(without_metadata).level == 1


def test_a_forbid_that_errors_denies() -> None:
    # Valid against the schema, yet it overflows: Cedar alone would skip the forbid and allow.
    text = OPEN + (
        '@id("a/overflow") @label("Overflow") forbid (principal, action, resource)'
        " when { resource.ageBand + 9223372036854775807 == 0 };"
    )
    assert ruling(text, band=0).level == 3  # no overflow, and the forbid does not apply
    assert ruling(text, band=1) == NOTHING


def test_a_purpose_outside_the_closed_list_is_denied() -> None:
    class Unlisted:
        value = "curiosity"

    curious = Seat(POLICE, Role.ANALYST, cast("Purpose", Unlisted()), LegalBasis.CRIMINAL_PROCEDURE)
    assert ruling(OPEN, curious) == NOTHING


def test_no_policy_hides_a_record_from_its_owner() -> None:
    forbidding = '@id("a/none") @label("None") forbid (principal, action, resource);'
    own = Seat(POST, Role.SUBMITTER, Purpose.RISK_ANALYSIS, LegalBasis.LEGAL_OBLIGATION)
    assert ruling(forbidding, own, like(tlp=Tlp.RED)) == replace(
        ALL_OF_IT, reasons=("platform/own",)
    )


@pytest.mark.parametrize(
    ("attributes", "level"),
    [
        (like(tlp=Tlp.CLEAR), 3),
        (like(tlp=Tlp.AMBER), 3),
        (like(tlp=Tlp.AMBER_STRICT), 0),
        (like(tlp=Tlp.RED), 0),
        (like(handling=frozenset({Handling.H3, Handling.H0})), 1),
        (like(handling=frozenset({Handling.H2})), 3),
    ],
)
def test_an_open_policy_cannot_lift_the_platforms_rules(attributes: Any, level: int) -> None:
    assert ruling(OPEN, attributes=attributes).level == level


@pytest.mark.parametrize("owner", [Sector.POLICE, Sector.CUSTOMS, Sector.AUTHORITY])
@pytest.mark.parametrize("reader", [Sector.POST, Sector.COURIER])
def test_from_an_authority_an_operator_gets_presence_at_most(owner: Sector, reader: Sector) -> None:
    ((found,),) = engine.load(OPEN).rulings(
        Member("owner", owner, "NL"), [seat(reader, Purpose.SERVICE_SECURITY)], [(PLAIN, 0)]
    )
    assert found.level == 1


_PURPOSES = {
    Sector.POST: {"parcel_screening", "risk_analysis", "service_security"},
    Sector.COURIER: {"parcel_screening", "risk_analysis", "service_security"},
    Sector.CUSTOMS: {
        "parcel_screening",
        "customs_control",
        "criminal_investigation",
        "criminal_intelligence",
        "risk_analysis",
    },
    Sector.POLICE: {"criminal_investigation", "criminal_intelligence", "risk_analysis"},
    Sector.AUTHORITY: {"criminal_investigation", "criminal_intelligence", "risk_analysis"},
}

_NOT_ITS_BASIS = {
    Sector.POST: {"police_law", "criminal_procedure", "customs_law"},
    Sector.COURIER: {"police_law", "criminal_procedure", "customs_law"},
    Sector.CUSTOMS: {"legitimate_interest", "police_law", "postal_law"},
    Sector.POLICE: {"legitimate_interest", "customs_law", "postal_law"},
    Sector.AUTHORITY: {"legitimate_interest"},
}


@pytest.mark.parametrize("sector", list(Sector))
def test_each_sector_asks_for_its_own_purposes_and_bases_only(sector: Sector) -> None:
    for purpose in Purpose:
        for basis in LegalBasis:
            granted = ruling(OPEN, seat(sector, purpose, basis)).level
            fits = purpose in _PURPOSES[sector] and basis not in _NOT_ITS_BASIS[sector]
            assert (granted > 0) == fits, (sector, purpose, basis)


@pytest.mark.parametrize("sector", list(Sector))
def test_the_basis_that_stands_for_all_is_forbidden_to_nobody(sector: Sector) -> None:
    (basis,) = engine.load(OPEN).distinct_bases()
    for purpose in Purpose:
        assert (ruling(OPEN, seat(sector, purpose, basis)).level > 0) == (
            purpose in _PURPOSES[sector]
        )


def test_a_policy_that_asks_for_the_basis_is_asked_about_all() -> None:
    text = (
        '@id("a/court") @label("Court") permit (principal, action, resource)'
        ' when { context.legalBasis == LegalBasis::"court_order" };'
    )
    assert engine.load(text).distinct_bases() == tuple(LegalBasis)


def test_bands_with_the_same_ruling_are_one_window() -> None:
    young = OPEN.replace(";\n", " when { resource.ageBand <= 1 };\n")
    ((windows,),) = engine.load(young).windows(POST, [INVESTIGATION], [TO_BE_WATCHED])
    assert windows == (Window(0, 29, ALL_OF_IT),)


def test_bands_with_a_gap_between_them_stay_apart() -> None:
    text = OPEN.replace(";\n", " when { resource.ageBand != 2 };\n")
    ((windows,),) = engine.load(text).windows(POST, [INVESTIGATION], [PLAIN])
    assert [(w.age_min, w.age_max) for w in windows] == [(0, 29), (90, 32767)]


def test_a_policy_that_does_not_ask_for_age_has_one_window_or_none() -> None:
    nobody = seat(Sector.POLICE, Purpose.SERVICE_SECURITY)
    found = engine.load(OPEN).windows(POST, [INVESTIGATION, nobody], [TO_BE_WATCHED])
    assert found == [[(Window(0, 32_767, ALL_OF_IT),)], [()]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions each call of Cedar held."""
    counted: list[int] = []
    real = cedarpy.is_authorized_batch

    def counting(requests: list[Any], *others: Any) -> Any:
        counted.append(len(requests))
        return real(requests, *others)

    monkeypatch.setattr(cedarpy, "is_authorized_batch", counting)
    return counted


def test_classes_that_differ_in_what_no_policy_asks_for_are_asked_about_once(
    asked: list[int],
) -> None:
    policies = engine.OwnerPolicies(policy_text.read(OPEN))
    classes = [like(source_grade=grade) for grade in SourceGrade]
    (windows,) = policies.windows(POST, [INVESTIGATION], classes)
    assert len(set(windows)) == 1
    # Once for each action but alert_owner: nobody is left untold.
    assert asked == [1] * 6
    policies.windows(POST, [INVESTIGATION], classes)
    assert asked == [1] * 6


@pytest.mark.parametrize(
    ("condition", "granted", "denied"),
    [
        ('resource.kind == Kind::"pgp"', like(kind=Kind.PGP), PLAIN),
        ('resource.sourceGrade == SourceGrade::"A"', like(source_grade=SourceGrade.A), PLAIN),
        ("resource.informationGrade < 4", like(information_grade=InformationGrade.ONE), PLAIN),
        ('resource.assertion == Assertion::"fact"', like(assertion=Assertion.FACT), PLAIN),
        (
            'resource.permittedAction == PermittedAction::"watch"',
            like(permitted_action=PermittedAction.WATCH),
            PLAIN,
        ),
        (
            'resource.handling.containsAll([Handling::"H0", Handling::"H2"])',
            like(handling=frozenset({Handling.H0, Handling.H2})),
            like(handling=frozenset({Handling.H0})),
        ),
        ("resource.barrierStep == 3", like(barrier_step=3), PLAIN),
        (
            'resource.substance == Substance::"mdma"',
            like(substance=Substance.MDMA),
            PLAIN,
        ),
    ],
)
def test_a_policy_may_ask_for_every_attribute(condition: str, granted: Any, denied: Any) -> None:
    text = OPEN.replace(";\n", f" when {{ {condition} }};\n")
    assert ruling(text, attributes=granted).level == 3
    assert ruling(text, attributes=denied).level == 0


@pytest.mark.parametrize(
    ("scope", "is_meant"),
    [
        ('principal in Organisation::"police-de"', True),
        ('principal in Organisation::"police-nl"', False),
        ('principal in Community::"postal-exchange"', True),
        ('principal in Community::"another"', False),
        ('principal in Country::"DE"', True),
        ('principal in Country::"NL"', False),
        ('principal in Sector::"police"', True),
        ('principal in Sector::"customs"', False),
    ],
)
def test_a_policy_may_name_whom_it_means(scope: str, is_meant: bool) -> None:
    text = OPEN.replace("principal", scope)
    assert ruling(text).level == (3 if is_meant else 0)


def test_the_memory_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ANSWERS_KEPT", 3)
    text = OPEN.replace(";\n", ' when { resource.kind == Kind::"pgp" };\n')
    policies = engine.OwnerPolicies(policy_text.read(text))
    subjects = [(like(kind=kind), 0) for kind in Kind]
    expected = [3 if kind is Kind.PGP else 0 for kind in Kind]
    for _ in range(2):
        (found,) = policies.rulings(POST, [INVESTIGATION], subjects)
        assert [each.level for each in found] == expected


def test_the_memory_of_answers_is_forgotten_only_when_it_would_overflow(
    monkeypatch: pytest.MonkeyPatch, asked: list[int]
) -> None:
    monkeypatch.setattr(engine, "_ANSWERS_KEPT", 3)
    policies = engine.OwnerPolicies(policy_text.read(BY_KIND))
    party, pgp, phone = ([(like(kind=kind), 0)] for kind in (Kind.PARTY, Kind.PGP, Kind.PHONE))

    def questions(subjects: list[Any]) -> int:
        asked.clear()
        policies.rulings(POST, [INVESTIGATION], subjects)
        return asked[0] if asked else 0

    assert questions(party + pgp) == 2
    assert questions(party) == 0  # there is room for one more, so nothing was forgotten
    assert questions(party + phone) == 2  # there is no room for two more


BY_KIND = "".join(
    f'@id("a/{kind}") @label("A {kind}") permit (principal, action, resource)'
    f' when {{ resource.kind == Kind::"{kind}" }};'
    for kind in ("party", "pgp", "phone")
)


def test_what_no_policy_permits_is_not_asked(asked: list[int]) -> None:
    policies = engine.OwnerPolicies(())
    assert policies.rulings(POST, [INVESTIGATION], [(PLAIN, 0)]) == [[NOTHING]]
    assert asked == [1]  # presence, which one's own have; nobody permits an alert


def test_the_labels_of_all_that_decides_are_known_by_id() -> None:
    labels = engine.load(OPEN).labels
    assert labels["post-be/open"] == "All"
    assert labels["platform/own"] == policy_text.platform_policies()[0].label


@pytest.mark.parametrize(
    ("level", "tells_owner", "told"),
    [
        (1, True, Told.BOTH),
        (3, False, Told.REQUESTER_ONLY),
        (0, True, Told.OWNER_ONLY),
        (0, False, None),
    ],
)
def test_who_is_told_follows_from_level_and_owner(
    level: int, *, tells_owner: bool, told: Told | None
) -> None:
    assert Ruling(level, (), tells_owner=tells_owner).told is told


def test_an_alert_is_for_what_the_reader_is_not_told_of() -> None:
    text = (
        '@id("a/seen") @label("Seen") permit (principal, action == Action::"presence", resource)'
        ' when { resource.kind == Kind::"vendor" };'
        '@id("a/alert") @label("Alert") permit (principal, action == Action::"alert_owner",'
        ' resource) when { resource.tlp != Tlp::"CLEAR" };'
    )
    subjects = [(like(kind=Kind.VENDOR), 0), (PLAIN, 0), (like(tlp=Tlp.CLEAR), 0)]
    customs = Member("customs-nl", Sector.CUSTOMS, "NL")
    (found,) = engine.load(text).rulings(customs, [INVESTIGATION], subjects)
    assert found == [
        Ruling(1, ("a/seen",), tells_owner=True),
        Ruling(0, ("a/alert",), tells_owner=True),
        NOTHING,
    ]


def test_what_is_not_granted_is_denied() -> None:
    assert Ruling(0, (), tells_owner=False, may_screen=False, may_feed=False) == NOTHING
    assert (NOTHING.told, NOTHING.reasons) == (None, ())


def explained(text: str, seat: Seat = INVESTIGATION) -> dict[Action, Verdict]:
    return engine.load(text).explain(POST, seat, (TO_BE_WATCHED, 0))


def of_actions(*actions: str) -> str:
    named = ", ".join(f'Action::"{action}"' for action in actions)
    return f'@id("a/some") @label("Some") permit (principal, action in [{named}], resource);'


def test_an_explanation_tells_each_action_that_was_asked_and_why() -> None:
    allowed = Verdict(True, ("post-be/open",))
    assert explained(OPEN) == {
        Action.PRESENCE: allowed,
        Action.METADATA: allowed,
        Action.REQUEST: allowed,
        Action.SCREEN: allowed,
        Action.FEED: allowed,
        Action.TELL_OWNER: Verdict(True, ("platform/owner-is-told", "post-be/open")),
    }


def test_an_explanation_ends_with_the_first_level_that_is_denied() -> None:
    nothing = explained(of_actions("metadata", "request", "alert_owner"))
    assert nothing == {
        Action.PRESENCE: Verdict(False, ()),
        Action.ALERT_OWNER: Verdict(False, ("platform/no-silent-alert-to-operator",)),
    }
    told = explained(of_actions("presence", "screen", "feed"))
    assert {action: verdict.allowed for action, verdict in told.items()} == {
        Action.PRESENCE: True,
        Action.METADATA: False,
        Action.SCREEN: True,
        Action.TELL_OWNER: True,
    }
    shown = explained(of_actions("presence", "metadata"))
    assert {action: verdict.allowed for action, verdict in shown.items()} == {
        Action.PRESENCE: True,
        Action.METADATA: True,
        Action.REQUEST: False,
        Action.SCREEN: False,
        Action.FEED: False,
        Action.TELL_OWNER: True,
    }


def test_of_ones_own_the_platform_alone_is_explained() -> None:
    own = Seat(POST, Role.SUBMITTER, Purpose.RISK_ANALYSIS, LegalBasis.LEGAL_OBLIGATION)
    forbidding = '@id("a/none") @label("None") forbid (principal, action, resource);'
    found = explained(forbidding, own)
    assert {verdict.allowed for verdict in found.values()} == {True}
    assert found[Action.REQUEST] == Verdict(True, ("platform/own",))
    denied = explained(OPEN + forbidding)
    assert denied[Action.PRESENCE] == Verdict(False, ("a/none",))


@pytest.mark.parametrize(
    ("actions", "allowed"),
    [
        (("presence", "metadata", "onward"), True),
        (("presence", "onward"), False),
        (("presence", "metadata"), False),
    ],
)
def test_only_what_is_seen_can_be_passed_on(actions: tuple[str, ...], *, allowed: bool) -> None:
    customs = Member("customs-nl", Sector.CUSTOMS, "NL")
    subject = (like(tlp=Tlp.CLEAR), 0)
    found = engine.load(of_actions(*actions)).may_pass_on(POST, INVESTIGATION, subject, customs)
    assert found == Verdict(allowed, ("a/some",) if allowed else ())


def test_ones_own_is_passed_on_whatever_ones_policy_says() -> None:
    own = Seat(POST, Role.SUBMITTER, Purpose.RISK_ANALYSIS, LegalBasis.LEGAL_OBLIGATION)
    forbidding = '@id("a/none") @label("None") forbid (principal, action, resource);'
    customs = Member("customs-nl", Sector.CUSTOMS, "NL")
    subject = (like(tlp=Tlp.CLEAR), 0)
    found = engine.load(OPEN + forbidding).may_pass_on(POST, own, subject, customs)
    assert found == Verdict(True, ("platform/own",))


def test_who_it_is_passed_on_to_can_be_asked_for() -> None:
    text = OPEN + (
        '@id("a/to") @label("To") forbid (principal, action == Action::"onward", resource)'
        ' unless { context.to in Community::"postal-exchange" };'
    )
    subject = (like(tlp=Tlp.CLEAR), 0)
    answers = {
        communities: engine.load(text).may_pass_on(
            POST, INVESTIGATION, subject, Member("customs-nl", Sector.CUSTOMS, "NL", communities)
        )
        for communities in ((), ("postal-exchange",))
    }
    assert answers == {
        (): Verdict(False, ("a/to",)),
        ("postal-exchange",): Verdict(True, ("post-be/open",)),
    }


def test_a_damaged_rule_of_the_platform_refuses_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> tuple[Policy, ...]:
        return tuple(policy_text.read("permit (principal"))

    monkeypatch.setattr(engine, "platform_policies", damaged)
    engine._load.cache_clear()
    with pytest.raises(StartRefusedError, match=r"line 1: .* Restore it"):
        start.start(cast("Any", None), cast("Any", None))
