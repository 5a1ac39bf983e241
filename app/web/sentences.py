"""An entry of the access log in words, for people who read no JSON.

The record and its details are given as stored; nothing is added that they do not say. A detail
that was erased is left out of the sentence.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from flask_babel import format_date, format_decimal, format_time
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.access import PLATFORM, Means
from app.audit.entry import Outcome
from app.clock import milliseconds
from app.sharing.models import Cause
from app.web.account_words import ACCOUNT_SENTENCES
from app.web.act_names import act_name
from app.web.barrier_sentences import BARRIER_SENTENCES
from app.web.channel_words import JOB_SENTENCES, TELL_THEIR_OUTCOME
from app.web.disclosure_sentences import DISCLOSURE_SENTENCES
from app.web.ending_sentences import ENDING_SENTENCES
from app.web.exchange_sentences import EXCHANGE_SENTENCES
from app.web.exchange_sentences import TELL_THEIR_OUTCOME as _TELL_OF_SERVERS
from app.web.key_sentences import KEY_SENTENCES
from app.web.languages import gettext, ngettext, words
from app.web.oversight_sentences import OVERSIGHT_SENTENCES
from app.web.pattern_sentences import PATTERN_SENTENCES
from app.web.recall_words import RECALL_SENTENCES
from app.web.told import Details, Record
from app.web.told import Told as _Told
from app.web.told import fixed as _fixed
from app.web.watch_words import WATCH_SENTENCES

_TELL_OF_STRANGERS = frozenset({"break-glass.refuse", "session.refuse", "token.refuse"})
"""Acts of nobody known, whose outcome is always a denial."""

_TELL_THEIR_OUTCOME = _TELL_OF_STRANGERS | TELL_THEIR_OUTCOME | _TELL_OF_SERVERS

_AT_ONCE = 1000  # milliseconds within which a version is in force with its entry

_SHOWN_OF_ID = 8  # characters: enough to tell the people of one organisation apart


def sentence(record: Record, details: Details, names: Mapping[str, str]) -> str:
    """Who did what, for which purpose and case, with which result.

    `names` gives the name of each organisation code; a code without one stands for itself.
    """
    who = _who(record, details, names)
    tell = _SENTENCES.get(record["act"])
    if record["act"] in _TELL_THEIR_OUTCOME and tell:
        done = tell(_Told(record, details, who, names))
    elif record["out"] != Outcome.OK.value:
        done = _refused(record, details, who)
    else:
        done = tell(_Told(record, details, who, names)) if tell else f"{who}: {record['act']}"
    return gettext("; ").join([done, *_clauses(record, details)])


def short_id(identifier: str) -> str:
    """The first characters of an identifier, as the sentences show it."""
    return identifier[:_SHOWN_OF_ID]


def _who(record: Record, details: Details, names: Mapping[str, str]) -> str:
    code = str(record["org"])
    actor = str(details.get("actor", ""))
    if actor == Means.CONSOLE.value or code == PLATFORM:
        return gettext("The platform's administration")
    organisation = names.get(code, code)
    if not actor:
        return gettext("A person of %(organisation)s", organisation=organisation)
    return gettext(
        "Person %(id)s of %(organisation)s", id=short_id(actor), organisation=organisation
    )


def _refused(record: Record, details: Details, who: str) -> str:
    code = _reason(details)
    if record["out"] == Outcome.DENIED.value:
        told = gettext("%(who)s was denied: %(act)s", who=who, act=act_name(record["act"]))
    else:
        told = gettext("%(who)s failed: %(act)s", who=who, act=act_name(record["act"]))
    return f"{told} ({code})" if code else told


def _reason(details: Details) -> str:
    return words(str(details.get("refusal", "")), "Refusal")


def _clauses(record: Record, details: Details) -> list[str]:
    clauses = []
    if record["purpose"]:
        purpose = words(record["purpose"], "Purpose")
        clauses.append(gettext("purpose: %(purpose)s", purpose=purpose))
    if details.get("case"):
        clauses.append(gettext("case %(case)s", case=details["case"]))
    hits = details.get("hits")
    if isinstance(hits, int):
        clauses.append(ngettext("%(num)s hit", "%(num)s hits", hits))
    return clauses


def _kinds(details: Details) -> str:
    """' (party 3, phone number 1)' for the kinds and counts of a query, else ''."""
    kinds = details.get("query")
    if not isinstance(kinds, Mapping) or not kinds:
        return ""
    told = ", ".join(
        f"{words(kind, 'Kind')} {format_decimal(count)}" for kind, count in sorted(kinds.items())
    )
    return f" ({told})"


def _evaluation(told: _Told) -> str:
    query = told.details.get("query")
    kind = words(query["kind"], "EvaluationKind") if isinstance(query, Mapping) else ""
    done = ngettext(
        "%(who)s had %(num)s blinded identifier evaluated",
        "%(who)s had %(num)s blinded identifiers evaluated",
        told.count,
        who=told.who,
    )
    return f"{done} ({kind})" if kind else done


def _lookup(told: _Told) -> str:
    done = ngettext(
        "%(who)s looked up %(num)s identifier",
        "%(who)s looked up %(num)s identifiers",
        told.count,
        who=told.who,
    )
    return done + _kinds(told.details)


def _match(told: _Told) -> str:
    viewer = str(told.details.get("viewer") or told.record["org"])
    done = ngettext(
        "A lookup by %(viewer)s matched %(num)s of your indicators",
        "A lookup by %(viewer)s matched %(num)s of your indicators",
        told.count,
        viewer=told.names.get(viewer, viewer),
    )
    level = told.details.get("level")
    if not isinstance(level, str):
        return done
    granted = gettext("level: %(level)s", level=words(level, "Level"))
    return f"{done} ({granted})"


def _submission(told: _Told) -> str:
    counts = told.details.get("counts")
    if not isinstance(counts, Mapping):
        return gettext("%(who)s submitted reports", who=told.who)
    return gettext(
        "%(who)s submitted reports: %(created)s created, %(existing)s known already, "
        "%(rejected)s rejected",
        who=told.who,
        created=format_decimal(counts.get("created", 0)),
        existing=format_decimal(counts.get("existing", 0)),
        rejected=format_decimal(counts.get("rejected", 0)),
    )


def _expiry(told: _Told) -> str:
    return ngettext(
        "%(num)s expired indicator was erased with its tokens",
        "%(num)s expired indicators were erased with their tokens",
        told.count,
    )


def _sign_out(told: _Told) -> str:
    if told.details.get("objects"):
        return ngettext(
            "%(who)s ended %(num)s session of another person",
            "%(who)s ended %(num)s sessions of another person",
            told.count,
            who=told.who,
        )
    if told.count == 1:
        return gettext("%(who)s signed out", who=told.who)
    return ngettext(
        "%(who)s ended %(num)s other session",
        "%(who)s ended %(num)s other sessions",
        told.count,
        who=told.who,
    )


def _ended_sessions(told: _Told) -> str:
    return ngettext(
        "%(num)s session past its end was removed",
        "%(num)s sessions past their end were removed",
        told.count,
    )


def _log_reading(told: _Told) -> str:
    return ngettext(
        "%(who)s read %(num)s entry of the access log",
        "%(who)s read %(num)s entries of the access log",
        told.count,
        who=told.who,
    )


def _log_export(told: _Told) -> str:
    return ngettext(
        "%(who)s took %(num)s entry of the access log away as a file",
        "%(who)s took %(num)s entries of the access log away as a file",
        told.count,
        who=told.who,
    )


def _archive(told: _Told) -> str:
    return ngettext(
        "%(num)s entry of the log was sealed in an archive file",
        "%(num)s entries of the log were sealed in an archive file",
        told.count,
    )


def _erase(told: _Told) -> str:
    return ngettext(
        "Details of %(num)s entry of the log were erased",
        "Details of %(num)s entries of the log were erased",
        told.count,
    )


def _timeline(told: _Told) -> str:
    filters = told.details.get("filters")
    of = next(iter(filters), "") if isinstance(filters, Mapping) else ""
    return str(_TIMELINES.get(of, _SOME_TIMELINE)) % {"who": told.who}


_SOME_TIMELINE = _("%(who)s read a timeline")

_TIMELINES: Mapping[str, LazyString] = {
    "person": _("%(who)s read the timeline of a person"),
    "object": _("%(who)s read the timeline of an object"),
    "case": _("%(who)s read the timeline of a case"),
}


def _settings(told: _Told) -> str:
    return ngettext(
        "The platform started with %(num)s setting changed",
        "The platform started with %(num)s settings changed",
        told.count,
    )


def _report_list(told: _Told) -> str:
    if "box" in told.details:
        return gettext("%(who)s opened the form to report shipments", who=told.who)
    return ngettext(
        "%(who)s listed %(num)s report",
        "%(who)s listed %(num)s reports",
        told.count,
        who=told.who,
    )


def _notices_seen(told: _Told) -> str:
    return ngettext(
        "%(who)s marked %(num)s notification as seen",
        "%(who)s marked %(num)s notifications as seen",
        max(1, told.count),
        who=told.who,
    )


def _lookup_list(told: _Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s lookup of the organisation",
        "%(who)s listed %(num)s lookups of the organisation",
        told.count,
        who=told.who,
    )


def _lookup_expiry(told: _Told) -> str:
    return ngettext(
        "%(num)s record of a lookup was erased at the end of its retention",
        "%(num)s records of lookups were erased at the end of their retention",
        told.count,
    )


def _alert(told: _Told) -> str:
    viewer = str(told.details.get("viewer") or told.record["org"])
    return ngettext(
        "A lookup by %(viewer)s matched %(num)s of your indicators and was not told of it",
        "A lookup by %(viewer)s matched %(num)s of your indicators and was not told of them",
        told.count,
        viewer=told.names.get(viewer, viewer),
    )


def _shared(told: _Told) -> str:
    viewer = str(told.details.get("viewer") or told.record["org"])
    return ngettext(
        "%(num)s of your indicators was given to %(viewer)s",
        "%(num)s of your indicators were given to %(viewer)s",
        told.count,
        viewer=told.names.get(viewer, viewer),
    )


def _shared_list(told: _Told) -> str:
    return ngettext(
        "%(who)s listed %(num)s indicator of others",
        "%(who)s listed %(num)s indicators of others",
        told.count,
        who=told.who,
    )


def _shared_count(told: _Told) -> str:
    return ngettext(
        "%(who)s counted %(num)s indicator of others",
        "%(who)s counted %(num)s indicators of others",
        told.count,
        who=told.who,
    )


def _shared_export(told: _Told) -> str:
    return ngettext(
        "%(who)s took %(num)s indicator of others away as a file",
        "%(who)s took %(num)s indicators of others away as a file",
        told.count,
        who=told.who,
    )


def _explanation(told: _Told) -> str:
    if told.record.get("obj") == "lookup":
        return gettext("%(who)s read why hits were shown", who=told.who)
    if not told.count:
        return gettext("%(who)s opened the page on who can see an indicator", who=told.who)
    return gettext("%(who)s read who can see an indicator", who=told.who)


def _onward(told: _Told) -> str:
    to = str(told.details.get("to", ""))
    if not to:
        return gettext("%(who)s asked whether an indicator may be passed on", who=told.who)
    return gettext(
        "%(who)s asked whether an indicator may be passed on to %(to)s",
        who=told.who,
        to=told.names.get(to, to),
    )


def _version(told: _Told) -> str:
    objects = told.details.get("objects") or [""]
    return str(objects[0]).rpartition("/")[2]


def _publication(told: _Told) -> str:
    version = _version(told)
    if told.details.get("cause") == Cause.STOP.value:
        return gettext(
            "%(who)s stopped all sharing (version %(version)s)", who=told.who, version=version
        )
    begins = _moment(told.details.get("valid_from"))
    if begins and milliseconds(begins) > int(told.record.get("t", 0)) + _AT_ONCE:
        return gettext(
            "%(who)s made version %(version)s of the sharing policy, in force from %(moment)s UTC",
            who=told.who,
            version=version,
            moment=f"{format_date(begins)}, {format_time(begins, 'short')}",
        )
    return gettext(
        "%(who)s put version %(version)s of the sharing policy in force",
        who=told.who,
        version=version,
    )


def _moment(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return None


def _cancellation(told: _Told) -> str:
    return gettext(
        "%(who)s cancelled version %(version)s of the sharing policy before its time",
        who=told.who,
        version=_version(told),
    )


def _invalid(told: _Told) -> str:
    return gettext(
        "Version %(version)s of the sharing policy is no longer valid and shares nothing",
        version=_version(told),
    )


def _draft(told: _Told) -> str:
    pattern = _DRAFT_STEPS.get(str(told.details.get("step", "")), _SOME_STEP)
    return str(pattern) % {"who": told.who}


_SOME_STEP = _("%(who)s changed a draft of the sharing policy")

_DRAFT_STEPS: Mapping[str, LazyString] = {
    "create": _("%(who)s began a draft of the sharing policy"),
    "edit": _("%(who)s edited a draft of the sharing policy"),
    "propose": _("%(who)s proposed a draft of the sharing policy"),
    "withdraw": _("%(who)s withdrew a proposal for the sharing policy"),
    "approve": _("%(who)s approved a draft of the sharing policy"),
    "refuse": _("%(who)s refused a draft of the sharing policy"),
    "discard": _("%(who)s discarded a draft of the sharing policy"),
    "expire": _("A proposal for the sharing policy was discarded: nobody decided in time"),
}


def _draw(told: _Told) -> str:
    return ngettext(
        "%(num)s entry of %(month)s was drawn for a review",
        "%(num)s entries of %(month)s were drawn for a review",
        told.count,
        month=told.details.get("month", ""),
    )


def _judgement(told: _Told) -> str:
    done = gettext("%(who)s judged an entry of a review", who=told.who)
    return _with_verdict(done, told)


def _closing(told: _Told) -> str:
    return _with_verdict(gettext("%(who)s closed a signal", who=told.who), told)


def _with_verdict(done: str, told: _Told) -> str:
    verdict = words(str(told.details.get("verdict", "")), "Verdict")
    return f"{done} ({verdict})" if verdict else done


def _raising(told: _Told) -> str:
    name = words(str(told.details.get("signal", "")), "Signal")
    done = gettext("Something in the log was brought to the compliance officers' attention")
    return f"{done} ({name})" if name else done


def _refused_sign_in(told: _Told) -> str:
    return _with_reason(gettext("A sign-in was refused"), told)


def _refused_token(told: _Told) -> str:
    return _with_reason(gettext("A presented API token was refused"), told)


def _with_reason(done: str, told: _Told) -> str:
    reason = _reason(told.details)
    return f"{done} ({reason})" if reason else done


_SENTENCES: Mapping[str, Callable[[_Told], str]] = {
    **ACCOUNT_SENTENCES,
    **DISCLOSURE_SENTENCES,
    **EXCHANGE_SENTENCES,
    **JOB_SENTENCES,
    **ENDING_SENTENCES,
    **KEY_SENTENCES,
    **OVERSIGHT_SENTENCES,
    **PATTERN_SENTENCES,
    **BARRIER_SENTENCES,
    **RECALL_SENTENCES,
    **WATCH_SENTENCES,
    "audit.alarm": _fixed(_("An alarm about the log itself was raised or closed")),
    "audit.archive": _archive,
    "audit.erase": _erase,
    "audit.erasure": _fixed(_("%(who)s asked for details of the log to be erased")),
    "audit.evidence": _fixed(_("%(who)s handed in signed checkpoints as evidence against the log")),
    "audit.key": _fixed(_("A key of the log began or ceased to sign")),
    "audit.export": _log_export,
    "audit.prove": _fixed(_("%(who)s had it proven that an entry stands in the log")),
    "audit.read": _log_reading,
    "audit.retention": _fixed(_("%(who)s set how long details of the log are kept")),
    "audit.tag-keys": _fixed(
        _("%(who)s read the keys by which the organisation's leaves are found")
    ),
    "audit.timeline": _timeline,
    "audit.witness": _fixed(_("%(who)s registered or ended a witness of the log")),
    "configuration.change": _settings,
    "evaluation.evaluate": _evaluation,
    "indicator.alert": _alert,
    "indicator.count": _shared_count,
    "indicator.expire": _expiry,
    "indicator.export": _shared_export,
    "indicator.list": _shared_list,
    "indicator.match": _match,
    "indicator.onward": _onward,
    "indicator.read": _fixed(_("%(who)s read an indicator")),
    "indicator.shared": _shared,
    "interface.read": _fixed(_("%(who)s read the facts of their own account")),
    "key.close": _fixed(_("%(who)s closed the old epoch of an evaluation key")),
    "key.epoch": _fixed(_("%(who)s opened an evaluation key epoch")),
    "key.proof": _fixed(_("%(who)s read the proof of the rotation of an evaluation key")),
    "key.rotate": _fixed(_("%(who)s began to rotate evaluation keys")),
    "key.wipe": _fixed(_("%(who)s wiped the old key of a rotation")),
    "log.growth": _fixed(_("%(who)s read the size and growth of the log")),
    "log.read": _fixed(_("%(who)s read the state of the log")),
    "lookup.ask": _lookup,
    "lookup.expire": _lookup_expiry,
    "lookup.list": _lookup_list,
    "notification.read": _fixed(_("%(who)s read notifications")),
    "notification.seen": _notices_seen,
    "organisation.allow": _fixed(_("%(who)s set the evaluation allowance of an organisation")),
    "organisation.community": _fixed(_("%(who)s changed the members of a community")),
    "organisation.create": _fixed(_("%(who)s let an organisation join")),
    "organisation.list": _fixed(_("%(who)s listed the organisations")),
    "organisation.status": _fixed(_("%(who)s suspended an organisation or made it active again")),
    "overview.read": _fixed(_("%(who)s opened the overview")),
    "policy.cancel": _cancellation,
    "policy.check": _fixed(_("%(who)s had the text of a sharing policy checked")),
    "policy.draft": _draft,
    "policy.explain": _explanation,
    "policy.invalid": _invalid,
    "policy.publish": _publication,
    "policy.read": _fixed(_("%(who)s read the sharing policy")),
    "policy.refill": _fixed(_("%(who)s had all sharing decisions made anew")),
    "policy.simulate": _fixed(_("%(who)s had computed what a sharing policy would change")),
    "report.list": _report_list,
    "report.read": _fixed(_("%(who)s read a report")),
    "report.submit": _submission,
    "retention.read": _fixed(_("%(who)s read how long details of the log are kept")),
    "review.draw": _draw,
    "review.end": _fixed(_("%(who)s ended a review")),
    "review.export": _fixed(_("%(who)s took the findings of a review away as a file")),
    "review.judge": _judgement,
    "review.list": _fixed(_("%(who)s listed the reviews")),
    "review.order": _fixed(_("%(who)s ordered a monthly review")),
    "review.read": _fixed(_("%(who)s read a review")),
    "session.end": _sign_out,
    "session.expire": _ended_sessions,
    "session.refuse": _refused_sign_in,
    "session.start": _fixed(_("%(who)s signed in")),
    "signal.close": _closing,
    "signal.list": _fixed(_("%(who)s listed the signals")),
    "signal.raise": _raising,
    "signal.read": _fixed(_("%(who)s read a signal")),
    "token.create": _fixed(_("%(who)s made an API token")),
    "token.list": _fixed(_("%(who)s listed API tokens")),
    "token.refuse": _refused_token,
    "token.revoke": _fixed(_("%(who)s revoked an API token")),
    "token.rotate": _fixed(_("%(who)s gave an API token a new secret")),
}
