"""The description of the interface (OpenAPI 3.1), made from the views, the guard and the schemas.

What a view needs (roles, scope, act) is read from `@audited` itself, so that the description cannot
say something else than the guard does.
"""

from http import HTTPStatus
from threading import Lock
from typing import Any, cast

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import INCLUDE, Schema, fields
from werkzeug.routing import Rule

from app.errors import (
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    PosternError,
    SignInNeededError,
    TooLargeError,
    UnsupportedMediaTypeError,
)

PROBLEM_TYPE = "application/problem+json"

_KEPT = "postern-openapi"

_DESCRIPTION = """\
Postern lets postal and courier operators, customs and police exchange pseudonymised indicators of
drug smuggling by post. The platform never receives a clear identifier: programs on an
organisation's own premises normalise, blind and unblind, and send the results here.

**Signing in.** Programs send `Authorization: Bearer pst_...`. A token acts for one person, with the
scopes it was given and never more than the person's roles. Browsers use their session cookie and,
for whatever changes something, the header `X-CSRFToken`.

**Log.** Every operation that needs a sign-in is an act in the audit log, whether it succeeds or is
refused. The log is written durably before the answer leaves.

**Errors.** Every error is a problem document (RFC 9457). `code` is stable, `detail` says what
happened, `remedy` what to do, `instance` is the reference under which the platform's administrator
finds the request. What does not exist and what you may not see are the same answer.

**Writing.** Bytes are base64url without padding, days `YYYY-MM-DD`, moments ISO 8601 in UTC.
Unknown fields are refused.
"""


class ProblemSchema(Schema):
    """What every error looks like (RFC 9457); some codes add members, see the list of errors."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(metadata={"description": "Address of the error's explanation."})
    title = fields.String(metadata={"description": "The kind of error, in one sentence."})
    status = fields.Integer(metadata={"description": "The HTTP status."})
    code = fields.String(metadata={"description": "Stable code of the kind of error."})
    detail = fields.String(metadata={"description": "What happened, in one sentence."})
    remedy = fields.String(metadata={"description": "What to do, in one sentence."})
    instance = fields.String(
        metadata={"description": "Reference of the request, as in the header X-Request-Id."}
    )


class Interface(Api):  # type: ignore[misc]  # flask-smorest has no types
    """The API extension, with errors left to app/problems.py and described as they leave there."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask, origin: str) -> None:
        self.lock = Lock()
        self._undescribed: list[Blueprint] = []
        super().__init__(
            app,
            spec_kwargs={
                "info": {
                    "summary": "Exchange of pseudonymised indicators of smuggling by post.",
                    "description": _DESCRIPTION,
                    "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
                },
                "servers": [{"url": origin}],
            },
        )
        # Its commands print the description before the guard's demands are in it.
        app.cli.commands.pop("openapi", None)
        self.spec.components.security_scheme(
            "bearer",
            {"type": "http", "scheme": "bearer", "description": "An API token, `pst_...`."},
        )
        self.spec.components.security_scheme(
            "session",
            {
                "type": "apiKey",
                "in": "cookie",
                "name": app.config["SESSION_COOKIE_NAME"],
                "description": "The session of a browser.",
            },
        )

    def register_blueprint(self, blp: Blueprint, **options: Any) -> None:
        """Register the views; they are described when the description is asked for.

        Describing them takes most of a start, and few processes are ever asked.
        """
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)

    def description(self) -> dict[str, Any]:
        """The OpenAPI document of what has been registered, as flask-smorest makes it."""
        while self._undescribed:
            blueprint = self._undescribed.pop(0)
            blueprint.register_views_in_doc(
                self, self._app, self.spec, name=blueprint.name, parameters=None
            )
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        return cast("dict[str, Any]", self.spec.to_dict())

    def _register_error_handlers(self) -> None:
        """None: they would answer in another shape than app/problems.py."""

    def _register_pagination_header(self) -> None:
        """None: pages of the interface carry their cursor in the body."""

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemSchema)
        for status in HTTPStatus:
            self.spec.components.response(status.name, _problem(status.phrase), lazy=True)
        self.spec.components.response("DEFAULT_ERROR", _problem("Any other error."), lazy=True)


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of `app`, made once for the life of the process."""
    with app.extensions["postern-api"].lock:  # who asks meanwhile must not get half of it
        if _KEPT not in app.extensions:
            app.extensions[_KEPT] = _make(app)
    return cast("dict[str, Any]", app.extensions[_KEPT])


def _make(app: Flask) -> dict[str, Any]:
    interface = app.extensions["postern-api"]
    made: dict[str, Any] = interface.description()
    for rule in app.url_map.iter_rules():
        path = made["paths"].get(interface.flask_plugin.flaskpath2openapi(rule.rule), {})
        methods = [method for method in path if method.upper() in (rule.methods or ())]
        for method in methods:
            _complete(path[method], method, rule, app.view_functions[rule.endpoint])
    _make_portable(made)
    return made


def _complete(operation: dict[str, Any], method: str, rule: Rule, view: object) -> None:
    """Add to an operation what the guard demands, and the errors that follow from it."""
    operation["operationId"] = f"{rule.endpoint.replace('.', '_')}_{method}"
    refusals: list[type[PosternError]] = []
    if getattr(view, "audit_public", False):
        operation["security"] = []
    else:
        refusals += [SignInNeededError, NotAllowedError]
        _tell_demands(operation, view)
    if rule.arguments:
        refusals.append(NotFoundError)
    if "requestBody" in operation:
        refusals += [TooLargeError, UnsupportedMediaTypeError]
    if "requestBody" in operation or "422" in operation["responses"]:
        refusals.append(InvalidRequestError)
    for refusal in refusals:
        described = f"`{refusal.code}`: {refusal.title}."
        told = _problem(described)
        if rule.rule.startswith("/errors/"):  # a page for people, which gives its error as one too
            told["content"]["text/html"] = {"schema": {"type": "string"}}
        operation["responses"][str(refusal.status)] = told
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _tell_demands(operation: dict[str, Any], view: object) -> None:
    roles = sorted(role.value for role in getattr(view, "audit_roles", ()))
    scope = getattr(view, "audit_scope", None)
    takes_token = scope is not None or getattr(view, "audit_any_scope", False)
    act = getattr(view, "audit_act", None)
    operation["security"] = [{"bearer": []}] * takes_token + [{"session": []}]
    operation["x-postern-roles"] = roles
    operation["x-postern-scope"] = scope.value if scope else None
    operation["x-postern-act"] = act
    whose = "For everybody who is signed in."
    if roles:
        whose = f"For the role{'s' * (len(roles) > 1)} {', '.join(roles)}."
    if scope:
        token = f"An API token needs the scope `{scope.value}`."
    elif takes_token:
        token = "Any API token may be used."  # noqa: S105 - a sentence, not a secret
    else:
        token = "API tokens are refused."  # noqa: S105 - a sentence, not a secret
    logged = f"In the audit log: `{act}`." if act else "It adds nothing to the audit log."
    told = f"{whose} {token} {logged}"
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), told]))


def _make_portable(part: Any) -> None:
    """Say what marshmallow means in the words of JSON Schema, throughout `part`."""
    if isinstance(part, list):
        for item in part:
            _make_portable(item)
        return
    if not isinstance(part, dict):
        return
    for item in part.values():
        _make_portable(item)
    if isinstance(part.get("pattern"), str):
        # marshmallow matches from the beginning; JSON Schema (ECMA 262) searches, and knows no \Z.
        part["pattern"] = f"^(?:{part['pattern'].removeprefix('^')})".replace(r"\Z", "$")
    if isinstance(part.get("enum"), list) and "type" not in part:
        part["type"] = ["string", "null"] if None in part["enum"] else "string"
    # Such a default tells the service that a field was not sent; it is no value to send.
    default = part.get("default", ...)
    if default is None or default == [] or (default == 0 and part.get("minimum", 0) > 0):
        del part["default"]


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": schema}}}
