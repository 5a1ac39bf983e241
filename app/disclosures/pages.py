"""The pages of this room: requests, and what becomes of what was given."""

from app.disclosures import ledger_pages, outcome_pages, recall_pages, request_pages

blueprint = request_pages.blueprint
blueprint.register_blueprint(ledger_pages.blueprint)
blueprint.register_blueprint(outcome_pages.blueprint)
blueprint.register_blueprint(recall_pages.blueprint)
