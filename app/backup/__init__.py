"""Backup, restore, and the journal of endings that a restore replays; see docs/backup.md.

`python -m app backup|journal|restore`. Above all rooms, since a restore ends again what each of
them had ended.
"""
