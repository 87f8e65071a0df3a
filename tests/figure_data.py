"""Synthetic tidy frames for the tests of figures and report: made up, no result of any run."""

from __future__ import annotations

import numpy as np
import pandas as pd
from impossible.report import figures
from matplotlib.figure import Figure

HUMAN = ("MRPC", "Quora", "PAWS-X", "ParaSCI", "MSCOCO", "SICK")
SHIFT = {"H2": 9, "H3": 11, "MSTTR": 55, "Jaccard": 0.4, "Self-BLEU": 35, "length": 17}


def metric_rows(systems: list[str], metrics: dict[str, float], seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for system in systems:
        for metric, centre in metrics.items():
            value = centre * rng.uniform(0.7, 1.3)
            half = centre * rng.uniform(0.01, 0.08)
            rows.append((system, metric, value, value - half, value + half, 1000, "synthetic"))
    columns = ["system", "metric", "value", "low", "high", "n", "signature"]
    return pd.DataFrame(rows, columns=columns)


def proximity_frame() -> pd.DataFrame:
    rows = []
    for axis, xs, slope in (
        ("length", [0, 1, 2, 3, 4, 5], 0.02),
        ("temperature", [0.3, 0.5, 0.7, 1, 1.5], -0.1),
    ):
        for x in xs:
            for series, offset in (("critic", 0.18), ("oracle", 0.15), ("control", 0.02)):
                value = (
                    offset + slope * x * (series != "control")
                    if slope > 0
                    else (offset * np.exp(-1.5 * (x - 0.5)) if series != "control" else 0.02)
                )
                rows.append((axis, x, series, value, value - 0.012, value + 0.012))
            rows.append(
                (
                    axis,
                    x,
                    "self_bleu",
                    33 - 6 * x * (slope < 0),
                    31 - 6 * x * (slope < 0),
                    35 - 6 * x * (slope < 0),
                )
            )
    return pd.DataFrame(rows, columns=["axis", "x", "series", "value", "low", "high"])


def surface_frame() -> pd.DataFrame:
    rows = [
        (length, heat, series, factor * length * np.exp(-1.2 * heat))
        for length in range(1, 6)
        for heat in (0.3, 0.5, 0.7, 0.9, 1.1)
        for series, factor in (("critic", 0.12), ("oracle", 0.08))
    ]
    frame = pd.DataFrame(rows, columns=["n_sentences", "temperature", "series", "value"])
    frame.loc[9, "value"] = np.nan
    return frame


def pairs_frame(n: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    p = rng.beta(0.4, 0.9, n)
    rouge = np.clip(rng.normal(0.25 + 0.35 * p, 0.18), 0, 1)
    back = np.where(p > 0.5, np.clip(p + rng.normal(0, 0.15, n), 0, 1), np.nan)
    verdict = np.where(rng.random(n) < p, "equivalent", "different")
    return pd.DataFrame({"rouge_l": rouge, "p_xy": p, "p_yx": back, "verdict": verdict})


def calibration_curve() -> pd.DataFrame:
    x = np.linspace(0.05, 0.95, 10)
    n = np.array([9000, 800, 300, 200, 180, 170, 200, 320, 900, 4000])
    frames = []
    for series, power in (("trained critic", 1.4), ("random critic", 0.1)):
        y = 0.98 * x**power
        half = 1.96 * np.sqrt(y * (1 - y) / n) + 0.004
        frames.append(
            pd.DataFrame(
                {
                    "series": series,
                    "predicted": x,
                    "observed": y,
                    "low": y - half,
                    "high": y + half,
                    "n": n,
                }
            )
        )
    return pd.concat(frames)


def losses() -> pd.DataFrame:
    step = np.arange(0, 2000, 20)
    train = 6 * np.exp(-step / 250) + 1.2 + 0.1 * np.sin(step)
    dev = 6 * np.exp(-step / 250) + 1.35 + np.clip(step - 1200, 0, None) / 4000
    frames = [
        pd.DataFrame({"step": step, "split": "train", "loss": train}),
        pd.DataFrame({"step": step[::10], "split": "dev", "loss": dev[::10]}),
    ]
    return pd.concat(frames)


def groups() -> pd.DataFrame:
    names = ["all", "hypernyms", "numbers", "negation", "long (>25 words)", "active / passive"]
    value = np.array([0.91, 0.72, 0.66, 0.81, 0.78, 0.97])
    one = pd.DataFrame(
        {
            "group": names,
            "value": value,
            "low": value - 0.03,
            "high": value + 0.02,
            "n": [4000, 320, 250, 410, 900, 1200],
            "series": "trained critic",
        }
    )
    return pd.concat(
        [
            one,
            one.assign(
                value=value * 0.4,
                low=value * 0.4 - 0.02,
                high=value * 0.4 + 0.02,
                series="random critic",
            ),
        ]
    )


def graph() -> tuple[list[int], list[tuple[int, int]], set[int]]:
    edges = [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 0),
        (0, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (8, 6),
        (9, 10),
        (11, 12),
    ]
    return list(range(20)), edges, {1, 7, 9, 12, *range(13, 20)}


def claim_parts() -> pd.DataFrame:
    """Two claims of one part, one of two: each verdict once, and a bound of its own."""
    columns = [
        "number", "claim", "label", "minimum_effect", "bound", "value", "low", "high", "control",
        "control_low", "control_high", "verdict", "claim_verdict",
    ]  # fmt: skip
    nan, failed = float("nan"), "not reproduced"
    rows = [
        (1, "teacher fails the task", "x", 5, "effect", 40, 31, 49, -1, -3, 1, *["reproduced"] * 2),
        (2, "student beats rivals", "good, ParaBank1", 5, "effect", -9, -12, -6, -30, -33, -27,
         failed, failed),
        (2, "student beats rivals", "BERT-iBLEU, ParaBank2", 2, "effect", 1, -1, 3, nan, nan, nan,
         "undecided", failed),
        (3, "own contexts do", "x", 5, "not_worse", nan, nan, nan, nan, nan, nan,
         *["not measured"] * 2),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


CHAIN = {"pairs true": "true pairs of the dataset", "fidelity": "faithful outputs of its student",
         "paraphrase": "valid paraphrases of its student"}  # fmt: skip


def noise_rows() -> pd.DataFrame:
    rows = [
        (
            "noise",
            series,
            100 * noise,
            value - 80 * noise,
            value - 80 * noise - 4,
            value - 80 * noise + 4,
        )
        for series, value in (("pairs true", 90), ("fidelity", 60), ("paraphrase", 45))
        for noise in (0.0, 0.2, 0.5)
    ]
    return pd.DataFrame(rows, columns=["axis", "series", "x", "value", "low", "high"])


def frontier_points() -> pd.DataFrame:
    rows = [
        (entailment, rouge, ted, int(9000 * rouge * (1.2 - entailment) * (2 - ted / 12)),
         0.8 + 0.15 * entailment - 0.02 * rouge + ted / 1000)
        for entailment in (0.5, 0.75, 0.9, 0.975)
        for rouge in (0.45, 0.75)
        for ted in (0, 12)
    ]  # fmt: skip
    columns = ["entailment_threshold", "rouge_l_max", "ted_min", "pairs", "value"]
    return pd.DataFrame(rows, columns=columns)


def class_frame(axes: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        (axis, x, series, scale * x, 0.9 * scale * x, 1.1 * scale * x)
        for axis, xs in axes.items()
        for x in xs
        for series, scale in (("strings", 0.8), ("meanings", 0.5), ("classes", 0.1), ("pairs", 3))
    ]
    return pd.DataFrame(rows, columns=["axis", "x", "series", "value", "low", "high"])


def method_frame() -> pd.DataFrame:
    """The method's steps with counts, and texts of any length, also with dollars."""
    texts = ["", "A $5 note and $6.", "word " * 60, "w" * 200, "one\ntwo", "\n".join("abcdefghi")]
    count = [f"{10**i:,} pairs" for i in range(len(figures.METHOD))]
    return figures.METHOD.assign(count=count, text=(texts * 2)[: len(figures.METHOD)])


def pictures(width: float | None = None) -> dict[str, Figure]:
    """One picture of every kind; those whose width can be chosen at this one (inches)."""
    size = {} if width is None else {"width": width}
    pairs = pairs_frame()
    reasons = {
        "identical": 120_000, "duplicate": 260_000, "length_ratio": 800_000, "numbers": 310_000,
        "rouge_l": 90_000, "entailment": 1_980_000, "ted": 41_000, "kept": 4100,
    }  # fmt: skip
    systems = metric_rows(
        ["Copy-Input", "teacher, zero-shot", "student", "M_para"],
        {"iBLEU": 12, "BERT-iBLEU": 60, "BLEU": 30, "ROUGE-L": 45},
        3,
    )
    zero_shot = (systems.system == "teacher, zero-shot") & (systems.metric == "BERT-iBLEU")
    systems.loc[zero_shot, "value"] = np.nan
    fidelity = metric_rows(
        ["Copy-Input", "teacher, zero-shot", "student", "M_para", "not run"], {"fidelity": 0.7}, 5
    )
    fidelity.loc[4, ["value", "low", "high"]] = np.nan
    shown = {"sentences and meanings": ["strings", "meanings"], "classes": ["classes"],
             "equivalent pairs": ["pairs"]}  # fmt: skip
    heats = {"length": [1.0, 2.0, 3.0, 4.0, 5.0], "temperature": [0.3, 0.5, 0.7, 0.9, 1.1]}
    names = {"length": "context sentences", "temperature": "temperature"}
    small = groups()
    small[["value", "low", "high"]] /= 20
    rounds = pd.concat(
        metric_rows(["M_para"], {"BLEU": 30, "fidelity": 60}, n).assign(round=n) for n in range(4)
    )
    starts = metric_rows(["student of D_sum", "base", "shuffled"], {"good": 50, "ROUGE-L": 30})
    curves = pd.concat(starts.assign(pairs=n, value=starts["value"] + n / 20) for n in (0, 16, 256))
    corpora = metric_rows(["D_T", "D_para", "gold", "web"], {"self_bleu": 40, "fidelity": 80})
    matrix = [[812, 40, 9], [60, 700, 140], [3, 120, 640]]
    lines = {"base rate": 0.12, "target": 0.95}
    point = {"paper's point": {"pairs": 3000, "value": 0.9}}
    return {
        "claim_dots": figures.claim_dots(claim_parts()),
        "fraction_dots": figures.fraction_dots(groups(), "precision", lines),
        "fraction_dots_zoom": figures.fraction_dots(small, "of all pairs", zoom=True),
        "fidelity": figures.fraction_dots(
            fidelity, "same meaning", {"target": 0.9}, ["Copy-Input"]
        ),
        "noise_curves": figures.series_curves(
            noise_rows(), {"": list(CHAIN)}, {"noise": "permuted, %"}, CHAIN, "true, %"
        ),
        "frontier_curves": figures.frontier_curves(frontier_points(), point),
        "class_growth": figures.series_curves(
            class_frame({"k": [10.0 * i for i in range(1, 11)]}), shown, {"k": "samples"}
        ),
        "class_axes": figures.series_curves(class_frame(heats), shown, names),
        "round_curves": figures.metric_curves(
            rounds, "round", {"BLEU": "BLEU ↑", "fidelity": "fidelity, %"}, **size
        ),
        "transfer_curves": figures.metric_curves(
            curves, "pairs", {"good": "good, % ↑", "ROUGE-L": "ROUGE-L ↑"}, ["student of D_sum"],
            ["shuffled"], starts[starts["system"] == "base"].assign(system="headlines"), True,
            "gold pairs of the unseen domain", **size,
        ),
        "trade_off_dots": figures.trade_off_dots(
            corpora.drop(index=7), "self_bleu", "fidelity", ["D_T", "D_para"], **size
        ),
        "plane": figures.trade_off_dots(
            corpora, "self_bleu", "fidelity", ["D_T"], control=["gold"], limit=75, **size
        ),
        "proximity_curves": figures.proximity_curves(proximity_frame(), 39, **size),
        "proximity_map": figures.proximity_map(surface_frame()),
        "funnel_dots": figures.funnel_dots(
            pd.DataFrame({"reason": reasons.keys(), "n": reasons.values()}), list(reasons)
        ),
        "score_histogram": figures.score_histogram(
            pairs, "p_xy", 0.75, "P(x ⇒ y)", "verdict", log=True, **size
        ),
        "score_scatter": figures.score_scatter(pairs, group="verdict"),
        "calibration_curves": figures.calibration_curves(calibration_curve()),
        "confusion_map": figures.confusion_map(
            matrix, ["entailment", "neutral", "contradiction"]
        ),
        "diversity_graph": figures.diversity_graph(*graph()),
        "loss_curves": figures.loss_curves(losses()),
        "system_dots": figures.system_dots(systems, None, ["Copy-Input"], ["M_para"], **size),
        "dataset_dots": figures.system_dots(
            metric_rows(["D_para", *HUMAN], SHIFT), None, (), ["D_para"], HUMAN, **size
        ),
        "method_flow": figures.method_flow(),
        "method_flow with texts": figures.method_flow(method_frame()),
        "pipeline_strip": figures.pipeline_strip(lit=3),
    }  # fmt: skip
