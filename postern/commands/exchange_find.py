"""`postern exchange find`: which received objects are about a value that only we know."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from postern.client import Client
from postern.client_exchange import exchange_key
from postern.commands.evaluating import pseudonymiser
from postern.commands.exchange_options import chosen_folder, folder_option
from postern.commands.options import Why, why, why_of
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    notice,
    require_scopes,
    results,
    say,
)
from postern.commands.values import Asked, asked_values, tell_faults, value_options
from postern.explanation import explain
from postern.key_document import KeyEpoch
from postern.key_ring import KeyRing
from postern.pseudonymise import Pseudonym
from postern.settings import ClientSettings, OwnKeys, load
from postern.stix.names import EXTENSIONS
from postern.taxii.errors import plain
from postern.taxii.finding import Found, found, sought
from postern.taxii.folder import Folder
from postern.taxii.servers import platform_address
from postern.vocabulary import EVALUATION_KIND, EvaluationKind, Scope

_POSTAL = EXTENSIONS["postal-indicator"]


@click.command()
@why
@value_options
@folder_option
@click.option(
    "--also",
    "also",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="SETTINGS",
    help="Settings of another platform, whose received objects are searched too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def find(context: click.Context, /, **options: Any) -> None:
    """Find the received objects that are about a value.

    The value is evaluated blindly, as for a lookup, and compared on this machine with what was
    pulled from the platform. The platform logs the evaluation and the fetching of the exchange key;
    what is found it does not learn. Objects whose owner lets nobody match them are not found so:
    look the value up.

    Ends with 0 when every value was compared, with 3 when some could not be, with 1 when it failed.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    asked, faults = asked_values(options, settings.defaults)
    why_asked = why_of(options, settings.defaults)
    tell_faults(faults)
    matches: list[list[Found]] = [[] for _ in asked]
    if asked:
        with ExitStack() as opened:
            platforms = [
                _Platform.open(opened, each, chosen_folder(each, folder))
                for each, folder in _places(settings, options)
            ]
            _find(platforms, asked, why_asked, matches)
    _tell(asked, matches, as_json=options["as_json"])
    if faults:
        context.exit(ExitCode.SOME_REJECTED)


@dataclass(frozen=True, slots=True)
class _Platform:
    """One platform, and what was received from it."""

    client: Client
    ring: KeyRing
    folder: Folder
    sources: tuple[int, ...]
    key: bytes
    own_keys: OwnKeys

    @classmethod
    def open(cls, opened: ExitStack, settings: ClientSettings, path: Path) -> "_Platform":
        folder = opened.enter_context(Folder(path, writing=False))
        address = platform_address(settings)
        sources = tuple(each.number for each in folder.sources() if each.server == address)
        if not sources:
            notice(
                f"Nothing in {path} was pulled from {settings.address}; only what comes from the "
                "platform of the settings can be matched with its keys."
            )
        client, ring = opened.enter_context(connected(settings))
        require_scopes(client.me(), Scope.EVALUATE, Scope.EXCHANGE_READ)
        ring.refresh()
        key = exchange_key(client.transport).key
        return cls(client, ring, folder, sources, key, settings.keys)

    def epoch(self, kind: EvaluationKind) -> KeyEpoch:
        return self.ring.epoch(kind)


def _places(
    settings: ClientSettings, options: dict[str, Any]
) -> Iterator[tuple[ClientSettings, Path | None]]:
    yield settings, options["folder"]
    for path in options["also"]:
        yield load(path), options["folder"]


def _find(
    platforms: Sequence[_Platform],
    asked: Sequence[Asked],
    why_asked: Why,
    matches: list[list[Found]],
) -> None:
    done: list[tuple[_Platform, list[Pseudonym]]] = []
    for platform in platforms:
        pseudonyms = _shared(done, platform, asked)
        if pseudonyms is None:
            with pseudonymiser(
                platform.client,
                platform.ring,
                platform.own_keys,
                purpose=why_asked.purpose,
                case=why_asked.case,
            ) as made:
                pseudonyms = made.pseudonymise([each.value for each in asked])
        done.append((platform, pseudonyms))
        _tell_epochs(platform, pseudonyms)
        for place, pseudonym in enumerate(pseudonyms):
            tokens = sought(pseudonym, platform.key)
            matches[place] += found(platform.folder, platform.sources, pseudonym.kind, tokens)


def _shared(
    done: Sequence[tuple[_Platform, list[Pseudonym]]], platform: _Platform, asked: Sequence[Asked]
) -> list[Pseudonym] | None:
    """Pseudonyms of a platform with the same keys, which need no second evaluation."""
    kinds = {
        EVALUATION_KIND[each.value.kind] for each in asked if each.value.kind in EVALUATION_KIND
    }
    for other, pseudonyms in done:
        if all(_is_same(other.epoch(kind), platform.epoch(kind)) for kind in kinds):
            return pseudonyms
    return None


def _is_same(one: KeyEpoch, other: KeyEpoch) -> bool:
    """Whether two epochs make the same tokens of a value."""
    return (one.kind, one.epoch, one.public_key, one.norm) == (
        other.kind,
        other.epoch,
        other.public_key,
        other.norm,
    )


def _tell_epochs(platform: _Platform, pseudonyms: Sequence[Pseudonym]) -> None:
    """Say when objects were received under keys that are over: they match nothing any more."""
    current = {f"{EVALUATION_KIND[each.kind]}1": each.epoch for each in pseudonyms if each.epoch}
    over = sorted(
        prefix
        for prefix in platform.folder.token_prefixes()
        if (name := prefix.partition(".")[0]) in current and prefix != f"{name}.{current[name]}"
    )
    if over:
        notice(
            f"Some objects were received under an earlier key ({', '.join(map(plain, over))}) and "
            "are not compared. Run `postern exchange pull`: the platform moves them to the new one."
        )


def _tell(asked: Sequence[Asked], matches: Sequence[list[Found]], *, as_json: bool) -> None:
    if as_json:
        told = [
            {
                "value": each.label,
                "kind": each.value.kind.value,
                "found": [_as_json(one) for one in found_ones],
            }
            for each, found_ones in zip(asked, matches, strict=True)
        ]
        say(json.dumps(told, indent=1))
        return
    total = 0
    for each, found_ones in zip(asked, matches, strict=True):
        total += len(found_ones)
        if found_ones:
            results().print(_table(each, found_ones))
    if asked:
        words = counted(total, "match", "matches") if total else "no matches"
        say(f"{counted(len(asked), 'value')} compared with what was received: {words}.")
        if total:
            say("A match is a lead, not a finding: check it before anyone acts on it.")


def _table(asked: Asked, found_ones: Sequence[Found]) -> Table:
    table = Table(
        *("Strength", "Why", "What it is", "Conditions", "Reference", "Object"),
        title=asked.label,
        title_justify="left",
        show_lines=True,
    )
    for each in found_ones:
        postal = _postal(each)
        table.add_row(
            f"{each.score.band} ({_measured(each)})",
            plain(_why_found(asked, each)),
            plain(each.content.get("name", "")),
            plain(_conditions(postal)),
            plain(postal.get("reference", "")),
            plain(each.kept.id),
        )
    return table


def _why_found(asked: Asked, match: Found) -> str:
    return explain(match.score.answers, asked.value.kind)


def _measured(match: Found) -> str:
    precision = match.score.precision
    return "precision not measured" if precision is None else f"at least {precision:.0%} right"


def _postal(match: Found) -> dict[str, Any]:
    extensions = match.content.get("extensions")
    found_one = extensions.get(_POSTAL) if isinstance(extensions, dict) else None
    return found_one if isinstance(found_one, dict) else {}


def _conditions(postal: dict[str, Any]) -> str:
    handling = postal.get("handling")
    parts = list(map(str, handling)) if isinstance(handling, list) else []
    if postal.get("permitted_action"):
        parts.append(f"may: {postal['permitted_action']}")
    return ", ".join(parts)


def _as_json(match: Found) -> dict[str, Any]:
    return {
        "id": match.kept.id,
        "band": match.score.band,
        "points": match.score.points,
        "precision": match.score.precision,
        "facets": {str(number): answer for number, answer in match.score.answers.items()},
        "object": match.content,
    }
