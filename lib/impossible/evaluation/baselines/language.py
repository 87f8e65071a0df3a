"""A language model as a search needs it: how fluent a sentence is, which word may stand where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from impossible.models.batching import by_length, padded, token_ids
from impossible.models.causal_generation import check_window
from impossible.models.loading import LanguageModel
from impossible.text.word_edits import Units, joined

Sentence = tuple[Units, str]  # units and end mark, from `word_edits.units`
_BATCH_TOKENS = 2048  # in one forward pass: each has a line of logits
_WORD = re.compile(r"[^\W_]+(?:[-'\u2019.][^\W_]+)*|,")


class Language:
    """A language model with a fast tokenizer, over sentences that follow an opening."""

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm

    @cached_property
    def words(self) -> dict[str, int]:
        """Whole words (and the comma) → token: what, written after a word, is one token.

        A token that only begins words ("destr") counts if it is written so alone; fluency has to
        reject it.
        """
        tokenizer, anchor = self.lm.tokenizer, "A"
        texts = [
            tokenizer.decode([i], clean_up_tokenization_spaces=False).strip()
            for i in range(len(tokenizer))
        ]
        found = [(i, text) for i, text in enumerate(texts) if _WORD.fullmatch(text)]
        written = token_ids(tokenizer, [joined((anchor, text)) for _, text in found], True)
        (start,) = token_ids(tokenizer, [anchor], True)
        return {
            text: i for (i, text), row in zip(found, written, strict=True) if row == [*start, i]
        }

    @torch.inference_mode()
    def read(
        self, openings: Sequence[str], sentences: Sequence[Sentence]
    ) -> list[tuple[float, Tensor]]:
        """How probable each sentence is after its opening, and what may stand at each position.

        Returns:
            For each sentence its nats, and the logits of `words` before each of its units and
            before its end, shape (units + 1, words).

        Raises:
            ModelError: an opening is empty, or too long for the window with its sentence.
        """
        if not sentences:
            return []
        texts = [f"{x} {joined(*y)}" for x, y in zip(openings, sentences, strict=True)]
        coded = self.lm.tokenizer(texts, return_offsets_mapping=True)
        for opening, text, row in zip(openings, texts, coded.input_ids, strict=True):
            check_window(self.lm, text, len(row) if opening else 0, 0)
        found: dict[int, tuple[float, Tensor]] = {}
        words = torch.tensor(list(self.words.values()), device=self.lm.device)
        for chosen in by_length(coded.input_ids, _BATCH_TOKENS):
            # a causal model never sees the padding on the right
            ids = padded([coded.input_ids[i] for i in chosen], 0).to(self.lm.device)
            for i, row, logits in zip(
                chosen, ids, self.lm.model(input_ids=ids).logits, strict=True
            ):
                ends = [end for _, end in coded.offset_mapping[i]]
                begins = _begins(len(openings[i]), sentences[i][0])
                before = np.searchsorted(ends, begins, side="right") - 1  # token before each unit
                scored = logits[before[0] : len(ends) - 1].float()  # (tokens, vocabulary)
                target = row[before[0] + 1 : len(ends)]
                nats = float(functional.cross_entropy(scored, target, reduction="sum"))
                found[i] = (nats, logits[torch.from_numpy(before).to(row.device)][:, words].cpu())
        return [found[i] for i in range(len(texts))]

    def likeliest(self, openings: Sequence[str], sentences: Sequence[Sentence]) -> list[str]:
        """Of the openings the one after which each sentence is most probable."""
        pairs = [(opening, sentence) for opening in openings for sentence in sentences]
        read = self.read([x for x, _ in pairs], [y for _, y in pairs])
        nats = np.array([value for value, _ in read]).reshape(len(openings), len(sentences))
        return [openings[i] for i in nats.argmin(0)]


def _begins(start: int, words: Units) -> list[int]:
    """The character after which each unit, with the blank before it, and the end mark begin."""
    return [start, *(start + 1 + len(joined(words[: i + 1])) for i in range(len(words)))]
