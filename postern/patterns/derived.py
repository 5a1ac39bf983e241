"""Fields that follow from others, so that rules need no arithmetic. SQL does the same on import."""

from postern.patterns.model import Operand, Row

_MONDAY = 3  # 1970-01-01 was a Thursday: three days after a Monday
_WEEK = 7
_GRAMS = 1000  # of a kilogram
_HUNDRED = 100


def with_derived(row: Row) -> Row:
    """The row with what follows from it, where the row does not say it itself.

    Quotients are whole numbers of the field's scale, rounded towards zero.
    """
    found: dict[str, Operand | None] = {
        "posted_weekday": _weekday(row),
        "contents_words": _words(row),
        "goods_origin_differs": _differs(row, "goods_origin", "origin_country"),
        "sender_area_differs": _differs(row, "sender_postcode_area", "induction_postcode_area"),
        "value_per_kg_eur": _quotient(row, "value_eur", "net_weight_g", _GRAMS),
        "postage_to_value": _quotient(row, "postage_eur", "value_eur", _HUNDRED),
        "weight_gap_ratio": _gap(row),
    }
    return {name: value for name, value in found.items() if value is not None} | dict(row)


def _weekday(row: Row) -> int | None:
    day = row.get("posted_day")
    return None if day is None else (int(day) + _MONDAY) % _WEEK + 1


def _words(row: Row) -> int | None:
    if "contents" not in row:
        return None
    contents = row["contents"]
    return len(str(contents).split()) if contents is not None else 0


def _differs(row: Row, one: str, other: str) -> bool | None:
    first, second = row.get(one), row.get(other)
    return None if first is None or second is None else first != second


def _quotient(row: Row, upper: str, lower: str, factor: int) -> int | None:
    above, below = row.get(upper), row.get(lower)
    if above is None or not below:
        return None
    return int(above) * factor // int(below)


def _gap(row: Row) -> int | None:
    gross, net = row.get("gross_weight_g"), row.get("net_weight_g")
    if not gross or net is None:
        return None
    gap = (int(gross) - int(net)) * _HUNDRED
    return gap // int(gross) if gap >= 0 else -(-gap // int(gross))
