"""Bits per token of targets under the teacher, counted by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.evaluation.bootstrap import Bootstrap
from impossible.experiments import target_fluency
from impossible.experiments.target_fluency import FIRST_HAND, surprise_rows, surprising_targets
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel
from impossible.report.dataset_tables import surprise_of_targets
from impossible.report.tables import wide

#: Of the teacher's 101 sentences the k-th costs k/100 bits per token: 99 % cost at most 0.99.
OWN_SENTENCES = pd.DataFrame(
    {"context_id": [f"own {k}" for k in range(101)], "text": [f"{k / 100}" for k in range(101)]}
)
#: D_para: three of five above the line, of which one is equivalent; both others are.
TARGETS = [
    ("D_T", "a", "0.1", 1), ("D_T", "b", "0.2", 0),
    ("D_para", "c", "0.5", 1), ("D_para", "d", "0.99", 1), ("D_para", "e", "1.01", 1),
    ("D_para", "f", "5", 0), ("D_para", "g", "9", 0),
]  # fmt: skip
JUDGED = pd.DataFrame(TARGETS, columns=["group", "context_id", "y", "judged"])


def language_model() -> LanguageModel:
    return LanguageModel(*tiny.gpt2(window=64), "tiny", "0")


def as_written(lm: LanguageModel, sentences: Sequence[str]) -> np.ndarray:
    """A sentence says what it costs; "" is longer than the window."""
    return np.array([float(text or "nan") for text in sentences])


def test_bits_are_those_after_a_full_stop_and_missing_where_nothing_fits() -> None:
    lm, (short, other) = language_model(), tiny.SENTENCES[:2]
    found = target_fluency.bits_per_token(lm, [short, short + " " + " ".join([other] * 9), other])
    by_hand = surprise(lm, [".", "."], [short, other])
    bits = by_hand["nats"] / np.log(2) / by_hand["tokens"]
    assert np.isnan(found[1])
    assert found[[0, 2]] == pytest.approx(bits.to_numpy())


def test_a_target_is_surprising_above_the_teachers_own_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target_fluency, "bits_per_token", as_written)
    judged = pd.concat([JUDGED, pd.DataFrame([("D_para", "h", "", 1)], columns=JUDGED.columns)])
    items, line = surprising_targets(judged, OWN_SENTENCES, language_model())
    assert line == pytest.approx(0.99)
    assert items.groupby("group")["surprising"].sum().to_dict() == {
        "D_T": 0,
        "D_para": 3,
        FIRST_HAND: 1,
    }
    assert items.loc[items["y"] == "", "surprising"].isna().all()
    few, _ = surprising_targets(judged, OWN_SENTENCES, language_model(), seed=1, most=2)
    assert few["group"].value_counts().to_dict() == {"D_T": 2, "D_para": 2, FIRST_HAND: 101}

    rows = surprise_rows(items, "oracle", Bootstrap(samples=50))
    value = rows.set_index(["system", "metric"])["value"]
    assert value["D_para", "bits per token, median"] == 1.01
    assert value["D_para", "surprising, %"] == pytest.approx(60)
    assert value["D_para", "equivalent (oracle) if surprising, %"] == pytest.approx(100 / 3)
    assert value["D_para", "equivalent (oracle) if not, %"] == 100
    assert value["D_T", "equivalent (oracle) if not, %"] == 50
    assert np.isnan(value["D_T", "equivalent (oracle) if surprising, %"])


def test_without_a_judge_the_table_says_nothing_of_equivalence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target_fluency, "bits_per_token", as_written)
    items, _ = surprising_targets(JUDGED.assign(judged=np.nan), OWN_SENTENCES, language_model())
    shown = wide(surprise_rows(items, "none", Bootstrap(samples=50)))
    assert not [name for name in shown if "equivalent" in name]
    assert shown["system"].tolist() == ["D_T", "D_para", FIRST_HAND]


def test_the_table_says_what_a_gate_would_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    class Saved:
        def table(self, *given: object) -> tuple[object, ...]:
            return given

    monkeypatch.setattr(target_fluency, "bits_per_token", as_written)
    items, line = surprising_targets(JUDGED, OWN_SENTENCES, language_model())
    rows = surprise_rows(items, "oracle", Bootstrap(samples=50))
    given = surprise_of_targets(Saved(), rows, line, [])  # type: ignore[arg-type]
    assert given[0] == "para_surprise"
    assert (
        given[-1] == "A gate at 0.99 bits per token would drop 60.0 % of D_para and 0.0 % of D_T."
    )
