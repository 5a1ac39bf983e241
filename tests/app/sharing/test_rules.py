"""A form of rules makes the Cedar that it says, and nothing that is typed into it makes more."""

import json
import re
from dataclasses import dataclass, fields, replace
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.database import Database
from app.sharing import engine, rules, service
from app.sharing.classes import AGE_BANDS, ClassAttributes
from app.sharing.policy_text import SCHEMA_FILE, PolicyRefusedError, read
from app.sharing.rule_schemas import from_form
from app.sharing.rules import Effect, Rule, cedar, contradictions, place_of, policy_ids
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    Action,
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    Level,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
    Told,
)
from tests.app.sharing.reference import entity
from tests.app.sharing.world import PLAIN, POLICIES, like, trio

OWNER = Member("post-be", Sector.POST, "BE")
POLICE = Member("police-de", Sector.POLICE, "DE", ("postal-exchange",))
INVESTIGATION = Seat(
    POLICE, Role.ANALYST, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE
)
OPEN = "permit (principal, action, resource);"

CODES = ("police-de", "customs-nl", "post-be")
COMMUNITIES = ("postal-exchange", "benelux")
COUNTRIES = ("BE", "DE", "NL")
LEVELS = (Level.PRESENCE, Level.METADATA, Level.REQUEST)

INVESTIGATE = Rule(
    name="investigate",
    label="Police of two countries investigate",
    sectors=(Sector.POLICE,),
    countries=("NL", "BE"),
    purposes=(Purpose.CRIMINAL_INVESTIGATION,),
    handling_without=(Handling.H1, Handling.H3),
    information_grades=(InformationGrade.TWO, InformationGrade.ONE),
    newer_than=90,
    level=Level.METADATA,
)


def some(values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """One or more of a list, in any order."""
    values = list(values)
    return st.lists(st.sampled_from(values), min_size=1, unique=True).map(tuple)


PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    "sectors": some(Sector),
    "countries": some(COUNTRIES),
    "communities": some(COMMUNITIES),
    "organisations": some(CODES),
    "roles": some(Role),
    "purposes": some(Purpose),
    "legal_bases": some(LegalBasis),
    "kinds": some(Kind),
    "party_roles": some(PartyRole),
    "tlp": some(Tlp),
    "handling": some(Handling),
    "handling_without": some(Handling),
    "source_grades": some(SourceGrade),
    "information_grades": some(InformationGrade),
    "assertion": st.sampled_from(Assertion),
    "permitted_actions": some(PermittedAction),
    "barrier_steps": some(range(8)),
    "substances": some(Substance),
    "newer_than": st.sampled_from(rules.AGE_LIMITS),
    "older_than": st.sampled_from(rules.AGE_LIMITS),
}


@st.composite
def random_rules(draw: st.DrawFn, name: str = "rule") -> Rule:
    """Any rule without a contradiction; few conditions, so that many questions meet them."""
    chosen = draw(st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=3))
    parameters = {parameter: draw(PARAMETERS[parameter]) for parameter in sorted(chosen)}
    goes_beyond: dict[str, Any] = {
        "screen": draw(st.booleans()),
        "feed": draw(st.booleans()),
        "onward_to": draw(st.just(()) | some(Sector)),
    }
    level = draw(st.none() | st.sampled_from(LEVELS))
    made = Rule(name=name, label="A rule", **parameters)
    match draw(st.sampled_from(["permit", "owner only", "forbid"])):
        case "permit":
            told = draw(st.sampled_from([Told.BOTH, Told.REQUESTER_ONLY]))
            made = replace(made, level=level, told=told, **goes_beyond)
        case "owner only":
            made = replace(made, told=Told.OWNER_ONLY)
        case _:
            others = draw(st.booleans())
            made = replace(
                made, effect=Effect.FORBID, keeps=level, everybody_else=others, **goes_beyond
            )
    if list(contradictions(made)):
        made = replace(
            made,
            handling_without=(),
            older_than=None,
            everybody_else=False,
            screen=made.told is not Told.OWNER_ONLY,
        )
    assert not list(contradictions(made))
    return made


members = st.builds(
    Member,
    st.sampled_from(CODES),
    st.sampled_from(Sector),
    st.sampled_from(COUNTRIES),
    st.lists(st.sampled_from(COMMUNITIES), unique=True).map(tuple),
)
seats = st.builds(
    Seat, members, st.sampled_from(Role), st.sampled_from(Purpose), st.sampled_from(LegalBasis)
)
classes = st.builds(
    ClassAttributes,
    kind=st.sampled_from(Kind),
    role=st.sampled_from(PartyRole),
    tlp=st.sampled_from(Tlp),
    handling=st.frozensets(st.sampled_from(Handling)),
    source_grade=st.sampled_from(SourceGrade),
    information_grade=st.sampled_from(InformationGrade),
    assertion=st.sampled_from(Assertion),
    permitted_action=st.sampled_from(PermittedAction),
    barrier_step=st.integers(0, 7),
    substance=st.sampled_from(Substance),
)


@dataclass(frozen=True)
class Question:
    seat: Seat
    record: ClassAttributes
    age: int  # days
    to: Sector  # of the organisation to which the record would be passed on


questions = st.builds(
    Question,
    seats,
    classes,
    st.sampled_from([day for band in AGE_BANDS for day in band]),
    st.sampled_from(Sector),
)


# What a rule means, said a second time and without Cedar.


def applies(rule: Rule, asked: Question) -> bool:
    seat, member = asked.seat, asked.seat.member
    is_named = (
        (not rule.sectors or member.sector in rule.sectors)
        and (not rule.countries or member.country in rule.countries)
        and (not rule.communities or bool(set(member.communities) & set(rule.communities)))
        and (not rule.organisations or member.code in rule.organisations)
        and (not rule.roles or seat.role in rule.roles)
    )
    record = asked.record
    pairs = (
        (rule.purposes, seat.purpose),
        (rule.legal_bases, seat.legal_basis),
        (rule.kinds, record.kind),
        (rule.party_roles, record.role),
        (rule.tlp, record.tlp),
        (rule.source_grades, record.source_grade),
        (rule.information_grades, record.information_grade),
        (rule.permitted_actions, record.permitted_action),
        (rule.barrier_steps, record.barrier_step),
        (rule.substances, record.substance),
    )
    return (
        is_named is not rule.everybody_else
        and all(not allowed or value in allowed for allowed, value in pairs)
        and (not rule.handling or not record.handling.isdisjoint(rule.handling))
        and record.handling.isdisjoint(rule.handling_without)
        and rule.assertion in {None, record.assertion}
        and (rule.newer_than is None or asked.age < rule.newer_than)
        and (rule.older_than is None or asked.age >= rule.older_than)
    )


def permits(rule: Rule, action: Action, asked: Question) -> bool:
    if rule.effect is Effect.FORBID or not applies(rule, asked):
        return False
    match action:
        case Action.PRESENCE | Action.METADATA | Action.REQUEST:
            wanted = LEVELS.index(Level(action.value))
            return rule.level is not None and LEVELS.index(rule.level) >= wanted
        case Action.SCREEN:
            return rule.screen
        case Action.FEED:
            return rule.feed
        case Action.ONWARD:
            return asked.to in rule.onward_to
        case _:
            return action is Action.ALERT_OWNER and rule.told is Told.OWNER_ONLY


def forbids(rule: Rule, action: Action, asked: Question) -> bool:
    if not applies(rule, asked):
        return False
    if rule.effect is Effect.PERMIT:
        return action is Action.TELL_OWNER and rule.told is Told.REQUESTER_ONLY
    if rule.keeps is Level.PRESENCE:
        return True
    is_told = action in {Action.PRESENCE, Action.TELL_OWNER, Action.ALERT_OWNER}
    return (
        (rule.keeps is Level.METADATA and not is_told)
        or (rule.keeps is Level.REQUEST and action is Action.REQUEST)
        or (rule.screen and action is Action.SCREEN)
        or (rule.feed and action is Action.FEED)
        or (action is Action.ONWARD and asked.to in rule.onward_to)
    )


_SCHEMA = cedarpy.Schema.from_str(SCHEMA_FILE.read_text("utf-8"))


def allowed(text: str, asked: Question) -> set[Action]:
    """What Cedar allows by that text alone, without the platform's rules."""
    member, record = asked.seat.member, asked.record
    parents = [entity("Sector", member.sector), entity("Country", member.country)]
    parents += [entity("Community", code) for code in member.communities]
    entities = [
        {"uid": entity("Organisation", member.code), "parents": parents, "attrs": {}},
        {
            "uid": entity("Organisation", "third"),
            "parents": [entity("Sector", asked.to)],
            "attrs": {},
        },
        {
            "uid": entity("Seat", "s"),
            "parents": [entity("Organisation", member.code)],
            "attrs": {
                "organisation": entity("Organisation", member.code),
                "sector": entity("Sector", member.sector),
                "country": entity("Country", member.country),
                "role": entity("Role", asked.seat.role),
            },
        },
        {
            "uid": entity("ShareClass", "c"),
            "parents": [],
            "attrs": {
                "owner": entity("Organisation", "owner"),
                "kind": entity("Kind", record.kind),
                "role": entity("PartyRole", record.role),
                "tlp": entity("Tlp", record.tlp),
                "handling": [entity("Handling", code) for code in record.handling],
                "sourceGrade": entity("SourceGrade", record.source_grade),
                "informationGrade": int(record.information_grade),
                "assertion": entity("Assertion", record.assertion),
                "permittedAction": entity("PermittedAction", record.permitted_action),
                "barrierStep": record.barrier_step,
                "substance": entity("Substance", record.substance),
                "ageBand": [first <= asked.age for first, _ in AGE_BANDS].count(True) - 1,
            },
        },
    ]
    context = {
        "purpose": {"__entity": entity("Purpose", asked.seat.purpose)},
        "legalBasis": {"__entity": entity("LegalBasis", asked.seat.legal_basis)},
    }
    to = {"to": {"__entity": entity("Organisation", "third")}}
    answers = cedarpy.is_authorized_batch(
        [
            {
                "principal": entity("Seat", "s"),
                "action": entity("Action", action),
                "resource": entity("ShareClass", "c"),
                "context": context | (to if action is Action.ONWARD else {}),
            }
            for action in Action
        ],
        text,
        json.dumps(entities),
        _SCHEMA,
    )
    assert not any(answer.diagnostics.errors for answer in answers)
    return {action for action, answer in zip(Action, answers, strict=True) if answer.allowed}


@settings(max_examples=300, deadline=None)
@given(random_rules("first"), random_rules("second"), questions)
def test_the_text_decides_as_the_rules_say(first: Rule, second: Rule, asked: Question) -> None:
    form = [first, second]
    text = cedar(form, "post-be")
    forbidden = {action for action in Action for rule in form if forbids(rule, action, asked)}
    permitted = {action for action in Action for rule in form if permits(rule, action, asked)}
    assert allowed(text, asked) == permitted - forbidden
    assert allowed(text + OPEN, asked) == set(Action) - forbidden


@settings(deadline=None)
@given(random_rules(), questions)
def test_a_rule_decides_what_it_is_about(rule: Rule, asked: Question) -> None:
    """Steers every condition of the rule to be met, which chance rarely does."""
    seat, record = asked.seat, asked.record
    member = replace(
        seat.member,
        sector=(*rule.sectors, seat.member.sector)[0],
        country=(*rule.countries, seat.member.country)[0],
        communities=(*rule.communities, *seat.member.communities),
        code=(*rule.organisations, seat.member.code)[0],
    )
    seat = replace(
        seat,
        member=member,
        role=(*rule.roles, seat.role)[0],
        purpose=(*rule.purposes, seat.purpose)[0],
        legal_basis=(*rule.legal_bases, seat.legal_basis)[0],
    )
    record = replace(
        record,
        kind=(*rule.kinds, record.kind)[0],
        role=(*rule.party_roles, record.role)[0],
        tlp=(*rule.tlp, record.tlp)[0],
        handling=frozenset(rule.handling),
        source_grade=(*rule.source_grades, record.source_grade)[0],
        information_grade=(*rule.information_grades, record.information_grade)[0],
        assertion=rule.assertion or record.assertion,
        permitted_action=(*rule.permitted_actions, record.permitted_action)[0],
        barrier_step=(*rule.barrier_steps, record.barrier_step)[0],
        substance=(*rule.substances, record.substance)[0],
    )
    age = rule.older_than or (rule.newer_than - 1 if rule.newer_than else 0)
    to = (*rule.onward_to, asked.to)[0]
    met = Question(seat, record, age, to)
    assert applies(rule, met) is not rule.everybody_else
    permitted = {action for action in Action if permits(rule, action, met)}
    kept = {action for action in Action if forbids(rule, action, met)}
    assert permitted or kept or rule.everybody_else
    text = cedar([rule], "post-be")
    assert allowed(text, met) == permitted - kept
    assert allowed(text + OPEN, met) == set(Action) - kept


def test_the_text_is_formatted_and_says_what_the_form_says() -> None:
    assert cedar([INVESTIGATE], "post-be") == (
        '@id("post-be/investigate")\n'
        '@label("Police of two countries investigate")\n'
        "permit (\n"
        "  principal,\n"
        '  action in [Action::"presence", Action::"metadata"],\n'
        "  resource\n"
        ")\n"
        "when\n"
        "{\n"
        '  principal.sector == Sector::"police" &&\n'
        '  [Country::"BE", Country::"NL"].contains(principal.country) &&\n'
        '  context.purpose == Purpose::"criminal_investigation" &&\n'
        '  !resource.handling.containsAny([Handling::"H1", Handling::"H3"]) &&\n'
        "  [1, 2].contains(resource.informationGrade) &&\n"
        "  resource.ageBand <= 2\n"
        "};\n"
    )


def test_a_rule_for_everybody_else_spares_those_it_names() -> None:
    rule = Rule(
        name="analysts-only",
        label="Only analysts",
        effect=Effect.FORBID,
        roles=(Role.ANALYST,),
        everybody_else=True,
        keeps=Level.PRESENCE,
    )
    assert cedar([rule], "a-post").endswith(
        'forbid (principal, action, resource)\nunless { principal.role == Role::"analyst" };\n'
    )


def test_what_is_kept_back_already_is_not_kept_back_a_second_time() -> None:
    rule = Rule(
        name="a", label="A", effect=Effect.FORBID, keeps=Level.METADATA, onward_to=(Sector.POST,)
    )
    assert policy_ids(rule, "post-be") == ("post-be/a",)
    beyond = replace(rule, keeps=Level.REQUEST)
    assert policy_ids(beyond, "post-be") == ("post-be/a", "post-be/a-onward")


def test_a_form_without_rules_makes_an_empty_text() -> None:
    assert cedar([], "post-be") == ""


def test_the_order_of_ticking_changes_nothing_and_that_of_the_rules_stays() -> None:
    other = replace(
        INVESTIGATE,
        countries=("BE", "NL", "BE"),
        handling_without=(Handling.H3, Handling.H1),
        information_grades=(InformationGrade.ONE, InformationGrade.TWO),
    )
    assert cedar([other], "post-be") == cedar([INVESTIGATE], "post-be")
    second = replace(INVESTIGATE, name="again")
    text = cedar([second, INVESTIGATE], "post-be")
    assert [policy.id for policy in read(text)] == ["post-be/again", "post-be/investigate"]


@settings(deadline=None)
@given(random_rules("first"), random_rules("second"))
def test_every_rule_makes_a_valid_text_whose_ids_lead_back_to_it(first: Rule, second: Rule) -> None:
    form = [first, second]
    policies = read(cedar(form, "post-be"))
    assert [policy.id for policy in policies] == [
        policy_id for rule in form for policy_id in policy_ids(rule, "post-be")
    ]
    for policy in policies:
        place = place_of(policy.id, form, "post-be")
        assert place is not None
        assert policy.id.startswith(f"post-be/{form[place].name}")


def test_an_id_that_no_rule_made_leads_to_none() -> None:
    assert place_of("post-be/investigate", [INVESTIGATE], "post-be") == 0
    assert place_of("post-be/investigate-onward", [INVESTIGATE], "post-be") is None
    assert place_of("post-de/investigate", [INVESTIGATE], "post-be") is None


anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
hostile = anything | st.builds(
    lambda before, after: before + '")\npermit (principal, action, resource);//' + after,
    anything,
    anything,
)


@settings(max_examples=300, deadline=None)
@given(st.tuples(*[hostile] * 6))
def test_nothing_that_is_typed_adds_a_policy_or_changes_one(typed: tuple[str, ...]) -> None:
    label, name, code, member, community, country = typed
    rule = Rule(
        name=name,
        label=label,
        organisations=(member,),
        communities=(community,),
        countries=(country,),
        level=Level.PRESENCE,
    )
    parsed = json.loads(cedarpy.policies_to_json_str(cedar([rule], code)))
    assert parsed["templates"] == {}
    assert parsed["staticPolicies"].keys() == {"policy0"}
    policy = parsed["staticPolicies"]["policy0"]
    assert policy["annotations"] == {"id": f"{code}/{name}", "label": label}
    plain = replace(rule, name="n", label="l", organisations=("o",), communities=("c",))
    plain = replace(plain, countries=("k",))
    expected = cedarpy.policies_to_json_str(cedar([plain], "x"))
    named = json.loads(expected)["staticPolicies"]["policy0"]
    assert json.dumps(policy["action"]) == json.dumps(named["action"])
    assert _entities(policy) == [
        ("Country", country),
        ("Community", community),
        ("Organisation", member),
    ]
    assert _skeleton(policy["conditions"]) == _skeleton(named["conditions"])


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_sentence_is_read_as_it_was_written(label: str) -> None:
    (policy,) = read(cedar([replace(INVESTIGATE, label=label)], "post-be"))
    assert policy.label == label


def test_what_cannot_be_seen_in_a_sentence_is_written_out() -> None:
    text = cedar([replace(INVESTIGATE, label='a"b\\c\u202ed\u00e9')], "post-be")
    assert '@label("a\\"b\\\\c\\u{202e}d\u00e9")' in text


def test_a_writer_gone_wrong_is_found_before_its_text_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "_quoted", lambda text: f'"{text}"')
    label = 'x") permit (principal, action, resource); @id("a/b") @label("y'
    with pytest.raises(ValueError, match="otherwise than it was meant"):
        cedar([replace(INVESTIGATE, label=label)], "post-be")


def test_the_longest_names_fit_into_an_id() -> None:
    rule = replace(INVESTIGATE, name="n" * 40, onward_to=(Sector.CUSTOMS,))
    assert len(read(cedar([rule], "c" * 40))) == 2


def test_an_unknown_country_is_told_with_the_id_of_its_rule() -> None:
    form = [INVESTIGATE, replace(INVESTIGATE, name="wrong", countries=("XX",))]
    with pytest.raises(PolicyRefusedError) as refusal:
        read(cedar(form, "post-be"))
    (fault,) = refusal.value.faults
    assert place_of(fault.policy, form, "post-be") == 1


def test_an_unknown_member_or_community_is_told_with_the_id_of_its_rule(
    database: Database,
) -> None:
    trio(database)
    form = [
        replace(INVESTIGATE, communities=("postal-exchange",), organisations=("police-de",)),
        replace(INVESTIGATE, name="member", organisations=("police-xx",)),
        replace(INVESTIGATE, name="community", communities=("nobody",), told=Told.REQUESTER_ONLY),
    ]
    with database.reading() as session, pytest.raises(PolicyRefusedError) as refusal:
        service.check(session, cedar(form, "post-be"))
    places = [place_of(fault.policy, form, "post-be") for fault in refusal.value.faults]
    assert places == [1, 2, 2]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule(name="a", label="A"), "level"),
        (Rule(name="a", label="A", effect=Effect.FORBID), "keeps"),
        (Rule(name="a", label="A", level=Level.REQUEST, keeps=Level.REQUEST), "keeps"),
        (Rule(name="a", label="A", level=Level.REQUEST, everybody_else=True), "everybody_else"),
        (Rule(name="a", label="A", level=Level.PRESENCE, told=Told.OWNER_ONLY), "told"),
        (Rule(name="a", label="A", screen=True, told=Told.OWNER_ONLY), "told"),
        (Rule(name="a", label="A", feed=True, told=Told.OWNER_ONLY), "told"),
        (Rule(name="a", label="A", onward_to=(Sector.POST,), told=Told.OWNER_ONLY), "told"),
        (
            Rule(
                name="a",
                label="A",
                effect=Effect.FORBID,
                level=Level.PRESENCE,
                keeps=Level.PRESENCE,
            ),
            "level",
        ),
        (
            Rule(
                name="a",
                label="A",
                effect=Effect.FORBID,
                keeps=Level.PRESENCE,
                told=Told.REQUESTER_ONLY,
            ),
            "told",
        ),
        (
            Rule(
                name="a",
                label="A",
                effect=Effect.FORBID,
                keeps=Level.PRESENCE,
                everybody_else=True,
            ),
            "everybody_else",
        ),
        (
            replace(INVESTIGATE, handling=(Handling.H2, Handling.H1)),
            "handling_without",
        ),
        (replace(INVESTIGATE, older_than=90), "older_than"),
        (replace(INVESTIGATE, older_than=365), "older_than"),
    ],
)
def test_what_does_not_go_together_is_told_at_its_field(rule: Rule, field: str) -> None:
    assert [place for place, _ in contradictions(rule)] == [field]


@pytest.mark.parametrize(
    "rule",
    [
        INVESTIGATE,
        replace(INVESTIGATE, older_than=30),
        Rule(name="a", label="A", screen=True),
        Rule(name="a", label="A", told=Told.REQUESTER_ONLY),
        Rule(name="a", label="A", told=Told.OWNER_ONLY),
        Rule(name="a", label="A", effect=Effect.FORBID, feed=True),
    ],
)
def test_what_goes_together_is_accepted(rule: Rule) -> None:
    assert list(contradictions(rule)) == []


def test_a_rule_for_one_level_lets_a_reader_climb_to_it_and_no_further() -> None:
    rule = Rule(name="a", label="A", sectors=(Sector.POLICE,), level=Level.METADATA, feed=True)
    ((found,),) = engine.load(cedar([rule], "post-be")).rulings(
        OWNER, [INVESTIGATION], [(PLAIN, 0)]
    )
    assert (found.level, found.may_feed, found.may_screen) == (2, True, False)
    assert found.told is Told.BOTH


def test_a_rule_with_passing_on_lets_a_reader_pass_on_to_the_sectors_named() -> None:
    rule = Rule(
        name="a",
        label="A",
        sectors=(Sector.POLICE,),
        level=Level.METADATA,
        onward_to=(Sector.CUSTOMS,),
    )
    policies = engine.load(cedar([rule], "post-be"))
    subject = (like(tlp=Tlp.GREEN), 0)
    customs = Member("customs-nl", Sector.CUSTOMS, "NL")
    courier = Member("courier-nl", Sector.COURIER, "NL")
    assert policies.may_pass_on(OWNER, INVESTIGATION, subject, customs).allowed
    assert not policies.may_pass_on(OWNER, INVESTIGATION, subject, courier).allowed


def test_the_documentation_shows_the_text_that_its_form_makes() -> None:
    page = (POLICIES.parent / "docs" / "policies.md").read_text("utf-8")
    found = re.search(r"```json\n(.*?)```.*?```cedar\n(.*?)```", page, re.DOTALL)
    assert found is not None
    assert cedar(from_form(json.loads(found[1])), "post-be") == found[2]


def test_the_documentation_tells_every_parameter_of_a_rule() -> None:
    page = (POLICIES.parent / "docs" / "policies.md").read_text("utf-8")
    for field in fields(Rule):
        assert f"`{field.name}`" in page, field.name


def _entities(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """(type, id) of the entities in the conditions of a policy, in their order."""
    found: list[tuple[str, str]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "__entity" in node:
                found.append((node["__entity"]["type"], node["__entity"]["id"]))
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(policy["conditions"])
    return found


def _skeleton(tree: Any) -> Any:
    """A condition without the ids of its entities."""
    if isinstance(tree, dict):
        if "__entity" in tree:
            return {"__entity": tree["__entity"]["type"]}
        return {key: _skeleton(inner) for key, inner in tree.items()}
    return [_skeleton(each) for each in tree] if isinstance(tree, list) else tree
