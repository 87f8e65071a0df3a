"""Translation as a task: what is proposed, what goes there and back, what the critics keep."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.data.io import to_table
from impossible.data.schemas import DATASET
from impossible.errors import ParameterError
from impossible.evaluation.baselines.back_translation import RoundTrip
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments import translation
from impossible.experiments.translation import ANY, COPY, ITS_PARAPHRASE, ITSELF, SHUFFLED
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.funnel import check_funnel
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds

LIMITS = Thresholds.translation(Params.load("base"))
PAIRS = [
    ("c", "Prices rose in May.", "In May, prices went up."),
    ("c", "The mayor left.", "The mayor went away."),
    ("d", "A dog barked.", "There barked a dog."),
]
MEANINGS = [*({x, y} for _, x, y in PAIRS), {"Rain fell.", "It rained."}]


class Backwards:
    """Turns the letters of a sentence round; so do two of them make it whole again."""

    def generate(self, sources: Sequence[str], **_: Any) -> list[list[str]]:
        return [[text[::-1]] for text in sources]


class Meaning:
    """A critic that knows which sentences say the same."""

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> Any:
        same = [x == y or any({x, y} <= each for each in MEANINGS) for x, y in pairs]
        return np.array(same, dtype=float)


class Knows(Judge):
    def entails(self, xs: Sequence[str], ys: Sequence[str]) -> Any:
        return Meaning().probabilities(list(zip(xs, ys, strict=True)))


MODELS: Any = SimpleNamespace(critic=Meaning(), parser=FlatParser())
TRIP = RoundTrip(Backwards(), Backwards(), "", "")


def dataset() -> pd.DataFrame:
    frame = pd.DataFrame(PAIRS, columns=["context_id", "source", "target"])
    return frame.assign(domain="news")


def sentences() -> pd.DataFrame:
    texts = [("c", text) for text in ("Rain fell.", "It rained.", "A cat slept.")]
    return pd.DataFrame(texts, columns=["context_id", "text"]).assign(domain="news", reason="")


def trips() -> pd.DataFrame:
    groups = translation.proposed(dataset(), sentences(), 3)
    return translation.round_trips(groups, TRIP, MODELS, LIMITS)


def test_what_is_proposed_and_what_comes_back() -> None:
    found = trips()
    assert found.groupby("group", sort=False).size().to_dict() == dict.fromkeys(
        (ITSELF, ITS_PARAPHRASE, ANY, SHUFFLED, COPY), 3
    )
    there = found[found["group"] != COPY]
    assert (there["y"] == there["via"].str[::-1]).all()
    assert (there["back"] == there["via"]).all()
    copies = found[found["group"] == COPY]
    assert (copies["y"] == copies["x"]).all()
    assert (copies["back"] == copies["x"].str[::-1]).all()
    by = found.set_index("group")
    assert (by.loc[ITSELF, "via"] == by.loc[ITSELF, "x"]).all()
    assert {*zip(by.loc[ITS_PARAPHRASE, "x"], by.loc[ITS_PARAPHRASE, "via"], strict=True)} == {
        (x, y) for _, x, y in PAIRS
    }
    assert not {*by.loc[SHUFFLED, "x"] + by.loc[SHUFFLED, "via"]} & {x + y for _, x, y in PAIRS}
    assert set(by.loc[ANY, "x"]) | set(by.loc[ANY, "via"]) == set(sentences()["text"])
    to_table(found, translation.TRANSLATIONS, "a test")


def test_the_critics_read_what_came_back() -> None:
    agreed = translation.round_trip_agreement(trips(), LIMITS, Knows())
    shares = agreed.groupby("group", sort=False)[["accepted", "same"]].mean()
    # of the three pairs beside each other "Rain fell." and "It rained." say the same
    assert shares["accepted"].to_dict() == {
        ITSELF: 1, ITS_PARAPHRASE: 1, ANY: pytest.approx(1 / 3), SHUFFLED: 0, COPY: 0,
    }  # fmt: skip
    assert shares["same"].to_dict() == {
        ITSELF: 1, ITS_PARAPHRASE: 1, ANY: pytest.approx(1 / 3), SHUFFLED: 0, COPY: 1,
    }  # fmt: skip
    few = Bootstrap(20)
    gap = translation.difference(agreed, "accepted", "group", (ITS_PARAPHRASE, ANY), few)
    assert gap.value == pytest.approx(2 / 3)
    mixed = agreed[agreed["group"].isin([ITS_PARAPHRASE, ANY])]
    assert translation.difference(mixed, "same", "accepted", (1.0, 0.0), few).value == 1
    assert np.isnan(translation.round_trip_agreement(trips(), LIMITS, Judge())["same"]).all()


def test_the_dataset_has_one_translation_of_each_source_and_no_copy() -> None:
    x, good, best = "Prices rose in May.", "oãoz", "oãob"
    rows = [
        (good, x, "v", 0.8),
        (best, x, "v", 0.9),
        ("oãom", x, "v", 0.1),
        ("The v!", x, "the V", 1.0),
    ]
    frame = pd.DataFrame(rows, columns=["y", "x", "via", "p_xy"])
    frame = frame.assign(context_id="c", domain="news", back=x, p_yx=frame["p_xy"])
    made, funnel = translation.kept_translations(hand_scored(frame, LIMITS), LIMITS)
    assert made[["source", "target", "task", "origin"]].to_numpy().tolist() == [
        [x, best, "translation", "translator"]
    ]
    assert funnel.groupby("reason")["n"].sum().to_dict() == {
        "untranslated": 1, "entailment": 1, "not_chosen": 1, "kept": 1,
    }  # fmt: skip
    assert check_funnel(funnel, {"c": 4}) == 4
    to_table(made, DATASET, "a test")


def test_nothing_is_asked_of_other_words_than_a_paraphrase_s() -> None:
    assert (LIMITS.task, LIMITS.rouge_l_max, LIMITS.ted_min) == ("translation", 1.0, 0)
    assert LIMITS.both_directions
    assert LIMITS.length_ratio_max == Params.load("base").length_ratio_max


def test_without_a_translator_it_is_one_sentence() -> None:
    with pytest.raises(ParameterError, match="name both, or leave the notebook out"):
        translation.round_trips({}, None, MODELS, LIMITS)
