"""A run and its replicates: the same notebooks under further seeds, for the ledger of claims.

The run itself comes first, as far as the ledger needs it; then each further seed, in a results
folder of its own (`seeds/SEED`), with only the notebooks whose numbers the claims read and those
that these build on; last the ledger and the report, over all seeds.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from impossible.config.params import Params
from impossible.config.places import project_root
from impossible.data.run_folder import RunFolder
from impossible.errors import RunError
from impossible.evaluation.claims.specification import REQUIRED_SEEDS, load_claims
from impossible.runner.notebook_spec import NotebookSpec, Selection, stages
from impossible.runner.parallel import overlap
from impossible.runner.run import run_all


def seeds_of(params: Params) -> dict[int, list[str]]:
    """Further seeds of a run, and the kinds of claims that each is for.

    >>> seeds_of(Params.load("base", {"seed": 7, "sampled_seeds": 3, "trained_seeds": 2}))
    {8: ['sampled', 'trained'], 9: ['sampled']}
    """
    return {
        params.seed + i: ["sampled", "trained"] if i < params.trained_seeds else ["sampled"]
        for i in range(1, params.sampled_seeds)
    }


def needed(notebooks: list[NotebookSpec], kinds: Collection[str]) -> frozenset[str]:
    """Names of the notebooks whose numbers the claims of these kinds read, and what they build on.

    Args:
        notebooks: all, in order.
        kinds: "sampled", "trained"; what people rate is no work for a runner.

    Raises:
        RunError: a claim reads the numbers of a notebook that is not there.
    """
    claims = [claim for claim in load_claims().claims if claim.kind in kinds]
    names = {s.notebook for claim in claims for part in claim.parts for s in part.sources()}
    if lacking := names - {stage.name for stage in notebooks}:
        raise RunError(
            f"The claims read numbers of {', '.join(sorted(lacking))}: no such notebook."
        )
    for stage in reversed(notebooks):  # those that come before, of which a needed one reads
        readers = [other for other in notebooks if other.name in names]
        if any(overlap(w, r) for w in stage.writes for other in readers for r in other.inputs):
            names.add(stage.name)
    return frozenset(names)


def run_replicated(params: Params, folder: Path, selection: Selection | None = None) -> Path:
    """Run the notebooks, under further seeds too if the parameters ask for them.

    Args:
        params: `sampled_seeds`, `trained_seeds` and what every run needs.
        folder: results folder of the run; further seeds lie in its `seeds/`.
        selection: a part of the notebooks is run under the run's own seed only.

    Returns, raises:
        As `runner.run_all`.
    """
    selection, further = selection or Selection(), seeds_of(params)
    for kind in ("sampled", "trained") if further else ():
        n, wanted = getattr(params, f"{kind}_seeds"), REQUIRED_SEEDS[kind]
        if n < wanted:
            print(f"With {n} {kind}_seeds (below {wanted}) such claims stay undecided.", flush=True)
    if selection.partial or not further:
        return run_all(params, folder, selection)
    notebooks, run = stages(project_root() / "notebooks"), RunFolder(folder)
    readers = [stage for stage in notebooks if any(overlap("seeds", r) for r in stage.inputs)]
    if not readers:
        raise RunError("No notebook reads further seeds: leave sampled_seeds at 1.")
    own = frozenset(stage.name for stage in notebooks[: notebooks.index(readers[0])])
    run_all(params, folder, Selection(names=own, force=selection.force))
    for seed, kinds in further.items():
        print(f"seed {seed}, for claims about what is {' and '.join(kinds)}:", flush=True)
        chosen = Selection(names=needed(notebooks, kinds), force=selection.force)
        run_all(params.reseeded(seed), run.seeds / str(seed), chosen)
    return run_all(params, folder, Selection(start=readers[0].name, force=selection.force))
