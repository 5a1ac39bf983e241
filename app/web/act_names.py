"""What each act of the log is called, for lists, filters and sentences."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.audit.catalogue import CATALOGUE
from app.web.languages import translated


def act_name(act: str) -> str:
    """The short name of an act, for lists and filters; an unknown act stands for itself."""
    return str(ACT_NAMES.get(act, act))


def act_meaning(act: str) -> str:
    """The catalogue's sentence on an act, in the present language."""
    known = CATALOGUE.get(act)
    return translated(known.meaning) if known else ""


ACT_NAMES: Mapping[str, LazyString] = {
    "account.create": _("Account created"),
    "account.language": _("Language chosen"),
    "account.list": _("Accounts listed"),
    "account.password": _("Password changed"),
    "account.role": _("Roles changed"),
    "account.status": _("Account closed or unlocked"),
    "audit.alarm": _("Alarm about the log"),
    "audit.archive": _("Archive sealed"),
    "audit.erase": _("Details erased"),
    "audit.erasure": _("Erasure asked for"),
    "audit.evidence": _("Evidence against the log"),
    "audit.key": _("Key of the log changed"),
    "audit.export": _("Access log exported"),
    "audit.prove": _("Entry proven"),
    "audit.read": _("Access log read"),
    "audit.retention": _("Retention set"),
    "audit.tag-keys": _("Tag keys read"),
    "audit.timeline": _("Timeline read"),
    "audit.witness": _("Witness registered or ended"),
    "configuration.change": _("Settings changed"),
    "evaluation.evaluate": _("Blind evaluation"),
    "indicator.alert": _("Match that only you are told of"),
    "indicator.count": _("Indicators of others counted"),
    "indicator.expire": _("Indicators expired"),
    "indicator.export": _("Indicators of others exported"),
    "indicator.list": _("Indicators of others listed"),
    "indicator.match": _("Match with your indicators"),
    "indicator.onward": _("Passing on asked about"),
    "indicator.read": _("Indicator read"),
    "indicator.shared": _("Your indicators given to others"),
    "interface.read": _("Own account read"),
    "key.epoch": _("Key epoch opened"),
    "log.growth": _("Growth of the log read"),
    "log.read": _("State of the log read"),
    "lookup.ask": _("Lookup"),
    "lookup.expire": _("Lookups expired"),
    "lookup.list": _("Lookups listed"),
    "notification.read": _("Notifications read"),
    "notification.seen": _("Notification seen"),
    "organisation.allow": _("Allowance set"),
    "organisation.community": _("Community changed"),
    "organisation.create": _("Organisation joined"),
    "organisation.list": _("Organisations listed"),
    "organisation.status": _("Organisation suspended or active again"),
    "overview.read": _("Overview opened"),
    "policy.cancel": _("Policy version cancelled"),
    "policy.check": _("Policy text checked"),
    "policy.draft": _("Policy draft changed"),
    "policy.explain": _("Sharing explained"),
    "policy.invalid": _("Policy no longer valid"),
    "policy.publish": _("Policy published"),
    "policy.read": _("Policy read"),
    "policy.refill": _("Sharing decided anew"),
    "policy.simulate": _("Policy simulated"),
    "report.list": _("Reports listed"),
    "report.read": _("Report read"),
    "report.submit": _("Reports submitted"),
    "report.withdraw": _("Report withdrawn"),
    "retention.read": _("Retention read"),
    "review.draw": _("Sample drawn"),
    "review.end": _("Review ended"),
    "review.export": _("Findings exported"),
    "review.judge": _("Entry judged"),
    "review.list": _("Reviews listed"),
    "review.order": _("Review ordered"),
    "review.read": _("Review read"),
    "session.end": _("Sign-out"),
    "session.expire": _("Sessions removed"),
    "session.refuse": _("Sign-in refused"),
    "session.start": _("Sign-in"),
    "signal.close": _("Signal closed"),
    "signal.list": _("Signals listed"),
    "signal.raise": _("Signal raised"),
    "signal.read": _("Signal read"),
    "token.create": _("API token made"),
    "token.list": _("API tokens listed"),
    "token.refuse": _("API token refused"),
    "token.revoke": _("API token revoked"),
}
"""Every act of the catalogue; a test holds the two together."""
