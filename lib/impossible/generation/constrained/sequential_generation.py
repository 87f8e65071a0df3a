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
from copy import copy
from dataclasses import dataclass
from typing import Any

import pandas as pd

from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.schemas import SEQUENCES
from impossible.data.units import Scored, Unit, map_units
from impossible.generation.constrained.constraints import ConstraintError, Constraints
from impossible.generation.constrained.decoding import sample_constrained, search_constrained
from impossible.generation.next_sentences import accept_sentence
from impossible.models.causal_generation import sample_continuations, text_rules
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.keywords import CorpusWords

METHODS = ("hard", "soft", "free", "hard, foreign keywords", "soft, foreign keywords")


def sentence_constraints(
    x: str, keywords: Sequence[str], corpus: CorpusWords, copied: int
) -> Constraints:
    """What y holds: an inflection of each keyword, and not `copied` words of x in a row.

    >>> corpus = CorpusWords(["The council approved the new plan.", "Plans changed."])
    >>> str(sentence_constraints("The council approved the plan.", ["plan"], corpus, 4))
    'plan/plans, no The council approved the, no council approved the plan'
    """
    pieces = x.rstrip(".?!").split()
    spans = [" ".join(pieces[i : i + copied]) for i in range(len(pieces) - copied + 1)]
    spans = [span.strip(",;:'\"()-") for span in spans if copied]
    banned = [span for span in dict.fromkeys(spans) if span[:1].isalnum() and span[-1:].isalnum()]
    return Constraints(tuple(map(corpus.inflections, keywords)), tuple(banned))


@dataclass
class SequentialWriter:
    """Writes y after x by each method; x are the accepted samples among SENTENCES, each once."""

    lm: LanguageModel
    sentences: pd.DataFrame
    contexts: pd.DataFrame
    params: Params

    def __post_init__(self) -> None:
        self.sentences = self.sentences.assign(tokens=self._lengths(self.sentences["raw"]))
        good = self.sentences[self.sentences["reason"] == ""]
        self.corpus = CorpusWords(good["text"])
        self._texts = dict(zip(self.contexts["context_id"], self.contexts["text"], strict=True))
        domains = {domain.name: domain for domain in self.params.domains}
        names = zip(self.contexts["context_id"], self.contexts["domain"], strict=True)
        self._domains: dict[str, Domain] = {name: domains[domain] for name, domain in names}
        self._inputs = {name: self._distinct(name) for name in self._texts}
        writing = [name for name in self._texts if self._inputs[name]]  # of some, all is rejected
        self._other = next_of_domain(self.contexts[self.contexts["context_id"].isin(writing)])

    @property
    def fingerprint(self) -> list[str]:
        """What its sentences depend on besides the parameters."""
        texts = [self.contexts[["context_id", "text"]], self.sentences[["context_id", "raw"]]]
        return [self.lm.fingerprint, *(digest(frame.to_dict("list")) for frame in texts)]

    def using(self, params: Params) -> SequentialWriter:
        """The same writer with other parameters, which note what is read."""
        other = copy(self)
        other.params = params
        return other

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of raw samples, at least the one that ended them."""
        rows = self.lm.tokenizer(list(texts)).input_ids if len(texts) else []
        return [max(1, len(row)) for row in rows]

    def _distinct(self, context_id: str) -> list[tuple[str, int]]:
        """Sentences x of a context, with the tokens sampled until each turned up."""
        inputs: dict[str, int] = {}
        spent = 0
        mine = self.sentences[self.sentences["context_id"] == context_id]
        for text, tokens in zip(mine["text"], mine["tokens"], strict=True):
            spent += int(tokens)
            if text and text not in inputs:
                inputs[text], spent = spent, 0
        return list(inputs.items())

    def write(self, context_id: str, method: str) -> pd.DataFrame:
        """SEQUENCES of a context, until `sequential_budget` tokens are spent.

        Each x stands in a row with an empty y, then what was written after it; an x without any is
        a dead end: its constraints cannot be met in the length allowed.

        Methods: "hard" (sampled, constraints always met), "soft" (beam search with a bonus), "free"
        (sampled, no constraint); "hard, foreign keywords" and "soft, foreign keywords" ask for
        words of the sentences of the next context that has any, of the same domain if there is one:
        the signal destroyed.
        """
        rows: list[tuple[Any, ...]] = []
        spent = 0
        foreign = "foreign" in method and context_id not in self._other  # there are none
        for number, (x, tokens) in enumerate([] if foreign else self._inputs[context_id]):
            if spent >= self.params.sequential_budget:
                break
            for y, cost in [("", tokens), *self._after(context_id, number, x, method)]:
                rows.append((context_id, method, len(rows), x, y, cost))
                spent += cost
        frame = pd.DataFrame(rows, columns=SEQUENCES.names)
        return frame.astype({"place": "int32", "tokens": "int64"})  # also without rows

    def _after(self, context_id: str, number: int, x: str, method: str) -> list[tuple[str, int]]:
        """Accepted sentences ("" if rejected) after x, each with its tokens."""
        params, domain = self.params, self._domains[context_id]
        prefix = f"{self._texts[context_id]} {x}"
        shape = (params.sequential_samples, params.sentence_max_new_tokens)
        numbers = item_rng(params.seed, "sequential", context_id, number).random(shape)
        nucleus = Nucleus(params.sentence_top_p, params.sentence_temperature)
        # a longer y would not pass the threshold of the length ratio
        longest = min(math.ceil(params.length_ratio_max * self._lengths([x])[0]), shape[1])
        cost = 0
        try:
            if method == "free":
                rules = text_rules(self.lm, domain.banned)
                texts = sample_continuations(self.lm, prefix, numbers, nucleus, rules)
            elif method.startswith("hard"):
                wanted = self.constraints(context_id, number, method)
                numbers = numbers[:, :longest]
                texts = sample_constrained(self.lm, prefix, wanted, numbers, nucleus, domain.banned)
            else:
                wanted = self.constraints(context_id, number, method)
                texts, cost = search_constrained(
                    self.lm, prefix, wanted, longest, shape[0], banned=domain.banned
                )
        except ConstraintError:
            return []
        refused = (domain.refused, params.rejections)
        ys = [accept_sentence(y, params.min_characters, *refused)[0] for y in texts]
        # a search is paid once, also where it found nothing
        costs = [cost, *[0] * len(ys)] if cost else self._lengths(texts)
        return list(zip(ys or [""] * bool(cost), costs, strict=False))

    def constraints(self, context_id: str, number: int, method: str) -> Constraints:
        """Those of the x with this number: its keywords, or those of another context's x."""
        x = source = self._inputs[context_id][number][0]
        if "foreign" in method:
            others = self._inputs[self._other[context_id]]
            source = others[number % len(others)][0]
        words = self.corpus.keywords(source, self.params.sequential_keywords)
        return sentence_constraints(x, words, self.corpus, self.params.sequential_copied)

    def keywords_held(self, rows: pd.DataFrame) -> pd.Series:
        """Fraction of the keywords of x of which y has an inflection, per row; NaN without y."""

        def fraction(x: str, y: str) -> float:
            asked = self.corpus.keywords(x, self.params.sequential_keywords)
            forms = ["|".join(map(re.escape, self.corpus.inflections(word))) for word in asked]
            held = [re.search(rf"(?i)(?<![^\W_])({form})(?![^\W_])", y) for form in forms]
            return sum(map(bool, held)) / len(asked) if asked and y else math.nan

        pairs = zip(rows["x"], rows["y"], strict=True)
        return pd.Series([fraction(x, y) for x, y in pairs], rows.index, dtype=float)


def next_of_domain(contexts: pd.DataFrame) -> dict[str, str]:
    """Each context → the next one of its domain, or the next of all if its domain has no other.

    Words of another domain would be easier to miss: then the domain would count, not the sentence.
    Nothing stands for a context that is alone: its own words are not foreign.
    """
    everything = contexts["context_id"].tolist()
    following = dict(zip(everything, [*everything[1:], *everything[:1]], strict=True))
    for _, names in contexts.groupby("domain", sort=False)["context_id"]:
        if len(names) > 1:
            following |= dict(zip(names, [*names[1:], names.iloc[0]], strict=True))
    return {name: other for name, other in following.items() if name != other}


def dead_ends(sequences: pd.DataFrame) -> int:
    """The sentences x after which nothing was written, not even what was rejected."""
    return int((sequences.groupby(["context_id", "x"]).size() == 1).sum())


def draw_sequences(run: RunFolder, writer: SequentialWriter, method: str) -> pd.DataFrame:
    """`SequentialWriter.write`, one context a unit, kept in `work/sequential-METHOD`."""
    units = [Unit(name, {"method": method}) for name in writer.contexts["context_id"]]
    folder = f"sequential-{re.sub('[, ]+', '-', method)}"
    return map_units(_sequence_unit, units, writer.params, run, folder, SEQUENCES, writer)[0]


def _sequence_unit(unit: Unit, params: Params, writer: SequentialWriter) -> Scored:
    return writer.write(unit.id, unit.payload["method"]), pd.DataFrame()


def parallel_sequences(writer: SequentialWriter) -> pd.DataFrame:
    """The samples of the contexts in their order as SEQUENCES of the method "parallel"."""
    mine = writer.sentences[writer.sentences["context_id"].isin(writer.contexts["context_id"])]
    rows = mine.rename(columns={"sample": "place", "text": "y"}).assign(method="parallel", x="")
    return rows.reset_index(drop=True)[SEQUENCES.names]
