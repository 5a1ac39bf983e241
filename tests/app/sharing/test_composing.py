"""What is offered before there is a draft, and what the log is told of it, without a database."""

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.access import Caller, Means
from app.errors import InvalidRequestError
from app.organisations import service as organisations
from app.sharing import composing, service
from app.sharing.policy_text import LONGEST_TEXT, Fault
from app.sharing.rule_schemas import from_form, to_form
from app.sharing.rules import cedar
from app.sharing.seats import Member
from app.sharing.service import Examined
from app.sharing.templates import templates
from postern.vocabulary import Role, Sector

SESSION: Any = object()
WRITER = Caller(
    person_id=1,
    person=UUID(int=1),
    organisation_id=7,
    organisation="police-nl",
    roles=frozenset({Role.POLICY_OWNER}),
    scopes=None,
    means=Means.SESSION,
)
FAULT = Fault("text", 1, "odd", "Correct it.")
EXAMINED = Examined((), (FAULT, FAULT), (FAULT,))
FORM = [{"name": "a", "label": "A", "level": "presence", "sectors": ["police"]}]


def within(answer: Any) -> Any:
    """A function of the room that gives the answer within SESSION; called, if it can be."""

    def verb(session: object, *asked: Any, **more: Any) -> Any:
        assert session is SESSION
        return answer(*asked, **more) if callable(answer) else answer

    return verb


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the log was told, of an organisation of police in the Netherlands."""
    found: list[Any] = []

    def append(session: object, caller: Caller, act: str, **details: Any) -> None:
        assert session is SESSION
        assert caller is WRITER
        found.append((act, details))

    def find(session: object, code: str) -> tuple[int, Member]:
        assert (session, code) == (SESSION, "police-nl")
        return 7, Member(code, Sector.POLICE, "NL")

    def examine(session: object, organisation_id: int, text: str) -> Examined:
        assert session is SESSION
        assert organisation_id == 7
        return replace(EXAMINED, faults=()) if text == "" else EXAMINED

    monkeypatch.setattr(composing, "append", append)
    monkeypatch.setattr(organisations, "find", find)
    monkeypatch.setattr(service, "examine", examine)
    return found


def test_templates_are_offered_for_ones_sector_with_ones_country(told: list[Any]) -> None:
    found = composing.offered_templates(SESSION, WRITER)
    assert [(each.id, each.title, each.summary, each.asks, list(each.rules)) for each in found] == [
        (each.id, each.title, each.summary, each.asks, each.rules("NL"))
        for each in templates(Sector.POLICE)
    ]
    assert told == [("policy.read", {"object_type": "policy-template", "count": len(found)})]


def test_a_form_makes_its_text_and_nothing_is_kept(told: list[Any]) -> None:
    found = composing.compose(SESSION, WRITER, FORM)
    assert found.text == cedar(from_form(FORM), "police-nl")
    assert found.form == to_form(from_form(FORM))
    assert found.examined is EXAMINED
    digest = hashlib.sha256(found.text.encode()).hexdigest()
    details = {"sha256": digest, "faults": 2}
    assert told == [("policy.check", {"object_type": "policy-text", "details": details})]


def test_an_empty_form_makes_an_empty_text(told: list[Any]) -> None:
    found = composing.compose(SESSION, WRITER, [])
    assert (found.form, found.text, found.examined.faults) == ([], "", ())
    assert told[0][1]["details"]["faults"] == 0


def test_a_form_with_faults_makes_none(told: list[Any]) -> None:
    with pytest.raises(InvalidRequestError):
        composing.compose(SESSION, WRITER, [{"name": "a"}])
    assert told == []


def test_a_text_is_checked_as_it_would_be_kept(told: list[Any]) -> None:
    text = "permit (principal, action, resource);"
    assert composing.check(SESSION, WRITER, text + "\r\n") is EXAMINED
    digest = hashlib.sha256(f"{text}\n".encode()).hexdigest()
    assert told[0][1]["details"] == {"sha256": digest, "faults": 2}
    with pytest.raises(InvalidRequestError):
        composing.check(SESSION, WRITER, "/" * (LONGEST_TEXT + 1))
    assert len(told) == 1
