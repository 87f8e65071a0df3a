"""The second language: one translation for all wordings of one order, another for another fact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.world import equivalent_facts, parse, realize
from impossible.world.constructions import CONSTRUCTIONS
from impossible.world.documents import sample_document
from impossible.world.pivot import PARTICLES, translate, word

seeds = st.integers(0, 10_000)


def test_by_hand() -> None:
    fire, school, destroy = word("noun", "fire"), word("noun", "school"), word("frame", "destroy")
    active = translate("A fire destroyed the school.")
    assert active == f"{fire} ka {school} lo {destroy}."
    assert translate("The school was wrecked by the blaze.") == f"{school} lo {fire} ka {destroy}."
    assert translate("A fire did not destroy the school.") == active[:-1] + " nu."
    assert translate(
        "Twelve schools collapsed.",
    ).split()[:3] == ["12", school, "lo"]
    assert translate("School the fire.") is None


@given(seeds)
def test_synonyms_and_constructions_of_one_order_are_one_sentence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fact = sample_document(rng).facts[0]
    for construction in CONSTRUCTIONS:
        try:
            texts = {realize(fact, rng, construction.name) for _ in range(3)}
        except ValueError:
            continue
        # "took on Friday" is not parsed (see `grammar`), and so not translated
        found = [translation for text in texts if (translation := translate(text))]
        bags = {tuple(sorted(text.rstrip(".").split())) for text in found}
        assert len(bags) <= 1, texts  # the order of modifiers may differ, the words may not


@given(seeds)
def test_what_differs_in_meaning_differs_in_translation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = (sample_document(rng).sentences[-1] for _ in range(2))
    facts = parse(one), parse(two)
    if None not in facts and not equivalent_facts(*facts):
        assert translate(one) != translate(two)


def test_words_resemble_no_particle() -> None:
    assert len(set(PARTICLES.values())) == len(PARTICLES)
    assert word("noun", "fire") not in PARTICLES.values()


@pytest.mark.parametrize("text", ["", "…", "The", "Prices rose!"])
def test_nothing_is_made_up_for_what_is_no_sentence(text: str) -> None:
    assert translate(text) is None
