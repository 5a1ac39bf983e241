"""What pages say of a verification in the browser (app/web/static/js/{verify,entry_proof}.js).

Keys are those of a finding of app/web/modules/tlog_check.js: its check and its code; with a number
`num` in two forms. A test holds them to what the modules can find.
"""

from flask_babel import lazy_gettext as _

_FOUND = {
    "head": _("Nothing was signed yet, so there is nothing to verify."),
    "signature.known.one": _(
        "The platform signed a log of %(num)s entry, with the key that this browser knows."
    ),
    "signature.known.other": _(
        "The platform signed a log of %(num)s entries, with the key that this browser knows."
    ),
    "signature.first.one": _(
        "The platform signed a log of %(num)s entry. This browser sees its key for the first time:"
        " compare the key with another member by telephone."
    ),
    "signature.first.other": _(
        "The platform signed a log of %(num)s entries. This browser sees its key for the first"
        " time: compare the key with another member by telephone."
    ),
    "signature.changed": _(
        "The platform signs with another key than the one this browser knows. Ask the operator and"
        " another member by telephone whether the key was changed."
    ),
    "signature.other": _("This is a log of another name than the one this browser knows."),
    "signature.wrong": _("The signature under the log does not fit it."),
    "growth.first": _(
        "This browser has not seen the log before. From now on it notices when something that was"
        " there is changed or taken out."
    ),
    "growth.same": _("Nothing was added since %(at)s, and nothing was changed."),
    "growth.more.one": _(
        "All that was there on %(at)s is there unchanged; %(num)s entry was added."
    ),
    "growth.more.other": _(
        "All that was there on %(at)s is there unchanged; %(num)s entries were added."
    ),
    "growth.shrank": _("The log is shorter than on %(at)s: entries were taken out."),
    "growth.forked": _(
        "This is not the log of %(at)s: something that was there was changed or taken out."
    ),
    "witnesses.none": _(
        "No organisation but the operator vouches for the log: whether everybody is shown the same"
        " one is the platform's own word."
    ),
    "witnesses.good.one": _("%(num)s other organisation saw the same log, last on %(at)s: %(who)s"),
    "witnesses.good.other": _(
        "%(num)s other organisations saw the same log, last on %(at)s: %(who)s"
    ),
    "witnesses.few": _(
        "Fewer organisations than agreed vouch for the log: %(num)s of %(needed)s. Ask the others"
        " what they saw last."
    ),
    "witnesses.forged": _("What should vouch for the log is not signed by whom it names."),
    "witnesses.old": _(
        "Others last vouched for the log on %(at)s, more than a day ago: what is shown may be an"
        " old state of it. Ask them what they saw last."
    ),
    "witnesses.late": _(
        "Others vouch for the log as it was on %(at)s. Of the newest entries, %(uncovered)s are"
        " vouched for by nobody yet."
    ),
    "witnesses.forked": _("What others saw is not what this browser is shown."),
    "entries.good.one": _(
        "%(num)s entry was fetched and hashed: it gives exactly what was signed."
    ),
    "entries.good.other": _(
        "%(num)s entries were fetched and hashed: they give exactly what was signed."
    ),
    "entries.other": _(
        "The entries do not give what was signed: at least one was changed, taken out or added."
    ),
    "entries.missing": _(
        "The platform does not give out every entry that it signed: %(done)s of %(total)s came."
    ),
    "entries.stopped": _(
        "You stopped after %(done)s of %(total)s entries; they were not compared with the"
        " signature."
    ),
    "receipts.good.one": _("%(num)s entry that was promised by a receipt is in the log."),
    "receipts.good.other": _("%(num)s entries that were promised by receipts are in the log."),
    "receipts.broken.one": _(
        "%(num)s entry that was promised by a receipt is not in the log: it was dropped or changed."
    ),
    "receipts.broken.other": _(
        "%(num)s entries that were promised by receipts are not in the log: they were dropped or"
        " changed."
    ),
    "receipts.foreign.one": _("%(num)s receipt is signed by no key that is known."),
    "receipts.foreign.other": _("%(num)s receipts are signed by no key that is known."),
}

_PAGE = {
    "all.whole": _("The log is whole, as far as a browser can tell."),
    "all.not-whole": _("The log is NOT whole. Keep the evidence and tell the other members."),
    "all.untold": _("Nothing is wrong, but not everything could be told."),
    "status.good": _("in order"),
    "status.bad": _("NOT in order"),
    "status.open": _("cannot be told"),
    "working": _("The log is being verified …"),
    "progress": _("%(done)s of %(total)s entries hashed"),
    "kept": _("The access log keeps that you verified it, and what was found."),
    "not-kept": _("That you verified it could not be written to the access log."),
    "seen.one": _("This browser last saw %(num)s entry, on %(at)s."),
    "seen.other": _("This browser last saw %(num)s entries, on %(at)s."),
    "seen.never": _("This browser has not seen the log before."),
    "forgotten": _("This browser has forgotten what it saw of the log."),
    "copied": _("The command is copied."),
    "alarm": _("The alarm is raised: every organisation is notified."),
    "error.LogError": _("The log did not come, so nothing can be told of it."),
    "error.LogError.remedy": _("Try again; if it goes on, tell the operator."),
}

_ENTRY = {
    "proof.good": _(
        "It stands in the log that the platform signed, at place %(place)s of %(size)s, as it is"
        " shown here."
    ),
    "proof.waits": _("It has no place in the signed log yet. Try again in a minute."),
    "proof.content": _("What is shown here is not what was hashed. Report this."),
    "proof.place": _("It does not stand at its place in the log that was signed. Report this."),
    "proof.signature": _("The log is not signed by the key that this browser knows. Report this."),
    "proof.working": _("The entry is being verified …"),
}


def verify_words() -> dict[str, str]:
    """The words of the page of the log's state."""
    found = {f"found.{key}": str(sentence) for key, sentence in _FOUND.items()}
    return found | {key: str(sentence) for key, sentence in _PAGE.items()}


def entry_words() -> dict[str, str]:
    """The words of pages that show entries."""
    errors = {key: sentence for key, sentence in _PAGE.items() if key.startswith("error.")}
    return {key: str(sentence) for key, sentence in (_ENTRY | errors).items()}
