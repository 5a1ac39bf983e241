"""What follows a hit, over HTTP: recalls to answer, outcomes, watches, requests of persons.

Values are pseudonyms here; notes and clear values are nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from postern.client import Organisation, read_organisation
from postern.client_errors import AnswerMalformedError
from postern.transport import Transport
from postern.vocabulary import (
    AcknowledgementState,
    LegalBasis,
    Purpose,
    Rectification,
    Tlp,
    Told,
)
from postern.wire import Fields

_API = "/api/v1"
_MOST = 100_000  # objects of a list that are read to its end


@dataclass(frozen=True, slots=True)
class Recall:
    """A recall that reached one's own organisation; `changed` are the fields of a correction."""

    id: str
    owner: Organisation
    indicator: str
    ways: tuple[str, ...]
    changed: tuple[str, ...]
    kind: str
    reason: str
    state: str
    made_at: datetime
    due_at: datetime
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody told of one's own indicator, or one's own organisation of another's."""

    id: str
    indicator: str
    result: str
    made_at: datetime
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch of one's own organisation; `end` is why it ended, None while it waits.

    `is_current`: its key epoch is open, so that it can match what is submitted now.
    """

    id: str
    kind: str
    expires_on: date
    end: str | None
    is_current: bool
    has_news: bool
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WatchMatch:
    """What the owner's policy lets one have of a match now."""

    organisation: Organisation
    level: str
    band: str
    matched_at: datetime
    indicator: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class WatchReading:
    """A watch with its matches, newest first; `more` says that the platform left some out."""

    watch: Watch
    matches: tuple[WatchMatch, ...]
    more: bool
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deconfliction:
    """That another organisation watches for the same as one's own watch, and its desk."""

    watch: str
    organisation: Organisation
    contact: Mapping[str, Any] | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubjectAnswer:
    """What one's own organisation holds under a person's values; holdings as the platform tells."""

    request: str
    searched_at: datetime
    holdings: tuple[Mapping[str, Any], ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WatchTerms:
    """Why something is watched for, who is told, and until when."""

    purpose: Purpose
    legal_basis: LegalBasis
    case: str
    tells: Told
    deconflicts: bool
    tlp: Tlp
    expires_on: date


class FollowUps:
    """The verbs that follow a hit. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def recalls(self, state: str | None = None) -> list[Recall]:
        """What others call back or correct of what one's own organisation got."""
        return [_recall(each) for each in self._every("/recalls/received", "recalls", state=state)]

    def answer_recall(
        self, recall: str, state: AcknowledgementState, done: Rectification | None = None
    ) -> None:
        """Acknowledge a recall, or complete it with what was done."""
        payload = {"state": state.value, **({"done": done.value} if done else {})}
        path = f"{_API}/recalls/received/{quote(recall, safe='')}"
        self._transport.post(path, payload, repeatable=True)

    def tell_outcome(self, told: Mapping[str, Any]) -> Outcome:
        """What became of an indicator, for its owner."""
        answer = self._transport.post(f"{_API}/outcomes", told, repeatable=False)
        return _outcome(Fields(answer.content, "outcome"))

    def outcomes(self, most: int, indicator: str | None = None) -> list[Outcome]:
        """What others told of one's own indicators, newest first, about so many at most."""
        found = self._every("/outcomes", "outcomes", most, indicator=indicator)
        return [_outcome(each) for each in found]

    def outcomes_told(self, most: int) -> list[Outcome]:
        """What one's own organisation told, newest first, about so many at most."""
        return [_outcome(each) for each in self._every("/outcomes/told", "outcomes", most)]

    def watch(self, query: Mapping[str, Any], terms: WatchTerms) -> str:
        """Watch for a query's value; the id of the watch."""
        payload = {
            "purpose": terms.purpose.value,
            "legal_basis": terms.legal_basis.value,
            "case": terms.case,
            "tells": terms.tells.value,
            "deconflicts": terms.deconflicts,
            "tlp": terms.tlp.value,
            "expires_on": terms.expires_on.isoformat(),
            **{name: each for name, each in query.items() if name != "id"},
        }
        answer = self._transport.post(f"{_API}/watches", payload, repeatable=False)
        return Fields(answer.content, "watch").text("id")

    def watches(self, state: str | None = None) -> list[Watch]:
        """The watches of one's own organisation."""
        return [_watch(each) for each in self._every("/watches", "watches", state=state)]

    def one_watch(self, watch: str) -> WatchReading:
        """One watch, with the matches that may be seen now."""
        path = f"{_API}/watches/{quote(watch, safe='')}"
        fields = Fields(self._transport.get(path).content, "reading")
        return WatchReading(
            watch=_watch(fields.within("watch")),
            matches=tuple(_match(each) for each in fields.each("matches")),
            more=fields.truth("more"),
            raw=fields.content,
        )

    def deconflictions(self) -> list[Deconfliction]:
        """Who else watches for the same, as far as both policies tell."""
        content = self._transport.get(f"{_API}/deconflictions").content
        found = Fields(content, "deconflictions").each("deconflictions")
        return [_deconfliction(each) for each in found]

    def stop_watch(self, watch: str) -> None:
        """End a watch; its tokens are erased at once."""
        self._transport.delete(f"{_API}/watches/{quote(watch, safe='')}")

    def search_subject(self, request: str, queries: Sequence[Mapping[str, Any]]) -> SubjectAnswer:
        """What one's own organisation holds under these tokens, for a request of a person."""
        path = f"{_API}/subject-requests/{quote(request, safe='')}/search"
        answer = self._transport.post(path, {"queries": list(queries)}, repeatable=False)
        fields = Fields(answer.content, "search")
        return SubjectAnswer(
            request=fields.text("request"),
            searched_at=fields.moment("searched_at"),
            holdings=tuple(each.content for each in fields.each("holdings")),
            raw=fields.content,
        )

    def _every(self, path: str, name: str, most: int = _MOST, **asked: str | None) -> list[Fields]:
        """The objects of the pages of a list, until there are `most` or no more."""
        found: list[Fields] = []
        cursor: str | None = None
        while True:
            chosen = {key: text for key, text in {**asked, "cursor": cursor}.items() if text}
            query = f"?{urlencode(chosen)}" if chosen else ""
            fields = Fields(self._transport.get(f"{_API}{path}{query}").content, name)
            found += fields.each(name)
            following = fields.optional_text("next")
            if following is None or len(found) >= most:
                return found
            if following == cursor:  # it would go round for ever
                raise AnswerMalformedError(f"{name}.next")
            cursor = following


def _recall(fields: Fields) -> Recall:
    return Recall(
        id=fields.text("id"),
        owner=read_organisation(fields.within("owner")),
        indicator=fields.text("indicator"),
        ways=fields.texts("ways"),
        changed=fields.texts("changed"),
        kind=fields.text("kind"),
        reason=fields.text("reason"),
        state=fields.text("state"),
        made_at=fields.moment("made_at"),
        due_at=fields.moment("due_at"),
        raw=fields.content,
    )


def _outcome(fields: Fields) -> Outcome:
    return Outcome(
        id=fields.text("id"),
        indicator=fields.text("indicator"),
        result=fields.text("result"),
        made_at=fields.moment("made_at"),
        raw=fields.content,
    )


def _watch(fields: Fields) -> Watch:
    return Watch(
        id=fields.text("id"),
        kind=fields.text("kind"),
        expires_on=fields.day("expires_on"),
        end=fields.optional_text("end"),
        is_current=fields.truth("is_current"),
        has_news=fields.truth("has_news"),
        raw=fields.content,
    )


def _match(fields: Fields) -> WatchMatch:
    indicator = fields.optional_within("indicator")
    return WatchMatch(
        organisation=read_organisation(fields.within("organisation")),
        level=fields.text("level"),
        band=fields.text("band"),
        matched_at=fields.moment("matched_at"),
        indicator=indicator.content if indicator else None,
    )


def _deconfliction(fields: Fields) -> Deconfliction:
    contact = fields.optional_within("contact")
    return Deconfliction(
        watch=fields.text("watch"),
        organisation=read_organisation(fields.within("organisation")),
        contact=contact.content if contact else None,
        raw=fields.content,
    )
