"""Judges: what each can say, and that silence is missing and never zero."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.data.io import write_text
from impossible.errors import ParameterError
from impossible.evaluation.corrected_rates import ErrorRates, chosen_by_critics
from impossible.evaluation.fractions import fraction_by_group, fractions_of, rows_by_group
from impossible.evaluation.human.forms import draw_kit, write_kit
from impossible.evaluation.human.returned_ratings import write_synthetic
from impossible.evaluation.judges import Judge, People, Referee, load_judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.metrics import titles
from impossible.evaluation.paraphrase_metrics import score_predictions
from impossible.evaluation.referee_errors import ship_errors
from impossible.evaluation.systems import copy_input, item_scores, mean_rows, paired_gain, predict
from impossible.report import tables
from impossible.report.side_by_side import judged, judged_summaries

X = ["A fire destroyed a school on Monday.", "A fire destroyed a school.", "Not of this world."]
Y = ["A fire destroyed a school.", "The blaze wrecked a school.", "A fire destroyed a school."]
PARAMS = {
    "dtype": "float32", "device": "cpu", "batch_tokens": 4096, "human_data": "", "human_n": 10,
    "seed": 0,
}  # fmt: skip


class Said(Judge):
    """A referee that calls equivalent what begins alike, and errs as is known."""

    name = "referee"
    errors = MappingProxyType({"equivalence": ErrorRates(10, 8, 10, 9, "labels")})

    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        return np.array([float(x[:1] == y[:1]) for x, y in zip(xs, ys, strict=True)])


def test_none_is_silent() -> None:
    judge = load_judge("none")
    answers = [judge.entails(X, Y), judge.equivalent(X, Y), judge.coverage(X, Y)]
    assert np.isnan([*answers, judge.good_summaries(X, Y, 0.8)]).all()
    assert judge.meaning("a b") == "a b"


def test_the_oracle_is_exact_in_its_world_and_silent_outside() -> None:
    judge = load_judge("oracle")
    assert judge.entails(X, Y)[:2].tolist() == [1, 1]
    assert judge.equivalent(X, Y)[:2].tolist() == [0, 1]
    assert judge.equivalent(X[:1], X[2:]).tolist() == [0]  # no sentence of the world
    assert judge.good_summaries(X, Y, 0.8)[:2].tolist() == [1, 0]  # the second is not short
    assert judge.good_summaries(X[1:2], X[1:2], 1.0).tolist() == [1]
    for answers in (judge.entails(X, Y), judge.equivalent(X, Y), judge.good_summaries(X, Y, 0.8)):
        assert np.isnan(answers[2])
    assert judge.meaning(X[1]) == judge.meaning(Y[1]) != judge.meaning(X[0])
    assert judge.meaning(X[2]) == X[2]


def test_a_judge_of_ones_own() -> None:
    assert load_judge("impossible.evaluation.judges:Judge").name == "none"
    with pytest.raises(ParameterError, match="no judge 'oracel'"):
        load_judge("oracel")


def test_the_referee_follows_its_model(tmp_path: Path) -> None:
    folder = str(tiny.save(tmp_path / "nli", *tiny.critic()))
    params = SimpleNamespace(**PARAMS, referee=folder)
    judge = load_judge("referee", params)
    assert isinstance(judge, Referee)
    xs, ys = tiny.SENTENCES[:4], tiny.SENTENCES[1:5]
    forward, back = judge.entails(xs, ys), judge.entails(ys, xs)
    assert forward.tolist() == judge.critic.entails(list(zip(xs, ys, strict=True))).tolist()
    assert judge.equivalent(xs, ys).tolist() == (forward * back).tolist()
    assert judge.equivalent(xs[:1], [""]).tolist() == [0]
    assert judge.entails(["a " * 300, xs[0]], ["a", ys[0]]).tolist()[1] == forward[0]
    assert np.isnan(judge.equivalent(["a"], ["a " * 300])).all()  # too long: cannot be judged
    assert not judge.errors
    with pytest.raises(ParameterError, match="names no NLI model"):
        load_judge("referee", SimpleNamespace(referee="none"))


def test_people_judge_what_they_rated_and_nothing_else(tmp_path: Path) -> None:
    outputs = pd.DataFrame(
        {
            "system": ["s", "s", "t", "t"], "item": list("abab"), "source": ["a b", "c d"] * 2,
            "references": [[]] * 4, "output": ["b a", "d c", "x", "y"],
        }
    )  # fmt: skip
    kit = draw_kit(outputs, n_rated=2, n_raters=3)
    write_kit(kit, tmp_path)
    write_synthetic(kit, tmp_path)
    assert np.isnan(load_judge("people", SimpleNamespace(ratings="")).entails(X, Y)).all()
    rated = SimpleNamespace(ratings=str(tmp_path))
    assert np.isnan(load_judge("people", rated).entails(["a b"], ["b a"])).all()  # synthetic
    for path in tmp_path.glob("*.csv"):  # as if people had sent them: "faithful" is 3 for s
        lines = path.read_text().replace("synthetic-", "").splitlines()
        rows = [line.split(",") for line in lines[1:]]
        good = {row.unit for row in kit.units.itertuples() if "s" in row.systems}
        for row in rows:
            row[lines[0].split(",").index("faithful")] = "3" if row[2] in good else "2"
        write_text(path, "\n".join([lines[0], *map(",".join, rows)]) + "\n")
    judge = load_judge("people", rated)
    found = judge.equivalent(["a b", "c d", "a b", "a b"], ["b a", "d c", "x", "never rated"])
    assert found[:3].tolist() == [1, 1, 0]
    assert np.isnan(found[3])


def test_a_tie_of_people_is_no_yes() -> None:
    assert People({("a", "b"): 0.5}).entails(["a"], ["b"]).tolist() == [0]


def test_a_referee_is_measured_on_labels_and_knows_its_own_counts_only(tmp_path: Path) -> None:
    folder = str(tiny.save(tmp_path / "nli", *tiny.critic()))
    x, y = tiny.SENTENCES[0], tiny.SENTENCES[1]
    pairs = [{"source": x, "target": t, "label": int(t == x)} for t in (x, y, "a " * 300)]
    write_text(tmp_path / "data/mrpc/train.jsonl", "\n".join(map(json.dumps, pairs)))
    measured = PARAMS | {"human_data": str(tmp_path / "data"), "human_n": 9}
    judge = load_judge("referee", SimpleNamespace(**measured, referee=folder))
    assert isinstance(judge, Referee)
    counts = judge.errors["equivalence"]
    assert (counts.positives, counts.negatives) == (1, 1)  # the third is too long to be judged
    assert counts.hits == judge.equivalent([x], [x])[0]
    assert counts.rejections == 1 - judge.equivalent([x], [y])[0]
    ship_errors(judge, folder, judge.critic.lm.digest, tmp_path / "data")
    assert load_judge("referee", SimpleNamespace(**PARAMS, referee=folder)).errors == judge.errors
    tiny.save(tmp_path / "nli", *tiny.critic(seed=1))  # other weights: the counts are not theirs
    assert not load_judge("referee", SimpleNamespace(**PARAMS, referee=folder)).errors


ITEMS = pd.DataFrame(
    {"id": list("abcd"), "source": ["a b c d e", "b c d e f", "c d e f g", "d e f g h"]}
).assign(references=[[]] * 4)


def test_a_rate_by_a_referee_is_shown_corrected_and_raw() -> None:
    other = ["a x y z", "b x y z", "c d e f g", ""]  # two rewritten, a copy, nothing
    found = predict({"copy": copy_input, "ours": lambda items: other}, ITEMS)
    rows = score_predictions(found, metrics=["fidelity", "paraphrase"], judge=Said())
    value = rows.set_index(["system", "metric"])["value"]
    assert value["ours", "fidelity_raw"] == 75
    # asked for three of four: (3 - 0.1 · 3) / 4 / 0.7, at most 100
    assert value["ours", "fidelity"] == pytest.approx(100 * 2.7 / 4 / 0.7)
    assert value["ours", "paraphrase_raw"] == 50
    assert value["ours", "paraphrase"] == pytest.approx(100 * (2 - 0.2) / 4 / 0.7)
    assert value["copy", "fidelity"] == 100
    assert value["copy", "paraphrase"] == 0
    assert "rogan-gladen" in rows["signature"].iloc[0]
    assert list(titles(["fidelity"], Said())) == ["fidelity", "fidelity_raw"]
    scores = item_scores(found, Said(), metrics=["fidelity", "paraphrase"])
    assert scores["paraphrase"].tolist()[4:] == [100, 100, 0, 0]  # verdicts as they are
    means = mean_rows(scores, ["fidelity", "paraphrase"], judge=Said())
    assert means.set_index(["system", "metric"])["value"].equals(value)
    gain = paired_gain(scores, "ours", "copy", ["paraphrase"], judge=Said()).set_index("metric")
    assert gain["value"]["paraphrase"] == pytest.approx(value["ours", "paraphrase"])
    assert gain["value"]["paraphrase_raw"] == 50
    raw = paired_gain(scores, "ours", "copy", ["paraphrase"])
    assert raw["value"].item() == 50
    said = fraction_by_group([1.0, 0.0], ["g", "g"], errors=Said.errors["equivalence"])
    assert said["value"].item() == pytest.approx((0.5 - 0.1) / 0.7)


def test_a_referee_no_better_than_chance_corrects_nothing() -> None:
    class Coin(Said):
        errors = MappingProxyType({"equivalence": ErrorRates(10, 5, 10, 5, "labels")})

    rows = score_predictions(
        predict({"copy": copy_input}, ITEMS), metrics=["fidelity"], judge=Coin()
    ).set_index("metric")
    assert rows["signature"]["fidelity"].startswith("missing: the judge is no better than chance")
    assert rows["value"]["fidelity_raw"] == 100
    assert list(titles(["fidelity"], Coin())) == ["fidelity_raw"]
    assert Coin().named("equivalence") == "referee, raw"
    assert Said().named("equivalence") == "referee, corrected"
    assert Said().named("entailment") == "referee"
    assert "rates are not corrected" in Coin().reliability()
    shown = tables.wide(rows.reset_index())
    assert list(shown) == ["system", "fidelity_raw", "n"], "no empty column beside the raw one"
    frame = pd.DataFrame({"group": ["g"] * 2, "context_id": ["a", "b"], "same": [1.0, 0.0]})
    once = rows_by_group(frame, {"same, %": "same"}, errors={"same": Coin.errors["equivalence"]})
    assert once["metric"].tolist() == ["same, %"]


def test_a_referee_that_denies_copies_of_new_sentences_is_not_corrected_there() -> None:
    class Half:
        """Accepts what begins with a capital letter."""

        def fits(self, pairs: list[tuple[str, str]]) -> list[bool]:
            return [True] * len(pairs)

        def entails(self, pairs: list[tuple[str, str]]) -> np.ndarray:
            return np.array([x[0].isupper() for x, _ in pairs])

    errors = {"entailment": ErrorRates(100, 87, 100, 90, "labels")}
    known = Referee(Half(), errors)  # type: ignore[arg-type]
    alike, other = [f"A {i}" for i in range(16)], [f"a {i}" for i in range(16)]
    assert known.on(alike).named("entailment") == "referee, corrected"
    assert known.on(other).named("entailment") == "referee, raw"
    assert "accepts 0% of exact copies" in known.on(other).errors["entailment"].problem
    assert known.named("entailment") == "referee, corrected"  # elsewhere as before
    assert Judge().on(other).name == "none"


def test_a_raw_rate_beside_a_corrected_one_is_not_called_both() -> None:
    frame = pd.DataFrame({"group": ["g"] * 2, "context_id": ["a", "b"], "same": [1.0, 0.0]})
    names = ("follows (referee, corrected), %", "same, %")
    errors = {"same": Said.errors["equivalence"]}
    both = rows_by_group(frame, dict.fromkeys(names, "same"), errors=errors)["metric"].tolist()
    assert both == [names[0], "follows (referee, raw), %", names[1], "same, %, raw"]


def test_a_rate_of_what_critics_chose_is_raw_by_code() -> None:
    errors = Said.errors["equivalence"]
    said = fraction_by_group([1.0, 0.0], ["any", "D_T"], order=["any", "D_T"], errors=errors)
    assert said["value"].tolist() == [1.0, 0.0], "no column holds corrected beside raw rates"
    frame = pd.DataFrame({"group": ["any", "D_para"], "context_id": ["a", "b"], "same": [1.0, 0.0]})
    name = "equivalent (referee, corrected), %"
    rows = rows_by_group(frame, {name: "same"}, errors={"same": errors})
    assert set(rows["metric"]) == {"equivalent (referee, raw), %"}
    assert fractions_of(rows, name)["value"].tolist() == [1.0, 0.0]
    judged_rows = MetricRows("M_para, best of 10 − teacher, best of 10", None)
    judged_rows.corrected("fidelity", np.array([1.0, 0.0]), np.ones(2), errors)
    (row,) = judged_rows.rows
    assert row["value"] is None
    assert "critics, which err as the judge does, chose M_para, best of 10" in row["signature"]
    told = judged(Said(), Params.load("base"))
    assert "what critics chose, a best of n, always is" in told


@pytest.mark.parametrize(
    ("group", "chosen"),
    [("D_T", True), ("pair in D_T", True), ("D_sum, first", True), ("pass all critics", True),
     ("teacher, best of 10", True), ("kept", True), ("M_para", False), ("chosen by chance", False),
     ("all scored candidates", False), ("shuffled D_para", False), ("student of D_T", False),
     ("accepted by all critics", True), ("round 0 (D_T)", True), ("round 2", True),
     ("reached the critic", False), ("round trip", False), ("round trips", False)],
)  # fmt: skip
def test_what_critics_chose_is_known_by_name(group: str, chosen: bool) -> None:
    assert chosen_by_critics(group) is chosen


#: Groups of pairs whose rates the notebooks record, as their tables name them.
CHOSEN = (
    "D_T", "D_para", "D_sum", "D_sum, first", "accepted by all critics", "all critics", "kept",
    "pair in D_T", "pass all critics",
)  # fmt: skip
NOT_CHOSEN = (
    "any two sentences", "reached the critic", "chosen by chance", "all scored candidates",
    "student's candidates", "round trips", "before training", "student", "precision", "recall",
    "covered", "entailment", "length_ratio", "names", "numbers", "rouge_l", "similarity", "ted",
)  # fmt: skip
PAIR_TABLES = (
    "critic_scores", "dataset_precision", "para_precision", "para_reasons", "rounds",
    "student_heldout", "summary_precision",
)  # fmt: skip


@pytest.mark.parametrize("run", ["english", "english-full", "laboratory"])
def test_every_group_of_pairs_that_a_run_records_is_known_as_chosen_or_not(run: str) -> None:
    folder = Path(__file__).parents[1] / "results" / run / "tables"
    tables = [folder / f"{name}.csv" for name in PAIR_TABLES]
    groups = {
        system for path in tables if path.is_file() for system in pd.read_csv(path)["system"]
        if " − " not in system
    }  # fmt: skip
    assert groups
    named = {name for name in groups if not re.fullmatch(r"round \d+( \(D_T\))?", name)}
    assert named <= {*CHOSEN, *NOT_CHOSEN}, "say of each whether critics chose it"
    assert {name for name in groups if chosen_by_critics(name)} == groups - {*NOT_CHOSEN}


def test_captions_say_who_judges_and_what_was_done_about_errors() -> None:
    params = Params.load("base")
    told = judged(Said(), params)
    assert told.startswith("fidelity: the referee (an NLI model) says that the meaning is kept")
    assert "corrected by its known errors" in told
    assert told.endswith("valid: also ROUGE-L ≤ 75; 95 % bootstrap intervals over sentences")
    assert "(raw)" not in judged_summaries(Said(), params), "no errors of entailment are known"


def test_a_column_without_any_value_is_left_out_unless_asked_for() -> None:
    rows = pd.DataFrame(
        [("a", "follows", 50.0, 1), ("a", "coverage", np.nan, 0)],
        columns=["system", "metric", "value", "n"],
    ).assign(low=np.nan, high=np.nan)
    assert list(tables.wide(rows)) == ["system", "follows", "n"]
    assert list(tables.wide(rows, ["follows", "coverage"])) == [
        "system",
        "follows",
        "coverage",
        "n",
    ]
