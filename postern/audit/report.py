"""The report of a verification, for people who know nothing of trees: as JSON and as text.

What is reported is the JSON form, so that a report that was kept can be shown again in any form;
the page for a supervisory authority is `postern.audit.report_pdf`.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from postern import __version__
from postern.audit.findings import QUESTIONS, Check, Status, Verdict
from postern.audit.verification import Verification
from postern.tlog.strict import to_base64

Report = Mapping[str, Any]
"""The JSON form of a verification, as docs/verify.md describes it."""

TITLE = "Verification of the audit log"

VERDICTS = {
    Verdict.IN_ORDER: "IN ORDER. Everything that was checked is as it should be.",
    Verdict.NOT_IN_ORDER: "NOT IN ORDER. What is shown is not what was logged; see below.",
    Verdict.CANNOT_TELL: "CANNOT BE TOLD. Nothing wrong was found, but something is missing "
    "that would be needed to say that all is in order; see below.",
}
MARKS = {
    Status.OK: "in order",
    Status.FAILED: "NOT IN ORDER",
    Status.CANNOT_TELL: "cannot be told",
    Status.NOT_ASKED: "not looked at",
}
LIMITS = (
    "an act that was never logged: somebody who reads the database, a backup or the memory of the "
    "platform directly leaves no entry;",
    "an entry that was false from the beginning, such as a wrong person or too few results;",
    "an entry about this organisation's indicators that was not marked as concerning it;",
    "an act that was dropped in the seconds before it had a place, when nobody kept its receipt;",
    "the exact time of an act within the minutes between two cosignatures;",
    "that operator and a majority of the witnesses did not act together.",
)
LAW = (
    "Directive (EU) 2016/680, Article 25, wants collection, alteration, consultation, disclosure, "
    "combination and erasure logged, with the justification, date and time of a consultation or "
    "disclosure, and as far as possible who did it and who received it. Logs serve to verify "
    "lawfulness, for self-monitoring, integrity and security, and for criminal proceedings, and "
    "for nothing else; the supervisory authority gets them on request. A verification tells "
    "whether the entries are whole and unaltered; whether an act was lawful is for people to judge."
)
REPEAT = (
    "Anybody can repeat this with the same keys: `postern audit verify`, or the tools of third "
    "parties that docs/verify.md names. The log follows RFC 6962 and the C2SP formats tlog-tiles, "
    "signed-note, tlog-checkpoint and tlog-cosignature."
)

_WIDTH = 100  # characters
_NAME_WIDTH = 16


def as_json(found: Verification) -> Report:
    """The JSON form of a verification."""
    opened = found.opened
    cosigned = [] if opened is None else [each for each in opened.signed if each.time is not None]
    return {
        "report": 1,
        "verdict": found.verdict.value,
        "subject": found.subject,
        "at": _iso(found.at.timestamp()),
        "by": found.by,
        "postern": __version__,
        "organisation": found.organisation,
        "log": {
            "origin": found.trust.origin,
            "keys": [str(key) for key in found.trust.log_keys],
            "confirmed": found.trust.confirmed,
        },
        "checkpoint": None
        if opened is None
        else {
            "size": opened.checkpoint.size,
            "root": to_base64(opened.checkpoint.root),
            "witnesses": [
                {
                    "organisation": found.trust.owner(each.key),
                    "key": str(each.key),
                    "at": _iso(each.time or 0),
                }
                for each in cosigned
            ],
        },
        "entries": {
            "number": found.period.entries,
            "first": None if found.period.first is None else _iso(found.period.first / 1000),
            "last": None if found.period.last is None else _iso(found.period.last / 1000),
        },
        "checks": [
            {
                "check": finding.check.value,
                "status": finding.status.value,
                "question": QUESTIONS[finding.check],
                "finding": finding.sentence,
                "counts": dict(finding.counts),
            }
            for finding in found.findings
        ],
        "remarks": list(found.remarks),
        "evidence": list(found.evidence),
    }


def as_text(report: Report) -> str:
    """The report in lines of at most 100 characters."""
    lines = [TITLE, "=" * len(TITLE), "", *_wrapped(VERDICTS[Verdict(report["verdict"])]), ""]
    lines += [f"{name + ':':<{_NAME_WIDTH}}{text}" for name, text in facts(report)]
    lines.append("")
    for check in report["checks"]:
        lines.append(f"{MARKS[Status(check['status'])]:<15}{check['question']}")
        lines += _wrapped(check["finding"], " " * 15)
    for name in ("remarks", "evidence"):
        if report[name]:
            lines += ["", name.capitalize()]
            lines += [line for each in report[name] for line in _listed(each)]
    lines += ["", "What no log of this kind can show"]
    lines += [line for each in LIMITS for line in _listed(each)]
    lines += ["", *_wrapped(LAW), "", *_wrapped(REPEAT)]
    return "\n".join(lines) + "\n"


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What was verified, by whom, when and with which keys: names and values, in plain text."""
    yield "Verified", report["subject"]
    if report["organisation"]:
        yield "Organisation", report["organisation"]
    yield "On", written(report["at"])
    if report["by"]:
        yield "By", report["by"]
    yield "With", f"postern {report['postern']}"
    log, checkpoint = report["log"], report["checkpoint"]
    yield "Log", log["origin"]
    how = "confirmed" if log["confirmed"] else "confirmed by nobody"
    for key in log["keys"]:
        yield "Key of the log", f"{key} ({how})"
    if checkpoint:
        yield "Checkpoint", f"{checkpoint['size']:,} entries, root {checkpoint['root']}"
        for each in checkpoint["witnesses"]:
            yield "Seen by", f"{each['organisation']}, {written(each['at'])}"
    entries = report["entries"]
    if entries["number"]:
        period = f"{written(entries['first'])} to {written(entries['last'])}"
        yield "Entries", f"{entries['number']:,} of this organisation, {period}"


def short(report: Report) -> Iterator[str]:
    """The report in a line for each check, for a terminal."""
    for check in report["checks"]:
        mark = MARKS[Status(check["status"])]
        yield f"{mark:<15}{Check(check['check']).value:<10} {check['finding']}"


def written(moment: str) -> str:
    """A moment of the JSON form for people."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S} UTC"


def _iso(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


def _listed(text: str) -> Iterable[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="- ", subsequent_indent="  ")
