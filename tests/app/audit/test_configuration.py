"""Changed settings are an entry for all members, without a secret."""

import dataclasses

from app.audit.configuration import UNTOLD, tell_settings, told
from app.audit.reading import Filters, ReadEntry, entries
from app.config import Settings
from app.database import Database
from tests.app.bare import give_tag_keys

SECRET = "postgresql+psycopg://postern:a-password@host/postern"


def start(database: Database, settings: Settings) -> bool:
    with database.transaction() as session:
        return tell_settings(session, settings)


def seen_by(database: Database, organisation: str) -> list[ReadEntry]:
    with database.reading() as session:
        return list(entries(session, organisation, Filters(act="configuration.change")).entries)


def test_the_first_start_tells_all_settings_to_all_members(
    database: Database, settings: Settings
) -> None:
    give_tag_keys(database, "police-de", "post-be", "platform")
    assert start(database, settings)
    for organisation in ("police-de", "post-be", "platform"):
        (entry,) = seen_by(database, organisation)
        assert entry.details["settings"]["quota.day"] == settings.quota.day
        assert set(entry.details["objects"]) == told(settings).keys()
        assert entry.fields["org"] == "platform"


def test_a_start_with_the_same_settings_tells_nothing(
    database: Database, settings: Settings
) -> None:
    give_tag_keys(database, "police-de")
    assert start(database, settings)
    assert not start(database, settings)
    assert len(seen_by(database, "police-de")) == 1


def test_a_change_names_the_settings_that_changed(database: Database, settings: Settings) -> None:
    give_tag_keys(database, "police-de")
    start(database, settings)
    quota = dataclasses.replace(settings.quota, day=settings.quota.day + 1)
    limit = dataclasses.replace(settings.limit, lookup_queries=1)
    assert start(database, dataclasses.replace(settings, quota=quota, limit=limit))
    newest, _ = seen_by(database, "police-de")
    assert newest.details["objects"] == ["limit.lookup_queries", "quota.day"]
    assert newest.fields["n"] == 2
    assert start(database, settings)  # back again is a change too


def test_no_secret_and_no_path_is_told(database: Database, settings: Settings) -> None:
    give_tag_keys(database, "police-de")
    secret = dataclasses.replace(settings.database, url=SECRET)
    start(database, dataclasses.replace(settings, database=secret))
    (entry,) = seen_by(database, "police-de")
    shown = str(entry.details)
    assert "password" not in shown
    assert settings.secrets.directory not in shown
    assert settings.audit.high_water not in shown
    assert not UNTOLD & entry.details["settings"].keys()
    assert {
        f"{section.name}.{setting.name}"
        for section in dataclasses.fields(settings)
        for setting in dataclasses.fields(getattr(settings, section.name))
    } >= UNTOLD
