"""A parser's trees beside gold trees: brackets and distances by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from impossible.errors import DataError
from impossible.experiments import parser_quality as quality

GOLD = "(S (NP (NN rain)) (VP (VBD fell) (PRT (RP down))) (. .))"
LINES = [
    "( (S (NP-SBJ-1 (NNP Ada) ) (VP (VBD said) (SBAR (-NONE- 0) (S (-NONE- *T*-1) ))) (. .) ))",
    "( (S (`` ``) (NP-SBJ (PRP It) ) (VP (VBD cost) (NP (CD 1\\/2) (-LRB- -LRB-) (NN lb) "
    "(-RRB- -RRB-) )) ('' '') (. .) ))",
]


def test_traces_functions_and_empty_phrases_go(tmp_path: Path) -> None:
    (tmp_path / "treebank").mkdir()
    (tmp_path / quality.TREEBANK).write_text("\n".join([*LINES, ""]), encoding="utf-8")
    trees = quality.gold_trees(tmp_path)
    assert trees[0] == "(S (NP (NNP Ada)) (VP (VBD said)) (. .))"
    assert quality.plain_text(trees[1]) == '"It cost 1/2 (lb)".'
    with pytest.raises(DataError, match=r"Gold trees are missing: put Penn .* at .*trees.txt\."):
        quality.gold_trees(tmp_path / "absent")
    with pytest.raises(DataError, match="below the folder that human_data names"):
        quality.gold_trees("")


def test_brackets_by_hand() -> None:
    text, found = quality.brackets(GOLD)
    assert text == "rainfelldown"
    assert dict(found) == {
        ("S", 0, 12): 1, ("NP", 0, 4): 1, ("VP", 4, 12): 1, ("ADVP", 8, 12): 1,
    }  # fmt: skip
    other = "(S (NP (NN rain)) (VP (VBD fell)) (ADVP (RB down)) (. .))"
    rows = quality.bracket_rows([GOLD, GOLD], [other, None]).set_index("label")
    assert rows.loc["all", ["gold", "found", "matched"]].tolist() == [8, 4, 3]
    assert rows.loc["all", "f1"] == pytest.approx(50)
    assert rows.loc["VP", "f1"] == 0
    assert quality.bracket_rows([GOLD], [GOLD])["f1"].tolist() == [100] * 5


def test_tokenizers_may_cut_differently() -> None:
    """Here the full stop is a word of its own, and the hyphenated word is three."""
    whole = "(S (NP (NNP U.S.) (JJ co-owned) (NNS ships)) (VP (VBD sank)))"
    cut = "(S (NP (NNP U.S) (. .) (NN co) (HYPH -) (VBN owned) (NNS ships)) (VP (VBD sank)))"
    assert quality.bracket_rows([whole], [cut])["f1"].tolist() == [100] * 4


def test_other_characters_match_nothing() -> None:
    assert quality.bracket_rows([GOLD], ["(S (NP (NN snow)))"])["matched"].sum() == 0


def test_equal_trees_have_equal_distances() -> None:
    trees = [GOLD, "(S (NP (NN rain)))", "(NP (DT a) (NN cat) (PP (IN on) (NP (NN ice))))"]
    rows = quality.distance_rows(trees, trees, 20, seed=1)
    assert rows["rank correlation"].tolist() == pytest.approx([1, 1])
    assert rows["gold"].tolist() == rows["ours"].tolist()
    assert quality.distances(trees, 5, 3) == quality.distances(trees, 5, 3)
