"""The directory of the exchange."""

from typing import Any

from flask_smorest import Blueprint

from app.audit.guard import audited, caller, transaction
from app.organisations import service
from app.organisations.schemas import DirectorySchema

blueprint = Blueprint(
    "organisations",
    __name__,
    url_prefix="/api/v1",
    description="The organisations that take part in the exchange.",
)


@blueprint.get("/organisations")
@audited("organisation.list", any_scope=True)
@blueprint.response(200, DirectorySchema)
def list_organisations() -> dict[str, Any]:
    """List the active organisations.

    Any signed-in person and any API token may read the directory: code, name, sector and country.
    """
    return {"organisations": service.list_active(transaction(), caller())}
