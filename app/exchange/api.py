"""Over HTTP, for programs: what this room answers in JSON below /api/v1/exchange."""

from app.exchange import changes_api, key_api

blueprint = key_api.blueprint
blueprints = (blueprint, changes_api.blueprint)
