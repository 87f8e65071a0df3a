"""A sentence encoder such as SimCSE: cosine similarity and BERTScore (paper §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from impossible.models.batching import (
    as_memory_allows,
    by_length,
    mask_of,
    mean_pool,
    model_batch,
    token_ids,
)
from impossible.models.loading import LanguageModel


class SentenceEncoder:
    """Sentence embeddings and BERTScore; every unique text is computed once.

    Args:
        lm: from `loading.load_encoder`.
        batch_tokens: most tokens in one forward pass; memory.
    """

    def __init__(self, lm: LanguageModel, batch_tokens: int = 16_384) -> None:
        self.lm, self.batch_tokens = lm, batch_tokens

    def embed(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Mean-pooled embeddings of unit norm, shape (n, d): cosine is the inner product."""
        unique = {text: i for i, text in enumerate(dict.fromkeys(sentences))}
        result = np.zeros((len(unique), self.lm.model.config.hidden_size), dtype=np.float32)
        for chosen, hidden, rows in self._hidden(list(unique)):
            result[chosen] = mean_pool(hidden, mask_of(rows).to(hidden.device)).cpu().numpy()
        return result[[unique[text] for text in sentences]]

    def bert_score(
        self, candidates: Sequence[str], references: Sequence[str]
    ) -> NDArray[np.float64]:
        """BERTScore F1 of each (candidate, reference), shape (n,) (Zhang et al. 2020, no idf).

        As in the `bert-score` package special tokens can be matched but are not averaged over.
        """
        unique = list(dict.fromkeys([*candidates, *references]))
        special = set(self.lm.tokenizer.all_special_ids)
        vectors: dict[str, tuple[Tensor, Tensor]] = {}
        for chosen, hidden, rows in self._hidden(unique):
            unit = functional.normalize(hidden.float(), dim=-1).cpu()
            for i, vector, row in zip(chosen, unit, rows, strict=True):
                real = torch.tensor([token not in special for token in row])
                vectors[unique[i]] = (vector[: len(row)], real)
        both = zip(candidates, references, strict=True)
        scores = [_greedy_f1(*vectors[x], *vectors[y]) for x, y in both]
        return np.array(scores, dtype=np.float64)

    def longer(self, sentences: Sequence[str]) -> NDArray[np.bool_]:
        """Which sentences have more tokens than are read (`longest`), shape (n,)."""
        rows = token_ids(self.lm.tokenizer, _stripped(sentences), True, self.longest + 1)
        return np.array([len(row) > self.longest for row in rows], dtype=bool)

    @property
    def longest(self) -> int:
        """Tokens that are read of a sentence, special ones included; the rest is cut off."""
        return min(self.lm.window, 512)

    def _hidden(self, sentences: list[str]) -> Iterator[tuple[list[int], Tensor, list[list[int]]]]:
        """(indices, last hidden states (b, longest, d), token ids) of batches."""
        tokenizer = self.lm.tokenizer
        rows = token_ids(tokenizer, _stripped(sentences), True, self.longest)

        @torch.inference_mode()
        def read(chosen: list[int]) -> Tensor:
            batch = [rows[i] for i in chosen]
            inputs = model_batch(batch, tokenizer.pad_token_id or 0, self.lm.device)
            hidden: Tensor = self.lm.model(**inputs).last_hidden_state
            return hidden

        for chosen, hidden in as_memory_allows(by_length(rows, self.batch_tokens), read):
            yield chosen, hidden, [rows[i] for i in chosen]


def _stripped(sentences: Sequence[str]) -> list[str]:
    """Without blanks at both ends, as `bert-score` reads them: "Yes" and "Yes\\n" are one text."""
    return [sentence.strip() for sentence in sentences]


def _greedy_f1(x: Tensor, x_real: Tensor, y: Tensor, y_real: Tensor) -> float:
    """Each real token's best cosine in the other text, averaged; harmonic mean of both sides."""
    if not x_real.any() or not y_real.any():
        return 0.0
    cosines = x @ y.T  # (tokens of x, tokens of y)
    precision = float(cosines.amax(1)[x_real].mean())
    recall = float(cosines.amax(0)[y_real].mean())
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
