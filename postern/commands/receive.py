"""`postern receive`: open what an owner released, check it against its token, give the receipt."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from postern.client import Client
from postern.client_disclosures import Delivery, Disclosures, Request
from postern.client_errors import ClientError
from postern.commands.evaluating import pseudonymiser
from postern.commands.indicator_words import plain
from postern.commands.options import needed_case
from postern.commands.own_keys import chosen_keys, open_keys, own_keys, side_of
from postern.commands.request_words import (
    named,
    opened_as_json,
    save_attachment,
    tell_message,
    tell_opened,
)
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    connected,
    counted,
    notice,
    require_scopes,
    say,
    written_moment,
)
from postern.delivery_receipt import Receipt, signed
from postern.disclosing import Opened, Side, check_token, open_delivery
from postern.key_errors import KeyDocumentError
from postern.key_ring import KeyRing
from postern.sealed_content import Value
from postern.settings import Defaults, OwnKeys
from postern.vocabulary import EVALUATION_KIND, MessageKind, Purpose, Scope, TokenCheck


class NothingDeliveredError(ClientError):
    """There is nothing of the request to open."""


@click.command()
@click.argument("request_id", metavar="ID")
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write files, opened, into this directory, mode 0600.",
)
@click.option("--case", metavar="REFERENCE", help="Of the evaluation; else that of your request.")
@own_keys
@click.option("--json", "as_json", is_flag=True, help="Print what was opened as JSON.")
@click.pass_context
def receive(context: click.Context, /, request_id: str, **options: Any) -> None:
    """Open what the owner released on your request ID, and give the receipt.

    The envelope must be signed by the owner's pinned keys and be sealed for this request. From a
    value its token is derived again and compared with the one under which it was shared.

    Ends with 4 when that token differs: the record may be poisoned. The owner and your compliance
    officer are told.
    """
    chosen: Chosen = context.obj
    settings = chosen.settings()
    keys = open_keys(chosen_keys(options, settings.keys))
    with connected(settings) as (client, ring):
        require_scopes(client.me(), Scope.DISCLOSURES_ASK, Scope.EVALUATE)
        disclosures = Disclosures(client.transport)
        request = disclosures.one_asked(request_id)
        deliveries = [each for each in request.deliveries if _can_be_opened(each)]
        if not deliveries:
            raise NothingDeliveredError(
                f"The request is {plain(request.state)}, and nothing of it lies ready to be "
                "opened. Look at it with `postern requests show`."
            )
        side = side_of(client, settings, keys, request.owner.code)
        case = _case(options["case"], side, request, settings.defaults)
        run = _Run(client, ring, request, side, case)
        found = []
        for each in deliveries:
            got = run.receive(each)
            path = save_attachment(got.opened, options["save"]) if options["save"] else None
            found.append((got, path))
        reasons = [each for each in request.messages if each.kind == MessageKind.REASON.value]
        if options["as_json"]:
            _tell_json(request, found)
        else:
            say(f"Disclosed by {named(request.owner)} on {plain(request.id)}:")
            for message in reasons:
                opened = side.read(request, message)
                tell_message(message.kind, message.sender, message.at, opened)
            for got, path in found:
                _tell(got, path)
    if any(got.check is TokenCheck.DIFFERS for got, _ in found):
        notice(
            "STOP. THE DISCLOSED VALUE IS NOT THE ONE UNDER WHOSE TOKEN IT WAS SHARED. It may be a "
            "mistake or a poisoned record: do not act on it. The owner and your compliance officer "
            "are told; telephone the owner."
        )
        context.exit(ExitCode.MISMATCH)


@dataclass(frozen=True, slots=True)
class _Got:
    """One delivery, opened and receipted."""

    delivery: Delivery
    opened: Opened
    check: TokenCheck


@dataclass(frozen=True, slots=True)
class _Run:
    client: Client
    ring: KeyRing
    request: Request
    side: Side
    case: str

    def receive(self, delivery: Delivery) -> _Got:
        """Fetch, open, check, and give the receipt, which is given once."""
        disclosures, keys = Disclosures(self.client.transport), self.side.keys
        raw = disclosures.delivery(self.request.id, delivery.envelope.id)
        opened = open_delivery(delivery, raw, self.request, keys, self.side.other_signers)
        check = self._check(opened)
        if delivery.received_at is None:
            receipt = Receipt(
                self.request.id, delivery.envelope.id, hashlib.sha256(raw).digest(), check
            )
            disclosures.receive(
                self.request.id,
                delivery.envelope.id,
                signature=signed(receipt, keys.identity),
                kid=keys.identity.public.kid,
                check=check,
            )
        return _Got(delivery, opened, check)

    def _check(self, opened: Opened) -> TokenCheck:
        if not isinstance(opened.content, Value):
            return TokenCheck.NOT_CHECKED
        purpose = Purpose(self.request.purpose)
        evaluating = pseudonymiser(
            self.client, self.ring, OwnKeys(), purpose=purpose, case=self.case, keys=self.side.keys
        )
        with evaluating as made:
            return check_token(
                opened, lambda value: made.pseudonymise([value])[0], self._epoch(opened.content)
            )

    def _epoch(self, value: Value) -> int | None:
        try:
            return self.ring.epoch(EVALUATION_KIND[value.kind]).epoch
        except (KeyError, KeyDocumentError):
            return None


def _can_be_opened(delivery: Delivery) -> bool:
    return delivery.is_available and not delivery.is_erased


def _case(given: str | None, side: Side, request: Request, defaults: Defaults) -> str:
    """The case under which the token is evaluated again: as told, or as the own ask has it."""
    if given is None:
        for message in request.messages:
            opened = side.read(request, message)
            if opened and opened.about:
                return opened.about.case
    return needed_case(given, defaults)


def _tell(got: _Got, path: Path | None) -> None:
    tell_opened(got.opened)
    if isinstance(got.opened.content, Value):
        say(f"  token: {_WORDS[got.check]}")
    if path:
        say(f"  saved as {path}")
    say(f"  to be erased by {written_moment(got.delivery.expires_at)} on the platform")


def _tell_json(request: Request, found: list[tuple[_Got, Path | None]]) -> None:
    told = [
        {
            "delivery": got.delivery.envelope.id,
            **opened_as_json(got.opened),
            "check": got.check.value,
            "saved": str(path) if path else None,
        }
        for got, path in found
    ]
    say(json.dumps({"request": request.id, "received": told}, indent=1))
    notice(f"{counted(len(found), 'part')} received.")


_WORDS = {
    TokenCheck.MATCHES: "derived again, it is the one under which the value was shared",
    TokenCheck.DIFFERS: "DIFFERS from the one under which the value was shared",
    TokenCheck.NOT_CHECKED: "not checked, its key epoch is gone",
}
