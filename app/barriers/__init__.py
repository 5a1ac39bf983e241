"""The barrier model: seven steps, their signals, risk, barriers and gaps, and what works."""
