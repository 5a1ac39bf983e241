"""Over HTTP: shared patterns, screening filters and bulk evaluation."""

from app.patterns import filter_api, pattern_api

blueprint = pattern_api.blueprint

blueprints = (blueprint, filter_api.blueprint, filter_api.bulk)
