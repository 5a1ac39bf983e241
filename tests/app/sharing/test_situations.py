"""What a policy can tell apart, which situations are looked at, and what Cedar is asked of each."""

import hashlib
import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from app.sharing import situations
from app.sharing.policy_text import platform_policies, read
from app.sharing.seats import Member
from app.sharing.situations import PolicyAlone, Situations, look_at
from postern.vocabulary import Action, Sector
from tests.app.sharing.test_probe import MEMBERS, POST, TO_ALL, TO_POLICE, text_of, when

OTHERS = MEMBERS[1:]
ONWARD_TO_CUSTOMS = (
    'permit (principal, action == Action::"onward", resource)'
    ' when { context.to in Sector::"customs" };'
)


def alone(rule: str) -> PolicyAlone:
    (policy,) = read(text_of(rule))
    return PolicyAlone(policy)


def looked_at(*rules: str, owner: Member = POST) -> tuple[list[PolicyAlone], Situations]:
    text = [PolicyAlone(policy) for policy in read(text_of(*rules))]
    platform = [PolicyAlone(policy) for policy in platform_policies()]
    return text, look_at(text, platform, owner, OTHERS)


@pytest.mark.parametrize(
    ("rule", "dimensions"),
    [
        (TO_ALL, []),
        (TO_POLICE, ["context.purpose", "principal"]),
        ('permit (principal in Sector::"post", action, resource);',
         ["principal", "principal.role"]),
        (when("principal == principal"), ["principal", "principal.role"]),
        (when("principal has role"), ["principal.role"]),
        (when('principal.country == Country::"NL"'), ["principal"]),
        (when("principal.organisation == resource.owner"), ["principal"]),
        (when("context == context"), ["context.legalBasis", "context.purpose", "context.to"]),
        (when("context has purpose"), ["context.purpose"]),
        (when("resource == resource"), []),
        (when('action == Action::"presence"'), []),
        (when("resource.ageBand > resource.informationGrade"),
         ["resource.ageBand", "resource.informationGrade"]),
        (when("[resource.barrierStep, 1].contains(2)"), ["resource.barrierStep"]),
        # A record's attributes can have the names of operators.
        (when('{".": resource.ageBand, "has": 1}["has"] == 1'), ["resource.ageBand"]),
        (f"{TO_ALL[:-1]} unless {{ resource.ageBand == 1 }};", ["resource.ageBand"]),
    ],
)  # fmt: skip
def test_what_a_policy_asks_for_is_what_it_can_tell_apart(rule: str, dimensions: list[str]) -> None:
    assert alone(rule).dimensions == dimensions


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (TO_ALL, False),
        (TO_POLICE, False),
        (when('action == Action::"presence"'), True),
        # Whether there is a recipient tells actions apart, unless every action asked has one.
        (when('context has to && context.to in Sector::"customs"'), True),
        ('permit (principal, action in [Action::"presence", Action::"onward"], resource)'
         " when { context has to };", True),
        (ONWARD_TO_CUSTOMS, False),
        ('permit (principal, action == Action::"onward", resource);', False),
    ],
)  # fmt: skip
def test_one_action_stands_for_all_that_a_policy_does_not_tell_apart(
    rule: str, *, asks: bool
) -> None:
    policy = alone(rule)
    assert policy.asks_action is asks
    assert len(policy.asked_actions) == (len(policy.actions) if asks else 1)
    assert policy.is_known_wholly is False
    assert not policy.ever_applies


NL = Member("customs-nl", Sector.CUSTOMS, "NL", ("benelux",))
DE = Member("police-de", Sector.POLICE, "DE")


@pytest.mark.parametrize(
    ("rule", "dimension", "first", "second", "is_same"),
    [
        (TO_POLICE, "principal", NL, Member("x", Sector.POST, "BE"), True),
        (TO_POLICE, "principal", DE, Member("x", Sector.POST, "BE"), False),
        (TO_POLICE, "principal", DE, Member("x", Sector.POLICE, "BE"), True),
        (when('principal.country == Country::"NL"'), "principal", NL, DE, False),
        (when('principal.country == Country::"FR"'), "principal", NL, DE, True),
        (when('principal in Organisation::"police-de"'), "principal", NL, DE, False),
        (when('principal in Organisation::"police-fr"'), "principal", NL, DE, True),
        (when('principal in Community::"benelux"'), "principal", NL, DE, False),
        (when('principal in Community::"elsewhere"'), "principal", NL, DE, True),
        (when("resource.owner in principal.country"), "principal", DE,
         Member("x", Sector.POLICE, "DE"), False),
        (when('resource.tlp == Tlp::"RED"'), "resource.tlp", "RED", "AMBER", False),
        (when('resource.tlp == Tlp::"RED"'), "resource.tlp", "GREEN", "AMBER", True),
        (when('resource.handling.contains(Handling::"H1")'), "resource.handling",
         frozenset({"H1"}), frozenset({"H1", "H2"}), False),
        (when('resource.handling.contains(Handling::"H1")'), "resource.handling",
         frozenset({"H3"}), frozenset({"H2"}), True),
        (when('resource.handling.contains(Handling::"H1")'), "resource.handling",
         frozenset({"H1", "H2"}), frozenset({"H2"}), False),
        (when("resource.ageBand > 2"), "resource.ageBand", 3, 4, True),
        (when("resource.ageBand > 2"), "resource.ageBand", 0, 1, True),
        (when("resource.ageBand > 2"), "resource.ageBand", 1, 2, False),
        (when("resource.ageBand > 2"), "resource.ageBand", 2, 3, False),
        (when("resource.ageBand + 1 > 2"), "resource.ageBand", 3, 4, False),
        (when("resource.ageBand - 1 > 2"), "resource.ageBand", 3, 4, False),
        (when("resource.ageBand * 1 > 2"), "resource.ageBand", 3, 4, False),
        (when("-resource.ageBand > -2"), "resource.ageBand", 3, 4, False),
        (when("resource.ageBand > resource.barrierStep"), "resource.ageBand", 3, 4, False),
        (when("true == (resource.ageBand > 2)"), "resource.ageBand", 0, 1, True),
    ],
)  # fmt: skip
def test_values_that_a_policy_cannot_tell_apart_are_one(
    rule: str, dimension: str, first: object, second: object, *, is_same: bool
) -> None:
    policy = alone(rule)
    found = policy.signature(dimension, first), policy.signature(dimension, second)
    assert (found[0] == found[1]) is is_same


@pytest.mark.parametrize(
    ("condition", "is_relational"),
    [
        *((f"resource.ageBand {sign} resource.barrierStep", True)
          for sign in ("==", "!=", "<", "<=", ">", ">=")),
        *((f"resource.ageBand {sign} 3", False) for sign in ("==", "!=", "<", "<=", ">", ">=")),
        ("[resource.tlp].contains(resource.tlp)", True),
        ('resource.handling.contains(Handling::"H1")', False),
        ("resource.handling.containsAll(resource.handling)", True),
        ("resource.handling.containsAny(resource.handling)", True),
        ("resource.owner in principal.organisation", True),
        ('principal in Country::"NL"', False),
        # No reader is the owner, so that these are as good as constants.
        ("principal.organisation == resource.owner", False),
        ("resource.owner != principal.organisation", False),
        ("principal.organisation == principal.organisation", True),
    ],
)  # fmt: skip
def test_a_policy_that_compares_two_things_tells_all_of_them_apart(
    condition: str, *, is_relational: bool
) -> None:
    assert alone(when(condition)).is_relational is is_relational


def test_what_a_policy_mentions_is_likely_to_meet_it() -> None:
    policy = alone(
        when(
            'principal.sector == Sector::"police" && resource.tlp == Tlp::"RED"'
            " && resource.ageBand < 2"
        )
    )
    policy.group({"principal": [NL, DE], "resource.tlp": ["RED", "GREEN", "AMBER"],
                  "resource.ageBand": [0, 1, 2, 3]})  # fmt: skip
    assert policy.dimensions == ["principal", "resource.ageBand", "resource.tlp"]
    assert policy.groups == [[[0], [1]], [[0, 1], [2], [3]], [[0], [1, 2]]]
    assert policy.likely == [[1], [0, 1, 2], [0]]
    assert policy.questions == 2 * 3 * 2
    assert len(policy.every_key()) == 12
    points = [{"principal": 1, "resource.ageBand": 1, "resource.tlp": 2}]
    points += [{"principal": 1, "resource.ageBand": 0, "resource.tlp": 1}]
    points += [{"principal": 0, "resource.ageBand": 3, "resource.tlp": 0}]
    assert policy.keys_at(points) == [(0, 2, 0), (1, 0, 1)]


VALUES: dict[str, list[Any]] = {
    "principal": [POST, NL, DE],
    "principal.role": ["analyst", "approver"],
    "resource.tlp": ["CLEAR", "RED"],
}


def _bits(values: Mapping[str, list[Any]], points: list[Mapping[str, int]], **met: int) -> int:
    """Found the long way: one situation after the other."""
    return sum(
        1 << number
        for number, point in enumerate(points)
        if all(point[name.replace("_", ".")] == place for name, place in met.items())
    )


def test_every_combination_has_its_bit_and_the_first_dimension_changes_first() -> None:
    every = [
        dict(zip(reversed(VALUES), reversed(places), strict=True))
        for places in product(*(range(len(values)) for values in reversed(VALUES.values())))
    ]
    points: list[Mapping[str, int]] = [
        {"principal": reader, "principal.role": role, "resource.tlp": tlp}
        for tlp, role, reader in product(range(2), range(2), range(3))
    ]
    assert len(every) == len(points) == 12
    found = Situations(VALUES, [1, 2], is_whole=True)
    assert found.everything == 0xFFF
    assert found.tells_markings_apart is True
    assert found.by_analysts == _bits(VALUES, points, principal_role=0)
    assert found.with_present == 0xFFF & ~_bits(VALUES, points, principal=0)
    rule = alone(when('principal.sector == Sector::"police" && resource.tlp == Tlp::"RED"'))
    rule.group(VALUES)
    police_and_red = _bits(VALUES, points, principal=2, resource_tlp=1)
    assert found.having(rule, [(1, 1)]) == police_and_red
    assert found.having(rule, [(1, 1), (1, 0)]) == _bits(VALUES, points, principal=2)
    assert found.having(rule, []) == 0


def test_a_sample_has_a_bit_for_each_of_its_situations() -> None:
    points = [
        {"principal": 0, "principal.role": 1, "resource.tlp": 1},
        {"principal": 2, "principal.role": 0, "resource.tlp": 1},
        {"principal": 2, "principal.role": 1, "resource.tlp": 0},
    ]
    found = Situations(VALUES, [2], is_whole=False, points=points)
    assert (found.everything, found.by_analysts, found.with_present) == (0b111, 0b010, 0b110)
    assert not found.is_whole
    rule = alone(when('resource.tlp == Tlp::"RED"'))
    rule.group(VALUES)
    assert (found.having(rule, [(1,)]), found.having(rule, [(0,)])) == (0b011, 0b100)


def test_where_one_marking_stands_for_all_and_nobody_is_there() -> None:
    found = Situations({"principal": [POST, NL], "resource.tlp": ["CLEAR"]}, [], is_whole=True)
    assert found.tells_markings_apart is False
    assert (found.by_analysts, found.with_present) == (0b11, 0)
    found = Situations({"principal": [NL], "resource.tlp": ["CLEAR", "RED"]}, [0], is_whole=True)
    assert found.with_present == 0b11


def test_readers_are_told_apart_by_what_the_text_names() -> None:
    rule = when(
        'principal in Community::"postal-exchange" && principal in Country::"NL"'
        ' && principal.organisation != Organisation::"police-fr"'
    )
    _, found = looked_at(rule)
    readers = found.values["principal"]
    assert [
        (each.code, each.sector, each.country, each.communities) for each in readers
    ] == [
        *(
            (f"someone/{place}", sector, country, communities)
            for place, (communities, country, sector) in enumerate(
                product([(), ("postal-exchange",)], ["ZZ", "NL"], Sector)
            )
        ),
        ("police-fr", Sector.POLICE, "ZZ", ()),
    ]  # fmt: skip
    # A courier and police of elsewhere in the community, customs of NL in it, and police-fr.
    there = [
        place
        for place in range(len(readers))
        if found.with_present & found.having(*_only(found, "principal", place))
    ]
    assert there == [11, 13, 17, 20]


def _only(found: Situations, dimension: str, place: int) -> tuple[PolicyAlone, list[tuple[int]]]:
    """As arguments of `having`: the situations with that value of the dimension."""
    rule = alone(when("resource.owner in principal.country"))
    assert rule.dimensions == [dimension]
    rule.group(found.values)
    return rule, [(place,)]


def test_two_communities_can_be_joined_one_by_one_and_together() -> None:
    rule = when('principal in Community::"b" && !(principal in Community::"a")')
    _, found = looked_at(rule)
    assert found.is_whole
    assert [each.communities for each in found.values["principal"][::5]] == [
        (),
        ("a",),
        ("a", "b"),
        ("b",),
    ]


def test_the_owners_country_counts_where_a_rule_compares_with_it() -> None:
    _, found = looked_at(when("resource.owner in principal.country"))
    assert {each.country for each in found.values["principal"]} == {"ZZ", "BE"}
    assert found.having(*_only(found, "principal", 0))


def test_of_too_many_kinds_of_reader_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = when(" && ".join(f'principal in Community::"c{n}"' for n in range(3)))
    monkeypatch.setattr(situations, "MOST_READERS", 40)
    (policy,), found = looked_at(rule)
    assert (len(found.values["principal"]), found.is_whole, policy.is_known_wholly) == (
        40,
        True,
        True,
    )
    monkeypatch.setattr(situations, "MOST_READERS", 39)
    (policy,), found = looked_at(rule)
    assert not found.is_whole
    assert not policy.is_known_wholly
    # Too many to combine: those of none, of today, and of all.
    assert {each.communities for each in found.values["principal"]} == {(), ("c0", "c1", "c2")}
    monkeypatch.setattr(situations, "MOST_READERS", 7)
    _, found = looked_at(rule)
    assert found.is_whole is False
    assert [each.code for each in found.values["principal"]] == [f"someone/{n}" for n in range(7)]
    assert found.values["principal"][0] == Member("someone/0", Sector.POST, "ZZ")
    kinds = {(each.sector, each.communities) for each in found.values["principal"]}
    assert len(kinds) == 7
    # So that a text is answered tomorrow as it is today.
    places = [list(Sector).index(each.sector) for each in found.values["principal"]]
    assert places == [0, 3, 0, 1, 2, 1, 4]


def test_where_all_are_too_many_those_of_each_rule_are_combined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = [when(f'principal in Community::"{x}" && principal in Community::"{y}"')
             for x, y in ("ab", "cd")]  # fmt: skip
    monkeypatch.setattr(situations, "MOST_READERS", 79)
    _, found = looked_at(*rules)
    assert not found.is_whole
    assert {each.communities for each in found.values["principal"]} == {
        *((), ("a",), ("b",), ("a", "b"), ("c",), ("d",), ("c", "d")),
        ("a", "b", "c", "d"),
    }


def test_as_much_is_looked_at_whole_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = look_at_with(monkeypatch, "MOST_SITUATIONS", 30)
    assert (whole.is_whole, whole.everything.bit_count()) == (True, 30)
    part = look_at_with(monkeypatch, "MOST_SITUATIONS", 29)
    assert (part.is_whole, part.everything.bit_count()) == (False, situations.SAMPLED[0])
    rules = [PolicyAlone(policy) for policy in (*read(text_of(TO_POLICE)), *platform_policies())]
    for rule in rules:
        rule.group(whole.values)
    questions = sum(rule.questions for rule in rules)
    monkeypatch.undo()
    assert look_at_with(monkeypatch, "MOST_QUESTIONS", questions).is_whole
    assert not look_at_with(monkeypatch, "MOST_QUESTIONS", questions - 1).is_whole


def look_at_with(monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> Situations:
    monkeypatch.setattr(situations, limit, most)
    return looked_at(TO_POLICE)[1]


def test_a_policy_of_few_questions_is_known_wholly_in_a_sample_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(situations, "MOST_SITUATIONS", 1)
    rules = 1 + len(platform_policies())
    for share, is_known in ((4, True), (3, False)):  # TO_POLICE is known by four questions
        monkeypatch.setattr(situations, "MOST_QUESTIONS", 2 * rules * share)
        (policy,), found = looked_at(TO_POLICE)
        assert found.is_whole is False
        assert policy.is_known_wholly is is_known
        assert policy.applies[Action.PRESENCE]


def test_where_readers_are_drawn_only_what_asks_for_none_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(situations, "MOST_READERS", 4)
    (readers, purpose, onward), found = looked_at(
        TO_POLICE, when('context.purpose == Purpose::"risk_analysis"'), ONWARD_TO_CUSTOMS
    )
    assert found.is_whole is False
    assert (readers.is_known_wholly, purpose.is_known_wholly) == (False, True)
    assert onward.is_known_wholly is False


def test_the_freest_code_that_no_rule_names_stands_for_the_rest() -> None:
    for named, rest in (("H0,H2", "H1"), ("H0,H1,H2", "H3"), ("H0,H1,H2,H3", None)):
        codes = named.split(",")
        words = ", ".join(f'Handling::"{code}"' for code in codes)
        _, found = looked_at(when(f"resource.handling.containsAny([{words}])"))
        everything = frozenset().union(*found.values["resource.handling"])
        assert everything == {*codes, *([rest] if rest else [])}


@pytest.mark.parametrize(
    ("condition", "dimension", "values"),
    [
        ("resource.ageBand <= 1", "resource.ageBand", [0, 1, 2]),
        ("resource.ageBand > 3", "resource.ageBand", [0, 3, 4]),
        ("resource.barrierStep == 3", "resource.barrierStep", [0, 3, 4]),
        ("resource.informationGrade + 0 == 3", "resource.informationGrade", [1, 2, 3, 4]),
        ('resource.handling.contains(Handling::"H0")', "resource.handling",
         [set(), {"H0"}, {"H2"}, {"H0", "H2"}]),
        ('resource.handling.contains(Handling::"H1")', "resource.handling",
         [set(), {"H1"}, {"H0"}, {"H0", "H1"}]),
        ('resource.tlp == Tlp::"RED"', "resource.tlp", ["CLEAR", "AMBER", "AMBER+STRICT", "RED"]),
        ('resource.tlp == Tlp::"CLEAR"', "resource.tlp",
         ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]),
        ('resource.kind == Kind::"pgp"', "resource.kind", ["party", "pgp", "pattern", "barrier"]),
        ('resource.kind == Kind::"party"', "resource.kind",
         ["party", "address", "pattern", "barrier"]),
        ('resource.permittedAction == PermittedAction::"know"', "resource.permittedAction",
         ["watch", "know"]),
        ('principal.role == Role::"approver"', "principal.role", ["analyst", "approver"]),
        ('principal.role == Role::"analyst"', "principal.role", ["analyst", "submitter"]),
        ("true", "context.purpose",
         ["customs_control", "parcel_screening", "criminal_investigation",
          "criminal_intelligence", "risk_analysis", "service_security"]),
        ("true", "context.legalBasis", ["public_task"]),
        ("true", "resource.tlp", ["CLEAR"]),
        ("true", "resource.handling", [set()]),
    ],
)  # fmt: skip
def test_a_value_is_looked_at_for_each_name_and_one_for_the_rest(
    condition: str, dimension: str, values: list[object]
) -> None:
    _, found = looked_at(when(condition))
    assert found.values[dimension] == values


def test_a_recipient_is_anybody_where_the_text_asks_and_else_the_freest() -> None:
    _, found = looked_at(TO_ALL)
    assert found.values["context.to"] == [Member("someone/else", Sector.CUSTOMS, "ZZ")]
    _, found = looked_at(ONWARD_TO_CUSTOMS)
    assert found.values["context.to"] == [*found.values["principal"], POST]


@pytest.mark.parametrize(
    ("rule", "applies"),
    [
        (TO_POLICE, 1),
        (TO_ALL, 30),
        (when('principal.sector == Sector::"police"'), 6),
        (when('context.purpose == Purpose::"criminal_investigation"'), 5),
        (when("false"), 0),
        ('permit (principal is Seat, action, resource);', 30),
        (when('principal.organisation != resource.owner && action != Action::"feed"'), 30),
        (when('principal.organisation == resource.owner'), 0),
    ],
)  # fmt: skip
def test_cedar_says_in_which_situations_a_policy_applies(rule: str, applies: int) -> None:
    (policy,), found = looked_at(rule)
    assert found.is_whole
    assert policy.is_known_wholly
    assert policy.applies[Action.PRESENCE].bit_count() == applies
    assert policy.ever_applies is (applies > 0)
    assert set(policy.applies) == set(policy.actions)
    fed = 0 if '"feed"' in rule else applies
    assert policy.applies[Action.FEED].bit_count() == fed
    assert not any(policy.fails.values())


def test_where_cedar_cannot_evaluate_a_policy_it_fails() -> None:
    (policy,), found = looked_at(when("resource.ageBand * 9223372036854775807 > 0"))
    ages = found.values["resource.ageBand"]
    assert ages == [0, 1, 2, 3, 4]
    per_age = found.everything.bit_count() // len(ages)
    for action in Action:
        assert policy.applies[action].bit_count() == per_age
        assert policy.fails[action].bit_count() == 3 * per_age
        assert not policy.applies[action] & policy.fails[action]


def test_cedar_is_asked_about_each_thing_once() -> None:
    entities = situations._Entities(Member("owner", Sector.POST, "BE", ("a",)))
    situation: dict[str, Any] = {
        "principal": Member("reader", Sector.CUSTOMS, "NL", ("b", "c")),
        "principal.role": "approver",
        "context.purpose": "customs_control",
        "context.legalBasis": "customs_law",
        "context.to": Member("third", Sector.COURIER, "DE"),
        "resource.handling": frozenset({"H2", "H1"}),
        "resource.barrierStep": 3,
        "resource.kind": "pgp",
    }
    request = entities.request(Action.ONWARD, situation)
    assert request["action"] == 'Action::"onward"'
    assert json.loads(request["context"]) == {
        "purpose": _named("Purpose", "customs_control"),
        "legalBasis": _named("LegalBasis", "customs_law"),
        "to": _named("Organisation", "third"),
    }
    rows = {(row["uid"]["type"], row["uid"]["id"]): row for row in entities.rows}
    assert [row["parents"] for row in entities.rows] == [
        [_uid("Sector", "post"), _uid("Country", "BE")],
        [_uid("Sector", "customs"), _uid("Country", "NL"), _uid("Community", "b"),
         _uid("Community", "c")],
        [_uid("Organisation", "reader")],
        [],
        [_uid("Sector", "courier"), _uid("Country", "DE")],
    ]  # fmt: skip
    seat = rows["Seat", request["principal"].split('"')[1]]
    assert seat["attrs"] == {
        "organisation": _uid("Organisation", "reader"),
        "sector": _uid("Sector", "customs"),
        "country": _uid("Country", "NL"),
        "role": _uid("Role", "approver"),
    }
    record = rows["ShareClass", request["resource"].split('"')[1]]
    assert record["attrs"] == {
        "owner": _uid("Organisation", "owner"),
        "kind": _uid("Kind", "pgp"),
        "role": _uid("PartyRole", "sender"),
        "tlp": _uid("Tlp", "CLEAR"),
        "handling": [_uid("Handling", "H1"), _uid("Handling", "H2")],
        "sourceGrade": _uid("SourceGrade", "A"),
        "informationGrade": 1,
        "assertion": _uid("Assertion", "fact"),
        "permittedAction": _uid("PermittedAction", "watch"),
        "barrierStep": 3,
        "substance": _uid("Substance", "unknown"),
        "ageBand": 0,
    }
    many = len(entities.rows)
    assert entities.request(Action.ONWARD, situation) == request
    assert len(entities.rows) == many
    # No other action has a recipient.
    presence = entities.request(Action.PRESENCE, situation)
    assert json.loads(presence["context"]).keys() == {"purpose", "legalBasis"}
    assert (presence["principal"], presence["resource"]) == (
        request["principal"],
        request["resource"],
    )


def test_what_a_situation_leaves_open_is_as_free_as_can_be() -> None:
    entities = situations._Entities(POST)
    request = entities.request(Action.ONWARD, {"principal": NL, "context.purpose": "risk_analysis"})
    assert json.loads(request["context"]) == {
        "purpose": _named("Purpose", "risk_analysis"),
        "legalBasis": _named("LegalBasis", "public_task"),
        "to": _named("Organisation", "someone/else"),
    }
    roles = [row["attrs"]["role"] for row in entities.rows if row["uid"]["type"] == "Seat"]
    assert roles == [_uid("Role", "analyst")]
    (record,) = [row["attrs"] for row in entities.rows if row["uid"]["type"] == "ShareClass"]
    assert (record["tlp"], record["handling"], record["permittedAction"]) == (
        _uid("Tlp", "CLEAR"),
        [],
        _uid("PermittedAction", "watch"),
    )


def test_a_sample_is_drawn_for_the_policies_and_always_the_same() -> None:
    first = when('resource.tlp == Tlp::"RED" && principal.sector == Sector::"police"')
    values: dict[str, list[Any]] = {
        "principal": [POST, NL, DE],
        "resource.tlp": ["CLEAR", "AMBER", "RED"],
        "resource.kind": ["party", "pgp"],
    }
    policies = [alone(first), alone(when('resource.kind == Kind::"pgp"'))]
    for policy in policies:
        policy.group(values)
    guessed = situations._sample(values, policies)
    assert len(guessed) == situations.SAMPLED[0]
    policies[0].applying[Action.PRESENCE].add((1, 1))
    known = situations._sample(values, policies)
    # One in two is drawn for the first policy, and three in four of those are guided by it.
    of_first = [point for point in known[::2] if point["principal"] == point["resource.tlp"] == 2]
    assert len(of_first) / len(known[::2]) == pytest.approx(0.75, abs=0.05)
    # So that a text is answered tomorrow as it is today.
    assert [_digest(guessed), _digest(known)] == ["d16a7a9630967dee", "d32df5e92fc84644"]


def test_a_sample_is_as_large_as_the_questions_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = alone(when('action == Action::"feed" && resource.tlp == Tlp::"RED"'))
    values: dict[str, list[Any]] = {"resource.tlp": ["CLEAR", "RED"]}
    policy.group(values)
    assert policy.questions == 2 * len(Action)
    assert situations._questions([policy], 1) == len(Action)
    assert situations._questions([policy, policy], 5) == 4 * len(Action)
    assert situations._questions([policy], 0) == 0
    monkeypatch.setattr(situations, "MOST_QUESTIONS", len(Action))
    monkeypatch.setattr(situations, "SAMPLED", (3, 1, 0))
    assert len(situations._sample(values, [policy])) == 1
    monkeypatch.setattr(situations, "MOST_QUESTIONS", len(Action) - 1)
    assert situations._sample(values, [policy]) == []


def _digest(points: list[dict[str, int]]) -> str:
    return hashlib.sha256(json.dumps(points).encode()).hexdigest()[:16]


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _named(kind: str, name: str) -> dict[str, dict[str, str]]:
    return {"__entity": _uid(kind, name)}
