"""`Paraphraser` and `Summarizer`: from texts to the candidates that the critics let pass."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import unit_seed
from impossible.errors import DataError
from impossible.filtering.critic import EntailmentModel
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import load_critic
from impossible.models.model_files import fetch_missing
from impossible.models.nli import EntailmentCritic
from impossible.rewriting.inputs import as_texts, input_problem, one_line
from impossible.rewriting.ranking import (
    Candidate,
    as_candidate,
    judge_candidates,
    sorted_out,
    what_was_dropped,
)
from impossible.training.student import ROWS_AT_ONCE, Student, load_student

# More likely than not; training data ask for more (§3.2: 0.75).
_ENOUGH = 0.5
_LONGEST = 256  # tokens of a text; the shorter, the better: students learn from single sentences


class Instructions(Protocol):
    """What a controlled student is told; such as `experiments.controlled_rewriting.Instructed`."""

    def prompts(self, source: str) -> list[str]:
        """What it may read for a source, at least one text."""

    def distance(self, source: str, output: str) -> tuple[bool, float]:
        """How far an output is from what was asked for; the smallest is the best."""


@dataclass(frozen=True)
class Rewriting:
    """What became of one text.

    Attributes:
        source: as it was given, on one line.
        candidates: the best first; empty where nothing passed.
        reason: why nothing passed, or why the text was not tried; "" where something passed.
    """

    source: str
    candidates: list[Candidate] = field(default_factory=list)
    reason: str = ""

    @property
    def text(self) -> str:
        """The best candidate; "" if there is none."""
        return self.candidates[0].text if self.candidates else ""


@dataclass(frozen=True)
class _Judges:
    """`filtering.critic.Models` of which only the NLI model is asked."""

    critic: EntailmentModel

    @property
    def encoder(self) -> Any:
        raise AssertionError("similarity_min is -1: nothing is embedded")

    @property
    def parser(self) -> Any:
        raise AssertionError("ted_min is 0: nothing is parsed")


class Rewriter:
    """A student and the pipeline's critics. Use `Paraphraser` or `Summarizer`.

    The student writes a greedy candidate and sampled ones for each text, and where fewer than n of
    these pass as many again that begin with another word. Copies and repetitions go first; then the
    critics of the pipeline drop what they reject, by their own thresholds, but for the two
    that ask for dissimilar pairs (ROUGE-L, tree edit distance): these make training data worth
    learning from, while a user who gets a close paraphrase is served; but for the encoder; and an
    entailment probability of 0.5 is enough. What passed is ranked by
    (1 − w) · fidelity + w · novelty, with w the argument `novelty`.

    Args:
        model: a shipped student (`english/NAME`), a folder, a hub id or a loaded student.
        critic: an NLI model by name or folder, or anything that has its `probabilities`.
        candidates: written per text, of which the first is greedy; more where more are returned.
        params: a params file or parameters: the critics' thresholds and how candidates are sampled.
        device, dtype: "auto" takes a GPU if there is one, and bfloat16 where it is built in.
        instructions: for a controlled student.

    Raises:
        ModelError: a model is not there or not what it should be. What the package registry has
            is fetched first, unless HF_HUB_OFFLINE is 1.
    """

    STUDENT, NOVELTY, TASK = "", 0.5, ""

    def __init__(
        self,
        model: str | Path | Student = "",
        critic: str | Path | EntailmentModel = "english/critic",
        candidates: int = 12,
        params: str | Params = "english",
        device: str = "auto",
        dtype: str = "auto",
        instructions: Instructions | None = None,
    ) -> None:
        self.params = Params.load(params) if isinstance(params, str) else params
        self.candidates, self.instructions = candidates, instructions
        where: dict[str, Any] = {"dtype": dtype, "device": device}
        for name in (model or self.STUDENT, critic):
            if isinstance(name, str | Path):
                fetch_missing(str(name), lambda line: print(line, file=sys.stderr))
        model = model or self.STUDENT
        self.student = model if isinstance(model, Student) else load_student(str(model), **where)
        if isinstance(critic, str | Path):
            label, size = self.params.entailment_label, self.params.batch_tokens
            loaded = load_critic(str(critic), entailment_label=label, **where)
            critic = EntailmentCritic(loaded, size, label)
        self.models = _Judges(critic)

    @cached_property
    def thresholds(self) -> Thresholds:
        """What is asked of a candidate."""
        make = Thresholds.summary if self.TASK == "summary" else Thresholds.paraphrase
        enough = min(_ENOUGH, self.params.entailment_threshold)
        free = {"rouge_l_max": 1.0, "ted_min": 0, "similarity_min": -1.0}
        return make(self.params).fix(entailment_threshold=enough, **free)

    def rewrite(
        self,
        texts: Sequence[str],
        n: int = 1,
        novelty: float | None = None,
        seed: int = 0,
        best_effort: bool = False,
    ) -> list[Rewriting]:
        """Rewrite texts, each by itself: by the text, the seed, n and, in bfloat16, by rounding.

        Args:
            texts: English sentences; white space is made one blank.
            n: most candidates returned per text, ≥ 1.
            novelty: weight of new words against fidelity, [0, 1]. 0: the most faithful first,
                1: the most reworded that passed. Default: `NOVELTY` of the class.
            seed: of the samples.
            best_effort: where nothing passed, return the most faithful of what was rejected, with
                the critic's name in `rejected`.

        Returns:
            One `Rewriting` for each text, in order; a text that cannot be rewritten has a reason.

        Raises:
            DataError: `texts` is no list of texts, or n or novelty is out of range.
        """
        texts, weight = as_texts(texts), self.NOVELTY if novelty is None else novelty
        if not isinstance(n, int) or n < 1 or not 0 <= weight <= 1:
            raise DataError(
                f"n must be a number from 1 and novelty one in [0, 1], got {n} and {weight}."
            )
        lines = [one_line(text) for text in texts]
        problems = [self._problem(*each) for each in zip(lines, texts, strict=True)]
        good = (line for line, problem in zip(lines, problems, strict=True) if not problem)
        sources, m = list(dict.fromkeys(good)), max(self.candidates, 2 * n + 1)
        written = self._written(sources, m, seed)
        results = self._chosen(written, n, weight, best_effort)
        passed = {x: sum(not y.rejected for y in results[x].candidates) for x in sources}
        if failed := [line for line in sources if passed[line] < n]:
            again = self._written(failed, m, seed, again=True)
            both = {line: written[line] + again[line] for line in failed}
            results |= self._chosen(both, n, weight, best_effort)
        return [
            Rewriting(line, reason=problem) if problem else results[line]
            for line, problem in zip(lines, problems, strict=True)
        ]

    def _problem(self, line: str, text: str) -> str:
        if not line:
            return "it is empty"
        if problem := input_problem(text):
            return problem
        if self._length(line) <= (longest := min(_LONGEST, self._window // 3)):
            return ""
        return (
            f"it is too long ({len(line.split()):,} words; about {longest * 3 // 4} can be read): "
            "give a sentence or a short paragraph"
        )

    @cached_property
    def _window(self) -> int:
        """Tokens that both models can read; a pair has up to 2.5 times as many as its source."""
        lm = getattr(self.models.critic, "lm", None)
        return min(self.student.window, lm.window if lm else self.student.window)

    def _length(self, text: str) -> int:
        """In the tokens of the model that needs more of them."""
        lm = getattr(self.models.critic, "lm", None)
        return max(
            len(model.tokenizer.tokenize(text)) for model in (lm, self.student) if model is not None
        )

    def _readable(self, pairs: list[tuple[str, str]]) -> list[bool]:
        """Which pairs the critic can read; any, if it does not say."""
        fits = getattr(self.models.critic, "fits", None)
        return list(map(bool, fits(pairs))) if fits and pairs else [True] * len(pairs)

    def _written(
        self, sources: list[str], m: int, seed: int, again: bool = False
    ) -> dict[str, list[str]]:
        """Candidates of each source, each on one line; similar lengths are written together."""
        asked = [self.instructions.prompts(x) if self.instructions else [x] for x in sources]
        rows = [(prompt, i) for i, prompts in enumerate(asked) for prompt in prompts]
        lengths = [len(row) for row in self.student.prompts([prompt for prompt, _ in rows])]
        order = sorted(range(len(rows)), key=lengths.__getitem__)
        size, how = max(1, ROWS_AT_ONCE // m), self.params
        results: dict[str, list[str]] = {line: [] for line in sources}
        for chosen in (order[i : i + size] for i in range(0, len(order), size)):
            prompts = [rows[i][0] for i in chosen]
            longest = int(1.5 * lengths[chosen[-1]]) + 8  # what is longer is rejected anyway
            stage = "rewriting again" if again else "rewriting"
            seeds = [unit_seed(seed, stage, prompt) for prompt in prompts]
            texts = self.student.generate(
                prompts, m, how.candidate_temperature, how.candidate_top_p, seeds, longest,
                greedy_first=not again, begin_otherwise=again,
            )  # fmt: skip
            for i, candidates in zip(chosen, texts, strict=True):
                results[sources[rows[i][1]]] += map(one_line, candidates)
        return results

    def _chosen(
        self, written: dict[str, list[str]], n: int, weight: float, best_effort: bool
    ) -> dict[str, Rewriting]:
        """What each source becomes; all candidates are judged together."""
        left = {x: sorted_out(x, texts) for x, texts in written.items()}
        for x, (texts, dropped) in left.items():
            short = self._readable([(x, y) for y in texts])
            dropped["endless"] = short.count(False)
            texts[:] = [y for y, fits in zip(texts, short, strict=True) if fits]
        pairs = [(x, y) for x, (texts, _) in left.items() for y in texts]
        xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
        table = judge_candidates(xs, ys, self.models, self.thresholds, weight, best_effort)
        if self.instructions:  # what was asked for comes first
            table["far"] = [self.instructions.distance(x, y) for x, y in pairs]
        groups = dict(iter(table.groupby(pd.Series(xs, dtype=object), sort=False)))
        results = {}
        for x, (_, dropped) in left.items():
            rows = groups.get(x, table.iloc[:0])
            passed = rows[rows["rejected"] == ""]
            reason = ""
            if passed.empty:
                dropped = dropped + Counter(rows["rejected"])
                reason = what_was_dropped(len(written[x]), dropped)
                passed = rows.sort_values("fidelity", ascending=False) if best_effort else passed
            keys = ["far", "score"] if self.instructions else ["score"]
            if not reason:
                passed = passed.sort_values(keys, ascending=[key == "far" for key in keys])
            best = passed.drop(columns="far", errors="ignore").head(n).to_dict("records")
            results[x] = Rewriting(x, [as_candidate(row) for row in best], reason)
        return results


class Paraphraser(Rewriter):
    """Paraphrases by a distilled student; see `Rewriter`.

    Critics: P(x⇒y) and P(y⇒x) at least 0.5, the same numbers and names, 0.8 to 1.5 times as long.
    Default novelty 0.3: among those that passed fidelity differs by at most 0.5, so that the ranges
    of both weigh about the same.

    Example:
        >>> Paraphraser().paraphrase(["The mayor opened the bridge."], n=3)  # doctest: +SKIP
    """

    STUDENT, NOVELTY, TASK = "english/paraphrase", 0.3, "paraphrase"

    paraphrase = Rewriter.rewrite


class Summarizer(Rewriter):
    """Summaries of sentences or short paragraphs by a distilled student; see `Rewriter`.

    Critics: P(x⇒y) at least 0.5, no new names, at most 0.8 times as long. Default novelty 0.2:
    fidelity weighs more; a summary need not be reworded.

    Example:
        >>> Summarizer().summarize(["On Monday, the mayor opened the bridge."])  # doctest: +SKIP
    """

    STUDENT, NOVELTY, TASK = "english/summarize", 0.2, "summary"

    summarize = Rewriter.rewrite
