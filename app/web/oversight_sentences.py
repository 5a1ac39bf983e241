"""Entries on verifying the log, on tasks of officers and on their reports in words."""

from flask_babel import lazy_gettext as _

from app.compliance.models import Wholeness
from app.web.languages import gettext, words
from app.web.told import Sentences, Told, fixed


def _verified(told: Told) -> str:
    found = words(str(told.details.get("found", "")), "Wholeness")
    if told.details.get("found") not in set(Wholeness):
        return gettext("%(who)s verified the log in a browser", who=told.who)
    return gettext("%(who)s verified the log in a browser: %(found)s", who=told.who, found=found)


def _month(told: Told) -> str:
    return gettext(
        "%(who)s took away the report of the month %(month)s",
        who=told.who,
        month=told.details.get("month", ""),
    )


OVERSIGHT_SENTENCES: Sentences = {
    "breach.close": fixed(_("%(who)s closed a breach")),
    "breach.expire": fixed(_("Records of breaches past their time were erased")),
    "breach.list": fixed(_("%(who)s listed the breaches")),
    "breach.note": fixed(_("%(who)s noted what was found or done about a breach")),
    "breach.open": fixed(_("%(who)s recorded a breach of personal data")),
    "breach.read": fixed(_("%(who)s read a breach")),
    "privacy.pack": fixed(_("The pack for an impact assessment was written")),
    "privacy.read": fixed(_("%(who)s read the record of processing")),
    "log.verify": _verified,
    "oversight.report": _month,
    "signal.assign": fixed(_("%(who)s gave a signal to an officer, or back to all")),
}
