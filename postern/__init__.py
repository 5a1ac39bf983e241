"""Postern on an organisation's own premises: clear values never leave this package.

The package normalises an identifier, derives its facets, has them evaluated blindly by the
platform and speaks to the platform's interface. It never imports the platform's code (`app`).
"""

__version__ = "0.1.0"
