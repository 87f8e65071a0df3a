"""Critics: equal to the plain model call, sensitive to the right label only."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from bert_score.utils import bert_cos_score_idf
from impossible.errors import ModelError
from impossible.evaluation.paraphrase_metrics import score_predictions, with_similarities
from impossible.models.batching import token_ids
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.models.sentence_encoder import SentenceEncoder
from test_right_numbers import ODD

READABLE = [name for name, text in ODD.items() if text.strip()]
PAIRS = [(a, b) for a in tiny.SENTENCES for b in tiny.SENTENCES if a != b]


def wrap(parts: tuple[Any, Any], dtype: torch.dtype = torch.float32) -> LanguageModel:
    return LanguageModel(parts[0].to(dtype), parts[1], "tiny", "0")


def naive(lm: LanguageModel, x: str, y: str) -> float:
    batch = lm.tokenizer(x, y, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        probabilities = lm.model(**batch).logits.softmax(-1)[0]
    return float(probabilities[tiny.LABELS.index("entailment")])


def test_equal_to_one_call_per_pair() -> None:
    lm = wrap(tiny.critic())
    got = EntailmentCritic(lm).probabilities(PAIRS)
    assert got == pytest.approx([naive(lm, x, y) for x, y in PAIRS], abs=1e-6)
    assert got.std() > 0.01
    assert EntailmentCritic(lm).probabilities([]).shape == (0,)


def test_rows_equal_the_tokenizers_own_pairs() -> None:
    critic = EntailmentCritic(wrap(tiny.critic()))
    assert critic.rows(PAIRS) == token_ids(critic.lm.tokenizer, PAIRS, True)


def test_padding_and_batches_change_nothing_but_roundings() -> None:
    critic = EntailmentCritic(wrap(tiny.critic()))
    whole = critic.probabilities(PAIRS)
    assert np.array_equal(critic.probabilities(PAIRS * 2)[: len(PAIRS)], whole)
    small = EntailmentCritic(critic.lm, batch_tokens=64)
    assert small.probabilities(PAIRS) == pytest.approx(whole, abs=1e-5)
    encoder = SentenceEncoder(wrap(tiny.encoder()))
    alone = SentenceEncoder(encoder.lm, batch_tokens=1).embed(tiny.SENTENCES)
    assert encoder.embed(tiny.SENTENCES) == pytest.approx(alone, abs=1e-5)


def test_the_label_order_does_not_matter_and_a_wrong_one_is_seen() -> None:
    model, tok = tiny.critic()
    right = EntailmentCritic(wrap((model, tok))).probabilities(PAIRS)
    other, _ = tiny.critic(labels=("entailment", "contradiction", "neutral"))
    order = [tiny.LABELS.index(label) for label in ("entailment", "contradiction", "neutral")]
    other.load_state_dict(model.state_dict())
    wrong = EntailmentCritic(wrap((other, tok))).probabilities(PAIRS)
    with torch.no_grad():
        other.classifier.out_proj.weight.copy_(model.classifier.out_proj.weight[order])
        other.classifier.out_proj.bias.copy_(model.classifier.out_proj.bias[order])
    permuted = EntailmentCritic(wrap((other, tok))).probabilities(PAIRS)
    assert permuted == pytest.approx(right, abs=1e-6)
    assert abs(wrong - right).max() > 0.01  # the destroyed signal shows


def test_entails_is_the_most_probable_label() -> None:
    critic = EntailmentCritic(wrap(tiny.critic()))
    distributions = critic.distributions(PAIRS)
    assert distributions.sum(1) == pytest.approx(1.0)
    assert critic.entails(PAIRS).tolist() == (distributions.argmax(1) == 1).tolist()


def test_a_pair_beyond_the_window_is_told() -> None:
    critic = EntailmentCritic(wrap(tiny.critic()))
    with pytest.raises(ModelError, match="exceeds the window of 129"):
        critic.probabilities([("word " * 80, "word " * 80)])


def test_embeddings_are_mean_pooled_and_of_unit_norm() -> None:
    lm = wrap(tiny.encoder())
    got = SentenceEncoder(lm).embed([*tiny.SENTENCES, tiny.SENTENCES[0]])
    assert np.linalg.norm(got, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert np.array_equal(got[0], got[-1])
    batch = lm.tokenizer(tiny.SENTENCES[3], return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        mean = lm.model(**batch).last_hidden_state[0].mean(0)
    assert got[3] == pytest.approx((mean / mean.norm()).numpy(), abs=1e-6)
    assert SentenceEncoder(lm).embed([]).shape == (0, 32)


def their_bert_score(lm: LanguageModel, candidates: list[str], references: list[str]) -> np.ndarray:
    """F1 by the package `bert_score`, without its weights of the first and last token."""
    weights: dict[int, float] = defaultdict(lambda: 1.0)
    weights[lm.tokenizer.bos_token_id] = weights[lm.tokenizer.eos_token_id] = 0.0
    lm.tokenizer.sep_token, lm.tokenizer.cls_token = "</s>", "<s>"
    found = bert_cos_score_idf(
        lm.model, references, candidates, lm.tokenizer, weights, device="cpu"
    )
    return np.asarray(found[:, 2].double())


def test_bert_score_equals_the_bert_score_package() -> None:
    lm = wrap(tiny.encoder())
    candidates, references = [x for x, _ in PAIRS], [y for _, y in PAIRS]
    expected = their_bert_score(lm, candidates, references)
    got = SentenceEncoder(lm).bert_score(candidates, references)
    assert got == pytest.approx(expected, abs=1e-6)
    assert SentenceEncoder(lm).bert_score(candidates, candidates) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", READABLE)
def test_bert_score_of_odd_text_is_that_of_the_package(name: str) -> None:
    lm, others = wrap(tiny.encoder()), [ODD[other] for other in READABLE]
    candidates = [ODD[name]] * len(others)
    expected = their_bert_score(lm, candidates, others)
    assert SentenceEncoder(lm).bert_score(candidates, others) == pytest.approx(expected, abs=1e-6)


def test_bert_score_of_no_text_is_zero() -> None:
    """As the package says; with today's transformers it stops at an empty text itself."""
    empty = [ODD[name] for name in ODD if name not in READABLE]
    encoder = SentenceEncoder(wrap(tiny.encoder()))
    for text in empty:
        assert encoder.bert_score([text, ODD["plain"]], [ODD["plain"], text]).tolist() == [0, 0]


def test_blanks_at_the_ends_are_no_text() -> None:
    encoder = SentenceEncoder(wrap(tiny.encoder()))
    x, y = tiny.SENTENCES[0], f" {tiny.SENTENCES[0]} \n\n"
    assert encoder.bert_score([x], [y]) == pytest.approx(1.0, abs=1e-6)
    assert np.array_equal(*encoder.embed([x, y]))


def test_an_encoder_says_which_texts_it_reads_in_part() -> None:
    encoder = SentenceEncoder(wrap(tiny.encoder()))
    long = " ".join(tiny.SENTENCES * 20)
    assert encoder.longer([tiny.SENTENCES[0], long]).tolist() == [False, True]
    rows = [("s", str(i), x, ["a"], x) for i, x in enumerate((tiny.SENTENCES[0], long))]
    frame = pd.DataFrame(rows, columns=["system", "item", "source", "references", "output"])
    found = with_similarities(frame, encoder)
    assert found["encoder"].tolist() == ["0", f"0 on the first {encoder.longest} tokens"]
    scores = score_predictions(found, metrics=["bert_score"])
    assert f"encoder:0, 0 on the first {encoder.longest} tokens" in scores["signature"][0]
