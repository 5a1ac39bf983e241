"""Where a channel may lead: into no network that the administrator did not name."""

import socket

import pytest

from app.jobs.addresses import (
    ForbiddenAddressError,
    InsecureAddressError,
    mailbox_fault,
    masked,
    networks,
    resolved,
    webhook_fault,
)

LOOPBACK = networks("127.0.0.0/8 ::1/128")
PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address", ["desk@police.example", "o'neil+drugs@mail.police.example", "a@b.c"]
)
def test_a_mailbox_is_one_plain_address(address: str) -> None:
    assert mailbox_fault(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "",
        "desk",
        "desk@localhost",
        "Desk <desk@police.example>",
        "a@police.example,b@police.example",
        "a@police.example b",
        "desk@police.example\nBcc: x@y.example",
        "dësk@police.example",
        "a" * 65 + "@police.example",
        '"a b"@police.example',
    ],
)
def test_what_is_more_or_less_than_one_mailbox_is_refused(address: str) -> None:
    assert mailbox_fault(address) != ""


@pytest.mark.parametrize(
    "address",
    [
        "https://police.example/postern",
        "https://police.example:8443/a?b=c",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1::1]/",
        "https://police.example",
    ],
)
def test_a_webhook_leads_to_a_public_place_over_tls(address: str) -> None:
    assert webhook_fault(address, ()) == ""


@pytest.mark.parametrize(
    "address",
    [
        "police.example/postern",
        "ftp://police.example/",
        "https://user:word@police.example/",
        "https://police.example/#part",
        "https://police.example/ a",
        "https://police.example/\r\nX: y",
        "https://pölice.example/",
        "https:///a",
        "https://police.example:0/",
        "https://police.example:99999/",
        "https://[::1/",
        "https://police.example/" + "a" * 500,
        "http://police.example/",
        "http://93.184.216.34/",
        # Private, of this machine, of the neighbourhood, of a cloud's own services.
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[ff02::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
    ],
)
def test_what_is_no_address_or_leads_inside_is_refused(address: str) -> None:
    assert webhook_fault(address, ()) != ""


def test_the_administrator_may_open_a_network_and_no_other() -> None:
    inside = networks("10.20.0.0/16 fd00:20::/32")
    assert webhook_fault("https://10.20.3.4/", inside) == ""
    assert webhook_fault("https://[fd00:20::7]/", inside) == ""
    assert webhook_fault("https://[::ffff:10.20.3.4]/", inside) == ""
    assert webhook_fault("https://10.21.0.1/", inside) != ""
    assert webhook_fault("http://10.20.3.4/", inside) != ""
    assert webhook_fault("http://127.0.0.1:8000/", LOOPBACK) == ""


def lead(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    def answer(host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_the_address_that_was_checked_is_the_one_to_connect_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead(monkeypatch, PUBLIC)
    place = resolved("https://police.example/a?b=c", ())
    assert (place.host, place.port, place.target) == ("police.example", 443, "/a?b=c")
    assert (place.address, place.is_tls) == (PUBLIC, True)


@pytest.mark.parametrize("inside", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1%2"])
def test_a_name_that_leads_inside_is_refused_even_when_it_leads_outside_too(
    monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    lead(monkeypatch, PUBLIC, inside)
    with pytest.raises(ForbiddenAddressError):
        resolved("https://police.example/", ())


def test_plain_http_leaves_this_machine_never(monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch, PUBLIC)
    with pytest.raises(InsecureAddressError):
        resolved("http://localhost/", LOOPBACK)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("desk@police.example", "d…@police.example"),
        ("https://police.example:8443/secret?token=1", "https://police.example:8443/…"),
    ],
)
def test_an_address_is_shown_masked(address: str, shown: str) -> None:
    assert masked(address) == shown
