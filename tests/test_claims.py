"""Claims: the file, the rule on every branch by hand, and what a broken pipeline does to it."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from impossible.data.digests import digest
from impossible.data.io import read_json, write_json
from impossible.data.run_folder import RunFolder, record, scalars
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.claims.specification import (
    REQUIRED_SEEDS,
    ClaimBook,
    Part,
    Recorded,
    RecordedNumber,
    collect_seeds,
    load_claims,
)
from impossible.evaluation.claims.verdicts import Finding, Judgement, combined, judge_claims, ruling
from impossible.evaluation.seed_statistics import MOST_SEEDS
from impossible.report.claim_tables import (
    by_chance,
    claim_table,
    part_rows,
    part_table,
    verdict_counts,
    write_claims,
)

ROOT = Path(__file__).parents[1]
BOOK = load_claims()
PARTS = [(claim.number, part) for claim in BOOK.claims for part in claim.parts]
SOURCES = [source for _, part in PARTS for source in part.sources()]

# --- one claim of one part, judged by hand

TEXT = {
    "measures": {"share": {"unit": "points", "minimum_effect": 5, "why": "by hand"}},
    "claims": [
        {
            "number": 1, "claim": "It rises.", "short": "rises", "place": "§2", "kind": "trained",
            "parts": [
                {
                    "statistic": "last minus first", "short": "rise", "measure": "share",
                    "scale": 100, "sign": 1,
                    "effect": {"notebook": "02_x", "scalar": "rise"},
                    "control": {"notebook": "02_x", "scalar": "none", "is": "shuffled"},
                }
            ],
        }
    ],
}  # fmt: skip


def book(**changes: Any) -> ClaimBook:
    """The claim by hand, with some fields of its part changed."""
    text = json.loads(json.dumps(TEXT))
    text["claims"][0]["parts"][0].update(changes)
    return ClaimBook.model_validate(text)


def seeds(rises: list[Any], controls: list[Any]) -> dict[int, Recorded]:
    return {
        seed: Recorded({"02_x": {"rise": rise, "none": none}}, f"seeds/{seed}/scalars")
        for seed, (rise, none) in enumerate(zip(rises, controls, strict=True))
    }


def found(rises: list[Any], controls: list[Any] | None = None, **changes: Any) -> Finding:
    numbers = seeds(rises, [0.0] * len(rises) if controls is None else controls)
    return judge_claims(book(**changes), numbers).claims[0].findings[0]


def test_three_seeds_by_hand() -> None:
    # 10, 12 and 14 points: mean 12, s = 2, t(2 degrees of freedom) = 4.303, t s / √3 = 4.969
    finding = found([0.10, 0.12, 0.14])
    effect = finding.effect
    assert (effect.value, effect.low, effect.high, effect.n) == pytest.approx(
        (12, 12 - 4.969, 12 + 4.969, 3), abs=1e-3
    )
    assert finding.verdict == finding.reading == "reproduced"
    # t = 12 / (2 / √3) = 10.39; with two degrees of freedom p = (1 - t / √(2 + t²)) / 2
    assert finding.p == pytest.approx((1 - 10.392 / math.sqrt(2 + 10.392**2)) / 2, rel=1e-3)
    assert finding.required_seeds == 3


def test_a_claim_of_a_fall_is_turned() -> None:
    finding = found([-0.10, -0.12, -0.14], sign=-1)
    assert finding.effect.value == pytest.approx(12)
    assert finding.verdict == "reproduced"
    assert found([0.10, 0.12, 0.14], sign=-1).verdict == "not reproduced"
    own = found([[-0.10, -0.14, -0.06]], sign=-1).effect
    assert (own.low, own.high) == pytest.approx((6, 14))


ABOVE = "the whole interval lies above 0, and above its control"


@pytest.mark.parametrize(
    ("rises", "controls", "verdict", "reason"),
    [
        ([0.01, 0.02, 0.03], None, "not reproduced", "the whole interval lies below 5"),
        ([-0.1, -0.12, -0.14], None, "not reproduced", "the whole interval lies below 5"),
        ([0.1, 0.12, 0.14], [0.06, 0.06, 0.061], "not reproduced", "the control shows it as well"),
        ([0.1, 0.12, 0.14], [0.05, 0.05, 0.051], "reproduced", ABOVE),
        # a control that is only uncertain proves nothing, a doubtful effect needs no control
        ([0.1, 0.12, 0.14], [0.2, 0.0, 0.1], "undecided", "it cannot be told from its control"),
        ([0.03, 0.43, -0.37], [0.06, 0.061, 0.062], "undecided", "the interval holds 0"),
        ([0.0, 0.1, 0.2], None, "undecided", "the interval holds 0"),
        ([0.1, 0.12], None, "undecided", "2 of 3 seeds that a verdict needs"),
        ([0.1], None, "undecided", "1 of 3 seeds that a verdict needs"),
        ([None] * 3, None, "not measured", "'rise' (02_x) has no value in any seed"),
        ([0.1] * 3, [None] * 3, "not measured", "'none' (02_x) has no value in any seed"),
        ([0.1, None], [None, 0.1], "not measured", "no seed records both effect and control"),
        ([], [], "not measured", "02_x was not run"),
    ],
)
def test_each_branch_of_the_rule(
    rises: list[Any], controls: list[Any] | None, verdict: str, reason: str
) -> None:
    finding = found(rises, controls)
    assert (finding.verdict, finding.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("rises", "controls", "verdict"),
    [
        ([-0.01, 0.0, 0.01], [-0.2, -0.2, -0.21], "reproduced"),
        ([0.10, 0.12, 0.14], [-0.2, -0.2, -0.21], "reproduced"),
        ([-0.1, -0.12, -0.11], [-0.2, -0.2, -0.21], "not reproduced"),
        ([-0.01, 0.0, 0.01], [-0.01, 0.0, 0.01], "not reproduced"),
        ([-0.1, 0.0, 0.01], [-0.2, -0.2, -0.21], "undecided"),
    ],
)
def test_not_worse_needs_an_interval_above_minus_the_minimum_effect(
    rises: list[float], controls: list[float], verdict: str
) -> None:
    assert found(rises, controls, bound="not_worse").verdict == verdict


def test_one_seed_shows_the_interval_of_its_own_run() -> None:
    finding = found([[0.10, 0.08, 0.12]])
    assert (finding.effect.low, finding.effect.high) == pytest.approx((8, 12))
    assert (finding.verdict, finding.reading) == ("undecided", "reproduced")
    assert np.isnan(finding.p)
    alone = found([0.10])
    assert np.isnan(alone.effect.low)
    assert (alone.reading, alone.required_seeds) == ("undecided", None)


def test_required_seeds_by_hand() -> None:
    # s = 10 points, mean 10: t s / √n < 10 first at n = 7 (2.447 · 10 / √7 = 9.25)
    assert found([0.0, 0.1, 0.2]).required_seeds == 7
    # of one seed s is half the interval by 1.96: 10 points again
    assert found([[0.1, -0.096, 0.296]]).required_seeds == 7
    # mean 1 point: the interval must end below 5, 4 away, or begin above 0, 1 away
    assert found([-0.02, 0.01, 0.04]).required_seeds == 5  # 2.776 · 3 / √5 = 3.72
    assert found([0.10, 0.12]).required_seeds == 3, "never fewer than a verdict needs"
    assert found([-0.9, 0.025, 0.95]).required_seeds is None
    # not worse than -5 from a mean of 0, s = 5: 5 away
    assert found([-0.05, 0.0, 0.05], [-0.9, -0.9, -0.91], bound="not_worse").required_seeds == 7


def test_a_seed_without_a_number_is_named_and_not_counted_as_zero() -> None:
    finding = found([0.10, None, 0.12, 0.14])
    assert finding.effect.value == pytest.approx(12)
    assert (sorted(finding.effects), finding.absent) == ([0, 2, 3], [1])
    assert finding.files == [f"seeds/{seed}/scalars/02_x.json" for seed in (0, 2, 3)]


@pytest.mark.parametrize("number", [None, "0.1", True, [], [None, 1, 2], [1, 2], {}, math.nan])
def test_what_is_no_number_is_missing(number: Any) -> None:
    assert RecordedNumber(notebook="n", scalar="s").read({"n": {"s": number}}) is None


def test_where_no_correction_is_possible_the_verdicts_as_they_are_count() -> None:
    source, raw = RecordedNumber(notebook="n", scalar="s"), [2.0, 1.0, 3.0]
    assert source.read({"n": {"s": [None, None, None], "s_raw": raw}}) == Interval(2.0, 1.0, 3.0, 1)
    corrected = source.read({"n": {"s": 5.0, "s_raw": raw}})
    assert corrected is not None
    assert corrected.value == 5.0


def test_a_part_without_control_is_judged_by_its_effect() -> None:
    finding = found([0.10, 0.12, 0.14], control=None, no_control="nothing to destroy")
    assert finding.verdict == "reproduced"
    assert (np.isnan(finding.control.value), finding.controls) == (True, {})


def test_an_unknown_control_never_shows_the_effect() -> None:
    nothing = Interval(math.nan, math.nan, math.nan, 0)
    assert ruling(Interval(8, 6, 10, 3), nothing, nothing, 5, "effect")[0] == "reproduced"
    assert ruling(nothing, nothing, nothing, 5, "effect")[0] == "not measured"


def test_a_claim_holds_if_all_its_parts_do() -> None:
    assert combined(["reproduced", "reproduced"]) == "reproduced"
    assert combined(["reproduced", "undecided"]) == "undecided"
    assert combined(["undecided", "not measured", "reproduced"]) == "not measured"
    assert combined(["not measured", "not reproduced"]) == "not reproduced"


# --- a run of simulated numbers for the real claims


def working(part: Part, control: bool, rng: np.random.Generator) -> float:
    """What a pipeline that works would record: three times the minimum effect, control none."""
    smallest = BOOK.measures[part.measure].minimum_effect
    size = 0.1 * smallest if part.bound == "not_worse" else 3 * smallest
    lost = -4 * smallest if part.bound == "not_worse" else -0.5 * smallest
    noise = 0.05 * smallest * rng.normal()
    return part.sign / part.scale * ((lost if control else size) + noise)


Broken = Callable[[int, Part], bool]


def simulated(folder: Path, n: int = 5, broken: Broken = lambda number, part: False) -> RunFolder:
    """A run with `n` seeds; where `broken`, the effect is what its control is."""
    run = RunFolder.open(folder / "run")
    for seed in range(n):
        place = run if seed == 0 else RunFolder.open(run.seeds / str(seed))
        rng = np.random.default_rng(seed)
        numbers: dict[str, dict[str, float]] = {source.notebook: {} for source in SOURCES}
        for number, part in PARTS:
            for source in part.sources():
                lost = source is not part.effect or broken(number, part)
                numbers[source.notebook][source.scalar] = working(part, lost, rng)
        for notebook, recorded in numbers.items():
            write_json(place.scalars / f"{notebook}.json", recorded)
    return run


def judged(run: RunFolder) -> Judgement:
    return judge_claims(BOOK, collect_seeds(run, 0, 5, BOOK))


def test_a_pipeline_that_works_reproduces_every_claim(tmp_path: Path) -> None:
    ledger = judged(simulated(tmp_path))
    assert ledger.seeds == [0, 1, 2, 3, 4]
    assert verdict_counts(ledger) == {
        "reproduced": len(BOOK.claims), "not reproduced": 0, "undecided": 0, "not measured": 0,
    }  # fmt: skip


#: Sets of claims whose effect is what their control is. Which of them a broken pipeline hits is for
#: tests/test_broken_pipeline.py to show, which breaks one.
DAMAGE = {
    "filtering": {5, 6, 7},
    "contexts": {1, 2, 14},
    "training": {4, 8, 9, 10, 11, 15},
    "everything": set(range(1, len(BOOK.claims) + 1)),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_broken_pipeline_turns_the_right_claims_and_no_other(tmp_path: Path, what: str) -> None:
    hit = DAMAGE[what]
    run = simulated(tmp_path, broken=lambda number, part: number in hit)
    for ruled in judged(run).claims:
        expected = "not reproduced" if ruled.claim.number in hit else "reproduced"
        assert ruled.verdict == expected, ruled.claim.short


def test_an_effect_that_its_control_shows_as_well_is_not_one(tmp_path: Path) -> None:
    run = simulated(tmp_path)
    for place in (run, *map(RunFolder, run.seeds.iterdir())):
        numbers = scalars(place)
        for _, part in PARTS:
            if part.control:
                same = numbers[part.effect.notebook][part.effect.scalar]
                numbers[part.control.notebook][part.control.scalar] = same
        for notebook, recorded in numbers.items():
            write_json(place.scalars / f"{notebook}.json", recorded)
    ledger = judged(run)
    for ruled in ledger.claims:
        controlled = any(part.control for part in ruled.claim.parts)
        assert ruled.verdict == ("not reproduced" if controlled else "reproduced")


def test_too_few_seeds_decide_nothing(tmp_path: Path) -> None:
    three = {r.claim.number: r for r in judged(simulated(tmp_path, n=3)).claims}
    for claim in BOOK.claims:
        ruled = three[claim.number]
        assert ruled.verdict == ("undecided" if claim.kind == "sampled" else "reproduced")
        assert ruled.reading == "reproduced"
        assert ruled.required_seeds == (
            REQUIRED_SEEDS[claim.kind] if claim.kind == "sampled" else 3
        )


def test_p_values_are_of_the_weakest_part_and_adjusted_for_the_number_of_claims(
    tmp_path: Path,
) -> None:
    ledger = judged(simulated(tmp_path))
    for ruled in ledger.claims:
        assert ruled.p == max(finding.p for finding in ruled.findings)
        assert ruled.p <= ruled.p_holm <= min(1, ruled.p * len(ledger.claims))
    smallest = min(ledger.claims, key=lambda ruled: ruled.p)
    assert smallest.p_holm == pytest.approx(smallest.p * len(ledger.claims))


# --- what is written


def test_tables_show_verdicts_and_never_a_missing_value_as_zero(tmp_path: Path) -> None:
    ledger = judged(simulated(tmp_path, n=1))
    table = claim_table(ledger)
    assert len(table) == len(BOOK.claims)
    assert set(table["verdict"]) == {"undecided"}
    assert len(part_table(ledger)) == len(part_rows(ledger)) == len(PARTS)
    nothing = judged(RunFolder.open(tmp_path / "empty"))
    assert set(claim_table(nothing)["effect"]) == set(part_table(nothing)["control"]) == {"–"}
    assert verdict_counts(nothing)["not measured"] == len(BOOK.claims)
    assert by_chance(nothing).startswith("Of 0 intervals")


def test_the_weakest_part_stands_for_its_claim(tmp_path: Path) -> None:
    run = simulated(tmp_path, broken=lambda number, part: part.short == "tree distance")
    ledger = judged(run)
    (sixth,) = [ruled for ruled in ledger.claims if ruled.claim.number == 6]
    assert sixth.deciding.part.short == "tree distance"
    line = claim_table(ledger).set_index("#").loc[6]
    assert line["weakest part"] == f"{sixth.deciding.part.as_claimed} (% points)"
    assert line["parts that hold"] == f"{len(sixth.findings) - 1} of {len(sixth.findings)}"


@pytest.mark.parametrize(
    ("rises", "shown"),
    [
        ([0.10, 0.12, 0.14], "decided"),
        ([0.0, 0.1, 0.2], "7"),
        ([[0.1, -0.096, 0.296]], "≥ 7"),
        ([-0.9, 0.025, 0.95], f"> {MOST_SEEDS}"),
        ([0.1], "–"),
        ([None], "–"),
    ],
)
def test_required_seeds_as_a_reader_sees_them(rises: list[Any], shown: str) -> None:
    ledger = judge_claims(book(), seeds(rises, [0.0] * len(rises)))
    assert claim_table(ledger)["seeds required"].tolist() == [shown]
    assert part_table(ledger)["seeds required"].tolist() == [shown]


def test_intervals_that_miss_by_chance_are_counted(tmp_path: Path) -> None:
    sentence = by_chance(judged(simulated(tmp_path)))
    assert f"Of {len(PARTS)} intervals of 95%, about {(1 - 0.95) * len(PARTS):.1f} miss" in sentence


def test_the_file_holds_every_seed_and_where_it_came_from(tmp_path: Path) -> None:
    run = simulated(tmp_path)
    path = write_claims(run, judged(run))
    assert path == run.root / "claims.json"
    content = read_json(path)
    assert content["seeds"] == [0, 1, 2, 3, 4]
    assert content["counts"]["reproduced"] == len(BOOK.claims)
    first = content["claims"][0]["parts"][0]
    assert first["effect"]["scalar"] == "oracle_length"
    assert first["control"]["is"] == "the two sentences follow two different contexts"
    values = [first["effect_per_seed"][str(seed)] for seed in range(5)]
    assert first["effect_found"]["value"] == pytest.approx(np.mean(values))
    assert first["effect_found"]["interval"] == "seeds"
    for file in first["files"]:
        assert (run.root / file).is_file()
    assert first["measure"]["why"]


# --- reading


def test_seeds_are_collected_from_the_run_and_from_below_it(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    record(run, "02_x", rise=1.0)
    record(run, "03_other", rise=1.0)
    for seed in ("12", "14", "late"):
        record(RunFolder.open(run.seeds / seed), "02_x", rise=2.0)
    gathered = collect_seeds(run, 11, 3, book())
    assert list(gathered) == [11, 12]  # 13 did not run, 14 is none of three seeds
    assert gathered[11].numbers == {"02_x": {"rise": 1.0}}  # what no claim names is not read
    source = RecordedNumber(notebook="02_x", scalar="rise")
    for recorded in gathered.values():
        assert (run.root / recorded.file(source)).is_file()


def broken_file(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    text = json.loads(json.dumps(TEXT))
    change(text)
    return write_json(tmp_path / "claims.yaml", text)  # JSON is YAML


def part_of(text: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = text["claims"][0]["parts"][0]
    return part


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: part_of(t).update(sign=0), r"claims\.0\.parts\.0\.sign: input should be 1 or"),
        (lambda t: part_of(t).update(measure="x"), "claim 1 names the measure x, .* none of share"),
        (lambda t: part_of(t).update(control=None), "give either a control, or null and the"),
        (lambda t: part_of(t).update(no_control="why"), "give either a control, or null and the"),
        (lambda t: part_of(t).update(extra=1), r"parts\.0\.extra: extra inputs are not permitted"),
        (lambda t: part_of(t).pop("effect"), r"parts\.0\.effect: field required"),
        (
            lambda t: t["measures"]["share"].update(minimum_effect=0),
            "minimum_effect: input should be greater",
        ),
        (
            lambda t: t["measures"]["share"].update(minimum_effect="5"),
            "minimum_effect: input should be a",
        ),
        (lambda t: t["claims"].append(t["claims"][0]), "claim 1 is given 2 times"),
        (lambda t: t["claims"][0].update(parts=[]), "parts: list should have at least 1 item"),
        (
            lambda t: t["claims"][0].update(kind="read"),
            "kind: input should be 'sampled', 'trained' or",
        ),
        (lambda t: t.clear(), "measures: field required"),
    ],
)
def test_a_bad_file_is_one_sentence_with_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    with pytest.raises(DataError, match=rf"claims\.yaml: .*{words}"):
        load_claims(broken_file(tmp_path, change))


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    for text in ("", "hello"):
        path.write_text(text)
        with pytest.raises(DataError, match="should be a valid dictionary"):
            load_claims(path)
    with pytest.raises(DataError, match="Cannot read"):
        load_claims(tmp_path / "nowhere.yaml")


# --- the paper's claims

#: What the claims read.
NAMED = sorted({(source.notebook, source.scalar) for source in SOURCES})


#: Numbers that notebooks record only since claims name them: what in their code does it.
RECORDED_SINCE = {
    "08_dataset_quality": "table_gains.gains_over_people(",
    "09_evaluation": "table_gains.gains_in_table8(",
    "11_summarization": '["rouge_l", "bert_score_references"]',
    "16_human_evaluation": "each.says: each.found.bounds",
}


@pytest.mark.parametrize(("notebook", "scalar"), NAMED)
def test_every_number_that_a_claim_names_is_recorded(notebook: str, scalar: str) -> None:
    shelf = (ROOT / "notebooks" / "shelf" / f"{notebook}.ipynb").is_file()
    run = "laboratory-full" if shelf else "laboratory"  # only the wide run has the shelf
    if scalar in read_json(ROOT / "results" / run / "scalars" / f"{notebook}.json"):
        return
    naming = [c for c in BOOK.claims for part in c.parts for source in part.sources()
              if (source.notebook, source.scalar) == (notebook, scalar)]  # fmt: skip
    assert all(claim.added for claim in naming), "a run that was seen must have it"
    cells = read_json(ROOT / "notebooks" / f"{notebook}.ipynb")["cells"]
    assert RECORDED_SINCE[notebook] in "".join(line for cell in cells for line in cell["source"])


def test_every_table_of_the_paper_with_numbers_has_a_claim_in_its_columns_shown_first(
    tmp_path: Path,
) -> None:
    tables = [f"Table {n}" for n in (1, 2, 3, 4, 5, 6, 8)]  # Table 7 holds examples
    assert {claim.table for claim in BOOK.claims} == {None, *tables}
    shown = claim_table(judged(RunFolder.open(tmp_path / "empty")))
    order = [BOOK.claims[number - 1].table for number in shown["#"]]
    first = [name for name in order if name]
    assert order[: len(first)] == first == sorted(first)
    assert list(dict.fromkeys(first)) == tables


def test_self_distillation_must_add_at_equal_numbers_of_pairs_too(tmp_path: Path) -> None:
    ninth = BOOK.claims[8]
    equal = [part for part in ninth.parts if "as many pairs each" in part.statistic]
    assert (len(ninth.parts), len(equal)) == (4, 2)
    run = simulated(tmp_path, broken=lambda number, part: part in equal)
    assert judged(run).claims[8].verdict == "not reproduced"


def test_invented_ratings_are_no_claim(tmp_path: Path) -> None:
    path = broken_file(tmp_path, lambda t: part_of(t)["effect"].update(scalar="synthetic: M"))
    with pytest.raises(DataError, match=r"claim 1 reads synthetic ratings"):
        load_claims(path)


def test_a_number_is_found_under_the_name_that_older_runs_gave_it() -> None:
    source = RecordedNumber(notebook="n", scalar="new", formerly="old")
    for recorded, value in (({"old": 1.0}, 1.0), ({"old": 1.0, "new": 2.0}, 2.0)):
        found = source.read({"n": recorded})
        assert found is not None
        assert found.value == value


def test_the_notebook_declares_what_the_claims_read() -> None:
    (path,) = (ROOT / "notebooks").glob("*_claims.ipynb")
    declared = set(read_json(path)["metadata"]["impossible"]["inputs"])
    assert declared == {f"scalars/{notebook}?" for notebook, _ in NAMED} | {"seeds/*/scalars/*?"}


def test_claims_count_from_one_and_every_measure_is_used() -> None:
    assert [claim.number for claim in BOOK.claims] == list(range(1, len(BOOK.claims) + 1))
    assert {part.measure for _, part in PARTS} == set(BOOK.measures)


def written(values: list[float | None], **near: float) -> Any:
    """Numbers of a file, in which null is what was not measured."""
    return pytest.approx([math.nan if v is None else v for v in values], nan_ok=True, **near)


def test_the_committed_ledger_is_readable_and_gives_the_same_verdicts() -> None:
    run = RunFolder(ROOT / "results" / "laboratory-full")
    ledger = read_json(run.root / "claims.json")
    again = judge_claims(BOOK, collect_seeds(run, 0, len(ledger["seeds"]), BOOK))
    assert list(again.seeds) == ledger["seeds"]
    assert verdict_counts(again) == ledger["counts"]
    for claim, before in zip(again.claims, ledger["claims"], strict=True):
        assert (claim.verdict, claim.reading) == (before["verdict"], before["reading"])
        assert [claim.p, claim.p_holm] == written([before["p"], before["p_holm"]], abs=1e-9)
        for finding, part in zip(claim.findings, before["parts"], strict=True):
            assert (finding.verdict, finding.reason) == (part["verdict"], part["reason"])
            ends = [part["effect_found"][name] for name in ("value", "low", "high")]
            assert finding.effect.bounds == written(ends)


def test_the_judge_s_name_stands_in_claims_and_numbers() -> None:
    text = load_claims(judge="referee").model_dump_json()
    assert "oracle" not in text
    assert "referee_length" in text
    assert "{judge}" not in text
    assert "oracle_length" in BOOK.model_dump_json()
    assert not re.search(r"\btrue\b|\btruly\b", re.sub(r'"(claim|scalar)":"[^"]*"', "", text))


def test_pairs_of_unlike_numbers_are_not_compared() -> None:
    sizes = [{"notebook": "02_x", "scalar": name} for name in ("n_ours", "n_theirs")]

    def judged_with(ours: int | None, theirs: int) -> Finding:
        pairs = {"n_ours": ours, "n_theirs": theirs}
        numbers = {
            seed: Recorded({"02_x": {**each.numbers["02_x"], **pairs}}, "")
            for seed, each in seeds([0.10, 0.12, 0.14], [0.0] * 3).items()
        }
        return judge_claims(book(sizes=sizes), numbers).claims[0].findings[0]

    assert judged_with(500, 400).verdict == "reproduced"
    assert judged_with(None, 400).verdict == "reproduced", "an older run did not record it"
    few = judged_with(9, 156)
    assert (few.verdict, few.reason) == ("not measured", "9 pairs against 156")
    with pytest.raises(ValueError, match="at least 2"):
        book(sizes=sizes[:1])


def test_at_equal_numbers_the_published_english_run_has_too_few_pairs() -> None:
    run = RunFolder(ROOT / "results" / "english")
    ninth = judge_claims(BOOK, collect_seeds(run, 0, 1, BOOK)).claims[8]
    equal = [f for f in ninth.findings if "as many pairs each" in f.part.statistic]
    assert {finding.verdict for finding in equal} == {"not measured"}
    assert all(re.fullmatch(r"\d+ pairs against \d+", finding.reason) for finding in equal)


def test_no_claim_in_a_table_s_columns_says_more_than_the_table() -> None:
    """Claims that the paper's own rows contradict: Jaccard 43.62 is not below 43.44."""
    known = {claim.number: claim for claim in BOOK.claims}
    (sampling,) = (p for p in known[23].parts if "ParaBank2" in p.statistic)
    assert sampling.bound == "not_worse"
    in_table_5 = [part.statistic for part in known[26].parts]
    assert not any("teacher" in statistic for statistic in in_table_5)
    for ours in (22, 29):
        assert "(ours; " in known[ours].claim
        assert known[ours].table is None


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import judge_again

    yield judge_again
    sys.modules.pop("judge_again")


def test_a_ledger_judged_again_names_no_temporary_folder(
    again: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy, name = tmp_path / "english", "notebooks/23_claims.ipynb"
    path = copy / name
    path.parent.mkdir(parents=True)
    where = Path(os.path.relpath(copy, ROOT)).as_posix()
    monkeypatch.setattr(again, "project_root", lambda: ROOT)
    path.write_text(json.dumps({"cells": [{"source": [f'results = "{where}"']}]}))
    entry = {"outputs": {name: digest(path)}}
    write_json(copy / "manifest.json", {"notebooks": {"23_claims": entry}})
    found = again._named_as_published(copy)
    assert read_json(path)["cells"][0]["source"] == ['results = "results/english"']
    assert found["outputs"][name] == digest(path)


def test_seeds_that_are_not_what_their_runs_wrote_are_not_judged(
    again: Any, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    for folder in (run, run / "seeds" / "1"):
        write_json(folder / "scalars" / "02_x.json", {"gain": 1.0})
        outputs = {"scalars/02_x.json": digest(folder / "scalars" / "02_x.json")}
        content = {"notebooks": {"02_x": {"status": "done", "outputs": outputs}}}
        write_json(folder / "manifest.json", {**content, "digest": digest(content)})
    again._require_intact(run)
    write_json(run / "seeds" / "1" / "scalars" / "02_x.json", {"gain": 9.0})
    with pytest.raises(DataError, match="is judged only as it was run"):
        again._require_intact(run)
    (run / "seeds" / "1" / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"seeds/1 has no manifest\.json"):
        again._require_intact(run)


def test_published_notebooks_name_the_folder_of_their_run() -> None:
    for path in sorted((ROOT / "results").glob("*/notebooks/*.ipynb")):
        assert "../tmp/" not in path.read_text(encoding="utf-8"), path


def test_statistics_are_worded_so_that_positive_is_what_is_claimed() -> None:
    turned = [part for _, part in PARTS if part.sign < 0]
    assert turned
    for part in turned:
        what, _, sides = part.statistic.rpartition(", ")
        first, last = sides.split(" minus ")
        assert part.as_claimed == f"{what}, {last} minus {first}"
    assert all(part.as_claimed == part.statistic for _, part in PARTS if part.sign > 0)
    (temperature, *_) = BOOK.claims[1].parts
    assert temperature.as_claimed.endswith(", coldest minus hottest")
