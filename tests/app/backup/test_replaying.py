"""Each kind of ending that a restore does again: done after the backup, it is done in the copy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import CONSOLE
from app.accounts import people, service, sign_on, tokens
from app.accounts.models import AccountStatus, ApiToken, Credential, PersonAccount, RoleGrant
from app.backup import replaying, restoring
from app.backup.ends import CREDENTIALS
from app.clock import now
from app.compliance import subject_requests
from app.compliance.models import SubjectRequest
from app.indicators import holds
from app.indicators.kinds import FACETS_OF
from app.indicators.models import LegalHold
from app.indicators.telling import Grounds
from app.lookups import watch_ending, watches
from app.lookups.models import Watch
from app.organisations import service as organisations
from app.organisations.models import CommunityMember, Organisation, OrganisationStatus
from postern.vocabulary import (
    HoldReason,
    Kind,
    LegalBasis,
    Purpose,
    Role,
    Scope,
    SubjectRequestState,
    SubjectRight,
    Tlp,
    Told,
)
from tests.app.backup import stage
from tests.app.backup.stage import Scene, silent
from tests.app.exchange import JAN, report
from tests.app.lively import HOME
from tests.app.people import Person, make_person, runtime_of

_ABROAD, _POLICE = "customs-nl", "police-de"
_PLACE = Kind.INDUCTION_POINT


@dataclass
class Subjects:
    """What is there before the backup, by what will end of it."""

    scene: Scene
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)

    def person(self, name: str) -> UUID:
        found = self.people[name].caller.person
        assert found is not None
        return found


@dataclass(frozen=True)
class Ending:
    """How something ends, and whether it has ended in a database."""

    end: Callable[[Session, Subjects], object]
    has_ended: Callable[[Session, Subjects], object]


def _status(name: str, wanted: AccountStatus) -> Callable[[Session, Subjects], bool]:
    return lambda session, told: (
        session.scalar(
            select(PersonAccount.status).where(PersonAccount.public_id == told.person(name))
        )
        is wanted
    )


def _no_credential(name: str) -> Callable[[Session, Subjects], bool]:
    return lambda session, told: (
        not session.scalar(
            select(func.count())
            .select_from(Credential)
            .join(PersonAccount, PersonAccount.id == Credential.person_id)
            .where(PersonAccount.public_id == told.person(name))
        )
    )


def _of(column: Any, key: Any, name: str) -> Callable[[Session, Subjects], object]:
    return lambda session, told: session.scalar(select(column).where(key == told.ids[name]))


def _place_hold(session: Session, told: Subjects) -> None:
    caller = told.scene.exchange.caller(HOME)
    until = now().date() + timedelta(days=60)
    placed = holds.place(
        session,
        caller,
        told.ids["report"],
        reason=HoldReason.PROCEEDINGS,
        until=until,
        case="K-2",
    )
    told.ids["placed"] = placed.id


def _home(told: Subjects) -> Any:
    return told.scene.exchange.caller(HOME)


ENDINGS = {
    "account.role": Ending(
        lambda session, told: service.set_roles(
            session, CONSOLE, told.people["analyst"].login, withdraw=[Role.ANALYST]
        ),
        lambda session, told: (
            not session.scalar(
                select(func.count())
                .select_from(RoleGrant)
                .join(PersonAccount, PersonAccount.id == RoleGrant.person_id)
                .where(
                    PersonAccount.public_id == told.person("analyst"),
                    RoleGrant.role == Role.ANALYST,
                )
            )
        ),
    ),
    "account.status, disabled": Ending(
        lambda session, told: people.disable(session, _home(told), told.person("disabled")),
        _status("disabled", AccountStatus.DISABLED),
    ),
    "account.status, closed": Ending(
        lambda session, told: service.close(session, CONSOLE, told.people["closed"].login),
        _status("closed", AccountStatus.CLOSED),
    ),
    "account.status, a closed account's password": Ending(
        lambda _session, _told: None,
        _no_credential("closed"),
    ),
    "account.password": Ending(
        lambda session, told: service.reset_password(
            session,
            CONSOLE,
            told.people["password"].login,
            service.new_secret(told.people["password"].login, "another long enough password 7"),
        ),
        _no_credential("password"),
    ),
    "sign-on.unlink": Ending(
        lambda session, told: sign_on.unlink(session, told.people["linked"].caller),
        _no_credential("linked"),
    ),
    "token.rotate": Ending(
        lambda session, told: tokens.rotate_token(
            session, CONSOLE, told.ids["token"], overlap_hours=0
        ),
        _of(ApiToken.revoked_at, ApiToken.public_id, "token"),
    ),
    "hold.place": Ending(
        _place_hold,
        lambda session, told: (
            "placed" in told.ids and _of(LegalHold.id, LegalHold.public_id, "placed")(session, told)
        ),
    ),
    "hold.release": Ending(
        lambda session, told: holds.release(session, _home(told), told.ids["hold"]),
        _of(LegalHold.released_at, LegalHold.public_id, "hold"),
    ),
    "watch.stop": Ending(
        lambda session, told: watch_ending.stop(session, _home(told), told.ids["watch"]),
        _of(Watch.ended_at, Watch.public_id, "watch"),
    ),
    "organisation.community": Ending(
        lambda session, _told: organisations.leave(session, CONSOLE, _POLICE, "postal-exchange"),
        lambda session, _told: (
            not session.scalar(
                select(func.count())
                .select_from(CommunityMember)
                .join(Organisation, Organisation.id == CommunityMember.organisation_id)
                .where(Organisation.code == _POLICE)
            )
        ),
    ),
    "organisation.status": Ending(
        lambda session, _told: organisations.set_status(
            session, CONSOLE, _ABROAD, OrganisationStatus.SUSPENDED
        ),
        lambda session, _told: (
            session.scalar(select(Organisation.status).where(Organisation.code == _ABROAD))
            is OrganisationStatus.SUSPENDED
        ),
    ),
    "subject.close": Ending(
        lambda session, told: subject_requests.close(
            session,
            _home(told),
            told.ids["subject"],
            state=SubjectRequestState.ANSWERED,
            note="told",
        ),
        _of(SubjectRequest.closed_at, SubjectRequest.public_id, "subject"),
    ),
}


def _subjects(scene: Scene) -> Subjects:
    exchange, told = scene.exchange, Subjects(scene)
    for name in ("analyst", "disabled", "closed", "password", "linked"):
        told.people[name] = make_person(exchange.app, HOME, [Role.ANALYST])
    made = exchange.submit(
        HOME, *(report(f"R-{number}", exchange.indicator(JAN)) for number in (1, 2))
    )
    told.ids["report"] = made.results[0].id
    caller, last = exchange.caller(HOME), now().date() + timedelta(days=60)
    with exchange.app.app_context(), exchange.database.transaction() as session:
        organisations.join(session, CONSOLE, _POLICE, "postal-exchange", "Postal exchange")
        told.ids["token"] = tokens.create_token(
            session, CONSOLE, caller_login(scene), scopes=[Scope.REPORTS_WRITE], days=30
        ).token.id
        told.ids["hold"] = holds.place(
            session,
            caller,
            made.results[1].id,
            reason=HoldReason.PROCEEDINGS,
            until=last,
            case="K-1",
        ).id
        told.ids["watch"] = watches.set_up(session, caller, *_watch(last)).id
        told.ids["subject"] = subject_requests.open_request(
            session, caller, right=SubjectRight.ACCESS, case="K-3", note=""
        ).id
    return told


def caller_login(scene: Scene) -> str:
    return scene.exchange.people[HOME].login


def _watch(last: date) -> tuple[Grounds, watches.Wanted]:
    (facet,) = FACETS_OF[_PLACE]
    why = Grounds(Purpose.SERVICE_SECURITY, LegalBasis.POSTAL_LAW, "PV-1")
    wanted = watches.Wanted(
        kind=_PLACE,
        epoch=0,
        tokens=[(facet, b"waited for 16 by")],
        tells=Told.BOTH,
        deconflicts=False,
        tlp=Tlp.AMBER,
        expires_on=last,
    )
    return why, wanted


def _ended(session: Session, told: Subjects) -> set[str]:
    return {name for name, each in ENDINGS.items() if each.has_ended(session, told)}


def test_each_kind_of_ending_after_a_backup_is_done_again(scene: Scene, target: str) -> None:
    told = _subjects(scene)
    exchange = scene.exchange
    backup = scene.back_up()
    with exchange.database.reading() as session:
        assert _ended(session, told) == set()
    for each in ENDINGS.values():
        with exchange.app.app_context(), exchange.database.transaction() as session:
            each.end(session, told)
    scene.write_journal()
    done = restoring.restore(scene.settings, backup, scene.by, target, silent)
    assert set(done.replayed.done) >= {name.partition(",")[0] for name in ENDINGS}
    with stage.opened(target) as database, database.reading() as session:
        assert set(ENDINGS) - _ended(session, told) == set()


def test_after_each_act_that_changes_how_somebody_signs_in_nothing_of_before_opens(
    scene: Scene,
) -> None:
    """Those that the test above does not do itself, as the journal tells of them."""
    told, runtime = Subjects(scene), runtime_of(scene.exchange.app)
    for act in sorted(CREDENTIALS):
        told.people[act] = make_person(scene.exchange.app, HOME, [Role.ANALYST])
        end = {"act": act, "org": HOME, "t": 0, "objects": [str(told.person(act))]}
        with scene.exchange.app.app_context():
            replaying.replay(runtime, [end], replaying.Replayed())
        with scene.exchange.database.reading() as session:
            assert _no_credential(act)(session, told), act
