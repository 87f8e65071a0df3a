"""What only the oracle shows: differences, errors by kind, noise, frontier, classes, variants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.evaluation.paraphrase_metrics import with_similarities
from impossible.evaluation.systems import item_scores
from impossible.experiments import (
    critic_errors,
    critic_noise,
    dataset_differences,
    equivalence_classes,
    released_code,
    threshold_search,
    truths,
)
from impossible.filtering.constituency_parser import get_parser
from impossible.world import (
    DIFFERENCES,
    Entity,
    Modifier,
    differences,
    make_fact,
    oracle,
    test_sets,
)
from impossible.world.facts import Fact

PARAMS = Params.load("base", {"bootstrap_samples": 100, "ted_min": 3})
PARSER = get_parser("grammar")

FIRE = "A fire destroyed a school."
BLAZE = "A school was wrecked by the blaze."
STORM = "A storm destroyed a school."
MONDAY = "A fire destroyed a school on Monday."


def scored(*rows: tuple[str, str, str, float, float], rouge: float = 0.5) -> pd.DataFrame:
    """PAIRS from (context, x, y, p_xy, p_yx); other scores pass every gate."""
    frame = pd.DataFrame(rows, columns=["context_id", "x", "y", "p_xy", "p_yx"])
    scores = {"rouge_l": rouge, "length_ratio": 1.0, "numbers_consistent": True, "ted": 20.0,
              "ted_lower": 20.0, "ted_upper": 20.0, "tree_fallback": False}  # fmt: skip
    numbers = [name for name in scores if name not in ("numbers_consistent", "tree_fallback")]
    return frame.assign(**scores).astype(dict.fromkeys([*numbers, "p_xy", "p_yx"], "float32"))


def sentences(**contexts: list[str]) -> pd.DataFrame:
    """SENTENCES; an empty text is a refused sample."""
    rows = [
        (name, place, text, text, "" if text else "no_end")
        for name, texts in contexts.items()
        for place, text in enumerate(texts)
    ]
    return pd.DataFrame(rows, columns=["context_id", "sample", "raw", "text", "reason"])


# --- in what facts differ


def fact(
    frame: str = "destroy", *modifiers: Modifier, negated: bool = False, **roles: Entity
) -> Fact:
    filled = {"agent": Entity("fire"), "theme": Entity("school"), **roles}
    return make_fact(frame, filled, modifiers, negated)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (fact(), ()),
        (fact(negated=True), ("negation",)),
        (fact("damage"), ("hypernym",)),
        (fact("arrest"), ("predicate",)),
        (fact(agent=Entity("worker")), ("participant",)),
        (fact(theme=Entity("school", "12")), ("number",)),
        (fact(theme=Entity("school", "sg", "old")), ("adjective",)),
        (fact("destroy", Modifier("time", "Monday")), ("time left out",)),
        (fact("damage", Modifier("time", "Monday"), negated=True),
         ("negation", "hypernym", "time left out")),
    ],
)  # fmt: skip
def test_differences_by_hand(other: Fact, expected: tuple[str, ...]) -> None:
    assert differences(fact(), other) == differences(other, fact()) == expected
    assert set(expected) <= set(DIFFERENCES)


def test_modifiers_and_names_that_differ() -> None:
    lyon, france, turin = (Modifier("place", name) for name in ("Lyon", "France", "Turin"))
    assert differences(fact("destroy", lyon), fact("destroy", france)) == ("hypernym",)
    assert differences(fact("destroy", lyon), fact("destroy", turin)) == ("place",)
    assert oracle.differences(
        ["A dam was closed by Halden.", FIRE], ["A dam was closed by Corvella.", "Fire school."]
    ) == ["name", "outside the grammar"]


def test_no_difference_is_equivalence() -> None:
    texts = [*test_sets.held_out_set(12, 3)["source"], FIRE, BLAZE, MONDAY]
    xs, ys = zip(*[(x, y) for x in texts for y in texts], strict=True)
    named = np.array(oracle.differences(xs, ys))
    assert ((named == "") == (oracle.equivalent(xs, ys) == 1)).all()
    assert oracle.differences([FIRE], [MONDAY.replace("fire", "storm")]) == ["several"]


# --- the critic's errors


def test_both_orders_are_one_pair_and_what_is_not_computed_is_refused() -> None:
    pairs = scored(
        ("c", "bbb", "aa", 0.8, 0.9), ("c", "aa", "bbb", 0.9, 0.8), ("c", "aa", "cc", 0.9, np.nan),
        ("d", "aa", "bbb", 0.9, 0.7),
    )  # fmt: skip
    found = critic_errors.unordered(pairs, 0.75)
    assert found[["context_id", "x", "y"]].to_numpy().tolist() == [
        ["c", "aa", "bbb"], ["c", "aa", "cc"], ["d", "aa", "bbb"],
    ]  # fmt: skip
    assert found["p_xy"].tolist() == pytest.approx([0.9, 0.9, 0.9])
    assert found["accepted"].tolist() == [True, False, False]


def test_groups_of_a_sentence() -> None:
    known = {text: oracle.traits(text) for text in (BLAZE, MONDAY, "no English")}
    groups = critic_errors.traits(known)
    chosen = {text: [name for name in groups if groups.at[text, name]] for text in known}
    assert chosen == {
        BLAZE: ["passive", "modifier: none", "words: 1–10"],
        MONDAY: ["active", "modifier: time", "words: 1–10"],
        "no English": [],
    }


def test_precision_and_recall_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(critic_errors, "RAREST", 1)
    judged = pd.DataFrame({"context_id": list("ccdde"), "x": list("abcde"), "y": list("fghij")})
    judged["accepted"] = [True, True, True, False, True]
    judged["true"] = [1.0, 1.0, 0.0, 1.0, np.nan]
    groups = pd.DataFrame({"first": [True, True, False]}, index=["a", "i", "h"])
    table = critic_errors.by_trait(judged, groups, PARAMS).set_index(["group", "series"])
    assert table.loc[("all pairs", "precision"), ["value", "n"]].tolist() == [2 / 3, 3]
    assert table.loc[("all pairs", "recall"), ["value", "n"]].tolist() == [2 / 3, 3]
    assert table.loc[("first", "recall"), ["value", "n"]].tolist() == [1 / 2, 2]  # a, and d with i


def test_false_acceptance_and_survivors_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(critic_errors, "RAREST", 2)
    judged = pd.DataFrame({"context_id": list("ccdde")})
    judged["difference"] = ["name", "name", "time", "", "name"]
    judged["accepted"] = [True, False, True, True, False]
    table = critic_errors.false_acceptance(judged, PARAMS)
    assert table["group"].tolist() == ["name"]
    assert table["value"].tolist() == pytest.approx([1 / 3])
    corpora = {"A": judged, "B": judged.assign(difference=["", "", "", "", "time"])}
    left = critic_errors.survivors(corpora, PARAMS, ["negation"])
    assert list(dict.fromkeys(left["group"])) == ["name", "time", "negation"]
    assert left["value"].tolist() == pytest.approx([0.6, 0, 0.2, 0.2, 0, 0])
    assert left["count"].tolist() == [3, 0, 1, 1, 0, 0]


def test_calibration_takes_each_direction_by_itself() -> None:
    judged = pd.DataFrame({"context_id": list("abcd"), "p_xy": [0.91, 0.99, 0.2, 1.0]})
    judged["p_yx"] = [0.4, np.nan, np.nan, 0.95]
    rows = critic_errors.directed(judged, [1, 0, 0, np.nan], [0, 1, 1, 1])
    curve = critic_errors.calibration(rows, PARAMS)
    assert len(rows) == 5
    assert curve["series"].tolist() == ["asked first"] * 2 + ["asked back"] * 2
    assert curve["predicted"].tolist() == pytest.approx([0.2, 0.95, 0.4, 0.95])
    assert curve["observed"].tolist() == [0, 0.5, 0, 1]
    assert curve["n"].tolist() == [1, 2, 1, 1]


# --- noise


def test_exchanged_scores_keep_their_distribution_and_lose_their_place() -> None:
    pairs = scored(*((f"c{i}", f"x{i}", "y", i / 400, 1 - i / 400) for i in range(400)))
    rng = np.random.default_rng(0)
    pd.testing.assert_frame_equal(critic_noise.exchanged(pairs, 0.0, rng), pairs)
    half = critic_noise.exchanged(pairs, 0.5, rng)
    assert 0.4 < (half["p_xy"] != pairs["p_xy"]).mean() < 0.6
    assert np.allclose(half["p_xy"] + half["p_yx"], 1)  # both scores come from one pair
    everything = critic_noise.exchanged(pairs, 1.0, rng)
    assert abs(everything["p_xy"].mean() - pairs["p_xy"].mean()) < 0.05
    assert abs(np.corrcoef(everything["p_xy"], pairs["p_xy"])[0, 1]) < 0.2


def test_a_degraded_critic_makes_a_worse_dataset_of_the_size_asked_for() -> None:
    good = [(f"c{i}", FIRE, BLAZE, 0.9, 0.9) for i in range(3)]
    bad = [(f"c{i}", x, "The miners left.", 0.1, np.nan) for i, x in enumerate([FIRE, BLAZE] * 60)]
    pairs = scored(*good, *bad).assign(ted=np.nan, ted_lower=np.nan, ted_upper=np.nan)
    clean = critic_noise.accepted_at(pairs, 0.0, 5, PARSER, PARAMS)
    assert list(clean["source"]) == [FIRE]  # the same two texts are one pair
    assert critic_noise.accepted_at(pairs, 0.0, 5, PARSER, PARAMS.fixed(ted_min=50)).empty
    noisy = critic_noise.accepted_at(pairs, 1.0, 5, PARSER, PARAMS)
    assert set(noisy["origin"]) <= {"noise 100%"}
    assert len(noisy[noisy["target"] != BLAZE]) >= 1


def test_the_chain_by_hand() -> None:
    predictions = pd.DataFrame({"system": "noise 20%", "item": ["1", "2", "3"], "source": FIRE})
    predictions["output"] = [FIRE, BLAZE, STORM]
    scores = item_scores(with_similarities(predictions, None), oracle.Oracle())
    assert scores["fidelity"].tolist() == [100, 100, 0]
    assert scores["paraphrase"].tolist() == [0, 100, 0]  # a copy is not new
    corpus = pd.DataFrame({"source": FIRE, "target": [BLAZE, STORM], "context_id": ["a", "b"]})
    rows = critic_noise.chain({0.2: corpus}, scores, oracle.equivalent, PARAMS)
    assert rows["metric"].tolist() == ["pairs true", "fidelity", "paraphrase"]
    assert rows["value"].tolist() == pytest.approx([50, 200 / 3, 100 / 3])
    assert set(rows["noise"]) == {0.2}


@pytest.mark.parametrize("levels", [[], [1.2], [-0.1]])
def test_noise_levels_out_of_range_are_refused(levels: list[float]) -> None:
    with pytest.raises(ParameterError, match="noise_levels"):
        Params.load("base", {"noise_levels": levels})


# --- frontier


def points(*rows: tuple[float, int, float]) -> pd.DataFrame:
    """Points (entailment_threshold, pairs, value); the first is the run's."""
    frame = pd.DataFrame(rows, columns=["entailment_threshold", "pairs", "value"])
    return frame.assign(rouge_l_max=0.75, ted_min=12, this_run=[True] + [False] * (len(rows) - 1))


def test_the_better_points_by_hand() -> None:
    chosen = threshold_search.choose(
        points((0.75, 10, 0.8), (0.6, 14, 0.8), (0.5, 20, 0.7), (0.9, 10, 0.9))
    )
    assert chosen["more pairs"]["entailment_threshold"] == 0.6
    assert chosen["truer pairs"]["entailment_threshold"] == 0.9
    alone = threshold_search.choose(points((0.75, 10, 0.8), (0.5, 12, 0.7), (0.9, 8, 0.9)))
    assert [point["entailment_threshold"] for point in alone.values()] == [0.75] * 3


def test_a_grid_never_loosens_what_was_scored() -> None:
    params = PARAMS.fixed(entailment_floor=0.55, rouge_l_max=0.6, ted_min=12)
    grid = threshold_search.grid_of(params, {"entailment_threshold": [0.5, 0.9],
                                     "rouge_l_max": [0.4, 0.7], "ted_min": [0]})  # fmt: skip
    assert grid["this_run"].sum() == 1
    assert set(grid["entailment_threshold"]) == {0.75, 0.9}
    assert set(grid["rouge_l_max"]) == {0.4, 0.6}
    assert set(grid["ted_min"]) == {0, 12}


def test_counts_and_report_by_hand() -> None:
    pairs = scored(
        ("a", "1", "2", 0.8, 0.8), ("a", "3", "4", 0.95, 0.95), ("b", "5", "6", 0.95, 0.8),
        ("b", "7", "8", 0.95, 0.95),
    ).assign(true=[0.0, 1.0, 1.0, np.nan])  # fmt: skip
    tried = {"entailment_threshold": [0.9], "rouge_l_max": [], "ted_min": []}
    grid = threshold_search.grid_of(PARAMS, tried)
    counted = threshold_search.counts(pairs, grid, PARAMS)
    table = threshold_search.summed(counted, PARAMS).set_index("entailment_threshold")
    assert table["pairs"].to_dict() == {0.75: 3, 0.9: 1}
    assert table["value"].to_dict() == {0.75: pytest.approx(2 / 3), 0.9: 1}
    loose, strict = (threshold_search.summed(counted, PARAMS).iloc[place] for place in (0, 1))
    chosen = {"this run": loose, "more pairs": loose, "truer pairs": strict}
    report = threshold_search.reported(chosen, counted, PARAMS).set_index("choice")
    assert report["gain"]["truer pairs"].value == pytest.approx(1 / 3)
    assert report["yield"]["truer pairs"].value == pytest.approx(1 / 3)
    assert report["gain"]["more pairs"].value == 0
    assert "keeps 0.33 (0.00 to 0.50) times" in threshold_search.reading(report.reset_index())


def test_pairs_are_decided_once_and_exactly() -> None:
    pairs = scored(
        ("a", FIRE, BLAZE, 0.9, 0.9), ("a", BLAZE, FIRE, 0.9, 0.9), ("a", FIRE, STORM, 0.9, 0.1)
    ).assign(ted=np.nan, ted_lower=0.0, ted_upper=90.0)  # fmt: skip
    found = threshold_search.decided(pairs, PARSER, PARAMS, [0, 3])
    assert len(found) == 1
    assert found["ted"].item() == found["ted"].item() > 3
    assert np.isnan(threshold_search.decided(pairs, PARSER, PARAMS, [0])["ted"].item())


def test_halves_do_not_depend_on_order() -> None:
    names = [f"c{i}" for i in range(9)]
    first, second = threshold_search.halves(names, 0)
    assert (first, second) == threshold_search.halves(names[::-1], 0)
    assert (len(first), len(second)) == (4, 5)
    assert first | second == set(names)
    assert threshold_search.halves(names, 1) != (first, second)


# --- classes


def test_growth_by_hand() -> None:
    said = {"a": 1, "b": 1, "c": 2, "d": 1, "?": None}
    table = equivalence_classes.growth(
        sentences(c=["a", "", "b", "a", "?", "c", "d"]), said.get, [2, 3, 7]
    )
    assert table[["strings", "meanings", "classes", "pairs"]].to_numpy().tolist() == [
        [1, 1, 0, 0], [2, 1, 1, 1], [5, 2, 1, 3],
    ]  # fmt: skip
    assert table["per_100"].tolist() == pytest.approx([0, 100 / 3, 100 / 7])


def test_where_nothing_is_known_only_strings_are_counted() -> None:
    frame = sentences(c=["a", "b"], d=["", ""])
    table = equivalence_classes.growth(frame, lambda text: None, [2])
    assert table["strings"].tolist() == [2, 0]
    assert table["classes"].isna().all()
    assert equivalence_classes.growth(frame, {"a": 1}.get, [2])["meanings"].tolist() == [1, 0]
    assert "Nothing parses" in equivalence_classes.reading(table, PARAMS)


def test_means_and_halves_over_contexts() -> None:
    said = {text: text.lower() for text in "aAbBcCdD"}
    table = equivalence_classes.growth(sentences(p=list("aAbB"), q=list("cdCD")), said.get, [2, 4])
    means = equivalence_classes.means(table, "k", PARAMS).set_index(["series", "x"])["value"]
    assert means["classes", 2.0] == 0.5
    assert means["classes", 4.0] == 2
    half = equivalence_classes.share_of_last(table, "classes", PARAMS)
    assert half.value == 0.25
    assert "already hold 25%" in equivalence_classes.reading(table, PARAMS)


# --- novelty


def test_pairs_are_described_by_form_words_and_length() -> None:
    corpus = pd.DataFrame({"source": [FIRE, FIRE], "target": [BLAZE, "Not English"],
                           "context_id": ["a", "b"]})  # fmt: skip
    known = {text: oracle.traits(text) for text in (FIRE, BLAZE)}
    found = dataset_differences.described(corpus, known)
    assert found["form_target"].tolist() == ["passive", "outside the grammar"]
    assert found["form_changes"][0] == 100
    assert np.isnan(found["form_changes"][1])
    assert found["new_words"].tolist() == pytest.approx([500 / 7, 100])  # all but "a", "school"
    assert found["words_target"].tolist() == [7, 2]
    shares = dataset_differences.families({"A": found}, PARAMS)
    assert shares["group"].tolist() == ["passive", "outside the grammar"]
    assert shares["value"].tolist() == [0.5, 0.5]


def test_gaps_and_vocabulary_by_hand() -> None:
    a = pd.DataFrame({"source": ["x"] * 4, "target": ["p q", "p", "p", "p"],
                      "context_id": list("abcd")})  # fmt: skip
    b = a.assign(target=["p", "r", "r", "s x"])
    measures = {name: [1.0, 2.0, 3.0, np.nan] for name in dataset_differences.MEASURES}
    first, second = a.assign(**measures), b.assign(**measures).assign(new_words=4.0)
    gaps = dataset_differences.gap_rows(first, second, "B − A", PARAMS).set_index("metric")
    assert gaps.at["words of y not in x, %", "value"] == 2
    assert gaps.at["words of x", "value"] == 0
    assert gaps.at["words of x", "low"] < 0 < gaps.at["words of x", "high"]
    table = dataset_differences.vocabulary_rows({"A": a, "B": b}, PARAMS).set_index(
        ["system", "metric"]
    )
    assert table["value"].to_dict() == {
        ("A", "different words of y"): 2, ("A", "of them in no other"): 1,
        ("B", "different words of y"): 4, ("B", "of them in no other"): 2,
    }  # fmt: skip


# --- variants


def test_what_the_released_gates_let_through() -> None:
    none, one, other = "Some men left town.", "Ten men left town.", "Ten men left towns."
    found = released_code.let_through(
        sentences(c=[one, other, none]), PARAMS.fixed(rouge_l_max=0.7)
    )
    assert found[["x", "y"]].to_numpy().tolist() == [
        [none, one], [none, other],  # a number that only y has goes unseen
        [one, other], [other, one],  # too alike
    ]  # fmt: skip


def test_labels_come_from_stored_scores_first() -> None:
    asked: list[tuple[str, str]] = []

    def ask(pairs):  # type: ignore[no-untyped-def]
        asked.extend(pairs)
        return np.full(len(pairs), 0.51)

    label = released_code.by_label(scored(("c", "a", "b", 0.6, np.nan)), ask)
    assert label([("a", "b"), ("b", "a"), ("b", "a")]).tolist() == [1, 1, 1]
    assert asked == [("b", "a")]
    assert released_code.by_label(scored(("c", "a", "b", 0.5, 0.4)), ask)(
        [("a", "b")]
    ).tolist() == [0]


def test_the_dearest_contexts_are_lost_first() -> None:
    frame = sentences(a=["xx", "yy"], b=["xx", "yy", "zz"], c=["xxxxx", "y", ""], d=["x", "x", "x"])
    # characters of ordered pairs: a 2·1·4 = 8, b 2·2·6 = 24, c 2·1·6 = 12, d 0
    assert released_code.costly(frame, 0.25) == {"b"}
    assert released_code.costly(frame, 0.5) == {"b", "c"}


def test_each_variant_changes_what_its_name_says() -> None:
    pairs = scored(
        ("c", "a1", "b1", 0.9, 0.9), ("c", "a2", "b2", 0.9, 0.8), ("d", "e", "f", 0.9, 0.9)
    )
    near = scored(("c", "g", "h", 0.95, 0.95), rouge=0.9)
    told = scored(("c", "i", "j", 0.9, 0.9)).assign(numbers_consistent=False)
    texts = sentences(c=["a1", "a2", "b1", "b2", "g", "h"], d=["e", "f"])
    said = {("a1", "a2"): 0.6, ("g", "a1"): 0.9}

    def ask(asked):  # type: ignore[no-untyped-def]
        return np.array([said.get(pair, 0.0) for pair in asked])

    more = pd.concat([near, told], ignore_index=True)
    made = released_code.datasets(pairs, more, texts, ask, PARAMS)
    kept = {name: set(frame["x"]) for name, frame in made.items()}
    assert kept["paper"] == {"a1", "a2", "e"}  # 0.6 is no edge above 0.75
    assert kept["edges as released"] == {"a1", "e"}  # but a label, and the surest pair stays
    assert kept["dedup as released"] == {"a2", "e"}  # or the one with the lowest p(y ⇒ x)
    assert kept["numbers one way"] == {"a1", "a2", "e", "i"}
    assert kept["ROUGE after dedup"] == {"a2", "e"}  # g stands for a1, and is then too alike
    assert kept["costly contexts lost"] == {"a1", "a2", "e"}  # a tenth of two contexts is none
    assert made["edges as released"]["p_yx"].tolist() == pytest.approx([0.9, 0.9])
    rows = released_code.measured(
        {"paper": made["paper"]}, ["c", "d", "z"], oracle.equivalent, PARAMS
    )
    value = rows.set_index("metric")["value"]
    assert value["pairs per context"] == 1
    assert value["contexts with pairs, %"] == pytest.approx(200 / 3)
    assert np.isnan(value["pairs true, %"])


# --- in words


def shares(**values: float) -> pd.DataFrame:
    """Shares of groups as `share_by_group` gives them."""
    rows = [(name, value, value - 0.1, value + 0.1, 50) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["group", "value", "low", "high", "n"])


def test_readings_name_the_worst_and_its_bounds() -> None:
    one = shares(**{"all pairs": 0.9, "number": 0.5, "passive": 0.8})
    both = pd.concat([one.assign(series="precision"), one.assign(series="recall")])
    assert "lowest in the group “number”: 50.0% (40.0 to 60.0)" in truths.precise(both)
    text = truths.accepted(shares(time=0.4, place=0.2, negation=0.0))
    assert "“time” alone the critic accepts 40.0%" in text
    assert text.endswith("these kinds: negation.")
    table = pd.DataFrame({"group": ["name", "time"], "series": "D_T", "count": [3, 1], "n": 10,
                          "value": [0.3, 0.1]})  # fmt: skip
    assert truths.surviving(table) == "D_T holds 4 false pairs of 10; 3 of them: name."


def test_the_student_loses_less_than_the_dataset() -> None:
    rows = pd.DataFrame({"noise": [0.0, 0.5] * 3, "value": [90.0, 50.0, 60.0, 40.0, 30.0, 20.0]})
    rows["metric"] = ["pairs true"] * 2 + ["fidelity"] * 2 + ["paraphrase"] * 2
    text = truths.noisy(rows)
    assert "from noise 0% to noise 50% the true pairs of the dataset go from 90% to 50%" in (
        text.lower()
    )
    assert text.endswith("costs the student 0.50 points.")
    assert truths.noisy(rows[rows["noise"] == 0]) == truths.UNKNOWN


def test_every_caption_can_be_filled() -> None:
    values = dict.fromkeys(
        ("pairs", "items", "points", "k", "contexts", "few", "noisy", "temperature",
         "no_repeat_ngram_size"), 7,
    )  # fmt: skip
    for name in truths.CAPTIONS:
        text = truths.caption(name, "By the oracle.", **values)
        assert "{" not in text
        assert text.endswith("By the oracle.")
