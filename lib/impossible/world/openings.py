"""Openings of fresh documents of the closed world, as contexts that no teacher wrote."""

from __future__ import annotations

import numpy as np

from impossible.errors import DataError
from impossible.world.documents import DOMAINS, sample_document

_ATTEMPTS = 200  # documents looked at for one that is long enough


def document_opening(
    domain: str, n_sentences: int, rng: np.random.Generator
) -> tuple[str, str] | None:
    """Prefix and opening of a document, drawn as those that the models learned from.

    The document has at least one more sentence; None if no document was long enough.
    """
    if domain not in DOMAINS:
        raise DataError(
            f"The closed world has no documents of the domain {domain}, only of "
            f"{', '.join(DOMAINS)}: set given_contexts to a text file, or to nothing."
        )
    for _ in range(_ATTEMPTS):
        document = sample_document(rng, domains=[domain])
        if len(document.sentences) > n_sentences:
            sentences = document.sentences[:n_sentences]
            return document.prefix, " ".join((document.prefix, *sentences))
    return None
