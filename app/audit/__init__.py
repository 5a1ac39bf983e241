"""The audit log: what was done, by whom and why, kept so that nobody can quietly change it."""
