"""What a notebook expects, and what its numbers say: one rule, by hand, and as a table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from impossible import notebook
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder, record
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.expectations import (
    NOT_MEASURED,
    OPEN,
    REFUTED,
    SHOWN,
    Expected,
    against_bound,
    interval_of,
    per_cent,
)
from impossible.experiments.domain_adaptation import transfer_expected
from impossible.experiments.domain_teachers import domains_expected
from impossible.experiments.length_style_control import control_expected
from impossible.experiments.multitask import generalist_expected
from impossible.experiments.nli_quality import TABLES, critic_expected, lost_before
from impossible.experiments.parser_quality import bracket_f1, rank_correlation, trees_expected
from impossible.report.blind_readings import read_claims, read_rates
from impossible.report.claim_controls import ENOUGH_PAIRS, beside_summaries
from impossible.report.expectation_table import (
    NOBODY_ASKED,
    NOBODY_JUDGES,
    expected_reading,
)
from impossible.report.main_claims import (
    KEEPS_AS_TEACHER,
    MAIN_QUESTIONS,
    ORDER,
    by_question,
    main_claims,
    question_of,
)
from impossible.report.yield_tables import yield_expected

NAN = math.nan
numbers = st.floats(-100, 100)


@pytest.mark.parametrize(
    ("low", "high", "bound", "sign", "said"),
    [
        (51, 60, 50, 1, SHOWN),
        (50, 60, 50, 1, OPEN),
        (40, 60, 50, 1, OPEN),
        (40, 50, 50, 1, OPEN),
        (40, 49, 50, -1, SHOWN),
        (51, 60, 50, -1, REFUTED),
        (NAN, NAN, 0, 1, OPEN),
        (55, 55, 50, 1, OPEN),
    ],
)
def test_the_rule_by_hand(low: float, high: float, bound: float, sign: int, said: str) -> None:
    value = 45.0 if math.isnan(low) else (low + high) / 2
    assert against_bound(Interval(value, low, high, 9), bound, sign) == said


def test_without_a_value_nothing_is_said() -> None:
    assert against_bound(Interval(NAN, NAN, NAN, 0)) == "not measured"


@given(numbers, numbers, numbers)
def test_what_is_shown_above_is_refuted_below(first: float, last: float, bound: float) -> None:
    low, high = sorted((first, last))
    assume(high - low > 1e-6)
    found = Interval((low + high) / 2, low, high, 9)
    above, below = against_bound(found, bound), against_bound(found, bound, -1)
    assert (above == SHOWN) == (below == REFUTED)
    assert (above == REFUTED) == (below == SHOWN)
    if low < bound < high:
        assert above == below == OPEN


def test_a_counted_number_lies_on_one_side() -> None:
    assert [against_bound(3, bound) for bound in (2, 3, 4)] == [SHOWN, REFUTED, REFUTED]
    assert against_bound(3, 3, -1) == REFUTED
    assert against_bound(NAN) == "not measured"


def test_an_expectation_has_one_bound() -> None:
    with pytest.raises(ValueError, match="either over or under"):
        Expected("more", 1)
    with pytest.raises(ValueError, match="either over or under"):
        Expected("more", 1, over=0, under=0)
    assert Expected("more", 1, over=-5).bound == "> −5"


def test_a_rate_that_cannot_be_corrected_is_taken_raw() -> None:
    rows = pd.DataFrame(
        [
            ("ours", "fidelity", NAN, NAN, NAN, 4),
            ("ours", "fidelity_raw", 50.0, 40.0, 60.0, 4),
            ("D_T", "equivalent, %, raw", 80.0, 70.0, 90.0, 5),
            ("D_T", "equivalent (referee, raw), %", 70.0, 60.0, 80.0, 5),
        ],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    assert interval_of(rows, "ours", "fidelity") == Interval(50, 40, 60, 4)
    assert interval_of(rows, "D_T", "equivalent, %").value == 80
    assert interval_of(rows, "D_T", "equivalent (referee, corrected), %").value == 70
    assert math.isnan(interval_of(rows, "theirs", "fidelity").value)
    assert per_cent(Interval(0.5, 0.25, 0.75, 4)) == Interval(50, 25, 75, 4)


def test_the_table_says_how_many_hold(tmp_path: Path) -> None:
    stage = notebook.begin("05_dataset", "smoke", results=str(tmp_path / "run"))
    expected = [
        Expected("a, %", Interval(60.0, 55.0, 65.0, 9), over=50),
        Expected("b", 3.0, under=2),
        Expected("c", Interval(NAN, NAN, NAN, 0), over=0),
    ]
    stage.expect(expected)
    note = read_json(tmp_path / "run" / "tables" / "expectations_05.json")
    assert note["reading"] == "of 3 expectations 1 shown, 1 refuted, 1 not measured"
    assert note["rows"] == [
        ["a, %", "60.0 [55.0, 65.0]", "9", "> 50", "shown"],
        ["b", "3.0", "–", "< 2", "refuted"],
        ["c", "–", "–", "> 0", "not measured"],
    ]


def test_what_is_not_measured_needs_an_oracle_where_nobody_judges(tmp_path: Path) -> None:
    known, unknown = Expected("a", 3.0, over=2), Expected("b", NAN, over=2)
    for judge, expected, told in (
        ("oracle", [known, unknown], False), ("none", [known], False), ("none", [unknown], True),
    ):  # fmt: skip
        results = str(tmp_path / "run")
        notebook.begin("05_dataset", "smoke", {"judge": judge}, results).expect(expected)
        note = read_json(tmp_path / "run" / "tables" / "expectations_05.json")
        assert (NOBODY_JUDGES in note["caption"]) == told


def test_invented_ratings_are_a_rehearsal_and_counted_nowhere(tmp_path: Path) -> None:
    stage = notebook.begin("16_human_evaluation", "smoke", results=str(tmp_path / "run"))
    rehearsed = Expected("synthetic: faithful, A − B", Interval(2.0, 1.0, 3.0, 9), over=0)
    stage.expect([rehearsed, Expected("faithful, A − B", Interval(2.0, 1.0, 3.0, 9), over=0)])
    note = read_json(tmp_path / "run" / "tables" / "expectations_16.json")
    assert [row[-1] for row in note["rows"]] == ["rehearsal", "shown"]
    assert note["reading"] == "of 1 expectations 1 shown; 1 of invented ratings, not counted"
    assert note["caption"].endswith("Invented ratings (rehearsal) are no result.")
    assert expected_reading(note) == note["reading"]
    stage.expect([rehearsed])
    note = read_json(tmp_path / "run" / "tables" / "expectations_16.json")
    assert note["reading"] == NOBODY_ASKED
    assert expected_reading(note | {"reading": "1 shown"}) == NOBODY_ASKED, "of an older run"


def test_each_main_claim_answers_one_question_and_a_page_can_group_by_it() -> None:
    grouped = by_question(ORDER)
    assert tuple(grouped) == MAIN_QUESTIONS
    assert [said for claims in grouped.values() for said in claims] == list(ORDER)
    words = ("near each other", "critics find", "student learn", "self-distillation", "summarize")
    assert all(word in question for word, question in zip(words, MAIN_QUESTIONS, strict=True))
    assert by_question(ORDER[:1]) == {question_of(ORDER[0]): [ORDER[0]]}
    claims = main_claims(RunFolder(Path(__file__).parents[1] / "results" / "english"))
    assert {claim.question for claim in claims} == set(MAIN_QUESTIONS)


def test_the_main_claims_are_those_whose_expectation_is_there(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    assert main_claims(run) == []
    stage = notebook.begin("09_evaluation", "smoke", results=str(run.root))
    said = "valid paraphrases, % points: M_para, best of 5 − teacher, best of 5"
    stage.expect([Expected(said, Interval(2.0, 1.0, 3.0, 9), over=0)])
    (claim,) = main_claims(run)
    assert claim.found == f"{said}: 2.0 [1.0, 3.0], n = 9"
    assert (claim.bound, claim.outcome) == ("> 0", "shown")
    assert claim.file == "tables/expectations_09"


def test_main_claims_in_the_paper_s_metrics_are_differences_of_systems(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    stage = notebook.begin("09_evaluation", "smoke", results=str(run.root))
    stage.expect([Expected("mrpc: valid paraphrases, % points: a − b", 1.0, over=0)])
    rows = [
        ("M_para − teacher, zero-shot", "ibleu", -2.0, -3.0, -1.0),
        ("talk: M_para − round trip", "ibleu", 2.0, 1.0, 3.0),
        ("M_para − round trip", "fidelity", NAN, NAN, NAN),
        ("M_para − round trip", "fidelity_raw", -3.0, -9.0, 3.0),
        ("M_para, best of 10 − round trip", "ibleu", 9.0, 8.0, 9.5),  # not what is claimed
        ("shuffled M_para − round trip", "fidelity_raw", -75.0, -91.0, -42.0),
        ("talk: shuffled M_para − round trip", "ibleu", -9.0, -9.5, -8.0),
    ]
    frame = pd.DataFrame(rows, columns=["system", "metric", "value", "low", "high"]).assign(n=9)
    frame.to_csv(run.tables / "over_others.csv", index=False)
    found = {claim.found: claim.outcome for claim in main_claims(run)}
    assert found["MRPC: iBLEU: M_para − teacher, zero-shot: −2.0 [−3.0, −1.0], n = 9"] == "refuted"
    assert found["talk: iBLEU: M_para − round trip: 2.0 [1.0, 3.0], n = 9"] == "shown"
    said = "MRPC: fidelity (referee, raw), % points: M_para − round trip: −3.0 [−9.0, 3.0], n = 9"
    assert found[said] == "open"
    assert not any("best of 10" in text or "shuffled M_para" in text for text in found)


Row = tuple[str, str, float, float, float]


def systems_table(run: RunFolder, name: str, rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=["system", "metric", "value", "low", "high"]).assign(n=9)
    frame.to_csv(run.tables / f"{name}.csv", index=False)


def test_a_score_that_shuffled_outputs_reach_as_well_is_not_shown(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    gains = [("M_para − round trip", "ibleu", 2.0, 1.0, 3.0)]
    gains += [("quora: M_para − round trip", "ibleu", 2.0, 1.0, 3.0)]
    systems_table(run, "over_others", gains)
    kept = [
        ("M_para", "fidelity_raw", 58.0, 50.0, 60.0),
        ("round trip", "fidelity_raw", 75, 70, 80),
    ]
    first = [("M_para", "ibleu", 6.0, 5.0, 7.0), ("shuffled M_para", "ibleu", 1.0, 0.5, 1.5)]
    systems_table(run, "systems", first)
    moved = [("M_para", "ibleu", 1.2, 0.5, 1.9), ("shuffled M_para", "ibleu", 3.8, 3.0, 4.6)]
    systems_table(run, "systems-quora", [*moved, *kept])
    there, here = main_claims(run)
    assert there.outcome == SHOWN
    assert there.found.endswith("n = 9; shuffled outputs 1.0 (M_para 6.0)")
    assert here.outcome == OPEN
    assert here.found.endswith("; not told apart from shuffled outputs, 3.8 (M_para 1.2), "
                               "same meaning 58 % (round trip 75 %)")  # fmt: skip


def test_students_of_few_pairs_measure_no_data(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    stage = notebook.begin("13_baselines", "smoke", results=str(run.root))
    said = "BERT-iBLEU: student of D_para − student of round trips"
    stage.expect([Expected(said, Interval(2.0, 1.0, 3.0, 9), over=0)])
    outcomes = {}
    for n in (ENOUGH_PAIRS - 1, ENOUGH_PAIRS):
        record(run, "13_baselines", n_pairs=n)
        (claim,) = main_claims(run)
        outcomes[n] = claim.outcome
        assert ("not measurable (49 pairs)" in claim.found) == (n < ENOUGH_PAIRS)
    assert list(outcomes.values()) == [NOT_MEASURED, SHOWN]


def test_summaries_stand_beside_first_words_and_the_scores_to_the_reference(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    assert beside_summaries(run) == ""
    rows = [("first words", "short_follows_raw", 93.75, 81.0, 100.0),
            ("M_sum", "short_follows_raw", 68.75, 43.0, 93.0), ("M_sum", "rouge_l", 11.6, 6.0, 8.0),
            ("teacher, TL;DR", "rouge_l", 16.1, 9.0, 26.0)]  # fmt: skip
    systems_table(run, "summary_systems", rows)
    said = (
        "just the first words 93.8 % (M_sum 68.8 %), ROUGE-L to the reference 11.6 (teacher 16.1)"
    )
    assert beside_summaries(run) == said


def test_pairs_more_alike_than_people_s_are_told(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    found = {"self_bleu_over_human": [13.8, 10.6, 35.8], "ratio": 0.02, "n_pairs": 400}
    record(run, "02_proximity", **found, self_bleu_referee=41.8, self_bleu=58.0)
    (claim,) = main_claims(run)
    older = RunFolder.open(tmp_path / "older")
    record(older, "02_proximity", **found)
    assert main_claims(older)[0].found.endswith("; of 8 pairs"), "an older run has no more"
    assert (claim.outcome, claim.bound) == (REFUTED, "< 0")
    assert claim.found.endswith("13.8 [10.6, 35.8], n = 8; of 8 pairs, of the referee's −2.4")
    few = RunFolder.open(tmp_path / "few")  # pairs: there is no interval
    record(few, "02_proximity", **found | {"self_bleu_over_human": [-33.5, None, None]})
    (claim,) = main_claims(few)
    assert (claim.outcome, claim.found.split(": ")[1]) == (OPEN, "−33.5, n = 8; of 8 pairs")


def test_what_readers_said_by_hand() -> None:
    def pair(of: str, one: bool, two: bool, new: bool = True, item: int = 0) -> dict[str, object]:
        said = {"reader_1": one, "reader_2": two, "referee": True}
        return {"of": of, "new": new, "item": item, **said}

    pairs = [pair("D_T", True, True)] * 30 + [pair("D_T", True, False)] * 10
    pairs += [pair("any two sentences", False, False)] * 40
    pairs += [pair("news: M_para, best of 10", True, True, False, n) for n in range(20)]
    pairs += [pair("news: teacher, best of 10", True, True, True, n) for n in range(20)]
    rates = dict(read_rates(pairs))
    assert rates["D_T, 40 pairs"].startswith("100 %; 75 %; 75 [")
    assert rates["D_T, 40 pairs"].endswith("] %; 75 %; 100 %")
    assert rates["news: M_para, best of 10, 20 pairs"].endswith("] %; 0 %; 100 %")
    # nothing by chance and no second dataset were read
    found, keeps, best = read_claims(pairs)
    assert (found.bound, found.outcome, found.file) == ("> 0", SHOWN, "readings")
    assert "D_T − any two sentences: 75.0 [" in found.found
    assert keeps.outcome == OPEN  # of 20 alike the interval is wide; new words do not count
    assert (keeps.said, keeps.bound) == (KEEPS_AS_TEACHER, "> −5")
    assert best.outcome == REFUTED  # the same meaning in the same words is no paraphrase
    assert best.found.endswith("n = 20")  # answers to the same items are paired


def rows_of(found: dict[tuple[str, str], float]) -> pd.DataFrame:
    """METRIC_ROWS of values with intervals of half a point to both sides."""
    rows = [(*name, value, value - 0.5, value + 0.5, 9) for name, value in found.items()]
    return pd.DataFrame(rows, columns=["system", "metric", "value", "low", "high", "n"])


def said(expected: list[Expected], *words: str) -> list[tuple[str, str]]:
    """Bound and outcome of those that have these words."""
    return [(e.bound, e.outcome) for e in expected if all(word in e.says for word in words)]


def test_ways_of_generating_are_set_against_parallel_sampling_and_their_controls() -> None:
    names = (
        "soft − free", "soft − soft, foreign keywords", "hard − parallel", "soft − parallel",
        "parallel and hard − parallel", "parallel and soft − parallel",
    )  # fmt: skip
    gaps = pd.DataFrame({"kept": [Interval(1.0, 0.5, 1.5, 9)] * len(names)}, index=list(names))
    found = yield_expected(gaps)
    assert said(found, "foreign") == [("> 0", "shown")]
    assert said(found, ": soft − parallel") == [("< 0", "refuted")]
    assert said(found, "and soft − parallel") == [("> 0", "shown")]


def test_a_told_student_may_lose_five_points() -> None:
    gains = rows_of({
        ("told − not told", "right"): 9, ("told − best of 5", "right"): -3,
        ("told − not told", "good"): -9, ("told − teacher, few-shot", "right"): -1,
    })  # fmt: skip
    found = control_expected(gains, "summary", 5)
    assert said(found, "right", "not told") == [("> 0", "shown")]
    assert said(found, "right", "few-shot") == [("> 0", "refuted")]
    assert said(found, "right", "best of 5") == [("> −5", "shown")]
    assert said(found, "good", "not told") == [("> −5", "refuted")]
    assert said(found, "right", "opposite") == [("> 0", "not measured")]
    assert len(control_expected(gains, "paraphrase", 5)) == len(found) == 6


def test_half_of_a_task_is_expected_to_be_worse_and_all_of_it_is_not() -> None:
    every, half = "generalist, all", "generalist, half"
    gains = rows_of({
        (f"{every} − specialist", "good"): -3, (f"{half} − specialist", "good"): -3,
        (f"{every} − {every}, told wrong", "good"): 8, ("shuffled − specialist", "good"): -40,
    })  # fmt: skip
    obeys = rows_of({("a − b", "summary length"): 20, ("a − b", "length"): -20})
    found = generalist_expected(gains, obeys)
    assert len(found) == 11
    assert said(found, "ood summar", f"{every} − specialist") == [("> −5", "shown")]
    assert said(found, "ood summar", f"{half} − specialist") == [("< −5", "refuted")]
    assert said(found, "ood summar", every, "told wrong") == [("> 0", "shown")]
    assert said(found, "ood summar", "shuffled") == [("< 0", "shown")]
    assert said(found, "a summary's length") == [("> 0", "shown")]


def test_pooled_pairs_win_away_and_may_lose_five_points_at_home() -> None:
    bits = rows_of({("its own − mixed", "news"): 0.7, ("its own − of other domains", "news"): -2})
    gains = rows_of({
        ("pooled − alone, away", "paraphrase"): 6, ("pooled − alone, at home", "paraphrase"): -4,
        ("shuffled pooled − alone, away", "paraphrase"): -30,
    })  # fmt: skip
    found = domains_expected(bits, {}, gains)
    assert [(each.bound, each.outcome) for each in found] == [
        ("< 0", "refuted"), ("< 0", "shown"), ("> 0", "not measured"),
        ("> 0", "shown"), ("> −5", "shown"), ("< 0", "shown"),
    ]  # fmt: skip


def test_transfer_is_expected_without_and_with_gold_pairs() -> None:
    gains = rows_of({
        ("student of D_sum − base | 0 pairs", "good"): 9,
        ("student of D_sum − base | mean with gold pairs", "good"): 0.2,
        ("student of shuffled D_sum − base | mean over sizes", "good"): 3,
    })  # fmt: skip
    gaps = rows_of({("D_sum, news − headlines", "h2"): 1, ("D_sum, news − headlines", "msttr"): -1})
    found = transfer_expected(gains, gaps, "news")
    assert [each.outcome for each in found] == [
        "shown", "open", "not measured", "not measured", "refuted",
        "shown", "not measured", "refuted", "not measured", "not measured",
    ]  # fmt: skip
    assert said(found, "Self-BLEU") == [("< 0", "not measured")]


def test_trees_are_good_enough_where_the_whole_interval_says_so() -> None:
    columns = ["distance", "pairs", "rank correlation", "low", "high", "gold", "ours"]
    rows = [("TED", 48, 0.97, 0.94, 0.98, 43, 44), ("TED-3", 48, 0.83, 0.7, 0.88, 8, 8)]
    found = trees_expected(pd.DataFrame(rows, columns=columns))
    assert [each.outcome for each in found] == ["shown", "refuted"]
    assert [each.outcome for each in trees_expected(pd.DataFrame())] == ["not measured"] * 2


def test_a_rank_correlation_has_an_interval_and_ties() -> None:
    a, b = [1, 2, 2, 4, 5, 9] * 5, [2, 1, 3, 3, 5, 8] * 5
    found = rank_correlation(a, b)
    assert found.value == pytest.approx(pd.Series(a).corr(pd.Series(b), "spearman"))
    assert found.low < found.value < found.high < 1
    assert math.isnan(rank_correlation([1, 1], [1, 2]).value)


def test_brackets_are_resampled_by_sentences() -> None:
    good, bad = "(S (NP (NN rain)) (VP (VBD fell)))", "(S (NP (NN rain)) (NN fell))"
    found = bracket_f1([good] * 8, [good] * 6 + [bad] * 2)
    assert found.value == pytest.approx(200 * 22 / (24 + 22))
    assert found.low < found.value < found.high


def critic_tables(accuracy: float, observed: float, accepted: float) -> dict[str, pd.DataFrame]:
    rows = {
        "accuracy": [("SNLI", accuracy, accuracy - 1, accuracy + 1, 700)],
        "calibration": [(0.76, 0.1, 0.0, 0.2, 500), (0.9, observed, 0.0, 1.0, 200)],
        "kinds": [("days", 200, 0, accepted, None), ("copies", 0, 200, None, 0.0)],
        "curve": [("MRPC", 0.5, 20.0, 50.0, 90), ("MRPC", 0.75, 90.0, 10.0, 40)],
    }
    return {name: pd.DataFrame(part, columns=TABLES[name]) for name, part in rows.items()}


def test_a_critic_is_right_calibrated_and_notices_a_changed_day() -> None:
    lost = Interval(0.1, 0.05, 0.2, 100)
    found = critic_expected(critic_tables(86, 0.9, 1.0), lost, 0.75)
    assert [each.outcome for each in found] == [
        "not measured", "shown", "shown", "shown", "shown", "refuted",
    ]  # fmt: skip
    worse = critic_expected(critic_tables(80, 0.5, 20.0), Interval(0, 0, 0.001, 900), 0.75)
    assert [each.outcome for each in worse[1:4]] == ["refuted"] * 3
    assert worse[-1].outcome == "shown"
    assert said(found, "days") == [("< 10", "shown")]
    (sure,) = (each for each in found if "more than 0.8" in each.says)  # 0.76: some are below 0.75
    assert "from 0.75 on" in sure.says
    assert (sure.bound, sure.found.n) == ("> 80", 200)  # type: ignore[union-attr]
    (even,) = (each for each in critic_expected(critic_tables(86, 0.9, 1.0), lost, 0.7)
               if "more than 0.7" in each.says)  # fmt: skip
    assert even.found.n == 700  # type: ignore[union-attr]
    assert not said(found, "copies")


class Sure:
    """A critic that accepts all, and an encoder to which only equal texts are near."""

    def probabilities(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        return np.ones(len(pairs))

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.eye(2)[[text == "near" for text in texts]]


def test_what_a_cosine_refuses_of_what_the_critic_accepts() -> None:
    pairs = pd.DataFrame({"source": ["near", "near"], "target": ["near", "far"]})
    both: Any = Sure()
    assert lost_before(both, both, pairs, 0.75, 0.8).value == 0.5
    assert math.isnan(lost_before(both, both, pairs, 0.75, -1).value)
