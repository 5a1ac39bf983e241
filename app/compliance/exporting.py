"""Taking the log away: one's own entries as JSON lines, a table, a document, or all with proofs.

An export is a reading of the log, logged as one, with the digest of the file that left. Files are
bounded; the next one begins where the last one ends.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from app import clock
from app.access import Caller
from app.audit import proofs
from app.audit.export import MOST_EXPORTED, json_lines, table
from app.audit.published_keys import published_keys
from app.audit.reading import Filters, Page, entries
from app.audit.service import append
from app.audit.tree import Published
from app.audit.wording import wording
from app.compliance.export_pdf import Cover, document
from app.paper import told_moment
from app.runtime import runtime
from postern.base64url import to_base64url

MOST_IN_DOCUMENT = 500
"""Entries in one PDF; a package of more has only the first ones in its document."""

_README = Path(__file__).parent / "package_readme.txt"


class Form(StrEnum):
    """The form in which entries leave."""

    JSON_LINES = "jsonl"
    TABLE = "csv"
    DOCUMENT = "pdf"
    PACKAGE = "zip"


CONTENT_TYPES: Mapping[Form, str] = {
    Form.JSON_LINES: "application/jsonl; charset=utf-8",
    Form.TABLE: "text/csv; charset=utf-8",
    Form.DOCUMENT: "application/pdf",
    Form.PACKAGE: "application/zip",
}


@dataclass(frozen=True)
class ExportedFile:
    """A file of `count` entries; `next` is the cursor of the following one, None after the last."""

    name: str
    content: bytes
    content_type: str
    count: int
    next: str | None


def export(
    session: Session, caller: Caller, filters: Filters, form: Form, cursor: str | None = None
) -> ExportedFile:
    """The caller's organisation's entries that fit the filters, oldest first; logged.

    InvalidRequestError when the cursor was not given with an earlier file.
    """
    most = MOST_IN_DOCUMENT if form is Form.DOCUMENT else MOST_EXPORTED
    page = entries(
        session,
        caller.organisation,
        filters,
        cursor,
        limit=most,
        oldest_first=True,
        most=most,
    )
    taken = _Taken(session, caller, filters, page, clock.now())
    content = _content(taken, form)
    _log(taken, form, content)
    return ExportedFile(
        name=f"access-log-{caller.organisation}-{taken.at:%Y%m%dT%H%M%SZ}.{form.value}",
        content=content,
        content_type=CONTENT_TYPES[form],
        count=len(page.entries),
        next=page.next,
    )


@dataclass(frozen=True)
class _Taken:
    """The entries that leave, and what a file says of them."""

    session: Session
    caller: Caller
    filters: Filters
    page: Page
    at: datetime

    @property
    def places(self) -> list[int]:
        return [entry.place for entry in self.page.entries if entry.place is not None]


def _content(taken: _Taken, form: Form) -> bytes:
    match form:
        case Form.JSON_LINES:
            return json_lines(taken.page.entries)
        case Form.TABLE:
            return table(taken.page.entries)
        case Form.DOCUMENT:
            return _document(taken, proofs.covering(taken.session, taken.places))
        case Form.PACKAGE:
            return _package(taken)


def _log(taken: _Taken, form: Form, content: bytes) -> None:
    append(
        taken.session,
        taken.caller,
        "audit.export",
        object_type="audit-entry",
        count=len(taken.page.entries),
        results=[entry.fields["id"] for entry in taken.page.entries],
        details={
            "filters": taken.filters.told(),
            "format": form.value,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )


def _package(taken: _Taken) -> bytes:
    """Everything by which somebody who trusts nobody verifies these entries, in one file."""
    session, shown = taken.session, taken.page.entries
    checkpoint = proofs.covering(session, taken.places)
    keys = proofs.tag_keys(session, taken.caller.organisation)
    tag_keys = {
        "organisation": taken.caller.organisation,
        "keys": [{"epoch": each.epoch, "key": to_base64url(each.key)} for each in keys],
    }
    files = {
        "README.txt": _README.read_bytes(),
        "entries.jsonl": json_lines(shown),
        "entries.csv": table(shown),
        "entries.pdf": _document(taken, checkpoint),
        "keys.json": _json(published_keys(session)),
        "tag-keys.json": _json(tag_keys),
    }
    if checkpoint is not None:
        files["checkpoint"] = checkpoint.note
        for proof in proofs.proof_files(session, checkpoint, taken.places):
            files[f"proofs/{proof.index}.tlog-proof"] = proof.encode()
    return _zipped(files, taken.at)


def _zipped(files: Mapping[str, bytes], at: datetime) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def _document(taken: _Taken, checkpoint: Published | None) -> bytes:
    names = wording().organisations(taken.session)
    code = taken.caller.organisation
    shown = taken.page.entries[:MOST_IN_DOCUMENT]
    cover = Cover(
        title=gettext("Access log of %(organisation)s", organisation=names.get(code, code)),
        facts=[
            (gettext("Filters"), told_filters(taken.filters) or gettext("none: all entries")),
            (gettext("Entries"), str(len(shown))),
            (gettext("Made"), told_moment(taken.at)),
            (gettext("Made by"), str(taken.caller.person)),
            *_proof_facts(checkpoint),
        ],
        statements=_statements(
            is_all=len(shown) == len(taken.page.entries) and not taken.page.next
        ),
        foot=f"{runtime().settings.platform.name} · {code} · {told_moment(taken.at)}",
    )
    return document(cover, shown, names)


def _proof_facts(checkpoint: Published | None) -> list[tuple[str, str]]:
    if checkpoint is None:
        return []
    told = gettext(
        "%(name)s, %(size)s entries, root %(root)s",
        name=runtime().settings.audit.name,
        size=checkpoint.size,
        root=to_base64url(checkpoint.root),
    )
    return [(gettext("Signed log"), told)]


def _statements(*, is_all: bool) -> list[str]:
    statements = [
        gettext(
            "Entries that name the organisation as acting or as concerned, oldest first; times are"
            " UTC. People stand here as pseudonyms, which the organisation's own list of accounts"
            " resolves."
        ),
        gettext(
            "This document is a reading aid and proves nothing by itself: the package for"
            " verification holds the same entries with their proofs."
        ),
    ]
    if not is_all:
        statements.append(gettext("There are later entries than the last one here."))
    return statements


def told_filters(filters: Filters) -> str:
    """The filters in use, in words, as in the heading of a document."""
    words = wording()
    lists = {"operation": "Operation", "purpose": "Purpose", "basis": "LegalBasis"}
    lists |= {"outcome": "Outcome"}
    told = []
    for name, value in filters.told().items():
        if name == "act":
            value_told = words.act_name(value)
        else:
            value_told = words.words(value, lists[name]) if name in lists else value
        told.append(f"{_FILTERS[name]}: {value_told}")
    return "; ".join(told)


_FILTERS: Mapping[str, LazyString] = {
    "act": _("act"),
    "operation": _("operation"),
    "purpose": _("purpose"),
    "basis": _("legal basis"),
    "outcome": _("outcome"),
    "organisation": _("organisation"),
    "actor": _("person"),
    "person": _("person"),
    "case": _("case"),
    "object": _("object"),
    "words": _("words"),
    "since": _("from"),
    "until": _("until"),
}
