"""Right numbers on odd text: each metric against its library, with 1, 2 and many references."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import sacrebleu
from impossible.evaluation.paraphrase_metrics import score_predictions
from impossible.text.bleu import bleu_from_sums, bleu_statistics, sentence_bleus
from impossible.text.rouge import rouge_l
from rouge_score.rouge_scorer import RougeScorer

PLAIN = "The café in Zürich sold 1,200 cups — 3.5% more — in May."
ODD = {
    "plain": PLAIN,
    "composed": unicodedata.normalize("NFC", PLAIN),
    "decomposed": unicodedata.normalize("NFD", PLAIN),
    "zero-width": "The\u200bcafé in Zürich\u200d sold\ufeff cups.",
    "Chinese": "经济增长放缓,价格上涨。",
    "mixed scripts": "GDP 经济 growth 增长 slowed.",
    "emoji": "We won 👍🏽👩\u200d👩\u200d👧 today 🎉!",
    "right to left": "السعر 1,200 דולר the price",
    "override": "The \u202egnp.exe\u202c file opened.",
    "full width": "Prices ROSE,by 1,200!",
    "no-break blanks": "The\u00a0price\u202frose\u3000by 5\u00a0%.",
    "blank": " \u00a0",
    "empty": "",
    "one token": "Prices",
    "one sign": "?",
    "signs": "… ?! —",
    "entities": "AT&amp;T &quot;rose&quot; <skipped> 5-6.",
    "ligature and Turkish": "İstanbul ﬁnds the ΣΑΣ ﬂeet",
    "repeated": "the the the the the the",
    "line end": "Prices rose.\nWages fell.\r\n",
}  # fmt: skip
MANY = (1, 2, 7)
KINDS = {"rouge1": "rouge1", "rouge2": "rouge2", "rouge_l": "rougeL"}


def references(name: str, n: int) -> list[str]:
    """The text itself turned round a little, then others of the table, then the text."""
    words = ODD[name].split()
    names = list(ODD)
    others = [ODD[names[(names.index(name) + 3 * i) % len(names)]] for i in range(1, n)]
    return [*others, " ".join([*words[1:], *words[:1]])][:n]


def row(output: str, refs: Sequence[str]) -> pd.DataFrame:
    found = [("s", "0", "A source.", list(refs), output)]
    return pd.DataFrame(found, columns=["system", "item", "source", "references", "output"])


@pytest.mark.parametrize("n", MANY)
@pytest.mark.parametrize("name", ODD)
def test_overlap_is_that_of_rouge_score(name: str, n: int) -> None:
    refs = references(name, n)
    scored = score_predictions(row(ODD[name], refs), metrics=tuple(KINDS))
    ours = dict(zip(scored["metric"], scored["value"], strict=True))
    readable = [ref for ref in refs if any(c.isascii() and c.isalnum() for c in ref.lower())]
    for metric, kind in KINDS.items():
        if not readable:  # a 0 of the library's would say that nothing is alike
            assert np.isnan(ours[metric])
            continue
        theirs = RougeScorer([kind]).score_multi(refs, ODD[name])[kind].fmeasure
        assert ours[metric] == pytest.approx(100 * theirs, abs=1e-6)


@pytest.mark.parametrize("n", MANY)
@pytest.mark.parametrize("name", ODD)
def test_sentence_bleu_is_that_of_sacrebleu(name: str, n: int) -> None:
    theirs = sacrebleu.BLEU(
        lowercase=True, smooth_method="add-k", smooth_value=1, effective_order=True
    )
    for refs in (references(name, n), [*references(name, n)[1:], ODD[name]]):
        expected = theirs.sentence_score(ODD[name], refs).score
        assert sentence_bleus([ODD[name]], [refs])[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n", MANY)
def test_corpus_bleu_is_that_of_sacrebleu_also_with_unequal_numbers(n: int) -> None:
    outputs, equal = list(ODD.values()), [references(name, n) for name in ODD]
    unequal = [refs[: 1 + i % n] for i, refs in enumerate(equal)]
    for each in (equal, unequal):
        columns = [[refs[i] if i < len(refs) else None for refs in each] for i in range(n)]
        expected = sacrebleu.corpus_bleu(outputs, columns).score  # type: ignore[arg-type]
        found = float(bleu_from_sums(bleu_statistics(outputs, each).sum(axis=0)))
        assert found == pytest.approx(expected, abs=1e-6)
        frame = pd.concat([row(y, refs) for y, refs in zip(outputs, each, strict=True)])
        scored = score_predictions(frame.assign(item=list(ODD)), metrics=("bleu_corpus",))
        assert scored["value"].tolist() == pytest.approx([expected], abs=1e-6)


def test_a_line_of_100_000_words() -> None:
    words = [f"w{i % 5_003}" for i in range(100_000)]
    short = [word for i, word in enumerate(words) if i % 4]
    x, y = " ".join(words), " ".join(short)
    assert rouge_l(x, y) == pytest.approx(2 * 75_000 / 175_000, abs=1e-12)  # y lies in x, in order
    assert rouge_l(x, x) == 1
    expected = sacrebleu.corpus_bleu([y], [[x], [PLAIN]]).score
    found = float(bleu_from_sums(bleu_statistics([y], [[x, PLAIN]]).sum(axis=0)))
    assert found == pytest.approx(expected, abs=1e-6)
