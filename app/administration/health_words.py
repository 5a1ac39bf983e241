"""What the checks of health.py say: what was found, and what to do, in the language of who reads.

Facts are filled in as text. A finding in order needs no remedy.
"""

from collections.abc import Mapping
from datetime import date, datetime

from flask_babel import format_date, format_datetime, format_decimal
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app import zones
from app.administration.health import Check, Light, Part
from postern.vocabulary import EvaluationKind


def part_words(part: Part) -> str:
    """What is checked."""
    return str(_PARTS[part])


def light_words(light: Light) -> str:
    """How it stands, in two or three words."""
    return str(_LIGHTS[light])


def finding_words(check: Check) -> str:
    """What was found, in one sentence."""
    return str(_FINDINGS[check.finding][0]) % _told(check)


def remedy_words(check: Check) -> str:
    """What to do about it, in one or two sentences; "" where nothing is to be done."""
    remedy = _FINDINGS[check.finding][1]
    return str(remedy) % _told(check) if remedy else ""


def _told(check: Check) -> Mapping[str, str]:
    return {name: _fact(value) for name, value in check.facts.items()}


def _fact(value: object) -> str:
    if isinstance(value, datetime):
        there = zones.local(value)
        return f"{format_datetime(there, 'medium', rebase=False)} {there.tzname() or 'UTC'}"
    if isinstance(value, date):
        return str(format_date(value, "medium"))
    if isinstance(value, int):
        return str(format_decimal(value))
    if isinstance(value, tuple):
        return ", ".join(str(_KINDS[kind]) for kind in value)
    return str(_PLACES.get(str(value), value))


_KINDS: Mapping[EvaluationKind, LazyString] = {
    EvaluationKind.POSTAL: _("parties and addresses"),
    EvaluationKind.VENDOR: _("vendors"),
    EvaluationKind.PGP: _("PGP keys"),
    EvaluationKind.PHONE: _("phone numbers"),
    EvaluationKind.EMAIL: _("e-mail addresses"),
    EvaluationKind.PAYMENT: _("payments"),
    EvaluationKind.ITEM: _("items"),
}


_PLACES: Mapping[str, LazyString] = {
    "archive": _("of the log's archives"),
    "database": _("of the database"),
}

_PARTS: Mapping[Part, LazyString] = {
    Part.DATABASE: _("Database"),
    Part.SCHEMA: _("Schema of the database"),
    Part.WORKER: _("Worker"),
    Part.OUTBOX: _("Outbox"),
    Part.LOG: _("Access log"),
    Part.WITNESSES: _("Witnesses of the log"),
    Part.EPOCHS: _("Evaluation keys"),
    Part.MAIL: _("Mail"),
    Part.DISK: _("Disk"),
    Part.RETENTION: _("Erasure"),
    Part.BACKUP: _("Backup"),
    Part.REPLICA: _("Replica of the database"),
}

_LIGHTS: Mapping[Light, LazyString] = {
    Light.GREEN: _("in order"),
    Light.AMBER: _("look today"),
    Light.RED: _("act now"),
}

_WORKER_REMEDY = _(
    "Start the worker again, and see in the service's log why it ended: flask --app wsgi jobs run"
)

_LOG_REMEDY = _(
    "Start what keeps the log again, and see in the service's log why it ended:"
    " flask --app wsgi audit run"
)

_ERASURE_REMEDY = _(
    "See under background work whether duties are done and which fail; the law sets the end of what"
    " is kept, so do not leave it."
)

_FINDINGS: Mapping[str, tuple[LazyString, LazyString | None]] = {
    "database.answers": (_("The database (%(kind)s) answers."), None),
    "schema.newest": (_("The schema is the one that this version needs (%(present)s)."), None),
    "schema.old": (
        _("The schema is %(present)s, and this version of the platform needs %(needed)s."),
        _("Make a backup, then run: python -m app upgrade"),
    ),
    "schema.newer": (
        _(
            "The schema is %(present)s, of a later version; this version needs %(needed)s and"
            " serves with it during an upgrade."
        ),
        _("Reload the remaining processes with the later version."),
    ),
    "schema.too-new": (
        _(
            "The schema is %(present)s, of a later version, and this version, which needs"
            " %(needed)s, cannot work with it."
        ),
        _("Start the later version of the platform."),
    ),
    "schema.unseen": (
        _("The service's database role may not read which schema the database has."),
        _("Run as the owner of the tables: python -m app grants, with the name of the role."),
    ),
    "worker.works": (_("Every duty is done in its time, the last on %(last)s."), None),
    "worker.never": (
        _("No duty has ever been done: nothing expires, and nobody is told of anything."),
        _("Start the worker beside the service: flask --app wsgi jobs run"),
    ),
    "worker.still": (
        _("Duties have been due for more than an hour; the last was done on %(last)s."),
        _WORKER_REMEDY,
    ),
    "worker.late": (
        _("Duties have been due for more than ten minutes; the last was done on %(last)s."),
        _WORKER_REMEDY,
    ),
    "worker.failing": (
        _("These duties failed when they were last tried: %(duties)s."),
        _("They are tried again by themselves. The service's log says why they failed."),
    ),
    "outbox.flows": (_("What is asked for after a request is done in its time."), None),
    "outbox.late": (
        _("The oldest job has been due for %(minutes)s minutes."),
        _("See under background work which topic waits. One more worker may help."),
    ),
    "outbox.still": (
        _("The oldest job has been due for %(minutes)s minutes: nobody does it."),
        _WORKER_REMEDY,
    ),
    "outbox.dead": (
        _("Jobs that were given up: %(count)s."),
        _("See under background work which they are; mend the cause, then let them begin anew."),
    ),
    "log.grows": (_("Entries get their places at once; the last checkpoint is of %(last)s."), None),
    "log.none": (_("No checkpoint was ever signed."), _LOG_REMEDY),
    "log.late": (
        _("Entries have waited for a place for more than a minute since %(last)s."),
        _LOG_REMEDY,
    ),
    "log.still": (
        _("Entries have waited for a place for %(minutes)s minutes: nothing signs the log."),
        _LOG_REMEDY,
    ),
    "log.alarm": (
        _("Open alarms about the log itself: %(count)s."),
        _("Read on the page of the log's state what each means, and do what it says."),
    ),
    "witnesses.cosign": (_("Enough organisations cosign the log, last on %(last)s."), None),
    "witnesses.none": (
        _("No other organisation witnesses the log: a changed log would be noticed by nobody."),
        _("Ask other members to run postern witness and to register its key."),
    ),
    "witnesses.few": (
        _("Too few organisations have cosigned the log lately."),
        _("See on the page of the log's state which witnesses are silent, and telephone them."),
    ),
    "witnesses.silent": (
        _("Silent witnesses: %(count)s. The others are enough for now."),
        _("See on the page of the log's state which they are, and telephone them."),
    ),
    "epochs.open": (_("Every kind has an open key epoch, at least until %(until)s."), None),
    "epochs.ending": (
        _("A key epoch ends on %(until)s."),
        _("After that day nobody can submit or look up that kind: have the next one prepared."),
    ),
    "epochs.closed": (
        _("No key epoch is open for: %(kinds)s."),
        _("Open the first ones with: flask --app wsgi keys open"),
    ),
    "mail.sends": (_("Mail leaves; none failed within a day."), None),
    "mail.idle": (_("Mail is set up; none was to be sent within a day."), None),
    "mail.none": (_("This platform sends no mail: no mail server is set up."), None),
    "mail.failing": (
        _("Mails of a channel failed or were given up within a day."),
        _("Send a trial message by a channel of your own, and look at the mail server's log."),
    ),
    "disk.room": (_("Free on the fuller disk, that %(place)s: %(percent)s per cent."), None),
    "disk.elsewhere": (
        _("Free on the disk %(place)s: %(percent)s per cent. That of the database is not seen."),
        _("Whoever runs the database server watches its disk."),
    ),
    "disk.tight": (
        _("Only %(percent)s per cent are free on the disk %(place)s."),
        _("Add room, or seal old months of the log and move the archives elsewhere."),
    ),
    "disk.full": (
        _("Only %(percent)s per cent are free on the disk %(place)s: soon nothing can be written."),
        _("Add room now. A full disk stops everything, since no act goes unlogged."),
    ),
    "retention.flows": (
        _("What is over is erased in its time; waiting for the next round: %(count)s."),
        None,
    ),
    "retention.late": (
        _("Rows that are over and not erased: %(count)s, the oldest for %(hours)s hours."),
        _ERASURE_REMEDY,
    ),
    "retention.still": (
        _("Rows that should have been erased days ago: %(count)s, the oldest for %(hours)s hours."),
        _ERASURE_REMEDY,
    ),
    "backup.tried": (
        _("The newest backup is of %(last)s; one was last restored and checked on %(tried)s."),
        None,
    ),
    "backup.untold": (
        _("This platform does not know of its backups: nothing tells it when one was made."),
        _("Set backup.status, and let whatever makes backups write that file."),
    ),
    "backup.none": (
        _("There is no word of any backup, although the settings say where it should be."),
        _("Make a backup now, and see whether it writes the file that backup.status names."),
    ),
    "backup.late": (
        _("The newest backup is of %(last)s, more than a day ago."),
        _("See why the last one was not made: its timer, its disk, its log."),
    ),
    "backup.old": (
        _("The newest backup is of %(last)s, more than two days ago."),
        _("Make one now, and then see why none was made: its timer, its disk, its log."),
    ),
    "backup.untried": (
        _("The newest backup is of %(last)s; none was restored and checked within five weeks."),
        _("Restore one on another machine and check the log in it: only then is it a backup."),
    ),
    "replica.none": (_("No replica is set up: everything is read from the primary."), None),
    "replica.fresh": (_("The replica has all that is committed, and is read from."), None),
    "replica.behind": (
        _("The replica lags behind, so everything is read from the primary."),
        _("See its disk and network, and whether a long query there holds replay up."),
    ),
    "replica.down": (
        _("The replica does not answer, so everything is read from the primary."),
        _("Start the standby again; if the primary has removed what it needs, make it anew."),
    ),
    "replica.promoted": (
        _("What the settings call the replica is no standby, and is not read."),
        _(
            "If it took over, let database.url lead to it and make sure that the former primary"
            " is stopped; else make the standby anew."
        ),
    ),
    "replica.foreign": (
        _("What the settings call the replica follows another server, and is not read."),
        _("Make the standby anew from the server of database.url."),
    ),
    "replica.asynchronous": (
        _("Commits are not waited for (synchronous_commit is off), so the replica is not read."),
        _("Set synchronous_commit to on: what is acknowledged could be lost with the server."),
    ),
}
