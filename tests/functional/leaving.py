"""What leaves a page: everything that a browser sends, searched for what was typed."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote_plus

from playwright.sync_api import BrowserContext, Request

_SHIFTS = 3  # positions at which base64 may cut bytes


@dataclass
class Leaving:
    """`sent` holds method, address, headers and body of every request since `watched`."""

    sent: list[bytes] = field(default_factory=list)

    def keep(self, request: Request) -> None:
        head = f"{request.method} {request.url}\n{request.headers}\n"
        self.sent.append(head.encode() + (request.post_data_buffer or b""))

    def require_nothing_of(self, *typed: str) -> None:
        """Fail when one of the texts left: as it is, in parts of words, quoted, or in base64."""
        assert self.sent, "nothing was sent: the search would find nothing"
        everything = b"\n".join(self.sent)
        plain = unquote_plus(everything.decode("utf-8", "replace")).casefold()
        squeezed = re.sub(r"[\W_]", "", plain)
        for text in typed:
            assert text.casefold() not in plain, text
            for written in (quote(text), quote_plus(text), text.encode().hex()):
                assert written.encode() not in everything, text
            for part in _in_base64(text.encode()):
                assert part not in everything, text
            digits = re.sub(r"\W", "", text.casefold())
            assert len(digits) < 8 or digits not in squeezed, text


def watched(context: BrowserContext) -> Leaving:
    """Keep whatever the pages and workers of a browser profile send from now on."""
    leaving = Leaving()
    context.on("request", leaving.keep)
    return leaving


def _in_base64(raw: bytes) -> list[bytes]:
    """What base64 makes of the bytes at each of its three positions, without the edges."""
    parts = []
    for shift in range(_SHIFTS):
        written = base64.b64encode(bytes(shift) + raw)
        inner = written[4 if shift else 0 : -4]
        parts += [inner, inner.translate(bytes.maketrans(b"+/", b"-_"))]
    return [part for part in parts if len(part) >= 8]
