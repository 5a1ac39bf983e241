"""The SQL that makes typed, folded and checked columns of a manifest's cells, for DuckDB.

Every name in it is one of ours; headings and values of a file come in as data only. A cell that
cannot be read leaves its field empty and is told as a fault: the parcel is screened all the same,
so that nobody leaves the screening by writing nonsense into a field.
"""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from postern.duckdb_engine import literal
from postern.manifest_mapping import PARTIES, ManifestColumns, ManifestMapping
from postern.patterns.fields import FIELDS, Field, FieldType

WORD_FIELDS = ("service", "declared_category", "payment", "delivery")
COUNTRY_FIELDS = ("origin_country", "destination_country", "goods_origin")
_PARTY_KEYS = ("name", "business", "street", "postcode", "phone", "email")
_S10 = "^[A-Z]{2}[0-9]{9}[A-Z]{2}$"
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_AMOUNTS: Mapping[str, str] = {
    "pieces": "pieces",
    "gross_weight": "gross_weight_g",
    "net_weight": "net_weight_g",
    "value": "value_eur",
    "postage": "postage_eur",
}
_PRICES = ("value", "postage")
_SHORT = 8  # digits: with a factor of 1,000 and six decimals such a number has 64 bits
_LONG = 15
_MARKS = " .,;:-_/\\'\"`\u00b4\u2019()[]&+*#\t"  # what does not tell two names apart

PREPARED: Mapping[str, str] = {
    "line": "BIGINT",
    "posted_day": "BIGINT",
    **{
        name: {
            FieldType.NUMBER: "BIGINT",
            FieldType.FLAG: "BOOLEAN",
            FieldType.PERSON: "BIGINT",
        }.get(each.type, "VARCHAR")
        for name, each in FIELDS.items()
    },
    "item_id": "VARCHAR",
}
"""The columns of a prepared manifest and their types; persons are there as numbers only."""


@dataclass(frozen=True, slots=True)
class _Column:
    """An expression for a column of the prepared manifest, and conditions of its faults."""

    name: str
    sql: str
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """A query for the prepared manifest. Its column `faults` has a bit for each of `faults`."""

    sql: str
    faults: tuple[str, ...]


def typed(
    columns: ManifestColumns, mapping: ManifestMapping, forms: Sequence[tuple[str, str]]
) -> Typed:
    """A query over the table `raw` (line, and a text column per field) and the tables of codes.

    `forms` are countries and the regular expressions of their postcodes.
    """
    has = set(columns.places)
    reading = _Reading(has, columns.units, mapping, forms)
    found = {each.name: each for each in reading.columns()}
    derived = {each.name: each for each in reading.derived()}
    known = {"line", *found}
    first = ",\n ".join(f"{each.sql} AS {name}" for name, each in found.items())
    own = [fault for each in found.values() for fault in each.faults]
    later = [fault for each in derived.values() for fault in each.faults]
    prepared = ",\n ".join(
        f"CAST({derived[name].sql if name in derived else name if name in known else 'NULL'} "
        f"AS {kind}) AS {name}"
        for name, kind in PREPARED.items()
    )
    sql = f"""
WITH cells AS (SELECT {reading.cells()} FROM raw),
steps AS (SELECT *, {reading.steps()} FROM cells),
amounts AS (SELECT *, {reading.amounts()} FROM steps),
read AS (
 SELECT amounts.*, {first},
 {_bits(own, 0)} AS own_faults
 FROM amounts {reading.joins()}
)
SELECT {prepared},
 own_faults + {_bits(later, len(own))} AS faults
FROM read
"""
    return Typed(sql, tuple(name for name, _ in (*own, *later)))


def _bits(faults: Sequence[tuple[str, str]], first: int) -> str:
    bits = [
        f"CASE WHEN {condition} THEN {1 << place} ELSE CAST(0 AS BIGINT) END"
        for place, (_, condition) in enumerate(faults, first)
    ]
    return " + ".join(bits) or "0"


class _Reading:
    """Expressions over the cells `c_<field>` that a file has."""

    def __init__(
        self,
        has: set[str],
        units: Mapping[str, str],
        mapping: ManifestMapping,
        forms: Sequence[tuple[str, str]],
    ) -> None:
        self._forms = forms
        self._has = has
        self._units = units
        self._mapping = mapping

    def cells(self) -> str:
        """The cells without space around them; an empty one is null."""
        named = sorted(self._has)
        return ", ".join(["line", *(f"nullif(trim({each}), '') AS c_{each}" for each in named)])

    def steps(self) -> str:
        """What several columns and faults are made of, computed once: s_ and the field."""
        found = [f"{self._day()} AS s_posted_on"]
        found += [
            f"{_plain(f'c_{name}')} AS s_{name}"
            for party in PARTIES
            for part in (*_PARTY_KEYS, "house_number")
            if (name := f"{party}_{part}") in self._has
        ]
        found += [
            f"{self._read_amount(cell, _SHORT, f'DECIMAL({_SHORT + 10}, 6)')} AS s_{cell}"
            for cell in _AMOUNTS
            if cell in self._has
        ]
        if "hs_code" in self._has:
            found.append("replace(replace(c_hs_code, '.', ''), ' ', '') AS s_hs_code")
        if "item_id" in self._has:
            found.append("upper(replace(c_item_id, ' ', '')) AS s_item_id")
        if "contents" in self._has:
            found.append(f"{ascii_contents('c_contents')} AS s_contents")
        return ", ".join(found)

    def _read_amount(self, cell: str, digits: int, kind: str) -> str:
        """The number in a cell that has no more than so many digits."""
        plain = f"c_{cell}" if self._mapping.decimal == "." else f"replace(c_{cell}, ',', '.')"
        return f"CASE WHEN {self._is_amount(cell, digits)} THEN CAST({plain} AS {kind}) END"

    def _is_amount(self, cell: str, digits: int) -> str:
        mark = "." if self._mapping.decimal == "." else ","
        return f"regexp_full_match(c_{cell}, '[0-9]{{1,{digits}}}([{mark}][0-9]{{1,6}})?')"

    def amounts(self) -> str:
        """Amounts in whole numbers of their fields' scales: n_ and the cell; -1 is out of range."""
        found = [
            f"{self._scaled(cell, name)} AS n_{cell}"
            for cell, name in _AMOUNTS.items()
            if cell in self._has
        ]
        if "item_id" in self._has:
            found.append(f"{_s10_number('s_item_id')} AS n_item_id")
        return ", ".join(found) or "NULL"

    def _scaled(self, cell: str, name: str) -> str:
        field = FIELDS[name]
        least, most = _limits(field)
        factor = 10**field.scale * (1000 if self._units.get(cell) == "kg" else 1)
        times = f" * {factor}" if factor > 1 else ""
        rate = f" * {self._rate()}" if cell in _PRICES else ""
        amount = f"coalesce(s_{cell}, {self._read_amount(cell, _LONG, 'DECIMAL(28, 6)')})"
        whole = f"round({amount}{rate}{times}, 0)"
        is_plain = f"s_{cell} IS NOT NULL"
        if rate:
            is_plain += f" AND {self._currency()} = 'EUR'"
        return (
            f"CASE WHEN {is_plain} THEN CAST(round(s_{cell}{times}, 0) AS BIGINT) "
            f"WHEN {whole} BETWEEN {least} AND {most} THEN CAST({whole} AS BIGINT) "
            f"WHEN {whole} IS NOT NULL THEN -1 END"
        )

    def _currency(self) -> str:
        currency = "upper(c_currency)" if "currency" in self._has else "NULL"
        if self._mapping.currency:
            return f"coalesce({currency}, '{self._mapping.currency}')"
        return currency

    def _rate(self) -> str:
        """Euro for one unit of a parcel's currency, null when nothing says how many."""
        rates = {"EUR": "1"} | {name: str(rate) for name, rate in self._mapping.rates.items()}
        cases = " ".join(
            f"WHEN '{name}' THEN CAST({rate} AS DECIMAL(12, 6))" for name, rate in rates.items()
        )
        return f"(CASE {self._currency()} {cases} END)"

    def joins(self) -> str:
        """The tables of codes: small, so that they are looked up by hash."""
        found = [
            f"LEFT JOIN w_{name} ON w_{name}.cell = c_{name}"
            for name in (*WORD_FIELDS, *COUNTRY_FIELDS)
            if name in self._has
        ]
        if "contents" in self._has:
            found.append("LEFT JOIN w_contents ON w_contents.cell = c_contents")
        return "\n ".join(found)

    def columns(self) -> Iterator[_Column]:
        """What a cell holds, typed. `r_` columns are steps on the way to derived ones."""
        yield _Column(
            "posted_day",
            "s_posted_on",
            (
                ("posted_on:missing", "c_posted_on IS NULL"),
                ("posted_on:not_a_day", "c_posted_on IS NOT NULL AND s_posted_on IS NULL"),
            ),
        )
        yield from self._plain_cells()
        yield from self._coded()
        for cell in ("pieces", "gross_weight", "net_weight"):
            yield from self._number(cell)
        yield from self._prices()
        for party in PARTIES:
            yield from self._party(party)

    def derived(self) -> Iterator[_Column]:
        """What follows from the typed columns."""
        yield _Column("posted_weekday", "((posted_day + 3) % 7) + 1")
        yield _Column(
            "contents_words",
            "CASE WHEN contents IS NULL THEN 0 "
            "ELSE length(contents) - length(replace(contents, ' ', '')) - 1 END"
            if "contents" in self._has
            else "NULL",
        )
        yield _Column("induction_postcode_area", "left(r_induction_postcode, 2)")
        for party in PARTIES:
            yield _Column(f"{party}_postcode_area", f"left(r_{party}_postcode, 2)")
        yield _Column(
            "sender_area_differs", "left(r_sender_postcode, 2) <> left(r_induction_postcode, 2)"
        )
        yield _Column("goods_origin_differs", "goods_origin <> origin_country")
        yield _Column("value_per_kg_eur", "(value_eur * 1000) // nullif(net_weight_g, 0)")
        yield _Column("postage_to_value", "(postage_eur * 100) // nullif(value_eur, 0)")
        yield _Column(
            "weight_gap_ratio",
            "((gross_weight_g - net_weight_g) * 100) // nullif(gross_weight_g, 0)",
            (("net_weight:above_gross", "net_weight_g > gross_weight_g"),),
        )

    def _plain_cells(self) -> Iterator[_Column]:
        yield self._cell("account", "upper(c_account)")
        yield self._cell("induction_point", "upper(c_induction_point)")
        yield self._cell(
            "r_induction_postcode", _plain("c_induction_postcode"), "induction_postcode"
        )
        has_item = "item_id" in self._has
        yield _Column(
            "item_id",
            "s_item_id" if has_item else "NULL",
            (("item_id:check_digit", f"NOT {_check_digit('n_item_id')}"),) if has_item else (),
        )
        hour = "try_cast(substr(c_posted_time, 1, 2) AS BIGINT)"
        if "posted_time" in self._has:
            fits = f"{hour} BETWEEN 0 AND 23 AND regexp_full_match(c_posted_time, '[0-9]{{2}}:.*')"
            yield _Column(
                "posted_hour",
                f"CASE WHEN {fits} THEN {hour} END",
                (("posted_time:not_a_time", f"c_posted_time IS NOT NULL AND NOT ({fits})"),),
            )
        else:
            yield _Column("posted_hour", "NULL")
        if "hs_code" in self._has:
            fits = (
                "(regexp_full_match(s_hs_code, '[0-9]{6,12}') AND left(s_hs_code, 2) IN "
                "(SELECT chapter FROM hs_chapters))"
            )
            yield _Column(
                "hs_code",
                f"CASE WHEN {fits} THEN s_hs_code END",
                (("hs_code:unknown", f"c_hs_code IS NOT NULL AND NOT {fits}"),),
            )
        else:
            yield _Column("hs_code", "NULL")

    def _coded(self) -> Iterator[_Column]:
        for name in (*WORD_FIELDS, *COUNTRY_FIELDS):
            if name in self._has:
                yield _Column(
                    name,
                    f"w_{name}.word",
                    ((f"{name}:unknown", f"c_{name} IS NOT NULL AND w_{name}.word IS NULL"),),
                )
            else:
                yield _Column(name, "NULL")
        if "contents" in self._has:
            yield _Column("contents", "coalesce(w_contents.word, s_contents)")
        else:
            yield _Column("contents", "NULL")

    def _number(self, cell: str, *, fault: str = "", known: str = "true") -> Iterator[_Column]:
        """A whole number of the field's scale, if the cell holds one within the field's limits."""
        name = _AMOUNTS[cell]
        if cell not in self._has:
            yield _Column(name, "NULL")
            return
        least, most = _limits(FIELDS[name])
        fits = f"n_{cell} BETWEEN {least} AND {most}"
        is_none = f"CASE WHEN s_{cell} IS NULL THEN NOT {self._is_amount(cell, _LONG)} END"
        yield _Column(
            name,
            f"CASE WHEN {fits} THEN n_{cell} END",
            (
                (f"{cell}:not_a_number", is_none),
                (f"{cell}:out_of_range", f"NOT ({fits}) AND {known}"),
                *(
                    ((f"{cell}:{fault}", f"c_{cell} IS NOT NULL AND NOT ({known})"),)
                    if fault
                    else ()
                ),
            ),
        )

    def _prices(self) -> Iterator[_Column]:
        currency = self._currency()
        if "currency" in self._has:
            yield _Column(
                "r_currency",
                currency,
                (
                    (
                        "currency:unknown",
                        f"{currency} NOT IN (SELECT code FROM currencies)",
                    ),
                ),
            )
        for cell in _PRICES:
            yield from self._number(cell, fault="without_rate", known=f"{self._rate()} IS NOT NULL")

    def _party(self, party: str) -> Iterator[_Column]:
        parts = [f"{party}_{part}" for part in (*_PARTY_KEYS, "house_number")]
        folded = {each: f"s_{each}" if each in self._has else "NULL" for each in parts}
        for part in _PARTY_KEYS:
            name = f"{party}_{part}"
            yield _Column(name, _number_of(folded[name]) if name in self._has else "NULL")
        postcode = f"{party}_postcode"
        yield _Column(
            f"r_{postcode}",
            folded[postcode],
            (
                (
                    f"{postcode}:not_of_its_country",
                    f"NOT {self._postcode_fits(f'upper(c_{postcode})', self._country_of(party))}",
                ),
            )
            if postcode in self._has
            else (),
        )
        whole = [folded[f"{party}_{part}"] for part in ("name", "business", "street")]
        whole += [folded[f"{party}_house_number"], folded[postcode]]
        if not self._has & {f"{party}_name", f"{party}_business", f"{party}_street"}:
            yield _Column(party, "NULL")
            return
        known = f"coalesce({', '.join(whole[:3])}) IS NOT NULL"
        yield _Column(party, f"CASE WHEN {known} THEN {_hash(', '.join(whole))} END")

    def _postcode_fits(self, postcode: str, country: str) -> str:
        """Whether a postcode has the form of its country; an unknown country has none.

        One constant expression for all countries of a form: an engine compiles it once.
        """
        countries: dict[str, list[str]] = {}
        for code, form in self._forms:
            countries.setdefault(form, []).append(literal(code))
        cases = " ".join(
            f"WHEN {country} IN ({', '.join(codes)}) "
            f"THEN regexp_full_match({postcode}, {literal(form)})"
            for form, codes in countries.items()
        )
        return f"(CASE {cases} ELSE true END)" if cases else "true"

    def _country_of(self, party: str) -> str:
        """The code of a party's country: its own when that is one, else that of the item."""
        country = "origin_country" if party == "sender" else "destination_country"
        item = f"w_{country}.word" if country in self._has else "NULL"
        if f"{party}_country" not in self._has:
            return item
        return f"CASE WHEN length(c_{party}_country) = 2 THEN upper(c_{party}_country) END"

    def _cell(self, name: str, sql: str, cell: str = "") -> _Column:
        return _Column(name, sql if (cell or name) in self._has else "NULL")

    @staticmethod
    def _day() -> str:
        """Days since 1970-01-01, of 2000 to 2100; the day comes before the month."""
        text = "left(c_posted_on, 10)"
        compact = "try_strptime(left(c_posted_on, 8), '%Y%m%d')"
        european = f"try_strptime(translate({text}, './', '--'), '%d-%m-%Y')"
        day = (
            f"CASE WHEN substr(c_posted_on, 5, 1) = '-' THEN try_cast({text} AS DATE) "
            f"WHEN regexp_matches(c_posted_on, '^[0-9]{{8}}') THEN CAST({compact} AS DATE) "
            f"ELSE CAST({european} AS DATE) END"
        )
        number = f"({day} - DATE '1970-01-01')"
        return f"CASE WHEN {number} BETWEEN 10957 AND 47846 THEN {number} END"


def _limits(field: Field) -> tuple[int, int]:
    """The least and the most of an amount, in its scale; none is below zero."""
    least = field.scaled(field.least) if field.least is not None else None
    most = field.scaled(field.most) if field.most is not None else None
    return least or 0, most or 0


def ascii_contents(cell: str) -> str:
    """Contents of ASCII letters folded as `postern.patterns.contents` does; null without words."""
    words = f"trim(regexp_replace(lower({cell}), '[^a-z0-9]+', ' ', 'g'))"
    return f"CASE WHEN {words} <> '' THEN ' ' || {words} || ' ' END"


def _plain(cell: str) -> str:
    """A cell of a party, so that case, accents, space and punctuation make no difference.

    Most cells have no mark but space, and need no regular expression.
    """
    simple = f"replace(upper({cell}), ' ', '')"
    marks = literal(
        "[" + "".join(f"\\{mark}" if mark in "\\-[]" else mark for mark in _MARKS) + "]+"
    )
    whole = f"regexp_replace(strip_accents(upper({cell})), {marks}, '', 'g')"
    has_marks = f"regexp_matches({cell}, '[^A-Za-z0-9 ]')"
    return f"nullif(CASE WHEN {has_marks} THEN {whole} ELSE {simple} END, '')"


def _number_of(text: str) -> str:
    """A number that stands for a text within one prepared manifest; null for null."""
    return f"CASE WHEN {text} IS NOT NULL THEN {_hash(text)} END"


def _hash(texts: str) -> str:
    return f"CAST(hash({texts}) >> 1 AS BIGINT)"


def _s10_number(item: str) -> str:
    """The nine digits of an S10 identifier as a number; null for what is none."""
    return (
        f"CASE WHEN regexp_matches({item}, '{_S10}') THEN CAST(substr({item}, 3, 9) AS INTEGER) END"
    )


def _check_digit(number: str) -> str:
    """Whether the last of the nine digits of an S10 identifier is the right one."""
    weighted = " + ".join(
        f"{weight} * (({number} // {10 ** (8 - place)}) % 10)"
        for place, weight in enumerate(_S10_WEIGHTS)
    )
    rest = f"(({weighted}) % 11)"
    return f"({number} % 10 = CASE {rest} WHEN 0 THEN 5 WHEN 1 THEN 0 ELSE 11 - {rest} END)"
