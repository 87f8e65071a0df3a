"""The NLI critic: does one sentence follow from another (paper §3.2)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impossible.errors import ModelError
from impossible.models.batching import Ids, as_memory_allows, by_length, model_batch, token_ids
from impossible.models.loading import LanguageModel, entailment_index
from impossible.text.pairs import Pair

TEMPERATURE = "nli_temperature"  # in config.json: logits are divided by it (Guo et al. 2017)


class EntailmentCritic:
    """P_NLI(premise ⇒ hypothesis) by a cross-encoder such as RoBERTa-large-WANLI.

    Args:
        lm: from `loading.load_critic`.
        batch_tokens: most tokens in one forward pass; memory.
        entailment_label: what the model calls entailment, in any case.

    Example:
        `EntailmentCritic(lm).probabilities([("A dog barked loudly.", "A dog barked.")])` is one
        number in an array, near 1 for a good critic.
    """

    def __init__(
        self, lm: LanguageModel, batch_tokens: int = 16_384, entailment_label: str = "entailment"
    ) -> None:
        self.lm, self.batch_tokens = lm, batch_tokens
        self.entailment = entailment_index(lm.model, entailment_label)
        self._template = _pair_template(lm.tokenizer)
        self._temperature = float(getattr(lm.model.config, TEMPERATURE, 1.0))
        self._typed = getattr(lm.model.config, "type_vocab_size", 1) > 1

    @property
    def fingerprint(self) -> str:
        """What its judgements depend on."""
        return self.lm.fingerprint

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """P(entailment) of each (premise, hypothesis), shape (n,), in [0, 1].

        Raises:
            ModelError: a pair is longer than the critic's context length.
        """
        return self.distributions(pairs)[:, self.entailment]

    def entails(self, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
        """Whether entailment is the most probable label, shape (n,) (the released code's rule)."""
        return np.asarray(self.distributions(pairs).argmax(1) == self.entailment)

    def distributions(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Probabilities of all labels in the model's order, shape (n, labels)."""
        unique = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
        result = np.zeros((len(unique), self.lm.model.config.num_labels))
        rows = self.rows(list(unique))
        batches = by_length(rows, self.batch_tokens)
        for chosen, found in as_memory_allows(
            batches, lambda chosen: self._forward([rows[i] for i in chosen])
        ):
            result[chosen] = found
        return result[[unique[pair] for pair in pairs]]

    def fits(self, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
        """Whether each pair is short enough to be read, shape (n,)."""
        return np.array([len(row) <= self.lm.window for row in self._ids(pairs)], dtype=bool)

    def _ids(self, pairs: Sequence[Pair]) -> list[list[int]]:
        """Token ids of pairs; each sentence is tokenized once, whatever the number of its pairs."""
        sentences = list(dict.fromkeys(text for pair in pairs for text in pair))
        ids = dict(zip(sentences, token_ids(self.lm.tokenizer, sentences, False), strict=True))
        before, between, after = self._template
        return [[*before, *ids[x], *between, *ids[y], *after] for x, y in pairs]

    def rows(self, pairs: Sequence[Pair]) -> list[list[int]]:
        """Token ids of pairs as the model reads them.

        Raises:
            ModelError: a pair is longer than the critic's context length.
        """
        rows = self._ids(pairs)
        longest = max(range(len(rows)), key=lambda i: len(rows[i]), default=0)
        if rows and len(rows[longest]) > self.lm.window:
            raise ModelError(
                f"a pair of {len(rows[longest])} tokens exceeds the window of {self.lm.window} "
                f"tokens of the critic {self.lm.name!r}: {pairs[longest][0][:60]!r}…"
            )
        return rows

    @torch.inference_mode()
    def _forward(self, rows: list[list[int]]) -> NDArray[np.float64]:
        logits = self.logits(self.lm.model, self.batch(rows, self.lm.device))
        return np.asarray(logits.softmax(-1).cpu().numpy())

    def batch(self, rows: Sequence[Ids], device: torch.device) -> dict[str, Tensor]:
        """What the model reads of pairs as `rows` writes them."""
        tokenizer = self.lm.tokenizer
        batch = model_batch(rows, tokenizer.pad_token_id or 0, device)
        if self._typed:  # BERT's segment numbers: 1 after the first separator
            separator = (batch["input_ids"] == tokenizer.sep_token_id).long()
            batch["token_type_ids"] = ((separator.cumsum(1) - separator) > 0).long()
        return batch

    def logits(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """Of all labels, (rows, labels), by this model or one that is trained in its place."""
        logits: Tensor = model(**batch).logits.double() / self._temperature
        return logits


def _pair_template(tokenizer: Any) -> tuple[list[int], list[int], list[int]]:
    """Special tokens before, between and after two texts, learned from one example."""
    x, y = token_ids(tokenizer, ["A dog barked.", "Prices rose."], False)
    whole = token_ids(tokenizer, [("A dog barked.", "Prices rose.")], True)[0]
    for start in range(len(whole) - len(x) + 1):
        for second in range(start + len(x), len(whole) - len(y) + 1):
            before, between = whole[:start], whole[start + len(x) : second]
            after = whole[second + len(y) :]
            if [*before, *x, *between, *y, *after] == whole:
                return before, between, after
    raise ModelError(
        "the critic's tokenizer cuts a sentence otherwise in a pair than alone; "
        "use a critic with a byte-level or WordPiece tokenizer"
    )
