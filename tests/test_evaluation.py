"""Scores of predictions and corpora: values by hand, controls, and missing values stay missing."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from impossible.data.human_datasets import read_pairs, take
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_quality import corpus_quality, quality_file
from impossible.evaluation.metrics import (
    BertIBleu,
    IBleu,
    NgramDiversity,
    RougeL,
    SelfBleu,
    SentenceBleu,
)
from impossible.evaluation.paraphrase_metrics import score_file, score_predictions
from impossible.text.tree_edit_distance import flat_tree

NAMES = ["ann", "bob", "eve", "kim", "lee"]
VERBS = ["saw", "met", "left", "found", "heard"]
FACTS = [f"{a} {v} {b}" for a in NAMES for b in NAMES for v in VERBS]
PAIRS = [(f"{fact} today .", f"today {fact} .") for fact in FACTS]


class Letters:
    """An encoder that counts letters: enough to be exact by hand."""

    def embed(self, sentences: Sequence[str]) -> np.ndarray:
        counts = np.array([[s.count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for s in sentences])
        norms = np.linalg.norm(counts, axis=1, keepdims=True)
        return np.asarray(counts / np.maximum(norms, 1))

    def bert_score(self, candidates: Sequence[str], references: Sequence[str]) -> np.ndarray:
        return np.asarray((self.embed(candidates) * self.embed(references)).sum(axis=1))


def predictions(kind: str) -> pd.DataFrame:
    outputs = {"copy": 0, "gold": 1}
    rows = [
        (kind, str(i), x, [y], (x, y)[outputs[kind]] if kind in outputs else "")
        for i, (x, y) in enumerate(PAIRS)
    ]
    return pd.DataFrame(rows, columns=["system", "item", "source", "references", "output"])


def values(frame: pd.DataFrame) -> dict[str, float]:
    return dict(zip(frame["metric"], frame["value"], strict=True))


def test_copy_gold_and_silence() -> None:
    frame = pd.concat([predictions("copy"), predictions("gold"), predictions("silent")])
    rows = score_predictions(frame, Letters(), bootstrap=Bootstrap(50))
    copy, gold, silent = (values(rows[rows["system"] == s]) for s in ("copy", "gold", "silent"))
    assert copy["self_bleu"] == pytest.approx(100)
    assert copy["bert_ibleu"] == 0
    assert copy["ibleu"] == pytest.approx(0.7 * copy["bleu"] - 30)
    assert copy["ibleu_corpus"] == pytest.approx(0.7 * copy["bleu_corpus"] - 30)
    assert [gold["bleu"], gold["bleu_corpus"]] == pytest.approx([100, 100])
    assert gold["rouge_l"] == pytest.approx(100)
    assert [gold["rouge_l_source"], copy["rouge_l"]] == pytest.approx([75, 75])
    assert gold["cosine"] == pytest.approx(100)
    assert gold["bert_ibleu"] > 50
    for metric in (
        "bleu",
        "bleu_corpus",
        "rouge_l",
        "bert_ibleu",
        "bert_score",
        "cosine",
        "length_ratio",
    ):
        assert silent[metric] == 0


def test_every_row_has_interval_n_and_signature() -> None:
    rows = score_predictions(predictions("gold"), Letters(), bootstrap=Bootstrap(50))
    assert (rows["low"] <= rows["value"] + 1e-9).all()
    assert (rows["value"] <= rows["high"] + 1e-9).all()
    assert (rows["n"] == len(PAIRS)).all()
    assert rows["signature"].str.contains("version:").all()


def test_the_shuffled_control_is_worse() -> None:
    frame = predictions("gold")
    shuffled = frame.assign(output=random.Random(0).sample(frame["output"].tolist(), len(frame)))
    real, control = values(score_predictions(frame)), values(score_predictions(shuffled))
    assert control["rouge_l"] < real["rouge_l"] - 20
    assert control["bleu"] < real["bleu"] - 20


def test_without_encoder_or_parser_values_are_null_with_a_reason() -> None:
    lines = [json.dumps({"source": x, "target": y}) for x, y in PAIRS]
    report = quality_file(lines, "d.jsonl", bootstrap=Bootstrap(50))
    for metric in ("cosine", "ted_3", "ted_f"):
        assert report["scores"][metric]["value"] is None
        assert "was given" in report["scores"][metric]["reason"]
    assert report["n"] == report["scores"]["jaccard"]["n"] == len(PAIRS)
    assert report["scores"]["jaccard"]["value"] == pytest.approx(100)
    assert "NaN" not in json.dumps(report)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_trees_that_do_not_parse_are_missing_not_zero() -> None:
    frame = read_pairs([json.dumps({"source": x, "target": y}) for x, y in PAIRS[:10]], "d")
    some = corpus_quality(frame, parser=lambda s: flat_tree(s) if "ann saw bob" in s else None)
    row = some[some["metric"] == "ted_f"].iloc[0]
    assert (row["value"], row["n"]) == (2.0, 1)  # "today" deleted at the end, inserted in front
    none = corpus_quality(frame, parser=lambda s: None)
    assert none[none["metric"] == "ted_f"]["signature"].item() == "missing: no pair parses"


def test_equal_n_and_seed() -> None:
    frame = read_pairs([json.dumps({"source": x, "target": y}) for x, y in PAIRS], "d")
    small = corpus_quality(frame, n=40, bootstrap=Bootstrap(50))
    again = corpus_quality(frame, n=40, bootstrap=Bootstrap(50))
    pd.testing.assert_frame_equal(small, again)
    assert small[small["metric"] == "h2"]["n"].item() == 40
    assert values(small)["h2"] < values(corpus_quality(frame, bootstrap=Bootstrap(50)))["h2"]
    assert (
        take(frame, 40, seed=1)["pair_id"].tolist() != take(frame, 40, seed=2)["pair_id"].tolist()
    )


def test_variety_is_more_than_repetition() -> None:
    varied = read_pairs([json.dumps({"source": x, "target": y}) for x, y in PAIRS], "varied")
    repeated = varied.assign(source=PAIRS[0][0], target=PAIRS[0][1])
    high, low = values(corpus_quality(varied)), values(corpus_quality(repeated))
    assert high["h2"] > low["h2"] + 2
    assert high["h3"] > low["h3"] + 2


def test_score_file() -> None:
    lines = [json.dumps({"source": x, "output": y, "references": [y, x]}) for x, y in PAIRS[:5]]
    report = score_file([*lines, ""], "p.jsonl", bootstrap=Bootstrap(20))
    assert report["scores"]["rouge_l"]["value"] == pytest.approx(100)
    assert report["scores"]["bleu"]["signature"].startswith("bleu_sentence|n:5|case:lc")
    assert report["scores"]["bert_ibleu"]["value"] is None


def test_evaluate_metrics_agree() -> None:
    sources, targets = [x for x, _ in PAIRS[:9]], [y for _, y in PAIRS[:9]]
    many = [[y] for y in targets]
    frame = predictions("copy").iloc[:9]
    ours = values(score_predictions(frame, Letters(), bootstrap=Bootstrap(2)))
    given = {"predictions": sources, "references": many}
    assert RougeL().compute(**given)["rouge_l"] == pytest.approx(ours["rouge_l"])
    assert SentenceBleu().compute(**given)["bleu"] == pytest.approx(ours["bleu"])
    assert IBleu().compute(**given, sources=sources)["ibleu"] == pytest.approx(ours["ibleu"])
    own = {"predictions": targets, "sources": sources}
    gold = values(
        score_predictions(predictions("gold").iloc[:9], Letters(), bootstrap=Bootstrap(2))
    )
    assert SelfBleu().compute(**own)["self_bleu"] == pytest.approx(gold["self_bleu"])
    found = BertIBleu(Letters()).compute(**own)["bert_ibleu"]
    assert found == pytest.approx(gold["bert_ibleu"], abs=1e-9)
    assert NgramDiversity().compute(predictions=["a b c d", "a b"])["h2"] == 1.5
