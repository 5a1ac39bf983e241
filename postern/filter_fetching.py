"""Fetching a token filter: what changed since the last one when that will do, else the whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from postern.client_errors import ClientError
from postern.client_screening import BUILDING, READY, Issue
from postern.filter_file import load_filter, save_filter
from postern.token_filter import FilterHeader, TokenFilter, read, require_for
from postern.token_filter_errors import FilterMalformedError, TokenFilterError
from postern.token_tags import changed

_PAUSE = 2.0  # seconds between two questions whether a filter is built
_MOST_QUESTIONS = 450  # a quarter of an hour


class GivesFilters(Protocol):
    """Where filters come from, such as `postern.client_screening.Screenings`."""

    def filter(self, issue: str) -> Issue: ...
    def filter_content(self, issue: Issue) -> bytes: ...
    def filter_changes(self, issue: Issue, since: int) -> bytes | None: ...


class FilterNotBuiltError(ClientError):
    """The platform has no content for this filter: it failed, ended, or takes too long."""

    def __init__(self, issue: str, state: str) -> None:
        what = (
            f"Give `postern filter fetch --issue {issue}` later"
            if state == BUILDING
            else "Make a new one with `postern filter fetch`"
        )
        super().__init__(f"The token filter is not to be had: it is {state}. {what}.")


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have signed a filter, which platform, and for which organisation."""

    fingerprint: str
    platform: str
    organisation: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A filter that is in its file now, and how many bytes were loaded for it."""

    header: FilterHeader
    loaded: int
    is_whole: bool


def fetch_filter(
    source: GivesFilters,
    issue: Issue,
    path: Path,
    expected: Expected,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Wait until a filter is built, load it, check it and put it in its file.

    Raises FilterNotBuiltError, TokenFilterError, ClientError, OSError.
    """
    issue = _built(source, issue, sleep)
    header = read(issue.signed, expected.fingerprint, expected.now)
    require_for(header, expected.platform, expected.organisation)
    change = _changes(source, issue, header, path, expected)
    if change is not None:
        older, told = change
        try:
            content = changed(bytes(older.content), told)
            TokenFilter(header, content)
            save_filter(path, dict(issue.signed or {}), content)
            return Fetched(header, len(told), is_whole=False)
        except FilterMalformedError:
            pass  # the platform took another base: the whole content settles it
    content = source.filter_content(issue)
    TokenFilter(header, content)
    save_filter(path, dict(issue.signed or {}), content)
    return Fetched(header, len(content), is_whole=True)


def _built(source: GivesFilters, issue: Issue, sleep: Callable[[float], None]) -> Issue:
    for _ in range(_MOST_QUESTIONS):
        if issue.state != BUILDING:
            break
        sleep(_PAUSE)
        issue = source.filter(issue.id)
    if issue.state != READY or issue.signed is None:
        raise FilterNotBuiltError(issue.id, issue.state)
    return issue


def _changes(
    source: GivesFilters, issue: Issue, header: FilterHeader, path: Path, expected: Expected
) -> tuple[TokenFilter, bytes] | None:
    """The filter in the file and what changed since; None when it is no base for this one."""
    try:
        older = load_filter(path, expected.fingerprint, expected.now)
    except TokenFilterError:
        return None
    if older.header.salt != header.salt or older.header.seq >= header.seq:
        return None
    told = source.filter_changes(issue, older.header.seq)
    return None if told is None else (older, told)
