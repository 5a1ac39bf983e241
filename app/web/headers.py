"""Headers that every answer of the platform carries: what a browser may do with it.

The content security policy allows nothing but the platform's own files: no inline script, no inline
style, no other host. Trusted Types (W3C) turn a string that reaches a script sink into an error.
"""

from flask import Flask, Response

from app.access import current_caller
from app.config import Settings

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types postern-worker",  # of premises.js: it lets one address become a script
    )
)

_FIXED = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_TWO_YEARS = 63_072_000  # seconds


def install_headers(app: Flask, settings: Settings) -> None:
    """Set the headers on every answer; a value that a view chose for caching is kept.

    A page, and whatever is answered to a signed-in person or a token, is stored nowhere on its
    way.
    """
    fixed = dict(_FIXED)
    if settings.platform.origin.startswith("https://"):
        fixed["Strict-Transport-Security"] = f"max-age={_TWO_YEARS}"

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(fixed)
        if current_caller() is not None or response.mimetype == "text/html":
            response.headers["Cache-Control"] = "no-store"
        return response
