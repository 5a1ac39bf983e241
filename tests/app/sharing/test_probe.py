"""Texts that let in nobody or everybody are refused; rules without effect are told."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sharing import engine
from app.sharing.classes import ClassAttributes
from app.sharing.policy_text import MOST_POLICIES, Fault, read
from app.sharing.probe import Probed, probe
from app.sharing.rules import cedar
from app.sharing.seats import Member, Seat
from app.sharing.situations import MOST_READERS
from app.sharing.templates import templates
from postern.vocabulary import (
    Assertion,
    Handling,
    Kind,
    LegalBasis,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    Substance,
    Tlp,
)
from tests.app.sharing.world import POLICIES, like

POST = Member("post-be", Sector.POST, "BE", ("postal-exchange",))
CUSTOMS = Member("customs-nl", Sector.CUSTOMS, "NL", ("postal-exchange",))
POLICE = Member("police-de", Sector.POLICE, "DE", ("postal-exchange",))
COURIER = Member("courier-de", Sector.COURIER, "DE", ("postal-exchange",))
POLICE_FR = Member("police-fr", Sector.POLICE, "FR")
MEMBERS = (POST, CUSTOMS, POLICE, COURIER, POLICE_FR)

INVESTIGATING = (
    'principal.sector == Sector::"police" && context.purpose == Purpose::"criminal_investigation"'
)
TO_POLICE = f"permit (principal, action, resource) when {{ {INVESTIGATING} }};"
TO_ALL = "permit (principal, action, resource);"
SCREENING_FIRST = '(context.purpose == Purpose::"customs_control" && false)'
FIRST = f'({SCREENING_FIRST} || context.purpose == Purpose::"parcel_screening")'
ALERT = 'action == Action::"alert_owner"'


def text_of(*rules: str) -> str:
    """The rules as a text, each named by its place: a/0, a/1 and so on, a line each."""
    return "\n".join(f'@id("a/{n}") @label("A rule") {rule}' for n, rule in enumerate(rules))


def probed(*rules: str, owner: Member = POST, members: Sequence[Member] = MEMBERS) -> Probed:
    return probe(read(text_of(*rules)), owner, members)


def refused(*rules: str, owner: Member = POST) -> tuple[Fault, ...]:
    found = probed(*rules, owner=owner).faults
    assert found
    return found


def warned(*rules: str, owner: Member = POST) -> dict[str, str]:
    """The reason of each warning, by policy; of a text that is not refused."""
    found = probed(*rules, owner=owner)
    assert found.faults == ()
    return {warning.policy: warning.reason for warning in found.warnings}


def when(condition: str, effect: str = "permit", actions: str = "action") -> str:
    return f"{effect} (principal, {actions}, resource) when {{ {condition} }};"


@pytest.mark.parametrize(
    "rules",
    [
        [when("false")],
        [f"permit (principal, action, resource) when {{ {INVESTIGATING} }} unless {{ true }};"],
        [TO_ALL, "forbid (principal, action, resource);"],
        [TO_POLICE, when('principal.sector == Sector::"police"', "forbid")],
        [TO_POLICE, f"forbid (principal, action, resource) unless {{ !({INVESTIGATING}) }};"],
        ['permit (principal in Sector::"post", action, resource) when { ' + INVESTIGATING + " };"],
        ['permit (principal in Organisation::"customs-nl", action, resource)'
         ' when { principal.sector == Sector::"police" };'],
        [when('resource.kind == Kind::"party" && resource.kind == Kind::"pgp"')],
        [when("resource.ageBand > 2 && resource.ageBand < 3")],
        [when("resource.ageBand + 1 > 3 && resource.ageBand < 3")],
        [when("resource.ageBand > resource.informationGrade && resource.ageBand < 2")],
        [when('resource.handling.contains(Handling::"H1") && resource.handling.isEmpty()')],
        [when('context.legalBasis == LegalBasis::"police_law" && '
              'principal.sector == Sector::"post"')],
        [when("principal.organisation == resource.owner")],
        [when('resource.owner in Sector::"police"')],
        ['permit (principal, action == Action::"tell_owner", resource);'],
        ['permit (principal, action == Action::"metadata", resource);'],
        ["permit (principal, action in [Action::\"screen\", Action::\"feed\"], resource);"],
        ['permit (principal, action == Action::"onward", resource)'
         ' when { context.to in Sector::"customs" };'],
        [when("resource.ageBand * 9223372036854775807 > 9223372036854775806 &&"
              " resource.ageBand > 1")],
        ['forbid (principal, action, resource) when { resource.tlp == Tlp::"CLEAR" };'],
    ],
    ids=lambda rules: " ".join(rules)[:90],
)  # fmt: skip
def test_a_text_that_lets_nobody_in_is_refused(rules: list[str]) -> None:
    (fault,) = refused(*rules)
    assert (fault.policy, fault.line) == ("text", 1)
    assert "nobody" in fault.reason
    assert "empty text" in fault.remedy


@pytest.mark.parametrize(
    "rules",
    [
        [TO_POLICE],
        [when(f"{FIRST} && principal.sector == Sector::\"post\"")],  # that situation alone
        [when('principal.role == Role::"approver"')],
        ['permit (principal in Country::"JP", action == Action::"presence", resource);'],
        ['permit (principal, action == Action::"alert_owner", resource)'
         ' when { principal.sector == Sector::"courier" };'],
        [TO_ALL, 'forbid (principal, action == Action::"presence", resource);'],
        [TO_ALL, "forbid (principal, action, resource)"
                 ' unless { principal in Organisation::"customs-nl" };'],
        [when("resource.owner in principal.country")],
        [when("resource.ageBand > resource.informationGrade")],
        [when('[Handling::"H0"].containsAll(resource.handling)')],
        [when('if principal.sector == Sector::"police" then resource.ageBand == 0 else false')],
        [when('principal.country != Country::"BE" && !(principal in Community::"elsewhere")')],
        ['permit (principal is Seat in Community::"a", action, resource)'
         ' when { principal in Community::"b" && !(principal in Community::"c") };'],
        [when('action == Action::"presence" || action == Action::"metadata"')],
        [when('action == Action::"presence"'),
         'permit (principal, action in [Action::"metadata", Action::"onward"], resource)'
         ' when { !(context has to) || context.to == resource.owner };'],
        [when('resource.tlp == Tlp::"RED"', actions='action == Action::"alert_owner"')],
    ],
    ids=lambda rules: " ".join(rules)[:90],
)  # fmt: skip
def test_a_text_that_lets_somebody_in_is_not_refused(rules: list[str]) -> None:
    assert probed(*rules).faults == ()


def test_owner_only_is_somebody_except_of_an_operator_whom_an_authority_asks() -> None:
    alert = 'permit (principal, action == Action::"alert_owner", resource)'
    of_police = alert + ' when { principal.sector == Sector::"police" };'
    assert probed(of_police, owner=CUSTOMS).faults == ()
    assert "nobody" in refused(of_police, owner=POST)[0].reason


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ([TO_ALL], {"a/0"}),
        ([when("true || resource.ageBand > 2")], {"a/0"}),
        ([TO_POLICE, TO_ALL], {"a/1"}),
        ([when('principal.role == Role::"analyst"')], {"a/0"}),
        ([when('resource.tlp != Tlp::"RED"')], {"a/0"}),
        ([TO_ALL, 'forbid (principal, action == Action::"onward", resource);'], {"a/0"}),
        ([TO_ALL, when('resource.tlp == Tlp::"RED"', "forbid")], {"a/0"}),
        ([when("resource.ageBand <= 1"), when("resource.ageBand > 1")], {"a/0", "a/1"}),
        (
            [
                'permit (principal in Sector::"police", action, resource);',
                'permit (principal, action, resource) unless { principal in Sector::"police" };',
            ],
            {"a/0", "a/1"},
        ),
        ([when('context.purpose != Purpose::"parcel_screening"'), TO_ALL], {"a/1"}),
        # The first situation looked at is one that the platform allows.
        (
            [
                when(f"{SCREENING_FIRST} || true"),
                'forbid (principal, action == Action::"onward", resource);',
            ],
            {"a/0"},
        ),
        ([TO_ALL, 'permit (principal, action == Action::"presence", resource);'], {"a/0"}),
        (
            [
                when(f"{SCREENING_FIRST} || resource.ageBand <= 1"),
                when(f"{SCREENING_FIRST} || resource.ageBand > 1"),
                'permit (principal, action == Action::"presence", resource);',
            ],
            {"a/0", "a/1"},
        ),
    ],
)
def test_a_text_that_lets_everybody_in_is_refused_by_name(
    rules: list[str], named: set[str]
) -> None:
    faults = refused(*rules)
    assert {fault.policy for fault in faults} == named
    assert all("everybody" in fault.reason for fault in faults)
    assert all("principal.sector" in fault.remedy for fault in faults)
    assert [fault.line for fault in faults] == sorted(int(name[-1]) + 1 for name in named)


@pytest.mark.parametrize(
    "rules",
    [
        ['permit (principal, action == Action::"presence", resource);'],
        ['permit (principal, action in [Action::"presence", Action::"metadata"], resource);'],
        [when('principal.sector != Sector::"courier"')],
        [when('principal.country != Country::"FR"')],
        [when("resource.ageBand < 4")],
        [when('principal in Community::"postal-exchange"')],
        [when('resource.tlp == Tlp::"CLEAR"')],
        [TO_ALL, when('resource.handling.contains(Handling::"H2")', "forbid")],
        [TO_ALL, when('principal in Organisation::"police-fr"', "forbid")],
        # Where a rule cannot be evaluated nothing is let out.
        [TO_ALL, when("resource.ageBand * 9223372036854775807 < 0", "forbid")],
    ],
)
def test_a_text_that_leaves_anybody_out_is_not_refused(rules: list[str]) -> None:
    assert probed(*rules).faults == ()


def test_an_authority_that_lets_everybody_in_is_refused_though_operators_get_presence() -> None:
    assert refused(TO_ALL, owner=POLICE)[0].policy == "a/0"


def test_naming_all_members_of_today_is_not_everybody() -> None:
    named = " || ".join(f'principal in Organisation::"{m.code}"' for m in MEMBERS[1:])
    assert warned(when(named)) == {}


def test_the_empty_text_is_neither_refused_nor_warned_of() -> None:
    assert probe(read("// nothing"), POST, MEMBERS) == Probed((), ())


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (when('resource.kind == Kind::"party" && resource.kind == Kind::"pgp"'), "never all true"),
        (when("principal.organisation == resource.owner"), "never all true"),
        (when(f'{INVESTIGATING} && context.legalBasis == LegalBasis::"postal_law"'),
         "platform/basis-of-police"),
        (when('resource.tlp == Tlp::"RED"', actions='action == Action::"presence"'),
         "platform/tlp-red"),
        (when('principal.sector == Sector::"customs"', actions='action == Action::"metadata"'),
         "level before it"),
        (when(INVESTIGATING + ' && principal.country == Country::"JP"'), "of today"),
        (when('principal.sector == Sector::"authority"'), "of today"),
        (when("resource.ageBand < 2 && resource.ageBand > 2", "forbid"), "never all true"),
        (when('principal.sector == Sector::"courier"', "forbid"), "forbids nothing"),
        (when('resource.tlp == Tlp::"AMBER+STRICT"', "forbid",
              'action in [Action::"presence", Action::"request"]'), "forbids nothing"),
        (when('principal.sector == Sector::"customs"', "forbid",
              'action == Action::"tell_owner"'), "forbids nothing"),
    ],
)  # fmt: skip
def test_a_rule_without_effect_is_warned_of_by_name_and_line(rule: str, reason: str) -> None:
    found = probed(TO_POLICE, rule)
    assert found.faults == ()
    (warning,) = found.warnings
    assert (warning.policy, warning.line) == ("a/1", 2)
    assert reason in warning.reason
    assert warning.remedy


@pytest.mark.parametrize(
    "rule",
    [
        TO_POLICE,
        when(INVESTIGATING, "forbid", 'action == Action::"tell_owner"'),
        when('resource.handling.contains(Handling::"H2")', "forbid"),
        when('principal.country == Country::"FR"', "forbid"),
        'permit (principal, action == Action::"onward", resource)'
        ' when { principal.sector == Sector::"police" && context.to in Sector::"customs" };',
        # TLP:RED keeps presence from them, and then the owner alone is told.
        when(INVESTIGATING, actions='action == Action::"alert_owner"')
        .replace("police", "courier")
        .replace("criminal_investigation", "service_security"),
    ],
)
def test_a_rule_with_effect_is_not_warned_of(rule: str) -> None:
    assert warned(TO_POLICE, rule) == {}


def test_a_forbid_of_what_is_not_permitted_forbids_nothing() -> None:
    present = when(INVESTIGATING, actions='action == Action::"presence"')
    unfed = when(INVESTIGATING, "forbid", 'action == Action::"feed"')
    assert list(warned(present, unfed)) == ["a/1"]
    assert warned(TO_POLICE, unfed) == {}


def test_owner_only_has_effect_only_where_the_reader_learns_nothing() -> None:
    assert warned(TO_POLICE, when(INVESTIGATING, actions=ALERT), owner=CUSTOMS) == {}
    clear = INVESTIGATING + ' && resource.tlp == Tlp::"CLEAR"'
    found = warned(TO_POLICE, when(clear, actions=ALERT), owner=CUSTOMS)
    assert list(found) == ["a/1"]
    assert "denied elsewhere" in found["a/1"]


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("", "anything of an indicator"),  # patterns it may permit, but does not ask for
        (' && ![Kind::"pattern", Kind::"barrier"].contains(resource.kind)', "anything"),
        (' && resource.kind == Kind::"party"', "anything"),
    ],
)
def test_what_the_platform_denies_of_indicators_alone_is_said_to_be_of_them(
    condition: str, what: str
) -> None:
    operators = 'principal.sector == Sector::"post"' + condition
    rule = when(operators, actions='action == Action::"metadata"')
    found = warned(TO_POLICE, rule, owner=POLICE)
    assert found["a/1"].startswith(f"it can never permit {what}: the platform's rules deny")
    assert "platform/authority-to-operator" in found["a/1"]


@pytest.mark.parametrize(
    ("rule", "reason", "remedy"),
    [
        (
            when("false"),
            "it can never permit anything to anybody: its conditions are never all true of "
            "another organisation",
            "Look for two conditions of which only one can be true.",
        ),
        (
            when('!([Purpose::"parcel_screening", Purpose::"service_security",'
                 ' Purpose::"risk_analysis"].contains(context.purpose)) &&'
                 ' principal.sector == Sector::"post"',
                 actions='action == Action::"presence"'),
            "it can never permit anything: the platform's rules deny all that it permits "
            "(platform/purpose-of-operators)",
            'Read "What no policy can lift" in docs/policies.md, and remove or change it.',
        ),
        (
            when('resource.tlp == Tlp::"RED" && principal.sector == Sector::"post" && '
                 'context.purpose == Purpose::"customs_control"',
                 actions='action == Action::"presence"'),
            "it can never permit anything: the platform's rules deny all that it permits "
            "(platform/tlp-red, platform/purpose-of-operators)",
            'Read "What no policy can lift" in docs/policies.md, and remove or change it.',
        ),
        (
            when('principal.sector == Sector::"customs"', actions='action == Action::"metadata"'),
            "it permits nothing that is not denied elsewhere: another rule of this text forbids "
            "it, or nothing permits the level before it",
            'Permit Action::"presence" to those to whom you permit more, and check your forbids.',
        ),
        (
            when('principal.country == Country::"JP"'),
            "no organisation of today is let in by it; it waits for one that joins",
            "Check sector, country and community if you meant a member of today.",
        ),
        (
            when("false", "forbid"),
            "it never forbids anything: its conditions are never all true of another organisation",
            "Look for two conditions of which only one can be true.",
        ),
        (
            when('principal.sector == Sector::"courier"', "forbid"),
            "it forbids nothing that another rule of this text permits",
            "Remove it, or check that it is about the same readers, purposes and records.",
        ),
    ],
)  # fmt: skip
def test_a_warning_says_what_is_odd_and_what_to_do(rule: str, reason: str, remedy: str) -> None:
    assert probed(TO_POLICE, rule) == Probed((), (Fault("a/1", 2, reason, remedy),))


def test_a_fault_says_what_is_wrong_and_what_to_do() -> None:
    assert refused(when("false")) == (
        Fault(
            "text",
            1,
            "it lets nobody in: there is no reader to whom it grants anything",
            "Publish an empty text if you mean to share nothing; else add a permit of"
            ' Action::"presence" for those whom you mean.',
        ),
    )
    assert refused(TO_ALL) == (
        Fault(
            "a/0",
            1,
            "it lets everybody in: every organisation may ask for every record, for every"
            " purpose that the platform's rules allow",
            "Name whom you mean by principal.sector or a country, and why by context.purpose.",
        ),
    )


def test_what_a_later_rule_forbids_is_warned_of() -> None:
    customs = when('principal.sector == Sector::"customs"')
    assert warned(TO_POLICE, customs, when('principal in Sector::"customs"', "forbid")) == {
        "a/1": "it permits nothing that is not denied elsewhere: another rule of this text forbids"
        " it, or nothing permits the level before it"
    }


@pytest.mark.parametrize("owner", [POST, CUSTOMS, POLICE], ids=lambda owner: owner.code)
def test_the_demonstration_has_neither_faults_nor_warnings(owner: Member) -> None:
    text = (POLICIES / "demo" / f"{owner.code}.cedar").read_text("utf-8")
    assert probe(read(text), owner, MEMBERS) == Probed((), ())


@pytest.mark.parametrize("owner", MEMBERS[:3], ids=lambda owner: owner.code)
def test_a_template_lets_somebody_in_and_not_everybody(owner: Member) -> None:
    members = [
        Member(f"{sector}-{country}", sector, country)
        for sector, country in product(Sector, ("BE", "NL", "DE"))
    ]
    for template in templates(owner.sector):
        found = probe(read(cedar(template.rules(owner.country), owner.code)), owner, members)
        if template.id == "holding-back":
            assert [fault.policy for fault in found.faults] == ["text"]
        else:
            assert found == Probed((), ()), template.id


def test_a_text_with_too_many_situations_is_warned_of_and_never_refused() -> None:
    intricate = when(
        " && ".join(
            (
                '[Country::"NL", Country::"DE"].contains(principal.country)',
                '[LegalBasis::"court_order", LegalBasis::"public_task"].contains'
                "(context.legalBasis)",
                '[Kind::"party", Kind::"pgp", Kind::"phone"].contains(resource.kind)',
                '[Tlp::"GREEN", Tlp::"AMBER"].contains(resource.tlp)',
                '[Substance::"mdma", Substance::"lsd"].contains(resource.substance)',
                '[SourceGrade::"A", SourceGrade::"B"].contains(resource.sourceGrade)',
                "resource.barrierStep * resource.informationGrade > resource.ageBand",
                'resource.handling.contains(Handling::"H2")',
                '[PartyRole::"sender", PartyRole::"vendor"].contains(resource.role)',
            )
        )
    )
    assert probed(intricate, intricate).faults == ()
    nobody = probed(intricate, "forbid (principal, action, resource);", when("false"))
    assert nobody.faults == ()
    assert [warning.policy for warning in nobody.warnings] == ["text", "a/2"]
    assert "as far as could be seen" in nobody.warnings[0].reason
    assert "nobody" in nobody.warnings[0].reason
    everybody = probed(intricate, TO_ALL)
    assert everybody.faults == ()
    assert [warning.policy for warning in everybody.warnings] == ["a/1"]
    assert "everybody" in everybody.warnings[0].reason


def test_more_kinds_of_reader_than_can_be_looked_at_refuse_nothing() -> None:
    joined = " && ".join(f'principal in Community::"c{n}"' for n in range(12))
    assert MOST_READERS < 2**12
    assert probed(when(joined + " && " + INVESTIGATING)).faults == ()
    assert probed(when("false && " + joined)).faults == ()


def test_the_longest_text_is_answered() -> None:
    rules = [
        when(
            f"{INVESTIGATING} && resource.barrierStep == {n % 8}"
            ' && principal.country == Country::"FR"'
            f' && resource.substance == Substance::"{list(Substance)[n % 15]}"'
            f' && resource.kind == Kind::"{list(Kind)[n % 9]}"'
        )
        for n in range(MOST_POLICIES)
    ]
    assert probed(*rules) == Probed((), ())


def _words(kind: str, words: Sequence[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True).map(
        lambda chosen: "[" + ", ".join(f'{kind}::"{word}"' for word in chosen) + "]"
    )


_CONDITIONS = st.one_of(
    _words("Sector", list(Sector)).map("{}.contains(principal.sector)".format),
    _words("Country", ["BE", "NL", "FR"]).map("{}.contains(principal.country)".format),
    _words("Purpose", list(Purpose)).map("{}.contains(context.purpose)".format),
    _words("LegalBasis", list(LegalBasis)).map("{}.contains(context.legalBasis)".format),
    _words("Role", list(Role)).map("{}.contains(principal.role)".format),
    _words("Tlp", list(Tlp)).map("{}.contains(resource.tlp)".format),
    _words("Handling", list(Handling)).map("resource.handling.containsAny({})".format),
    _words("Kind", list(Kind)[:3]).map("{}.contains(resource.kind)".format),
    _words("PermittedAction", list(PermittedAction)).map(
        "{}.contains(resource.permittedAction)".format
    ),
    st.integers(0, 4).map("resource.ageBand <= {}".format),
    st.integers(0, 4).map("resource.ageBand == {}".format),
    st.sampled_from(
        [
            'principal in Community::"postal-exchange"',
            'principal in Organisation::"customs-nl"',
            "resource.owner in principal.country",
            'resource.assertion == Assertion::"fact"',
            "resource.handling.isEmpty()",
        ]
    ),
)
_RULES = st.builds(
    lambda effect, actions, tests, exception: (
        f"{effect} (principal, {actions}, resource) when {{ {' && '.join(tests) or 'true'} }}"
        + (f" unless {{ {exception} }};" if exception else ";")
    ),
    st.sampled_from(["permit", "permit", "forbid"]),
    st.sampled_from(
        [
            "action",
            'action == Action::"presence"',
            'action in [Action::"presence", Action::"metadata", Action::"request"]',
            'action in [Action::"metadata", Action::"request"]',
            'action == Action::"alert_owner"',
            'action == Action::"tell_owner"',
        ]
    ),
    st.lists(_CONDITIONS, max_size=3),
    st.none() | _CONDITIONS,
)
_SEATS = st.builds(
    Seat,
    st.sampled_from([*MEMBERS[1:], Member("authority-be", Sector.AUTHORITY, "BE")]),
    st.sampled_from(Role),
    st.sampled_from(Purpose),
    st.sampled_from(LegalBasis),
)
_SUBJECTS = st.tuples(
    st.builds(
        like,
        kind=st.sampled_from(Kind),
        tlp=st.sampled_from(Tlp),
        handling=st.frozensets(st.sampled_from(Handling), max_size=2),
        assertion=st.sampled_from(Assertion),
        permitted_action=st.sampled_from(PermittedAction),
    ),
    st.integers(0, 4),
)


@settings(max_examples=80, deadline=None)
@given(
    rules=st.lists(_RULES, min_size=1, max_size=4),
    seats=st.lists(_SEATS, min_size=20, max_size=20, unique=True),
    subjects=st.lists(_SUBJECTS, min_size=10, max_size=10, unique=True),
)
def test_the_engine_never_contradicts_what_is_said(
    rules: list[str], seats: list[Seat], subjects: list[tuple[ClassAttributes, int]]
) -> None:
    text = text_of(*rules)
    found = probe(read(text), POST, MEMBERS)
    idle = {w.policy for w in found.warnings if "never" in w.reason or "denied" in w.reason}
    rulings = [ruling for row in engine.load(text).rulings(POST, seats, subjects) for ruling in row]
    if any("nobody" in fault.reason for fault in found.faults):
        assert all(ruling.told is None for ruling in rulings)
    assert not idle & {reason for ruling in rulings for reason in ruling.reasons}
    # A text from which a silent rule is taken away decides as before.
    silent = {w.policy for w in found.warnings if "forbids nothing" in w.reason} | idle
    rest = text_of(*(r if f"a/{n}" not in silent else when("false") for n, r in enumerate(rules)))
    again = [ruling for row in engine.load(rest).rulings(POST, seats, subjects) for ruling in row]
    assert [(r.level, r.tells_owner) for r in again] == [(r.level, r.tells_owner) for r in rulings]
