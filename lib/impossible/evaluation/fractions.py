"""Fractions of groups, and precision and recall of a decision, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from impossible.evaluation.bootstrap import Bootstrap, bootstrap_rate, cluster_codes
from impossible.evaluation.corrected_rates import ErrorRates, corrected_mean

_COLUMNS = ["group", "value", "low", "high", "n"]


def fraction_by_group(
    values: ArrayLike,
    groups: Sequence[object],
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    order: Sequence[object] | None = None,
    errors: ErrorRates | None = None,
) -> pd.DataFrame:
    """Mean of 0/1 values per group with its interval, as `precision_by_group` draws it.

    Args:
        values: 0, 1 or NaN (missing, left out) per row.
        clusters: what is drawn together, for example the context.
        order: groups in this order; by default that of first appearance.
        errors: of the judge whose verdicts these are: fractions are corrected by them, but for
            a table with a group that critics chose.

    Returns:
        group, value, low, high, n; a group with no value present has NaN and n = 0. Where known
        errors allow no correction (`corrected_rates`), the verdicts' own mean.
    """
    numbers, names = np.asarray(values, dtype=float), np.asarray(groups, dtype=object)
    errors = errors and errors.among(order or dict.fromkeys(names))
    drawn = None if clusters is None else cluster_codes(clusters)
    rows = []
    for group in order or dict.fromkeys(names):
        chosen = (names == group) & ~np.isnan(numbers)
        inside = None if drawn is None else drawn[chosen]
        said = numbers[chosen]
        mean = bootstrap_rate(said, inside, bootstrap)
        if errors:
            corrected = corrected_mean(said, np.ones(len(said)), errors, inside, bootstrap)
            mean = mean if np.isnan(corrected.value) else corrected
        rows.append((group, mean.value, mean.low, mean.high, int(chosen.sum())))
    return pd.DataFrame(rows, columns=_COLUMNS)


def value_fractions(
    corpora: Mapping[str, pd.DataFrame], column: str, values: Sequence[str], bootstrap: Bootstrap
) -> pd.DataFrame:
    """How often each value is that of a column: a fraction of each corpus, contexts resampled.

    Returns:
        group (value, in the given order), series (corpus), value, low, high, n (rows of it).
    """
    columns, parts = ["group", "series", *_COLUMNS[1:]], []
    for value in values:
        for name, frame in corpora.items():
            hit, names = (frame[column] == value).astype(float), [value] * len(frame)
            found = fraction_by_group(hit, names, frame["context_id"], bootstrap, [value])
            parts.append(found.assign(series=name))
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def precision_recall(
    accepted: ArrayLike,
    truth: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """How right a decision is; what is not known (`truth` NaN) is left out.

    Two rows of `fraction_by_group`: "precision" (true among accepted), "recall" (accepted among
    true).
    """
    decided, true = np.asarray(accepted, dtype=bool), np.asarray(truth, dtype=float)
    names = np.arange(len(true)) if clusters is None else cluster_codes(clusters)
    parts = {"precision": (true, decided), "recall": (decided.astype(float), true == 1)}
    rows = [
        fraction_by_group(values[mask], [name] * int(mask.sum()), names[mask], bootstrap, [name])
        for name, (values, mask) in parts.items()
    ]
    return pd.concat(rows, ignore_index=True)


def fraction_rows(fractions: pd.DataFrame, metric: str = "fraction, %") -> pd.DataFrame:
    """METRIC_ROWS, in per cent, of fractions of groups; a column `series` names the metric."""
    rows = fractions.rename(columns={"group": "system"}).assign(signature="fraction")
    rows["metric"] = fractions.get("series", metric)
    rows[["value", "low", "high"]] *= 100
    return rows[["system", "metric", "value", "low", "high", "n", "signature"]]


def rows_by_group(
    frame: pd.DataFrame,
    measures: Mapping[str, str],
    bootstrap: Bootstrap = Bootstrap(),
    order: Sequence[object] | None = None,
    errors: Mapping[str, ErrorRates | None] = MappingProxyType({}),
) -> pd.DataFrame:
    """METRIC_ROWS, in per cent, of several columns of fractions by group (metric → column).

    Args:
        frame: group, context_id (drawn together), and columns of fractions; NaN is missing.
        errors: column → error rates of the judge whose verdicts it holds; where these allow it,
            fractions are corrected, and those of the verdicts as they are follow (`raw_metric`).
            With a group that critics chose there are the latter only, and are called so.
    """
    groups, contexts = frame["group"], frame["context_id"]
    found = {}
    for metric, column in measures.items():
        known = errors.get(column)
        known = known and known.among(order or groups.unique())
        twice = known is not None and not known.problem
        if known and known.problem:
            metric = as_raw(metric)
        for name, rates in ((metric, known), (raw_metric(metric), None))[: 1 + twice]:
            found[name] = fraction_by_group(
                frame[column], groups, contexts, bootstrap, order, rates
            )
    return pd.concat([fraction_rows(each, metric) for metric, each in found.items()])


def as_raw(name: str) -> str:
    """A judge's or metric's name where nothing is corrected after all.

    >>> as_raw("referee, corrected"), as_raw("equivalent (referee, corrected), %"), as_raw("oracle")
    ('referee, raw', 'equivalent (referee, raw), %', 'oracle')
    """
    return name.replace(", corrected", ", raw")


def raw_metric(metric: str) -> str:
    """What a corrected rate is called where the verdicts are counted as they are.

    >>> raw_metric("equivalent (referee, corrected), %"), raw_metric("same, %")
    ('equivalent (referee, raw), %', 'same, %, raw')
    """
    said = as_raw(metric)
    return said if said != metric else f"{metric}, raw"


def fractions_of(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One metric of METRIC_ROWS in per cent as fractions, for `figures.fraction_dots`.

    Where it is not there because nothing could be corrected, the raw one.
    """
    name = metric if rows["metric"].eq(metric).any() else as_raw(metric)
    chosen = rows[rows["metric"] == name].rename(columns={"system": "group"})[_COLUMNS]
    return chosen.assign(**(chosen[["value", "low", "high"]] / 100))
