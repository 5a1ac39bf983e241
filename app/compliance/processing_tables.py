"""What every table holds of persons, in which form, and until when: the base of the record.

A test holds it to the tables that exist. `{name}` in `kept` is a setting, by its last name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Whom(StrEnum):
    """Whose data a table holds."""

    CONCERNED = "persons behind indicators"
    USERS = "people of the members"
    BOTH = "both"
    NOBODY = "nobody's"


class Form(StrEnum):
    """In which form it is stored."""

    KEYED = "keyed token, not reversible without the evaluation keys"
    SEALED = "sealed: encrypted"
    PSEUDONYM = "pseudonym of the log, or a number"
    FACTS = "coarse facts without a value"
    CLEAR = "in clear, entered by its own organisation"
    NONE = "no personal data"


@dataclass(frozen=True, slots=True)
class Kept:
    """One table, or several of the same manner."""

    whom: Whom
    form: Form
    until: str


_INDICATOR = (
    "with the indicator: {indicator_days} days unless said otherwise, at most"
    " {longest_indicator_days}"
)
_LEDGER = "until the recall of what was given can no longer be needed"
_LOG = "details by the organisation's rule of retention; the tree of hashes for ever"
_ACCOUNT = "until the account is closed, then as long as the log names it"
_MEMBER = "while the organisation is a member"
_PLATFORM = "while the platform runs"

_TOKENS = Kept(Whom.CONCERNED, Form.KEYED, _INDICATOR)
_FACTS = Kept(Whom.CONCERNED, Form.FACTS, _INDICATOR)
_CONTENT = Kept(Whom.CONCERNED, Form.SEALED, _INDICATOR)
_ACTS = Kept(Whom.USERS, Form.PSEUDONYM, _LOG)
_GIVEN = Kept(Whom.CONCERNED, Form.FACTS, _LEDGER)
_WORK = Kept(Whom.USERS, Form.PSEUDONYM, _MEMBER)
_SETTING = Kept(Whom.NOBODY, Form.NONE, _MEMBER)
_KEYS = Kept(Whom.NOBODY, Form.NONE, _PLATFORM)
_COUNTS = Kept(Whom.USERS, Form.PSEUDONYM, "62 days")
_SIGN_IN = Kept(Whom.USERS, Form.SEALED, _ACCOUNT)


def _all(kept: Kept, *tables: str) -> dict[str, Kept]:
    return dict.fromkeys(tables, kept)


TABLES: Mapping[str, Kept] = {
    **_all(_TOKENS, "token", "exchange_name", "exchange_sighting"),
    **_all(
        Kept(Whom.CONCERNED, Form.KEYED, "until the watch ends, at most {watch_days} days"),
        "watch",
        "watch_token",
        "watch_match",
        "deconfliction",
    ),
    **_all(
        Kept(Whom.CONCERNED, Form.KEYED, "until the end of the next day"),
        "value_seen",
    ),
    **_all(
        Kept(Whom.CONCERNED, Form.SEALED, "with the indicator; erased or moved at a rotation"),
        "element_vault",
        "key_rotation_chunk",
    ),
    **_all(_CONTENT, "envelope"),
    **_all(_FACTS, "indicator", "report", "step_tag", "step_tag_signal", "stat_seen"),
    **_all(
        Kept(Whom.CONCERNED, Form.FACTS, "an id without content, so that a recall finds it"),
        "tombstone",
    ),
    **_all(_GIVEN, "given", "recall", "acknowledgement", "exchange_ending", "outcome"),
    **_all(
        Kept(Whom.BOTH, Form.FACTS, "{lookup_days} days"),
        "lookup",
        "hit",
    ),
    **_all(
        Kept(
            Whom.BOTH,
            Form.SEALED,
            "undecided {lapse_days} days after the clock; what is delivered {delivery_days} days",
        ),
        "disclosure_request",
        "disclosure_message",
        "decision",
        "delivery",
    ),
    **_all(
        Kept(Whom.CONCERNED, Form.SEALED, "until the day that each was sent with"),
        "filter_issue",
        "filter_part",
        "filter_salt",
    ),
    **_all(
        Kept(Whom.CONCERNED, Form.FACTS, "as the collection or the server was set up"),
        "exchange_collection",
        "exchange_entry",
        "exchange_poller",
        "exchange_received",
        "exchange_server",
        "exchange_status",
        "exchange_try",
        "exchange_news",
    ),
    **_all(
        _ACTS,
        "audit_entry",
        "audit_detail",
        "audit_audience",
        "audit_object",
        "audit_archive",
        "audit_archive_key",
        "audit_erasure",
        "audit_queue",
    ),
    **_all(
        _KEYS,
        "audit_alarm",
        "audit_checkpoint",
        "audit_cosignature",
        "audit_key",
        "audit_org_key",
        "audit_retention",
        "audit_seq",
        "audit_state",
        "audit_tile",
        "audit_witness",
        "duty_run",
        "held_share",
        "holder_member",
        "holder_request",
        "key_epoch",
        "key_rotation",
        "key_sharing",
        "size_note",
    ),
    **_all(
        Kept(
            Whom.USERS, Form.SEALED, "{idle_minutes} minutes idle, at most {absolute_hours} hours"
        ),
        "web_session",
    ),
    **_all(
        Kept(Whom.USERS, Form.SEALED, "some minutes, a proposal 3 days"),
        "factor_reset",
        "one_time_link",
        "pending_sign_in",
        "spent_challenge",
    ),
    **_all(
        _SIGN_IN,
        "person_account",
        "credential",
        "role_grant",
        "role_proposal",
        "sign_on_link",
        "sign_on_provider",
        "break_glass",
        "recovery_code",
        "second_factor",
    ),
    **_all(Kept(Whom.USERS, Form.PSEUDONYM, "at most {longest_days} days"), "api_token"),
    **_all(_COUNTS, "evaluation_budget", "screening_budget", "value_budget"),
    **_all(
        Kept(Whom.NOBODY, Form.NONE, _MEMBER),
        "evaluation_allowance",
        "screening_allowance",
        "value_allowance",
        "organisation",
        "organisation_key",
        "community",
        "community_member",
        "disclosure_rules",
        "profile",
        "share_class",
        "share_grant",
        "grant_reason",
        "policy_version",
        "policy_cancellation",
        "model_choice",
    ),
    **_all(
        Kept(Whom.USERS, Form.CLEAR, _MEMBER),
        "contact_point",
    ),
    **_all(
        _WORK,
        "policy_draft",
        "policy_draft_author",
        "pattern",
        "pattern_version",
        "pattern_version_author",
        "pattern_outcome",
        "pattern_run",
        "pattern_subscription",
        "barrier",
        "barrier_model",
        "barrier_model_version",
        "key_alarm",
        "channel",
    ),
    **_all(
        Kept(Whom.USERS, Form.PSEUDONYM, "180 days"),
        "notification",
        "dispatch",
        "outbox",
    ),
    **_all(
        Kept(Whom.USERS, Form.SEALED, "with the log"),
        "review",
        "review_round",
        "finding",
        "anomaly",
    ),
    **_all(Kept(Whom.CONCERNED, Form.SEALED, "three years after its end"), "subject_request"),
    **_all(Kept(Whom.CONCERNED, Form.FACTS, "until its day, or its release"), "legal_hold"),
    **_all(Kept(Whom.BOTH, Form.SEALED, "five years after its end"), "breach", "breach_note"),
    **_all(
        Kept(Whom.NOBODY, Form.NONE, "counts of weeks; small ones are never told"),
        "stat_cell",
        "stat_change",
        "stat_closing",
        "stat_intake",
        "stat_point",
        "stat_shape",
        "stat_signal",
        "stat_told",
    ),
}
