"""The predicate of collections at its edges: each condition alone shows, and alone hides."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.clock import now
from app.indicators.models import Indicator, Token
from app.organisations.models import Organisation, OrganisationStatus
from app.sharing.models import Profile, ShareGrant
from app.sharing.service import own_profile_id
from app.sharing.visibility import (
    bulk_windows,
    fed_indicators,
    fed_parameters,
    fed_windows,
    postings_of,
)
from postern.vocabulary import Role
from tests.app.exchange import JAN, OPEN_TO_POLICE, SOPHIE
from tests.app.exchange_room.reading import Room

METADATA, REQUEST = 2, 3


@contextmanager
def _as_if(session: Session) -> Iterator[None]:
    """What the block changes is taken back."""
    nested = session.begin_nested()
    try:
        yield
    finally:
        nested.rollback()
        session.expire_all()


class _Stage:
    """One indicator of post-be that police-de may have in bulk, and the moment that is asked of."""

    def __init__(self, room: Room, session: Session) -> None:
        self.room, self.session, self.at = room, session, now()
        self.indicator = session.execute(select(Indicator.__table__)).mappings().one()
        self.grant = (
            session.execute(
                select(ShareGrant.__table__)
                .join(Profile, Profile.id == ShareGrant.profile_id)
                .where(
                    ShareGrant.share_class_id == self.indicator["share_class_id"],
                    ShareGrant.age_min == 0,
                    ShareGrant.may_feed,
                    Profile.organisation_id == room.exchange.organisation_id("police-de"),
                )
                .order_by(ShareGrant.profile_id)
            )
            .mappings()
            .first()
        )
        assert self.grant is not None
        self.profile: int = self.grant["profile_id"]
        # All that matters lies a day or a second away from here.
        self.age = (self.at.date() - date(1970, 1, 1)).days - self.indicator["seen_day"]
        self.second = fed_parameters(self.profile, self.at)["second"]

    def set_grant(self, **values: Any) -> None:
        self.session.execute(
            update(ShareGrant)
            .where(
                ShareGrant.profile_id == self.profile,
                ShareGrant.share_class_id == self.indicator["share_class_id"],
            )
            .values(**values)
        )

    def set_indicator(self, **values: Any) -> None:
        self.session.execute(
            update(Indicator).where(Indicator.id == self.indicator["id"]).values(**values)
        )

    def suspend(self, code: str) -> None:
        self.session.execute(
            update(Organisation)
            .where(Organisation.code == code)
            .values(status=OrganisationStatus.SUSPENDED)
        )

    def is_fed(self, least: int = METADATA) -> bool:
        asked = fed_parameters(self.profile, self.at, least)
        found = self.session.execute(fed_indicators(), asked).mappings().all()
        assert {row["indicator_id"] for row in found} <= {self.indicator["id"]}
        return bool(found)

    def is_window(self) -> bool:
        """Whether the class is among those that the profile has in bulk."""
        found = fed_windows(self.session, self.profile, self.at)
        return any(row[0] == self.indicator["share_class_id"] for row in found)


@pytest.fixture
def stage(room: Room) -> Iterator[_Stage]:
    room.exchange.publish("post-be", OPEN_TO_POLICE)
    room.open()
    room.submit("post-be", room.exchange.indicator(SOPHIE))
    room.work()
    with room.exchange.database.transaction() as session:
        yield _Stage(room, session)
        session.rollback()


def test_each_condition_shows_up_to_its_edge_and_hides_beyond_it(stage: _Stage) -> None:
    assert (stage.is_fed(), stage.is_window()) == (True, True)
    today = stage.at.date()
    # What the grant says: whether the indicator is fed, and whether its window is told.
    grants: list[tuple[dict[str, Any], bool, bool]] = [
        ({"valid_from": stage.second}, True, True),
        ({"valid_from": stage.second + 1}, False, False),
        ({"valid_until": stage.second + 1}, True, True),
        ({"valid_until": stage.second}, False, False),
        ({"may_feed": False}, False, False),
        ({"level": METADATA}, True, True),
        ({"level": METADATA - 1}, False, False),
        ({"may_screen": False}, True, True),
    ]
    for values, is_fed, is_window in grants:
        with _as_if(stage.session):
            stage.set_grant(**values)
            assert (stage.is_fed(), stage.is_window()) == (is_fed, is_window), values
    for expires_on, is_fed in ((today + timedelta(days=1), True), (today, False)):
        with _as_if(stage.session):
            stage.set_indicator(expires_on=expires_on)
            assert stage.is_fed() is is_fed, expires_on
            assert stage.is_window()
    for code in ("post-be", "police-de"):
        with _as_if(stage.session):
            stage.suspend(code)
            assert (stage.is_fed(), stage.is_window()) == (False, False), code
    with _as_if(stage.session):
        stage.suspend("customs-nl")
        assert (stage.is_fed(), stage.is_window()) == (True, True)


def test_the_level_that_is_asked_for_is_one_that_collections_have(stage: _Stage) -> None:
    with _as_if(stage.session):
        stage.set_grant(level=METADATA)
        assert [stage.is_fed(least) for least in (0, METADATA, REQUEST)] == [True, True, False]
    with _as_if(stage.session):
        stage.set_grant(level=REQUEST)
        assert stage.is_fed(REQUEST)
    with _as_if(stage.session):
        stage.set_grant(level=METADATA - 1)
        assert not stage.is_fed(0)


def test_what_is_told_is_what_the_grant_says(stage: _Stage) -> None:
    for level, told, screens in ((METADATA, False, True), (REQUEST, True, False)):
        with _as_if(stage.session):
            stage.set_grant(level=level, tells_owner=told, may_screen=screens)
            asked = fed_parameters(stage.profile, stage.at)
            (row,) = stage.session.execute(fed_indicators(), asked).mappings()
            assert dict(row) == {
                "indicator_id": stage.indicator["id"],
                "public_id": stage.indicator["public_id"],
                "organisation_id": stage.indicator["organisation_id"],
                "share_class_id": stage.indicator["share_class_id"],
                "seen_day": stage.indicator["seen_day"],
                "amended_at": stage.indicator["amended_at"],
                "granted_level": level,
                "grant_reason_id": row["grant_reason_id"],
                "tells_owner": told,
                "may_screen": screens,
            }
            (window, *_) = [
                each
                for each in fed_windows(stage.session, stage.profile, stage.at)
                if each[0] == stage.indicator["share_class_id"]
            ]
            assert window[3:] == (level, screens)
            assert window[1] <= stage.age <= window[2]


def test_windows_are_those_of_the_profile_that_is_asked_about(stage: _Stage) -> None:
    other = own_profile_id(
        stage.session, stage.room.exchange.organisation_id("customs-nl"), Role.ANALYST
    )
    assert stage.grant is not None
    theirs = {**stage.grant, "profile_id": other, "age_min": 31_000, "age_max": 31_001}
    with _as_if(stage.session):
        before = fed_windows(stage.session, stage.profile, stage.at)
        stage.session.execute(insert(ShareGrant).values(**theirs))
        assert fed_windows(stage.session, stage.profile, stage.at) == before
        told = fed_windows(stage.session, other, stage.at)
        assert (31_000, 31_001) in {each[1:3] for each in told}
        assert bulk_windows(stage.session, stage.profile, stage.at) == [e[:3] for e in before]


def test_the_moment_is_a_day_and_a_second_of_it() -> None:
    at = datetime(2026, 11, 27, 23, 59, 59, 999_999, tzinfo=UTC)
    assert fed_parameters(7, at, REQUEST) == {
        "profile": 7,
        "today": 20_784,
        "on": date(2026, 11, 27),
        "second": 1_795_823_999,
        "least": REQUEST,
    }
    assert fed_parameters(7, at + timedelta(microseconds=1))["on"] == date(2026, 11, 28)


def test_postings_are_of_the_pairs_that_are_asked_for(room: Room) -> None:
    for value in (SOPHIE, JAN):
        room.submit("post-be", room.exchange.indicator(value))
    with room.exchange.database.reading() as session:
        rows = session.execute(select(Token.token, Token.indicator_id, Token.facet)).all()
        first, second = sorted({row.indicator_id for row in rows})
        every = {(row.indicator_id, row.facet, bytes(row.token)) for row in rows}
        of_first = [bytes(row.token) for row in rows if row.indicator_id == first]
        found = postings_of(session, [(token, first) for token in of_first])
        assert {(first, *each) for each in found[first]} == {e for e in every if e[0] == first}
        assert set(found) == {first}
        own = {token for key, _, token in every if key == second}
        crossed = [(token, second) for token in of_first if token not in own]
        assert crossed
        assert postings_of(session, crossed) == {}
        assert postings_of(session, []) == {}
        both = postings_of(session, [(token, key) for key, _, token in every])
        assert {(key, *each) for key, told in both.items() for each in told} == every
