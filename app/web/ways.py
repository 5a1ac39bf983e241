"""The jobs that people come for, in their words: what the palette, /go and the overview offer.

A menu names things; a person looks for what to do. Each job leads to one page. Who may do it is
asked of the page's own guard, so that no way is shown that would be refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import current_app
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from werkzeug.exceptions import HTTPException

from app.access import Caller
from postern.vocabulary import Role


@dataclass(frozen=True)
class Job:
    """`also` are other words by which people look for it, `key` a single key that opens it.

    `roles` are those for whom it is a daily job, shown first on their overview; everybody whom the
    page lets in finds it in the palette.
    """

    words: LazyString
    address: str
    also: LazyString
    roles: frozenset[Role] = frozenset()
    key: str = ""

    @property
    def path(self) -> str:
        return self.address.partition("?")[0]


_SUBMITTER = frozenset({Role.SUBMITTER})
_ANALYST = frozenset({Role.ANALYST})
_APPROVER = frozenset({Role.APPROVER})
_COMPLIANCE = frozenset({Role.COMPLIANCE})
_POLICY_OWNER = frozenset({Role.POLICY_OWNER})
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})

JOBS: Sequence[Job] = (
    Job(_("Go to my overview"), "/", _("home, start, what waits"), key="h"),
    # Operator analyst
    Job(
        _("Report a suspicious shipment"),
        "/reports/new",
        _("submit, new report, parcel, indicator, form"),
        _SUBMITTER,
        "r",
    ),
    Job(
        _("Upload a list of shipments"),
        "/reports/upload",
        _("submit, CSV, Excel, spreadsheet, file, many"),
        _SUBMITTER,
        "u",
    ),
    Job(
        _("See my reports and what came of them"),
        "/reports",
        _("own reports, status, outcomes, withdraw, correct"),
        _SUBMITTER,
        "m",
    ),
    # Police and customs analyst
    Job(
        _("Search an address, name, handle or number"),
        "/search",
        _("look up, lookup, find, query, check, hit"),
        _ANALYST,
        "s",
    ),
    Job(
        _("Take away what others share"),
        "/shared",
        _("export, file, CSV, Excel, JSON, list, count, bulk"),
        _ANALYST,
    ),
    Job(
        _("Open an earlier search"),
        "/search/history",
        _("past lookups, case, repeat"),
        _ANALYST,
    ),
    Job(
        _("Follow the requests that I made"),
        "/disclosures?box=asked",
        _("disclosure, asked, clear text, delivery, answer"),
        _ANALYST,
        "a",
    ),
    Job(
        _("See what my watches found"),
        "/watches",
        _("watch, wait, alert, deconfliction"),
        _ANALYST,
        "w",
    ),
    Job(
        _("Record an outcome"),
        "/outcomes/new",
        _("result, found, seized, error, feedback"),
        _ANALYST,
        "o",
    ),
    Job(
        _("See the outcomes of our reports"),
        "/outcomes",
        _("result, feedback, told"),
    ),
    Job(
        _("See how reliable our reports were"),
        "/outcomes/reliability",
        _("statistics, precision, sources"),
    ),
    # Approver
    Job(
        _("Decide requests of others"),
        "/disclosures?box=received",
        _("disclosure, release, refuse, approve, clock"),
        _APPROVER,
        "d",
    ),
    # Who screens parcels
    Job(
        _("Find patterns to screen with"),
        "/patterns",
        _("rule, typology, subscribe, screening, manifest, red flag"),
    ),
    Job(
        _("Write a pattern"),
        "/patterns/new",
        _("rule, YAML, detection, test, draft, starter library"),
    ),
    Job(
        _("See our screening filters"),
        "/filters",
        _("tokens, manifest, allowance, screen, list"),
    ),
    # The barrier model
    Job(
        _("Look at the barrier board"),
        "/barriers/board",
        _("steps, risk, corridors, displacement, trend, gaps, what works, briefing"),
        key="b",
    ),
    Job(
        _("Register a barrier that we have set"),
        "/barriers/new",
        _("measure, step, place, renew, end"),
    ),
    Job(
        _("See which barriers are registered"),
        "/barriers",
        _("measures, partners, step, country"),
    ),
    Job(
        _("See at which step no barrier holds"),
        "/barriers/gaps",
        _("gap, missing, measures, chain"),
    ),
    Job(
        _("Tag reports that have no step"),
        "/barriers/tagging",
        _("signals, suggestions, worklist, step, classify"),
    ),
    Job(
        _("Read the barrier model"),
        "/barriers/models",
        _("steps, signals, sources, version, compare, choose"),
    ),
    Job(
        _("Propose a barrier model"),
        "/barriers/models/new",
        _("own model, YAML, next version, community"),
    ),
    # Everybody who received or gave
    Job(
        _("Answer a recall"),
        "/recalls",
        _("take back, withdraw, acknowledge, purge"),
    ),
    Job(
        _("See who got what of ours"),
        "/ledger",
        _("recipients, disclosed, exported"),
    ),
    # Who connects programs
    Job(
        _("Connect MISP, OpenCTI or a TAXII client"),
        "/exchange",
        _("feed, collection, STIX, poll, open, close, settings, address"),
    ),
    Job(
        _("See who fetches from us by a program"),
        "/exchange/own",
        _("feed, TAXII, recipients, sent, status"),
    ),
    Job(
        _("Poll a server of others"),
        "/exchange/servers",
        _("subscription, TAXII, federation, received, import"),
    ),
    # Compliance officer
    Job(
        _("Search the access log"),
        "/access-log",
        _("audit, who saw what, entries, facets"),
        _COMPLIANCE,
        "l",
    ),
    Job(
        _("Follow a person, a case or a record through the log"),
        "/access-log/timeline",
        _("timeline, history, audit"),
        _COMPLIANCE,
        "t",
    ),
    Job(
        _("See whether the log is whole"),
        "/log",
        _("verify, checkpoint, witness, proof, alarm"),
        _COMPLIANCE,
        "v",
    ),
    Job(
        _("Judge drawn entries"),
        "/reviews",
        _("review, sample, monthly check"),
        _COMPLIANCE,
    ),
    Job(
        _("Look at what is unusual"),
        "/signals",
        _("signal, anomaly, misuse, task"),
        _COMPLIANCE,
    ),
    Job(
        _("Answer a person's request about their data"),
        "/subjects",
        _("subject request, access, rectification, erasure, GDPR"),
        _COMPLIANCE,
    ),
    Job(
        _("Record a breach of personal data"),
        "/breaches",
        _("breach, incident, 72 hours, leak, notify, authority"),
        _COMPLIANCE,
    ),
    Job(
        _("Read what is processed, and why"),
        "/privacy",
        _("record of processing, impact assessment, DPIA, GDPR"),
        _COMPLIANCE,
    ),
    Job(_("Keep a record for a proceeding"), "/holds", _("legal hold, litigation, preserve")),
    Job(
        _("Say how long the log keeps details"),
        "/log/retention",
        _("retention, erase, months, years"),
    ),
    # Policy owner
    Job(
        _("See and change who may see what"),
        "/policy",
        _("sharing policy, rule, draft, Cedar, simulate, version"),
        _POLICY_OWNER,
        "p",
    ),
    Job(
        _("Begin a policy from a template"),
        "/policy/new",
        _("new policy, draft"),
        _POLICY_OWNER,
    ),
    Job(
        _("Ask who can see one of our indicators"),
        "/policy/audience",
        _("audience, explain, readers, why"),
    ),
    Job(
        _("Stop all sharing"),
        "/policy/stop",
        _("emergency, withdraw the policy"),
    ),
    Job(
        _("Say how we decide requests"),
        "/disclosures/rules",
        _("four eyes, second person, rules"),
    ),
    # Administrator
    Job(
        _("Add a colleague or change what they may do"),
        "/people",
        _("account, user, role, password, disable, invite"),
        _ADMINISTRATOR,
    ),
    Job(
        _("See whether the platform is well"),
        "/platform/health",
        _("health, state, disk, backup, worker"),
        _ADMINISTRATOR,
    ),
    Job(
        _("See what is left of the quotas"),
        "/quotas",
        _("evaluations, limit, used, more"),
        _ADMINISTRATOR,
    ),
    Job(
        _("See how work in the background stands"),
        "/jobs",
        _("worker, queue, failed, retry, dead"),
        _ADMINISTRATOR,
    ),
    Job(
        _("See how fast the log grows"),
        "/log/growth",
        _("size, disk, storage"),
        _ADMINISTRATOR,
    ),
    Job(
        _("Say by which channels we are told"),
        "/channels",
        _("mail, webhook, alert"),
    ),
    # Everybody
    Job(
        _("Compare a fingerprint or find a contact"),
        "/keys",
        _("keys, telephone, directory, members, organisations"),
    ),
    Job(_("Read my notifications"), "/notifications", _("news, alarms, seen"), key="n"),
    Job(
        _("Change my password, my tokens or how pages look"),
        "/account",
        _("settings, theme, dark, time zone, API token, sessions, language"),
    ),
    Job(_("Read about the interface for programs"), "/api/docs", _("API, OpenAPI, integration")),
)


def jobs_of(caller: Caller) -> tuple[Job, ...]:
    """The jobs whose pages let the caller in, in the order of JOBS."""
    return tuple(job for job in JOBS if may_open(caller, job.path))


def first_jobs(caller: Caller, jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Those of them that are daily work of the caller's roles."""
    return tuple(job for job in jobs if job.roles & caller.roles)


def may_open(caller: Caller, path: str) -> bool:
    """Whether there is a page of this path without a record, and its guard lets the caller in."""
    adapter = current_app.url_map.bind("")
    try:
        endpoint, _named = adapter.match(path, method="GET")
    except HTTPException:
        return False
    roles: frozenset[Role] = getattr(
        current_app.view_functions[endpoint], "audit_roles", frozenset()
    )
    return caller.may(roles, None)
