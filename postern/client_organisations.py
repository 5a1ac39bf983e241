"""The directory of members' public keys, over HTTP: what it shows is checked, never trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from postern.client_errors import AnswerMalformedError
from postern.organisation_entry import LONGEST_CHAIN, SignedEntry, read
from postern.transport import Transport
from postern.wire import Fields


@dataclass(frozen=True, slots=True)
class Listed:
    """A member's entries as the directory lists them, unread, and the open alarms about it."""

    entries: Sequence[Mapping[str, Any]]
    alarms: int

    def chain(self) -> tuple[SignedEntry, ...]:
        """The entries, each whole and signed. Raises EntryRefusedError."""
        return tuple(map(read, self.entries))


@dataclass(frozen=True, slots=True)
class Publication:
    """What stands published after a publication; `added` entries were new."""

    number: int
    fingerprint: str
    added: int


class OrganisationDirectory:
    """The keys that members published. Every method raises ClientError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def chain(self, code: str) -> tuple[SignedEntry, ...]:
        """The entries of one member, none when it published none; each is whole and signed.

        Whether they follow from what is pinned is asked of `OrganisationPins.accept`. Raises
        EntryRefusedError.
        """
        answer = self._transport.get(_keys_of(code))
        entries = [each.content for each in Fields(answer.content, "keys").each("entries")]
        if len(entries) > LONGEST_CHAIN:
            raise AnswerMalformedError("keys.entries")
        return tuple(map(read, entries))

    def everybody(self) -> dict[str, Listed]:
        """The entries of all members by their codes; those without keys have none."""
        answer = self._transport.get("/api/v1/organisations/keys")
        return {
            each.text("code"): Listed(
                [entry.content for entry in each.each("entries")], each.number("alarms")
            )
            for each in Fields(answer.content, "keys").each("organisations")
        }

    def publish(self, chain: Sequence[SignedEntry]) -> Publication:
        """Publish the own chain; what is published already is not published twice."""
        told = {"entries": [each.on_wire() for each in chain]}
        answer = self._transport.post("/api/v1/organisations/own/keys", told, repeatable=True)
        fields = Fields(answer.content, "publication")
        return Publication(
            fields.number("number"), fields.text("fingerprint"), fields.number("added")
        )

    def tell_alarm(self, code: str, number: int, pinned: str, offered: str) -> None:
        """Report that entry `number` of a member is not the pinned one; fingerprints of both."""
        told = {"number": number, "pinned": pinned, "offered": offered}
        self._transport.post(f"{_keys_of(code)}/alarm", told, repeatable=True)


def _keys_of(code: str) -> str:
    return f"/api/v1/organisations/{quote(code, safe='')}/keys"
