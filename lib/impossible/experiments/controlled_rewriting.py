"""What a user asks of a controlled student: the options of `impossible summarize`, `paraphrase`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from impossible.errors import DataError, ModelError
from impossible.experiments.control_grids import load_grid
from impossible.training.self_distillation import paraphrase


def rewrite_as(
    texts: Sequence[str],
    model: str | Path,
    asked: Mapping[str, str],
    n: int = 1,
    seed: int = 0,
) -> list[list[str]]:
    """Ask a controlled student (the commands `impossible summarize` and `paraphrase`).

    Where an axis is left open, every group that fits is tried; outputs that are what was asked for
    come first, then the nearest.

    Args:
        texts: sentences.
        model: folder of a student with a `control.json`.
        asked: axis → word, for example {"length": "short", "style": "abstractive"}.
        n: outputs per text; 1 is decoded greedily, more are sampled.
        seed: of the samples.

    Returns:
        For each text n outputs.

    Raises:
        ModelError: the student takes no instructions.
        DataError: it knows no such word, or nothing is asked, or a text is empty.
    """
    grid = load_grid(model)
    if grid is None:
        given = " and ".join(f"--{axis}" for axis in asked) or "what is asked"
        raise ModelError(
            f"the student in {model} takes no instructions: leave {given} out, or name a "
            "controlled student (notebook 18) with --model."
        )
    groups = grid.matching(asked)
    if not asked:
        raise DataError(
            f"the student in {model} must be told what to write: give "
            + " and/or ".join(f"--{axis.name} {'|'.join(axis.words)}" for axis in grid.axes)
            + ", or name a student without instructions with --model."
        )
    if empty := [i for i, text in enumerate(texts, 1) if not text.strip()]:
        raise DataError(f"text {empty[0]} is empty; give one sentence per text")
    prompts = [grid.prompt(text, group) for text in texts for group in groups]
    written = iter(paraphrase(prompts, model, n, seed))
    results = []
    for text in texts:
        outputs = [y for _ in groups for y in next(written)]
        far = {y: min(grid.distance(text, y, group) for group in groups) for y in outputs}
        results.append(sorted(outputs, key=far.__getitem__)[:n])
    return results
