"""Prompts that ask a language model for a paraphrase or a summary, and its answers.

A chat model is asked in the form of its own template, any other by a text that it continues.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from impossible.models.batching import token_ids
from impossible.models.causal_generation import end_ids, sample_continuations
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.pairs import Pair
from impossible.text.sentence_boundaries import first_sentence, sentence_end
from impossible.training.student import CausalStudent

CHAT_TASKS = {
    "paraphrase": "Rewrite the sentence in other words. Keep its meaning and leave nothing out. "
    "Answer with the rewritten sentence only.",
    "summary": "Write the sentence in fewer words. Keep what is essential and add nothing. "
    "Answer with the short sentence only.",
}
# "Here is a rewritten version:" before the answer
_LEAD_IN = re.compile(
    r"^\W*(?:[\w' ]*\b(?:paraphrased?|rewrit\w+|sentence|summary|version)\b[\w' ]*):[*\s]*", re.I
)
_QUOTED = re.compile(r'^["“](.+?)["”]\s*(.*)$')


def zero_shot(source: str, context: str = "") -> str:
    """A prompt that a language model continues with a paraphrase, if it can.

    >>> zero_shot("Prices rose.")
    'Prices rose. In other words,'
    """
    return f"{context} {source} In other words,".strip()


def tldr(source: str) -> str:
    """The prompt for a summary of Radford et al. (2019), section 3.6."""
    return f"{source} TL;DR:"


def few_shot(
    source: str, demonstrations: Sequence[tuple[str, str]], task: str = "paraphrase"
) -> str:
    """A prompt that shows how the task is done, by (sentence, target) pairs, and asks for one more.

    >>> few_shot("Prices rose.", [("He left.", "He went.")])
    'Sentence: He left. Paraphrase: He went. Sentence: Prices rose. Paraphrase:'
    """
    label = task.capitalize()
    shown = [f"Sentence: {x} {label}: {y}" for x, y in demonstrations]
    return " ".join([*shown, f"Sentence: {source} {label}:"])


def chat(
    source: str, demonstrations: Sequence[tuple[str, str]] = (), task: str = "paraphrase"
) -> list[dict[str, str]]:
    """The messages that ask a chat model; every demonstration is a question it has answered.

    >>> [turn["role"] for turn in chat("Prices rose.", [("He left.", "He went.")])]
    ['user', 'assistant', 'user']
    """
    turns = []
    for x, y in [*demonstrations, (source, "")]:
        turns.append({"role": "user", "content": f"{CHAT_TASKS[task]}\n\n{x}"})
        turns.append({"role": "assistant", "content": y})
    return turns[:-1]


def answer(text: str, source: str) -> str:
    r"""The answer in what a chat model wrote: as many sentences as its source has.

    Without a line or words that only lead in, quotation marks around it, and what follows in other
    lines.

    >>> answer('Here is the sentence:\n\n"Prices grew." I hope it helps!', "Prices rose.")
    'Prices grew.'
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        lines = lines[1:]
    line = _LEAD_IN.sub("", lines[0]) if lines else ""
    n = 1
    while 0 < sentence_end(source, n) < len(source.rstrip()):
        n += 1
    quoted = _QUOTED.match(line)
    own = source[:1] in ('"', "“")  # the source's own quotation marks stay
    if quoted and not own and (not quoted[2] or quoted[1][-1] in ".?!"):
        line = quoted[1]
    end = sentence_end(line, n)
    return (line if end < 0 else line[:end]).strip()


@dataclass(frozen=True)
class Asked(CausalStudent):
    """A language model that was trained for no task and is asked for it, as a student is.

    `shots` are examples (sentence, target) in every prompt; `room` tokens are kept free for an
    answer.
    """

    shots: tuple[Pair, ...] = ()
    task: str = "paraphrase"
    room: int = 100

    @property
    def chats(self) -> bool:
        """Whether the model has a chat template."""
        return bool(self.tokenizer.chat_template)

    def prompts(self, sources: Sequence[str]) -> list[list[int]]:
        texts = [self.prompt(source) for source in sources]
        rows = token_ids(self.tokenizer, texts, not self.chats)
        return [row[-max(1, self.window - self.room) :] for row in rows]

    def prompt(self, source: str) -> str:
        """What the model reads, with as many of the last examples as leave room for an answer."""
        for first in range(len(self.shots)):
            text = self._with_shots(source, self.shots[first:])
            if len(token_ids(self.tokenizer, [text], True)[0]) <= self.window - self.room:
                return text
        return self._with_shots(source, ())

    def _with_shots(self, source: str, shots: Sequence[Pair]) -> str:
        if self.chats:
            text: str = self.tokenizer.apply_chat_template(
                chat(source, shots, self.task), tokenize=False, add_generation_prompt=True
            )
            return text
        if shots:
            return few_shot(source, shots, self.task)
        return tldr(source) if self.task == "summary" else zero_shot(source)

    def ends(self) -> frozenset[int]:
        return end_ids(self) if self.chats else super().ends()

    def generate(self, sources: Sequence[str], *args: Any, **how: Any) -> list[list[str]]:
        """As a student does; of each text the answer, or without a chat its first sentence."""
        written = super().generate(sources, *args, **how)
        return [
            [answer(text, source) if self.chats else _capitalized(text) for text in texts]
            for source, texts in zip(sources, written, strict=True)
        ]


def asked(
    lm: LanguageModel, shots: Sequence[Pair] = (), max_new_tokens: int = 100,
    task: str = "paraphrase",
) -> Asked:  # fmt: skip
    """A language model as an untrained student; arguments as for `systems.prompted`."""
    if lm.tokenizer.pad_token_id is None:
        lm.tokenizer.pad_token = lm.tokenizer.eos_token
    return Asked(
        lm.model, lm.tokenizer, lm.name, lm.digest,
        shots=tuple(shots), task=task, room=max_new_tokens,
    )  # fmt: skip


def answers(lm: LanguageModel, prompts: Sequence[str], max_new_tokens: int = 60) -> list[str]:
    """The first sentence of each prompt's most probable continuation (greedy), perhaps "".

    A prompt too long for the context length loses its beginning. Sentences get a capital, for "In
    other words," asks for none.
    """
    room = lm.window - max_new_tokens
    ids = token_ids(lm.tokenizer, list(prompts), True)
    fitting = [
        prompt if len(row) <= room else lm.tokenizer.decode(row[-room:]).split(" ", 1)[-1]
        for prompt, row in zip(prompts, ids, strict=True)
    ]
    unused, greedy = np.zeros((1, max_new_tokens)), Nucleus(1.0, 0.0)
    texts = {prompt: sample_continuations(lm, prompt, unused, greedy)[0] for prompt in {*fitting}}
    return [_capitalized(texts[prompt]) for prompt in fitting]


def _capitalized(text: str) -> str:
    sentence = first_sentence(text)
    return sentence[:1].upper() + sentence[1:]
