"""What this room offers over HTTP: requests, and what becomes of what was given."""

from app.disclosures import ledger_api, outcome_api, recall_api, request_api

blueprint = request_api.blueprint
blueprints = (
    blueprint,
    ledger_api.blueprint,
    outcome_api.blueprint,
    recall_api.blueprint,
)
