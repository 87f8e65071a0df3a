"""The bias audit of pairs: every count by hand, and a control without signal."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.expectations import SHOWN
from impossible.experiments.bias_audit import (
    CONTROL_PREFIX,
    DENSITIES,
    FEWEST,
    PEOPLE,
    SHARES,
    audit_corpora,
    audit_expected,
    audit_rows,
    audited_pairs,
    beside_human_pairs,
    changed_examples,
)
from impossible.text import word_lists

NAN = math.nan
BOOTSTRAP = Bootstrap(samples=200)


def pairs(*texts: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(texts, columns=["source", "target"])
    return frame.assign(context_id=[f"c{i}" for i in range(len(frame))])


def test_no_word_is_in_two_lists_that_exclude_each_other() -> None:
    assert not word_lists.SHE & word_lists.HE
    assert not word_lists.POSITIVE & word_lists.NEGATIVE
    every = [word_lists.SHE, word_lists.HE, word_lists.POSITIVE, word_lists.NEGATIVE]
    assert all(word == word.lower() and word.isalpha() for each in every for word in each)


@pytest.mark.parametrize(
    ("source", "target", "named", "named_target", "lost", "new"),
    [
        ("We met Ann.", "We met Ann.", 1, 1, 0, 0),
        ("We met Ann.", "Ann met us.", 1, 0, 0, NAN),  # the first word is no name, but is there
        ("We met Ann.", "We met Bob.", 1, 1, 1, 1),
        ("We met Ann.", "We met them.", 1, 0, 1, NAN),
        ("We met them.", "We met Ann in Rome.", 0, 1, NAN, 1),
        ("we met ann.", "We met Ann.", NAN, NAN, NAN, NAN),  # lower-cased
    ],
)
def test_names(
    source: str, target: str, named: float, named_target: float, lost: float, new: float
) -> None:
    (row,) = audited_pairs(pairs((source, target))).to_dict("records")
    found = [row[name] for name in ("named", "named_target", "name_lost", "name_new")]
    assert found == pytest.approx([named, named_target, lost, new], nan_ok=True)


@pytest.mark.parametrize(
    ("source", "target", "counts", "lost", "new"),
    [
        ("She's his aunt.", "She's his aunt.", (2, 3, 2, 3), 0, 0),
        ("The spokesman left.", "The spokesperson left.", (0, 1, 0, 0), 1, NAN),
        ("They left.", "She left.", (0, 0, 1, 1), NAN, 1),
        ("She left.", "He left her.", (1, 1, 1, 2), 0, 1),
        ("They left.", "They left.", (0, 0, 0, 0), NAN, NAN),
    ],
)
def test_women_and_men(
    source: str, target: str, counts: tuple[int, ...], lost: float, new: float
) -> None:
    (row,) = audited_pairs(pairs((source, target))).to_dict("records")
    names = ("she", "gendered", "she_target", "gendered_target")
    assert tuple(row[name] for name in names) == counts
    assert [row["gender_lost"], row["gender_new"]] == pytest.approx([lost, new], nan_ok=True)


@pytest.mark.parametrize(
    ("source", "target", "before", "after", "changed"),
    [
        ("A good, happy day.", "A happy day.", 2, 1, 0),
        ("A good day.", "A day.", 1, 0, 1),
        ("A good, sad day.", "A terrible day.", 0, -1, 1),
        ("A day.", "A day.", 0, 0, 0),
    ],
)
def test_sentiment(source: str, target: str, before: int, after: int, changed: int) -> None:
    (row,) = audited_pairs(pairs((source, target))).to_dict("records")
    assert (row["sentiment"], row["sentiment_target"]) == (before, after)
    assert row["sentiment_changed"] == changed


#: Five pairs of four words on each side, two words of them in one target.
HAND = pairs(
    ("She met good Ann.", "She met good Ann."),
    ("He met bad Bob.", "She met bad Bob."),
    ("He met old Carl.", "He met old Dan."),
    ("He saw old Eve.", "Eve."),
    ("He saw old Frank.", "He saw nice Frank."),
)


def test_rates_of_a_corpus_by_hand() -> None:
    rows = audit_rows({"D_T": HAND}, BOOTSTRAP)
    assert list(rows["metric"]) == [*SHARES, *DENSITIES]
    value = rows.set_index("metric")["value"]
    expected = {
        "named sources, %": 100,
        "a name lost, % of these": 20,
        "named targets, %": 80,
        "she or he lost, % of pairs with one": 40,
        "sentiment changed, % of pairs": 20,
        "she and he, sources, ‰ of words": 250,
        "she and he, targets, ‰ of words": 1000 * 4 / 17,
        "she of she and he, sources, %": 20,
        "kind − harsh, sources, ‰ of words": 0,
        "kind − harsh, targets, ‰ of words": 1000 / 17,
    }
    assert value[list(expected)].to_dict() == pytest.approx(expected)
    absent = {"a name new, % of these", "she or he new, % of pairs with one",
              "she of she and he, targets, %"}  # fmt: skip
    assert FEWEST > 4
    assert set(value.index[value.isna()]) == absent, "of four names, pairs and words"
    assert rows.loc[value.isna().to_numpy(), "signature"].str.startswith("missing: 4 in").all()
    known = rows.dropna(subset="value")
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()


def test_a_lower_cased_corpus_has_no_rate_of_names_and_all_others() -> None:
    lower = HAND.assign(source=HAND["source"].str.lower(), target=HAND["target"].str.lower())
    value = audit_rows({"D_T": lower}, BOOTSTRAP).set_index("metric")["value"]
    assert value.filter(like="name").isna().all()
    assert value["she or he lost, % of pairs with one"] == 40


def many(n: int, *, faithful: bool = True) -> pd.DataFrame:
    """Pairs about different people, of whom every second is a woman and every third is glad."""
    made = []
    for i in range(n):
        who, how = ("She", "He")[i % 2], ("glad", "old", "angry")[i % 3]
        name = f"N{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}"
        kept = name if faithful else ""
        made.append((f"{who} saw {how} {name}.", f"{who} has seen {how} {kept}."))
    return pairs(*made)


def test_shuffled_targets_lose_what_pairs_keep() -> None:
    corpora = audit_corpora({"D_T": many(60)}, ["D_T"], 60, 0)
    assert list(corpora) == ["D_T", CONTROL_PREFIX + "D_T"]
    expected = audit_expected(audit_rows(corpora, BOOTSTRAP), ["D_T"])
    assert [each.outcome for each in expected] == [SHOWN] * 3
    blind = dict.fromkeys(corpora, corpora[CONTROL_PREFIX + "D_T"])
    expected = audit_expected(audit_rows(blind, BOOTSTRAP), ["D_T"])
    assert SHOWN not in [each.outcome for each in expected]


def test_people_are_as_many_pairs_of_each_set_and_ours_are_set_beside_them() -> None:
    human = {"news": many(40, faithful=False), "talk": many(30)}
    corpora = audit_corpora({"D_T": many(50)} | human, ["D_T"], 35, 0)
    sizes = {name: len(frame) for name, frame in corpora.items()}
    assert sizes == {"D_T": 35, "news": 35, "talk": 30, CONTROL_PREFIX + "D_T": 35, PEOPLE: 60}
    assert corpora[PEOPLE]["context_id"].nunique() == 60, "equal names of different sets"
    rows = audit_rows(corpora, BOOTSTRAP)
    gaps = beside_human_pairs(rows, ["D_T", "D_para"]).set_index(["system", "metric"])
    lost = gaps.loc[("D_T − people", "a name lost, % of these")]
    assert lost["value"] == pytest.approx(-50)
    assert lost["low"] <= lost["value"] <= lost["high"] < 0
    assert beside_human_pairs(rows[rows["system"] == "D_T"], ["D_T"]).empty


def test_an_example_of_every_change() -> None:
    shown = changed_examples({"D_T": HAND}, ["D_T"])
    assert shown["change"].tolist() == [
        "a name lost", "a name new", "she or he lost", "she or he new", "sentiment changed",
    ]  # fmt: skip
    assert shown["target"].tolist() == [HAND["target"][i] for i in (2, 2, 1, 1, 4)]
    assert changed_examples({}, []).empty
