"""The folder of received objects: whole or not at all, and rid of what is over."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from postern.taxii.client import Place
from postern.taxii.errors import FolderError
from postern.taxii.folder import INDEX, Folder
from postern.taxii.index_rows import Source, Taken
from postern.taxii.objects import DEEPEST, LARGEST_OBJECT, State
from tests.postern.taxii.loopback_taxii import indicator

NOW = "2026-11-02T00:00:00.000000000Z"
LATER = "2026-12-01T00:00:00.000000000Z"
SECRET = b"secret-"


@pytest.fixture
def source(folder: Folder) -> Source:
    return folder.source("https://lab.example/", "c1", "Parcels")


def take(folder: Folder, source: Source, *objects: Any, place: Place | None = None) -> Taken:
    return folder.take(source.number, objects, NOW, place, is_last=True)


def lines(folder: Folder) -> list[Any]:
    """The lines that are not blank, of all files."""
    texts = [path.read_bytes() for path in sorted(folder.path.glob("*.jsonl"))]
    return [json.loads(line) for text in texts for line in text.splitlines() if line.strip()]


def everything(folder: Folder) -> bytes:
    """All bytes of all files."""
    return b"".join(path.read_bytes() for path in folder.path.iterdir() if path.is_file())


def reopened(path: Path, tokens_of: Any = lambda _: ()) -> Folder:
    return Folder(path, writing=True, tokens_of=tokens_of)


def test_objects_are_kept_as_they_came_one_a_line(folder: Folder, source: Source) -> None:
    sent = [indicator(1, name="Café 🐈"), indicator(2)]
    assert take(folder, source, *sent) == Taken(fresh=2)
    assert lines(folder) == sent
    contents = [folder.content(kept) for kept in folder.kept()]
    assert sorted(contents, key=str) == sorted(sent, key=str)


def test_the_place_is_kept_with_the_page(folder: Folder, source: Source) -> None:
    place = Place(after="a", next="n", seen="s")
    folder.begin(source.number, Place(after="a"))
    folder.take(source.number, [indicator(1)], NOW, place, is_last=False)
    (found,) = folder.sources()
    assert (found.place, found.began_after, found.finished_at) == (place, "a", None)
    folder.take(source.number, [], NOW, Place(after="a", seen="s"), is_last=True)
    (found,) = folder.sources()
    assert (found.place.next, found.finished_at, found.asked_at) == (None, NOW, NOW)


def test_the_same_again_is_known_and_an_older_one_too(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1, 5))
    assert take(folder, source, indicator(1, 5), indicator(1, 3)) == Taken(known=2)
    respelt = indicator(1, 5) | {"modified": "2026-11-01T00:00:05.000000Z"}
    assert take(folder, source, respelt) == Taken(known=1)
    assert lines(folder) == [indicator(1, 5)]


def test_a_newer_version_takes_the_place_of_the_older(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1, 1), indicator(2))
    assert take(folder, source, indicator(1, 2)) == Taken(changed=1)
    assert lines(folder) == [indicator(2), indicator(1, 2)]
    assert b"secret-1-1" not in everything(folder)


def test_versions_of_one_object_may_come_in_one_page(folder: Folder, source: Source) -> None:
    assert take(folder, source, indicator(1, 1), indicator(1, 3), indicator(1, 2)) == Taken(
        fresh=1, changed=1, known=1
    )
    assert lines(folder) == [indicator(1, 3)]


def test_of_a_withdrawn_object_nothing_stays_that_it_said(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1, 1))
    assert take(folder, source, indicator(1, 2, revoked=True)) == Taken(withdrawn=1)
    assert lines(folder) == [
        {
            key: value
            for key, value in indicator(1, 2, revoked=True).items()
            if key not in {"name", "pattern", "pattern_type", "valid_from"}
        }
    ]
    assert SECRET not in everything(folder)
    assert folder.kept() == []
    assert take(folder, source, indicator(1, 1)) == Taken(known=1)


def test_what_is_valid_no_longer_is_erased(folder: Folder, source: Source) -> None:
    soon = indicator(1, valid_until="2026-11-03T00:00:00Z")
    over = indicator(2, valid_until="2026-11-01T00:00:00Z")
    assert take(folder, source, soon, over) == Taken(fresh=1, expired=1)
    assert folder.end_expired(NOW) == 0
    assert folder.end_expired(LATER) == 1
    assert SECRET not in everything(folder)
    assert take(folder, source, soon) == Taken(known=1)
    assert {kept.state for kept in folder.kept(state=None)} == {State.EXPIRED}
    longer = indicator(1, 4, valid_until="2026-11-09T00:00:00Z")
    assert take(folder, source, longer) == Taken(changed=1)


def test_what_the_server_holds_no_more_is_erased_until_it_is_back(
    folder: Folder, source: Source
) -> None:
    take(folder, source, indicator(1), indicator(2))
    assert folder.end_gone(source.number, {indicator(2)["id"]}) == 1
    assert b"secret-1" not in everything(folder)
    assert take(folder, source, indicator(1)) == Taken(changed=1)
    assert len(folder.kept()) == 2


def test_each_collection_has_objects_of_its_own(folder: Folder, source: Source) -> None:
    other = folder.source("https://lab.example/", "c2", "Other")
    take(folder, source, indicator(1))
    assert take(folder, other, indicator(1)) == Taken(fresh=1)
    take(folder, other, indicator(1, 1, revoked=True))
    assert [kept.source for kept in folder.kept()] == [source.number]
    assert folder.counts() == {(1, "current"): 1, (2, "withdrawn"): 1}


def test_a_source_is_known_again_by_server_and_collection(folder: Folder, source: Source) -> None:
    again = folder.source("https://lab.example/", "c1", "Renamed")
    assert (again.number, again.title) == (source.number, "Renamed")
    assert folder.source("https://other.example/", "c1", "X").number != source.number


def deep(levels: int) -> Any:
    found: Any = "x"
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "content",
    [
        *(3, None, [], "indicator", {}),
        indicator(1) | {"id": "indicator--x"},
        indicator(1) | {"type": "malware"},
        indicator(1) | {"id": 3},
        indicator(1) | {"modified": "yesterday"},
        indicator(1) | {"modified": None, "created": 3},
        indicator(1) | {"name": deep(DEEPEST)},
        indicator(1) | {"name": "\ud800"},
        indicator(1) | {"name": "x" * LARGEST_OBJECT},
    ],
)
def test_what_cannot_be_kept_is_told_and_holds_nothing_up(
    folder: Folder, source: Source, content: Any
) -> None:
    assert take(folder, source, indicator(7), content, indicator(8)) == Taken(fresh=2, refused=1)
    ((identifier, reason),) = folder.refusals(source.number)
    assert reason.endswith(".")
    assert len(identifier) <= 120
    assert len(lines(folder)) == 2


def test_an_object_without_versions_is_kept_once(folder: Folder, source: Source) -> None:
    observable = {"type": "ipv4-addr", "id": indicator(1)["id"].replace("indicator", "ipv4-addr")}
    assert take(folder, source, observable, observable) == Taken(fresh=1, known=1)
    marking = {"type": "marking-definition", "created": "2022-10-01T00:00:00Z"}
    marking["id"] = indicator(1)["id"].replace("indicator", "marking-definition")
    assert take(folder, source, marking) == Taken(fresh=1)


def tokens_of(content: Any) -> Iterable[tuple[int, str]]:
    return [(3, token) for token in content.get("tokens", ())]


def test_objects_are_found_by_tokens_as_long_as_they_are_current(tmp_path: Path) -> None:
    with reopened(tmp_path / "received", tokens_of) as folder:
        source = folder.source("https://lab.example/", "c1", "Parcels")
        take(folder, source, indicator(1, tokens=["a.1.x", "b"]), indicator(2, tokens=["b"]))
        one, two = indicator(1)["id"], indicator(2)["id"]
        both = {(1, one): {"a.1.x": 3, "b": 3}, (1, two): {"b": 3}}
        assert folder.with_tokens(["a.1.x", "b", "c"]) == both
        assert folder.token_prefixes() == {"a.1", ""}
        take(folder, source, indicator(1, 1, tokens=["c"]))
        take(folder, source, indicator(2, 1, revoked=True, tokens=["b"]))
        assert folder.with_tokens(["a.1.x", "b", "c"]) == {(1, one): {"c": 3}}


def test_a_page_that_was_cut_off_leaves_no_trace(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1))
    file = folder.path / folder.sources()[0].file
    folder.close()
    with file.open("ab") as torn:
        torn.write(json.dumps(indicator(2)).encode()[:50])
    with reopened(folder.path) as again:
        assert lines(again) == [indicator(1)]
        assert take(again, again.sources()[0], indicator(2)) == Taken(fresh=1)
        assert lines(again) == [indicator(1), indicator(2)]


def test_a_page_that_fails_while_it_is_taken_is_not_kept_in_part(
    folder: Folder, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(folder, source, indicator(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _no_space)
        with pytest.raises(OSError, match="No space"):
            take(folder, source, indicator(2), place=Place(seen="later"))
    (found,) = folder.sources()
    assert found.place.seen is None
    assert take(folder, source, indicator(3)) == Taken(fresh=1)
    assert lines(folder) == [indicator(1), indicator(3)]


def _no_space(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_blanking_that_was_cut_off_is_done_at_the_next_opening(
    folder: Folder, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(folder, source, indicator(1, 1))
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "_overwrite_blanks", lambda _: None)
        take(folder, source, indicator(1, 2, revoked=True))
    folder.close()
    assert SECRET in everything(folder)
    with reopened(folder.path) as again:
        assert SECRET not in everything(again)


def test_a_file_that_is_mostly_blank_is_written_anew(
    folder: Folder, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.taxii.folder._MOST_BLANK", 100)
    take(folder, source, *(indicator(number) for number in range(10)))
    take(folder, source, *(indicator(number, 1, revoked=True) for number in range(1, 10)))
    (before,) = folder.sources()
    folder.tidy()
    (after,) = folder.sources()
    assert after.octets < before.octets
    assert (after.blank, after.file) == (0, "collection-1.2.jsonl")
    assert not (folder.path / before.file).exists()
    assert folder.content(folder.kept()[0]) == indicator(0)
    assert take(folder, source, indicator(20)) == Taken(fresh=1)
    assert len(lines(folder)) == 11


def test_a_rewriting_that_was_cut_off_is_forgotten(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1))
    folder.close()
    (folder.path / "collection-1.2.jsonl").write_bytes(b"{")
    with reopened(folder.path) as again:
        assert lines(again) == [indicator(1)]


def test_a_file_that_lacks_something_is_not_worked_with(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1))
    file = folder.path / folder.sources()[0].file
    folder.close()
    os.truncate(file, 10)
    with pytest.raises(FolderError, match="damaged"):
        reopened(folder.path)


def test_a_reader_that_meets_a_changed_file_gets_nothing_wrong(
    folder: Folder, source: Source
) -> None:
    take(folder, source, indicator(1))
    (kept,) = folder.kept()
    (folder.path / folder.sources()[0].file).write_bytes(b" " * 1000)
    assert folder.content(kept) is None


def test_one_process_writes_and_others_read(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1))
    with pytest.raises(FolderError, match="Another process"):
        reopened(folder.path)
    with Folder(folder.path, writing=False) as reader:
        assert len(reader.kept()) == 1


def test_only_the_owner_may_read(folder: Folder, source: Source) -> None:
    take(folder, source, indicator(1))
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()}
    assert modes == {0o600}
    folder.close()
    (folder.path / INDEX).chmod(0o644)
    with pytest.raises(FolderError, match="chmod"):
        reopened(folder.path)


def test_a_folder_of_nothing_and_one_of_a_newer_version_are_told_so(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="pull"):
        Folder(tmp_path / "none", writing=False)
    reopened(tmp_path / "new").close()
    with sqlite3.connect(tmp_path / "new" / INDEX) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(FolderError, match="newer"):
        reopened(tmp_path / "new")
    (tmp_path / "bad").mkdir()
    bad = tmp_path / "bad" / INDEX
    bad.touch(mode=0o600)
    bad.write_bytes(b"no database" * 1000)
    with pytest.raises(FolderError, match="cannot be used"):
        reopened(tmp_path / "bad")


def test_objects_are_listed_in_pages_of_what_is_asked(folder: Folder, source: Source) -> None:
    take(folder, source, *(indicator(number) for number in range(5)))
    first = folder.kept(number=1, type_="indicator", most=3)
    rest = folder.kept(number=1, type_="indicator", after=(1, first[-1].id))
    assert len({each.id for each in first + rest}) == 5
    assert folder.kept(type_="malware") == folder.kept(number=2) == []
    known = folder.versions(1, [indicator(1)["id"], "indicator--none"])
    assert known == {indicator(1)["id"]: "2026-11-01T00:00:00.000000000Z"}
