"""The results of a screening as files: Parquet with all hits, CSV and JSON with the highest ones.

They hold line, item identifier, score and reasons, and no name or address. Mode 0600.
"""

# ruff: noqa: S608 - every name in a statement is ours; what comes from outside is a literal

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from postern.duckdb_engine import Engine, literal
from postern.patterns.model import Rule
from postern.private_files import PRIVATE, write_private
from postern.screening import Screening
from postern.screening_report import report

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
PARQUET, CSV, JSON, HTML = "hits.parquet", "hits.csv", "hits.json", "report.html"


def write_results(
    screening: Screening, engine: Engine, target: Path, language: str, about: str
) -> None:
    """Write the four files into a directory; `about` heads the page. Raises OSError."""
    _write_parquet(screening.rules, engine, target / PARQUET)
    write_private(target / CSV, _csv(screening))
    write_private(target / JSON, _json(screening))
    write_private(target / HTML, report(screening, language, about))


def _write_parquet(rules: Sequence[Rule], engine: Engine, path: Path) -> None:
    """All hits, ranked: rank, line, item_id, score, rules (ids), titles."""
    engine.table(
        "named",
        ("place", "id", "title"),
        ((str(n), each.id, each.title) for n, each in enumerate(rules)),
    )
    engine.run(
        "COPY (SELECT row_number() OVER (ORDER BY score DESC, ranked.line) AS rank, ranked.line, "
        "item_id, score, ids, titles FROM ranked JOIN manifest USING (line) JOIN ("
        "SELECT line, list(id ORDER BY rule) AS ids, list(title ORDER BY rule) AS titles "
        "FROM hits JOIN named ON rule = CAST(place AS BIGINT) GROUP BY line) USING (line) "
        f"ORDER BY rank) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)"
    )
    path.chmod(PRIVATE)


def _csv(screening: Screening) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("rank", "line", "item_id", "score", "patterns", "reasons"))
    for hit in screening.hits:
        writer.writerow(
            (
                hit.rank,
                hit.line,
                _harmless(hit.item_id or ""),
                hit.score,
                _harmless(" / ".join(hit.titles)),
                _harmless(" / ".join(hit.reasons)),
            )
        )
    return "\ufeff" + text.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _json(screening: Screening) -> str:
    document = {
        "account": screening.account.as_json(),
        "parcels": screening.parcels,
        "patterns": [
            {
                "id": rule.id,
                "title": rule.title,
                "level": rule.level,
                "sha256": rule.sha256,
                "hits": screening.by_rule[rule.id],
            }
            for rule in screening.rules
        ],
        "hits": [
            {
                "rank": hit.rank,
                "line": hit.line,
                "item_id": hit.item_id,
                "score": hit.score,
                "patterns": [
                    {"id": each, "title": title, "reason": reason}
                    for each, title, reason in zip(hit.rules, hit.titles, hit.reasons, strict=True)
                ],
            }
            for hit in screening.hits
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
