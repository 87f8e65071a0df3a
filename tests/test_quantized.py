"""Control by quantization: groups by hand, controls that know nothing, and what a user may ask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.io import read_json, write_json
from impossible.errors import DataError, ModelError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments import (
    control_grids,
    controlled_rewriting,
    length_style_control,
    length_style_systems,
)
from impossible.experiments.control_grids import (
    AXES,
    CONTROL_FILE,
    MEASURES,
    Axis,
    Grid,
    Scale,
    fit_grid,
)
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from impossible.rewriting.rewriters import Summarizer
from impossible.training.student import load_student
from impossible.world.oracle import Oracle

PARAMS = Params.load("base")
LENGTH = Axis("length", "compression", ("short", "long"), (0.5,), 0.0, 0.8)
THREE = {"length": Scale("compression", ("short", "medium", "long"))}
STYLE = Axis("style", "novelty", ("extractive", "abstractive"), (0.5,), 0.0, 1.0)
GRID = Grid("summary", (LENGTH, STYLE))
SOURCE = "The old school was destroyed by a fire on Monday."  # 49 characters
WRITTEN = {
    "The old school was destroyed.": "long extractive",  # 29 characters
    "A fire ruined an aged school.": "long abstractive",
    "It was destroyed.": "short extractive",  # one of two word pairs is new: at the cut
    "Fire hit a school.": "short abstractive",
    "The old school was destroyed by a fire by Monday.": "",  # too long
    "Burned.": "",  # no word pair
}


def pairs_of(texts: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"source": SOURCE, "target": list(texts)})


def grouped(pairs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    both = zip(pairs["source"], pairs["target"], strict=True)
    marked = pairs.assign(group=[grid.group(x, y) for x, y in both])
    return marked[marked["group"] != ""].reset_index(drop=True)


def items(n: int = 3) -> pd.DataFrame:
    names = [f"test-{i}" for i in range(n)]
    return pd.DataFrame({"id": names, "source": names, "references": [["r"]] * n})


def test_groups_by_hand() -> None:
    assert {text: GRID.group(SOURCE, text) for text in WRITTEN} == WRITTEN
    assert GRID.group(SOURCE, "") == GRID.group("", "It burned.") == ""
    assert GRID.prompt("x", "short abstractive") == "short abstractive summary: x"
    marked = grouped(pairs_of(WRITTEN), GRID)
    assert marked["group"].tolist() == [group for group in WRITTEN.values() if group]


@given(
    st.floats(0, 2),
    st.lists(st.floats(0.5, 1), min_size=1, max_size=3, unique=True),
    st.floats(0, 0.4),
)
def test_a_value_lies_in_one_interval_and_is_zero_from_it_alone(
    value: float, cuts: list[float], bottom: float
) -> None:
    words = ("a", "b", "c", "d")[: len(cuts) + 1]
    axis = Axis("length", "compression", words, tuple(sorted(cuts)), bottom, 1.5)
    found = axis.word(value)
    assert (found == "") == (value < bottom or value > 1.5)
    bounds = [-math.inf, *sorted(cuts), 1.5]
    naive = [
        w for w, low, high in zip(words, bounds, bounds[1:], strict=False)
        if max(low, math.nextafter(bottom, -1)) < value <= high
    ]  # fmt: skip
    assert ([found] if found else []) == naive
    nearest = min(words, key=lambda word: axis.distance(value, word))
    outer = words[-1 if value > 1.5 else 0]
    assert axis.distance(value, found or outer) == axis.distance(value, nearest)


def test_distance_is_first_whether_it_is_the_group() -> None:
    at_the_cut = "It was destroyed."
    assert GRID.distance(SOURCE, at_the_cut, "short extractive") == (False, 0)
    assert GRID.distance(SOURCE, at_the_cut, "short abstractive") == (True, 0)
    far = GRID.distance(SOURCE, "The old school was destroyed.", "short abstractive")
    assert far == (True, pytest.approx(29 / 49 - 0.5 + 0.5))
    assert GRID.distance(SOURCE, "Burned.", "short extractive") == (True, math.inf)


def test_cuts_are_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_grids, "AXES", {"text": THREE})
    pairs = pd.DataFrame({"source": "x" * 10, "target": ["y" * n for n in (1, 2, 3, 4, 5, 6)]})
    one = fit_grid(
        "text", pairs, Params.load("base").fixed(length_ratio_min=0.1, length_ratio_max=0.9)
    )
    assert one.axes[0].cuts == pytest.approx((8 / 30, 13 / 30))
    assert (one.axes[0].bottom, one.axes[0].top) == (0.1, 0.9)
    counts = grouped(pairs, one)["group"].value_counts()
    assert counts.to_dict() == {"short": 2, "medium": 2, "long": 2}
    for n in (0, 1, 2):
        with pytest.raises(DataError, match="too few different values to make 3 groups"):
            fit_grid("text", pairs.head(n), Params.load("base"))


def test_a_paraphrase_that_its_gates_would_drop_lies_in_no_group() -> None:
    source = "a b c d e f g h."
    texts = {
        "a b c d e f y z.": "short literal",  # 16 of 16 characters; 6 of 8 words stay: at the gate
        "a b x w v u y z.": "short free",
        "a b c d e f yy zz w.": "long literal",  # 2 · 6 of 8 + 9 words
        "a b xx ww v u y zz w.": "long free",
        "a b c d e f g h": "",  # a copy but for the full stop
        "a b c d e f g z.": "",  # ROUGE-L 7/8
        "a b x y.": "",  # too short
        "a b xxxxxxx wwwwwww vvvvvv u y z.": "",  # too long
        "": "",
    }
    kept = pd.DataFrame({"source": source, "target": [y for y, group in texts.items() if group]})
    grid = fit_grid("paraphrase", kept, Params.load("base"))
    assert [(axis.bottom, axis.top) for axis in grid.axes] == [(0.8, 1.5), (0.25, 1)]
    assert {text: grid.group(source, text) for text in texts} == texts
    assert grid.prompt("x", "long free") == "long free paraphrase: x"
    loose = Params.load("base").fixed(rouge_l_max=1.0, length_ratio_min=0.0)
    assert fit_grid("paraphrase", kept, loose).group(source, source) == "short literal"
    with pytest.raises(DataError, match="No task is called 'haiku'; choose summary or paraphrase"):
        fit_grid("haiku", kept, Params.load("base"))


def test_limits_of_a_task_are_those_of_its_gates() -> None:
    written = pairs_of({text: group for text, group in WRITTEN.items() if group})
    grid = fit_grid("summary", written, Thresholds.summary(Params.load("base")))
    assert [(axis.bottom, axis.top) for axis in grid.axes] == [(0, 0.8), (0, 1)]
    assert grid.axes[0].words == AXES["summary"]["length"].words
    assert sorted(grouped(written, grid)["group"]) == sorted(grid.groups)


@pytest.mark.parametrize("words", [("short", "short"), ("short", "rather long"), ("short", "")])
def test_words_of_a_grid_must_name_groups(words: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="must be different and without blanks"):
        Grid("summary", (Axis("length", "compression", words, (0.5,), 0.0, 1.0),))


@pytest.mark.parametrize("cuts", [(), (0.5, 0.6), (0.6, 0.5)])
def test_cuts_of_an_axis_must_fit_its_words(cuts: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="ascending cuts, one fewer than words"):
        Axis("length", "compression", ("short", "long"), cuts, 0.0, 1.0)


def test_one_candidate_per_input_and_group() -> None:
    texts = [*WRITTEN, "A blaze ruined an aged school."]  # long abstractive, of lower ROUGE-L
    frame = pd.DataFrame({"input_id": "i", "x": SOURCE, "y": texts})
    frame = frame.assign(rouge_l=[0.9, 0.5, 0.6, 0.7, 0.1, 0.1, 0.4])
    chosen = length_style_control.OnePerGroup(GRID)(frame, frame)
    assert list(chosen["y"]) == [texts[0], *texts[2:4], texts[-1]]


def test_pairs_of_a_task_have_groups_and_all_that_pass_are_divided() -> None:
    texts = [text for text, group in WRITTEN.items() if group]
    frame = pd.DataFrame({"input_id": list("abcd"), "context_id": "c", "x": SOURCE, "y": texts})
    frame = frame.assign(
        domain="news", rouge_l=0.5, length_ratio=frame["y"].str.len() / len(SOURCE),
        p_xy=0.9, p_yx=0.1,
    )  # fmt: skip
    thresholds = Thresholds.summary(Params.load("base"))
    frame = hand_scored(frame, thresholds)
    grid, pairs = length_style_control.control_pairs(frame, thresholds, 100, 0)
    assert sorted(pairs["group"]) == sorted(grid.groups)
    assert set(pairs["task"]) == {"summary"}
    assert len(length_style_control.control_pairs(frame, thresholds, 2, 0)[1]) == 2


def test_instructions_in_training_and_permuted() -> None:
    marked = grouped(pairs_of(WRITTEN), GRID)
    corpora = length_style_control.control_corpora(marked, GRID)
    told = corpora["told"]["source"].tolist()
    assert told == [f"{group} summary: {SOURCE}" for group in marked["group"]]
    assert corpora["not told"]["source"].tolist() == [SOURCE] * len(marked)
    assert all("group" not in corpus for corpus in corpora.values())
    many = pd.concat([marked] * 50, ignore_index=True)
    corpora = length_style_control.control_corpora(many, GRID, seed=1)
    mixed, told = (list(corpora[name]["source"]) for name in ("permuted", "told"))
    assert corpora["permuted"]["target"].tolist() == many["target"].tolist()
    assert sorted(mixed) == sorted(told)
    agreeing = np.mean([a == b for a, b in zip(mixed, told, strict=True)])
    assert 0.1 < agreeing < 0.4  # one in four by chance
    again = length_style_control.control_corpora(many, GRID, seed=1)
    assert corpora["permuted"].equals(again["permuted"])


def obeying(frame: pd.DataFrame) -> list[str]:
    """Writes what belongs to the instruction it reads."""
    by_group = {group: text for text, group in WRITTEN.items() if group}
    return [by_group[source.partition(" summary: ")[0]] for source in frame["source"]]


def scored(system: length_style_systems.System, n: int = 3) -> pd.DataFrame:
    asked = length_style_systems.ask_every_group(items(n).assign(source=SOURCE), GRID)
    columns = {"system": "s", "item": asked["id"], "source": SOURCE, "output": system(asked)}
    predictions = pd.DataFrame(columns)
    return length_style_control.control_scores(predictions, asked, GRID, Oracle(), PARAMS)


def test_who_obeys_is_right_who_is_misled_is_wrong_and_who_knows_nothing_is_at_chance() -> None:
    measures = ["right", "length right", "style right"]
    told = length_style_systems.with_instruction_of_group(obeying, GRID)
    assert scored(told)[measures].mean().tolist() == [100, 100, 100]
    assert scored(length_style_systems.with_opposite_group(told, GRID))[
        measures
    ].mean().tolist() == [0, 0, 0]
    deaf = length_style_systems.one_answer_per_source(
        lambda frame: ["Fire hit a school."] * len(frame)
    )
    assert scored(deaf)[measures].mean().tolist() == [25, 50, 50]
    beyond = length_style_systems.one_answer_per_source(lambda frame: [SOURCE] * len(frame))
    assert scored(beyond)[measures].mean().tolist() == [0, 0, 50]
    assert scored(told)["item"].tolist() == [f"test-{i}" for i in range(3) for _ in range(4)]


def test_quality_is_missing_where_nobody_judges_and_answers_are_counted() -> None:
    told = scored(length_style_systems.with_instruction_of_group(obeying, GRID))
    assert set(told["answers"]) == {4.0}
    assert told.loc[told["asked"] == "long extractive", "good"].isin([0, 100]).all()
    asked = length_style_systems.ask_every_group(items(1).assign(source=SOURCE), GRID)
    written = asked.assign(item=asked["id"], system="s", output="It was destroyed.")
    silent = length_style_control.control_scores(written, asked, GRID, Judge(), PARAMS)
    assert silent["good"].isna().all()
    assert set(silent["answers"]) == {1.0}
    assert silent["right"].tolist() == [100, 0, 0, 0]


def test_gains_are_paired_by_sentence_and_counts_are_by_group() -> None:
    told = length_style_systems.with_instruction_of_group(obeying, GRID)
    opposite = scored(length_style_systems.with_opposite_group(told, GRID))
    scores = pd.concat([scored(told).assign(system="told"), opposite.assign(system="o")])
    gains = length_style_control.control_gains(scores, [("told", "o")], GRID, Bootstrap(10))
    value = gains.set_index("metric")["value"]
    assert (value["right"], value["answers"], value["good"]) == (100, 0, 0)
    assert gains["n"].max() == 3
    counts = length_style_control.asked_and_got(scores, GRID)
    assert counts.to_numpy().tolist() == np.hstack([3 * np.eye(4), np.zeros((4, 1))]).tolist()


def test_sentences_of_training_are_asked_as_there_and_for_the_opposite() -> None:
    told = length_style_systems.with_instruction_of_group(obeying, GRID)
    opposite = length_style_systems.with_opposite_group(told, GRID)
    pairs = grouped(pairs_of(WRITTEN), GRID)
    pairs = pairs.assign(pair_id=[f"p{i}" for i in range(len(pairs))])
    systems = {"told": told, "told the opposite": opposite}
    rows = length_style_control.training_rows(systems, pairs, GRID, PARAMS, Bootstrap(10))
    assert rows["value"].tolist() == [100, 0, 100]
    assert rows["system"].iloc[0] == "told, sentences of training"


def test_untold_answers_each_source_once() -> None:
    seen: list[int] = []

    def system(frame: pd.DataFrame) -> list[str]:
        seen.append(len(frame))
        return [f"about {source}" for source in frame["source"]]

    asked = length_style_systems.ask_every_group(items(), GRID)
    assert length_style_systems.one_answer_per_source(system)(asked) == [
        f"about {source}" for source in asked["source"]
    ]
    assert seen == [3]


def test_the_first_sample_in_the_group_else_the_nearest() -> None:
    samples = [
        SOURCE,
        "A fire ruined an aged school.",
        "Fire hit a school.",
        "Fire ruins a school.",
    ]
    student: Any = SimpleNamespace(generate=lambda texts, *_: [samples] * len(texts))
    asked = length_style_systems.ask_every_group(items(1).assign(source=SOURCE), GRID)
    found = length_style_systems.best_of_samples(student, GRID, PARAMS)(asked)
    assert dict(zip(asked["asked"], found, strict=True)) == {
        "short extractive": samples[1],  # 29/49 - 0.5 + 4/5 - 0.5; the source is 0.5 too long
        "short abstractive": samples[2],
        "long extractive": SOURCE,  # 1 - 0.8 too long; the second is 4/5 - 0.5 too new
        "long abstractive": samples[1],
    }


def test_matching_names_what_is_allowed() -> None:
    assert GRID.matching({"style": "abstractive"}) == ["short abstractive", "long abstractive"]
    assert GRID.matching({}) == GRID.groups
    with pytest.raises(DataError, match="length 'tiny'; it knows length: short, long; style: "):
        GRID.matching({"length": "tiny"})
    with pytest.raises(DataError, match="tone 'kind'"):
        GRID.matching({"tone": "kind"})


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.save(tmp_path_factory.mktemp("models") / "student", *tiny.t5())
    control_grids.save_grid(folder, GRID)
    return folder


def test_a_grid_is_saved_beside_its_student(student: Path, tmp_path: Path) -> None:
    assert control_grids.load_grid(student) == GRID
    assert load_student(str(student)).model is not None
    assert control_grids.load_grid(tmp_path) is None
    saved = read_json(student / CONTROL_FILE)
    damaged: list[object] = [
        [], {"task": "summary"},
        {**saved, "axes": [{**saved["axes"][0], "cuts": []}]},
        {**saved, "axes": [{**saved["axes"][0], "measure": "tone"}]},
    ]  # fmt: skip
    for value in damaged:
        write_json(tmp_path / CONTROL_FILE, value)
        with pytest.raises(ModelError, match="is no control grid"):
            control_grids.load_grid(tmp_path)


class Pleased:
    """A critic that agrees."""

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return np.full(len(pairs), 0.9)

    def entails(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return self.probabilities(pairs) > 0.5


class Fixed:
    """Not a student, but what one that writes this for each prompt would seem."""

    window = 512

    def __init__(self, *texts: str) -> None:
        self.tokenizer, self.texts, self.prompted = tiny.tokenizer(), list(texts), list[str]()

    def prompts(self, sources: Sequence[str]) -> list[list[int]]:
        return [[0] for _ in sources]

    def generate(self, sources: Sequence[str], *_: Any, **__: Any) -> list[list[str]]:
        self.prompted += sources
        return [self.texts for _ in sources]


def asked(student: Any, **words: str) -> list[str]:
    instructed = controlled_rewriting.Instructed(GRID, words)
    rewriter = Summarizer(tiny.student(), Pleased(), instructions=instructed)
    rewriter.student = student
    (result,) = rewriter.summarize([SOURCE], n=2)
    return [each.text for each in result.candidates]


def test_a_student_is_asked(student: Path, tmp_path: Path) -> None:
    told = controlled_rewriting.instructions_for(student, "summary", {"length": "short"})
    assert told is not None
    assert told.prompts("x") == [GRID.prompt("x", group) for group in told.groups]
    fixed = Fixed("Fire hit a school.")
    asked(fixed, length="short", style="abstractive")
    # too few passed, so it was asked once more
    assert fixed.prompted == 2 * [GRID.prompt(SOURCE, "short abstractive")]
    with pytest.raises(DataError, match="must be told what to write: give --length short|long"):
        controlled_rewriting.instructions_for(student, "summary", {})
    with pytest.raises(DataError, match="takes instructions for a summary"):
        controlled_rewriting.instructions_for(student, "paraphrase", {"length": "short"})
    with pytest.raises(ModelError, match="takes no instructions"):
        controlled_rewriting.instructions_for(tmp_path, "summary", {"length": "short"})
    assert controlled_rewriting.instructions_for(tmp_path, "summary", {}) is None


def test_an_open_axis_takes_what_was_asked_for_first() -> None:
    plain, wanted = "The old school was destroyed.", "Fire hit a school."  # as asked: the second
    assert asked(Fixed(plain, wanted), length="short") == [wanted, plain]


def test_the_measures_equal_a_naive_count() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, y = (" ".join(rng.choice(["a", "b", "c"], 6)) + "." for _ in range(2))
        ours, theirs = ([tuple(t[:-1].split()[i : i + 2]) for i in range(5)] for t in (y, x))
        fresh = sum(pair not in theirs for pair in set(ours)) / len(set(ours))
        assert MEASURES["novelty"](x, y) == pytest.approx(fresh, abs=1e-6)
        assert MEASURES["compression"](x, y) == 1


def test_a_teacher_is_shown_the_task_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        length_style_systems, "answers", lambda lm, prompts, n: asked.extend(prompts) or [""]
    )
    pairs = pd.DataFrame({"source": ["A fire."], "target": ["Fire."], "group": ["short"]})
    asking = items(2).assign(asked=["short", "long"])
    length_style_systems.shown_examples(None, pairs, "summary", 60)(asking)  # type: ignore[arg-type]
    assert asked == [
        "Sentence: A fire. Summary: Fire. Sentence: test-0 Summary:", "Sentence: test-1 Summary:",
    ]  # fmt: skip
