"""Over HTTP: barrier models, tags, registered barriers, and the board."""

from app.barriers import barrier_api, board_api, export_api

blueprint = barrier_api.blueprint

blueprints = (blueprint, board_api.blueprint, export_api.blueprint)
