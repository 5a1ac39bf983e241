"""What Cedar does not notice: texts that let in nobody, or everybody, and rules without effect.

Here the policies act together, as sets of the situations in which each applies. Where only a
sample of situations was looked at, what it shows is said, and nothing is refused for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from app.sharing.engine import CHAIN_ACTIONS
from app.sharing.policy_text import Fault, Policy, platform_policies
from app.sharing.seats import Member
from app.sharing.situations import PolicyAlone, Situations, look_at
from postern.vocabulary import Action

_SPARES_PATTERNS = "platform/authority-to-operator"
"""The rule of the platform that denies nothing of a shipping pattern, nor of a barrier."""


@dataclass(frozen=True)
class Probed:
    """Why a text is refused, and what its author may not have meant."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def probe(policies: Sequence[Policy], owner: Member, members: Iterable[Member]) -> Probed:
    """What an owner's text comes to, above the platform's rules, for others than the owner.

    `policies` are those of a text that `policy_text.read` accepted, and organisations that it
    names are among `members`. Readers that may join one day count as much as those of today. The
    empty text has neither faults nor warnings.
    """
    if not policies:
        return Probed((), ())
    others = [member for member in members if member.code != owner.code]
    text = [PolicyAlone(policy) for policy in policies]
    platform = [PolicyAlone(policy) for policy in platform_policies()]
    outcome = _Outcome(look_at(text, platform, owner, others), text, platform)
    faults, warnings = _of_the_text(outcome)
    for rule in text:
        found = _of_a_permit(outcome, rule) if rule.policy.permits else _of_a_forbid(outcome, rule)
        if found is not None:
            warnings.append(Fault(rule.policy.id, rule.policy.line, *found))
    return Probed(tuple(faults), tuple(warnings))


class _Outcome:
    """What the rules come to together: for each action the situations in which it is allowed."""

    def __init__(
        self, situations: Situations, text: Sequence[PolicyAlone], platform: Sequence[PolicyAlone]
    ) -> None:
        self.situations = situations
        self.text = text
        self.platform = platform
        self.permitted = {action: self._union((*text, *platform), action) for action in Action}
        self.barred = {action: self._union(platform, action, permits=False) for action in Action}
        self.allowed: dict[Action, int] = {}
        before = everything = situations.everything
        for action in CHAIN_ACTIONS:
            before &= self._free(action)
            self.allowed[action] = before
        told, shown, _ = self.allowed.values()
        for action, gate in (
            (Action.SCREEN, told),
            (Action.FEED, shown),
            (Action.TELL_OWNER, told),
            # Where the text does not ask for the marking, TLP:RED keeps presence from everybody.
            (
                Action.ALERT_OWNER,
                everything & ~told if situations.tells_markings_apart else everything,
            ),
            (Action.ONWARD, shown),
        ):
            self.allowed[action] = gate & self._free(action)

    def _free(self, action: Action) -> int:
        """Where it is permitted and nothing forbids it, whatever its gate."""
        rules = (*self.text, *self.platform)
        fails = reduce(or_, (rule.fails.get(action, 0) for rule in rules))
        forbidden = self._union(rules, action, permits=False)
        return self.permitted[action] & ~forbidden & ~fails

    @staticmethod
    def _union(rules: Sequence[PolicyAlone], action: Action, *, permits: bool = True) -> int:
        found = (r.applies.get(action, 0) for r in rules if r.policy.permits is permits)
        return reduce(or_, found)  # the platform has rules of both kinds


def _of_the_text(outcome: _Outcome) -> tuple[list[Fault], list[Fault]]:
    """(faults, warnings) of the text as a whole; what a sample says is a warning."""
    found: list[Fault] = []
    allowed = outcome.allowed
    barred = reduce(or_, (outcome.barred[action] for action in CHAIN_ACTIONS))
    could = outcome.situations.by_analysts & ~barred
    if not allowed[Action.PRESENCE] | allowed[Action.ALERT_OWNER]:
        found = [
            Fault(
                "text",
                1,
                "it lets nobody in: there is no reader to whom it grants anything",
                "Publish an empty text if you mean to share nothing; else add a permit of"
                ' Action::"presence" for those whom you mean.',
            )
        ]
    elif could and not could & ~allowed[Action.REQUEST]:
        permits = [rule for rule in outcome.text if rule.policy.permits]
        grants = [(rule, could & rule.applies.get(Action.REQUEST, 0)) for rule in permits]
        alone = [rule for rule, bits in grants if bits == could]
        found = [
            Fault(
                rule.policy.id,
                rule.policy.line,
                "it lets everybody in: every organisation may ask for every record, for every"
                " purpose that the platform's rules allow",
                "Name whom you mean by principal.sector or a country, and why by context.purpose.",
            )
            for rule in alone or [rule for rule, bits in grants if bits]
        ]
    if outcome.situations.is_whole:
        return found, []
    return [], [
        replace(fault, reason=f"as far as could be seen, {fault.reason}") for fault in found
    ]


def _of_a_permit(outcome: _Outcome, rule: PolicyAlone) -> tuple[str, str] | None:
    """(reason, remedy) when a permit lets nobody in."""
    applies = rule.applies.items()
    if rule.is_known_wholly and not rule.ever_applies:
        return (
            "it can never permit anything to anybody: its conditions are never all true of"
            " another organisation",
            "Look for two conditions of which only one can be true.",
        )
    if not outcome.situations.is_whole:
        return None
    has_effect = reduce(or_, (bits & outcome.allowed[action] for action, bits in applies))
    if not any(bits & ~outcome.barred[action] for action, bits in applies):
        barring = [
            other.policy.id
            for other in outcome.platform
            if not other.policy.permits
            and any(bits & other.applies.get(action, 0) for action, bits in applies)
        ]
        is_of_patterns_too = (
            outcome.situations.tells_patterns_apart or _SPARES_PATTERNS not in barring
        )
        what = "" if is_of_patterns_too else " of an indicator"
        return (
            f"it can never permit anything{what}: the platform's rules deny all that it permits"
            f" ({', '.join(barring)})",
            'Read "What no policy can lift" in docs/policies.md, and remove or change it.',
        )
    if not has_effect:
        return (
            "it permits nothing that is not denied elsewhere: another rule of this text forbids"
            " it, or nothing permits the level before it",
            'Permit Action::"presence" to those to whom you permit more, and check your forbids.',
        )
    if not has_effect & outcome.situations.with_present:
        return (
            "no organisation of today is let in by it; it waits for one that joins",
            "Check sector, country and community if you meant a member of today.",
        )
    return None


def _of_a_forbid(outcome: _Outcome, rule: PolicyAlone) -> tuple[str, str] | None:
    """(reason, remedy) when a forbid keeps nothing back."""
    if rule.is_known_wholly and not rule.ever_applies:
        return (
            "it never forbids anything: its conditions are never all true of another organisation",
            "Look for two conditions of which only one can be true.",
        )
    if not outcome.situations.is_whole:
        return None
    for action, bits in rule.applies.items():
        # Nobody is told of what is not present.
        gate = Action.PRESENCE if action is Action.TELL_OWNER else action
        if bits & outcome.permitted[gate] & ~outcome.barred[gate]:
            return None
    return (
        "it forbids nothing that another rule of this text permits",
        "Remove it, or check that it is about the same readers, purposes and records.",
    )
