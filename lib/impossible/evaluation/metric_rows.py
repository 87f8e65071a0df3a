"""Rows of metrics: a value, its interval, n and signature, or the reason why it is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_mean,
    bootstrap_rate,
    bootstrap_sums,
    cluster_codes,
)
from impossible.evaluation.corrected_rates import ErrorRates, corrected_mean
from impossible.evaluation.expectations import per_cent
from impossible.evaluation.metric import Written
from impossible.evaluation.metrics import JUDGED, METRICS, RAW
from impossible.text.signature import signature


class Encoder(Protocol):
    """What the metrics need of a sentence encoder (`sentence_encoder.SentenceEncoder`)."""

    def embed(self, sentences: Sequence[str]) -> NDArray[Any]:
        """Unit vectors of the sentences, shape (n, d)."""

    def bert_score(self, candidates: Sequence[str], references: Sequence[str]) -> NDArray[Any]:
        """BERTScore F1 of each pair, shape (n,)."""


@dataclass
class MetricRows:
    """Collects the `records.METRIC_ROWS` of one system and makes their intervals.

    Args:
        clusters: shape (n,), labels of items that are resampled together.
    """

    system: str
    clusters: Any
    bootstrap: Bootstrap = Bootstrap()
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.clusters is not None:  # numbers in the labels' order, which are sorted faster
            self.clusters = cluster_codes(self.clusters)

    def add(self, metric: str, interval: Interval, text: str) -> None:
        """Add a row; `text` is its signature, or the reason why there is no value."""
        absent = not math.isfinite(interval.value)
        self.rows.append(
            {
                "system": self.system,
                "metric": metric,
                "value": None if absent else interval.value,
                "low": interval.low if math.isfinite(interval.low) else None,
                "high": interval.high if math.isfinite(interval.high) else None,
                "n": interval.n,
                "signature": f"missing: {text}" if absent else text,
            }
        )

    def missing(self, metric: str, reason: str) -> None:
        """Add a null row with the reason."""
        self.add(metric, Interval(math.nan, math.nan, math.nan, 0), reason)

    def mean(self, metric: str, values: Any, **parts: object) -> None:
        """Mean over the items that have a value, bootstrapped over clusters.

        Of a judge's verdicts, in per cent, the interval has a width where all are alike.
        """
        interval = self._interval(values, metric.removesuffix(RAW) in JUDGED)
        text = signature(metric, n=interval.n, **parts) if interval.n else "nothing has a value"
        self.add(metric, interval, text)

    def score(self, metric: str, texts: Written) -> None:
        """A metric of the registry, bootstrapped over clusters; without any value the reason.

        A rate by a judge whose error rates are known is corrected by them; the row of the verdicts
        as they are follows it, under the metric's name with `RAW`.
        """
        how = METRICS[metric]
        values = how.values(texts)
        present = how.present(values)
        errors = texts.judge.errors.get(how.asks)
        if not present.any():
            self.missing(metric, how.lacks)
        elif how.statistic is not None:
            clusters = None if self.clusters is None else np.asarray(self.clusters)[present]
            known = values if present.all() else values[present]  # a copy of all is large
            interval = bootstrap_sums(known, how.statistic, clusters, self.bootstrap)
            self.add(metric, interval, how.signature(metric, interval.n, texts.encoder))
        else:
            if errors is not None:
                self.corrected(metric, values / 100, how.asked(texts), errors)
            interval = self._interval(values, bool(how.asks))
            text = how.signature(metric, interval.n, texts.encoder)
            self.add(metric + RAW * (errors is not None), interval, text)

    def _interval(self, values: Any, verdicts: bool) -> Interval:
        """Of a mean; of verdicts in per cent by `bootstrap_rate`."""
        if verdicts:
            shares = np.asarray(values, dtype=np.float64) / 100
            return per_cent(bootstrap_rate(shares, self.clusters, self.bootstrap))
        return bootstrap_mean(values, self.clusters, self.bootstrap)

    def corrected(
        self, metric: str, verdicts: Any, asked: Any, errors: ErrorRates, lowest: float = 0.0
    ) -> None:
        """A mean of verdicts in [0, 1], without the judge's errors, in per cent.

        Missing, with the reason, where critics chose what is judged (`ErrorRates.among`).
        """
        errors = errors.among(self.system.split(" − "))
        found = corrected_mean(verdicts, asked, errors, self.clusters, self.bootstrap, lowest)
        per_cent = Interval(100 * found.value, 100 * found.low, 100 * found.high, found.n)
        rates = {"se": f"{errors.sensitivity:.3f}", "sp": f"{errors.specificity:.3f}"}
        text = signature(metric, n=found.n, corrected="rogan-gladen", **rates, on=errors.data)
        self.add(metric, per_cent, errors.problem or text)

    def frame(self) -> pd.DataFrame:
        """The rows so far; null is NaN."""
        columns = ["system", "metric", "value", "low", "high", "n", "signature"]
        frame = pd.DataFrame(self.rows, columns=columns)
        return frame.astype(dict.fromkeys(("value", "low", "high"), "float64"))


def recorded(rows: pd.DataFrame, name: str = "") -> dict[str, list[float]]:
    """METRIC_ROWS as notebooks record them: "SYSTEM (or NAME), METRIC" → value, low, high."""
    bounds = rows[["value", "low", "high"]].to_numpy(dtype=float).tolist()
    names = rows["system"] if not name else [name] * len(rows)
    return {f"{each}, {m}": b for each, m, b in zip(names, rows["metric"], bounds, strict=True)}


def as_report(rows: pd.DataFrame, name: str, n: int, bootstrap: Bootstrap) -> dict[str, Any]:
    """Metric rows of one system as the JSON object that ``impossible score`` prints."""
    scores: dict[str, dict[str, Any]] = {}
    for row in rows.to_dict("records"):
        numbers = {
            key: None if math.isnan(row[key]) else float(row[key])
            for key in ("value", "low", "high")
        }
        text = str(row["signature"])
        absent = numbers["value"] is None
        label = {"reason": text.removeprefix("missing: ")} if absent else {"signature": text}
        scores[str(row["metric"])] = {**numbers, "n": int(row["n"]), **label}
    return {"file": name, "n": n, **asdict(bootstrap), "scores": scores}
