"""The sharing policy of one's own organisation."""

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.sharing import service
from app.sharing.schemas import CurrentPolicySchema
from postern.vocabulary import Role

blueprint = Blueprint(
    "policies",
    __name__,
    url_prefix="/api/v1",
    description="Who may see what of an organisation, for which purpose.",
)


@blueprint.get("/policies/current")
@audited("policy.read", roles=[Role.POLICY_OWNER, Role.COMPLIANCE])
@blueprint.response(200, CurrentPolicySchema)
def read_current() -> service.CurrentPolicy:
    """Read the policy in force of your own organisation.

    For policy owners and compliance officers who are signed in; API tokens are refused.
    """
    return service.current(transaction(), caller(), caller().organisation)
