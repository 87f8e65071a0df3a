"""Judges: what each can say, and that silence is missing and never zero."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.data.io import write_text
from impossible.errors import ParameterError
from impossible.evaluation.human.forms import draw_kit, write_kit
from impossible.evaluation.human.returned_ratings import write_synthetic
from impossible.evaluation.judges import People, Referee, load_judge

X = ["A fire destroyed a school on Monday.", "A fire destroyed a school.", "Not of this world."]
Y = ["A fire destroyed a school.", "The blaze wrecked a school.", "A fire destroyed a school."]


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
    params = SimpleNamespace(referee=folder, dtype="float32", device="cpu", batch_tokens=4096)
    judge = load_judge("referee", params)
    assert isinstance(judge, Referee)
    xs, ys = tiny.SENTENCES[:4], tiny.SENTENCES[1:5]
    forward, back = judge.entails(xs, ys), judge.entails(ys, xs)
    assert forward.tolist() == judge.critic.entails(list(zip(xs, ys, strict=True))).tolist()
    assert judge.equivalent(xs, ys).tolist() == (forward * back).tolist()
    assert judge.equivalent(xs[:1], [""]).tolist() == [0]
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
