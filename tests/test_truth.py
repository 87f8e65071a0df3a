"""What only the oracle shows: differences, errors by kind, noise, frontier, classes, variants."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.paraphrase_metrics import with_similarities
from impossible.evaluation.systems import item_scores
from impossible.experiments import (
    critic_errors,
    critic_noise,
    dataset_differences,
    equivalence_classes,
    released_code,
    threshold_search,
)
from impossible.filtering.constituency_parser import load_parser
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
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
PARSER = load_parser("grammar")
LIMITS = Thresholds.paraphrase(PARAMS)
BOOTSTRAP = Bootstrap(100)

FIRE = "A fire destroyed a school."
BLAZE = "A school was wrecked by the blaze."
STORM = "A storm destroyed a school."
MONDAY = "A fire destroyed a school on Monday."


def scored(*rows: tuple[str, str, str, float, float], rouge: float = 0.5) -> pd.DataFrame:
    """PAIRS from (context, x, y, p_xy, p_yx); other scores pass every gate."""
    frame = pd.DataFrame(rows, columns=["context_id", "x", "y", "p_xy", "p_yx"])
    return hand_scored(
        frame.assign(rouge_l=rouge, ted=20.0, ted_lower=20.0, ted_upper=20.0), LIMITS
    )


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
    assert oracle.named_differences(
        ["A dam was closed by Halden.", FIRE], ["A dam was closed by Corvella.", "Fire school."]
    ) == ["name", "outside the grammar"]


def test_no_difference_is_equivalence() -> None:
    texts = [*test_sets.world_items(12, 3)["source"], FIRE, BLAZE, MONDAY]
    xs, ys = zip(*[(x, y) for x in texts for y in texts], strict=True)
    named = np.array(oracle.named_differences(xs, ys))
    assert ((named == "") == (oracle.equivalent(xs, ys) == 1)).all()
    assert oracle.named_differences([FIRE], [MONDAY.replace("fire", "storm")]) == ["several"]


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
    groups = critic_errors.trait_groups(known)
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
    table = critic_errors.by_trait(judged, groups, BOOTSTRAP).set_index(["group", "series"])
    assert table.loc[("all pairs", "precision"), ["value", "n"]].tolist() == [2 / 3, 3]
    assert table.loc[("all pairs", "recall"), ["value", "n"]].tolist() == [2 / 3, 3]
    assert table.loc[("first", "recall"), ["value", "n"]].tolist() == [1 / 2, 2]  # a, and d with i


def test_false_acceptance_and_survivors_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(critic_errors, "RAREST", 2)
    judged = pd.DataFrame({"context_id": list("ccdde")})
    judged["difference"] = ["name", "name", "time", "", "name"]
    judged["accepted"] = [True, False, True, True, False]
    table = critic_errors.false_acceptance(judged, BOOTSTRAP)
    assert table["group"].tolist() == ["name"]
    assert table["value"].tolist() == pytest.approx([1 / 3])
    corpora = {"A": judged, "B": judged.assign(difference=["", "", "", "", "time"])}
    left = critic_errors.survivors(corpora, BOOTSTRAP, ["negation"])
    assert list(dict.fromkeys(left["group"])) == ["name", "time", "negation"]
    assert left["value"].tolist() == pytest.approx([0.6, 0, 0.2, 0.2, 0, 0])


def test_a_critic_beside_nobody_s_truth_has_no_rates() -> None:
    judged = pd.DataFrame({"context_id": list("ab"), "x": list("st"), "y": list("uv")})
    judged = judged.assign(accepted=True, true=np.nan, difference=critic_errors.OUTSIDE)
    groups = critic_errors.trait_groups({text: {} for text in "stuv"})
    table = critic_errors.by_trait(judged, groups, BOOTSTRAP)
    missed = critic_errors.false_acceptance(judged, BOOTSTRAP)  # fewer than `RAREST`
    for rates in (table, missed):
        assert rates["value"].isna().all()
        assert (rates["n"] == 0).all()
        assert len(rates)


def test_calibration_takes_each_direction_by_itself() -> None:
    judged = pd.DataFrame({"context_id": list("abcd"), "p_xy": [0.91, 0.99, 0.2, 1.0]})
    judged["p_yx"] = [0.4, np.nan, np.nan, 0.95]
    rows = critic_errors.directed(judged, [1, 0, 0, np.nan], [0, 1, 1, 1])
    curve = critic_errors.calibration(rows, BOOTSTRAP)
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
    clean = critic_noise.noisy_dataset(pairs, 0.0, 5, PARSER, LIMITS)
    assert list(clean["source"]) == [FIRE]  # the same two texts are one pair
    assert critic_noise.noisy_dataset(pairs, 0.0, 5, PARSER, LIMITS.fix(ted_min=50)).empty
    noisy = critic_noise.noisy_dataset(pairs, 1.0, 5, PARSER, LIMITS)
    assert set(noisy["origin"]) <= {"noise 100%"}
    assert len(noisy[noisy["target"] != BLAZE]) >= 1


def test_the_chain_by_hand() -> None:
    predictions = pd.DataFrame({"system": "noise 20%", "item": ["1", "2", "3"], "source": FIRE})
    predictions["output"] = [FIRE, BLAZE, STORM]
    scores = item_scores(with_similarities(predictions, None), oracle.Oracle())
    assert scores["fidelity"].tolist() == [100, 100, 0]
    assert scores["paraphrase"].tolist() == [0, 100, 0]  # a copy is not new
    corpus = pd.DataFrame({"source": FIRE, "target": [BLAZE, STORM], "context_id": ["a", "b"]})
    rows = critic_noise.noise_chain_rows({0.2: corpus}, scores, oracle.equivalent, BOOTSTRAP)
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
    column = "entailment_threshold"
    some = points((0.75, 10, 0.8), (0.6, 14, 0.8), (0.5, 20, 0.7), (0.9, 10, 0.9))
    chosen = threshold_search.better_points(some)[column]
    assert chosen.to_dict() == {"this run": 0.75, "more pairs": 0.6, "truer pairs": 0.9}
    alone = threshold_search.better_points(points((0.75, 10, 0.8), (0.5, 12, 0.7), (0.9, 8, 0.9)))
    assert alone[column].tolist() == [0.75] * 3


TRIED = {"entailment_threshold": [0.5, 0.9], "rouge_l_max": [0.4, 0.7], "ted_min": [0]}


def test_a_grid_never_loosens_what_was_scored() -> None:
    limits = LIMITS.fix(entailment_floor=0.55, rouge_l_max=0.6, ted_min=12)
    grid = threshold_search.grid_of(limits, TRIED)
    assert grid["this_run"].sum() == 1
    assert set(grid["entailment_threshold"]) == {0.75, 0.9}
    assert set(grid["rouge_l_max"]) == {0.4, 0.6}
    assert set(grid["ted_min"]) == {0, 12}


def test_counts_and_report_by_hand() -> None:
    pairs = scored(
        ("a", "1", "2", 0.8, 0.8), ("a", "3", "4", 0.95, 0.95), ("b", "5", "6", 0.95, 0.8),
        ("b", "7", "8", 0.95, 0.95),
    )  # fmt: skip
    once = threshold_search.decided(pairs, PARSER, 0.5, [3])
    once = once.assign(true=[0.0, 1.0, 1.0, np.nan])
    tried = {"entailment_threshold": [0.9], "rouge_l_max": [], "ted_min": []}
    grid = threshold_search.grid_of(LIMITS, tried)
    counted = threshold_search.point_counts(once, grid)
    table = threshold_search.frontier_points(counted, BOOTSTRAP)
    at = table.set_index("entailment_threshold")
    assert at["pairs"].to_dict() == {0.75: 3, 0.9: 1}
    assert at["value"].to_dict() == {0.75: pytest.approx(2 / 3), 0.9: 1}
    chosen = table.iloc[[0, 0, 1]].set_axis(["this run", "more pairs", "truer pairs"])
    report = threshold_search.reported(chosen, counted, BOOTSTRAP).set_index(["system", "metric"])
    value = report["value"]
    assert value["truer pairs", "gain, points"] == pytest.approx(100 / 3)
    assert value["truer pairs", "pairs, of this run's"] == pytest.approx(1 / 3)
    assert value["more pairs", "gain, points"] == 0
    assert report.loc[("truer pairs", "pairs, of this run's"), "low"] == 0


def test_one_changed_threshold_at_a_time() -> None:
    pairs = scored(("a", FIRE, BLAZE, 0.8, 0.8), ("a", FIRE, STORM, 0.95, 0.95))
    names = ["entailment_threshold", "ted_min"]
    found = threshold_search.sensitivity(pairs, LIMITS, oracle.Oracle(), names)
    rows = found[found["threshold"] == "entailment_threshold"].set_index("value")
    assert rows.loc[0.75, ["pairs", "equivalent (oracle), %"]].tolist() == [2, 50]
    assert rows.loc[0.9, ["pairs", "equivalent (oracle), %"]].tolist() == [1, 0]
    assert found["this_run"].sum() == 2


def test_pairs_are_decided_once_and_exactly() -> None:
    pairs = scored(
        ("a", FIRE, BLAZE, 0.9, 0.9), ("a", BLAZE, FIRE, 0.9, 0.9), ("a", FIRE, STORM, 0.9, 0.1)
    ).assign(ted=np.nan, ted_lower=0.0, ted_upper=90.0)  # fmt: skip
    found = threshold_search.decided(pairs, PARSER, 0.5, [0, 3])
    assert len(found) == 1
    assert 3 < found["ted"].item() < 90
    assert threshold_search.decided(pairs, PARSER, 0.5, [0])["ted"].item() == 0  # the bound


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


def test_means_and_halves_over_contexts() -> None:
    said = {text: text.lower() for text in "aAbBcCdD"}
    table = equivalence_classes.growth(sentences(p=list("aAbB"), q=list("cdCD")), said.get, [2, 4])
    means = equivalence_classes.class_means(table, "k", BOOTSTRAP)
    means = means.set_index(["series", "x"])["value"]
    assert means["classes", 2.0] == 0.5
    assert means["classes", 4.0] == 2
    half = equivalence_classes.half_of_all(table, "classes", BOOTSTRAP)
    assert half.value == 0.25


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
    shares = dataset_differences.target_forms({"A": found}, BOOTSTRAP)
    assert shares["group"].tolist() == ["passive", "outside the grammar"]
    assert shares["value"].tolist() == [0.5, 0.5]


def test_gaps_and_vocabulary_by_hand() -> None:
    a = pd.DataFrame({"source": ["x"] * 4, "target": ["p q", "p", "p", "p"],
                      "context_id": list("abcd")})  # fmt: skip
    b = a.assign(target=["p", "r", "r", "s x"])
    measures = {name: [1.0, 2.0, 3.0, np.nan] for name in dataset_differences.PAIR_MEASURES}
    first, second = a.assign(**measures), b.assign(**measures).assign(new_words=4.0)
    rows = dataset_differences.difference_rows({"A": first, "B": second}, BOOTSTRAP)
    value = rows.set_index(["system", "metric"])["value"]
    assert value["B − A", "words of y not in x, %"] == 2
    assert value["B − A", "words of x"] == 0
    assert value["A", "words of x"] == 2
    assert value["A", "different words of y"] == 2
    assert value["A", "of them in no other"] == 1
    assert value["B", "different words of y"] == 4
    assert value["B", "of them in no other"] == 2


# --- variants


class Half:
    """A critic that says 0.51 of what it is not told otherwise, and remembers what it was asked."""

    def __init__(self, **known: float) -> None:
        self.known, self.asked = known, []

    def probabilities(self, pairs):  # type: ignore[no-untyped-def]
        self.asked += pairs
        return np.array([self.known.get("".join(pair), 0.51) for pair in pairs])


def test_what_the_released_code_shows_its_critic_besides() -> None:
    none, one, other = "Some men left town.", "Ten men left town.", "Ten men left towns."
    texts, models = sentences(c=[one, other, none]), SimpleNamespace(critic=Half(), parser=PARSER)
    found = released_code.released_pairs(texts, models, LIMITS.fix(rouge_l_max=0.7))
    assert found[["x", "y"]].to_numpy().tolist() == [
        [none, one], [none, other],  # a number that only y has goes unseen
        [one, other], [other, one],  # too alike
    ]  # fmt: skip
    assert found["p_xy"].notna().all()


def test_labels_come_from_stored_scores_first() -> None:
    critic = Half()
    label = released_code.first_label(scored(("c", "a", "b", 0.6, np.nan)), critic)
    assert label([("a", "b"), ("b", "a"), ("b", "a")]).tolist() == [1, 1, 1]
    assert critic.asked == [("b", "a")]
    low = released_code.first_label(scored(("c", "a", "b", 0.5, 0.4)), critic)
    assert low([("a", "b")]).tolist() == [0]


def test_the_most_expensive_contexts_are_lost_first() -> None:
    frame = sentences(a=["xx", "yy"], b=["xx", "yy", "zz"], c=["xxxxx", "y", ""], d=["x", "x", "x"])
    # characters of ordered pairs: a 2·1·4 = 8, b 2·2·6 = 24, c 2·1·6 = 12, d 0
    assert released_code.expensive_contexts(frame, 0.25) == {"b"}
    assert released_code.expensive_contexts(frame, 0.5) == {"b", "c"}


def test_each_variant_changes_what_its_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = scored(
        ("c", "a1", "b1", 0.9, 0.9), ("c", "a2", "b2", 0.9, 0.8), ("d", "e", "f", 0.9, 0.9)
    )
    near = scored(("c", "g", "h", 0.95, 0.95), rouge=0.9)
    told = scored(("c", "i", "j", 0.9, 0.9)).assign(numbers_consistent=False)
    texts = sentences(c=["a1", "a2", "b1", "b2", "g", "h"], d=["e", "f"])
    critic = Half(a1a2=0.6, ga1=0.9)
    monkeypatch.setattr(
        critic,
        "probabilities",
        lambda asked: np.array([critic.known.get("".join(pair), 0.0) for pair in asked]),
    )
    more = pd.concat([near, told], ignore_index=True)
    monkeypatch.setattr(released_code, "released_pairs", lambda *_: more)
    models = SimpleNamespace(critic=critic, parser=PARSER)
    made = released_code.variant_datasets(pairs, texts, models, LIMITS)
    kept = {name: set(frame["x"]) for name, frame in made.items()}
    assert kept["paper"] == {"a1", "a2", "e"}  # 0.6 is no edge above 0.75
    assert kept["edges as released"] == {"a1", "e"}  # but a label, and the surest pair stays
    assert kept["dedup as released"] == {"a2", "e"}  # or the one with the lowest p(y ⇒ x)
    assert kept["numbers one way"] == {"a1", "a2", "e", "i"}
    assert kept["ROUGE after dedup"] == {"a2", "e"}  # g stands for a1, and is then too alike
    assert kept["costly contexts lost"] == {"a1", "a2", "e"}  # a tenth of two contexts is none
    assert made["edges as released"]["p_yx"].tolist() == pytest.approx([0.9, 0.9])
    rows = released_code.variant_rows(
        {"paper": made["paper"]}, ["c", "d", "z"], oracle.equivalent, BOOTSTRAP
    )
    value = rows.set_index("metric")["value"]
    assert value["pairs per context"] == 1
    assert value["contexts with pairs, %"] == pytest.approx(200 / 3)
    assert np.isnan(value["pairs true, %"])
