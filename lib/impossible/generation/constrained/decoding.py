"""Decoding under lexical constraints: sampling that always meets them, and beams that try to.

lm = load_teacher("in-vitro/teacher")
words = Constraints((("court", "courts"), ("cleared", "freed")), banned=("jury",))
uniforms = np.random.default_rng(0).random((100, 40))  # 100 samples of at most 40 tokens
texts = sample_constrained(lm, "LONDON (Reuters) --", words, uniforms, Nucleus(0.9, 0.7))
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor

from impossible.errors import ModelError
from impossible.generation.constrained.automaton import NEVER, Automaton, TokenTexts
from impossible.generation.constrained.constraints import ConstraintError, Constraints
from impossible.models.causal_generation import (
    Uniforms,
    check_window,
    decode,
    sample_continuations,
    text_rules,
)
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus

_FORBIDDEN = -1e8  # score of a beam without an allowed token, or not begun


class ConstraintProcessor(LogitsProcessor):
    """Constraints for `model.generate(logits_processor=[…])` and `sample_continuations`.

    Hard (no `bonus`): a token is allowed only if all required words can still occur in the tokens
    that are left, so every text holds them. Soft: a text gains `bonus` nats for each word it holds.
    A banned word is never written. Nothing is constrained after a token of `automaton.tokens.end`.
    The tokens of the prompt do not count; it ends between two words.

    Raises:
        ConstraintError: hard, and `max_new_tokens` are too few.
    """

    def __init__(
        self, automaton: Automaton, prompt_length: int, max_new_tokens: int,
        bonus: float | None = None,
    ) -> None:  # fmt: skip
        if bonus is None and automaton.least > max_new_tokens:
            raise ConstraintError(
                f"the constraints need at least {automaton.least} tokens with the end, and "
                f"{max_new_tokens} are allowed; allow more or ask for fewer words"
            )
        self.automaton, self.bonus = automaton, bonus
        self.prompt_length, self.longest = prompt_length, max_new_tokens
        self.computed = 0  # tokens asked for
        self._rows: dict[tuple[int, int], Tensor] = {}

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (rows, vocabulary), -inf where forbidden; rows may have been reordered."""
        self.computed += len(scores)
        written = input_ids[:, self.prompt_length :].cpu().numpy()
        states, seen, over = self.automaton.read(written)
        keys = zip(states.tolist(), seen.tolist(), strict=True)
        rows = torch.stack([self._row(*key, scores) for key in keys])
        if self.bonus is None:
            rows = torch.where(rows <= self.longest - written.shape[1], 0.0, -torch.inf)
        return scores + rows.masked_fill(torch.from_numpy(over).to(rows.device)[:, None], 0)

    def _row(self, state: int, seen: int, scores: Tensor) -> Tensor:
        """Hard: the tokens needed with each token. Soft: the nats it gains."""
        if (state, seen) not in self._rows:
            if self.bonus is None:
                row, other = self.automaton.need(state, seen).astype(float), float(NEVER)
            else:
                row, other = self.automaton.gain(state, seen), -np.inf
                row[np.isfinite(row)] *= self.bonus
            full = np.full(scores.shape[-1], other, dtype=np.float32)  # the model may have more
            full[: len(row)] = row
            self._rows[state, seen] = torch.from_numpy(full).to(scores.device)
        return self._rows[state, seen]


@lru_cache(maxsize=64)
def compile_constraints(
    lm: LanguageModel, constraints: Constraints, banned: tuple[str, ...] = ()
) -> Automaton:
    """The automaton of constraints for a model's tokens without those of banned characters."""
    return Automaton(constraints, TokenTexts.of(lm.tokenizer, banned))


def sample_constrained(
    lm: LanguageModel,
    prefix: str,
    constraints: Constraints,
    uniforms: Uniforms,
    nucleus: Nucleus,
    banned: Iterable[str] = (),
) -> list[str]:
    """`sample_continuations` of one sentence each, under hard constraints; k raw continuations.

    Up to the end mark each meets the constraints; an end mark (also one within "3.5") is not
    written before. `banned` characters are never generated.

    Raises:
        ConstraintError: constraints cannot be met, or not in max_new_tokens.
    """
    characters = tuple(banned)
    automaton = compile_constraints(lm, constraints, characters)
    (ids,) = lm.tokenizer([prefix]).input_ids
    rule = ConstraintProcessor(automaton, len(ids), uniforms.shape[1])
    rules = [*text_rules(lm, characters), rule]
    return sample_continuations(lm, prefix, uniforms, nucleus, rules)


@torch.inference_mode()
def search_constrained(
    lm: LanguageModel,
    prefix: str,
    constraints: Constraints,
    max_new_tokens: int,
    width: int = 16,
    bonus: float | None = 10.0,
    banned: Iterable[str] = (),
) -> tuple[list[str], int]:
    """The sentences that a beam search finds after a prefix, by `transformers`' generate.

    Their score is the log-probability and `bonus` nats for each required word they hold (None: all
    must occur): NeuroLogic decoding (Lu et al. 2021, https://aclanthology.org/2021.naacl-main.339)
    without its groups.

    Returns:
        (different sentences, best first; tokens that the teacher computed, one per beam and step).
        A sentence ends at its first end mark.

    Raises:
        ConstraintError: constraints cannot be met (or, without `bonus`, not in max_new_tokens).
        ModelError: the prefix is empty or too long; width < 1 or a negative bonus.
    """
    if width < 1 or (bonus or 0) < 0:
        raise ModelError(f"a search needs width ≥ 1 and bonus ≥ 0, got {width} and {bonus}")
    characters = tuple(banned)
    automaton = compile_constraints(lm, constraints, characters)
    (ids,) = lm.tokenizer([prefix]).input_ids
    check_window(lm, prefix, len(ids), max_new_tokens)
    rule = ConstraintProcessor(automaton, len(ids), max_new_tokens, bonus)
    prompt, ends = torch.tensor([ids], device=lm.device), automaton.tokens.end.nonzero()[0].tolist()
    out = lm.model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=max_new_tokens,
        num_beams=width, num_return_sequences=width, length_penalty=0.0, do_sample=False,
        eos_token_id=ends, pad_token_id=ends[0], return_dict_in_generate=True, output_scores=True,
        logits_processor=[*text_rules(lm, characters), rule],
    )  # fmt: skip
    rows = out.sequences[:, len(ids) :].cpu().numpy()
    whole = automaton.read(rows)[2] & (out.sequences_scores > _FORBIDDEN).cpu().numpy()
    cut = [row[: 1 + automaton.tokens.end[row].argmax()].tolist() for row in rows[whole]]
    return list(dict.fromkeys(decode(lm.tokenizer, row) for row in cut)), rule.computed
