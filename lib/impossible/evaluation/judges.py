"""Who says whether two sentences mean the same: for evaluation only, never used in training.

A judgement is 1 (yes), 0 (no) or NaN (cannot be judged); a rate is the mean of those that are not
NaN, and missing where all are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from impossible.config import plugins
from impossible.config.places import resolve
from impossible.data.run_folder import RunFolder
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Floats
from impossible.evaluation.calibration import fraction
from impossible.evaluation.corrected_rates import ErrorRates
from impossible.evaluation.human.forms import KEY, SCALE, read_key
from impossible.evaluation.human.returned_ratings import SYNTHETIC, read_ratings

if TYPE_CHECKING:
    from impossible.models.nli import EntailmentCritic

Texts = Sequence[str]


class Judge:
    """Judges nothing: what it is asked, cannot be judged. Others say what they can.

    >>> Judge().equivalent(["A dog barked."], ["A dog was barking."])
    array([nan])
    """

    name = "none"
    most = 20_000  #: pairs of one group that a notebook asks it about
    #: "equivalence" and "entailment" → how often it errs; of what is not in it, never.
    errors: Mapping[str, ErrorRates] = MappingProxyType({})

    def unaided(self, asks: str) -> str:
        """Its name where verdicts are counted as they are: "NAME, raw" if it is known to err."""
        return self.name if self.errors.get(asks) is None else f"{self.name}, raw"

    def named(self, asks: str) -> str:
        """Its name as labels and captions give it, with what was done about its errors.

        Args:
            asks: "equivalence" or "entailment".

        Returns:
            The name alone where it does not err; "NAME, corrected" where rates are corrected by
            its known errors, "NAME, raw" where these allow no correction (`ErrorRates.problem`).
        """
        errors = self.errors.get(asks)
        if errors is None:
            return self.name
        return f"{self.name}, {'raw' if errors.problem else 'corrected'}"

    def reliability(self) -> str:
        """A sentence for each thing that it is asked: how often it errs, and what follows."""
        return "\n".join(
            f"{asks}: {errors}; rates are {'not ' * bool(errors.problem)}corrected"
            for asks, errors in self.errors.items()
        )

    def entails(self, xs: Texts, ys: Texts) -> Floats:
        """Whether each y follows from its x, shape (n,)."""
        return np.full(len(xs), np.nan)

    def equivalent(self, xs: Texts, ys: Texts) -> Floats:
        """Whether each y says what its x says, shape (n,)."""
        return self.entails(xs, ys) * self.entails(ys, xs)

    def on(self, texts: Texts) -> Judge:
        """The judge for sentences like these, by what it says of exact copies of them."""
        return self

    def coverage(self, xs: Texts, ys: Texts) -> Floats:
        """The fraction of the essential content of each x that y keeps, shape (n,)."""
        return np.full(len(xs), np.nan)

    def good_summaries(self, xs: Texts, ys: Texts, longest: float = 0.8) -> Floats:
        """Whether each y follows, leaves out nothing essential and has at most `longest` of the
        characters of x, shape (n,)."""
        short = [len(y) <= longest * len(x) for x, y in zip(xs, ys, strict=True)]
        kept = self.coverage(xs, ys)
        whole = np.where(np.isnan(kept), np.nan, kept == 1)
        return np.asarray(self.entails(xs, ys) * whole * np.array(short, dtype=float))

    def meaning(self, text: str) -> Hashable:
        """What a sentence says, so that equal meanings are equal; here the text itself."""
        return text


class Referee(Judge):
    """An NLI model of another base and other training data than the pipeline's critic.

    Its verdicts are raw; `metric_rows` corrects rates by its errors. What it was asked it knows.

    Args:
        critic: the model.
        errors: its error rates on labelled pairs, where they are known (`referee_errors`).
    """

    name, most = "referee", 400

    def __init__(
        self, critic: EntailmentCritic, errors: Mapping[str, ErrorRates] = MappingProxyType({})
    ) -> None:
        self.critic, self.errors = critic, errors
        self._known: dict[tuple[str, str], float] = {}

    def entails(self, xs: Texts, ys: Texts) -> Floats:
        """1 where entailment is the most probable label; 0 elsewhere and for an empty text.

        A pair longer than the model's context length is NaN.
        """
        pairs = list(zip(xs, ys, strict=True))
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        written = [(x, y) for x, y in new if x.strip() and y.strip()]
        fits = self.critic.fits(written)
        short = [pair for pair, fit in zip(written, fits, strict=True) if fit]
        self._known |= dict.fromkeys(new, 0.0) | dict.fromkeys(written, float("nan"))
        self._known |= zip(short, self.critic.entails(short).astype(float), strict=True)
        return np.array([self._known[pair] for pair in pairs])

    def on(self, texts: Texts) -> Referee:
        """The same model; not to be corrected where it denies copies more often than positives.

        A copy of a sentence follows from it. Where the upper bound for those it accepts lies below
        its sensitivity, it errs on such sentences more than on those that people labelled.
        """
        copies = fraction(self.entails(texts, texts))

        def checked(errors: ErrorRates) -> ErrorRates:
            reason = (
                f"the judge accepts {copies.value:.0%} of exact copies of these sentences, and of "
                f"positives where people labelled them {errors.sensitivity:.0%}"
            )
            worse = copies.high < errors.sensitivity
            return replace(errors, elsewhere=reason if worse else errors.elsewhere)

        found = Referee(self.critic, {asks: checked(each) for asks, each in self.errors.items()})
        found._known = self._known
        return found


class People(Judge):
    """Labels that people gave to pairs; a pair that nobody rated cannot be judged.

    Args:
        labels: (x, y) → fraction of raters who call y faithful to x, in [0, 1].
    """

    name = "people"

    def __init__(self, labels: Mapping[tuple[str, str], float]) -> None:
        self.labels = labels

    def entails(self, xs: Texts, ys: Texts) -> Floats:
        """1 where most raters found y faithful to x, else 0."""
        found = [self.labels.get(pair, np.nan) for pair in zip(xs, ys, strict=True)]
        return np.where(np.isnan(found), np.nan, np.asarray(found) > 0.5)

    equivalent = entails


def judge_name(name: str) -> str:
    """What tables and recorded numbers call the judge that the parameter `judge` names.

    No model is loaded.

    >>> judge_name("referee")
    'referee'
    """
    return str(plugins.load_plugin(name, "judge").name) if ":" in name else name


def load_judge(name: str, params: Any = None, run: RunFolder | None = None) -> Judge:
    """The judge that the parameter `judge` names.

    Args:
        name: "oracle" (exact, for sentences of the closed world), "referee" (an NLI model),
            "people" (returned rating forms), "none", or `module:Class` of your own.
        params: referee, dtype, device and batch_tokens for a referee, and where its error rates
            come from (`known_errors`); ratings for people.
        run: where a referee called `in-vitro/…` may have been rebuilt, and forms were written.

    Raises:
        ParameterError: there is no such judge, or "referee" without the name of a model.
    """
    if name == "none":
        return Judge()
    if name == "people":
        return People(_returned_labels(params.ratings) if params.ratings else {})
    if name == "referee":
        if params.referee == "none":
            raise ParameterError("judge is referee, but referee names no NLI model: name one.")
        # Opens a model, which takes seconds to import; scores without a judge do not wait for it.
        from impossible.evaluation.referee_errors import known_errors
        from impossible.models.loading import load_critic
        from impossible.models.nli import EntailmentCritic

        lm = load_critic(params.referee, run, params.dtype, params.device)
        referee = Referee(EntailmentCritic(lm, params.batch_tokens))
        referee.errors = known_errors(referee, params.referee, lm.digest, params, run)
        return referee
    judge: Judge = plugins.load_plugin(name, "judge", ("referee", "people", "none"))()
    return judge


def _returned_labels(folder: str) -> dict[tuple[str, str], float]:
    """(source, output) → fraction of raters who gave the best mark for "faithful"."""
    place = resolve(folder)
    key = read_key(place / KEY)
    ratings = read_ratings(place, key)
    wanted = (ratings["question"] == "faithful") & (ratings["origin"] != SYNTHETIC)
    best = ratings[wanted]["value"] == SCALE[-1]
    units = {unit: (u["source"], u["output"]) for unit, u in key["units"].items()}
    return {units[unit]: float(v) for unit, v in best.groupby(ratings["unit"]).mean().items()}
