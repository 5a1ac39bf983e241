"""From YAML to a barrier model: a document is checked whole, every fault has its place."""

import re
from collections.abc import Iterator
from datetime import date

from app.barriers.errors import ModelError
from app.barriers.model import (
    FORMAT,
    MOST_STEPS,
    BarrierModel,
    Partner,
    Reading,
    Source,
    Status,
    Step,
)
from app.barriers.parts import LONGEST_TEXT, LONGEST_TITLE, Parts
from app.barriers.step_reading import NOT_KNOWN, StepReader
from postern.patterns.words import LANGUAGES
from postern.vocabulary import Sector
from postern.yaml_documents import (
    Entries,
    Fault,
    Items,
    Limits,
    Notes,
    Refusal,
    Scalar,
    SourceError,
    documents,
    read_format,
    read_identity,
)

_IDENTITY = "Write one of 36 characters, such as `uuidgen` makes; versions of a model share it."
MODEL_KEYS = (
    *("format", "id", "version", "languages", "title", "status", "statement"),
    *("sources", "partners", "steps"),
)
SOURCE_KEYS = ("title", "publisher", "date", "url", "read")
PARTNER_KEYS = ("title", "sectors")
MOST_SOURCES = 200
MOST_PARTNERS = 40
LAST_VERSION = 9_999
LONGEST_URL = 500
URL = r"https?://[A-Za-z0-9.-]+(/[!-~]*)?"
DAY = r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"
_URL = re.compile(URL, re.ASCII)
_DAY = re.compile(DAY, re.ASCII)

_LARGEST = 524_288  # characters
_MOST_NODES = 30_000
_LONG = Refusal("The model is longer than 512 KiB.", "Shorten it.")
_LIMITS = Limits(
    file=_LARGEST,
    document=_LARGEST,
    documents=1,
    nodes=_MOST_NODES,
    long_file=_LONG,
    long_document=_LONG,
    many_documents=Refusal("It holds several documents.", "Write one model into a file."),
    many_nodes=Refusal(f"The model has more than {_MOST_NODES} parts.", "Shorten it."),
)


def read_model(text: str, name: str = "The text") -> BarrierModel:
    """The model in a YAML text.

    `name` is what the error calls the text. Raises ModelError with every fault that was found.
    """
    try:
        nodes = documents(text, _LIMITS)
    except SourceError as error:
        raise ModelError(name, [error.fault]) from None
    notes = Notes()
    model = None
    if not nodes:
        notes.faults.append(Fault(1, 1, "It is empty.", "Write a model into it."))
    elif not isinstance(nodes[0], Entries):
        notes.fault(nodes[0], "The model is not a map.", "Begin with format: and go on with id:.")
    else:
        model = _model(nodes[0], notes)
        Parts(notes, LANGUAGES).no_mail(text)
    if model is None or notes.faults:
        raise ModelError(name, sorted(notes.faults, key=lambda each: (each.line, each.column)))
    return model


def _model(node: Entries, notes: Notes) -> BarrierModel | None:
    notes.only(node, MODEL_KEYS)
    read_format(node, notes, FORMAT)
    identity = read_identity(node, notes, _IDENTITY)
    languages = _languages(node, notes)
    parts = Parts(notes, languages)
    version = parts.number(node, "version", most=LAST_VERSION)
    title = parts.wording(node, "title", most=LONGEST_TITLE)
    status = notes.word(node, "status", Status)
    statement = parts.wording(node, "statement", most=LONGEST_TEXT)
    sources = tuple(_sources(node, parts))
    partners = tuple(_partners(node, parts))
    steps = _steps(node, parts)
    if identity is None or version is None or title is None or status is None or statement is None:
        return None
    return BarrierModel(
        identity, version, languages, title, status, statement, sources, partners, steps
    )


def _languages(node: Entries, notes: Notes) -> tuple[str, ...]:
    """The languages in which every text of the document stands, the first as that to fall back."""
    found = node.get("languages")
    items = found.items if isinstance(found, Items) else ()
    spoken = tuple(item.text for item in items if isinstance(item, Scalar))
    if spoken and len(set(spoken)) == len(items) and set(spoken) <= set(LANGUAGES):
        return spoken
    notes.fault(
        found or node,
        "languages is not a list of languages, each once.",
        f"Write it as [nl], or with more of: {', '.join(LANGUAGES)}.",
    )
    return LANGUAGES


def _sources(node: Entries, parts: Parts) -> Iterator[Source]:
    notes = parts.notes
    for key, found in parts.keyed(node, "sources", most=MOST_SOURCES):
        notes.only(found, SOURCE_KEYS)
        title = notes.text(found, "title", most=LONGEST_TITLE)
        publisher = notes.text(found, "publisher", most=LONGEST_TITLE)
        day = _day(found, notes)
        url = _url(found, notes)
        read = notes.word(found, "read", Reading)
        if title is not None and publisher is not None and read is not None:
            yield Source(key, title, publisher, day, url, read)


def _day(node: Entries, notes: Notes) -> str:
    """A day, month or year; empty where it is not known."""
    text = notes.text(node, "date", most=LONGEST_TITLE)
    if text is None or text == NOT_KNOWN:
        return ""
    try:
        if _DAY.fullmatch(text):
            date.fromisoformat(f"{text}-01-01"[:10])
            return text
    except ValueError:
        pass  # such as 2026-02-30: told below
    notes.fault(
        node.get("date") or node,
        "date is not a day, a month or a year.",
        f"Write it as 2024-03-27, 2024-03 or 2024, or write {NOT_KNOWN}.",
    )
    return ""


def _url(node: Entries, notes: Notes) -> str:
    """An address of the web; empty where there is none."""
    if node.get("url") is None:
        return ""
    text = notes.text(node, "url", most=LONGEST_URL) or ""
    if text and not _URL.fullmatch(text):
        notes.fault(
            node.get("url") or node,
            "url is no address of the web.",
            "Write it with https:// before it, or leave it out.",
        )
    return text


def _partners(node: Entries, parts: Parts) -> Iterator[Partner]:
    for key, found in parts.keyed(node, "partners", most=MOST_PARTNERS):
        parts.notes.only(found, PARTNER_KEYS)
        title = parts.wording(found, "title", most=LONGEST_TITLE)
        sectors = parts.known(found, "sectors", tuple(Sector))
        if title is not None:
            yield Partner(key, title, tuple(Sector(each) for each in sectors))


def _steps(node: Entries, parts: Parts) -> tuple[Step, ...]:
    """The steps in order, without those that have faults of their own."""
    found = node.get("steps")
    items = found.items if isinstance(found, Items) else ()
    if not 1 <= len(items) <= MOST_STEPS:
        parts.notes.fault(
            found or node,
            f"The model has not 1 to {MOST_STEPS} steps.",
            "List them under steps:, each beginning with - number:.",
        )
        return ()
    reader = StepReader(parts, _keys(node, "sources"), _keys(node, "partners"))
    steps = []
    for place, item in enumerate(parts.listed(node, "steps", most=MOST_STEPS), 1):
        step = reader.step(item)
        if step is not None:
            steps.append(step)
        if step is not None and step.number != place:
            parts.notes.fault(
                item.get("number") or item,
                "The steps are not numbered as they stand.",
                "Number them 1, 2, 3 from the first to the last.",
            )
    return tuple(steps)


def _keys(node: Entries, name: str) -> tuple[str, ...]:
    """Keys as written, also those that had faults of their own: these are told once only."""
    found = node.get(name)
    return tuple(key.text for key, _ in found.pairs) if isinstance(found, Entries) else ()
