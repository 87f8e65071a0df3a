"""One student for two tasks: budgets counted by hand, tokens really seen, who listens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.io import read_frame, read_json, write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.evaluation.systems import student_system
from impossible.experiments import multitask
from impossible.experiments.multitask import ALL, HALF, specialist
from impossible.filtering.thresholds import Thresholds
from impossible.models.batching import IGNORE
from impossible.training import student_training as training
from impossible.training.fine_tuning import train_students
from impossible.training.student import Student, load_student
from impossible.world.oracle import Oracle

SETTINGS: dict[str, Any] = {"multitask_epochs": 3, "student_batch_size": 2, "dtype": "float32"}
PARAMS = Params.load("base", SETTINGS)
NUMBERS = dict.fromkeys(("p_xy", "p_yx", "rouge_l", "ted"), 0.5)


#: A student whose tokens are words, and an end of each text.
by_words: Any = SimpleNamespace(
    tokens=lambda pairs: [len(f"{x} {y}".split()) + 2 for x, y in pairs]
)


def corpus(task: str, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(list(pairs), columns=["source", "target"], dtype=object)
    names = pd.Series([f"p{i}" for i in range(len(pairs))], dtype=object)
    named = frame.assign(pair_id=names, context_id=names, origin="any", domain="news", **NUMBERS)
    return multitask.instructed_pairs(named, task)


def tokens(pairs: pd.DataFrame) -> int:
    """The naive count of `by_words`."""
    both = zip(pairs["source"], pairs["target"], strict=True)
    return sum(len(f"{x} {y}".split()) + 2 for x, y in both)


def test_budgets_by_hand() -> None:
    # 9 tokens a paraphrase, 7 a summary: four of each are 36 and 28, so B = 28
    tasks = {
        "paraphrase": corpus("paraphrase", [("a b c", "d e f")] * 4),
        "summary": corpus("summary", [("a b c", "d")] * 4),
    }
    found = multitask.equal_token_corpora(tasks, by_words, 100)
    numbers = {
        name: [int((pairs["origin"] == task).sum()) for task in tasks]
        for name, pairs in found.items()
    }
    assert numbers == {
        "specialist, paraphrase": [3, 0], "specialist, summary": [0, 4], HALF: [1, 2], ALL: [3, 4],
    }  # fmt: skip
    table = multitask.training_costs(found, by_words, PARAMS)
    assert table["tokens per epoch"].tolist() == [27, 28, 9 + 14, 27 + 28]
    assert table["tokens"].tolist() == [81, 84, 69, 165]
    assert table["steps"].tolist() == [6, 6, 6, 12]  # of two pairs; a pass may end with one
    fewer = multitask.equal_token_corpora(tasks, by_words, 3)  # 27 and 21: B = 21
    assert [len(pairs) for pairs in fewer.values()] == [2, 3, 2, 5]


LENGTHS = st.lists(st.integers(5, 9), min_size=3, max_size=20)


@given(LENGTHS, LENGTHS, st.integers(3, 20), st.integers(0, 5))
def test_budgets_are_missed_by_less_than_a_pair_and_generalists_read_what_specialists_do(
    first: list[int], second: list[int], limit: int, seed: int
) -> None:
    lengths = {"paraphrase": first, "summary": second}
    tasks = {
        task: corpus(task, [("x " * n, f"y{i}") for i, n in enumerate(numbers)])
        for task, numbers in lengths.items()
    }
    found = multitask.equal_token_corpora(tasks, by_words, limit, seed)
    alone = {task: found[specialist(task)] for task in tasks}
    budget = max(map(tokens, alone.values()))  # the task that sets it reaches it
    for task, numbers in lengths.items():
        pair = max(numbers) + 4  # instruction, target, two ends
        assert budget - pair < tokens(alone[task]) <= budget
        for name, share in ((HALF, budget / 2), (ALL, budget)):
            part = found[name][found[name]["origin"] == task]
            assert share - pair < tokens(part) <= share
            assert list(part["pair_id"]) == list(alone[task]["pair_id"])[: len(part)]
    assert tokens(found[ALL]) == sum(map(tokens, alone.values()))
    assert found[ALL]["pair_id"].is_unique


def test_what_does_not_fit_is_told() -> None:
    tasks = {"paraphrase": corpus("paraphrase", [("", "")])}  # 3 tokens
    with pytest.raises(DataError, match="No pair of the task summary fits into 3 training tokens"):
        multitask.equal_token_corpora(
            tasks | {"summary": corpus("summary", [("a", "b")])}, by_words, 9
        )
    with pytest.raises(DataError, match="fits into 0 training tokens"):
        multitask.equal_token_corpora({"summary": corpus("summary", [])}, by_words, 9)
    with pytest.raises(DataError, match="no instruction for 'haiku': name paraphrase or summary"):
        corpus("haiku", [("a", "b")])
    with pytest.raises(DataError, match="no instruction for 'haiku'"):
        multitask.instructed_system(list, "haiku")


def test_a_pooled_corpus_is_a_dataset_and_forgets_its_instructions(tmp_path: Path) -> None:
    plain = [("summarize: it rained", "y"), ("b", "z")]  # the first has one of its own
    pooled = pd.concat([corpus("summary", plain), corpus("paraphrase", plain)], ignore_index=True)
    write_frame(tmp_path / "pooled.parquet", pooled, DATASET)
    read = read_frame(tmp_path / "pooled.parquet", DATASET)
    assert read["source"][0] == "summarize: summarize: it rained"
    assert list(multitask.uninstructed_pairs(read)["source"]) == [x for x, _ in plain] * 2
    assert list(read["origin"]) == ["summary"] * 2 + ["paraphrase"] * 2


def test_a_system_reads_the_instruction_and_the_items_stay_as_they_are() -> None:
    items = pd.DataFrame({"source": ["a", "b"]})
    answer = multitask.instructed_system(lambda asked: list(asked["source"]), "summary")
    assert answer(items) == ["summarize: a", "summarize: b"]
    assert list(items["source"]) == ["a", "b"]


def test_lengths_by_hand() -> None:
    x, short = "0123456789", Thresholds.summary(PARAMS)
    ys = ["", "1234567", "12345678", "123456789", "x" * 15, "x" * 16]
    assert multitask.length_fits_task([x] * 6, ys, Thresholds.paraphrase(PARAMS)).tolist() == [
        0,
        0,
        1,
        1,
        1,
        0,
    ]
    assert multitask.length_fits_task([x] * 6, ys, short).tolist() == [0, 1, 1, 0, 0, 0]


@pytest.fixture(params=[tiny.t5, tiny.llama])
def base(tmp_path: Path, request: pytest.FixtureRequest) -> partial[Student]:
    return partial(load_student, str(tiny.save(tmp_path / "base", *request.param())))


def two_tasks(n: int) -> dict[str, pd.DataFrame]:
    """To paraphrase is to write "Twelve", to summarize is to write "Prices"."""
    wanted = {"paraphrase": "Twelve", "summary": "Prices"}
    texts = tiny.SENTENCES[:n]
    return {task: corpus(task, [(text, word) for text in texts]) for task, word in wanted.items()}


def test_training_sees_the_tokens_that_are_counted(
    base: partial[Student], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    train_model = training.train_model

    def counting(model: Any, examples: Any, collate: Any, *rest: Any, **more: Any) -> Any:
        def counted(chosen: Any) -> Any:
            batch = collate(chosen)
            labels = int((batch["labels"] != IGNORE).sum())
            seen[-1] += int(batch["attention_mask"].sum()) + labels * encoder_decoder
            return batch

        seen.append(0)
        return train_model(model, examples, counted, *rest, **more)

    monkeypatch.setattr(training, "train_model", counting)
    student = base()
    encoder_decoder = student.model.config.is_encoder_decoder
    corpora = multitask.equal_token_corpora(two_tasks(5), student, 4)
    table = multitask.training_costs(corpora, student, PARAMS)
    run = RunFolder.open(tmp_path / "run")
    students = train_students(corpora, base, PARAMS, run, "two", PARAMS.multitask_epochs)
    assert seen == table["tokens"].tolist()
    assert list(students) == list(corpora)
    for folder, steps in zip(("specialist_paraphrase", "generalist_all"), (0, 3), strict=True):
        recipe = read_json(run.models / f"two-{folder}" / "recipe.json")
        assert recipe["steps"] == table["steps"][steps]
        assert recipe["pairs"] == table["pairs"][steps]


def test_who_is_told_does_both_tasks_and_who_is_not_cannot(
    base: partial[Student], tmp_path: Path
) -> None:
    params = PARAMS.fixed(multitask_epochs=100, student_batch_size=6, student_learning_rate=5e-3)
    pooled = pd.concat(two_tasks(6).values(), ignore_index=True)
    corpora = {"told": pooled, "not told": multitask.uninstructed_pairs(pooled)}
    run = RunFolder.open(tmp_path / "run")
    students = train_students(corpora, base, params, run, "two", params.multitask_epochs)
    items = pd.DataFrame({"source": tiny.SENTENCES[:6]})
    letters = {"paraphrase": "T", "summary": "P"}  # a letter tells the words apart
    right = {
        (name, task): sum(text.startswith(letter) for text in answer(items))
        for name, student in students.items()
        for task, letter in letters.items()
        for answer in [multitask.instructed_system(student_system(student, 4), task)]
    }
    assert right["told", "paraphrase"] == right["told", "summary"] == 6
    assert right["not told", "paraphrase"] + right["not told", "summary"] <= 9  # 6 by chance


def test_systems_of_a_task_read_its_instruction_and_wrong_ones_the_other() -> None:
    def echo(items: pd.DataFrame) -> list[str]:
        return list(items["source"])

    asked = dict.fromkeys((HALF, ALL, specialist("summary"), "not told"), echo)
    items = pd.DataFrame({"source": ["a", "b"], "references": [["r"], ["s"]]})
    found = multitask.two_task_systems(asked, "summary", echo)
    assert {name: system(items)[0] for name, system in found.items()} == {
        "student base": "a", "specialist": "summarize: a", HALF: "summarize: a",
        ALL: "summarize: a", f"{HALF}, told wrong": "paraphrase: a",
        f"{ALL}, told wrong": "paraphrase: a", "not told": "a", "shuffled": "summarize: b",
        "gold": "r",
    }  # fmt: skip


def test_scores_say_which_task_was_done_and_how_well() -> None:
    x = "On Monday, the old school was destroyed by a fire."
    short, same = "The school was destroyed by a fire.", x
    other = "A blaze destroyed the old school on Monday."
    outputs = pd.DataFrame({"item": list("abc"), "source": x, "output": [short, same, other]})
    outputs = outputs.assign(system="s", references=[[]] * 3)
    found = multitask.two_task_scores(outputs, "summary", Oracle(), PARAMS)
    assert found["right, summary"].tolist() == found["summary length"].tolist() == [100, 0, 0]
    assert found["paraphrase length"].tolist() == [0, 100, 100]
    assert found["good"].tolist() == [100, 0, 0]
    assert found["summary, right length"].isna().tolist() == [False, True, True]
    assert found["length"].tolist() == [100 * len(y) / len(x) for y in (short, same, other)]
    para = multitask.two_task_scores(outputs, "paraphrase", Oracle(), PARAMS)
    assert para["paraphrase"].tolist() == [0, 0, 100]
    assert para["paraphrase, right length"].fillna(-1).tolist() == [-1, 0, 100]
    silent = multitask.two_task_scores(outputs, "summary", Judge(), PARAMS)
    assert silent["good"].isna().all()
    assert silent["right, summary"].tolist() == [100, 0, 0]


def test_the_same_sentences_after_both_instructions() -> None:
    names = ["specialist", HALF, f"{HALF}, told wrong", ALL, f"{ALL}, told wrong", "not told"]
    scores = pd.DataFrame({"system": names, "item": "a", "length": [0.0, 50, 90, 40, 60, 70]})
    scores = scores.assign(**{"paraphrase length": 0.0, "summary length": 100.0})
    rows, gains = multitask.listening_rows(scores, Bootstrap(10))
    value = rows.set_index(["system", "metric"])["value"]
    assert value[f"{HALF}: summarize", "length"] == 50
    assert value["not told", "length"] == 70
    assert "specialist" not in set(rows["system"])
    assert gains.loc[gains["metric"] == "length", "value"].tolist() == [-40, -20]


def test_generalists_are_set_against_specialist_and_controls() -> None:
    names = ["specialist", HALF, f"{HALF}, told wrong", ALL, f"{ALL}, told wrong", "not told"]
    frame = pd.DataFrame({"system": [*names, "shuffled"], "item": "a"})
    frame = frame.assign(
        **dict.fromkeys((*multitask.MEASURES_OF["summary"], "right, summary"), 0.0)
    )
    frame["good"] = [60.0, 50, 10, 55, 5, 40, 0]
    gains = multitask.generalist_gains({"summary": frame}, Bootstrap(10))
    value = gains[gains["metric"] == "good"].set_index("system")["value"].to_dict()
    assert value == {
        f"{HALF} − specialist": -10, f"{ALL} − specialist": -5,
        f"{HALF}, told wrong − specialist": -50, f"{ALL}, told wrong − specialist": -55,
        "not told − specialist": -20, "shuffled − specialist": -60,
        f"{HALF} − {HALF}, told wrong": 40, f"{ALL} − {ALL}, told wrong": 50,
        f"{HALF} − not told": 10, f"{ALL} − {HALF}": 5,
    }  # fmt: skip
