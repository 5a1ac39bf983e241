"""Settings: one TOML file per environment, read once and validated at start.

A wrong value refuses the start and names the key, the value and the remedy. Every key is listed in
docs/configuration.md; a test holds the two together.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import StartRefusedError

VARIABLE = "POSTERN_CONFIG"
"""The environment variable that names the settings file."""

_MAY_BE_NONE = frozenset({"session.step_up_minutes"})
"""Numbers that switch something off where they are 0."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]*")
_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.-]*[A-Za-z0-9](:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?"
)
_CODE = re.compile(r"[a-z0-9-]{2,40}")
_AGE_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_LAST_PORT = 65_535
_LOG_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9._-]+)*")

DEFAULT_FILE = Path(__file__).parent.parent / "config" / "development.toml"


@dataclass(frozen=True)
class PlatformSettings:
    name: str
    origin: str  # scheme and host by which users reach the platform, without a final slash
    secure_cookies: bool
    mode: str  # platform, evaluator: blind evaluation alone, or holder of another's key shares
    evaluates: bool  # whether this process does; otherwise it needs no evaluation key


@dataclass(frozen=True)
class HolderSettings:
    """How the platform reaches the holders of its keys' shares, if there are any."""

    seconds: int  # that a holder may take
    ca_file: str  # authority of their certificates, "" for those of the system


@dataclass(frozen=True)
class DatabaseSettings:
    url: str  # an SQLAlchemy address: sqlite:/// or postgresql+psycopg://
    pool_size: int
    connect_seconds: int  # that a connection may take to open
    wait_seconds: int  # for a connection of the pool to become free
    answer_seconds: int  # that PostgreSQL may take over one answer within a request
    work_seconds: int  # that it may take over one answer to `jobs run` and `audit run`
    replica_url: str  # of a standby of the same server, "" for none


@dataclass(frozen=True)
class SecretsSettings:
    directory: str


@dataclass(frozen=True)
class SessionSettings:
    idle_minutes: int
    absolute_hours: int
    step_up_minutes: (
        int  # after its last proof a session is asked again for acts of weight; 0: never
    )


@dataclass(frozen=True)
class SignInSettings:
    failures_before_lock: int
    lock_minutes: int
    second_factor: str  # who must have one: off, privileged or all


@dataclass(frozen=True)
class NetworkSettings:
    """How requests reach the platform (`app/origin.py`); lists are separated by spaces."""

    hosts: str  # taken beside that of platform.origin; "*" for any
    proxies: str  # networks of proxies whose headers are believed
    hops: int  # how many of them each request passes
    certificate_header: str  # in which they hand on the client's certificate, "" for none


@dataclass(frozen=True)
class TokenSettings:
    longest_days: int
    overlap_hours: int  # the longest for which a token's former secret may live on
    warning_days: int  # before its end its organisation is told
    unused_days: int  # after which a token is listed as unused


@dataclass(frozen=True)
class QuotaSettings:
    """Blind evaluations per organisation and kind; a person may use `person_percent` of each."""

    hour: int
    day: int
    month: int
    person_percent: int


@dataclass(frozen=True)
class AbuseSettings:
    """Budgets of different values that are looked up, and from what on a person is to look."""

    values_day: int  # of one kind, by an organisation; one person may use quota.person_percent
    values_month: int
    neighbour_pairs: int  # a day: places that differ in the order of a house number's digits
    name_places: int  # a day: places at which one name was asked for
    place_names: int  # a day: names asked for at one place
    unused_evaluations: int  # a day: evaluations of a person of which nearly nothing was used
    purposes: int  # a day: purposes and legal bases under which a person looked up
    cases: int  # a day: cases of a person that stand in one lookup each
    steady_percent: int  # of a limit, that is used again and again
    steady_hours: int  # of a day, in which that is so
    steady_days: int  # of the last 14, likewise with different values


@dataclass(frozen=True)
class LimitSettings:
    body_bytes: int
    evaluate_elements: int
    report_items: int
    lookup_queries: int


@dataclass(frozen=True)
class MatchingSettings:
    common_after: int  # postings per token and organisation after which a token is too common
    hits_per_query: int


@dataclass(frozen=True)
class RetentionSettings:
    indicator_days: int
    longest_indicator_days: int
    lookup_days: int


@dataclass(frozen=True)
class DisclosureSettings:
    """Clocks of disclosure; the first three are those of Directive (EU) 2023/977, Art. 5(1)."""

    urgent_direct_hours: int  # urgent, and the content lies sealed at the platform
    urgent_days: int  # urgent, and it must be fetched first
    normal_days: int
    life_minutes: int  # imminent threat to life
    lapse_days: int  # after the clock, when a request that nobody decided ends
    delivery_days: int  # a delivery is erased then, unless its owner's rules say so earlier
    recall_days: int  # for a recipient to erase or correct
    case_requests: int  # of one organisation to one owner in one case within a day: no bulk
    watch_days: int  # the longest a watch may last


@dataclass(frozen=True)
class MailSettings:
    """How notifications leave by mail; a `host` of "" means that none do."""

    host: str
    port: int
    security: str  # starttls, tls or none
    sender: str
    user: str  # "" for none; its password is the secret `mail`
    people: bool = False  # sign-in names are mailboxes: people are told there of their own account


@dataclass(frozen=True)
class WebhookSettings:
    """Where webhooks may lead beside public addresses."""

    networks: str  # such as "10.20.0.0/16 fd00:20::/32", "" for none


@dataclass(frozen=True)
class AuditSettings:
    name: str  # of the log: origin of its checkpoints, for ever
    interval_ms: int  # between two checkpoints
    cosign_seconds: int  # a turn: for so long all witnesses are asked for the same checkpoint
    silent_hours: int  # after which a witness is said to be silent
    operator: str  # code of the member that runs the platform, "" when it is none
    high_water: str  # a file outside the database: the largest tree that was ever signed
    archive: str  # directory of sealed archives
    archive_months: int  # whole months after which entries leave the database


@dataclass(frozen=True)
class BackupSettings:
    recipients: str  # public keys of age, separated by spaces
    secret_recipients: str  # others, to whom secrets are encrypted
    journal: str  # directory of the journal of endings, "" for none
    status: str  # a file in which backups tell when the newest was made, "" for none
    programs: str  # directory of pg_dump and pg_restore, "" for those on the path


@dataclass(frozen=True)
class LogSettings:
    level: str
    format: str


@dataclass(frozen=True)
class Settings:
    platform: PlatformSettings
    holders: HolderSettings
    network: NetworkSettings
    database: DatabaseSettings
    secrets: SecretsSettings
    session: SessionSettings
    sign_in: SignInSettings
    token: TokenSettings
    quota: QuotaSettings
    abuse: AbuseSettings
    limit: LimitSettings
    matching: MatchingSettings
    retention: RetentionSettings
    disclosure: DisclosureSettings
    mail: MailSettings
    webhook: WebhookSettings
    audit: AuditSettings
    backup: BackupSettings
    log: LogSettings


def load(path: Path | None = None) -> Settings:
    """Read and validate the settings file: `path`, else $POSTERN_CONFIG, else development."""
    chosen = path or Path(os.environ.get(VARIABLE) or DEFAULT_FILE)
    try:
        with chosen.open("rb") as file:
            document = tomllib.load(file)
    except FileNotFoundError:
        raise StartRefusedError(
            f"There is no settings file {chosen}. Set {VARIABLE} to one of config/*.toml."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefusedError(
            f"{chosen} cannot be read ({type(error).__name__}). Let the service's user read it, "
            "as UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise StartRefusedError(f"{chosen} is not valid TOML: {error}. Correct it.") from None
    return read(document)


def read(document: dict[str, Any]) -> Settings:
    """Validate a settings document; StartRefusedError names key, value and remedy."""
    settings: Settings = _section(Settings, document, "")
    _check(settings)
    return settings


def _section(kind: type[Any], document: Any, place: str) -> Any:
    if not isinstance(document, dict):
        raise StartRefusedError(f"{place} must be a table. Write it as [{place}].")
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    for key in document:
        if key not in known:
            raise StartRefusedError(
                f"{_at(place, key)} is not a setting. Remove it, or use one of: "
                f"{', '.join(sorted(known))}."
            )
    values = {}
    for name in known:
        if name not in document:
            raise StartRefusedError(f"{_at(place, name)} is missing. Add it to the settings file.")
        hint = hints[name]
        value = document[name]
        if isinstance(hint, type) and is_dataclass(hint):
            values[name] = _section(cast("type[Any]", hint), value, _at(place, name))
        elif type(value) is not hint:
            raise StartRefusedError(
                f"{_at(place, name)} is {value!r}; it must be of type {hint.__name__}."
            )
        else:
            values[name] = value
    return kind(**values)


def _at(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _check(settings: Settings) -> None:
    for key, value, is_right, remedy in _demands(settings):
        if not is_right:
            raise StartRefusedError(f"{key} is {value!r}. {remedy}")


def _demands(settings: Settings) -> Iterator[tuple[str, object, bool, str]]:
    """Key, its value (never one that holds a password), whether it is right, the remedy."""
    url, origin = settings.database.url, settings.platform.origin
    yield (
        "database.url",
        url.partition("://")[0] if "://" in url else "without ://",
        url.startswith(("sqlite:///", "postgresql+psycopg://")),
        "Use sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE.",
    )
    yield (
        "database.url",
        "of a form that cannot be read",
        _is_database(url),
        "Write postgresql+psycopg://USER@HOST:PORT/DATABASE; in a password write @ as %40, : as "
        "%3A, / as %2F and % as %25.",
    )
    yield from _replica_demands(settings.database)
    yield (
        "platform.origin",
        origin,
        bool(_ORIGIN.fullmatch(origin)),
        "Write scheme and host without a final slash, a path or a space.",
    )
    yield (
        "platform.secure_cookies",
        settings.platform.secure_cookies,
        settings.platform.secure_cookies == origin.startswith("https://"),
        "Set it to true exactly when platform.origin begins with https://.",
    )
    wanted = settings.sign_in.second_factor
    yield (
        "sign_in.second_factor",
        wanted,
        wanted in {"off", "privileged", "all"},
        "Use off, privileged or all.",
    )
    mode = settings.platform.mode
    modes = {"platform", "evaluator", "holder"}
    yield "platform.mode", mode, mode in modes, "Use platform, evaluator or holder."
    evaluates = settings.platform.evaluates
    yield (
        "platform.evaluates",
        evaluates,
        evaluates or mode == "platform",
        "Only a process of mode platform may leave evaluations to another.",
    )
    name = settings.audit.name
    yield (
        "audit.name",
        name,
        bool(_LOG_NAME.fullmatch(name)),
        "Write a host and a path, such as postern.example/audit; it can never be changed.",
    )
    operator = settings.audit.operator
    yield (
        "audit.operator",
        operator,
        not operator or bool(_CODE.fullmatch(operator)),
        "Write the code of the member that runs the platform, or leave it empty.",
    )
    authority = settings.holders.ca_file
    yield (
        "holders.ca_file",
        authority,
        not authority or Path(authority).is_file(),
        "Write the path of a file of certificates that the service's user can read, or leave it "
        "empty.",
    )
    backup = settings.backup
    for key, told in (
        ("backup.recipients", backup.recipients),
        ("backup.secret_recipients", backup.secret_recipients),
    ):
        yield (
            key,
            told,
            all(map(_AGE_RECIPIENT.fullmatch, told.split())),
            "Write public keys of age, as age-keygen prints them, separated by a space.",
        )
    yield (
        "backup.secret_recipients",
        backup.secret_recipients,
        not set(backup.secret_recipients.split()) & set(backup.recipients.split()),
        "Use another pair of keys than for backups: together they open tokens and evaluation keys.",
    )
    log, quota, retention = settings.log, settings.quota, settings.retention
    yield "log.format", log.format, log.format in {"json", "console"}, "Use json or console."
    yield (
        "log.level",
        log.level,
        log.level in {"DEBUG", "INFO", "WARNING", "ERROR"},
        "Use DEBUG, INFO, WARNING or ERROR.",
    )
    yield (
        "quota.day",
        quota.day,
        quota.hour <= quota.day <= quota.month,
        "Order them: hour <= day <= month.",
    )
    yield (
        "quota.person_percent",
        quota.person_percent,
        quota.person_percent <= 100,  # noqa: PLR2004 - per cent
        "Use 1 to 100.",
    )
    abuse = settings.abuse
    yield (
        "abuse.values_day",
        abuse.values_day,
        abuse.values_day <= abuse.values_month,
        "It must not exceed abuse.values_month.",
    )
    yield (
        "abuse.steady_percent",
        abuse.steady_percent,
        abuse.steady_percent <= 100,  # noqa: PLR2004 - per cent
        "Use 1 to 100.",
    )
    mail = settings.mail
    yield (
        "mail.security",
        mail.security,
        mail.security in {"starttls", "tls", "none"},
        "Use starttls, tls or none.",
    )
    yield (
        "mail.sender",
        mail.sender,
        not mail.host or "@" in mail.sender,
        "Write the address from which notifications are sent.",
    )
    yield "mail.port", mail.port, mail.port <= _LAST_PORT, f"Use 1 to {_LAST_PORT}."
    network = settings.network
    yield (
        "network.hosts",
        network.hosts,
        not re.search(r"[/,]", network.hosts),
        "Write hosts as they stand in Host, such as post.example:8443, separated by a space.",
    )
    yield (
        "network.proxies",
        network.proxies,
        _are_networks(network.proxies),
        "Write networks as 10.20.0.0/16, separated by a space, or leave it empty.",
    )
    yield (
        "network.certificate_header",
        network.certificate_header,
        bool(_HEADER_NAME.fullmatch(network.certificate_header)),
        "Write the name of a header, such as Client-Cert, or leave it empty.",
    )
    yield (
        "network.certificate_header",
        network.certificate_header,
        bool(network.proxies or not network.certificate_header),
        "It is believed from proxies only: name them in network.proxies, or leave it empty.",
    )
    yield (
        "webhook.networks",
        settings.webhook.networks,
        _are_networks(settings.webhook.networks),
        "Write networks as 10.20.0.0/16, separated by a space, or leave it empty.",
    )
    disclosure = settings.disclosure
    yield (
        "disclosure.normal_days",
        disclosure.normal_days,
        disclosure.urgent_direct_hours <= 24 * disclosure.urgent_days  # hours
        and disclosure.urgent_days <= disclosure.normal_days,
        "Order them: urgent_direct_hours <= urgent_days <= normal_days.",
    )
    yield (
        "retention.indicator_days",
        retention.indicator_days,
        retention.indicator_days <= retention.longest_indicator_days,
        "It must not exceed retention.longest_indicator_days.",
    )
    for section in fields(settings):
        part = getattr(settings, section.name)
        for item in fields(part):
            value = getattr(part, item.name)
            least = 0 if (name := f"{section.name}.{item.name}") in _MAY_BE_NONE else 1
            is_right = type(value) is not int or value >= least
            yield name, value, is_right, f"It must be at least {least}."


def _replica_demands(database: DatabaseSettings) -> Iterator[tuple[str, object, bool, str]]:
    replica_url = database.replica_url
    yield (
        "database.replica_url",
        "of a form that cannot be read" if "://" in replica_url else "without ://",
        not replica_url
        or (replica_url.startswith("postgresql+psycopg://") and _is_database(replica_url)),
        "Write the address of a standby as postgresql+psycopg://USER@HOST:PORT/DATABASE, or leave "
        "it empty.",
    )
    yield (
        "database.replica_url",
        "an address",
        not replica_url
        or (database.url.startswith("postgresql+psycopg://") and replica_url != database.url),
        "Only PostgreSQL has replicas, and one is another server than that of database.url: leave "
        "it empty.",
    )


def _is_database(url: str) -> bool:
    """Whether the address can be read and, of PostgreSQL, names a database."""
    try:
        told = make_url(url)
    except (ArgumentError, ValueError):
        return False
    return bool(told.database)


def _are_networks(told: str) -> bool:
    try:
        return bool([ipaddress.ip_network(each) for each in told.split()]) or not told
    except ValueError:
        return False
