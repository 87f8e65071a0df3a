"""Trends: Kendall's τ, the surface_means and the human line by hand; chance has no trend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.evaluation.bootstrap import Interval
from impossible.experiments.proximity_statistics import (
    FEWEST_CONTEXTS,
    claim_verdicts,
    end_difference,
    human_self_bleu,
    interval_says,
    kendall_tau,
    step_trend,
    surface_means,
)
from scipy.stats import kendalltau

PARAMS = Params.load("base", {"bootstrap_samples": 200})


def judged(shares: list[float], contexts: int = 12, pairs: int = 10) -> pd.DataFrame:
    """Pairs after contexts of length 1, 2, …, of which this share is equivalent, at 0.7."""
    rows = [
        (f"c{length}.{i}", length, 0.7, False, float(pair < share * pairs))
        for length, share in enumerate(shares, start=1)
        for i in range(contexts)
        for pair in range(pairs)
    ]
    names = ["context_id", "n_sentences", "temperature", "mixed", "critic"]
    return pd.DataFrame(rows, columns=names)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=7, unique=True))
def test_kendall_is_that_of_scipy_and_turns_with_the_order(values: list[int]) -> None:
    found = kendall_tau(values)
    assert found == pytest.approx(kendalltau(range(len(values)), values).statistic)
    assert kendall_tau(values[::-1]) == pytest.approx(-found)
    assert kendall_tau(sorted(values)) == 1


def test_kendall_by_hand() -> None:
    assert kendall_tau([0.1, 0.3, 0.2]) == pytest.approx(1 / 3)
    assert kendall_tau([0.5, 0.5, 0.5]) == 0
    assert np.isnan(kendall_tau([0.5]))
    assert np.isnan(kendall_tau([0.1, np.nan, 0.2]))
    assert kendall_tau(np.array([[1, 2, 3], [3, 2, 1]])).tolist() == [1, -1]


def test_steps_see_what_the_ends_do_not() -> None:
    steady, jumpy = judged([0.1, 0.2, 0.3, 0.4, 0.5]), judged([0.1, 0.5, 0.4, 0.3, 0.2])
    assert step_trend(steady, "critic", "length", PARAMS) == Interval(1, 1, 1, 600)
    found = step_trend(jumpy, "critic", "length", PARAMS)
    assert found.value == pytest.approx(-0.2)  # 4 of 10 pairs rise, 6 fall
    assert end_difference(jumpy, "critic", "length", PARAMS).low > 0


def test_a_random_critic_has_no_trend() -> None:
    frame = judged([0.1, 0.2, 0.3, 0.4, 0.5])
    noise = np.random.default_rng(0).permutation(frame["critic"])
    found = step_trend(frame.assign(critic=noise), "critic", "length", PARAMS)
    assert found.low < 0 < found.high


def test_a_trend_needs_points_and_contexts() -> None:
    assert np.isnan(step_trend(judged([0.3]), "critic", "length", PARAMS).value)
    assert np.isnan(step_trend(judged([0.1, 0.3]), "critic", "temperature", PARAMS).value)
    few = step_trend(judged([0.1, 0.3], FEWEST_CONTEXTS - 1), "critic", "length", PARAMS)
    assert few.value == 1
    assert np.isnan(few.low)
    frame = judged([0.1, 0.9, 0.3])
    frame["critic"] = frame["critic"].where(frame["n_sentences"] != 2)
    assert step_trend(frame, "critic", "length", PARAMS).value == 1  # of the two points left


def test_every_context_of_a_cell_counts_the_same() -> None:
    many = judged([1.0], contexts=2, pairs=30)
    few = judged([0.0], contexts=6, pairs=5).assign(context_id=lambda f: "d" + f["context_id"])
    gone = judged([0.0], contexts=1).assign(temperature=0.9, critic=np.nan)
    cells = surface_means(pd.concat([many, few, gone]), {"critic": "critic"}, PARAMS)
    cells = cells.set_index(["n_sentences", "temperature"])
    whole, missing = cells.loc[(1, 0.7)], cells.loc[(1, 0.9)]
    assert whole["value"] == pytest.approx(2 / 8)  # not 60 of 90 pairs
    assert 0 <= whole["low"] < whole["value"] < whole["high"] < 1
    assert (whole["n"], missing["n"]) == (8, 0)
    assert np.isnan(missing["value"])


def test_a_cell_of_few_contexts_has_no_interval() -> None:
    cell = surface_means(
        judged([0.5], contexts=FEWEST_CONTEXTS - 1), {"critic": "critic"}, PARAMS
    ).iloc[0]
    assert cell["value"] == 0.5
    assert np.isnan(cell["low"])


def test_verdicts_put_both_readings_side_by_side() -> None:
    claims = [("rises", "critic", "length", 1), ("stays", "critic", "length", 0)]
    shares = [0.1, 0.5, 0.4, 0.3, 0.2]
    less, more = (judged([round(each + by, 1) for each in shares], 6) for by in (-0.1, 0.1))
    varied = pd.concat([less, more.assign(context_id=more["context_id"] + "b")])
    found = claim_verdicts(varied, "none", PARAMS, claims)
    assert found["ends_say"].tolist() == ["shown", "refuted: the interval lies above 0"]
    assert found["ends"][0].value == pytest.approx(0.1)
    assert found["tau"][0].value == pytest.approx(-0.2)
    alike = claim_verdicts(judged(shares), "none", PARAMS, claims)  # no context differs
    assert alike["ends_say"].tolist()[0] == "open: the interval has no width"


def test_a_claim_of_no_change() -> None:
    assert interval_says(Interval(0.1, -0.1, 0.2, 9), 0) == "no change seen"
    assert interval_says(Interval(-0.1, -0.2, -0.05, 9), 0) == "refuted: the interval lies below 0"


def test_the_human_self_bleu_is_the_papers_until_it_can_be_measured(tmp_path: Path) -> None:
    assert human_self_bleu() == human_self_bleu(str(tmp_path)) == (39.0, "paper")
    (tmp_path / "mrpc").mkdir()
    pairs = [("A fire broke out .", "A fire broke out."), ("He left .", "Prices rose .")]
    lines = [
        json.dumps({"id": str(i), "source": x, "target": y, "label": 1 - i})
        for i, (x, y) in enumerate(pairs)
    ]
    (tmp_path / "mrpc" / "test.jsonl").write_text("\n".join(lines))
    value, source = human_self_bleu(str(tmp_path))
    assert source == "measured"
    assert value == pytest.approx(100)  # the second pair is no paraphrase
