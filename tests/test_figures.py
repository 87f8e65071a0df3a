from __future__ import annotations

import io
import json
import re
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from figure_data import (
    HUMAN,
    SHIFT,
    claim_parts,
    metric_rows,
    pictures,
    proximity_frame,
    surface_frame,
)
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.evaluation.claims.specification import load_claims
from impossible.report import figures
from impossible.report.figures import render
from impossible.report.figures.roles import roles_of, typeset
from impossible.report.figures.style import BLUE, GREEN, palette, styled, with_bounds
from impossible.report.save import save_figure
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from PIL import Image

DRAWN = {size: pictures(getattr(figures, size)) for size in ("COLUMN", "PAGE")}
PICTURES = {
    f"{name} {size.lower()}": figure
    for size, drawn in DRAWN.items()
    for name, figure in drawn.items()
    if figure.get_figwidth() == getattr(figures, size)  # else it has one width, the other
}


def texts(figure: Figure) -> list[str]:
    """All visible text of a figure."""
    return [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_text().strip()]


def test_every_figure_is_a_column_or_a_page_wide_and_some_are_either() -> None:
    assert {name.rpartition(" ")[0] for name in PICTURES} == set(DRAWN["PAGE"])
    either = {name for name in DRAWN["PAGE"] if {f"{name} column", f"{name} page"} <= {*PICTURES}}
    assert either == {
        "round_curves", "transfer_curves", "trade_off_dots", "plane", "proximity_curves",
        "score_histogram", "system_dots", "dataset_dots",
    }  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_clipped_and_bytes_repeat(name: str) -> None:
    figure = PICTURES[name]
    png = render(figure, "png")
    assert png == render(figure, "png")
    assert render(figure, "svg") == render(figure, "svg")
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert (border > 120).all(), "ink touches the figure's border"
    assert pixels.min() < 120


@pytest.mark.parametrize("name", PICTURES)
def test_text_can_be_read_at_both_widths(name: str) -> None:
    figure = PICTURES[name]
    shown = [t for t in figure.findobj(mpl.text.Text) if t.get_text().strip() and t.get_visible()]
    least = 5.5 if name.startswith("pipeline_strip") else 6  # the strip is in no paper
    assert min(text.get_fontsize() for text in shown) >= least
    assert figure.get_figwidth() == (figures.COLUMN if name.endswith("column") else figures.PAGE)
    for axis in figure.axes:
        for labels in (axis.get_xticklabels(), axis.get_yticklabels()):
            boxes = [text.get_window_extent() for text in labels if text.get_text()]
            inside = [box for box in boxes if box.width and figure.bbox.overlaps(box)]
            overlaps = [one for one, two in pairwise(inside) if one.overlaps(two)]
            assert not overlaps, "tick labels run into each other"


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_files_carry_no_date(kind: str) -> None:
    raw = render(figures.pipeline_strip(lit="report"), kind)
    for word in (b"CreationDate", b"<dc:date>", b"Matplotlib", b"matplotlib.org"):
        assert word not in raw


def test_two_equal_figures_have_equal_bytes() -> None:
    once, twice = (figures.proximity_curves(proximity_frame(), 39) for _ in range(2))
    for kind in ("pdf", "svg", "png"):
        assert render(once, kind) == render(twice, kind)


def test_settings_of_matplotlib_are_left_alone() -> None:
    before = dict(mpl.rcParams)
    figures.pipeline_strip(lit=0)
    assert dict(mpl.rcParams) == before


def test_save_figure_writes_three_pictures_and_a_note(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    path = save_figure(
        run,
        "funnel",
        PICTURES["funnel_dots column"],
        "Where pairs go.",
        "04_pairs",
        [run.data("funnel")],
    )
    assert sorted(p.name for p in run.figures.iterdir()) == [
        f"funnel.{kind}" for kind in ("json", "pdf", "png", "svg")
    ]
    note = json.loads(path.with_suffix(".json").read_text())
    assert note["data"] == {"data/funnel.parquet": None}
    assert (note["kind"], note["paper"], note["reading"]) == ("figure", None, None)


def test_funnel_shows_who_survives_and_what_a_test_retains() -> None:
    frame = pd.DataFrame({"reason": ["ted", "kept", "ted"], "n": [3, 1, 4]})
    figure = figures.funnel_dots(frame, order=["numbers", "ted"])
    shown = texts(figure)
    assert {
        "all ordered pairs",
        "after numbers",
        "100.0%",
        "after tree distance",
        "12.5%",
        "1 of 8 kept",
        "left",
        "retained",
    } <= set(shown)
    assert shown.count("8") >= 2, "numbers dropped none"
    assert list(figure.axes[0].lines[0].get_xdata()) == [8, 8, 1, 1]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[-1] == "kept"
    none = figures.funnel_dots(pd.DataFrame({"reason": ["ted"], "n": [300]}))
    assert "0 of 300 kept" in texts(none)


@pytest.mark.parametrize("n", [{"ted": 3, "kept": 1}, {"ted": 10**6, "kept": 24}, {"ted": 5}])
def test_all_funnels_have_one_scale_with_plain_numbers(n: dict[str, int]) -> None:
    frame = pd.DataFrame({"reason": n.keys(), "n": n.values()})
    axis = figures.funnel_dots(frame).axes[0]
    assert axis.get_xscale() == "log"
    assert "(log scale)" in axis.get_xlabel()
    low, high = axis.get_xlim()
    assert low < n.get("kept", 5)
    assert high > sum(n.values())
    ticks = [label.get_text() for label in axis.get_xticklabels()]
    assert len(ticks) >= 2
    assert not any("$" in tick for tick in ticks), "an exponent is too small to read"


def test_histogram_says_what_passes_and_what_is_missing() -> None:
    frame = pd.DataFrame({"p": [0.1, 0.75, 0.9, float("nan")]})
    shown = texts(figures.score_histogram(frame, "p", 0.75))
    assert "≥ 0.75 keeps 66.7%" in shown
    assert any("(1 not computed)" in text for text in shown)
    below = texts(figures.score_histogram(frame, "p", 0.75, keep="below"))
    assert "≤ 0.75 keeps 66.7%" in below


def test_histogram_of_whole_numbers_has_no_empty_bar_between() -> None:
    def edges(words: range, bins: int) -> list[float]:
        axis = figures.score_histogram(pd.DataFrame({"n": words}), "n", bins=bins).axes[0]
        (path,) = axis.collections[0].get_paths()
        return sorted(set(path.vertices[:, 0]))

    assert edges(range(2, 26), 30) == [n - 0.5 for n in range(2, 27)]
    assert {round(n, 6) for n in np.diff(edges(range(91), 30))} == {4.0}


def test_groups_of_a_histogram_are_told_apart_without_colour() -> None:
    frame = pd.DataFrame({"n": [*range(20)] * 3, "domain": ["a", "b", "c"] * 20})
    figure = figures.score_histogram(frame, "n", group="domain")
    svg = render(figure, "svg").decode()
    assert len(set(re.findall(r"stroke-dasharray: ([\d., ]+)", svg))) == 2, "the first is solid"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "c"]


def test_ticks_of_counts_and_steps_are_whole_numbers() -> None:
    frame = pd.DataFrame({"p": [0.1] * 900 + [0.5] * 40 + [0.9] * 3})
    counts = figures.score_histogram(frame, "p", log=True).axes[0].yaxis.get_ticklabels()
    assert {"10", "100", "500"} <= {label.get_text() for label in counts}
    losses = pd.DataFrame({"step": [6, 12, 18, 24], "split": "dev", "loss": [1.1, 1.06, 1.04, 1]})
    steps = figures.loss_curves(losses).axes[0].xaxis.get_ticklabels()
    assert all(label.get_text().isdigit() for label in steps)


def test_a_loss_curve_has_ticks_and_marks_where_it_was_measured() -> None:
    losses = pd.DataFrame({"step": [4, 8, 12, 16], "split": "dev", "loss": [1.1, 1.06, 1.04, 1]})
    axis = figures.loss_curves(losses).axes[0]
    assert list(axis.get_xticks()) == [4, 8, 12, 16]
    assert axis.lines[0].get_marker() == "o"
    many = pd.DataFrame({"step": range(0, 1000, 10), "split": "train", "loss": 1.0})
    axis = figures.loss_curves(many).axes[0]
    assert set(axis.get_xticks()) <= set(many["step"])
    assert len(axis.get_xticks()) <= 9
    assert axis.lines[0].get_marker() in ("None", "")


def test_systems_say_what_a_hollow_dot_and_a_diamond_are() -> None:
    rows = metric_rows(["Copy-Input", "M_para", "round trip"], {"BLEU": 30})
    shown = texts(figures.system_dots(rows, control=["Copy-Input"], ours=["M_para"]))
    assert {"ours", "other"} <= set(shown)
    assert any("control" in text for text in shown)
    alike = metric_rows(["round trip", "teacher, zero-shot"], {"BLEU": 30})
    assert not figures.system_dots(alike, ours=["student"]).legends


def test_a_name_has_one_role_in_all_figures() -> None:
    names = ["student base", "M_para, best of 10", "chosen by chance", "shuffled M_para", "UPSA"]
    roles = ["control", "ours", "control", "control", "other"]
    assert list(roles_of(names).values()) == roles
    assert roles_of(["UPSA", "student"], ours=["UPSA"], control=["student"]) == {
        "UPSA": "ours",
        "student": "control",
    }
    rows = metric_rows(names, {"fidelity": 60, "rouge": 40})
    fractions = rows[rows["metric"] == "fidelity"].assign(group=names)
    fractions[["value", "low", "high"]] /= 100
    systems = figures.system_dots(rows, ["fidelity"])
    plane = figures.trade_off_dots(rows, "rouge", "fidelity")
    for figure in (systems, figures.fraction_dots(fractions, "same"), plane):
        blue = [mark for mark in figure.axes[0].lines if mark.get_marker() == "D"]
        assert {to_hex(mark.get_color()).upper() for mark in blue} == {BLUE}
        hollow = [mark for mark in figure.axes[0].lines if mark.get_markerfacecolor() == "white"]
        assert hollow
        assert {"ours", "other", "control or bound"} <= set(texts(figure))


def test_only_a_reference_has_a_line_and_the_legend_names_it() -> None:
    rows = metric_rows(["Copy-Input", "gold reference", "M_para"], {"BLEU": 30})
    figure = figures.system_dots(rows)
    lines = [line for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1]
    dotted = [line for line in lines if line.get_label() == "gold reference"]
    value = rows.set_index("system").at["gold reference", "value"]
    assert [line.get_xdata()[0] for line in dotted] == [value]
    assert "gold reference" in [text.get_text() for text in figure.legends[0].get_texts()]
    rows = metric_rows(["Copy-Input", "gold reference", "M_para", "UPSA"], {"BLEU": 30})
    column = figures.system_dots(rows, width=figures.COLUMN)
    box = column.legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= column.bbox.x1, "all four entries stand inside"


def test_names_of_datasets_and_models_have_subscripts_that_can_be_read() -> None:
    assert typeset("student of shuffled D_para") == "student of shuffled $D_{para}$"
    assert typeset("costs $5, not_a name") == r"costs \$5, not_a name"
    shown = texts(figures.system_dots(metric_rows(["M_para", "D_T"], {"BLEU": 30})))
    assert {"$M_{para}$", "$D_{T}$"} <= set(shown)
    sizes: list[float] = []

    @styled
    def measure() -> None:
        size = mpl.rcParams["ytick.labelsize"]
        found = MathTextParser("path").parse("$M_{para}$", 72, FontProperties(size=size))
        sizes.extend(glyph[1] for glyph in found.glyphs)

    measure()
    assert min(sizes) >= 6


def test_the_same_quantity_has_the_same_colour_whatever_stands_beside_it() -> None:
    assert palette(["critic's estimate", "truth (oracle)"])["truth (oracle)"] == GREEN
    others = palette(["a", "truth (oracle)", "b", "control"])
    assert others["truth (oracle)"] == GREEN
    assert len(set(others.values())) == 4


def test_intervals_are_those_given() -> None:
    rows = pd.DataFrame({"value": [1.0, 5, None], "low": [0.5, None, 1], "high": [2, 7, 2]})
    bounds = with_bounds(rows.assign(g=["a", "b", "c"])).groupby("g")["value"]
    assert bounds.agg(["min", "median", "max"]).to_numpy().tolist() == [[0.5, 1, 2], [5, 5, 7]]


def test_ticks_in_per_cent_are_told_apart() -> None:
    rows = pd.DataFrame({"group": ["a"], "value": 0.1, "low": 0.08, "high": 0.12, "n": [9]})
    axis = figures.fraction_dots(rows, "fraction", zoom=True).axes[0]
    ticks = [t.get_text() for t in axis.get_xticklabels()]
    assert {"2.5%", "5%"} <= set(ticks)
    assert len(set(ticks)) == len(ticks)


def test_scatter_takes_the_smaller_probability() -> None:
    pairs = pd.DataFrame(
        {
            "rouge_l": [0.5, 0.5, 0.9, 0.5],
            "p_xy": [0.9, 0.9, 0.9, np.nan],
            "p_yx": [0.8, 0.7, 0.9, np.nan],
        }
    )
    assert "both keep 33.3% of 3" in texts(figures.score_scatter(pairs))


def test_a_scatter_has_two_classes_filled_and_hollow() -> None:
    verdicts = ["different", "entails", "entailed", "equivalent"]
    pairs = pd.DataFrame({"rouge_l": 0.5, "p_xy": 0.9, "p_yx": 0.8, "verdict": verdicts})
    figure = figures.score_scatter(pairs, group="verdict")
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["equivalent", "not equivalent"]
    filled, hollow = figure.axes[0].collections[:2]
    assert (len(filled.get_offsets()), len(hollow.get_offsets())) == (1, 3)
    assert len(filled.get_facecolor())
    assert not len(hollow.get_facecolor())


def test_missing_values_are_dashes() -> None:
    rows = metric_rows(["a", "b"], {"BLEU": 10})
    rows.loc[0, "value"] = np.nan
    assert "–" in texts(figures.system_dots(rows))
    assert "–" in texts(figures.fraction_dots(rows.assign(value=[np.nan, 0.5]), "x"))


def test_what_no_system_has_gets_no_panel() -> None:
    rows = metric_rows(["a", "b"], {"BLEU": 10, "fidelity": 60})
    rows.loc[rows["metric"] == "fidelity", "value"] = np.nan
    titles = [axis.get_title() for axis in figures.system_dots(rows).axes if axis.get_visible()]
    assert titles == ["BLEU"]
    many = metric_rows([f"s{i}" for i in range(8)], {"BLEU": 10, "MSTTR": 60})
    many.loc[(many["metric"] == "MSTTR") & (many["system"] != "s3"), "value"] = np.nan
    titles = [axis.get_title() for axis in figures.system_dots(many).axes if axis.get_visible()]
    assert titles == ["BLEU"], "one dot and seven dashes are no panel"


@pytest.mark.parametrize("width", [figures.COLUMN, figures.PAGE])
def test_numbers_of_a_plane_stand_apart_and_inside_and_a_key_names_them(width: float) -> None:
    names = ["Copy-Input", "teacher, zero-shot", "student", "M_para", "M_para, best of 10"]
    names += [f"rival {i}" for i in range(7)]
    rows = metric_rows(names, {"rouge_l_source": 45, "fidelity": 60})
    figure = figures.trade_off_dots(
        rows, "rouge_l_source", "fidelity", ["M_para"], control=["Copy-Input"], limit=75,
        width=width,
    )  # fmt: skip
    axis = figure.axes[0]
    assert axis.get_xlim()[0] > axis.get_xlim()[1], "other words are to the right"
    boxes = [mpl.text.Text.get_window_extent(text) for text in axis.texts]  # without its leader
    assert sorted(int(text.get_text()) for text in axis.texts) == list(range(1, 13))
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert all(axis.bbox.x0 - 4 <= box.x0 and box.x1 <= axis.bbox.x1 + 4 for box in boxes)
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key == [f"{i}  {typeset(name)}" for i, name in enumerate(names, 1)]
    assert axis.get_position().height > 0.4


def test_the_range_of_humans_is_shaded() -> None:
    rows = metric_rows(["D_para", *HUMAN], SHIFT)
    figure = figures.system_dots(rows, ["H2"], ours=["D_para"], human=HUMAN)
    human = rows[(rows.metric == "H2") & (rows.system != "D_para")]["value"]
    band = figure.axes[0].patches[0].get_extents().transformed(
        figure.axes[0].transData.inverted()
    )  # fmt: skip
    assert (band.x0, band.x1) == pytest.approx((human.min(), human.max()))
    alone = figures.system_dots(rows[rows.system == "D_para"], ["H2"], human=HUMAN)
    assert not alone.legends


def test_long_names_leave_room_for_the_data() -> None:
    names = ["Copy-Input", "student on pairs of an untrained teacher, seed 1"]
    for figure in (
        figures.system_dots(metric_rows(names, {"BLEU": 30, "iBLEU": 8}), width=figures.COLUMN),
        figures.fraction_dots(metric_rows(names, {"fidelity": 0.5}), "same meaning"),
    ):
        assert min(axis.get_position().width for axis in figure.axes) > 0.2
        boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
        assert not boxes[0].overlaps(boxes[1])
        assert all(box.x0 >= 0 for box in boxes)


def test_claims_show_each_effect_in_its_smallest_one_beside_its_control() -> None:
    axis = figures.claim_dots(claim_parts()).axes[0]
    drawn = {
        (round(float(x), 3), mark.get_marker(), mark.get_markerfacecolor() == "white")
        for mark in axis.lines
        if mark.get_marker() not in ("None", "", "|")
        for x in mark.get_xdata()
    }
    assert {(8, "o", False), (-0.2, "o", True)} <= drawn, "40 and -1 points, 5 being the smallest"
    assert {(-1.8, "X", False), (-6, "o", True), (0.5, "D", False)} <= drawn
    assert len(drawn) == 5, "what is missing has no mark"


def test_many_claims_stand_in_two_columns_that_fit_a_page() -> None:
    one = claim_parts().query("number == 1")
    many = pd.concat([one.assign(number=number) for number in range(1, 27)], ignore_index=True)
    figure = figures.claim_dots(many)
    assert len(figure.axes) == 2
    assert figure.get_figheight() < 9
    named = [
        label.get_text() for axis in figure.axes for label in axis.get_yticklabels()
        if label.get_text()[:1].isdigit()
    ]  # fmt: skip
    assert [name.split()[0] for name in named] == [str(n) for n in range(1, 27)]
    boxes = [label.get_window_extent() for axis in figure.axes for label in axis.get_yticklabels()]
    assert all(box.x0 >= 0 for box in boxes)
    assert len(figures.claim_dots(claim_parts()).axes) == 1


def test_claims_say_verdicts_in_words_and_what_is_missing() -> None:
    shown = texts(figures.claim_dots(claim_parts()))
    assert {"1  teacher fails the task", "2  student beats rivals"} <= set(shown)
    assert {"not reproduced", "undecided"} <= set(shown)
    assert "Not measured in this run: claims 3." in shown
    assert "effect ÷ minimum effect size" in shown, "the note is not part of the axis"
    assert "–" not in shown
    partly = claim_parts().assign(claim_verdict="not measured")
    partly.loc[1, "value"] = np.nan
    shown = texts(figures.claim_dots(partly))
    assert "1 of 2 measured" in shown
    empty = claim_parts().assign(value=np.nan, verdict="not measured", claim_verdict="not measured")
    assert texts(figures.claim_dots(empty)).count("–") == 4


def test_words_of_the_real_claims_leave_room_for_the_effects() -> None:
    row = claim_parts().iloc[0].to_dict() | {"claim_verdict": "not reproduced"}
    parts = [
        {**row, "number": claim.number, "claim": claim.short, "label": part.short}
        for claim in load_claims().claims
        for part in claim.parts
    ]
    figure = figures.claim_dots(pd.DataFrame(parts))
    assert sum(len(axis.get_yticklabels()) for axis in figure.axes) > len(parts)
    assert figure.get_figheight() < 9
    left = 0.0
    for axis in figure.axes:
        assert axis.get_position().width * figure.get_figwidth() > 0.3 * figures.COLUMN
        boxes = [label.get_window_extent() for label in axis.get_yticklabels()]
        assert all(left <= box.x0 < box.x1 < axis.bbox.x0 for box in boxes)
        left = axis.bbox.x1


def test_proximity_without_a_panel_says_so() -> None:
    frame = proximity_frame()
    assert "not run" in texts(figures.proximity_curves(frame[frame["axis"] == "length"]))


def test_the_human_line_says_where_it_is_from() -> None:
    assert "MRPC (paper) 39" in texts(figures.proximity_curves(proximity_frame(), 39))
    measured = figures.proximity_curves(proximity_frame(), 44.16, human_source="measured")
    assert "MRPC (measured) 44.2" in texts(measured)
    control = measured.axes[0].containers[-1].lines[0]  # drawn last
    human = next(line for line in measured.axes[2].lines if set(line.get_ydata()) == {44.16})
    assert human._dash_pattern != control._dash_pattern


def test_few_points_are_not_joined_and_the_control_at_zero_is_seen() -> None:
    frame = proximity_frame()
    few = frame[frame["x"].isin([0, 5, 0.5])].copy()
    few.loc[few["series"] == "control", ["value", "low", "high"]] = 0.0
    figure = figures.proximity_curves(few, 39)
    drawn = [found.lines[0] for found in figure.axes[0].containers]
    assert {line.get_linestyle() for line in drawn} == {"None"}
    assert len({line.get_xdata()[0] for line in drawn}) == 3, "points at one place stand apart"
    assert figure.axes[0].get_ylim()[0] < 0
    joined = [found.lines[0] for found in figures.proximity_curves(frame).axes[0].containers]
    assert "None" not in {line.get_linestyle() for line in joined}


def test_what_figure_3_did_not_measure_is_a_dash() -> None:
    frame = proximity_frame().assign(n=60)
    assert "–" not in texts(figures.proximity_curves(frame, 39))
    frame.loc[(frame["series"] == "self_bleu") & (frame["x"] == 5), "n"] = 4
    assert texts(figures.proximity_curves(frame, 39)).count("–") == 1, "two pairs are no measure"
    lacking = frame[(frame["series"] != "control") | (frame["x"] != 1)]
    assert texts(figures.proximity_curves(lacking, 39)).count("–") == 3


def test_maps_of_the_surface_share_a_scale_and_show_what_is_missing() -> None:
    frame = surface_frame()
    figure = figures.proximity_map(frame)
    meshes = [axis.collections[0] for axis in figure.axes]
    assert [mesh.get_clim() for mesh in meshes] == [(0, frame["value"].max())] * 2
    assert texts(figure).count("–") == 1
    assert f"{100 * frame['value'].max():.0f}" in texts(figure)
    light = [t.get_color() for t in figure.axes[0].texts if t.get_text() == "42"]
    assert light == ["w"]
    empty = figures.proximity_map(frame.assign(value=np.nan))
    assert texts(empty).count("–") == 50


def test_a_confusion_matrix_has_only_rows_that_can_be_true() -> None:
    figure = figures.confusion_map([[3, 0, 1], [0, 0, 0]], ["a", "b", "none"], ["a", "b"])
    axis = figure.axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["a", "b"]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["a", "b", "none"]
    assert "75.0%\n3" in texts(figure)
    assert texts(figure).count("–\n0") == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: figures.funnel_dots(pd.DataFrame({"reason": ["x"]})), "lacks the column n"),
        (lambda: figures.system_dots(metric_rows([], {})), "has no rows"),
        (lambda: figures.claim_dots(claim_parts().drop(columns="bound")), "lacks the column bound"),
        (lambda: figures.score_histogram(pd.DataFrame({"p": []}), "p"), "No finite value"),
        (
            lambda: figures.score_histogram(pd.DataFrame({"p": [1.0]}), "p", 0.5, keep="up"),
            "'above' or 'below'",
        ),
        (lambda: figures.confusion_map([[1, 2]], ["a", "b"]), "must be square"),
        (lambda: figures.confusion_map([[1, 2]], ["a", "b"], ["a", "b"]), "2 labels for 2 rows"),
        (lambda: figures.diversity_graph([], [], []), "at least one node"),
        (lambda: figures.pipeline_strip(lit="nowhere"), "No stage is called"),
        (lambda: figures.pipeline_strip(lit=99), "between 0 and 12"),
    ],
)
def test_bad_input_is_one_sentence(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=words):
        call()


def test_equal_values_get_an_axis_that_can_be_read() -> None:
    rows = pd.DataFrame({"system": ["a", "b"], "metric": "m", "value": 0.0, "low": 0.0, "high": 0})
    low, high = figures.system_dots(rows).axes[0].get_xlim()
    assert (low, high) == (-1, 1)
