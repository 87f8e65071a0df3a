"""Put a student of a run into the package, and what it makes of five sentences beside it.

    python scripts/ship_student.py paraphrase results/english-full
    python scripts/ship_student.py summarize results/english-full
    python scripts/ship_student.py paraphrase results/english-full --examples  # of what ships

The sentences are drawn by a seed from those that the teacher wrote and no student was trained on
(`data/held_out.parquet`); README shows them. The tokenizer is the base's and does not ship.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))
ENGLISH = ROOT / "lib" / "impossible" / "english"

from impossible.data.io import read_frame, read_json, write_json  # noqa: E402
from impossible.data.schemas import SENTENCES  # noqa: E402
from impossible.rewriting.rewriters import Paraphraser, Summarizer  # noqa: E402

KINDS: dict[str, tuple[str, Any]] = {
    "paraphrase": ("m_para", Paraphraser),
    "summarize": ("m_sum", Summarizer),
}
WEIGHTS = ("adapter_model.safetensors", "adapter_config.json", "metrics.json")
EXAMPLES, SEED = 5, 0


def main() -> None:
    """Copy the adapter and write its examples."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(KINDS))
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--model", help="another of its models than the last, such as student")
    parser.add_argument("--examples", action="store_true", help="only them: the student stays")
    options = parser.parse_args()
    model, kind = KINDS[options.name]
    model = options.model or model
    source, out = options.run / "models" / model, ENGLISH / options.name
    if not options.examples:
        out.mkdir(exist_ok=True)
        for file in WEIGHTS:
            shutil.copy(source / file, out / file)
        recipe = read_json(source / "recipe.json")
        write_json(out / "recipe.json", {**recipe, "run": options.run.name})
    write_json(out / "examples.json", examples(options.run, kind()))


def examples(run: Path, rewriter: Any) -> list[dict[str, str]]:
    """Sentences that the teacher wrote for tests, and the best that the rewriter makes of each."""
    drawn = read_frame(run / "data" / "held_out.parquet", SENTENCES)
    drawn = drawn[drawn["reason"] == ""].drop_duplicates("text")
    texts = drawn["text"].sample(min(EXAMPLES, len(drawn)), random_state=SEED).tolist()
    return [
        {"source": each.source, "text": each.text, "reason": each.reason}
        for each in rewriter.rewrite(texts)
    ]


if __name__ == "__main__":
    main()
