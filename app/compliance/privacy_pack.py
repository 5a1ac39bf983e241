"""The pack for an impact assessment (GDPR Art. 35, LED Art. 27): what the platform knows.

The record of processing, the tables, and an assessment in which every threat that the platform can
answer is answered from its settings, and every question that only people can judge is left open.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.compliance.processing import Record
from app.compliance.processing_tables import Whom

_OPEN = "**To be judged by the controller:** "

_QUESTIONS = (
    "Why is the processing necessary and proportionate for each purpose and legal basis?",
    "Which national law lets each member share with each other sector (postal secrecy included)?",
    "Were the data protection officer and representatives of the persons concerned heard?",
    "Does a high risk remain, so that the authority is consulted (GDPR Art. 36, LED Art. 28)?",
    "When is this assessment looked at again?",
)

_RISKS = (
    (
        "A member tests many people or addresses, one by one",
        "Brake on guessing",
        "a list of suspects that fits into the budget is answered",
    ),
    (
        "The database is stolen",
        "Pseudonymisation",
        "how often a token stands there can be compared with what is public",
    ),
    (
        "Somebody looks without a reason, and nobody notices",
        "Logging (LED Art. 25)",
        "a reason that is invented is found by reviews and signals only",
    ),
    (
        "A record is wrong, or is kept for too long",
        "Storage limitation",
        "what a recipient stored outside is called back and acknowledged, not erased by force",
    ),
    (
        "A person is harmed by a match alone",
        "Disclosure by a person",
        "people can be wrong too: outcomes are told back to the owner",
    ),
    (
        "Somebody listens on the way, or acts as another",
        "Transport control",
        "a computer of a member that is taken over acts as its user",
    ),
)


def write(record: Record, folder: Path) -> list[str]:
    """Write the files into an empty or new folder; returns their names. FileExistsError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(folder)
    files = contents(record)
    sums = "".join(
        f"{hashlib.sha256(content.encode()).hexdigest()}  {name}\n"
        for name, content in files.items()
    )
    for name, content in {**files, "SHA256SUMS": sums}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [*files, "SHA256SUMS"]


def contents(record: Record) -> Mapping[str, str]:
    """File name -> text."""
    return {
        "record-of-processing.md": "\n".join(_record(record)) + "\n",
        "impact-assessment.md": "\n".join(_assessment(record)) + "\n",
        "tables.csv": _tables(record),
        "record.json": json.dumps(record.as_document(), indent=2, ensure_ascii=False) + "\n",
    }


def _record(record: Record) -> Iterator[str]:
    yield f"# Record of processing: {record.platform}"
    yield f"\nMade from the live configuration at {record.made_at:%Y-%m-%d %H:%M} UTC"
    yield "(GDPR Art. 30, Directive (EU) 2016/680 Art. 24).\n"
    yield f"Processor that runs the platform: {record.operator or 'to be entered'}.\n"
    yield "## Controllers\n\n| code | name | sector | country | desk |\n|---|---|---|---|---|"
    for each in record.members:
        cells = (each[name] for name in ("code", "name", "sector", "country", "desk"))
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield "\n## Purposes and legal bases\n"
    yield f"Purposes that can be stated: {', '.join(record.purposes)}."
    yield f"Legal bases that can be stated: {', '.join(record.bases)}.\n"
    yield "So far something was asked under:\n"
    for use in record.in_use:
        yield f"- {use['purpose']}, {use['legal_basis']}"
    yield "" if record.in_use else "- nothing yet\n"
    yield "## Categories of persons and data, and until when\n"
    yield "| table | whose | form | kept |\n|---|---|---|---|"
    for row in record.personal:
        yield f"| `{row.name}` | {row.whom} | {row.form} | {_cell(row.until)} |"
    yield "\n## Recipients\n"
    if record.recipients is None:
        yield "Each member reads its own recipients on its page `/privacy`: the operator does not."
    else:
        for to in record.recipients:
            yield f"- {to.name} ({to.code}, {to.country}): {to.indicators} indicators in a year"
        yield "" if record.recipients else "- nobody in the last year\n"
    for name, count in record.outgoing.items():
        yield f"- {name}: {count}"
    yield "\n## Keys\n"
    for key in record.keys:
        yield f"- evaluation key {key.kind}, epoch {key.epoch}, until {key.ends}"
    yield f"- secrets of the platform: {', '.join(record.secrets)}"
    yield "\n## Profiling\n"
    yield "None: a match makes a task, and a score decides nothing about a person."
    yield "\n## Measures\n"
    for name, told in record.measures:
        yield f"- **{name}.** {told}"


def _assessment(record: Record) -> Iterator[str]:
    measures = dict(record.measures)
    yield f"# Impact assessment: {record.platform}"
    yield f"\nPrepared at {record.made_at:%Y-%m-%d %H:%M} UTC. It is not finished until every open"
    yield "question is answered by the controller.\n"
    yield "## What is done\n\nSee record-of-processing.md. "
    count = sum(row.whom in {Whom.CONCERNED, Whom.BOTH} for row in record.tables)
    yield f"{count} of {len(record.tables)} tables hold something of persons behind indicators.\n"
    yield "## Risks and what stands against them\n"
    for risk, measure, remains in _RISKS:
        yield f"### {risk}\n\n{measure}: {measures[measure]}\n\nWhat remains: {remains}."
        yield f"\n{_OPEN}how likely and how severe is it here?\n"
    yield "## Questions\n"
    for question in _QUESTIONS:
        yield f"- {_OPEN}{question}"


def _tables(record: Record) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "whose", "form", "kept"])
    for row in record.tables:
        writer.writerow([row.name, row.whom, row.form, row.until])
    return out.getvalue()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
