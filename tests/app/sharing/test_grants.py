"""Laying out decisions: what is stored, for whom, what is taken away again, and in which order."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql
from structlog.testing import capture_logs

from app import clock
from app.access import CONSOLE
from app.database import Database
from app.organisations import service as organisations
from app.organisations.models import Organisation
from app.sharing import grants, service, versions
from app.sharing.classes import ClassAttributes
from app.sharing.eras import FOREVER, second
from app.sharing.models import Cause, GrantReason, PolicyVersion, Profile, ShareClass, ShareGrant
from app.sharing.seats import Member, Seat
from postern.vocabulary import Kind, LegalBasis, Purpose, Role, Sector
from tests.app.bare import NOON, Clock
from tests.app.sharing.world import EVERYTHING_TO_POLICE, PLAIN, World, like, trio

SOON = NOON + timedelta(days=2)
INVESTIGATING = (Role.ANALYST, Purpose.CRIMINAL_INVESTIGATION, LegalBasis.CRIMINAL_PROCEDURE)
KINDS = (Kind.PARTY, Kind.PGP, Kind.PHONE, Kind.VENDOR, Kind.EMAIL)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The platform's clock, standing still."""
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing)
    return standing


@pytest.fixture
def world(database: Database, at: Clock) -> World:
    assert at.at == NOON
    return trio(database)


def make_classes(world: World, code: str, *classes: ClassAttributes) -> list[int]:
    with world.database.transaction() as session:
        found = service.share_class_ids(session, world.ids[code], classes)
    return [found[each] for each in classes]


def schedule(world: World, code: str, text: str, at: datetime = SOON) -> None:
    with world.database.transaction() as session:
        versions.put_in_force(session, CONSOLE, world.ids[code], text, Cause.CONSOLE, valid_from=at)


def stored(world: World, *columns: Any) -> set[tuple[Any, ...]]:
    with world.database.reading() as session:
        return {tuple(row) for row in session.execute(select(*columns))}


def test_more_decisions_than_are_stored_at_once_are_all_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "_ROWS_AT_ONCE", 2)
    made = make_classes(world, "post-be", *(like(kind=kind) for kind in KINDS))
    profile = world.profile("police-de")
    lots: list[int] = []
    real = grants._store

    def store(session: Any, chunk: list[Any]) -> None:
        lots.append(len(chunk))
        real(session, chunk)

    monkeypatch.setattr(grants, "_store", store)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    assert lots == [2, 2, 1]
    rows = stored(world, ShareGrant.profile_id, ShareGrant.share_class_id, ShareGrant.level)
    assert rows == {(profile, each, 3) for each in made}


def test_decisions_for_the_same_reason_share_its_row(world: World) -> None:
    make_classes(world, "post-be", PLAIN, like(kind=Kind.PGP))
    make_classes(world, "customs-nl", PLAIN)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.profile("police-de")
    world.profile("post-be")
    make_classes(world, "post-be", like(kind=Kind.VENDOR))
    with world.database.reading() as session:
        (version,) = session.scalars(select(PolicyVersion.id).where(PolicyVersion.seq == 2))
        found = session.execute(select(GrantReason.policy_version_id, GrantReason.reasons)).all()
        used = set(session.scalars(select(ShareGrant.grant_reason_id)))
        known = set(session.scalars(select(GrantReason.id)))
    # One's own records by the platform's rules, of no version; those of others by theirs.
    assert sorted(tuple(row) for row in found if row.policy_version_id) == [
        (version, ["post-be/all-to-police"])
    ]
    assert [row.reasons for row in found if row.policy_version_id is None] == [["platform/own"]]
    assert used == known


def test_a_policy_to_come_is_laid_out_beside_the_one_in_force(world: World) -> None:
    (made,) = make_classes(world, "post-be", PLAIN)
    profile = world.profile("police-de")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    schedule(
        world,
        "post-be",
        '@id("post-be/p") @label("P") permit (principal, action == Action::"presence", resource)'
        " when { resource.ageBand == 1 };",
    )
    rows = stored(
        world,
        ShareGrant.profile_id,
        ShareGrant.share_class_id,
        ShareGrant.valid_from,
        ShareGrant.valid_until,
        ShareGrant.age_min,
        ShareGrant.age_max,
        ShareGrant.level,
    )
    starts = second(SOON)
    assert rows == {
        (profile, made, 0, starts, 0, 32_767, 3),
        (profile, made, starts, FOREVER, 7, 29, 1),
    }


def test_clearing_an_owner_leaves_what_others_share(world: World) -> None:
    for code in ("post-be", "customs-nl"):
        make_classes(world, code, PLAIN)
        world.publish(code, EVERYTHING_TO_POLICE.replace("post-be", code))
    world.profile("police-de")
    kept = make_classes(world, "customs-nl", PLAIN)
    with world.database.transaction() as session:
        grants.clear_owner(session, world.ids["post-be"])
    assert stored(world, ShareGrant.share_class_id) == {(kept[0],)}


def test_clearing_readers_leaves_others(world: World) -> None:
    make_classes(world, "post-be", PLAIN)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    gone, kept = world.profile("police-de"), world.profile("police-de", role=Role.APPROVER)
    with world.database.transaction() as session:
        grants.clear_readers(session, [gone])
    assert stored(world, ShareGrant.profile_id) == {(kept,)}


def test_decisions_are_cleared_from_the_second_on_at_which_they_end(world: World) -> None:
    make_classes(world, "post-be", PLAIN, like(kind=Kind.PGP))
    world.profile("police-de")
    world.publish("post-be", EVERYTHING_TO_POLICE)
    schedule(world, "post-be", EVERYTHING_TO_POLICE)
    ends = second(SOON)
    with world.database.transaction() as session:
        assert grants.clear_past(session, ends - 1) == 0
        assert grants.clear_past(session, ends) == 2
    assert stored(world, ShareGrant.valid_from, ShareGrant.valid_until) == {(ends, FOREVER)}


def test_the_facts_of_an_organisation_are_its_sector_country_and_communities(
    world: World,
) -> None:
    world.organisation("courier-nl", Sector.COURIER, "NL", ("zeeland", "alkmaar"))
    world.organisation("police-be", Sector.POLICE, "BE")
    with world.database.reading() as session:
        of_many = grants.facts(session, world.ids["courier-nl"])
        of_none = grants.facts(session, world.ids["police-be"])
        seq = session.scalar(
            select(Organisation.facts_seq).where(Organisation.id == world.ids["courier-nl"])
        )
    assert of_many == {
        "facts": {"sector": "courier", "country": "NL", "communities": ["alkmaar", "zeeland"]},
        "facts_seq": seq,
        "rules": grants.rules(),
    }
    assert of_none["facts"] == {"sector": "police", "country": "BE", "communities": []}


def test_who_is_no_organisation_has_no_facts(world: World) -> None:
    with (
        world.database.reading() as session,
        pytest.raises(LookupError, match="no such organisation"),
    ):
        grants.facts(session, max(world.ids.values()) + 1)


def test_owners_come_in_the_order_of_their_ids_whichever_was_changed_last(world: World) -> None:
    codes = ("post-be", "customs-nl", "police-de")
    for code in codes:
        make_classes(world, code, PLAIN)
    first = min(codes, key=world.ids.__getitem__)
    with world.database.transaction() as session:
        session.execute(update(Organisation).where(Organisation.code == first).values(name="New"))
    with world.database.reading() as session:
        found = [each.organisation_id for each in grants.owners(session)]
    assert found == sorted(world.ids[code] for code in codes)


def test_members_are_every_organisation_with_its_communities_in_order(world: World) -> None:
    world.organisation("courier-nl", Sector.COURIER, "NL", ("zeeland", "alkmaar"))
    world.organisation("police-be", Sector.POLICE, "BE")
    with world.database.reading() as session:
        found = grants.members(session)
    exchange = ("postal-exchange",)
    assert found == {
        world.ids["post-be"]: Member("post-be", Sector.POST, "BE", exchange),
        world.ids["customs-nl"]: Member("customs-nl", Sector.CUSTOMS, "NL", exchange),
        world.ids["police-de"]: Member("police-de", Sector.POLICE, "DE", exchange),
        world.ids["courier-nl"]: Member("courier-nl", Sector.COURIER, "NL", ("alkmaar", "zeeland")),
        world.ids["police-be"]: Member("police-be", Sector.POLICE, "BE", ()),
    }


def test_owners_are_those_who_have_classes_with_what_holds_and_what_is_to_come(
    world: World,
) -> None:
    make_classes(world, "police-de", PLAIN)
    make_classes(world, "post-be", PLAIN, like(kind=Kind.PGP))
    world.publish("post-be", EVERYTHING_TO_POLICE)
    schedule(world, "post-be", "")
    with world.database.reading() as session:
        found = grants.owners(session)
        ids = session.scalars(
            select(PolicyVersion.id)
            .where(PolicyVersion.organisation_id == world.ids["post-be"])
            .order_by(PolicyVersion.seq)
        ).all()
        of_customs = grants.owner(session, world.ids["customs-nl"])
    # An owner's communities play no part in what it shares.
    assert [(each.organisation_id, each.member) for each in found] == [
        (world.ids["post-be"], Member("post-be", Sector.POST, "BE")),
        (world.ids["police-de"], Member("police-de", Sector.POLICE, "DE")),
    ]
    assert [
        (each.policy_version_id, each.valid_from, each.valid_until) for each in found[0].periods
    ] == [(ids[0], 0, second(SOON)), (ids[1], second(SOON), FOREVER)]
    held, to_come = (period.policies.labels for period in found[0].periods)
    assert held["post-be/all-to-police"] == "Police see everything"
    assert "post-be/all-to-police" not in to_come
    assert found[0].policies is found[0].periods[0].policies
    assert of_customs.member == Member("customs-nl", Sector.CUSTOMS, "NL")


def test_a_text_that_is_no_longer_valid_shares_nothing_and_is_told_to_the_operator() -> None:
    with capture_logs() as told:
        found = grants.policies("post-be", "permit (principal")
    assert found is grants.load("")
    assert [(each["log_level"], each["organisation"]) for each in told] == [("error", "post-be")]
    assert told[0]["event"].startswith("a stored policy is no longer valid")


def test_the_operator_is_told_whose_stored_text_shares_nothing(world: World) -> None:
    with world.database.transaction() as session:
        session.add(
            PolicyVersion(
                organisation_id=world.ids["post-be"],
                seq=1,
                text="permit (principal",
                sha256=b"-" * 32,
                valid_from=NOON,
                created_at=NOON,
                cause=Cause.CONSOLE,
            )
        )
    with capture_logs() as told, world.database.reading() as session:
        found = grants.owner(session, world.ids["post-be"])
    assert found.policies is grants.load("")
    assert [each["organisation"] for each in told] == ["post-be"]


def test_readers_are_the_profiles_whose_facts_are_true_under_the_present_rules(
    world: World,
) -> None:
    police = world.profile("police-de")
    approving = world.profile("police-de", role=Role.APPROVER)
    of_customs = world.profile("customs-nl", Purpose.CUSTOMS_CONTROL, LegalBasis.CUSTOMS_LAW)
    exchange = ("postal-exchange",)
    with world.database.transaction() as session:
        found = {each.profile_id: each.seat for each in grants.readers(session)}
        of_police = grants.readers(session, organisation_id=world.ids["police-de"])
        (one,) = grants.readers(session, profile_id=approving)
    assert found == {
        police: Seat(Member("police-de", Sector.POLICE, "DE", exchange), *INVESTIGATING),
        approving: Seat(
            Member("police-de", Sector.POLICE, "DE", exchange), Role.APPROVER, *INVESTIGATING[1:]
        ),
        of_customs: Seat(
            Member("customs-nl", Sector.CUSTOMS, "NL", exchange),
            Role.ANALYST,
            Purpose.CUSTOMS_CONTROL,
            LegalBasis.CUSTOMS_LAW,
        ),
    }
    assert {each.profile_id for each in of_police} == {police, approving}
    assert (one.profile_id, one.seat) == (approving, found[approving])

    with world.database.transaction() as session:
        organisations.leave(session, CONSOLE, "customs-nl", "postal-exchange")
        session.execute(update(Profile).where(Profile.id == police).values(rules="of another"))
        assert [each.profile_id for each in grants.readers(session)] == [approving]


def test_classes_are_those_of_one_organisation_as_they_were_described(world: World) -> None:
    ours = like(kind=Kind.PGP, barrier_step=3)
    make_classes(world, "customs-nl", PLAIN)
    made = make_classes(world, "post-be", ours, PLAIN)
    with world.database.reading() as session:
        found = grants.classes_of(session, world.ids["post-be"])
    assert {each.id: each.attributes for each in found} == dict(
        zip(made, (ours, PLAIN), strict=True)
    )


def test_what_is_there_already_is_not_inserted_again(world: World) -> None:
    (first,) = make_classes(world, "post-be", PLAIN)
    owner = world.ids["post-be"]
    rows = [
        {"organisation_id": owner, "key": each.key(owner), "attributes": each.stored()}
        for each in (PLAIN, like(kind=Kind.PGP))
    ]
    with world.database.transaction() as session:
        grants.insert_new(session, ShareClass, rows)
        ids = session.scalars(select(ShareClass.id).order_by(ShareClass.id)).all()
        assert session.scalar(select(func.count()).select_from(ShareClass)) == 2
    assert ids[0] == first


def test_rows_are_locked_in_one_order_by_all_who_lock_several() -> None:
    statements: list[str] = []

    class Recording:
        def execute(self, statement: Any) -> Any:
            statements.append(str(statement.compile(dialect=postgresql.dialect())))
            return self

        def all(self) -> None: ...

    recording: Any = Recording()
    grants.hold_readers(recording)
    grants.hold_all(recording)
    assert ["ORDER BY organisation.id FOR" in " ".join(each.split()) for each in statements] == [
        True,
        True,
    ]


def test_holding_the_row_of_nobody_is_a_defect(world: World) -> None:
    with world.database.transaction() as session, pytest.raises(Exception, match="No row"):
        grants.hold_owner(session, max(world.ids.values()) + 1)


def test_the_name_of_the_rules_changes_with_either_of_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = grants.rules.__wrapped__
    found = {named()}
    for name in ("PLATFORM_FILE", "SCHEMA_FILE"):
        changed = tmp_path / name
        changed.write_bytes(getattr(grants, name).read_bytes() + b"\n")
        monkeypatch.setattr(grants, name, changed)
        found.add(named())
    width = Profile.__table__.c.rules.type.length
    assert len(found) == 3
    assert {len(each) for each in found} == {width}
