"""A manifest's parties against a token filter, where the manifest lies.

Patterns come first: only parcels that a rule would choose if they were listed are looked at. Of
each party the three facets come first that nearly every match has one of; the others are evaluated
only for those of which one is listed. What is listed is weighed as a lookup weighs it, and only
what reaches a band there is confirmed with the platform. The platform never learns of the rest.
"""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from postern.duckdb_engine import Engine, literal
from postern.facet_kinds import NAME_FACETS, NUMBERS
from postern.facets import Facet, evaluation_input, facets
from postern.manifest import PREPARED_MARK, Prepared
from postern.matching import POSTAL_KINDS, score
from postern.normalise import Normalised
from postern.patterns.compiling import Dialect, compiled
from postern.patterns.model import Filter, Rule
from postern.private_files import PRIVATE
from postern.pseudonymise import Pseudonym, PseudonymFacet
from postern.rows import Reading, sightings
from postern.screening import Progress, find
from postern.terms import FaultError
from postern.token_filter import TokenFilter
from postern.token_rules import widened
from postern.vocabulary import EVALUATION_KIND, Band, EvaluationKind

FIRST = frozenset({NUMBERS["P*H"], NUMBERS["SK*H"], NUMBERS["NI*R3"]})
"""The facets of a party that are evaluated first.

Of the pairs that a lookup finds, as many as docs/token-screening.md tells have one of them in
common; bench/token_screening.py measures it.
"""

EVERY_FACET = frozenset(NUMBERS.values())

WORDS: Mapping[Band, str] = {Band.STRONG: "exact", Band.LIKELY: "near"}
"""Band of a match -> what the fields `sender_token` and `addressee_token` then hold."""

_PARTS = (
    *("name", "business", "street", "house_number", "box", "postcode", "city", "country"),
    *("phone", "email"),
)
_ITEM_COUNTRY = {"sender": "origin_country", "addressee": "destination_country"}
_AT_ONCE = 5_000  # different parties
_CONFIRMED_AT_ONCE = 100  # queries of one lookup


class GivesTokens(Protocol):
    """What makes tokens of evaluation inputs, such as `postern.token_evaluation.BulkTokens`."""

    def tokens(
        self, kind: EvaluationKind, epoch: int, values: Sequence[bytes]
    ) -> dict[bytes, bytes]: ...


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a lookup said of a value: its band, None for no hit; the lookup; the hits as told."""

    band: Band | None
    lookup: str
    hits: tuple[Mapping[str, Any], ...]


Confirm = Callable[[Sequence[Pseudonym]], Sequence[Confirmed]]
"""Looks up to 100 pseudonyms up, in their order."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A party that is listed: on which lines, as which party, and how surely."""

    lines: tuple[tuple[int, str], ...]  # line, sender or addressee
    word: str
    confirmations: tuple[Confirmed, ...]


@dataclass(slots=True)
class TokenAccount:
    """What became of the parcels' parties. `suspected` reached a band before confirmation."""

    parcels: int = 0  # that tokens could matter to
    parties: int = 0  # different ones among them
    unreadable: int = 0  # values of parties that could not be compared
    suspected: int = 0
    lookups: int = 0
    listed: int = 0
    facets_asked: int = 0
    confirms: bool = True


@dataclass(frozen=True, slots=True)
class TokenScreening:
    """The manifest with its token columns filled, and what was found on the way."""

    prepared: Prepared
    listed: tuple[Listed, ...]
    account: TokenAccount


def screen_tokens(
    prepared: Prepared,
    rules: Sequence[Rule],
    filters: Sequence[Filter],
    engine: Engine,
    *,
    token_filter: TokenFilter,
    source: GivesTokens,
    work: Path,
    confirm: Confirm | None,
    progress: Progress,
    first: frozenset[int] = FIRST,
) -> TokenScreening:
    """Fill `sender_token` and `addressee_token` of a manifest that was prepared with its cells.

    Without `confirm` a party counts as listed by the filter alone. The cells are gone from the
    engine afterwards. Raises ClientError, and what `find` raises.
    """
    account = TokenAccount(confirms=confirm is not None)
    parties = _choose(prepared, rules, filters, engine, progress)
    _gather(engine, parties)
    ((account.parcels,),) = engine.rows("SELECT count(*) FROM token_lines")
    ((account.parties,),) = engine.rows("SELECT count(*) FROM token_parties")
    test = _Test(token_filter, source, first, account)
    suspects: list[_Suspect] = []
    done = 0
    rows = engine.stream(f"SELECT places, {', '.join(_PARTS)} FROM token_parties")
    while some := list(islice(rows, _AT_ONCE)):
        suspects += test.suspects([_party(row, account) for row in some])
        done += len(some)
        progress("screening tokens", 100 * done // account.parties)
    account.suspected = len(suspects)
    listed = tuple(_confirmed(suspects, confirm, account) if confirm else map(_unsure, suspects))
    account.listed = len(listed)
    engine.run("DROP TABLE token_parties; DROP TABLE token_lines; DROP TABLE IF EXISTS raw")
    return TokenScreening(_filled(prepared, listed, engine, work), listed, account)


@dataclass(frozen=True, slots=True)
class _Party:
    places: tuple[tuple[int, str], ...]
    values: tuple[Normalised, ...]


@dataclass(slots=True)
class _Value:
    """A value on its way: its facets, and the tokens of those that were evaluated."""

    value: Normalised
    kind: EvaluationKind
    epoch: int
    facets: tuple[Facet, ...]
    tokens: dict[Facet, bytes] = field(default_factory=dict)

    def pseudonym(self) -> Pseudonym:
        found = tuple(PseudonymFacet(each.number, self.tokens[each], None) for each in self.facets)
        return Pseudonym(self.value.kind, self.epoch, found)


@dataclass(frozen=True, slots=True)
class _Suspect:
    places: tuple[tuple[int, str], ...]
    values: tuple[tuple[_Value, Band], ...]


class _Test:
    """Values against the filter, in two steps."""

    def __init__(
        self,
        token_filter: TokenFilter,
        source: GivesTokens,
        first: frozenset[int],
        account: TokenAccount,
    ) -> None:
        self._filter = token_filter
        self._source = source
        self._first = first
        self._account = account

    def suspects(self, parties: Sequence[_Party]) -> Iterator[_Suspect]:
        """The parties of which a value reaches a band."""
        values = [[self._begun(value) for value in party.values] for party in parties]
        known = [[each for each in some if each is not None] for some in values]
        flat = [each for some in known for each in some]
        self._evaluate((each, self._of_first(each)) for each in flat)
        promising = [each for each in flat if self._listed(each)]
        self._evaluate((each, each.facets) for each in promising)
        for party, some in zip(parties, known, strict=True):
            found = tuple(
                (each, band) for each in some if each.tokens and (band := self._band(each))
            )
            if found:
                yield _Suspect(party.places, found)

    def _begun(self, value: Normalised) -> _Value | None:
        """None when nothing of its kind is listed."""
        kind = EVALUATION_KIND[value.kind]
        epoch = self._filter.header.epochs.get(kind)
        found = facets(value)
        if epoch is None or self._filter.facets.isdisjoint(each.number for each in found):
            return None
        return _Value(value, kind, epoch, found)

    def _of_first(self, each: _Value) -> list[Facet]:
        """What is evaluated of a value before anything else; facets that nobody lists tell nothing.

        A value that has none of the first facets, such as an address without a number, has all of
        its facets evaluated.
        """
        useful = [one for one in each.facets if one.number in self._filter.facets]
        if each.value.kind not in POSTAL_KINDS:
            return useful
        return [one for one in useful if one.number in self._first] or useful

    def _evaluate(self, wanted: Iterable[tuple[_Value, Sequence[Facet]]]) -> None:
        asked: dict[tuple[EvaluationKind, int], list[tuple[_Value, Facet, bytes]]] = {}
        for each, some in wanted:
            here = asked.setdefault((each.kind, each.epoch), [])
            here += [
                (each, one, evaluation_input(one, each.kind))
                for one in some
                if one not in each.tokens
            ]
        for (kind, epoch), cells in asked.items():
            self._account.facets_asked += len(cells)
            found = self._source.tokens(kind, epoch, [text for _, _, text in cells])
            for each, one, text in cells:
                each.tokens[one] = found[text]

    def _listed(self, each: _Value) -> list[Facet]:
        return [one for one, token in each.tokens.items() if self._filter.lists(token, one.number)]

    def _band(self, each: _Value) -> Band | None:
        """The band if all that is listed were of one record, which has every facet or no name."""
        agreeing: dict[int, int] = {}
        for one in self._listed(each):
            agreeing[one.number] = agreeing.get(one.number, 0) + 1
        if not agreeing:
            return None
        own = frozenset(one.number for one in each.facets)
        bands = {
            score(each.value.kind, agreeing, query=own, candidate=candidate).band
            for candidate in (own, own - NAME_FACETS)
        }
        return next((band for band in (Band.STRONG, Band.LIKELY) if band in bands), None)


def _choose(
    prepared: Prepared,
    rules: Sequence[Rule],
    filters: Sequence[Filter],
    engine: Engine,
    progress: Progress,
) -> tuple[str, ...]:
    """Fill the table `token_lines`; the parties whose tokens rules ask for."""
    wide = widened(rules, filters)
    if wide.every:
        source = f"SELECT line FROM read_parquet({literal(prepared.path)})"
    elif wide.rules:
        plan = compiled(wide.rules, wide.filters, Dialect.DUCKDB)
        find(engine, prepared.path, plan, progress)
        source = "SELECT DISTINCT line FROM hits"
    else:
        source = "SELECT CAST(0 AS BIGINT) AS line WHERE false"
    engine.run(f"CREATE OR REPLACE TABLE token_lines AS {source}")
    return wide.parties


def _gather(engine: Engine, parties: Sequence[str]) -> None:
    """Fill the table `token_parties`: each different party once, with the places it stands at.

    A place is the number of a line, times two, and one more for the addressee.
    """
    has = {str(row[0]) for row in engine.rows("DESCRIBE SELECT * FROM raw")}
    sides = []
    for party in parties:
        country = f"coalesce({_cell(has, f'{party}_country')}, {_cell(has, _ITEM_COUNTRY[party])})"
        cells = [
            f"{country if part == 'country' else _cell(has, f'{party}_{part}')} AS {part}"
            for part in _PARTS
        ]
        bit = int(party == "addressee")
        sides.append(
            f"SELECT line * 2 + {bit} AS place, {', '.join(cells)} "
            "FROM raw SEMI JOIN token_lines USING (line)"
        )
    none = ", ".join(f"CAST(NULL AS VARCHAR) AS {part}" for part in _PARTS)
    table = " UNION ALL ".join(sides)
    table = table or f"SELECT CAST(0 AS BIGINT) AS place, {none} WHERE false"
    engine.run(
        f"CREATE OR REPLACE TABLE token_parties AS SELECT list(place) AS places, "
        f"{', '.join(_PARTS)} FROM ({table}) "
        "WHERE coalesce(name, business, street, phone, email) IS NOT NULL GROUP BY ALL"
    )


def _cell(has: set[str], name: str) -> str:
    return f"nullif(trim(raw.{name}), '')" if name in has else "CAST(NULL AS VARCHAR)"


def _party(row: Sequence[Any], account: TokenAccount) -> _Party:
    """What can be compared of a party; each value by itself, so that a bad one spoils no other."""
    places, *cells = row
    known = {part: cell for part, cell in zip(_PARTS, cells, strict=True) if cell}
    values: list[Normalised] = []
    for part in ("phone", "email", "address"):
        others = {"phone", "email"} - {part}
        if part == "address":
            given = {name: cell for name, cell in known.items() if name not in others}
        else:
            given = {name: known[name] for name in (part, "country") if name in known}
        try:
            found, flags = sightings(given, _READING)
        except FaultError:
            account.unreadable += 1
            continue
        account.unreadable += len(flags)
        values += [each.value for each in found]
    return _Party(
        tuple((place // 2, ("sender", "addressee")[place % 2]) for place in sorted(places)),
        tuple(values),
    )


def _confirmed(
    suspects: Sequence[_Suspect], confirm: Confirm, account: TokenAccount
) -> Iterator[Listed]:
    """The suspects that lookups confirm; each different value is looked up once."""
    asked = {pseudonym: None for each in suspects for pseudonym in _pseudonyms(each)}
    rest = iter(list(asked))
    answers: dict[Pseudonym, Confirmed] = {}
    while few := list(islice(rest, _CONFIRMED_AT_ONCE)):
        answers |= dict(zip(few, confirm(few), strict=True))
        account.lookups += 1
    for each in suspects:
        found = [answers[pseudonym] for pseudonym in _pseudonyms(each)]
        bands = {one.band for one in found}
        best = next((band for band in (Band.STRONG, Band.LIKELY) if band in bands), None)
        if best is not None:
            hits = tuple(one for one in found if one.band is not None)
            yield Listed(each.places, WORDS[best], hits)


def _pseudonyms(suspect: _Suspect) -> list[Pseudonym]:
    return [value.pseudonym() for value, _ in suspect.values]


def _unsure(suspect: _Suspect) -> Listed:
    bands = {band for _, band in suspect.values}
    return Listed(suspect.places, WORDS[Band.STRONG if Band.STRONG in bands else Band.LIKELY], ())


def _filled(prepared: Prepared, listed: Sequence[Listed], engine: Engine, work: Path) -> Prepared:
    """The prepared manifest with its token columns."""
    rows = ((str(line), party, each.word) for each in listed for line, party in each.lines)
    engine.large_table("listed", ("line", "party", "word"), rows, work / "listed.csv")
    target = work / "manifest-tokens.parquet"
    # "exact" comes before "near", should a line be told twice.
    sides = ", ".join(
        f"min(word) FILTER (party = '{party}') AS {party}_token" for party in _ITEM_COUNTRY
    )
    chosen = ", ".join(f"told.{party}_token AS {party}_token" for party in _ITEM_COUNTRY)
    engine.run(
        f"COPY (SELECT m.* REPLACE ({chosen}) FROM read_parquet({literal(prepared.path)}) AS m "
        f"LEFT JOIN (SELECT CAST(line AS BIGINT) AS line, {sides} FROM listed GROUP BY line) "
        f"AS told ON told.line = m.line) TO {literal(target)} (FORMAT parquet, COMPRESSION zstd, "
        f"KV_METADATA {{{PREPARED_MARK}: '1'}})"
    )
    target.chmod(PRIVATE)
    prepared.path.unlink()
    engine.run("DROP TABLE listed")
    return replace(prepared, path=target)


_READING = Reading(date.min)  # of what it reads, no value depends on the day
