"""A connection to the address that was checked (addresses.py), not to the name once more."""

import http.client
import socket
import ssl

from app.jobs import deadline
from app.jobs.addresses import Place


class Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked; its certificate must be that of the name."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.host, place.port, timeout=deadline.ANSWER)
        self._place = place
        self.default_port = 443 if place.is_tls else 80  # which the header Host leaves out

    def connect(self) -> None:
        place = self._place
        self.sock = socket.create_connection((place.address, place.port), timeout=self.timeout)
        if place.is_tls:
            wrapped = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=place.host, do_handshake_on_connect=False
            )
            self.sock = wrapped  # before the handshake, which the limit must be able to end
            wrapped.do_handshake()
