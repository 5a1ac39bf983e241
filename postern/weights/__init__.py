"""The weights of facets, as versioned data: `python -m bench.fit_matching` makes `postal.json`."""
