"""Write the numbers of README and docs from what runs recorded: python scripts/readme.py.

The laboratory's numbers and claims come from `results/laboratory` and `laboratory-full`, those of
English from `results/english` and `english-full`, from `results/readings.json` and from what is
measured beside the shipped models; tests compare the pages with them.
"""

from __future__ import annotations

import csv
import html
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.config.params import Params  # noqa: E402
from impossible.data.io import read_frame  # noqa: E402
from impossible.data.run_folder import RunFolder  # noqa: E402
from impossible.data.schemas import DATASET  # noqa: E402
from impossible.evaluation.calibration import fraction  # noqa: E402
from impossible.evaluation.claims.verdicts import VERDICTS, combined  # noqa: E402
from impossible.evaluation.expectations import (  # noqa: E402
    OUTCOMES,
    REFUTED,
    REHEARSAL,
    SHOWN,
    as_counted,
    per_cent,
)
from impossible.evaluation.test_sets import TITLES, with_title  # noqa: E402
from impossible.report.blind_readings import agreement, both_say, read_claims, read_rates  # noqa: E402
from impossible.report.main_claims import (  # noqa: E402
    ORDER,
    MainClaim,
    by_claim,
    by_question,
    main_claims,
)
from impossible.report.tables import minus  # noqa: E402

PAGES = (
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("laboratory", "english", "outcomes", "paper", "parameters")
    ),
)
RUN, FULL = ROOT / "results" / "laboratory", ROOT / "results" / "laboratory-full"
RUN_ENGLISH, WIDE = ROOT / "results" / "english", ROOT / "results" / "english-full"
ENGLISH = ROOT / "lib" / "impossible" / "english"
READINGS = ROOT / "results" / "readings.json"
CRITIC, REFEREE = ENGLISH / "critic", ENGLISH / "referee"

NO_JUDGE = "cannot be judged"  # by a referee that refuses exact copies
ONCE = "measured once"  # on either side of a bound, without an interval: of one run
#: Groups of pairs that were read → what README calls them.
READ_GROUPS = {
    "chosen by chance": "as many by chance of what the cheap critics pass",
    "any two sentences": "any two sentences of a context",
    "shipped paraphraser": "answers of the shipped paraphraser",
    **{f"{name.lower()}: {group}": f"{name}: {said}" for name in ("MRPC", "Quora")
       for group, said in (("gold reference", "people's own pairs"), ("round trip", "round trip"),
                           ("M_para, best of 10", "student, best of 10"),
                           ("teacher, best of 10", "teacher, best of 10"))},
}  # fmt: skip
#: The groups that README shows; docs/outcomes.md has all.
FIRST_READ = (
    "D_T", "chosen by chance", "mrpc: gold reference", "quora: gold reference",
    "mrpc: M_para, best of 10", "mrpc: teacher, best of 10",
    "quora: M_para, best of 10", "quora: teacher, best of 10", "shipped paraphraser",
)  # fmt: skip
AS_WRITTEN = ("thread", "examples", "parameters")  # what models wrote, or people may copy
#: What the main claims measure.
MEASURES = (
    "Self-BLEU", "valid paraphrases", "fidelity", "mean the same", "equivalent", "follow and short",
    "valid paraphrase", "BERT-iBLEU", "iBLEU", "ratio",
)  # fmt: skip
#: What a table of README says instead, where nothing explains the word.
PLAIN = {
    "ratio,": "equivalent pairs,", "(referee, raw)": "(referee, uncorrected)",
    "chosen by chance": "as many by chance of what the cheap critics pass",
}  # fmt: skip

#: A row of docs/paper.md → the main claims (how they begin) and the numbers of the ledger's claims.
IN_THE_PAPER: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "Figure 3": (("after longer", "and in colder", "equivalent pairs"), (1, 2, 3)),
    "§3.2 critics": (("entailment both ways",), (6,)),
    "§3.2 Algorithm 1": (("critics find",), (5, 16)),
    "§3.3": (("self-distillation makes the student",), (9,)),
    "Table 1": ((), (23, 7, 22)),
    "Tables 2 and 6": (("the student paraphrases", "its iBLEU", "and its BERT-iBLEU"), (24, 4)),
    "§3.6 and Table 5": (("the same method",), (26, 29, 13)),
    "Table 4": ((), (12,)),
    "Tables 2 and 8": (("its data",), (27, 28, 8)),
    "Table 3": ((), (25,)),
    "Table 6": ((), (6, 10, 11)),
}

Scalars = dict[str, dict[str, Any]]


def interval(values: list[float], digits: int = 1) -> str:
    """`+13.3 [7.7, 19.0]` of value, low, high."""
    value, low, high = values
    return f"{value:+z.{digits}f} [{low:z.{digits}f}, {high:z.{digits}f}]"


def several(found: dict[str, Any], names: list[str], digits: int = 1, unit: str = " %") -> str:
    """Values beside one another; of one with an interval the value."""
    values = [found[name][0] if isinstance(found[name], list) else found[name] for name in names]
    return "; ".join(f"{value:.{digits}f}{unit}" for value in values)


def system(found: dict[str, Any], name: str) -> str:
    """Fidelity, valid paraphrases, BERT-iBLEU of a system of notebook 09 or 13."""
    fidelity, new = (f"{found[f'{name}, {metric}']:.1f} %" for metric in ("fidelity", "paraphrase"))
    return f"{fidelity}; {new}; {found[f'{name}, bert_ibleu']:.1f}"


def rows(s: Scalars) -> list[tuple[str, str, str]]:
    """(what, value, notebook) of what the default run shows."""
    near, first, second = s["02_proximity"], s["05_dataset"], s["07_self_distillation"]
    tested, short, against = s["09_evaluation"], s["11_summarization"], s["13_baselines"]
    kinds = ("news", "biomedical", "forum")
    value, low, high = near["oracle_temperature"]
    colder = [-100 * end for end in (value, high, low)]
    three = "fidelity; valid paraphrases; BERT-iBLEU"
    return [
        ("equivalent pairs among random pairs of next sentences, all lengths and temperatures of "
         "notebook 02 together (truth, by the oracle)",
         f"{100 * near['ratio_oracle']:.1f} %", "02_proximity"),
        ("longest minus shortest context, points (truth)",
         interval([100 * v for v in near["oracle_length"]]), "02_proximity"),
        ("coldest minus hottest sampling, points (truth)", interval(colder), "02_proximity"),
        ("first dataset D_T: pairs, truly equivalent; base rate",
         f"{first['n_dataset']:,}, {100 * first['precision']:.1f} %; "
         f"{100 * first['base_rate']:.1f} %", "05_dataset"),
        ("second dataset D_para: pairs, truly equivalent; base rate",
         f"{second['n_dataset']:,}, {100 * second['precision']:.1f} %; "
         f"{100 * second['base_rate']:.1f} %", "07_self_distillation"),
        *((f"{title}: {three}", system(tested, name), "09_evaluation") for name, title in (
            ("teacher, zero-shot", "teacher, zero-shot"),
            ("teacher, few-shot", "teacher, few-shot"),
            ("student base", "student base, before any pair"), ("student", "first student"),
            ("M_para", "second student M_para"), ("gold reference", "gold reference"))),
        (f"round trip through a second language (baseline): {three}",
         system(against, "round trip"), "13_baselines"),
        ("gain of self-distillation: fidelity (points); BERT-iBLEU (paper +3.1)",
         f"{interval(tested['gain, fidelity'])}; {interval(tested['gain, bert_ibleu'])}",
         "09_evaluation"),
        ("summaries that follow, keep predicate and participants, and are short: deletion in the "
         "tree; M_sum",
         f"{short['deletion in the tree, good']:.1f} %; {short['M_sum, good']:.1f} %",
         "11_summarization"),
        ("same meaning in news; biomedical; forum: student base, before any pair",
         several(tested, [f"student base, {kind}, fidelity" for kind in kinds]), "09_evaluation"),
        ("same meaning in news; biomedical; forum: second student M_para",
         several(tested, [f"M_para, {kind}, fidelity" for kind in kinds]), "09_evaluation"),
    ]  # fmt: skip


def shelf_rows(s: Scalars) -> list[tuple[str, str, str]]:
    """(what, value, notebook) of the first version's ideas, which the wide run has."""
    after, told, both = s["17_constrained"], s["18_length_and_style"], s["19_two_tasks"]
    pooled, moved = s["20_domains"], s["21_transfer"]
    return [
        ("pairs kept per 1,000 teacher tokens: pairing next sentences; writing y after x with its "
         "keywords (soft); half of the tokens for either",
         several(after, ["parallel, kept", "soft, kept", "parallel and soft, kept"], 2, ""),
         "17_constrained"),
        ("asked for one of four groups of length and style, summaries in the right one: told; not "
         "told; best of ten samples", several(told, ["told, right", "not told, right",
         "best of 10, right"]), "18_length_and_style"),
        ("one student for both tasks minus a specialist each, points: paraphrases; summaries",
         "; ".join(interval(both[f"generalist, all − specialist, {what}"])
                   for what in ("paraphrase", "good")), "19_two_tasks"),
        ("pairs pooled over domains minus as many of one, valid paraphrases, points: in other "
         "domains; in its own", "; ".join(interval(pooled[f"pooled − alone, {where}, paraphrase"])
         for where in ("away", "at home")), "20_domains"),
        ("good summaries in an unseen domain, student of D_sum minus the base, points: without "
         "gold pairs; with some", "; ".join(interval(moved[f"student of D_sum − base | {at}, good"])
         for at in ("0 pairs", "mean with gold pairs")), "21_transfer"),
        ("the same minus the student of stand-in headlines", "; ".join(
            interval(moved[f"student of D_sum − student of headlines | {at}, good"])
            for at in ("0 pairs", "mean with gold pairs")), "21_transfer"),
    ]  # fmt: skip


def numbers(run: Path, full: Path) -> str:
    """The table of numbers: of the default run, then those that only the wide one has."""
    made = [(run, row) for row in rows(read(run))]
    made += [(full, row) for row in shelf_rows(read(full))]
    lines = [
        f"| {what} | {value} | `{place.name}/scalars/{file}.json` |"
        for place, (what, value, file) in made
    ]
    return "\n".join(["| what | value | file |", "|---|---|---|", *lines])


def claims(run: Path) -> str:
    """The table of claims, each with its weakest part; all parts are in the report."""
    table = json.loads((run / "tables" / "claims.json").read_text(encoding="utf-8"))
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    heads = {
        "#": "#", "claim": "the paper's claim", "verdict": "verdict",
        "parts that hold": "parts that hold", "weakest part": "the weakest part",
        "effect": "its effect", "p (Holm)": "p (Holm)",
    }  # fmt: skip
    lines = [heads, *rows]
    top, *body = [f"| {' | '.join(line[name] for name in heads)} |" for line in lines]
    return "\n".join([top, f"|{'---|' * len(heads)}", *body])


def in_short(run: Path = FULL) -> str:
    """Which claims of the table have which verdict, by their numbers."""
    table = json.loads((run / "claims.json").read_text(encoding="utf-8"))
    of = {verdict: [f"{claim['number']} ({claim['short']})" for claim in table["claims"]
                    if claim["verdict"] == verdict] for verdict in VERDICTS}  # fmt: skip
    said = [f"{len(found)} {name}: {', '.join(found)}" for name, found in of.items() if found]
    return f"In short, of {len(table['claims'])} claims " + "; ".join(said) + "."


def self_distillation(run: Path = FULL) -> str:
    """Claim 9 as the paper did it and at equal numbers of pairs, and its verdict before and now."""
    table = json.loads((run / "claims.json").read_text(encoding="utf-8"))
    (claim,) = (each for each in table["claims"] if each["number"] == 9)
    equal = [part for part in claim["parts"] if "as many pairs each" in part["statistic"]]
    paper = [part for part in claim["parts"] if part not in equal]
    lines = ["| self-distillation adds (claim 9) | its parts | verdict |", "|---|---|---|"]
    for name, parts in (
        ("as the paper did it, with more pairs: the claim until now", paper),
        ("at about equal numbers of pairs, added after the runs were seen", equal),
    ):
        numbers = "; ".join(
            f"{part['short'].removesuffix(', equal n')} "
            + interval([part["effect_found"][end] for end in ("value", "low", "high")])
            for part in parts
        )
        verdict = combined(part["verdict"] for part in parts)
        lines.append(f"| {name} | {numbers} | {verdict} |")
    return "\n".join([*lines, f"| both, the claim now | | **{claim['verdict']}** |"])


def outcomes(run: Path = RUN_ENGLISH, wide: Path = WIDE, readings: Path = READINGS) -> str:
    """What became of the paper's main claims in real English, by each file that says so."""
    lines = [
        "| claim (the paper's, if not marked as ours) | here | outcome | file |",
        "|---|---|---|---|",
    ]
    for said, files in _found(run, wide, readings).items():
        for file, mine in files.items():
            here = "<br>".join(f"{each.found}; {each.bound}?" for each in mine)
            found = "<br>".join(f"**{each.outcome}**" for each in mine)
            lines.append(f"| {said} | {here} | {found} | `{file}` |")
    return "\n".join(lines)


def first_outcomes(run: Path = RUN_ENGLISH, wide: Path = WIDE, readings: Path = READINGS) -> str:
    """The same at a glance, by question: a line for each claim, by the best of its files.

    A second file is named where it is of the default run and says otherwise.
    """
    lines = ["| claim (the paper's, if not marked as ours) | measured | here |", "|---|---|---|"]
    known = _found(run, wide, readings)
    for question, claims in by_question(known).items():
        lines.append(f"| **{question}** | | |")
        for said in claims:
            (_, mine), *others = known[said].items()
            parts = [_parts(each.found) for each in mine]
            what = parts[0][0] if len({part[0] for part in parts}) == 1 else _measure(mine[0].found)
            here = "; ".join([*_at_a_glance(mine), *_otherwise(others, run, mine)])
            lines.append(f"| {said} | {_plain(what)} | {_plain(here)} |")
    return "\n".join(lines)


def five_outcomes(run: Path = RUN_ENGLISH, wide: Path = WIDE, readings: Path = READINGS) -> str:
    """A line for each question: how many outcomes of each kind, the first shown and refuted."""
    lines = ["| question | outcomes | the first shown, the first refuted, else the first |"]
    lines += ["|---|---|---|"]
    known = _found(run, wide, readings)
    for question, claims in by_question(known).items():
        found = [each for said in claims for each in next(iter(known[said].values()))]
        counts = Counter(each.outcome for each in found)
        counted = ", ".join(f"{counts[kind]} {kind}" for kind in OUTCOMES if counts[kind])
        firsts = [[each for each in found if each.outcome == kind][:1] for kind in (SHOWN, REFUTED)]
        told = [_in_words(each) for first in firsts for each in first] or [_in_words(found[0])]
        lines.append(f"| {question} | {counted} | {'<br>'.join(told)} |")
    return "\n".join(lines)


def _in_words(claim: MainClaim) -> str:
    """A claim, what was measured, and its outcome."""
    what, where, value = _parts(claim.found)
    return f"{claim.said}: {_plain(f'{what} {where}')} {value} **{claim.outcome}**"


def _plain(text: str) -> str:
    """Without the words that nothing in README explains."""
    for word, plain in PLAIN.items():
        text = text.replace(word, plain)
    return text


def _at_a_glance(mine: Sequence[MainClaim]) -> list[str]:
    """With what and where, value and outcome of each number; then what is read beside them."""
    said, beside = [], []
    for each in mine:
        _, of, value = _parts(each.found)
        note = each.found.partition("; ")[2]
        if note.startswith("not measurable"):
            said.append(f"**{note}**")
            continue
        said.append(f"{of} {value} **{each.outcome}**".strip())
        where = of.partition(": ")[0] + ": " if ": " in of else ""
        beside += [f"*{where}{note}*"] if note else []
    return list(dict.fromkeys([*said, *beside]))


def _otherwise(
    others: Sequence[tuple[str, list[MainClaim]]], run: Path, mine: Sequence[MainClaim]
) -> list[str]:
    """What the default run says by its referee, where that is not what the first file says."""
    return [
        f"the default run, by its referee, {_parts(each.found)[2]} **{each.outcome}**"
        for file, claims in others if file.startswith(f"{run.name}/")
        for each in claims if each.outcome != mine[0].outcome
    ]  # fmt: skip


def verdicts(page: Path = ROOT / "docs" / "paper.md", full: Path = FULL) -> str:
    """The rows of docs/paper.md with what became of each, in English and in the laboratory."""
    text = page.read_text(encoding="utf-8").partition("<!-- verdicts: scripts/readme.py -->")[2]
    heads, line, *rows = text.partition("<!-- /verdicts -->")[0].strip().splitlines()
    found = _found(RUN_ENGLISH, WIDE, READINGS)
    table = json.loads((full / "tables" / "claims.json").read_text(encoding="utf-8"))
    ledger = {int(row[0]): row[table["columns"].index("verdict")] for row in table["rows"]}
    lines = [heads, line]
    for row in rows:
        cells = row.strip("|").split(" | ")[:3]
        known = (IN_THE_PAPER[name] for name in IN_THE_PAPER
                 if re.match(rf" ?{re.escape(name)}\b", cells[0]))  # fmt: skip
        claims, numbers = next(known, ((), ()))
        said = [
            each.outcome
            for claim, files in found.items() if claim.startswith(claims or ("-",))
            for mine in files.values()
            for each in mine
        ]  # fmt: skip
        english = ", ".join(f"{said.count(word)} {word}" for word in dict.fromkeys(said)) or "–"
        there = "; ".join(f"{number}: {ledger[number]}" for number in numbers) or "–"
        lines.append(f"| {' | '.join(cell.strip() for cell in cells)} | {english} | {there} |")
    return "\n".join(lines)


def parameters() -> str:
    """Every parameter of a params file: its default, meaning, unit and place in the paper."""
    base = Params.load("base")
    lines = ["| parameter | in base.yaml | what it is |", "|---|---|---|"]
    for name, field in Params.model_fields.items():
        about = Params.about(name)
        told = [field.description or "", f"Unit: {about['unit']}." if about["unit"] else "",
                f"Paper: {about['section']}." if about["section"] else ""]  # fmt: skip
        value = str(base.plain(name))
        shown = value if len(value) <= 40 else f"{value[:37]}…"
        lines.append(f"| `{name}` | {_cell(shown)} | {_cell(' '.join(filter(None, told)))} |")
    return "\n".join(lines)


def _measure(found: str) -> str:
    """What was measured, and by whom, of what a claim found.

    >>> _measure("quora: fidelity (referee, raw), %: M_para: 58.0 [48.0, 68.0], n = 100")
    'fidelity, % (referee, raw)'
    """
    found = found.partition("; ")[0]
    measure = next(each for each in MEASURES if each in found)
    judge = re.search(r"\((both blind readers|referee, \w+)\)", found)
    unit = ", points" if "% points" in found else ", %" if "%" in found else ""
    return measure + unit + (f" ({judge[1]})" if judge else "")


def _parts(found: str) -> tuple[str, str, str]:
    """What a claim found, apart: measure and what is compared, with what and where, the value.

    >>> _parts("quora: fidelity (referee, raw), % points: A − B: 5.0 [4.0, 6.0], n = 9")
    ('fidelity, points (referee, raw), A −', 'Quora: B', '5.0 [4.0, 6.0]')
    >>> _parts("ratio (critic), longest − shortest, % points: 1.1 [0.0, 5.1], n = 360")
    ('ratio, points, longest − shortest', '(critic)', '1.1 [0.0, 5.1]')
    """
    measure = _measure(found)
    gone = r", n = [\d,]+|, %( points)?| \((both blind readers|referee, \w+)\)"
    text = re.sub(gone, "", found.partition("; ")[0]).replace(" minus ", " − ")
    text, _, value = text.rpartition(": ")
    where = ""
    for name, title in [*TITLES.items(), *((title, title) for title in TITLES.values())]:
        where = title if f"{name}: " in text else where
        text = text.replace(f"{name}: ", "")
    bare = measure.partition(",")[0].partition(" (")[0]
    text = re.sub(rf"{re.escape(bare)}(: |, )?", "", text)
    text = text.strip(" :,")
    if judge := re.match(r"\((\w+)\)[, ]*", text):
        return f"{measure}, {text[judge.end() :]}", judge[0].strip(", "), value
    ours, sign, other = text.partition(" − ")
    return f"{measure}, {ours}{sign}".rstrip(), f"{where}: {other}".strip(": "), value


def _found(run: Path, wide: Path, readings: Path) -> dict[str, dict[str, list[MainClaim]]]:
    """Claim → file → what it found: readers first, then the wide run, or the default one.

    The default one's too where each run has one number for a claim and they differ in outcome.
    """
    read = read_claims(json.loads(readings.read_text(encoding="utf-8"))["pairs"])
    known = [(wide.name, each) for each in main_claims(RunFolder(wide))]
    there, here = by_claim(each for _, each in known), by_claim(main_claims(RunFolder(run)))
    known += [
        (run.name, each)
        for said, mine in here.items()
        for each in mine
        if said not in there or _differ(mine, there[said])
    ]
    made = [(each, readings.name) for each in read]
    ends = {"tables": "csv", "scalars": "json"}
    made += [(each, f"{where}/{each.file}.{ends[each.file.partition('/')[0]]}")
             for where, each in known]  # fmt: skip
    return {
        said: {
            file: [each for each, place in made if (each.said, place) == (said, file)]
            for file in dict.fromkeys(file for each, file in made if each.said == said)
        }
        for said in ORDER
        if any(each.said == said for each, _ in made)
    }


def _differ(mine: Sequence[MainClaim], others: Sequence[MainClaim]) -> bool:
    """Whether two runs, each with one number for a claim, say otherwise."""
    return len(mine) == len(others) == 1 and mine[0].outcome != others[0].outcome


def thread(run: Path = RUN_ENGLISH, wide: Path = WIDE, readings: Path = READINGS) -> str:
    """One context of the default run, drawn by the seed: its next sentences and its pair.

    Then what its critics say of the pair, how often there is one, and what readers say of such.
    """
    note = json.loads((run / "tables" / "thread.json").read_text(encoding="utf-8"))
    rows = [*note["rows"], *_about_pair(run, *(text for _, text in note["rows"][-2:]))]
    rows += _as_read(wide, readings)
    lines = [f"| *{what}* | {_cell(text)} |" for what, text in rows]
    return "\n".join(["| | |", "|---|---|", *lines])


def _about_pair(run: Path, x: str, y: str) -> list[tuple[str, str]]:
    """What the critics of a pair of the first dataset say, and how often there is such a pair."""
    s, kept = read(run), read_frame(run / "data" / "dataset_teacher.parquet", DATASET)
    pair = kept[(kept["source"] == x) & (kept["target"] == y)].iloc[0]
    first, every = s["05_dataset"], s["04_pairs_critics"]["n_pairs"]
    contexts = s["03_contexts_sentences"]["n_contexts"]
    share = 100 * first["n_dataset"] / every
    said = f"y follows from x: {pair['p_xy']:.2f}, x from y: {pair['p_yx']:.2f}; "
    said += f"ROUGE-L {100 * pair['rouge_l']:.0f} %"
    often = f"{first['n_dataset']:,} of {every:,} ordered pairs of sentences ({share:.2g} %), "
    often += f"in {first['contexts_with_pairs']} of {contexts} contexts"
    return [("its critics", said), ("how often a pair is accepted", often)]


def _as_read(wide: Path, readings: Path) -> list[tuple[str, str]]:
    """What blind readers say of accepted pairs."""
    pairs = json.loads(readings.read_text(encoding="utf-8"))["pairs"]
    mine = [pair for pair in pairs if pair["of"] == "D_T"]
    same = both_say(mine).get("D_T")
    if same is None:
        return []
    of = f"{same:.3g} % of {len(mine)} accepted pairs of the wide run ({wide.name})"
    return [("readers who saw no score", f"two call {of} the same")]


def english(run: Path = WIDE) -> str:
    """What the wide run in real English made, as its referee sees it."""
    s = read(run)
    first, pairs, second = s["05_dataset"], s["04_pairs_critics"], s["07_self_distillation"]
    made, again = (_rates(run / "tables" / f"{name}_precision.csv") for name in ("dataset", "para"))
    said = [
        ("pairs of next sentences that mean the same: any two of a context",
         made["any two sentences"], "dataset_precision"),
        ("pairs that the cheap critics pass on to the NLI model, chosen by chance in the contexts "
         "of D_T", made["chosen by chance"], "dataset_precision"),
        ("first dataset D_T: ordered pairs of how many sampled; of contexts; that mean the same",
         f"{first['n_dataset']:,} of {pairs['n_pairs']:,}; {first['contexts_with_pairs']}; "
         f"{made['D_T']}", "dataset_precision"),
        ("second dataset D_para: pairs of how many candidates; that mean the same; of those that "
         "the critics scored", f"{second['n_dataset']:,} of {second['n_candidates']:,}; "
         f"{again['D_para']}; {again['all scored candidates']}", "para_precision"),
    ]  # fmt: skip
    heads = ["| by the referee's verdicts, uncorrected | | file |", "|---|---|---|"]
    lines = [f"| {what} | {value} | `{run.name}/tables/{file}.csv` |" for what, value, file in said]
    return "\n".join([*heads, *lines, "", *read_blind(), "", *systems(run)])


def systems(run: Path = WIDE) -> list[str]:
    """What systems make of people's sentences: a line each, both test sets beside one another."""
    files = {"MRPC": "systems", "Quora": "systems-quora"}
    found = {name: _measured(run / "tables" / f"{file}.csv") for name, file in files.items()}
    names = list(dict.fromkeys(system for system, _ in found["MRPC"]))
    metrics = {"paraphrase_raw": "valid, %", "fidelity_raw": "same meaning, %",
               "bert_ibleu": "BERT-iBLEU", "ibleu": "iBLEU"}  # fmt: skip
    heads = [f"{name}: {title}" for name in found for title in metrics.values()]
    places = " and ".join(f"`{run.name}/tables/{file}.csv`" for file in files.values())
    lines = [
        f"| {name} | "
        + " | ".join(part.get((name, metric), "–") for part in found.values() for metric in metrics)
        + " |"
        for name in names
    ]
    return [
        f"{_n(run)} sentences of each of the paper's test sets, {places}; judged by the referee, "
        "raw (*student base* writes hardly anything before it is trained):", "",
        f"| system | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}", *lines,
    ]  # fmt: skip


def _n(run: Path) -> str:
    """How many sentences of a test set were asked."""
    with (run / "tables" / "systems.csv").open(encoding="utf-8", newline="") as file:
        return max((row["n"] for row in csv.DictReader(file)), key=float)


def read_blind(file: Path = READINGS) -> list[str]:
    """How many pairs say the same, by two readers who saw no score, and by the referee."""
    pairs = json.loads(file.read_text(encoding="utf-8"))["pairs"]
    heads = "the same by reader 1; reader 2; both; both, in new words; the referee"
    lines = [f"| read blind | {heads} | file |"]
    lines += ["|---|---|---|"]
    lines += [f"| {group} | {found} | `{file.name}` |" for group, found in read_rates(pairs)]
    agree = f"the readers agree, all {len(pairs)} pairs, Cohen's κ"
    return [*lines, f"| {agree} | {agreement(pairs):.2f} | `{file.name}` |"]


def what_readers_say(file: Path = READINGS) -> str:
    """What readers found of the main groups of pairs, and what it is worth."""
    pairs = json.loads(file.read_text(encoding="utf-8"))["pairs"]
    said = [(pair["reader_1"] and pair["reader_2"], pair["referee"]) for pair in pairs]
    yes, no = ([by for both, by in said if both == like] for like in (True, False))
    rates, valid = dict(read_rates(pairs)), both_say(pairs, True)
    heads = ["| both readers call the same | % | also in new words, % |", "|---|---:|---:|"]
    lines = [
        f"| {READ_GROUPS.get(group, group)}, {n} | {found.split('; ')[2]} | {valid[group]:.3g} % |"
        for name, found in rates.items()
        for group, _, n in [name.rpartition(", ")]
        if group in FIRST_READ
    ]
    return "\n".join([*heads, *lines, ""]) + (
        f"\nThe referee says yes to {sum(yes)} of the {len(yes)} pairs that both readers call the "
        f"same, and to {sum(no)} of the {len(no)} others: what it alone says is weak evidence. "
        "One run, one training a student: intervals cover items, not the luck of another run."
    )


def refuted(runs: Sequence[Path] = (WIDE, RUN_ENGLISH)) -> str:
    """Every expectation of the English runs that was refuted, and how many were not."""
    counts, lines = [], []
    for run in runs:
        found: Counter[str] = Counter()
        for path in sorted((run / "tables").glob("expectations_*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    outcome = as_counted(row["expectation"], row["outcome"])
                    copies = _copies(run, row)
                    missed = outcome == REFUTED
                    if missed and copies:
                        outcome = NO_JUDGE
                    elif outcome in (SHOWN, REFUTED) and not row["low"]:
                        outcome = ONCE
                    found[outcome] += 1
                    if missed:
                        said, value = with_title(row["expectation"]), f"{float(row['value']):.1f}"
                        cells = said, value, row["bound"], outcome + copies
                        lines.append(f"| {' | '.join(cells)} | `{run.name}/tables/{path.name}` |")
        told = ", ".join(f"{found[name]} {name}" for name in sorted(set(found) - {REHEARSAL}))
        rehearsed = found[REHEARSAL]
        told += f" ({rehearsed} of rehearsed, invented ratings are not counted)" * bool(rehearsed)
        counts.append(f"`{run.name}`: {told}")
    heads = ["| expected by a notebook | measured | bound | outcome | file |",
             "|---|---:|---|---|---|"]  # fmt: skip
    return "\n".join(["; ".join(counts) + ".", "", *heads, *lines])


def _copies(run: Path, row: dict[str, str]) -> str:
    """Beside a bound on fidelity that exact copies miss, how many the referee accepts, else ""."""
    name, _, what = row["expectation"].partition(": ")
    if "fidelity (referee" not in what:
        return ""
    suffixed = run / "tables" / f"systems-{name}.csv"
    path = suffixed if suffixed.is_file() else run / "tables" / "systems.csv"
    copies = _measured(path).get(("Copy-Input", "fidelity_raw"))
    missed = copies and float(copies.split()[0]) <= float(row["bound"].strip("> "))
    return f" (of exact copies this referee accepts {copies} %)" if missed else ""


def lacks(run: Path = RUN_ENGLISH) -> str:
    """What English does not have, and how small what only the default run has is."""
    made = read(run)["07_self_distillation"]["n_dataset"]
    return (
        "Table 4 (form) and Table 6 (ablation) are measured in the laboratory only; Table 3 needs "
        "people. Tables 1, 5 and 8 and the students of other corpora are in the default run "
        f"(`results/{run.name}/`) alone: {_n(run)} sentences a test set, students of as many pairs "
        f"as its D_para has, {made}. Students of so few pairs often write nothing or a copy, which "
        "BERT-iBLEU counts as 0: see *valid paraphrases* first. The default run's numbers differ "
        "much from machine to machine: another kind of processor rounds otherwise, and the teacher "
        "writes other contexts."
    )


def _rates(path: Path) -> dict[str, str]:
    """System → `74.5 % [58.2, 87.4]` in a table of fractions of equivalent pairs."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["system"]: "{value:.1f} % [{low:.1f}, {high:.1f}]".format(
                **{name: float(row[name]) for name in ("value", "low", "high")}
            )
            for row in csv.DictReader(file)
            if row["metric"].startswith("equivalent")
        }


def _measured(path: Path) -> dict[tuple[str, str], str]:
    """(system, metric) → value of a table of systems, a rate's with its interval."""
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["value"]:
                ends = [float(row[name]) for name in ("value", "low", "high")]
                rate = row["metric"].endswith("_raw")
                if rate and ends[1] == ends[2]:  # of equal verdicts a bootstrap has no width
                    same = per_cent(fraction([ends[0] / 100] * int(float(row["n"]))))
                    ends = [same.value, same.low, same.high]
                text = "{:.0f} [{:.0f}, {:.0f}]" if rate else "{:.1f}"
                found[row["system"], row["metric"]] = text.format(*ends)
    return found


def critic(folder: Path = CRITIC, beside: Path = REFEREE) -> str:
    """What was measured of the English critic and referee that ship."""
    parts = [_nli_model("critic", folder), _nli_model("referee", beside)]
    return "\n\n".join(parts)


def _nli_model(name: str, folder: Path) -> str:
    found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    lines = [
        f"| accuracy on {row['set']}, {row['n']:,} pairs | {row['value']:.1f} % "
        f"[{row['low']:.1f}, {row['high']:.1f}] |"
        for row in found["accuracy"]
    ]
    lines += [
        f"| both directions ≥ {row['threshold']}, human-labelled pairs of {row['set']}: precision; "
        f"recall | {row['precision']:.1f} %; {row['recall']:.1f} % |"
        for row in found["curve"]
        if row["threshold"] in (0.5, 0.75)
    ]
    for error, n in (("wrongly accepted", "not entailed"), ("wrongly rejected", "entailed")):
        kinds = [row for row in found["kinds"] if row[n]]
        wrong = "; ".join(f"{row['kind']} {row[error]:.1f} %" for row in kinds)
        lines.append(f"| minimal pairs {error}: {wrong} | |")
    head = f"| the English {name} (`lib/impossible/english/{folder.name}/metrics.json`) | |"
    return "\n".join([head, "|---|---|", *lines])


def examples(folder: Path = ENGLISH) -> str:
    """What the shipped students make of sentences drawn by a seed (`scripts/ship_student.py`)."""
    lines = ["| | sentence | answer |", "|---|---|---|"]
    for name in ("paraphrase", "summarize"):
        file = folder / name / "examples.json"
        for each in json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []:
            answer = each["text"] or f"*{each['reason']}*"
            lines.append(f"| {name} | {_cell(each['source'])} | {_cell(answer)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "\\|")


def read(run: Path) -> Scalars:
    """All recorded numbers of a run."""
    files = sorted((run / "scalars").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def between(text: str, mark: str, table: str) -> str:
    """The text with what stands between two marks made anew."""
    start, end = f"<!-- {mark}: scripts/readme.py -->", f"<!-- /{mark} -->"
    before, found, rest = text.partition(start)
    shown = table if mark in AS_WRITTEN else minus(table)
    return f"{before}{start}\n{shown}\n{end}{rest.partition(end)[2]}" if found else text


def filled(text: str, run: Path = RUN, full: Path = FULL) -> str:
    """A page with its tables made anew; a table whose run is not there stays as it is."""
    text = between(between(text, "critic", critic()), "examples", examples())
    text = between(text, "parameters", parameters())
    if all((each / "tables" / "expectations_05.json").is_file() for each in (RUN_ENGLISH, WIDE)):
        tables = {
            "english": english, "thread": thread, "outcomes": outcomes,
            "five outcomes": five_outcomes, "first outcomes": first_outcomes,
            "read": what_readers_say, "refuted": refuted, "verdicts": verdicts,
            "lacks": lacks,
        }  # fmt: skip
        for mark, table in tables.items():
            text = between(text, mark, table())
    text = between(text, "numbers", numbers(run, full)) if (run / "scalars").is_dir() else text
    if (full / "tables").is_dir():
        text = between(text, "claims", claims(full))
        text = between(text, "self-distillation", self_distillation(full))
        text = between(text, "in short", in_short(full))
    return text


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
