"""Every notification that a room writes has its words, and so has every alarm about the log."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

from app.audit.models import AlarmKind
from app.jobs.notifications import Notice
from app.web.notices import alarm_remedy, alarm_title, notice_words
from postern.vocabulary import Role

APP = Path(__file__).parents[3] / "app"
KINDS = sorted(
    {
        kind
        for file in APP.rglob("*.py")
        for kind in re.findall(r'notify\(\s*[^")]*"([a-z.-]+)"', file.read_text())
    }
)


def notice(kind: str, **facts: object) -> Notice:
    return Notice(
        id=uuid4(),
        roles=(Role.COMPLIANCE,),
        kind=kind,
        facts=facts,
        address="/log",
        made_at=datetime.now(UTC),
        seen_at=None,
    )


def told(app: Flask, kind: str, **facts: object) -> str:
    with app.test_request_context():
        return notice_words(notice(kind, **facts), {"post-be": "Post of Belgium"})


def test_the_rooms_write_notifications() -> None:
    assert "log.alarm" in KINDS
    assert len(KINDS) >= 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_kind_that_a_room_writes_has_a_sentence(app: Flask) -> None:
    for kind in KINDS:
        assert told(app, kind) != kind
    assert told(app, "something.else") == "something.else"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_alarm_says_what_happened_and_what_to_do(app: Flask) -> None:
    with app.test_request_context():
        for kind in AlarmKind:
            assert alarm_title(kind).endswith(".")
            assert alarm_title(kind) != kind
            assert alarm_remedy(kind).endswith(".")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_alarm_about_a_witness_names_its_organisation(app: Flask) -> None:
    words = told(app, "log.alarm", alarm="witness-silent", organisation="post-be")
    assert words == "Post of Belgium: A witness of the log has fallen silent."
