"""People: accounts, roles, sign-in and tokens."""

from app.audit.catalogue.acts import KnownAct, Operation

ACTS: dict[str, KnownAct] = {
    "account.create": KnownAct(Operation.ADMINISTRATION, "A person was given an account."),
    "account.decide": KnownAct(
        Operation.ADMINISTRATION, "A second person decided on a role that was proposed."
    ),
    "account.language": KnownAct(
        Operation.ADMINISTRATION, "A person chose the language of the pages."
    ),
    "account.link": KnownAct(
        Operation.ADMINISTRATION, "A one-time link was made for a person to choose a password."
    ),
    "account.link-used": KnownAct(
        Operation.ADMINISTRATION, "A person chose a password by a one-time link."
    ),
    "account.list": KnownAct(Operation.ADMINISTRATION, "The accounts were listed."),
    "account.password": KnownAct(Operation.ADMINISTRATION, "A password was changed."),
    "account.propose": KnownAct(
        Operation.ADMINISTRATION, "A role was proposed for a person and waits for a second one."
    ),
    "account.read": KnownAct(Operation.ADMINISTRATION, "The account of a person was read."),
    "account.role": KnownAct(Operation.ADMINISTRATION, "A role was granted or withdrawn."),
    "account.status": KnownAct(
        Operation.ADMINISTRATION, "An account was disabled, enabled, closed or unlocked."
    ),
    "break-glass.end": KnownAct(
        Operation.ADMINISTRATION, "An emergency account was ended before its time."
    ),
    "break-glass.look": KnownAct(
        Operation.ADMINISTRATION,
        "A person said that they read what was done with an emergency account.",
    ),
    "break-glass.open": KnownAct(
        Operation.ADMINISTRATION, "An emergency account was entered with its sealed secret."
    ),
    "break-glass.read": KnownAct(
        Operation.ADMINISTRATION, "It was read how an emergency account stands."
    ),
    "break-glass.refuse": KnownAct(
        Operation.ADMINISTRATION, "A secret of an emergency account was refused."
    ),
    "break-glass.seal": KnownAct(
        Operation.ADMINISTRATION, "A secret was made for an emergency account."
    ),
    "factor.add": KnownAct(Operation.ADMINISTRATION, "A person added a second factor."),
    "factor.recovery": KnownAct(
        Operation.ADMINISTRATION, "A person got new recovery codes for their sign-in."
    ),
    "factor.remove": KnownAct(Operation.ADMINISTRATION, "A person removed a second factor."),
    "factor.rename": KnownAct(Operation.ADMINISTRATION, "A person renamed a second factor."),
    "factor.reset": KnownAct(
        Operation.ADMINISTRATION,
        "It was proposed or decided that the second factors of a person are removed.",
    ),
    "interface.read": KnownAct(
        Operation.ADMINISTRATION, "The facts of the caller's own account were read."
    ),
    "session.await": KnownAct(
        Operation.ADMINISTRATION, "A password was right, and a second factor is waited for."
    ),
    "session.end": KnownAct(Operation.ADMINISTRATION, "A person signed out."),
    "session.expire": KnownAct(Operation.ADMINISTRATION, "Sessions past their end were removed."),
    "session.prove": KnownAct(
        Operation.ADMINISTRATION, "A person was asked to prove again that it is them."
    ),
    "session.refuse": KnownAct(Operation.ADMINISTRATION, "A sign-in was refused."),
    "session.start": KnownAct(Operation.ADMINISTRATION, "A person signed in."),
    "sign-on.decide": KnownAct(
        Operation.ADMINISTRATION, "A second person decided on a proposed provider of sign-in."
    ),
    "sign-on.end": KnownAct(
        Operation.ADMINISTRATION, "The provider of sign-in of an organisation was ended."
    ),
    "sign-on.link": KnownAct(
        Operation.ADMINISTRATION, "A person linked their account with one at the provider."
    ),
    "sign-on.propose": KnownAct(
        Operation.ADMINISTRATION, "A provider of sign-in was proposed for an organisation."
    ),
    "sign-on.read": KnownAct(Operation.ADMINISTRATION, "The settings of single sign-on were read."),
    "sign-on.told": KnownAct(
        Operation.ADMINISTRATION,
        "A provider said that somebody signed out there: their sessions ended, or it was refused.",
    ),
    "sign-on.unlink": KnownAct(
        Operation.ADMINISTRATION, "A person undid the link of their account."
    ),
    "token.create": KnownAct(Operation.ADMINISTRATION, "An API token was made."),
    "token.list": KnownAct(Operation.ADMINISTRATION, "API tokens were listed."),
    "token.refuse": KnownAct(Operation.ADMINISTRATION, "A presented API token was refused."),
    "token.revoke": KnownAct(Operation.ADMINISTRATION, "An API token was revoked."),
    "token.rotate": KnownAct(Operation.ADMINISTRATION, "An API token got a new secret."),
}
