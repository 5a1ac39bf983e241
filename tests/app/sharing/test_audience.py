"""Who gets something of a record under a version, without a database."""

from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.errors import NotFoundError
from app.sharing import (
    engine,
    explanation,
    grants,
    readers,
    reasons,
    versions,
    visibility,
)
from app.sharing.classes import ClassAttributes
from app.sharing.explanation import Audience, Period, VersionAudience, _Record
from app.sharing.policy_text import read
from app.sharing.readers import Access, Named, Rule
from app.sharing.seats import Member
from app.sharing.versions import Version
from app.sharing.visibility import OwnSubject
from postern.vocabulary import LegalBasis, Level, Purpose, Sector, Tlp, Told
from tests.app.sharing.test_composing import SESSION, WRITER, within
from tests.app.sharing.test_history import HELD, NOON
from tests.app.sharing.world import PLAIN, like

OWNER = Member("post-be", Sector.POST, "BE")
READERS = (
    Member("authority-be", Sector.AUTHORITY, "BE", ("joint-team",)),
    Member("courier-nl", Sector.COURIER, "NL"),
    Member("customs-be", Sector.CUSTOMS, "BE"),
    Member("customs-nl", Sector.CUSTOMS, "NL"),
    Member("police-be", Sector.POLICE, "BE"),
    Member("police-de", Sector.POLICE, "DE"),
    Member("police-fr", Sector.POLICE, "FR", ("joint-team",)),
)
NAMES = {each.code: Named(each.code, each.code.upper()) for each in READERS}
READABLE = [(NAMES[each.code], each) for each in READERS]
GREEN = like(tlp=Tlp.GREEN)


def named(*codes: str) -> tuple[Named, ...]:
    return tuple(NAMES[code] for code in codes)


def version_of(*rules: str) -> Version:
    text = "\n".join(
        f'@id("a/{place}") @label("Rule {place}") {rule}' for place, rule in enumerate(rules)
    )
    return replace(HELD, seq=4, text=text, policies=tuple(read(text)))


def under(
    *rules: str,
    attributes: ClassAttributes = GREEN,
    band: int = 0,
    readable: Iterable[tuple[Named, Member]] = READABLE,
) -> tuple[Audience, ...]:
    record = _Record(OWNER, attributes, band, tuple(readable))
    found = record.under(version_of(*rules))
    assert (found.version, found.valid_from) == (4, HELD.valid_from)
    return found.audiences


def permit(actions: str, condition: str) -> str:
    named_ = ", ".join(f'Action::"{action}"' for action in actions.split())
    return f"permit (principal, action in [{named_}], resource) when {{ {condition} }};"


def access(level: Level | None, told: Told | None = Told.BOTH, **more: bool) -> Access:
    return Access(level, **{"may_screen": False, "may_feed": False, "told": told, **more})  # type: ignore[arg-type]


POLICE = 'principal.sector == Sector::"police"'
CUSTOMS = 'principal.sector == Sector::"customs" && context.purpose == Purpose::"customs_control"'
RULES = tuple(Rule(f"a/{place}", f"Rule {place}") for place in range(4))
OF_POLICE = (
    Purpose.CRIMINAL_INVESTIGATION,
    Purpose.CRIMINAL_INTELLIGENCE,
    Purpose.RISK_ANALYSIS,
)


def test_without_a_version_nobody_gets_anything() -> None:
    record = _Record(OWNER, GREEN, 0, READABLE)
    assert record.under(None) == VersionAudience(0, None, ())


def test_those_who_get_most_come_first_and_those_alike_stand_together() -> None:
    found = under(
        permit("presence", CUSTOMS),
        permit("presence metadata", f'{POLICE} && principal.country != Country::"DE"'),
        permit("presence metadata request feed", f'{POLICE} && principal.country == Country::"DE"'),
    )
    # Police of France are of a community that no rule asks for.
    assert found == (
        Audience(
            named("police-de"),
            OF_POLICE,
            (),
            (Period(0, access(Level.REQUEST, may_feed=True), (RULES[2],)),),
            (),
        ),
        Audience(
            named("police-be", "police-fr"),
            OF_POLICE,
            (),
            (Period(0, access(Level.METADATA), (RULES[1],)),),
            (),
        ),
        Audience(
            named("customs-be", "customs-nl"),
            (Purpose.CUSTOMS_CONTROL,),
            (),
            (Period(0, access(Level.PRESENCE), (RULES[0],)),),
            (),
        ),
    )
    assert [each.today.rank for each in found] == [3, 2, 1]


def test_of_those_who_get_as_much_the_first_by_code_comes_first_and_then_by_purpose() -> None:
    fresh = " && resource.ageBand == 0"
    found = under(
        permit("presence", 'principal.country == Country::"BE" && principal.sector == '
               'Sector::"police" && context.purpose == Purpose::"risk_analysis"'),
        permit("presence", CUSTOMS + fresh),
        permit("presence", 'principal.country == Country::"BE" && principal.sector == '
               'Sector::"police" && context.purpose == Purpose::"criminal_intelligence"'),
    )  # fmt: skip
    assert [(each.organisations[0].code, each.purposes) for each in found] == [
        ("customs-be", (Purpose.CUSTOMS_CONTROL,)),
        ("police-be", (Purpose.CRIMINAL_INTELLIGENCE,)),
        ("police-be", (Purpose.RISK_ANALYSIS,)),
    ]


def test_a_period_begins_where_access_or_rules_change() -> None:
    (customs,) = under(
        permit("presence", CUSTOMS + " && resource.ageBand <= 3"),
        permit("presence", CUSTOMS + " && resource.ageBand == 2"),
        permit("metadata", CUSTOMS + " && resource.ageBand <= 1"),
        band=1,
    )
    assert customs.periods == (
        Period(7, access(Level.METADATA), (RULES[2],)),
        Period(30, access(Level.PRESENCE), (RULES[0], RULES[1])),
        Period(90, access(Level.PRESENCE), (RULES[0],)),
        Period(365, access(None, None), ()),
    )
    assert customs.today == access(Level.METADATA)


def test_bases_are_told_where_they_matter() -> None:
    investigating = 'context.purpose == Purpose::"criminal_investigation"'
    on_order = 'context.legalBasis == LegalBasis::"court_order"'
    found = under(
        permit("presence", f"{POLICE} && {investigating}"),
        permit("metadata", f"{POLICE} && {investigating} && {on_order}"),
    )
    everybody = named("police-be", "police-de", "police-fr")
    assert [(each.organisations, each.today.level) for each in found] == [
        (everybody, Level.METADATA),
        (everybody, Level.PRESENCE),
    ]
    assert found[0].bases == (LegalBasis.COURT_ORDER,)
    assert LegalBasis.COURT_ORDER not in found[1].bases
    assert LegalBasis.POLICE_LAW in found[1].bases
    assert LegalBasis.POSTAL_LAW not in found[1].bases  # on which police may not rely


def test_who_learns_nothing_while_the_owner_does_is_told_too() -> None:
    authority = Member("customs-lu", Sector.CUSTOMS, "LU")
    record = _Record(authority, PLAIN, 0, READABLE)
    (found,) = record.under(version_of(permit("alert_owner", CUSTOMS))).audiences
    assert found.organisations == named("customs-be", "customs-nl")
    assert found.periods == (Period(0, access(None, Told.OWNER_ONLY), (RULES[0],)),)


SEEN = permit("presence metadata", POLICE)


def onward(condition: str, effect: str = "permit") -> str:
    return f'{effect} (principal, action == Action::"onward", resource) when {{ {condition} }};'


ALIKE = "police-be police-de police-fr"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([SEEN], [(ALIKE, "")]),
        # Of several that are alike each gets it from the others.
        ([SEEN, onward("true")],
         [(ALIKE, f"authority-be courier-nl customs-be customs-nl {ALIKE}")]),
        ([SEEN, onward('context.to in Sector::"customs"')], [(ALIKE, "customs-be customs-nl")]),
        ([SEEN, onward("true"), onward('context.to in Country::"BE"', "forbid")],
         [(ALIKE, "courier-nl customs-nl police-de police-fr")]),
        ([SEEN, onward('context.to in Community::"joint-team"')],
         [("police-be police-de", "authority-be police-fr"), ("police-fr", "authority-be")]),
        ([SEEN, onward('principal in Organisation::"police-fr" && '
                       'context.to in Organisation::"police-de"')],
         [("police-be police-de", ""), ("police-fr", "police-de")]),
        # Nobody passes on to itself.
        ([SEEN, onward('context.to in Organisation::"police-de"')],
         [("police-be police-fr", "police-de"), ("police-de", "")]),
        ([SEEN, onward('context.to in Sector::"customs"', "forbid")], [(ALIKE, "")]),
    ],
)  # fmt: skip
def test_to_whom_it_may_be_passed_on(rules: list[str], told: list[tuple[str, str]]) -> None:
    assert [(_codes(each.organisations), _codes(each.onward)) for each in under(*rules)] == told


def test_it_may_be_passed_on_for_some_purposes_only() -> None:
    found = under(
        SEEN,
        onward('context.purpose == Purpose::"risk_analysis" && context.to in Sector::"customs"'),
    )
    assert [(each.purposes, _codes(each.onward)) for each in found] == [
        (OF_POLICE[:2], ""),
        (OF_POLICE[2:], "customs-be customs-nl"),
    ]


def _codes(organisations: Iterable[Named]) -> str:
    return " ".join(each.code for each in organisations)


def test_who_sees_only_that_it_is_known_passes_nothing_on() -> None:
    (found,) = under(permit("presence", POLICE), onward("true"))
    assert found.onward == ()


def test_who_sees_it_today_alone_may_pass_it_on_today() -> None:
    rules = permit("presence", POLICE), permit("metadata", f"{POLICE} && resource.ageBand == 0")
    (found,) = under(*rules, onward('context.to in Sector::"customs"'))
    assert found.onward == named("customs-be", "customs-nl")


def test_who_sees_less_than_others_like_it_passes_nothing_on() -> None:
    one = 'principal in Organisation::"police-de"'
    found = under(permit("presence", POLICE), permit("metadata", one), onward("true"))
    told = {each.organisations[0].code: bool(each.onward) for each in found}
    assert told == {"police-de": True, "police-be": False}


def test_what_the_platform_keeps_back_is_not_passed_on() -> None:
    (found,) = under(SEEN, onward("true"), attributes=PLAIN)  # TLP:AMBER
    assert found.onward == ()


def test_a_rule_may_compare_the_reader_with_the_owner() -> None:
    found = under(
        SEEN, onward('resource.owner in principal.country && context.to in Sector::"customs"')
    )
    assert {_codes(each.organisations): _codes(each.onward) for each in found} == {
        "police-be": "customs-be customs-nl",
        "police-de police-fr": "",
    }


def test_a_rule_that_compares_them_may_leave_open_who_gets_it() -> None:
    found = under(SEEN, onward("resource.owner in principal.country"))
    told = {_codes(each.organisations): len(each.onward) for each in found}
    assert told == {"police-be": len(READERS) - 1, "police-de police-fr": 0}


def test_the_last_of_several_that_are_alike_passes_on_to_the_others() -> None:
    one = 'principal in Organisation::"police-fr"'
    to = onward('context.to in Sector::"police"')
    found = under(permit("presence", POLICE), permit("metadata", one), to)
    assert {_codes(each.organisations): _codes(each.onward) for each in found} == {
        "police-fr": ALIKE,
        "police-be police-de": "",
    }


def test_a_reader_that_is_named_passes_on_to_one_that_comes_after_it() -> None:
    one = 'principal in Organisation::"police-de"'
    to = onward(f'{one} && context.to in Organisation::"police-fr"')
    found = under(permit("presence metadata", one), to)
    assert [(_codes(each.organisations), _codes(each.onward)) for each in found] == [
        ("police-de", "police-fr")
    ]


def test_only_at_the_age_of_today_it_may_be_passed_on() -> None:
    later = permit("presence", POLICE), permit("metadata", f"{POLICE} && resource.ageBand >= 1")
    (found,) = under(*later, onward("true"))
    assert found.onward == ()
    (found,) = under(*later, onward('context.to in Sector::"customs"'), band=1)
    assert found.onward == named("customs-be", "customs-nl")


def test_cedar_is_asked_of_alike_ones_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    verdicts = engine.Cedar.verdicts

    def count(self: engine.Cedar, action: Any, questions: Any) -> Any:
        asked.append(len(questions))
        return verdicts(self, action, questions)

    monkeypatch.setattr(engine.Cedar, "verdicts", count)
    on_purpose = 'context.purpose == Purpose::"risk_analysis" && context.to in Sector::"customs"'
    found = under(SEEN, onward(on_purpose))
    assert found
    before = sum(asked)
    asked.clear()
    more = [(Named(f"x-{each.code}", ""), replace(each, code=f"x-{each.code}")) for each in READERS]
    under(SEEN, onward(on_purpose), readable=[*READABLE, *more])
    assert sum(asked) == before


def test_both_versions_are_explained_and_the_log_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    of_the_owner = permit("presence", f'{POLICE} && resource.owner in Community::"joint-team"')
    held = version_of(permit("presence", CUSTOMS), of_the_owner)
    waits = version_of(permit("presence", POLICE))
    monkeypatch.setattr(
        explanation, "append", lambda *given, **details: told.append((*given, details))
    )
    with_communities = replace(OWNER, communities=("joint-team",))
    monkeypatch.setattr(grants, "members", within({7: with_communities}))
    monkeypatch.setattr(
        readers, "others", within(lambda owner_id: READABLE if owner_id == 7 else [])
    )
    monkeypatch.setattr(
        versions, "in_force", lambda *asked: held if asked == (SESSION, 7, NOON) else None
    )
    monkeypatch.setattr(
        versions, "scheduled", lambda *asked: waits if asked == (SESSION, 7, NOON) else None
    )
    found = explanation.audience_of_class(SESSION, WRITER, GREEN, 2, NOON)
    assert (found.indicator, found.attributes, found.age_band) == (None, GREEN, 2)
    assert [each.today.level for each in found.in_force.audiences] == [Level.PRESENCE]
    assert found.in_force.audiences[0].organisations == named("customs-be", "customs-nl")
    assert found.in_force.audiences[0].periods[0].from_day == 30
    assert found.scheduled is not None
    assert found.scheduled.audiences[0].organisations == named(
        "police-be", "police-de", "police-fr"
    )
    details = {"class": GREEN.stored(), "age_band": 2}
    assert told == [
        (SESSION, WRITER, "policy.explain",
         {"object_type": "class", "count": 1, "details": details}),
    ]  # fmt: skip

    told.clear()
    indicator = UUID(int=3)

    def own(*asked: Any) -> dict[UUID, OwnSubject]:
        assert asked == (SESSION, 7, [indicator], NOON)
        return {indicator: OwnSubject(5, 6, GREEN, 0, 1)} if found else {}

    monkeypatch.setattr(visibility, "own_subjects", own)
    monkeypatch.setattr(versions, "scheduled", lambda *_: None)
    record = explanation.audience(SESSION, WRITER, indicator, NOON)
    assert (record.indicator, record.attributes, record.age_band) == (indicator, GREEN, 1)
    assert (record.in_force.version, record.scheduled) == (4, None)
    assert told == [
        (SESSION, WRITER, "policy.explain",
         {"object_type": "indicator", "objects": [str(indicator)]}),
    ]  # fmt: skip
    monkeypatch.setattr(visibility, "own_subjects", lambda *_: {})
    with pytest.raises(NotFoundError):
        explanation.audience(SESSION, WRITER, indicator, NOON)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (Level.PRESENCE, "Post BE lets you know that it holds something that matches."),
        (
            Level.METADATA,
            "Post BE lets you see what it reported, by version post-be/7 of its policy: One; Two.",
        ),
        (
            Level.REQUEST,
            "Post BE lets you see what it reported, and ask for more, by version post-be/7 of its "
            "policy: One; Two.",
        ),
    ],
)
def test_a_hit_is_explained_by_what_decided_it(
    monkeypatch: pytest.MonkeyPatch, level: Level, words: str
) -> None:
    reason = SimpleNamespace(owner="post-be", name="post-be/7")
    listed = {7: SimpleNamespace(code="post-be", name="Post BE")}

    def decided(ids: list[int]) -> dict[int, Any]:
        return (
            {5: reason, 6: SimpleNamespace(owner="", name="platform")} if ids in ([5], [6]) else {}
        )

    monkeypatch.setattr(reasons, "decided", within(decided))
    monkeypatch.setattr(
        reasons,
        "labels",
        within(lambda found: ("One", "Two") if found is reason else ("Own",)),
    )
    monkeypatch.setattr(explanation, "directory", within(listed))
    assert explanation.for_reader(SESSION, level, 5) == words
    assert explanation.for_reader(SESSION, level, 6) == "The record is your own organisation's."
    told = explanation.reason_for_reader(SESSION, level, 6)
    assert told.organisation == ""
    assert told.level is level
    is_told = level is not Level.PRESENCE
    assert (told.version, told.labels) == (("platform", ("Own",)) if is_told else (None, ()))
