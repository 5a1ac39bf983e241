"""`postern request` and `postern requests`: ask an owner to disclose, and talk about it, sealed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from postern.client import Client
from postern.client_disclosures import Ask, Disclosures, Received, Request, RequestPage
from postern.client_errors import ClientError, NotAllowedError, RequestRefusedError
from postern.commands.options import WordType, needed_case
from postern.commands.own_keys import chosen_keys, open_keys, own_keys, side_of
from postern.commands.request_words import (
    opened_as_json,
    save_attachment,
    table_of,
    tell_message,
    tell_opened,
    tell_request,
)
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    counted,
    notice,
    require_scopes,
    results,
    say,
    session,
)
from postern.commands.texts import needed_text, text_of, text_options
from postern.disclosing import differences, is_asked, open_own
from postern.organisation_keys import OrganisationKeys
from postern.sealed_message import Asked, Message
from postern.settings import ClientSettings
from postern.strict_json import MalformedError, Object, parse_object
from postern.vocabulary import (
    MessageKind,
    RequestedAction,
    RequestState,
    Scope,
    SealedPart,
    Urgency,
)

_LARGEST_HITS = 64 * 2**20  # bytes of what a lookup printed
_MOST_HITS = 1_000_000
_NOT_FOUND = 404


class HitsFileError(ClientError):
    """The file is not what `postern lookup --json` printed, or does not hold the indicator."""


class PartsType(click.ParamType[tuple[SealedPart, ...]]):
    """Parts of sealed content, separated by commas."""

    name = "parts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[SealedPart, ...]:
        if isinstance(value, tuple):
            return value
        words = {word.strip().lower() for word in str(value).split(",") if word.strip()}
        if not words or not words <= set(SealedPart):
            self.fail(f"it is not one or more of: {', '.join(SealedPart)}", param, ctx)
        return tuple(part for part in SealedPart if part.value in words)


@click.command()
@click.option("--lookup", metavar="ID", help="Your lookup that found it.")
@click.option("--indicator", required=True, metavar="ID", help="The indicator that was a hit.")
@click.option("--owner", metavar="CODE", help="The organisation that holds it.")
@click.option(
    "--hits",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="What `postern lookup --json` printed: stands for --lookup and --owner.",
)
@click.option("--case", metavar="REFERENCE", help="Reference of the case file.")
@click.option(
    "--urgency",
    type=WordType(Urgency),
    default=Urgency.NORMAL.value,
    show_default=True,
    help="How soon it must be decided; life is for an imminent threat to life.",
)
@click.option(
    "--ask",
    "asked",
    type=PartsType(),
    default=SealedPart.VALUE.value,
    show_default=True,
    metavar="PARTS",
    help="What is asked: value, note, attachment, separated by commas.",
)
@click.option(
    "--action",
    type=WordType(RequestedAction),
    default=RequestedAction.NONE.value,
    show_default=True,
    help="What is to be done with the item.",
)
@text_options
@own_keys
@click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
@click.pass_obj
def request(chosen: Chosen, /, **options: Any) -> None:
    """Ask the owner of a hit to disclose what it holds.

    Purpose and legal basis are those of your lookup. Text and case go sealed to the owner's pinned
    keys and to your own, so that both can read them later and the platform cannot.
    """
    settings = chosen.settings()
    lookup, owner = _lookup_and_owner(options)
    case = needed_case(options["case"], settings.defaults)
    text = text_of(options)
    if options["urgency"] is Urgency.LIFE and not text:
        raise click.UsageError("--text is missing. Say what threatens whose life, without names.")
    ask = Ask(
        lookup,
        options["indicator"],
        case,
        options["urgency"],
        options["asked"],
        options["action"],
    )
    keys = open_keys(chosen_keys(options, settings.keys))
    with session(settings) as client:
        require_scopes(client.me(), Scope.DISCLOSURES_ASK)
        side = side_of(client, settings, keys, owner)
        about = Asked(
            case,
            ask.indicator,
            ask.urgency.value,
            tuple(part.value for part in ask.asked),
            ask.action.value,
        )
        message = side.write(owner, MessageKind.ASK, Message(text, about), None)
        made = Disclosures(client.transport).ask(ask, message)
    if options["as_json"]:
        say(json.dumps(dict(made.raw), indent=1))
        return
    tell_request(made)
    say(f"Read on with `postern requests show {made.id}`.")


@click.group(invoke_without_command=True)
@click.option("--received", is_flag=True, help="What others ask of you, instead of your requests.")
@click.option("--state", type=WordType(RequestState), help="Only those that stand so.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def requests(
    context: click.Context, /, received: bool, state: RequestState | None, as_json: bool
) -> None:
    """List disclosure requests with their clocks: yours, or with --received those to you."""
    if context.invoked_subcommand is not None:
        return
    chosen: Chosen = context.obj
    with session(chosen.settings()) as client:
        disclosures = Disclosures(client.transport)
        found = list(_every(disclosures, state.value if state else None, received=received))
    if as_json:
        say(json.dumps([dict(each.raw) for each in found], indent=1))
        return
    if found:
        results().print(table_of(found, received=received))
    say(f"{counted(len(found), 'request')}.")


@requests.command("show")
@click.argument("request_id", metavar="ID")
@own_keys
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the files of the report, opened, into this directory, mode 0600.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def show(context: click.Context, /, request_id: str, **options: Any) -> None:
    """Show a request, and with the key file its messages and what of yours it asks for.

    Everything of yours that is opened here is first fetched from the platform, and logged.

    Ends with 4 when the platform shows something else than the requester signed.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    own = chosen_keys(options, settings.keys)
    keys = open_keys(own) if own.file else None
    with session(settings) as client:
        found, received = _one(Disclosures(client.transport), request_id)
        view = _View(client, settings, found, received, keys, options["save"])
        mismatched = view.as_json() if options["as_json"] else view.tell()
    if mismatched:
        notice(
            f"STOP. The platform shows another {' and '.join(mismatched)} than the requester "
            "signed. Decide nothing; tell your compliance officer and telephone the requester."
        )
        context.exit(ExitCode.MISMATCH)


@requests.command("ask-back")
@click.argument("request_id", metavar="ID")
@text_options
@own_keys
@click.pass_obj
def ask_back(chosen: Chosen, /, request_id: str, **options: Any) -> None:
    """Ask the requester a question; the clock stands still until the answer."""
    text = needed_text(options)
    settings = chosen.settings()
    keys = open_keys(chosen_keys(options, settings.keys))
    with session(settings) as client:
        require_scopes(client.me(), Scope.DISCLOSURES_DECIDE)
        disclosures = Disclosures(client.transport)
        found = disclosures.one_received(request_id).request
        side = side_of(client, settings, keys, found.requester.code)
        written = side.write(found.owner.code, MessageKind.QUESTION, Message(text), found.id)
        disclosures.question(found.id, written)
    say("The question is asked. The clock stands still until it is answered.")


@requests.command("answer")
@click.argument("request_id", metavar="ID")
@text_options
@own_keys
@click.pass_obj
def answer(chosen: Chosen, /, request_id: str, **options: Any) -> None:
    """Answer the owner's question; the clock goes on."""
    text = needed_text(options)
    settings = chosen.settings()
    keys = open_keys(chosen_keys(options, settings.keys))
    with session(settings) as client:
        require_scopes(client.me(), Scope.DISCLOSURES_ASK)
        disclosures = Disclosures(client.transport)
        found = disclosures.one_asked(request_id)
        side = side_of(client, settings, keys, found.owner.code)
        written = side.write(found.owner.code, MessageKind.ANSWER, Message(text), found.id)
        disclosures.answer(found.id, written)
    say("The answer is given. The clock goes on.")


@requests.command("withdraw")
@click.argument("request_id", metavar="ID")
@click.pass_obj
def withdraw(chosen: Chosen, /, request_id: str) -> None:
    """Take your request back."""
    with session(chosen.settings()) as client:
        Disclosures(client.transport).withdraw(request_id)
    say("The request is withdrawn.")


@dataclass(frozen=True, slots=True)
class _View:
    """One request, opened as far as the keys at hand reach; each way of telling it returns the
    names of what differs from what the requester signed.
    """

    client: Client
    settings: ClientSettings
    request: Request
    received: Received | None
    keys: OrganisationKeys | None
    directory: Path | None

    def tell(self) -> tuple[str, ...]:
        tell_request(self.request)
        if self.keys is None:
            sealed = len(self.request.messages)
            say(f"{counted(sealed, 'sealed message')}; open them with --key-file.")
            return ()
        mismatched: tuple[str, ...] = ()
        for message, opened in self._messages(self.keys):
            tell_message(message.kind, message.sender, message.at, opened)
            mismatched += self._mismatches(opened)
        for found in self._contents(self.keys):
            tell_opened(found)
            path = save_attachment(found, self.directory) if self.directory else None
            if path:
                say(f"  saved as {path}")
        return mismatched

    def as_json(self) -> tuple[str, ...]:
        told: dict[str, Any] = {**self.request.raw}
        mismatched: tuple[str, ...] = ()
        if self.keys:
            texts = []
            for message, opened in self._messages(self.keys):
                mismatched += self._mismatches(opened)
                text = opened.text if opened else None
                case = opened.about.case if opened and opened.about else None
                texts.append({"id": message.id, "kind": message.kind, "text": text, "case": case})
            told["opened_messages"] = texts
            contents = []
            for found in self._contents(self.keys):
                path = save_attachment(found, self.directory) if self.directory else None
                contents.append({**opened_as_json(found), "saved": str(path) if path else None})
            told["opened"] = contents
            told["differs"] = list(mismatched)
        say(json.dumps(told, indent=1))
        return mismatched

    def _messages(self, keys: OrganisationKeys) -> Iterator[tuple[Any, Message | None]]:
        if not self.request.messages:
            return
        other = self.request.requester if self.received else self.request.owner
        side = side_of(self.client, self.settings, keys, other.code, present=False)
        for message in self.request.messages:
            yield message, side.read(self.request, message)

    def _mismatches(self, message: Message | None) -> tuple[str, ...]:
        return differences(self.request, message.about) if message and message.about else ()

    def _contents(self, keys: OrganisationKeys) -> Iterator[Any]:
        if self.received is None:
            return
        disclosures = Disclosures(self.client.transport)
        for each in self.received.envelopes:
            if is_asked(each, self.request):
                yield open_own(each, disclosures.envelope(self.request.id, each.id), keys)


def _one(disclosures: Disclosures, request_id: str) -> tuple[Request, Received | None]:
    """A request of one's own or to one's own, whichever the token may read and it is."""
    try:
        return disclosures.one_asked(request_id), None
    except NotAllowedError:
        pass
    except RequestRefusedError as error:
        if error.status != _NOT_FOUND:
            raise
    received = disclosures.one_received(request_id)
    return received.request, received


def _every(disclosures: Disclosures, state: str | None, *, received: bool) -> Iterator[Request]:
    cursor: str | None = None
    while True:
        box = disclosures.received if received else disclosures.asked
        page: RequestPage = box(state, cursor)
        yield from page.requests
        cursor = page.next
        if cursor is None:
            return


def _lookup_and_owner(options: dict[str, Any]) -> tuple[str, str]:
    """Which lookup found the indicator, and whose it is: as told, or from the hits of a file."""
    lookup, owner = options["lookup"], options["owner"]
    if options["hits"] and not (lookup and owner):
        found_lookup, found_owner = _in_file(options["hits"], options["indicator"])
        lookup, owner = lookup or found_lookup, owner or found_owner
    if not lookup or not owner:
        raise click.UsageError(
            "--lookup or --owner is missing. Give both, or --hits with what `postern lookup "
            "--json` printed."
        )
    return lookup, owner


def _in_file(path: Path, indicator: str) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            document = parse_object(file.read(_LARGEST_HITS))
        for result in document.objects("results", _MOST_HITS):
            for hit in result.content.get("hits", ()):
                found = Object(hit)
                known = found.content.get("indicator")
                if isinstance(known, dict) and known.get("id") == indicator:
                    return result.text("lookup"), found.object("organisation").text("code")
    except (OSError, MalformedError, TypeError):
        raise HitsFileError(
            f"{path} is not what `postern lookup --json` prints. Save its output, whole, and name "
            "that file."
        ) from None
    raise HitsFileError(
        f"{path} has no hit on that indicator at a level that names it. Check --indicator."
    )
