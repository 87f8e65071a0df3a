"""NLI critics: data that is read and left out, made minimal pairs, an adapter with a head."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.errors import DataError
from impossible.models.loading import load_critic
from impossible.models.nli import EntailmentCritic
from impossible.training.changed_claims import (
    persons,
    stronger_claims,
    tenses,
    unreported_claims,
)
from impossible.training.minimal_pairs import EDITS_BY_KIND, minimal_pairs
from impossible.training.nli_training import (
    NliRecipe,
    collect_nli,
    read_nli,
    train_nli,
    without_premises,
)
from impossible.training.same_meaning import (
    antonyms,
    contractions,
    copies,
    exchanged_nouns,
    moved_adverbials,
    reordered_members,
    reported_that,
    synonyms,
)

ENGLISH = Path(__file__).parents[1] / "lib" / "impossible" / "english"
SENTENCES = {
    "numbers": "The bank lent 340 farmers money.",
    "days": "The court met on Friday in secret.",
    "names": "We saw that David left the room.",
    "list members": "He sold apples, pears and plums to them.",
    "negation": "The bridge was closed by the police.",
    "hypernyms": "She bought a guitar in the market.",
    "word order": "The teacher praised in public the doctor again.",
    "additions": "The old harbour of the town reopened to visitors.",
    "antonyms": "The old harbour of the town reopened to visitors.",
    "copies": "The old harbour of the town reopened to visitors.",
    "contractions": "They do not know the way.",
    "synonyms": "They bought a film about the war.",
    "reported that": "The mayor said that he was tired.",
    "moved adverbials": "The old harbour of the town reopened to visitors.",
    "reordered members": "He sold apples, pears and plums to them.",
    "exchanged nouns": "He left the harbour of the town.",
    "persons": "They left the harbour.",
    "tenses": "The harbour was closed by the police.",
    "claims": "The mayor may sell the boats.",
    "reported claims": "The mayor said that the harbour reopened.",
}
EXPECTED = {
    "list members": (
        "He sold apples, pears and plums to them.",
        "He sold apples and plums to them.",
    ),
    "hypernyms": ("She bought a guitar in the market.", "She bought an instrument in the market."),
}


@pytest.mark.parametrize("kind", EDITS_BY_KIND)
def test_every_kind_edits_a_sentence_that_has_it(kind: str) -> None:
    made = minimal_pairs([SENTENCES[kind]], 5)
    row = made[made["kind"] == kind].iloc[0]
    assert (row["premise"] == row["hypothesis"]) == (kind == "copies")
    if kind != "moved adverbials":  # both sides get one
        assert SENTENCES[kind] in (row["premise"], row["hypothesis"])


@pytest.mark.parametrize(
    ("edit", "text", "expected"),
    [
        (contractions, "They do not know it isn't so.",
         {"They don't know it isn't so.", "They do not know it is not so."}),
        (reported_that, "The mayor said that he was tired.", {"The mayor said he was tired."}),
        (reported_that, "The mayor said he was tired.", {"The mayor said that he was tired."}),
        (synonyms, "They bought it.", {"They purchased it."}),
        (antonyms, "Prices rose.", {"Prices fell."}),
        (antonyms, "Prices never rose.", set()),
        (copies, "Prices rose.", {"Prices rose."}),
        (synonyms, "It is a big city.", {"It is a large city."}),
        (synonyms, "A huge wave came.", set()),  # "a enormous"
        (reordered_members, "He met Smith and Brown.", {"He met Brown and Smith."}),
        (reordered_members, "He ran, swam, and singing stopped.", set()),
        (exchanged_nouns, "He saw the side of the road.", {"He saw the road of the side."}),
        (exchanged_nouns, "He saw the side of the side.", set()),
        (persons, "I am late.", {"We are late.", "They are late."}),
        (persons, "They are late.", {"I am late.", "We are late."}),
        (persons, "She said it.", {"He said it."}),
        (persons, "We left.", {"They left."}),  # "we" holds "I"
        (persons, "Our idea won.", {"His idea won.", "Their idea won."}),
        (tenses, "It was closed.", {"It will be closed.", "It was closed."}),
        (tenses, "It was never closed.", set()),
        (tenses, "It was going to close.", set()),
        (unreported_claims, "The mayor said that it rains.",
         {"It rains.", "The mayor said that it rains."}),
        (unreported_claims, "The mayor said that rain fell.", set()),  # may be a name
    ],
)  # fmt: skip
def test_edits_by_hand(edit: Callable[[str], Iterator[tuple[str, str]]], text, expected) -> None:
    assert {after for _, after in edit(text)} == expected


def test_a_careful_claim_follows_from_a_surer_one_where_that_is_certain() -> None:
    assert set(stronger_claims("It may help the poor.")) == {
        ("It may help the poor.", "It will help the poor.", False),
        ("It will help the poor.", "It may help the poor.", True),
    }
    assert set(stronger_claims("It aims to help.")) == {
        ("It aims to help.", "It will help.", False)
    }
    assert not list(stronger_claims("It may not help."))


def test_an_adverbial_moves_between_the_ends() -> None:
    moved = dict(moved_adverbials("The old harbour of the town reopened."))
    last = "The old harbour of the town reopened in May."
    assert moved[last] == "In May, the old harbour of the town reopened."
    assert moved[moved[last]] == last
    assert not list(moved_adverbials("Smith left the harbour of the town."))  # a name stays large


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_member_less_and_a_wider_word_follow_and_not_the_other_way(kind: str) -> None:
    whole, less = EXPECTED[kind]
    for premise, hypothesis, label in EDITS_BY_KIND[kind](whole, lambda options: options[0]):
        assert (premise, hypothesis) in ((whole, less), (less, whole))
        assert (label == "entailment") == (premise == whole)


def test_a_last_clause_is_dropped_or_another_sentences() -> None:
    texts = [
        "The old harbour of the town was closed, which surprised the visitors.",
        "The mayor sold the old boats to a bank, which cost him the election.",
    ]
    made = minimal_pairs(texts, 50, seed=1)
    made = made[made["kind"] == "clauses"]
    begin = "The old harbour of the town was closed"
    certain = {
        (texts[0], f"{begin}, which cost him the election."): "neutral",
        (f"{begin}, which cost him the election.", texts[0]): "neutral",
        (texts[0], f"{begin}."): "entailment",
        (f"{begin}.", texts[0]): "neutral",
    }
    found = {(x, y): label for x, y, label, _ in made.itertuples(index=False) if begin in x}
    assert found.items() <= certain.items()
    assert found
    lists = ["The old men sold apples at noon, pears and plums to them."]
    assert "clauses" not in set(minimal_pairs(lists, 5)["kind"])


def test_where_a_negation_turns_entailment_round_nothing_is_made() -> None:
    texts = ["He never sold apples, pears and plums.", "No man bought a guitar there."]
    assert not set(minimal_pairs(texts, 5)["kind"]) & {"list members", "hypernyms", "negation"}


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        (
            "Later that day Smith sued the owner of Acme.",
            "Later that day Acme sued the owner of Smith.",
        ),
        ("The 15 ships carried about 400 men.", "The 400 ships carried about 15 men."),
        ("Later that day Smith met the owner of Acme.", None),  # then both met
        ("Later that day Smith sued the owner of Smith.", None),
        ("The 15 ships carried about 15 men.", None),
    ],
)
def test_names_and_numbers_change_places(text: str, swapped: str | None) -> None:
    made = minimal_pairs([text], 5)
    found = made.loc[made["kind"] == "word order", ["premise", "hypothesis", "label"]]
    assert found.to_numpy().tolist() == ([[text, swapped, "neutral"]] if swapped else [])


def test_a_sentence_gives_one_edit_of_a_kind_and_the_seed_decides() -> None:
    texts = [f"On Monday and Friday {n} ships left." for n in range(20, 60)]
    made = minimal_pairs(texts, 100, seed=3)
    assert made.groupby(["kind", "premise"]).size().max() == 1
    assert made.equals(minimal_pairs(texts, 100, seed=3))
    assert (minimal_pairs(texts, 7).groupby("kind").size() <= 7).all()


def write(folder: Path, name: str, rows: list[tuple[str, str, str]]) -> None:
    path = folder / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = ("premise", "hypothesis", "label")
    path.write_text("".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows))


def test_two_way_labels_are_read_and_unlabelled_lines_are_not(tmp_path: Path) -> None:
    write(
        tmp_path, "a/x", [("p", "h", "entailment"), ("p", "h", "not_entailment"), ("p", "h", "-")]
    )
    assert read_nli(tmp_path, ["a/x"])["label"].tolist() == ["entailment", "neutral"]
    with pytest.raises(DataError, match=r"no NLI file .*b\.jsonl"):
        read_nli(tmp_path, ["a/b"])


def test_a_premise_of_a_test_set_or_of_the_critic_trains_nothing(tmp_path: Path) -> None:
    pairs = [("A b c.", "d", "neutral"), ("e f.", "g h.", "neutral"), ("i", "j", "entailment")]
    write(tmp_path, "s/train", pairs)
    write(tmp_path, "s/test", [(" a b C. ", "x", "neutral")])
    write(tmp_path, "s/other", [("G h.", "x", "neutral")])
    (tmp_path / "critic.yaml").write_text("base: b\ntrain: {s/other: 9}\ntests: []\n")
    recipe = NliRecipe("b", {"s/train": 9}, ("s/test",), disjoint="critic", made_per_kind=0)
    assert collect_nli(tmp_path, recipe, tmp_path)["premise"].tolist() == ["i"]
    assert (
        len(without_premises(read_nli(tmp_path, ["s/train"]), pd.DataFrame({"premise": []}))) == 3
    )


@pytest.mark.parametrize("name", ["critic", "referee"])
def test_the_shipped_recipes_open_and_train_on_no_test_set(name: str) -> None:
    recipe = NliRecipe.load(ENGLISH / f"{name}.yaml")
    assert not set(recipe.train) & set(recipe.tests)
    other = NliRecipe.load(ENGLISH / f"{'referee' if name == 'critic' else 'critic'}.yaml")
    assert recipe.base != other.base


def test_an_unknown_field_of_a_recipe_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("base: b\ntrain: {}\ntests: []\nepoch: 2\n")
    with pytest.raises(DataError, match="epoch"):
        NliRecipe.load(tmp_path / "r.yaml")


@pytest.mark.parametrize("text", ["", "3\n", "- base\n", "base: b\ntrain: 3\ntests: []\n"])
def test_a_recipe_of_another_shape_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(DataError, match="is no recipe of an NLI model"):
        NliRecipe.load(tmp_path / "r.yaml")


def test_two_recipes_share_the_premises_of_a_set(tmp_path: Path) -> None:
    rows = [{"premise": f"p{i % 6}", "hypothesis": f"h{i}", "label": "neutral"} for i in range(12)]
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "critic.yaml").write_text("base: b\ntrain: {s/train: 6}\ntests: []\n")
    first = NliRecipe("b", {"s/train": 6}, (), made_per_kind=0)
    second = NliRecipe("c", {"s/train": 99}, (), disjoint="critic", made_per_kind=0)
    ours, rest = (collect_nli(tmp_path, recipe, tmp_path) for recipe in (first, second))
    assert len(ours) == 6
    assert len(rest) == 6
    assert not set(ours["premise"]) & set(rest["premise"])


@pytest.mark.parametrize("build", [tiny.encoder, tiny.llama])
def test_the_adapter_opens_as_a_critic_and_has_learned(tmp_path: Path, build: Any) -> None:
    base = tiny.save(tmp_path / "base", *build())
    rows = [(f"A {x} {y}.", f"A {x} {z}.", "entailment" if y == z else "contradiction")
            for x in ("dog", "cat") for y in ("ran", "sat") for z in ("ran", "sat")]  # fmt: skip
    pairs = pd.DataFrame(rows * 4, columns=["premise", "hypothesis", "label"]).assign(set="s")
    recipe = NliRecipe(
        str(base), {}, (), layers=1, rank=8, epochs=30, batch_size=8, learning_rate=1e-2
    )
    notes = train_nli(pairs, recipe, tmp_path / "critic")
    assert notes["pairs"] == {"s": 32}
    lm = load_critic(str(tmp_path / "critic"), dtype="float32")
    assert lm.model.config.num_hidden_layers == 1
    critic = EntailmentCritic(lm)
    gold = [label == "entailment" for _, _, label in rows]
    assert critic.entails([(x, y) for x, y, _ in rows]).tolist() == gold


def test_a_second_training_goes_on_from_the_first(tmp_path: Path) -> None:
    """At a learning rate of nothing it decides as the first does, and its recipe names both."""
    base = tiny.save(tmp_path / "base", *tiny.encoder())
    rows = [(f"{x} ran.", f"{y} ran.", "entailment" if x == y else "neutral")
            for x in ("A dog", "A cat") for y in ("A dog", "A cat")]  # fmt: skip
    pairs = pd.DataFrame(rows * 8, columns=["premise", "hypothesis", "label"]).assign(set="s")
    first = NliRecipe(str(base), {}, (), rank=4, epochs=9, batch_size=8, learning_rate=1e-2)
    train_nli(pairs, first, tmp_path / "first")
    still = replace(first, continues="first", epochs=1, learning_rate=1e-12)
    notes = train_nli(pairs, still, tmp_path / "second")
    assert notes["first"]["learning_rate"] == 1e-2
    asked = [(x, y) for x, y, _ in rows]
    one, two = (
        EntailmentCritic(load_critic(str(tmp_path / name), dtype="float32")).probabilities(asked)
        for name in ("first", "second")
    )
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_kinds_of_minimal_pairs_can_be_named() -> None:
    found = minimal_pairs(["Smith left on Friday.", "He came on Monday."], {"copies": 1})
    assert found["kind"].tolist() == ["copies"]
    with pytest.raises(DataError, match="copy"):
        minimal_pairs(["Smith left on Friday."], {"copy": 1})


def test_made_pairs_are_edits_of_what_the_first_training_read(tmp_path: Path) -> None:
    write(tmp_path, "s/wide", [("Smith left on Friday.", "He left.", "entailment")])
    write(tmp_path, "s/few", [("It rained.", "It was wet.", "neutral")])
    for name, train, before in (("one", "s/wide", ""), ("two", "s/few", "one")):
        recipe = {"base": "b", "train": {train: 9}, "tests": [], "continues": before}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(recipe))
    third = NliRecipe("b", {"s/few": 9}, (), continues="two", made_per_kind={"days": 9})
    pairs = collect_nli(tmp_path, third, tmp_path)
    assert pairs["set"].tolist() == ["s/few", "made"]
    assert pairs["premise"].iloc[1] == "Smith left on Friday."
