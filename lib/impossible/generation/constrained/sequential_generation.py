"""Sequential generation: y is written after the context and x, under constraints of x (paper, v1).

Parallel generation pairs two next sentences of one context. Here x is a next sentence, and y is
written after context + x: it must hold keywords of x in some inflection and may not copy x. Both
are compared on the same number of teacher tokens, counted from the first token of a sample to its
last one, whether the sample is used or not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pandas as pd

from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, Shards, digest, item_rng, map_items, stage_key
from impossible.data.schemas import SEQUENCES
from impossible.generation.constrained.beam_search import Soft
from impossible.generation.constrained.constraints import Clause, ConstraintError, must, must_not
from impossible.generation.constrained.sampling import sample_constrained
from impossible.generation.constrained.searching import search_constrained
from impossible.generation.contexts import accepted
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.keywords import CorpusWords

__all__ = [
    "METHODS", "PARALLEL", "Writer", "constraints_of", "draw_sequences", "parallel",
]  # fmt: skip

PARALLEL = "parallel"
METHODS = ("hard", "soft", "free", "hard, foreign keywords", "soft, foreign keywords")
CONTEXTS_AT_ONCE = 20  # per shard, searched together; no effect on results


def constraints_of(
    x: str, keywords: Sequence[str], lexicon: CorpusWords, copied: int
) -> list[Clause]:
    """What y must and must not hold.

    Args:
        x: the sentence that is not to be copied.
        keywords: words of which an inflection must occur: x's own, or those of another sentence.
        lexicon: says the inflections.
        copied: as many words of x in a row are banned; 0: none.

    Example:
        >>> lexicon = CorpusWords(["The council approved the new plan.", "Plans changed."])
        >>> found = constraints_of("The council approved the plan.", ["plan"], lexicon, 4)
        >>> [str(clause[0]) for clause in found]
        ['plan/plans', 'no The council approved the', 'no council approved the plan']
    """
    asked = [must(*lexicon.inflections(word)) for word in keywords]
    pieces = x.rstrip(".?!").split()
    spans = [" ".join(pieces[i : i + copied]) for i in range(len(pieces) - copied + 1)]
    spans = [span.strip(",;:'\"()-") for span in spans if copied]
    return asked + [must_not(span) for span in dict.fromkeys(spans) if _is_word(span)]


def _is_word(span: str) -> bool:
    return bool(span) and span[0].isalnum() and span[-1].isalnum()


def _next_of_domain(contexts: pd.DataFrame) -> dict[str, str]:
    """Each context → the next one of its domain, or the next of all if its domain has no other.

    Words of another domain would be easier to miss: then the domain would count, not the sentence.
    Nothing stands for a context that is alone: its own words are not foreign.
    """
    everything = list(contexts["context_id"])
    found = dict(zip(everything, [*everything[1:], *everything[:1]], strict=True))
    for _, names in contexts.groupby("domain", sort=False)["context_id"]:
        if len(names) > 1:
            found |= dict(zip(names, [*names[1:], names.iloc[0]], strict=True))
    return {name: other for name, other in found.items() if name != other}


@dataclass(frozen=True)
class _Turn:
    """The x of a context that is next: its number, the sentence, what it cost."""

    context_id: str
    number: int
    x: str
    tokens: int


@dataclass
class Writer:
    """Writes y after x by each method.

    Args:
        lm: the teacher.
        sentences: SENTENCES of the contexts; x are their accepted samples, each once.
        contexts: CONTEXTS.
        params: reads seed, domains, top_p, temperature, max_new_tokens, min_characters,
            length_ratio_max, batch_tokens, sequential_samples, sequential_keywords,
            sequential_budget, sequential_copied.
    """

    lm: LanguageModel
    sentences: pd.DataFrame
    contexts: pd.DataFrame
    params: Params

    def __post_init__(self) -> None:
        self.sentences = self.sentences.assign(tokens=self._lengths(self.sentences["raw"]))
        good = self.sentences[self.sentences["reason"] == ""]
        self.lexicon = CorpusWords(good["text"])
        names = list(self.contexts["context_id"])
        self._rows = self.contexts.set_index("context_id")
        self._inputs = {name: self._distinct(name) for name in names}
        writing = [name for name in names if self._inputs[name]]  # of some, all is refused
        self._other = _next_of_domain(self._rows.loc[writing].reset_index())

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of raw samples, at least the one that ended them."""
        rows = self.lm.tokenizer(list(texts)).input_ids if len(texts) else []
        return [max(1, len(row)) for row in rows]

    def _distinct(self, context_id: str) -> list[tuple[str, int]]:
        """Sentences x of a context, with the tokens sampled until each turned up."""
        found: dict[str, int] = {}
        spent = 0
        mine = self.sentences[self.sentences["context_id"] == context_id]
        for text, tokens in zip(mine["text"], mine["tokens"], strict=True):
            spent += int(tokens)
            if text and text not in found:
                found[text], spent = spent, 0
        return list(found.items())

    def write(self, context_ids: Sequence[str], method: str) -> pd.DataFrame:
        """SEQUENCES of contexts, of each until `sequential_budget` tokens are spent.

        Args:
            context_ids: whose sentences are x; they are written for together, one x of each at a
                time, with no effect on the result.
            method: "hard" (sampled, constraints always met), "soft" (beam search with a bonus),
                "free" (sampled, no constraint); "hard, foreign keywords" and "soft, foreign
                keywords" ask for words of the sentences of the next context that has any, of the
                same domain if there is one: the signal destroyed.
        """
        if "foreign" in method:
            context_ids = [name for name in context_ids if name in self._other]
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in context_ids}
        spent = dict.fromkeys(context_ids, 0)
        for number in range(max(map(len, map(self._inputs.__getitem__, context_ids)), default=0)):
            turn = [
                _Turn(name, number, *self._inputs[name][number])
                for name in context_ids
                if number < len(self._inputs[name]) and spent[name] < self.params.sequential_budget
            ]
            for each, written in zip(turn, self._after(turn, method), strict=True):
                mine = rows[each.context_id]
                for y, cost in [("", each.tokens), *written]:
                    mine.append((each.context_id, method, len(mine), each.x, y, cost))
                    spent[each.context_id] += cost
        frame = pd.DataFrame([*chain(*rows.values())], columns=SEQUENCES.names)
        return frame.astype({"place": "int32", "tokens": "int64"})  # also without rows

    def _after(self, turn: Sequence[_Turn], method: str) -> list[list[tuple[str, int]]]:
        """For each x accepted sentences ("" if refused) after it, each with its tokens."""
        if method.startswith("soft"):
            return self._searched(turn, method)
        return [self._sampled(each, method) for each in turn]

    def _sampled(self, each: _Turn, method: str) -> list[tuple[str, int]]:
        prefix, banned = self._prefix(each), self._banned(each)
        shape = (self.params.sequential_samples, self.params.sentence_max_new_tokens)
        rng = item_rng(self.params.seed, "sequential", each.context_id, each.number)
        numbers, nucleus = (
            rng.random(shape),
            Nucleus(self.params.sentence_top_p, self.params.sentence_temperature),
        )
        if method == "free":
            texts = sample_continuations(self.lm, [prefix], [numbers], nucleus, banned)[0]
            return self._accepted(each, texts)
        clauses, numbers = self._clauses(each, method), numbers[:, : self._longest(each.x)]
        try:
            texts = sample_constrained(self.lm, [prefix], [clauses], [numbers], nucleus, banned)[0]
        except ConstraintError:  # the words do not fit into the length: nothing is written
            return []
        return self._accepted(each, texts)

    def _searched(self, turn: Sequence[_Turn], method: str) -> list[list[tuple[str, int]]]:
        found: dict[_Turn, list[tuple[str, int]]] = {}
        for banned in dict.fromkeys(map(self._banned, turn)):
            mine = [each for each in turn if self._banned(each) == banned]
            results = search_constrained(
                self.lm,
                [self._prefix(each) for each in mine],
                [self._clauses(each, method) for each in mine],
                [self._longest(each.x) for each in mine],
                Soft(self.params.sequential_samples),
                banned,
                self.params.batch_tokens,
                skip=True,
            )
            for each, (texts, computed) in zip(mine, results, strict=True):
                kept = self._sentences(each, texts)
                costs = [computed, *[0] * len(kept)]
                # the search is paid also where it found nothing
                found[each] = list(zip(kept or [""] * bool(computed), costs, strict=False))
        return [found[each] for each in turn]

    def _prefix(self, each: _Turn) -> str:
        return f"{self._rows.loc[each.context_id, 'text']} {each.x}"

    def _domain(self, each: _Turn) -> Domain:
        name = self._rows.loc[each.context_id, "domain"]
        return next(domain for domain in self.params.domains if domain.name == name)

    def _banned(self, each: _Turn) -> tuple[str, ...]:
        return tuple(self._domain(each).banned)

    def _sentences(self, each: _Turn, texts: Sequence[str]) -> list[str]:
        """The first sentence of each text, "" if it is refused, as for next sentences."""
        least, refused = self.params.min_characters, self._domain(each).refused
        return [accepted(text, least, refused)[0] for text in texts]

    def _accepted(self, each: _Turn, texts: Sequence[str]) -> list[tuple[str, int]]:
        return list(zip(self._sentences(each, texts), self._lengths(texts), strict=True))

    def _longest(self, x: str) -> int:
        """Tokens of y: a longer one would not pass the gate of the length ratio."""
        tokens = math.ceil(self.params.length_ratio_max * self._lengths([x])[0])
        return min(tokens, self.params.sentence_max_new_tokens)

    def keywords_held(self, rows: pd.DataFrame) -> pd.Series:
        """Share of the keywords of x of which y has an inflection, for each row; NaN without y."""

        def share(x: str, y: str) -> float:
            asked = self.lexicon.keywords(x, self.params.sequential_keywords)
            forms = ["|".join(map(re.escape, self.lexicon.inflections(word))) for word in asked]
            found = [re.search(rf"(?i)(?<![^\W_])({form})(?![^\W_])", y) for form in forms]
            return sum(map(bool, found)) / len(asked) if asked and y else math.nan

        pairs = zip(rows["x"], rows["y"], strict=True)
        return pd.Series([share(x, y) for x, y in pairs], rows.index, dtype=float)

    def _clauses(self, each: _Turn, method: str) -> list[Clause]:
        source = each.x
        if "foreign" in method:
            others = self._inputs[self._other[each.context_id]]
            source = others[each.number % len(others)][0]
        words = self.lexicon.keywords(source, self.params.sequential_keywords)
        return constraints_of(each.x, words, self.lexicon, self.params.sequential_copied)


def draw_sequences(run: RunFolder, writer: Writer, method: str) -> pd.DataFrame:
    """`Writer.write` for all contexts, in pieces kept in `work/sequential-METHOD`."""
    names = (
        "seed", "sentence_top_p", "sentence_temperature", "sentence_max_new_tokens",
        "min_characters", "length_ratio_max",
        "sequential_samples", "sequential_keywords", "sequential_budget", "sequential_copied",
    )  # fmt: skip
    values: dict[str, Any] = writer.params.model_dump(include=set(names)) | {"method": method}
    values["dtype"] = str(writer.lm.model.dtype)
    values["domains"] = [domain.model_dump() for domain in writer.params.domains]
    values["contexts"] = digest(writer.contexts[["context_id", "text"]].to_dict("list"))
    values["sentences"] = digest(writer.sentences[["context_id", "raw"]].to_dict("list"))
    key = stage_key(
        values,
        ["impossible.generation.constrained.sequential_generation"],
        models=[writer.lm.digest],
    )
    folder = "sequential-" + method.replace(",", "").replace(" ", "-")
    return map_items(
        list(writer.contexts["context_id"]),
        str,
        lambda ids: writer.write(ids, method),
        Shards(run.work / folder, key, SEQUENCES),
        CONTEXTS_AT_ONCE,
        f"sequential, {method}",
    )


def parallel(writer: Writer) -> pd.DataFrame:
    """The samples of the contexts in their order as SEQUENCES of the method "parallel"."""
    names = set(writer.contexts["context_id"])
    mine = writer.sentences[writer.sentences["context_id"].isin(names)]
    return pd.DataFrame(
        {
            "context_id": mine["context_id"], "method": PARALLEL, "place": mine["sample"],
            "x": "", "y": mine["text"], "tokens": mine["tokens"],
        }
    ).reset_index(drop=True)[SEQUENCES.names]  # fmt: skip
