"""The pages of this room: requests, and what becomes of what was given."""

from app.disclosures import (
    asking_pages,
    ledger_pages,
    outcome_pages,
    own_report_pages,
    recall_pages,
    request_pages,
)

blueprint = request_pages.blueprint
blueprint.register_blueprint(asking_pages.blueprint)
blueprint.register_blueprint(ledger_pages.blueprint)
blueprint.register_blueprint(outcome_pages.blueprint)
blueprint.register_blueprint(own_report_pages.blueprint)
blueprint.register_blueprint(recall_pages.blueprint)
