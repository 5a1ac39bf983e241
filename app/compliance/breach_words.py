"""What the steps of a breach and its risks are called."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.compliance.breach_models import BreachStep, Risk

STEP_NAMES: Mapping[BreachStep, LazyString] = {
    BreachStep.FACT: _("A fact was found"),
    BreachStep.MEASURE: _("A measure was taken"),
    BreachStep.RISK: _("The risk for people was judged"),
    BreachStep.AUTHORITY: _("The supervisory authority was told"),
    BreachStep.PEOPLE: _("The people concerned were told"),
    BreachStep.PARTNERS: _("Partners and providers of the data were told"),
    BreachStep.CLOSED: _("The breach is closed"),
}

RISK_NAMES: Mapping[Risk, LazyString] = {
    Risk.UNLIKELY: _("a risk is unlikely: recorded, the authority need not be told"),
    Risk.RISK: _("a risk: the authority is told"),
    Risk.HIGH: _("a high risk: the authority and the people are told"),
}
