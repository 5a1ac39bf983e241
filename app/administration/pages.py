"""The pages of quotas, keys, size and health. They change nothing: that needs the console."""

from flask import Blueprint, render_template

from app.accounts.people import KEEPERS
from app.administration import health, quotas, size
from app.audit.guard import audited, caller, transaction
from app.runtime import runtime
from postern.vocabulary import Role

blueprint = Blueprint("administration", __name__)


@blueprint.get("/quotas")
@audited("quota.read", roles=KEEPERS)
def show_quotas() -> str:
    """Show what is left of the organisation's evaluations, and when more are there."""
    return render_template(
        "administration/quotas.html", quotas=quotas.read_quotas(transaction(), caller())
    )


@blueprint.get("/quotas/own")
@audited("quota.read", roles=[Role.ANALYST, Role.SUBMITTER])
def show_own_quotas() -> str:
    """Show what one may still look up, and have evaluated, oneself."""
    return render_template(
        "administration/own_quotas.html", quotas=quotas.read_own(transaction(), caller())
    )


@blueprint.get("/platform/epochs")
@audited("platform.epochs", roles=KEEPERS)
def show_epochs() -> str:
    """Show the evaluation keys of the platform and the age of one's own keys."""
    return render_template(
        "administration/epochs.html", epochs=quotas.read_epochs(transaction(), caller())
    )


@blueprint.get("/platform/size")
@audited("platform.size", roles=[Role.ADMINISTRATOR])
def show_size() -> str:
    """Show how large the platform is and how it grows."""
    return render_template("administration/size.html", size=size.read(transaction(), caller()))


@blueprint.get("/platform/health")
@audited("platform.health", roles=[Role.ADMINISTRATOR])
def show_health() -> str:
    """Show every check: what was found, and what to do."""
    found = health.read(transaction(), caller(), runtime())
    return render_template("administration/health.html", health=found)
