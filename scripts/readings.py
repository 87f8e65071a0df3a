"""Pairs of a run to be read blind, and what readers said of them.

    python scripts/readings.py draw results/english-full OUT        # OUT/blind.jsonl, OUT/key.json
    python scripts/readings.py merge OUT READER_1 READER_2          # results/readings.json

`blind.jsonl` holds number, source and target in an order of chance; nothing says where a pair comes
from. A reader answers in a JSON-lines file: number, same (true or false). `key.json` holds the
groups and the referee's verdicts, `run.json` which run and dataset are read. Pairs whose source
people wrote are published without their text.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.config.params import Params  # noqa: E402
from impossible.data.digests import digest  # noqa: E402
from impossible.data.io import read_frame, read_json, write_json  # noqa: E402
from impossible.data.run_folder import RunFolder, item_rng  # noqa: E402
from impossible.data.schemas import DATASET, PREDICTIONS, SENTENCES  # noqa: E402
from impossible.evaluation.judges import load_judge  # noqa: E402
from impossible.experiments import pair_samples  # noqa: E402
from impossible.filtering.critics import PAIRS  # noqa: E402
from impossible.rewriting.rewriters import Paraphraser  # noqa: E402
from impossible.text.rouge import rouge_l  # noqa: E402

READINGS = ROOT / "results" / "readings.json"
#: Of each group at most so many pairs.
DATA, ANSWERS = 80, 40
ASKED_SEED = 7  # not that of README's examples
SYSTEMS = ("M_para, best of 10", "teacher, best of 10", "round trip", "gold reference")
ABOUT = (
    "Pairs drawn by a seed and read blind, without any score and without their origin, by two "
    "readers: two instances of a large language model of one kind, no people. So their agreement "
    "says that the instruction is clear, not that they are right. The instruction: does the target "
    "say what the source says, no more, no less, no surer, of the same people and time? Any lost "
    "or added detail, another certainty, person or time is a no; other words are not. The critic's "
    "last training (english/critic.yaml) was against the faults that readers had found most in "
    "earlier pairs, so critic and readers are not independent. Beside them the referee's verdict, "
    "and whether the wording is new (ROUGE-L at most the run's limit). Of D_T and D_para each "
    "pair's context is noted: pairs of one context are alike."
)


def main() -> None:
    """Draw or merge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    drawing, merging = commands.add_parser("draw"), commands.add_parser("merge")
    drawing.add_argument("run", type=Path)
    for command in (drawing, merging):
        command.add_argument("out", type=Path)
    merging.add_argument("reader", type=Path, nargs=2)
    options = parser.parse_args()
    if options.command == "draw":
        draw(RunFolder.open(options.run.resolve()), Params.load(options.run.name), options.out)
    else:
        merge(options.out, options.reader)


def groups(run: RunFolder, params: Params) -> dict[str, pd.DataFrame]:
    """Name of a group → its drawn pairs: x, y."""
    rng = item_rng(params.seed, "blind readings", "pairs")
    first, second = (
        read_frame(run.data(f"dataset_{name}"), DATASET) for name in ("teacher", "para")
    )
    first = first.rename(columns={"source": "x", "target": "y"})
    second = second.rename(columns={"source": "x", "target": "y"})
    pairs, sentences = (
        read_frame(run.data("pairs"), PAIRS),
        read_frame(run.data("sentences"), SENTENCES),
    )
    found = {
        "any two sentences": pair_samples.distinct_pairs(sentences, DATA, rng),
        "chosen by chance": pair_samples.chosen_by_chance(pairs, first, rng),
        "D_T": first,
        "D_para": second,
    }
    found = {name: part.sample(min(DATA, len(part)), random_state=params.seed)
             for name, part in found.items()}  # fmt: skip
    answers = read_frame(run.data("predictions"), PREDICTIONS)
    answers = answers.rename(columns={"source": "x", "output": "y"})
    for test_set in params.test_sets:
        mine = answers[answers["item"].astype(str).str.startswith(test_set)]
        items = mine["item"].drop_duplicates().sample(ANSWERS, random_state=params.seed)
        for system in SYSTEMS:
            part = mine[(mine["system"] == system) & mine["item"].isin(items)]
            found[f"{test_set}: {system}"] = part
    found["shipped paraphraser"] = shipped_answers(run)
    columns = ["x", "y", "context_id"]
    return {name: part.reindex(columns=columns).reset_index(drop=True)
            for name, part in found.items()}  # fmt: skip


def shipped_answers(run: RunFolder) -> pd.DataFrame:
    """What `impossible paraphrase` answers to sentences that the teacher wrote for tests: x, y."""
    drawn = read_frame(run.data("held_out"), SENTENCES)
    texts = drawn[drawn["reason"] == ""].drop_duplicates("text")["text"]
    asked = texts.sample(min(ANSWERS, len(texts)), random_state=ASKED_SEED).tolist()
    answers = zip(asked, Paraphraser().paraphrase(asked), strict=True)
    return pd.DataFrame([(x, y.text) for x, y in answers if y.text], columns=["x", "y"])


def draw(run: RunFolder, params: Params, out: Path) -> None:
    """Write the pairs for readers, and the key."""
    judge = load_judge(params.judge, params, run)
    rows = pd.concat(groups(run, params), names=["of", "row"]).reset_index("of")
    rows = rows.sample(frac=1, random_state=params.seed).reset_index(drop=True)
    rows["item"] = pd.factorize(rows["x"])[0]
    rows["referee"] = judge.equivalent(rows["x"].tolist(), rows["y"].tolist()) == 1
    rows["new"] = [
        rouge_l(x, y) <= params.rouge_l_max for x, y in zip(rows["x"], rows["y"], strict=True)
    ]
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "run.json", what_is_read(run))
    names = {"x": "source", "y": "target", "context_id": "context"}
    key = [{name: value for name, value in row.items() if pd.notna(value)}
           for row in rows.rename(columns=names).to_dict("records")]  # fmt: skip
    write_json(out / "key.json", key)
    blind = [
        json.dumps({"number": number, "source": x, "target": y}, ensure_ascii=False)
        for number, (x, y) in enumerate(zip(rows["x"], rows["y"], strict=True))
    ]
    (out / "blind.jsonl").write_text("\n".join(blind) + "\n", encoding="utf-8")
    print(rows["of"].value_counts(sort=False).to_string())


def what_is_read(run: RunFolder) -> dict[str, str | None]:
    """The run's name and the digest of its D_T, by which it is known again."""
    path = run.data("dataset_teacher")
    return {"run": run.root.name, "dataset_teacher": digest(path) if path.is_file() else None}


def merge(out: Path, readers: list[Path]) -> None:
    """Write `results/readings.json` from the key and two files of answers."""
    key = read_json(out / "key.json")
    for name, path in zip(("reader_1", "reader_2"), readers, strict=True):
        lines = path.read_text(encoding="utf-8").splitlines()
        said = {row["number"]: bool(row["same"]) for row in map(json.loads, filter(None, lines))}
        if missing := sorted({*range(len(key))} - said.keys()):
            raise SystemExit(
                f"{path} lacks an answer for {len(missing)} pairs, first {missing[0]}."
            )
        for number, pair in enumerate(key):
            pair[name] = said[number]
    for pair in key:
        if ":" in pair["of"]:  # of a test set that people wrote
            del pair["source"], pair["target"]
    pairs = sorted(key, key=lambda pair: pair["of"])
    write_json(READINGS, {"about": ABOUT, **read_json(out / "run.json"), "pairs": pairs})


if __name__ == "__main__":
    main()
