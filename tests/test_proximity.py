"""Proximity: pairs, verdicts and points by hand; the control and a random critic find nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import CONTEXTS, SENTENCES
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.judges import Judge
from impossible.experiments import proximity
from impossible.experiments.proximity import (
    JUDGED_PAIRS,
    draw_for_surface,
    draw_judged_pairs,
    identical_fraction,
    in_panels,
    mixed_lengths,
    random_pairs,
    surface_contexts,
    verdicts_of_parts,
    with_verdicts,
)
from impossible.experiments.proximity_numbers import (
    given_gaps,
    proximity_expected,
    proximity_numbers,
)
from impossible.experiments.proximity_statistics import (
    claim_verdicts,
    end_difference,
    interval_says,
    panel_points,
    point_means,
    proximity_examples,
    threshold_sensitivity,
    weakest_end_difference,
)


class SameTopic:
    """A critic for sentences "TOPIC wording": entailment within a topic; it counts its pairs."""

    def __init__(self) -> None:
        self.seen = 0

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.seen += len(pairs)
        return np.array([0.9 if x.split()[0] == y.split()[0] else 0.1 for x, y in pairs])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.integers(1, 40))
def test_pairs_are_different_texts_and_as_many_as_there_are(texts: list[str], n: int) -> None:
    pairs = random_pairs(texts, None, n, rng())
    possible = sum(x != y for i, x in enumerate(texts) for y in texts[i + 1 :])
    assert len(pairs) == min(n, possible)
    assert all(x != y and x in texts and y in texts for x, y in pairs)


@given(st.lists(st.sampled_from("ab"), max_size=5), st.lists(st.sampled_from("bc"), max_size=5))
def test_control_pairs_come_from_both_contexts(first: list[str], second: list[str]) -> None:
    pairs = random_pairs(first, second, 100, rng())
    assert sorted(pairs) == sorted((x, y) for x in first for y in second if x != y)


def test_every_pair_is_drawn_equally_often() -> None:
    counts = pd.Series(
        ["".join(sorted(random_pairs("abcd", None, 1, rng(i))[0])) for i in range(1200)]
    ).value_counts()
    assert len(counts) == 6
    assert counts.min() > 150


def test_both_directions_must_reach_the_threshold() -> None:
    scores = {"p_xy": [0.75, 0.9, 0.9, 0.2], "p_yx": [0.75, 0.7, 0.8, np.nan]}
    judged = pd.DataFrame(scores, dtype="float32").assign(x="A fire.", y="A blaze.")
    found = with_verdicts(judged, Judge(), Params.load("base"))
    assert found["critic"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert found["judge"].isna().all()
    assert found["self_bleu"].notna().tolist() == [True, False, True, False]
    assert found["weaker"].round(2).tolist() == pytest.approx([0.75, 0.7, 0.8, 0.2], abs=1e-6)
    rows = threshold_sensitivity(found.assign(judge=[1.0, 1.0, 0.0, 0.0]), [0.6, 0.8])
    assert rows["ratio"].tolist() == [0.75, 0.25]
    assert rows["precision"].tolist() == pytest.approx([2 / 3, 0])
    assert rows["recall"].tolist() == [1.0, 0.0]
    shown = proximity_examples(found, "referee", 0.72, 1)
    assert list(shown)[-1] == "referee"
    assert shown.loc["equivalent"].index.tolist() == [2]
    assert shown.loc["rejected"].index.tolist() == [3]
    assert shown.loc["nearest"].index.tolist() == [1]


def world(contexts: int = 12) -> tuple[pd.DataFrame, dict[float, pd.DataFrame]]:
    """Contexts of length 1 with two topics, of length 2 with one; all cold sentences agree."""
    frame = pd.DataFrame(
        [(f"c{i}", "news", 1 + i % 2, "", f"C{i}.") for i in range(contexts)],
        columns=CONTEXTS.names,
    )
    sentences = {}
    for heat in (0.5, 0.7):
        rows = []
        for i in range(contexts):
            topics = 1 if heat == 0.5 or i % 2 else 2
            rows += [(f"c{i}", "", j, "", f"t{i}.{j % topics} w{j}.", "") for j in range(8)]
            rows.append((f"c{i}", "", 8, "", "", "no_end"))
        sentences[heat] = pd.DataFrame(rows, columns=SENTENCES.names)
    return frame, sentences


@pytest.fixture
def judged(tmp_path: Path) -> pd.DataFrame:
    contexts, sentences = world()
    params = Params.load("base", {"proximity_contexts": 6, "proximity_pairs": 10})
    run = RunFolder.open(tmp_path / "run")
    critic = SameTopic()
    frame = draw_judged_pairs(run, critic, contexts, sentences, params)
    before = critic.seen
    again = draw_judged_pairs(run, critic, contexts, sentences, params)
    pd.testing.assert_frame_equal(frame, again)
    assert critic.seen == before  # all from the parts
    return with_verdicts(frame, Judge(), params)


def test_judged_pairs_and_control(judged: pd.DataFrame) -> None:
    assert list(judged.columns)[: len(JUDGED_PAIRS)] == JUDGED_PAIRS.names
    assert judged.groupby("item").size().eq(12).all()  # 10 pairs and 2 control pairs
    assert judged.loc[judged["control"], "critic"].sum() == 0
    assert "" not in set(judged["x"]) | set(judged["y"])


def test_points_of_both_panel_points(judged: pd.DataFrame) -> None:
    params = Params.load("base", {"bootstrap_samples": 200})
    own = judged[~judged["control"]]
    assert [(axis, x) for axis, x, _ in panel_points(own, 0.7)] == [
        ("length", 1.0), ("length", 2.0), ("temperature", 0.5), ("temperature", 0.7),
    ]  # fmt: skip
    rows = point_means(own, {"critic": "critic"}, params).set_index(["axis", "x"])
    assert rows.at[("length", 2.0), "value"] == 1.0
    assert rows.at[("temperature", 0.5), "value"] == 1.0
    assert 0.2 < rows.at[("length", 1.0), "value"] < 0.7  # 12 of 28 pairs share a topic
    assert (rows["low"] <= rows["value"]).all()
    assert set(rows["n"]) == {60}
    kept = point_means(own.assign(p=own["critic"].replace(0.0, np.nan)), {"p": "p"}, params)
    assert (kept["value"] == 1).all()  # missing is not zero


def test_contrasts_have_the_right_sign_and_interval(judged: pd.DataFrame) -> None:
    params, own = Params.load("base", {"bootstrap_samples": 200}), judged[~judged["control"]]
    longer = end_difference(own, "critic", "length", params)
    warmer = end_difference(own, "critic", "temperature", params)
    assert longer.low > 0 > warmer.value
    assert warmer.high <= 0  # few contexts here: the interval may end at 0
    assert longer.low < longer.value < longer.high
    few = own[own["context_id"].isin({"c0", "c1", "c2", "c3"})]
    assert np.isnan(end_difference(few, "critic", "length", params).low)
    assert np.isnan(end_difference(own.iloc[:0], "critic", "length", params).value)


def test_parts_and_numbers_of_one_run(judged: pd.DataFrame) -> None:
    params = Params.load("base", {"bootstrap_samples": 50})
    scored = judged[JUDGED_PAIRS.names]
    surface = scored.assign(mixed=False)[scored["temperature"] != params.sentence_temperature]
    both = pd.concat([scored[in_panels(scored, 0.7)], surface], ignore_index=True)
    every, own, far = verdicts_of_parts(both, Judge(), params)
    assert len(every) == (~both["control"]).sum() > len(own) > 0
    assert not own["control"].any()
    assert far["control"].all()
    assert in_panels(far, 0.7).all()
    assert in_panels(own, 0.7).all()
    cold = own[own["temperature"] == params.sentence_temperature]
    gaps = given_gaps(own, far, cold, "referee", params)
    assert gaps["own − given contexts, critic"].value == 0  # the same pairs on both sides
    assert np.isnan(gaps["own − given contexts, referee"].value)  # nobody judges
    numbers = proximity_numbers(
        own, far, claim_verdicts(own, "referee", params), gaps, (39.0, "paper"), "referee", params
    )
    assert not [name for name in numbers if "oracle" in name], "the name follows the judge"
    assert np.isnan(numbers["ratio_referee"])
    assert numbers["ratio"] == own["critic"].mean()
    assert numbers["ratio_control"] == 0
    assert numbers["self_bleu_human_paper"] == 39
    assert numbers["own − given contexts, critic"][0] == 0
    longer = end_difference(own, "critic", "length", params)
    assert numbers["critic_length"] == longer.bounds
    assert {"tau_critic_length", "control_critic_length", "self_bleu_over_human"} <= set(numbers)


def test_one_row_of_the_surface_that_disagrees_is_enough() -> None:
    """The ratio rises with length by 1 at 0.5, and by 1, 0 or -1 at 0.7; eight contexts a cell."""
    params = Params.load("base", {"bootstrap_samples": 200})

    def surface(step: float) -> pd.DataFrame:
        rise = {(0.5, 1): 0.0, (0.5, 2): 1.0, (0.7, 1): (1 - step) / 2, (0.7, 2): (1 + step) / 2}
        return pd.DataFrame(
            [
                (heat, n, f"{n} {i}", value + (i % 2) / 9)
                for (heat, n), value in rise.items()
                for i in range(8)
            ],
            columns=["temperature", "n_sentences", "context_id", "critic"],
        )

    agree, level, turned = (
        weakest_end_difference(surface(step), "critic", "length", params) for step in (1, 0, -1)
    )
    assert agree.value == pytest.approx(1)
    assert agree.low > 0
    assert level.low < 0 < level.high < 1
    assert turned.high < 0
    few = surface(1).query("context_id in ('1 0', '1 1', '2 0', '2 1')")
    alone = weakest_end_difference(few, "critic", "length", params)
    assert alone.value == pytest.approx(1)
    assert np.isnan(alone.low)


def test_expectations_of_proximity(judged: pd.DataFrame) -> None:
    params = Params.load("base", {"bootstrap_samples": 200, "sentence_temperature": 0.5})
    own, far = (judged[judged["control"] == away] for away in (False, True))
    claims = claim_verdicts(own, "referee", params)
    found = proximity_expected(claims, own, own, far, "referee", params)
    said = {each.says: each for each in found}
    assert len(said) == len(found) == 14
    assert said["ratio (critic), hottest − coldest, % points"].bound == "< 0"
    assert said["τ of the ratio (critic) over lengths"].bound == "> 0"
    gap = said["ratio (critic), one context − two contexts, % points"]
    assert gap.found.value == 100  # cold sentences of a context agree, those of two never
    nobody = [each.outcome for each in found if "referee" in each.says]
    assert nobody == ["not measured"] * 7


def test_a_random_critic_finds_no_difference(judged: pd.DataFrame) -> None:
    own = judged[~judged["control"]].assign(noise=rng().random((~judged["control"]).sum()) < 0.3)
    found = end_difference(own, "noise", "length", Params.load("base", {"bootstrap_samples": 500}))
    assert found.low < 0 < found.high


def test_the_surface_takes_more_contexts_and_fewer_pairs(
    judged: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts, sentences = world()
    params = Params.load("base", {
        "proximity_contexts": 6, "proximity_pairs": 10, "proximity_temperatures": [0.5, 0.7],
        "proximity_surface_contexts": 5, "proximity_surface_pairs": 2})  # fmt: skip
    asked = []

    def drawn(run, lm, wanted, given, stage, heat):  # type: ignore[no-untyped-def]
        asked.append((len(wanted), given.k, heat))
        return sentences[heat][sentences[heat]["context_id"].isin(wanted["context_id"])]

    monkeypatch.setattr(proximity, "draw_sentences", drawn)
    run = RunFolder.open(tmp_path / "run")
    more = draw_for_surface(run, None, SameTopic(), contexts, params)  # type: ignore[arg-type]
    assert asked == [(4, 4, 0.5)]  # 5 of each of 2 lengths, 3 of them in the panel already
    assert set(surface_contexts(contexts, params)["n_sentences"]) == {1, 2}
    assert more[~more["control"]].groupby("item").size().tolist() == [2] * 4
    assert not in_panels(more, 0.7).any()
    panel = judged[in_panels(judged, 0.7)]  # the fixture has every context at every temperature
    assert not set(more["item"]) & set(panel["item"])
    for (_, _, before), (_, _, after) in zip(
        panel_points(panel, 0.7), panel_points(pd.concat([panel, more]), 0.7), strict=True
    ):
        assert len(before) == len(after)
    enough = params.model_copy(update={"proximity_surface_contexts": 3})
    assert surface_contexts(contexts, enough).empty


def test_mixed_lengths_holds_all_lengths() -> None:
    contexts, _ = world()
    chosen = contexts[contexts["context_id"].isin(mixed_lengths(contexts, 6))]
    assert chosen["n_sentences"].value_counts().to_dict() == {1: 3, 2: 3}
    assert mixed_lengths(contexts.iloc[:0], 6) == set()


@pytest.mark.parametrize(
    ("low", "high", "sign", "expected"),
    [
        (0.1, 0.3, 1, "shown"),
        (-0.3, -0.1, -1, "shown"),
        (-0.3, -0.1, 1, "refuted"),
        (-0.1, 0.3, 1, "open: the interval"),
        (np.nan, np.nan, 1, "open: no interval"),
    ],
)
def test_readings(low: float, high: float, sign: int, expected: str) -> None:
    value = 0.2 if np.isnan(low) else (low + high) / 2
    assert interval_says(Interval(value, low, high, 9), sign).startswith(expected)


def test_identical_share_by_hand() -> None:
    rows = [("a", "", i, "", text, "") for i, text in enumerate("xxy")]
    rows.append(("b", "", 0, "", "", "no_end"))
    frame = pd.DataFrame(rows, columns=SENTENCES.names)
    assert identical_fraction(frame) == pytest.approx(1 / 3)
    assert np.isnan(identical_fraction(frame.iloc[3:]))
