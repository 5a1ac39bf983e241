"""A third way to the same answer, without Cedar: policies of a small language, made at random.

A clause is written twice at once, as Cedar and as a predicate in Python, and the platform's rules
stand here a second time, read by hand. Where these and Cedar disagree, one of them is wrong, or our
use of Cedar is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from hypothesis import strategies as st

from app.sharing.classes import ClassAttributes
from app.sharing.seats import Member, Seat
from postern.vocabulary import (
    Action,
    Assertion,
    Handling,
    InformationGrade,
    Kind,
    LegalBasis,
    PartyRole,
    PermittedAction,
    Purpose,
    Role,
    Sector,
    SourceGrade,
    Substance,
    Tlp,
)
from tests.app.sharing.reference import Expected

COUNTRIES = ("BE", "NL", "DE")
COMMUNITIES = ("exchange", "joint-team")
CODES = ("post-be", "courier-nl", "customs-nl", "police-de", "authority-be", "police-be")

_OPERATORS = frozenset({Sector.POST, Sector.COURIER})
_AUTHORITIES = frozenset({Sector.POLICE, Sector.CUSTOMS, Sector.AUTHORITY})
_SHOWN = frozenset({Action.METADATA, Action.REQUEST, Action.SCREEN, Action.FEED, Action.ONWARD})
_SEEN = _SHOWN | {Action.PRESENCE}


@dataclass(frozen=True)
class Asked:
    """One question: who reads what of whose, and to whom it would be passed on."""

    seat: Seat
    owner: Member
    attributes: ClassAttributes
    band: int
    to: Member | None = None

    @property
    def reader(self) -> Member:
        return self.seat.member

    @property
    def is_own(self) -> bool:
        return self.reader.code == self.owner.code


class CannotBeEvaluatedError(Exception):
    """A clause whose arithmetic overflows: Cedar skips it and says so."""


@dataclass(frozen=True)
class Condition:
    cedar: str
    holds: Callable[[Asked], bool] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Clause:
    """One policy; `actions` None: all. The conditions are evaluated in order, until one fails."""

    permits: bool
    actions: tuple[Action, ...] | None
    scope: Condition
    conditions: tuple[tuple[bool, Condition], ...]  # (True: when, False: unless; condition)

    def cedar(self, number: int) -> str:
        match self.actions:
            case None:
                action = "action"
            case (one,):
                action = f'action == Action::"{one}"'
            case several:
                action = f"action in [{', '.join(_name('Action', each) for each in several)}]"
        conditions = "".join(
            f" {'when' if wanted else 'unless'} {{ {condition.cedar} }}"
            for wanted, condition in self.conditions
        )
        return (
            f'@id("made/{number}") @label("Made at random, number {number}") '
            f"{'permit' if self.permits else 'forbid'} "
            f"({self.scope.cedar}, {action}, resource){conditions};\n"
        )

    def applies(self, action: Action, asked: Asked) -> bool:
        """CannotBeEvaluatedError when a condition that is reached overflows."""
        if self.actions is not None and action not in self.actions:
            return False
        return self.scope.holds(asked) and all(
            condition.holds(asked) is wanted for wanted, condition in self.conditions
        )


def text_of(clauses: Sequence[Clause]) -> str:
    """The policy text of an owner."""
    return "".join(clause.cedar(number) for number, clause in enumerate(clauses, 1))


def expected(clauses: Sequence[Clause], asked: Asked) -> Expected:
    """What the reader is to get, as docs/policies.md tells it."""
    if not allows(clauses, Action.PRESENCE, asked):
        return Expected(0, tells_owner=allows(clauses, Action.ALERT_OWNER, asked))
    level = 1
    if allows(clauses, Action.METADATA, asked):
        level = 3 if allows(clauses, Action.REQUEST, asked) else 2
    return Expected(
        level,
        tells_owner=allows(clauses, Action.TELL_OWNER, asked),
        may_screen=allows(clauses, Action.SCREEN, asked),
        may_feed=level > 1 and allows(clauses, Action.FEED, asked),
    )


def may_pass_on(clauses: Sequence[Clause], asked: Asked) -> bool:
    """Whether what the reader sees may be passed on to `asked.to`."""
    wanted = (Action.PRESENCE, Action.METADATA, Action.ONWARD)
    return all(allows(clauses, action, asked) for action in wanted)


def allows(clauses: Sequence[Clause], action: Action, asked: Asked) -> bool:
    """Some permit applies and no forbid does; an owner's policy never reaches its own people."""
    permitted = action is Action.TELL_OWNER or (asked.is_own and action in _SEEN)
    forbidden = _platform_forbids(action, asked)
    for clause in () if asked.is_own else clauses:
        try:
            applies = clause.applies(action, asked)
        except CannotBeEvaluatedError:
            return False
        permitted |= applies and clause.permits
        forbidden |= applies and not clause.permits
    return permitted and not forbidden


def _platform_forbids(action: Action, asked: Asked) -> bool:
    if asked.is_own:
        return False
    seat, record = asked.seat, asked.attributes
    reader, owner = asked.reader.sector, asked.owner.sector
    to_operator = asked.to is not None and asked.to.sector in _OPERATORS
    return (
        (record.tlp in {Tlp.RED, Tlp.AMBER_STRICT} and action in _SEEN)
        or (record.tlp is Tlp.AMBER and action is Action.ONWARD)
        or (Handling.H0 in record.handling and seat.purpose is Purpose.SERVICE_SECURITY)
        or (
            Handling.H1 in record.handling
            and action in _SHOWN
            and seat.legal_basis in {LegalBasis.CRIMINAL_PROCEDURE, LegalBasis.COURT_ORDER}
        )
        or (Handling.H2 in record.handling and action is Action.ONWARD)
        or (Handling.H3 in record.handling and action in _SHOWN)
        or (record.permitted_action is PermittedAction.KNOW and action is Action.SCREEN)
        or (
            record.kind not in {Kind.PATTERN, Kind.BARRIER}
            and reader in _OPERATORS
            and owner in _AUTHORITIES
            and action in _SHOWN
        )
        or (to_operator and owner in _AUTHORITIES and action is Action.ONWARD)
        or (reader in _AUTHORITIES and owner in _OPERATORS and action is Action.ALERT_OWNER)
        or seat.purpose not in _PURPOSES[reader]
        or seat.legal_basis in _NOT_ITS_BASIS[reader]
    )


_OF_OPERATORS = {Purpose.PARCEL_SCREENING, Purpose.RISK_ANALYSIS, Purpose.SERVICE_SECURITY}
_OF_AUTHORITIES = {
    Purpose.CRIMINAL_INVESTIGATION,
    Purpose.CRIMINAL_INTELLIGENCE,
    Purpose.RISK_ANALYSIS,
}
_PURPOSES = {
    Sector.POST: _OF_OPERATORS,
    Sector.COURIER: _OF_OPERATORS,
    Sector.CUSTOMS: set(Purpose) - {Purpose.SERVICE_SECURITY},
    Sector.POLICE: _OF_AUTHORITIES,
    Sector.AUTHORITY: _OF_AUTHORITIES,
}
_OF_THE_STATE = {LegalBasis.POLICE_LAW, LegalBasis.CRIMINAL_PROCEDURE, LegalBasis.CUSTOMS_LAW}
_NOT_ITS_BASIS = {
    Sector.POST: _OF_THE_STATE,
    Sector.COURIER: _OF_THE_STATE,
    Sector.CUSTOMS: {
        LegalBasis.LEGITIMATE_INTEREST,
        LegalBasis.POLICE_LAW,
        LegalBasis.POSTAL_LAW,
    },
    Sector.POLICE: {
        LegalBasis.LEGITIMATE_INTEREST,
        LegalBasis.CUSTOMS_LAW,
        LegalBasis.POSTAL_LAW,
    },
    Sector.AUTHORITY: {LegalBasis.LEGITIMATE_INTEREST},
}


def members() -> st.SearchStrategy[Member]:
    """Any reader or owner; two with one code are never asked about together."""
    return st.builds(
        Member,
        st.sampled_from(CODES),
        st.sampled_from(list(Sector)),
        st.sampled_from(COUNTRIES),
        st.sets(st.sampled_from(COMMUNITIES)).map(lambda found: tuple(sorted(found))),
    )


def attributes(kinds: Sequence[Kind] = tuple(Kind)) -> st.SearchStrategy[ClassAttributes]:
    """Any share class of these kinds, those that flow more often than those that do not."""
    return st.builds(
        ClassAttributes,
        kind=st.sampled_from(kinds),
        role=st.sampled_from(list(PartyRole)),
        tlp=st.sampled_from([Tlp.AMBER, Tlp.GREEN, *Tlp]),
        handling=st.one_of(
            st.just(frozenset[Handling]()), st.frozensets(st.sampled_from(list(Handling)))
        ),
        source_grade=st.sampled_from(list(SourceGrade)),
        information_grade=st.sampled_from(list(InformationGrade)),
        assertion=st.sampled_from(list(Assertion)),
        permitted_action=st.sampled_from(list(PermittedAction)),
        barrier_step=st.integers(0, 7),
        substance=st.sampled_from(list(Substance)),
    )


_EVERYBODY_ASKS = [(Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)] * 10


def reasons() -> st.SearchStrategy[tuple[Purpose, LegalBasis]]:
    """Purpose and legal basis; every other time a pair that is barred to nobody."""
    return st.one_of(
        st.sampled_from(_EVERYBODY_ASKS),
        st.tuples(st.sampled_from(list(Purpose)), st.sampled_from(list(LegalBasis))),
    )


@st.composite
def policies(draw: st.DrawFn, most: int = 4) -> tuple[Clause, ...]:
    """Up to `most` clauses, of which the first is usually wide, so that something flows."""
    return draw(_policies(most))


def aged_policies() -> st.SearchStrategy[tuple[Clause, ...]]:
    """A wide clause and some that ask for the age, so that rulings change with it."""
    aged = st.builds(
        Clause,
        permits=st.booleans(),
        actions=st.sampled_from([None, (Action.METADATA, Action.TELL_OWNER), _BEYOND]),
        scope=st.just(_ANYBODY),
        conditions=st.tuples(st.tuples(st.booleans(), _of_age())),
    )
    presence = Clause(True, (Action.PRESENCE, Action.METADATA), _ANYBODY, ())
    return st.lists(aged, min_size=1, max_size=3).map(lambda found: (presence, *found))


@cache
def _policies(most: int) -> st.SearchStrategy[tuple[Clause, ...]]:
    wide = st.builds(
        Clause,
        permits=st.just(True),
        actions=st.sampled_from([_SHOWN_ONLY, None, _CHAIN, _BEYOND, (Action.PRESENCE,), _SILENT]),
        scope=st.just(_ANYBODY),
        conditions=st.one_of(
            st.just(()), st.tuples(st.tuples(st.booleans(), _numbers())), _conditions(1)
        ),
    )
    begun_wide = st.tuples(wide, st.lists(_clauses(), max_size=most - 1)).map(
        lambda found: (found[0], *found[1])
    )
    hushed = begun_wide.map(lambda found: (found[0], _NOT_TOLD))
    return st.one_of(begun_wide, begun_wide, st.lists(_clauses(), max_size=most).map(tuple), hushed)


_CHAIN = (Action.PRESENCE, Action.METADATA, Action.REQUEST)
_SHOWN_ONLY = (Action.PRESENCE, Action.METADATA, Action.FEED)
_BEYOND = (*_CHAIN, Action.SCREEN, Action.FEED)
_SILENT = (Action.ALERT_OWNER,)
_ANYBODY = Condition("principal", lambda _: True)
_NOT_TOLD = Clause(permits=False, actions=(Action.TELL_OWNER,), scope=_ANYBODY, conditions=())


def _clauses() -> st.SearchStrategy[Clause]:
    some = st.lists(st.sampled_from(list(Action)), min_size=1, max_size=4, unique=True).map(tuple)
    usual = st.builds(
        Clause,
        permits=st.booleans(),
        actions=st.one_of(st.none(), some),
        scope=st.one_of(st.just(_ANYBODY), _scopes()),
        conditions=_conditions(3),
    )
    # Only an onward act has a third organisation.
    onward = st.builds(
        Clause,
        permits=st.booleans(),
        actions=st.just((Action.ONWARD,)),
        scope=st.just(_ANYBODY),
        conditions=st.tuples(st.tuples(st.booleans(), _recipients())),
    )
    return st.one_of(usual, usual, usual, usual, onward)


def _conditions(most: int) -> st.SearchStrategy[tuple[tuple[bool, Condition], ...]]:
    condition = st.recursive(_facts(), _combined, max_leaves=3)
    return st.lists(st.tuples(st.booleans(), condition), max_size=most).map(tuple)


def _combined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.one_of(
        parts.map(lambda a: Condition(f"!({a.cedar})", lambda asked: not a.holds(asked))),
        st.tuples(parts, parts).map(lambda ab: _both(*ab)),
        st.tuples(parts, parts).map(lambda ab: _either(*ab)),
        st.tuples(parts, parts, parts).map(lambda abc: _choice(*abc)),
    )


def _both(a: Condition, b: Condition) -> Condition:
    return Condition(f"({a.cedar} && {b.cedar})", lambda asked: a.holds(asked) and b.holds(asked))


def _either(a: Condition, b: Condition) -> Condition:
    return Condition(f"({a.cedar} || {b.cedar})", lambda asked: a.holds(asked) or b.holds(asked))


def _choice(a: Condition, b: Condition, c: Condition) -> Condition:
    return Condition(
        f"(if {a.cedar} then {b.cedar} else {c.cedar})",
        lambda asked: b.holds(asked) if a.holds(asked) else c.holds(asked),
    )


def _scopes() -> st.SearchStrategy[Condition]:
    return _groups().map(
        lambda group: Condition(
            f"principal in {_name(*group)}", lambda asked: _is_in(asked.reader, *group)
        )
    )


def _groups() -> st.SearchStrategy[tuple[str, str]]:
    """Type and id of an entity that organisations may be in."""
    return st.one_of(
        st.tuples(st.just("Sector"), st.sampled_from(list(Sector))),
        st.tuples(st.just("Country"), st.sampled_from(COUNTRIES)),
        st.tuples(st.just("Community"), st.sampled_from(COMMUNITIES)),
        st.tuples(st.just("Organisation"), st.sampled_from(CODES)),
    )


def _recipients() -> st.SearchStrategy[Condition]:
    return _groups().map(
        lambda group: Condition(
            f"context.to in {_name(*group)}",
            lambda asked: asked.to is not None and _is_in(asked.to, *group),
        )
    )


def _facts() -> st.SearchStrategy[Condition]:
    return st.one_of(
        _of_reader(), _of_owner(), _of_record(), _of_record(), _numbers(), st.sampled_from(_FIXED)
    )


def _of_reader() -> st.SearchStrategy[Condition]:
    return st.one_of(
        _scopes(),
        _groups().map(
            lambda group: Condition(
                f"principal.organisation in {_name(*group)}",
                lambda asked: _is_in(asked.reader, *group),
            )
        ),
        st.sampled_from([Role.ANALYST, Role.APPROVER]).map(
            lambda role: Condition(
                f"principal.role == {_name('Role', role)}", lambda asked: asked.seat.role is role
            )
        ),
        st.sets(st.sampled_from(list(Purpose)), min_size=1, max_size=3).map(
            lambda found: Condition(
                f"{_listed('Purpose', found)}.contains(context.purpose)",
                lambda asked: asked.seat.purpose in found,
            )
        ),
        st.sets(st.sampled_from(list(LegalBasis)), min_size=1, max_size=4).map(
            lambda found: Condition(
                f"{_listed('LegalBasis', found)}.contains(context.legalBasis)",
                lambda asked: asked.seat.legal_basis in found,
            )
        ),
    )


def _of_owner() -> st.SearchStrategy[Condition]:
    # An owner has no communities: what it shares does not depend on them.
    return _groups().map(
        lambda group: Condition(
            f"resource.owner in {_name(*group)}",
            lambda asked: group[0] != "Community" and _is_in(asked.owner, *group),
        )
    )


def _of_record() -> st.SearchStrategy[Condition]:
    named = st.sampled_from(_WORDS).flatmap(
        lambda word: st.tuples(
            st.just(word[:2]), st.sets(st.sampled_from(list(word[2])), min_size=1, max_size=3)
        )
    )
    codes = st.sets(st.sampled_from(list(Handling)), min_size=1, max_size=2)
    return st.one_of(
        named.map(
            lambda found: Condition(
                f"{_listed(found[0][0], found[1])}.contains(resource.{found[0][1]})",
                lambda asked: getattr(asked.attributes, _FIELDS[found[0][1]]) in found[1],
            )
        ),
        codes.map(
            lambda found: Condition(
                f"resource.handling.containsAll({_listed('Handling', found)})",
                lambda asked: found <= asked.attributes.handling,
            )
        ),
        codes.map(
            lambda found: Condition(
                f"resource.handling.containsAny({_listed('Handling', found)})",
                lambda asked: not asked.attributes.handling.isdisjoint(found),
            )
        ),
    )


def _of_age() -> st.SearchStrategy[Condition]:
    return _compared("ageBand", lambda asked: asked.band, 0, 4)


def _numbers() -> st.SearchStrategy[Condition]:
    return st.one_of(
        _of_age(),
        _of_age(),
        _compared("barrierStep", lambda asked: asked.attributes.barrier_step, 0, 7),
        _compared("informationGrade", lambda a: int(a.attributes.information_grade), 1, 4),
    )


def _compared(
    name: str, value: Callable[[Asked], int], least: int, most: int
) -> st.SearchStrategy[Condition]:
    return st.tuples(st.sampled_from(list(_ORDERS)), st.integers(least, most)).map(
        lambda found: Condition(
            f"resource.{name} {found[0]} {found[1]}",
            lambda asked: _ORDERS[found[0]](value(asked), found[1]),
        )
    )


def _overflows_with_age(asked: Asked) -> bool:
    if asked.band:
        raise CannotBeEvaluatedError
    return False


_FIXED = (
    Condition(
        "resource.owner in principal.country",
        lambda asked: asked.owner.country == asked.reader.country,
    ),
    Condition(
        "resource.owner in principal.sector",
        lambda asked: asked.owner.sector == asked.reader.sector,
    ),
    Condition("principal in resource.owner", lambda asked: asked.is_own),
    Condition("principal.organisation != resource.owner", lambda asked: not asked.is_own),
    Condition("resource.ageBand + 9223372036854775807 == 0", _overflows_with_age),
)

_ORDERS: dict[str, Callable[[int, int], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
}

_WORDS: tuple[tuple[str, str, type[object]], ...] = (
    ("Kind", "kind", Kind),
    ("PartyRole", "role", PartyRole),
    ("Tlp", "tlp", Tlp),
    ("SourceGrade", "sourceGrade", SourceGrade),
    ("Assertion", "assertion", Assertion),
    ("PermittedAction", "permittedAction", PermittedAction),
    ("Substance", "substance", Substance),
)
_FIELDS = {
    "kind": "kind",
    "role": "role",
    "tlp": "tlp",
    "sourceGrade": "source_grade",
    "assertion": "assertion",
    "permittedAction": "permitted_action",
    "substance": "substance",
}


def _is_in(member: Member, kind: str, name: str) -> bool:
    match kind:
        case "Sector":
            return member.sector == name
        case "Country":
            return member.country == name
        case "Community":
            return name in member.communities
    return member.code == name


def _name(kind: str, name: str) -> str:
    return f'{kind}::"{name}"'


def _listed(kind: str, names: set[str]) -> str:
    return f"[{', '.join(_name(kind, each) for each in sorted(names))}]"
