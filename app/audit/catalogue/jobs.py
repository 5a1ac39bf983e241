"""Notifications, their channels, and the work in the background."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "channel.add": KnownAct(Operation.ADMINISTRATION, "A channel for notifications was set up."),
    "channel.list": KnownAct(Operation.ADMINISTRATION, "The organisation's channels were listed."),
    "channel.read": KnownAct(
        Operation.ADMINISTRATION, "It was read what a channel sent and was to send."
    ),
    "channel.remove": KnownAct(
        Operation.ADMINISTRATION, "A channel was removed and its address erased."
    ),
    "channel.rotate": KnownAct(
        Operation.ADMINISTRATION,
        "The secret of a webhook was replaced; it says for how long both sign.",
    ),
    "channel.trial": KnownAct(
        Operation.ADMINISTRATION, "A trial message of a channel was asked for."
    ),
    "job.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how the work in the background stands."
    ),
    "job.retry": KnownAct(
        Operation.ADMINISTRATION, "A job whose tries were used up was begun anew."
    ),
    "notification.read": KnownAct(Operation.ADMINISTRATION, "Notifications were read."),
    "notification.seen": KnownAct(Operation.ADMINISTRATION, "A notification was marked as seen."),
    "notification.sent": KnownAct(
        Operation.ADMINISTRATION,
        "The sending of a notification by a channel ended: sent, withheld, failed or given up.",
    ),
    "notification.try": KnownAct(
        Operation.ADMINISTRATION, "A notification was about to be handed to a channel."
    ),
}
