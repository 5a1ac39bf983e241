"""Publishing, profiles, classes and figures: what changes a decision, and when."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects import postgresql

from app import clock
from app.access import CONSOLE
from app.audit.models import AuditAudience, AuditDetail, AuditEntry
from app.audit.reading import Filters, entries
from app.database import Database
from app.indicators.models import Indicator
from app.organisations import service as organisations
from app.organisations.models import OrganisationStatus
from app.sharing import grants, service, versions, visibility
from app.sharing.models import Cause, PolicyVersion, Profile, ShareClass, ShareGrant
from app.sharing.policy_text import PolicyRefusedError
from postern.audit.record import open_disclosures
from postern.vocabulary import Kind, LegalBasis, Purpose, Role, Sector, Tlp
from tests.app.sharing.world import (
    EVERYTHING_TO_POLICE,
    PLAIN,
    POLICIES,
    TODAY,
    World,
    like,
    moment,
    token_of,
    trio,
)

NOW = moment(TODAY)

PRESENCE_TO_EXCHANGE = """
@id("post-be/presence") @label("The exchange learns of us")
permit (principal in Community::"postal-exchange", action == Action::"presence", resource);
"""


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policies of a test are in force at the moment that its figures are about."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_publishing_changes_the_next_answer_and_withdrawing_too(database: Database) -> None:
    world = trio(database)
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")
    assert world.level(profile, token_of(1)) == 0
    assert world.publish("post-be", EVERYTHING_TO_POLICE) == 1
    assert world.level(profile, token_of(1)) == 3
    assert world.publish("post-be", PRESENCE_TO_EXCHANGE) == 2
    assert world.level(profile, token_of(1)) == 1
    assert world.publish("post-be", "") == 3
    assert world.level(profile, token_of(1)) == 0


def test_the_console_publishes_a_first_policy_and_no_other(database: Database) -> None:
    world = trio(database)

    def publish_first(code: str, policy: str) -> int:
        with database.transaction() as session:
            return service.publish_first(session, CONSOLE, code, policy)

    everybody = '@id("a/all") @label("All") permit (principal, action, resource);'
    elsewhere = EVERYTHING_TO_POLICE.replace("resource)", 'resource in Organisation::"nobody")')
    for faulty in ("permit (principal", everybody, elsewhere):
        with pytest.raises(PolicyRefusedError):
            publish_first("post-be", faulty)
    with pytest.raises(organisations.UnknownOrganisationError):
        publish_first("nobody", EVERYTHING_TO_POLICE)
    assert publish_first("post-be", EVERYTHING_TO_POLICE) == 1
    with pytest.raises(service.PublishedBeforeError) as refusal:
        publish_first("post-be", PRESENCE_TO_EXCHANGE)
    assert refusal.value.code == "policy-published"
    assert publish_first("customs-nl", PRESENCE_TO_EXCHANGE) == 1
    world.indicator("post-be", token=token_of(1))
    assert world.level(world.profile("police-de"), token_of(1)) == 3


def test_a_policy_speaks_of_its_owners_records_only(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("customs-nl", token=token_of(1))
    assert world.level(world.profile("police-de"), token_of(1)) == 0


def test_a_transaction_that_fails_leaves_the_policy_in_force(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")

    def fail_after_publishing() -> None:
        with database.transaction() as session:
            service.publish(session, CONSOLE, "post-be", "")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_publishing()
    assert world.level(profile, token_of(1)) == 3


def test_versions_are_kept_as_they_were(database: Database) -> None:
    world = trio(database)
    for policy in (EVERYTHING_TO_POLICE, "", PRESENCE_TO_EXCHANGE):
        world.publish("post-be", policy)
    with database.reading() as session:
        kept = session.execute(
            select(PolicyVersion.seq, PolicyVersion.text).order_by(PolicyVersion.seq)
        ).all()
    assert [tuple(row) for row in kept] == [
        (1, EVERYTHING_TO_POLICE),
        (2, ""),
        (3, PRESENCE_TO_EXCHANGE),
    ]


@pytest.mark.parametrize(
    ("named", "kind"),
    [('Organisation::"police-dd"', "organisation"), ('Community::"postal-xchange"', "community")],
)
def test_a_misspelt_name_is_refused_with_its_line(
    database: Database, named: str, kind: str
) -> None:
    world = trio(database)
    policy = f'\n@id("post-be/x") @label("X")\npermit (principal in {named}, action, resource);'
    with pytest.raises(PolicyRefusedError) as refusal:
        world.publish("post-be", policy)
    (fault,) = refusal.value.faults
    assert (fault.policy, fault.line) == ("post-be/x", 2)
    assert named in fault.reason
    assert kind in fault.remedy
    examined = _examined(world, policy)
    assert (examined.policies, examined.faults, examined.warnings) == ((), (fault,), ())


def test_a_text_that_could_take_effect_is_told_with_its_policies_and_what_is_odd(
    database: Database,
) -> None:
    odd = """
    @id("post-be/known") @label("Some who are known")
    permit (principal in Organisation::"police-de", action, resource);
    @id("post-be/none") @label("None of another sector")
    permit (principal in Organisation::"police-de", action, resource)
    when { principal.sector == Sector::"post" };
    """
    found = _examined(trio(database), odd)
    assert [policy.id for policy in found.policies] == ["post-be/known", "post-be/none"]
    assert [warning.policy for warning in found.warnings] == ["post-be/none"]
    assert found.faults == ()


def test_the_total_of_a_count_is_all_that_is_seen_at_any_level() -> None:
    assert service.LevelCount("a", "A", Purpose.RISK_ANALYSIS, 1, 20, 300).total == 321


def test_a_refused_policy_leaves_no_version_and_no_change(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    with pytest.raises(PolicyRefusedError):
        world.publish("post-be", "permit (principal")
    assert world.level(world.profile("police-de"), token_of(1)) == 3
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PolicyVersion)) == 1


def test_an_unknown_organisation_cannot_publish(database: Database) -> None:
    with pytest.raises(organisations.UnknownOrganisationError):
        trio(database).publish("nobody", "")


def test_publishing_is_told_to_the_owner_with_the_digest_of_the_text(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    act, audience, details = _last_entry(database)
    assert act == "policy.publish"
    assert audience == {"platform", "post-be"}
    assert details["objects"] == ["post-be/1"]
    assert details["policies"] == ["post-be/all-to-police"]
    assert len(details["sha256"]) == 64


@pytest.mark.usefixtures("today")
def test_reading_a_policy_is_logged_and_gives_text_and_policies(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    with database.transaction() as session:
        found = service.current(session, CONSOLE, "post-be")
    assert (found.version, found.text) == (1, EVERYTHING_TO_POLICE)
    assert [policy.label for policy in found.policies] == ["Police see everything"]
    assert (found.organisation, found.valid_from, found.is_valid) == ("post-be", NOW, True)
    act, audience, details = _last_entry(database)
    assert (act, audience) == ("policy.read", {"platform", "post-be"})
    assert details["objects"] == ["post-be/1"]
    with database.reading() as session:
        (newest,) = entries(session, "post-be", Filters(act="policy.read")).entries
    assert json.loads(newest.record)["obj"] == "policy"


def test_who_published_nothing_has_version_nought(database: Database) -> None:
    trio(database)
    with database.transaction() as session:
        found = service.current(session, CONSOLE, "post-be")
    assert found == service.CurrentPolicy("post-be", 0, None, "", (), is_valid=True)


def test_profiles_and_classes_are_found_again(database: Database) -> None:
    world = trio(database)
    assert world.profile("police-de") == world.profile("police-de")
    assert world.profile("police-de") != world.profile("police-de", role=Role.APPROVER)
    with database.transaction() as session:
        first = service.share_class_ids(session, world.ids["post-be"], [PLAIN, PLAIN])
        both = service.share_class_ids(session, world.ids["post-be"], [PLAIN, like(kind=Kind.PGP)])
        others = service.share_class_ids(session, world.ids["customs-nl"], [PLAIN])
    assert both[PLAIN] == first[PLAIN] != others[PLAIN]
    assert len(both) == 2


def test_a_profile_of_no_organisation_is_a_defect(database: Database) -> None:
    with pytest.raises(LookupError), database.transaction() as session:
        service.profile_id(session, 1, Role.ANALYST, Purpose.RISK_ANALYSIS, LegalBasis.PUBLIC_TASK)


@pytest.mark.parametrize("code", ["post-be", "customs-nl", "police-de"])
def test_every_sector_sees_its_own_under_the_profile_of_its_own_records(
    database: Database, code: str
) -> None:
    world = trio(database)
    world.indicator(code, like(tlp=Tlp.RED), token=token_of(1), age=1_000)
    with database.transaction() as session:
        profile = service.own_profile_id(session, world.ids[code], Role.SUBMITTER)
    assert world.level(profile, token_of(1)) == 3


def test_leaving_a_community_takes_effect_with_the_next_question(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", PRESENCE_TO_EXCHANGE)
    world.indicator("post-be", token=token_of(1))
    assert world.level(world.profile("police-de"), token_of(1)) == 1
    with database.transaction() as session:
        organisations.leave(session, CONSOLE, "police-de", "postal-exchange")
    assert world.level(world.profile("police-de"), token_of(1)) == 0
    with database.transaction() as session:
        organisations.join(session, CONSOLE, "police-de", "postal-exchange")
    assert world.level(world.profile("police-de"), token_of(1)) == 1


def test_a_class_made_between_leaving_and_joining_is_decided_like_the_others(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", PRESENCE_TO_EXCHANGE)
    world.profile("police-de")
    with database.transaction() as session:
        organisations.leave(session, CONSOLE, "police-de", "postal-exchange")
    world.indicator("post-be", token=token_of(1))
    with database.transaction() as session:
        organisations.join(session, CONSOLE, "police-de", "postal-exchange")
    assert world.level(world.profile("police-de"), token_of(1)) == 1


def test_new_platform_rules_renew_a_profile_at_its_next_use(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    profile = world.profile("police-de")
    with database.transaction() as session:
        session.execute(update(ShareGrant).values(level=1))
    assert world.level(world.profile("police-de"), token_of(1)) == 1  # nothing has changed yet

    monkeypatch.setattr(grants, "rules", lambda: "the next release")
    world.indicator("post-be", like(kind=Kind.PGP), token=token_of(2))
    assert world.level(profile, token_of(2)) == 0  # decided under other rules: not yet at all
    assert world.profile("police-de") == profile
    assert world.level(profile, token_of(1)) == 3
    assert world.level(profile, token_of(2)) == 3


def test_a_stored_policy_that_is_no_longer_valid_shares_nothing_and_stops_nobody(
    database: Database,
) -> None:
    world = trio(database)
    with database.transaction() as session:
        session.add(
            PolicyVersion(
                organisation_id=world.ids["post-be"],
                seq=1,
                text='@id("a") @label("A") permit (principal, action == Action::"see", resource);',
                sha256=b"-" * 32,
                valid_from=clock.now(),
                created_at=clock.now(),
                cause=Cause.CONSOLE,
            )
        )
    world.indicator("post-be", token=token_of(1))
    world.publish("customs-nl", PRESENCE_TO_EXCHANGE)
    world.indicator("customs-nl", token=token_of(2))
    profile = world.profile("police-de")
    assert world.level(profile, token_of(1)) == 0
    assert world.level(profile, token_of(2)) == 1
    with database.transaction() as session:
        found = service.current(session, CONSOLE, "post-be")
    assert (found.policies, found.is_valid) == ((), False)


def test_a_refill_restores_what_was_edited_by_hand(database: Database) -> None:
    world = _demonstration(database)
    before = _all_grants(database)
    with database.transaction() as session:
        session.execute(text("DELETE FROM share_grant WHERE level = 2"))
        session.execute(text("UPDATE share_grant SET level = 3"))
        session.execute(update(Profile).values(facts={"rules": "", "sector": "post"}))
    assert _all_grants(database) != before
    with database.transaction() as session:
        assert service.refill(session, CONSOLE) == len(before)
    assert _all_grants(database) == before
    assert _last_entry(database)[0] == "policy.refill"
    assert world.ids


def test_a_refill_tells_how_many_grants_there_are(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be")
    world.indicator("post-be", like(kind=Kind.PGP))
    world.profile("police-de")
    with database.transaction() as session:
        assert service.refill(session, CONSOLE) == 2
    with database.reading() as session:
        record = session.scalars(
            select(AuditEntry.rec).where(AuditEntry.act == "policy.refill")
        ).one()
    told = json.loads(record)
    assert (told["obj"], told["n"]) == ("grant", 2)


def test_a_refill_for_one_organisation_states_its_facts_and_leaves_other_readers(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    police, customs = world.profile("police-de"), world.profile("customs-nl")
    other_police = world.organisation("police-be", Sector.POLICE, "BE")
    left_alone = world.profile("police-be")
    with database.transaction() as session:
        session.execute(update(ShareGrant).values(level=1))
        wrong = {"sector": "police", "country": "NL", "communities": []}
        session.execute(update(Profile).where(Profile.id == customs).values(facts=wrong))
        session.execute(update(Profile).where(Profile.id == police).values(rules="old"))
    for code in ("police-de", "customs-nl"):
        with database.transaction() as session:
            service.refill_for_organisation(session, world.ids[code])
    assert world.level(police, token_of(1)) == 3
    assert world.level(customs, token_of(1)) == 0
    assert (other_police, world.level(left_alone, token_of(1))) == (world.ids["police-be"], 1)


def test_a_refill_for_one_organisation_decides_what_it_sees_and_shares(database: Database) -> None:
    world = _demonstration(database)
    before = _all_grants(database)
    police = world.ids["police-de"]
    with database.transaction() as session:
        session.execute(
            text(
                "UPDATE share_grant SET level = 3 WHERE profile_id IN "
                "(SELECT id FROM profile WHERE organisation_id = :o) OR share_class_id IN "
                "(SELECT id FROM share_class WHERE organisation_id = :o)"
            ),
            {"o": police},
        )
    assert _all_grants(database) != before
    with database.transaction() as session:
        service.refill_for_organisation(session, police)
    assert _all_grants(database) == before


@pytest.mark.usefixtures("today")
def test_the_figures_equal_what_an_analyst_would_see(database: Database) -> None:
    world = _demonstration(database)
    for owner in ("post-be", "customs-nl", "police-de"):
        counted = {
            (count.organisation, count.purpose): (count.presence, count.metadata, count.request)
            for count in _level_counts(world, owner)
        }
        assert len(counted) == 2 * len(Purpose)
        seen = {
            (viewer, purpose): _seen_of(world, owner, viewer, purpose)
            for viewer, purpose in counted
        }
        assert counted == seen
        assert any(any(levels) for levels in counted.values())


@pytest.mark.usefixtures("today")
def test_the_figures_take_the_best_of_the_legal_bases(database: Database) -> None:
    world = trio(database)
    world.publish(
        "post-be",
        '@id("post-be/court") @label("Under a court order") permit (principal, action, resource)'
        ' when { context.legalBasis == LegalBasis::"court_order" };',
    )
    world.indicator("post-be")
    found = {
        (c.organisation, c.purpose): (c.request, c.total) for c in _level_counts(world, "post-be")
    }
    assert found["police-de", Purpose.CRIMINAL_INVESTIGATION] == (1, 1)
    assert found["police-de", Purpose.SERVICE_SECURITY] == (0, 0)


@pytest.mark.usefixtures("today")
def test_the_figures_leave_suspended_organisations_out(database: Database) -> None:
    world = _demonstration(database)
    with database.transaction() as session:
        organisations.set_status(session, CONSOLE, "police-de", OrganisationStatus.SUSPENDED)
    assert {c.organisation for c in _level_counts(world, "post-be")} == {"customs-nl"}
    assert all(count.total == 0 for count in _level_counts(world, "police-de"))


def test_the_figures_stand_in_the_order_of_codes_and_purposes(database: Database) -> None:
    found = [
        (each.organisation, each.name, each.purpose)
        for each in _level_counts(trio(database), "customs-nl")
    ]
    assert found == [
        (code, code.upper(), purpose) for code in ("police-de", "post-be") for purpose in Purpose
    ]


@pytest.mark.usefixtures("today")
def test_the_figures_follow_the_policies_of_their_moment(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be")
    tomorrow = moment(TODAY + 1)
    with database.transaction() as session:
        versions.put_in_force(
            session, CONSOLE, world.ids["post-be"], "", Cause.CONSOLE, valid_from=tomorrow
        )
    for at, seen in ((tomorrow - timedelta(seconds=1), 1), (tomorrow, 0)):
        found = {(c.organisation, c.purpose): c.total for c in _level_counts(world, "post-be", at)}
        assert found["police-de", Purpose.CRIMINAL_INVESTIGATION] == seen


def test_a_class_made_while_a_policy_is_published_follows_the_new_policy(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    profile = world.profile("police-de")
    with (
        _beside(database, lambda: world.indicator("post-be", token=token_of(1))) as waiting,
        database.transaction() as session,
    ):
        service.publish(session, CONSOLE, "post-be", PRESENCE_TO_EXCHANGE)
        waiting()
    assert world.level(profile, token_of(1)) == 1


def test_a_reader_who_comes_while_a_policy_is_published_follows_the_new_policy(
    database: Database,
) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", token=token_of(1))
    with (
        _beside(database, lambda: world.profile("police-de")) as waiting,
        database.transaction() as session,
    ):
        service.publish(session, CONSOLE, "post-be", PRESENCE_TO_EXCHANGE)
        waiting()
    assert world.level(world.profile("police-de"), token_of(1)) == 1


def test_a_class_made_while_a_reader_comes_is_decided_for_it(database: Database) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    with (
        _beside(database, lambda: world.indicator("post-be", token=token_of(1))) as waiting,
        database.transaction() as session,
    ):
        profile = service.profile_id(
            session,
            world.ids["police-de"],
            Role.ANALYST,
            Purpose.CRIMINAL_INVESTIGATION,
            LegalBasis.CRIMINAL_PROCEDURE,
        )
        waiting()
    assert world.level(profile, token_of(1)) == 3


@pytest.mark.parametrize("what", ["profile", "class"])
def test_two_who_make_the_same_at_once_get_the_same(database: Database, what: str) -> None:
    world = trio(database)
    world.publish("post-be", EVERYTHING_TO_POLICE)
    world.indicator("post-be", like(kind=Kind.PGP))
    found: list[int] = []

    def make(session: Any) -> int:
        if what == "profile":
            return service.profile_id(
                session,
                world.ids["police-de"],
                Role.ANALYST,
                Purpose.CRIMINAL_INVESTIGATION,
                LegalBasis.CRIMINAL_PROCEDURE,
            )
        return service.share_class_ids(session, world.ids["post-be"], [PLAIN])[PLAIN]

    def make_too() -> None:
        with database.transaction() as other:
            found.append(make(other))

    with _beside(database, make_too) as waiting, database.transaction() as session:
        first = make(session)
        waiting()
    assert found == [first]
    with database.reading() as session:
        grants_made = session.scalar(select(func.count()).select_from(ShareGrant))
        classes = session.scalar(select(func.count()).select_from(ShareClass))
    assert (grants_made, classes) == ((1, 1) if what == "profile" else (0, 2))


def test_who_only_refers_to_an_organisation_does_not_wait_for_its_fillings() -> None:
    statements: list[str] = []

    class Recording:
        def execute(self, statement: Any) -> Any:
            statements.append(str(statement.compile(dialect=postgresql.dialect())))
            return self

        def all(self) -> None: ...

        def scalar_one(self) -> None: ...

    recording: Any = Recording()
    grants.hold_owner(recording, 1)
    grants.hold_readers(recording)
    grants.hold_all(recording)
    endings = [statement.rsplit("FOR ", 1)[1] for statement in statements]
    assert endings == ["NO KEY UPDATE", "SHARE", "NO KEY UPDATE"]


@contextmanager
def _beside(database: Database, act: Any) -> Iterator[Any]:
    """Run `act` in a thread; what is yielded returns once the thread waits for a lock.

    On SQLite the transactions queue before they begin, so there is nothing to see.
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)

    def waiting() -> None:
        thread.start()
        while not database.is_sqlite and thread.is_alive():
            with database.reading() as session:
                blocked = session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            if blocked:
                return
        assert database.is_sqlite, "nothing made the other transaction wait"

    yield waiting
    thread.join()
    assert errors == []


def _examined(world: World, policy: str) -> service.Examined:
    with world.database.reading() as session:
        return service.examine(session, world.ids["post-be"], policy)


def _demonstration(database: Database) -> World:
    world = trio(database)
    for code in ("post-be", "customs-nl", "police-de"):
        world.publish(code, (POLICIES / "demo" / f"{code}.cedar").read_text("utf-8"))
        for age in (0, 10, 100, 500):
            world.indicator(code, age=age)
            world.indicator(code, like(kind=Kind.VENDOR, tlp=Tlp.GREEN), age=age)
        world.indicator(code, like(tlp=Tlp.RED))
        world.indicator(code, expires_in=0)
        world.indicator(code, age=-3)
    for purpose in Purpose:
        for code in world.ids:
            world.profile(code, purpose, LegalBasis.PUBLIC_TASK)
    return world


def _level_counts(world: World, code: str, at: datetime = NOW) -> list[service.LevelCount]:
    with world.database.reading() as session:
        return service.level_counts(session, world.ids[code], at)


def _seen_of(world: World, owner: str, viewer: str, purpose: Purpose) -> tuple[int, int, int]:
    profile = world.profile(viewer, purpose, LegalBasis.PUBLIC_TASK)
    visible = visibility.visible_indicators(profile, moment(TODAY), visibility.PRESENCE).subquery()
    with world.database.reading() as session:
        levels = session.scalars(
            select(visible.c.level)
            .join(Indicator, Indicator.id == visible.c.indicator_id)
            .where(Indicator.organisation_id == world.ids[owner])
        ).all()
    return levels.count(1), levels.count(2), levels.count(3)


def _all_grants(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as session:
        rows = session.execute(
            select(
                ShareGrant.profile_id,
                ShareGrant.share_class_id,
                ShareGrant.age_min,
                ShareGrant.age_max,
                ShareGrant.level,
                ShareGrant.tells_owner,
                ShareGrant.may_screen,
                ShareGrant.may_feed,
                ShareGrant.valid_from,
                ShareGrant.valid_until,
                ShareGrant.grant_reason_id,
            ).order_by(
                ShareGrant.profile_id,
                ShareGrant.share_class_id,
                ShareGrant.age_min,
                ShareGrant.valid_from,
            )
        )
        return [tuple(row) for row in rows]


def _last_entry(database: Database) -> tuple[str, set[str], dict[str, Any]]:
    with database.reading() as session:
        eid, act, disc = session.execute(
            select(AuditEntry.eid, AuditEntry.act, AuditDetail.disc)
            .join(AuditDetail, AuditDetail.eid == AuditEntry.eid)
            .order_by(AuditEntry.eid.desc())
            .limit(1)
        ).one()
        audience = session.scalars(select(AuditAudience.org).where(AuditAudience.eid == eid))
        return act, set(audience), open_disclosures(disc)
