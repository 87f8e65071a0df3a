"""HTML pages from the templates beside the code: text escaped, nothing missing passed over."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@cache
def template(name: str) -> Template:
    """The template `NAME.html.j2`; all text is escaped, and an undefined name is an error."""
    environment = Environment(
        loader=PackageLoader("impossible", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["csp_hash"] = csp_hash
    return environment.get_template(f"{name}.html.j2")


def csp_hash(script: str) -> str:
    """What a Content-Security-Policy calls an inline script: a page that names it runs no other.

    >>> csp_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
