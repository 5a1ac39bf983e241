"""Mail to a real server: encrypted, verified, one message however often it is tried."""

import smtplib
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.config import MailSettings
from app.errors import StartRefusedError
from app.jobs import deadline
from app.jobs.mail import Letter, MailNotSetUpError, RefusedForGoodError, send
from app.secret_files import read_mail_password
from tests.app.jobs.receivers import Certificates, Mailbox, certificates, mail_server, silent_server

SETTINGS = MailSettings("localhost", 0, "none", "postern@platform.example", "")
MESSAGE = UUID("018f0000-0000-7000-8000-000000000002")
LETTER = Letter(
    to="desk@police.example",
    language="fr",
    subject="Postern : un témoin s'est tu",
    text="Un témoin s'est tu.\n\nhttps://postern.example/log\n",
    message=MESSAGE,
    host="postern.example",
    sender_name="Postern",
    at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    made = certificates(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    return made


def test_a_letter_arrives_with_the_headers_of_a_machine(trusted: Certificates) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, trusted) as port:
        send(replace(SETTINGS, port=port, security="starttls"), "", LETTER)
    (taken,) = mailbox.taken
    assert mailbox.was_encrypted == [True]
    assert mailbox.recipients == ["desk@police.example"]
    assert taken["Subject"] == LETTER.subject
    assert taken["From"] == "Postern <postern@platform.example>"
    assert taken["To"] == "desk@police.example"
    assert taken["Message-ID"] == f"<{MESSAGE}@postern.example>"
    assert taken["Auto-Submitted"] == "auto-generated"
    assert taken["Content-Language"] == "fr"
    assert taken["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert taken.get_content_type() == "text/plain"
    assert taken.get_content().replace("\r\n", "\n") == LETTER.text


def test_a_repeat_bears_the_name_of_the_message() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        for _ in range(2):
            send(replace(SETTINGS, port=port), "", LETTER)
    assert len({taken["Message-ID"] for taken in mailbox.taken}) == 1


def test_tls_from_the_start(trusted: Certificates) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, trusted, is_tls_from_start=True) as port:
        send(replace(SETTINGS, port=port, security="tls"), "", LETTER)
    assert len(mailbox.taken) == 1


def test_a_server_that_knows_its_users_is_told_the_password(trusted: Certificates) -> None:
    mailbox = Mailbox()
    settings = replace(SETTINGS, security="starttls", user="postern")
    with mail_server(mailbox, trusted, demands_user=True) as port:
        send(replace(settings, port=port), "right", LETTER)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            send(replace(settings, port=port), "wrong", LETTER)
    assert mailbox.users[0] == ("postern", "right")
    assert set(mailbox.users[1:]) == {("postern", "wrong")}
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_nobody_vouches_for_gets_nothing(security: str, tmp_path: Path) -> None:
    mailbox, made = Mailbox(), certificates(tmp_path, "localhost")
    with (
        mail_server(mailbox, made, is_tls_from_start=security == "tls") as port,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        send(replace(SETTINGS, port=port, security=security), "", LETTER)
    assert mailbox.taken == []


def test_a_certificate_for_another_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, made = Mailbox(), certificates(tmp_path, "mail.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    with mail_server(mailbox, made) as port, pytest.raises(ssl.SSLCertVerificationError):
        send(replace(SETTINGS, port=port, security="starttls"), "", LETTER)
    assert mailbox.taken == []


def test_a_server_without_encryption_gets_nothing_when_it_is_demanded() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port, pytest.raises(smtplib.SMTPNotSupportedError):
        send(replace(SETTINGS, port=port, security="starttls"), "", LETTER)
    assert mailbox.taken == []


@pytest.mark.parametrize(
    ("to_recipient", "to_content", "expected"),
    [
        ("450 Try later", "", smtplib.SMTPRecipientsRefused),
        ("550 No such mailbox", "", RefusedForGoodError),
        ("", "451 Try later", smtplib.SMTPDataError),
        ("", "554 Not wanted", RefusedForGoodError),
    ],
)
def test_what_is_refused_for_good_is_told_from_what_may_be_tried_again(
    to_recipient: str, to_content: str, expected: type[Exception]
) -> None:
    mailbox = Mailbox(answers=[to_recipient], data_answers=[to_content])
    with mail_server(mailbox) as port, pytest.raises(expected):
        send(replace(SETTINGS, port=port), "", LETTER)
    assert mailbox.taken == []


def test_a_server_that_hangs_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER", 0.2)
    with silent_server() as port, pytest.raises(OSError, match="timed out"):
        send(replace(SETTINGS, port=port), "", LETTER)
    with mail_server(Mailbox(answers=["hang"])) as port, pytest.raises(OSError):  # noqa: PT011 - which one depends on where it hung
        send(replace(SETTINGS, port=port), "", LETTER)


def test_the_whole_conversation_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "WHOLE", 0.3)
    monkeypatch.setattr(deadline, "ANSWER", 60)
    with (
        mail_server(Mailbox(answers=["hang"])) as port,
        pytest.raises(smtplib.SMTPServerDisconnected),
    ):
        send(replace(SETTINGS, port=port), "", LETTER)


def test_without_a_server_nothing_is_tried() -> None:
    with pytest.raises(MailNotSetUpError):
        send(replace(SETTINGS, host=""), "", LETTER)


def test_the_password_is_a_secret_like_the_others(tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError, match=r"mail\.key is missing"):
        read_mail_password(tmp_path)
    path = tmp_path / "mail.key"
    path.write_text("a long word\n")
    path.chmod(0o644)
    with pytest.raises(StartRefusedError, match="Others may read"):
        read_mail_password(tmp_path)
    path.chmod(0o600)
    assert read_mail_password(tmp_path) == "a long word"
    path.write_text("\n")
    with pytest.raises(StartRefusedError, match="is empty"):
        read_mail_password(tmp_path)
