"""Scores of predictions and corpora: values by hand, controls, and missing values stay missing."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Sequence

import evaluate
import numpy as np
import pandas as pd
import pytest
import sacrebleu
from impossible.data.human_datasets import take
from impossible.data.json_lines import read_pairs
from impossible.data.progress import bar
from impossible.evaluation import evaluate_metrics, paraphrase_metrics
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_quality import corpus_quality, quality_report
from impossible.evaluation.metrics import ENCODED, JUDGED, METRICS
from impossible.evaluation.paraphrase_metrics import (
    score_file,
    score_predictions,
    with_similarities,
)
from impossible.text.tree_edit_distance import flat_tree
from rouge_score.rouge_scorer import RougeScorer

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
    report = quality_report(read_pairs(lines, "d.jsonl"), "d.jsonl", bootstrap=Bootstrap(50))
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


def test_what_has_no_reference_is_missing_and_the_rest_is_not() -> None:
    few = predictions("gold").iloc[:3].assign(references=[[PAIRS[0][1]], [], []])
    rows = score_predictions(few, Letters(), Bootstrap(20)).set_index("metric")
    assert (rows.loc[["bleu", "bleu_corpus", "ibleu", "rouge_l"], "n"] == 1).all()
    assert rows.loc[["bleu", "bleu_corpus"], "value"].tolist() == pytest.approx([100, 100])
    assert (rows.loc[["self_bleu", "bert_ibleu", "rouge_l_source"], "n"] == 3).all()
    none = score_predictions(few.assign(references=[[]] * 3), Letters(), Bootstrap(20))
    none = none.set_index("metric")
    missing = ["bleu", "bleu_corpus", "ibleu", "ibleu_corpus", "ibleu_table8", "rouge_l"]
    assert none.loc[missing, "value"].isna().all()
    assert none.loc[missing, "signature"].str.startswith("missing: no references").all()
    assert none.drop(missing)["value"].notna().all()


def test_judged_metrics_are_missing_without_a_judge() -> None:
    rows = score_predictions(predictions("copy"), metrics=JUDGED, bootstrap=Bootstrap(20))
    assert rows["value"].isna().all()
    assert set(rows["signature"]) == {"missing: the judge says nothing"}


def test_evaluate_loads_every_metric_by_path_and_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", None)  # nothing is fetched
    frame = with_similarities(predictions("gold").iloc[:9], Letters(), references=True)
    given = {
        "predictions": frame["output"].tolist(), "sources": frame["source"].tolist(),
        "references": frame["references"].tolist(),
    }  # fmt: skip
    names = [name for name in METRICS if name not in JUDGED]
    ours = values(score_predictions(frame, None, Bootstrap(2), names))
    for name in names:
        metric = evaluate.load(evaluate_metrics.__file__, name, keep_in_memory=True)
        columns = {key: text for key, text in given.items() if key in metric.features}
        more = {"encoder": Letters()} if name in ENCODED else {}
        found = metric.compute(**columns, **more)
        assert found[name] == pytest.approx(ours[name], abs=1e-9), name
    diversity = evaluate.load(evaluate_metrics.__file__, "h2", keep_in_memory=True)
    assert diversity.compute(predictions=["a b c d", "a b"])["h2"] == 1.5
    with pytest.raises(ValueError, match="no metric 'fame'"):
        evaluate.load(evaluate_metrics.__file__, "fame")


def test_parity_with_the_libraries() -> None:
    outputs, sources = [y for _, y in PAIRS[:20]], [x for x, _ in PAIRS[:20]]
    frame = predictions("copy").iloc[:20].assign(output=outputs, references=[[x] for x in sources])
    ours = values(score_predictions(frame, metrics=("bleu_corpus", "rouge1", "rouge2", "rouge_l")))
    assert ours["bleu_corpus"] == pytest.approx(sacrebleu.corpus_bleu(outputs, [sources]).score)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    theirs = [scorer.score(x, y) for x, y in zip(sources, outputs, strict=True)]
    for name, kind in (("rouge1", "rouge1"), ("rouge2", "rouge2"), ("rouge_l", "rougeL")):
        mean = 100 * np.mean([score[kind].fmeasure for score in theirs])
        assert ours[name] == pytest.approx(mean)


def test_a_long_file_shows_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(*args: object, **options: object) -> object:
        return bar(*args, **options | {"delay": 0, "mininterval": 0})

    lines = ['{"source": "a b", "output": "b a", "references": ["a"]}'] * 3
    score_file(lines, "x.jsonl")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(paraphrase_metrics, "bar", slow)
    score_file(iter(lines), "x.jsonl")
    told = capsys.readouterr().err
    assert "lines: 3it" in told
    assert "metrics:  50%" in told


@pytest.mark.parametrize("text", ["经济增长放缓。", "النمو يتباطأ", "?!"])
def test_rouge_is_missing_where_it_has_no_tokens(text: str) -> None:
    """Even identical texts: 0 would say that nothing is alike."""
    frame = pd.DataFrame([("s", "0", text, [text], text)], columns=predictions("gold").columns)
    rows = score_predictions(frame, metrics=["rouge_l", "rouge_l_source", "rouge1", "rouge2"])
    assert rows["value"].isna().all()
    assert rows["signature"].str.contains("letters a-z or digits, the only ones that ROUGE").all()
    known = frame.assign(source="a b", references=[[text, "a b"]])
    assert values(score_predictions(known, metrics=["rouge_l", "rouge_l_source"])) == {
        "rouge_l": 0, "rouge_l_source": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    "pair", ['{"source": "a", "target": "b"}', '{"source": ".", "target": "!"}']
)
def test_a_reason_is_in_words(pair: str) -> None:
    scores = quality_report(read_pairs([pair], "x.jsonl"), "x.jsonl")["scores"]
    assert scores["h2"]["reason"] == "no sentence has 2 words"
    assert scores["h3"]["reason"] == "no sentence has 3 words"
    assert not [each for each in scores.values() if "|" in each.get("reason", "")]
