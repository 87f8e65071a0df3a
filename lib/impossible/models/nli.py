"""Models that judge: an NLI critic for entailment, and an encoder for similarity (paper §3.2, §4).

Every unique text or pair is computed once, in batches of texts of exactly equal length, so that
nothing is padded and a score does not depend on what else is in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from impossible.errors import ModelError
from impossible.models.batching import mean_pool, token_ids
from impossible.models.loading import LanguageModel, entailment_index
from impossible.models.nucleus_sampling import bucketed_rows

__all__ = ["Encoder", "EntailmentCritic"]

Pair = tuple[str, str]


class EntailmentCritic:
    """P_NLI(premise ⇒ hypothesis) by a cross-encoder such as RoBERTa-large-WANLI.

    Args:
        lm: from `models.load_critic`; the entailment label is found by name.
        batch_tokens: most tokens in one forward pass; memory only, no effect on the result.

    Example:
        `EntailmentCritic(lm).probabilities([("A dog barked loudly.", "A dog barked.")])` is one
        number in an array, near 1 for a good critic.
    """

    def __init__(self, lm: LanguageModel, batch_tokens: int = 16_384) -> None:
        self.lm, self.batch_tokens = lm, batch_tokens
        self.entailment = entailment_index(lm.model)
        self._template = _pair_template(lm.tokenizer)
        self._typed = getattr(lm.model.config, "type_vocab_size", 1) > 1

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """P(entailment) of each (premise, hypothesis), shape (n,), in [0, 1].

        Raises:
            ModelError: a pair is longer than the critic's window.
        """
        return self.distributions(pairs)[:, self.entailment]

    def entails(self, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
        """Whether entailment is the most probable label, shape (n,) (the released code's rule)."""
        return np.asarray(self.distributions(pairs).argmax(1) == self.entailment)

    def distributions(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Probabilities of all labels in the model's order, shape (n, labels)."""
        unique = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
        result = np.zeros((len(unique), self.lm.model.config.num_labels))
        rows = self._rows(list(unique))
        for chosen in _equal_length(rows, self.batch_tokens):
            result[chosen] = self._forward([rows[i] for i in bucketed_rows(chosen)])[: len(chosen)]
        return result[[unique[pair] for pair in pairs]]

    def _rows(self, pairs: list[Pair]) -> list[list[int]]:
        """Token ids of pairs; each sentence is tokenized once, whatever the number of its pairs."""
        sentences = list(dict.fromkeys(text for pair in pairs for text in pair))
        ids = dict(zip(sentences, token_ids(self.lm.tokenizer, sentences, False), strict=True))
        before, between, after = self._template
        rows = [[*before, *ids[x], *between, *ids[y], *after] for x, y in pairs]
        longest = max(range(len(rows)), key=lambda i: len(rows[i]), default=0)
        if rows and len(rows[longest]) > self.lm.window:
            raise ModelError(
                f"a pair of {len(rows[longest])} tokens exceeds the window of {self.lm.window} "
                f"tokens of the critic {self.lm.name!r}: {pairs[longest][0][:60]!r}…"
            )
        return rows

    @torch.inference_mode()
    def _forward(self, rows: list[list[int]]) -> NDArray[np.float64]:
        batch = {"input_ids": torch.tensor(rows, device=self.lm.device)}
        if self._typed:
            batch["token_type_ids"] = self._types(batch["input_ids"])
        logits = self.lm.model(**batch).logits.double()
        return np.asarray(logits.softmax(-1).cpu().numpy())

    def _types(self, ids: torch.Tensor) -> torch.Tensor:
        """BERT's segment numbers: 1 after the first separator."""
        separator = (ids == self.lm.tokenizer.sep_token_id).long()
        types: torch.Tensor = ((separator.cumsum(1) - separator) > 0).long()
        return types


def _pair_template(tokenizer: Any) -> tuple[list[int], list[int], list[int]]:
    """Special tokens before, between and after two texts, learned from one example."""
    x, y = token_ids(tokenizer, ["A dog barked.", "Prices rose."], False)
    whole = token_ids(tokenizer, [("A dog barked.", "Prices rose.")], True)[0]
    for start in range(len(whole) - len(x) + 1):
        for second in range(start + len(x), len(whole) - len(y) + 1):
            before, between, after = whole[:start], whole[start + len(x) : second], []
            after = whole[second + len(y) :]
            if [*before, *x, *between, *y, *after] == whole:
                return before, between, after
    raise ModelError(
        "the critic's tokenizer cuts a sentence otherwise in a pair than alone; "
        "use a critic with a byte-level or WordPiece tokenizer"
    )


class Encoder:
    """Sentence embeddings and BERTScore from one encoder such as SimCSE.

    Args:
        lm: from `models.load_encoder`.
        batch_tokens: most tokens in one forward pass; no effect on the result.
    """

    def __init__(self, lm: LanguageModel, batch_tokens: int = 16_384) -> None:
        self.lm, self.batch_tokens = lm, batch_tokens

    def embed(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Mean-pooled embeddings of unit norm, shape (n, d): cosine is the inner product."""
        unique = list(dict.fromkeys(sentences))
        found: dict[str, NDArray[np.float32]] = {}
        for chosen, hidden, _ in self._hidden(unique):
            pooled = mean_pool(hidden, torch.ones(hidden.shape[:2], device=hidden.device))
            found |= {unique[i]: v for i, v in zip(chosen, pooled.cpu().numpy(), strict=True)}
        width = self.lm.model.config.hidden_size
        return np.array([found[s] for s in sentences], dtype=np.float32).reshape(-1, width)

    def bert_score(
        self, candidates: Sequence[str], references: Sequence[str]
    ) -> NDArray[np.float64]:
        """BERTScore F1 of each (candidate, reference), shape (n,) (Zhang et al. 2020, no idf).

        As in the `bert-score` package special tokens can be matched but are not averaged over.
        """
        unique = list(dict.fromkeys([*candidates, *references]))
        vectors: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        for chosen, hidden, rows in self._hidden(unique):
            unit = functional.normalize(hidden.float(), dim=-1).cpu()
            special = set(self.lm.tokenizer.all_special_ids)
            for i, vector, row in zip(chosen, unit, rows, strict=True):
                real = torch.tensor([token not in special for token in row])
                vectors[unique[i]] = (vector, real)
        scores = [
            _greedy_f1(*vectors[x], *vectors[y])
            for x, y in zip(candidates, references, strict=True)
        ]
        return np.array(scores, dtype=np.float64)

    def _hidden(
        self, sentences: list[str]
    ) -> Iterator[tuple[list[int], torch.Tensor, list[list[int]]]]:
        """(places, last hidden states (b, length, d), token ids) of batches of equal length."""
        rows = token_ids(self.lm.tokenizer, sentences, True, min(self.lm.window, 512))
        for chosen in _equal_length(rows, self.batch_tokens):
            batch = [rows[i] for i in bucketed_rows(chosen)]
            with torch.inference_mode():
                ids = torch.tensor(batch, device=self.lm.device)
                hidden = self.lm.model(input_ids=ids).last_hidden_state[: len(chosen)]
            yield chosen, hidden, batch[: len(chosen)]


def _greedy_f1(
    x: torch.Tensor, x_real: torch.Tensor, y: torch.Tensor, y_real: torch.Tensor
) -> float:
    """Each real token's best cosine in the other text, averaged; harmonic mean of both sides."""
    if not x_real.any() or not y_real.any():
        return 0.0
    cosines = x @ y.T  # (tokens of x, tokens of y)
    precision = float(cosines.amax(1)[x_real].mean())
    recall = float(cosines.amax(0)[y_real].mean())
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def _equal_length(rows: Sequence[Sequence[int]], batch_tokens: int) -> Iterator[list[int]]:
    """Places of rows of the same length, in batches within the token budget."""
    groups: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(len(row), []).append(place)
    for length, places in sorted(groups.items()):
        size = max(1, batch_tokens // max(1, length))
        for start in range(0, len(places), size):
            yield places[start : start + size]
