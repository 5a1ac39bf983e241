"""`postern decide`: the owner's decision on a disclosure request, made on its own premises.

What is released is fetched, opened with the key file, shown, and sealed again to the requester's
pinned keys; the platform gets the new envelopes and a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from postern.client_disclosures import Disclosures, Received, Request, SealedAt
from postern.client_errors import ClientError
from postern.commands.indicator_words import plain
from postern.commands.options import WordType
from postern.commands.own_keys import chosen_keys, open_keys, own_keys, side_of
from postern.commands.request_words import named, tell_message, tell_opened, tell_request
from postern.commands.terminal import (
    Chosen,
    ExitCode,
    counted,
    notice,
    require_scopes,
    say,
    session,
)
from postern.commands.texts import text_of, text_options
from postern.disclosing import Opened, Side, differences, is_asked, open_own, seal_again
from postern.sealed_message import Message
from postern.vocabulary import Answer, DecisionReason, MessageKind, Scope

_LARGEST = 44_000_000  # bytes of envelopes in one decision, as the platform takes them
_NOTHING, _ALL = Answer.NOTHING.value, Answer.ALL.value


class NothingToReleaseError(ClientError):
    """What is asked, or what is to be released, does not lie at the platform."""


class TooMuchAtOnceError(ClientError):
    """The files are too large to be released together."""

    def __init__(self) -> None:
        super().__init__(
            f"What is to be released is larger than the {_LARGEST:,} bytes that one decision may "
            "carry. Release the files that are needed most, each as attachment/N; the requester "
            "can ask for the others in another request."
        )


class UnsignedAskError(ClientError):
    """What is asked is the platform's word alone."""

    def __init__(self) -> None:
        super().__init__(
            "No message signed by the requester says what is asked, so it is the platform's word "
            "alone. Telephone the requester; if it is as shown, give --unsigned-ask too."
        )


@click.command()
@click.argument("request_id", metavar="ID")
@click.option(
    "--release",
    metavar="PARTS",
    help="all, nothing, or what: value, note, attachment, or one file as attachment/2.",
)
@click.option("--reason", type=WordType(DecisionReason), help="Why; it stands in the log.")
@click.option("--confirm", metavar="DECISION", help="As the second person, agree to a decision.")
@click.option("--reject", metavar="DECISION", help="As the second person, do not agree to it.")
@click.option(
    "--unsigned-ask",
    is_flag=True,
    help="Release although no message signed by the requester says what is asked.",
)
@click.option("--yes", is_flag=True, help="Do not ask before releasing.")
@text_options
@own_keys
@click.pass_context
def decide(context: click.Context, /, request_id: str, **options: Any) -> None:
    """Decide the disclosure request ID: release all, part or nothing, with a reason.

    What you release is opened with the key file and shown to you, then sealed again to the keys of
    the requester that are pinned here, and to nobody else. Where your rules need a second person,
    that one runs `postern decide ID --confirm DECISION` or --reject.

    Ends with 4, and decides nothing, when the platform shows something else than the requester
    signed.
    """
    chosen: Chosen = context.obj
    choices = [name for name in ("release", "confirm", "reject") if options[name]]
    if len(choices) != 1:
        raise click.UsageError("Give one of --release, --confirm and --reject.")
    if choices == ["release"]:
        if options["reason"] is None:
            raise click.UsageError("--reason is missing. Say why it is decided so.")
        if not _release(chosen, request_id, options):
            context.exit(ExitCode.MISMATCH)
        return
    agrees = choices == ["confirm"]
    with session(chosen.settings()) as client:
        require_scopes(client.me(), Scope.DISCLOSURES_DECIDE)
        decision = options["confirm"] or options["reject"]
        judged = Disclosures(client.transport).confirm(request_id, decision, agrees=agrees)
    _tell_result(judged)


def _release(chosen: Chosen, request_id: str, options: dict[str, Any]) -> bool:
    """Whether it was decided; False when the platform shows something else than was signed."""
    settings = chosen.settings()
    wanted = _wanted(options["release"])
    text = text_of(options)
    needs_keys = bool(text) or wanted != {_NOTHING}
    keys = open_keys(chosen_keys(options, settings.keys)) if needs_keys else None
    with session(settings) as client:
        require_scopes(client.me(), Scope.DISCLOSURES_DECIDE)
        disclosures = Disclosures(client.transport)
        received = disclosures.one_received(request_id)
        request = received.request
        if keys is None:
            decided = disclosures.decide(
                request.id, answer=Answer.NOTHING, reason=options["reason"]
            )
        else:
            side = side_of(client, settings, keys, request.requester.code)
            run = _Run(disclosures, received, side)
            if wanted != {_NOTHING} and not run.is_as_signed(
                may_be_unsigned=options["unsigned_ask"]
            ):
                return False
            decided = run.decide(wanted, options["reason"], text, asks=not options["yes"])
    _tell_result(decided)
    return True


@dataclass(frozen=True, slots=True)
class _Run:
    """One decision that opens or seals something."""

    disclosures: Disclosures
    received: Received
    side: Side

    def is_as_signed(self, *, may_be_unsigned: bool) -> bool:
        """Shows the request with its messages; whether it is the one that the requester signed.

        Raises UnsignedAskError when nothing signed says what is asked, unless that may be.
        """
        request = self.received.request
        tell_request(request)
        mismatched: tuple[str, ...] = ()
        is_signed = False
        for message in request.messages:
            opened = self.side.read(request, message)
            tell_message(message.kind, message.sender, message.at, opened)
            if opened and opened.about:
                is_signed = True
                mismatched += differences(request, opened.about)
        if not is_signed and not may_be_unsigned:
            raise UnsignedAskError
        if mismatched:
            notice(
                f"STOP. The platform shows another {' and '.join(mismatched)} than the requester "
                "signed. Nothing was decided; tell your compliance officer and telephone the "
                "requester."
            )
        return not mismatched

    def decide(self, wanted: set[str], reason: DecisionReason, text: str, *, asks: bool) -> Request:
        request = self.received.request
        message = None
        if text:
            owner = request.owner.code
            message = self.side.write(owner, MessageKind.REASON, Message(text), request.id)
        if wanted == {_NOTHING}:
            return self.disclosures.decide(
                request.id, answer=Answer.NOTHING, reason=reason, message=message
            )
        held = [each for each in self.received.envelopes if is_asked(each, request)]
        chosen = _chosen(held, wanted, request)
        if sum(each.size for each in chosen) > _LARGEST:
            raise TooMuchAtOnceError
        found = [self._opened(each) for each in chosen]
        say("")
        say(f"To be released to {named(request.requester)}, entry {self.side.other.fingerprint}:")
        for each in found:
            tell_opened(each)
        if asks:
            click.confirm("Release this?", abort=True, err=True)
        parts = [
            (
                each.sealed_at.id,
                seal_again(each, request, self.side.other, self.side.keys),
            )
            for each in found
        ]
        return self.disclosures.decide(
            request.id,
            answer=Answer.ALL if len(chosen) == len(held) else Answer.PART,
            reason=reason,
            parts=parts,
            message=message,
        )

    def _opened(self, sealed_at: SealedAt) -> Opened:
        raw = self.disclosures.envelope(self.received.request.id, sealed_at.id)
        return open_own(sealed_at, raw, self.side.keys)


def _wanted(text: str) -> set[str]:
    words = {word.strip().lower() for word in text.split(",") if word.strip()}
    alone = words & {_ALL, _NOTHING}
    if not words or (alone and len(words) > 1):
        raise click.UsageError("--release is all, nothing, or a list of parts. Give one of them.")
    return words


def _chosen(held: Sequence[SealedAt], wanted: set[str], request: Request) -> list[SealedAt]:
    """The envelopes to release. Raises NothingToReleaseError for what is not asked or not held."""
    if not held:
        raise NothingToReleaseError(
            "Nothing of what is asked was sealed when it was submitted, so nothing can be "
            "released. Decide with --release nothing --reason not_held."
        )
    if wanted == {_ALL}:
        return list(held)
    chosen = [each for each in held if {each.part, each.part_name} & wanted]
    missing = wanted - {name for each in held for name in (each.part, each.part_name)}
    if missing:
        raise NothingToReleaseError(
            f"{plain(', '.join(sorted(missing)))} is not asked or not held. Asked is "
            f"{plain(', '.join(request.asked))}, held is "
            f"{plain(', '.join(each.part_name for each in held))}."
        )
    return chosen


def _tell_result(request: Request) -> None:
    say("")
    say(f"The request is {plain(request.state)} now.")
    decision = request.decision
    if decision and decision.state == "proposed":
        say(
            "A second person must agree: `postern decide "
            f"{plain(request.id)} --confirm {plain(decision.id)}`, or --reject."
        )
    elif request.deliveries:
        say(f"{counted(len(request.deliveries), 'part')} can be fetched by the requester.")
