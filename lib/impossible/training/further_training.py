"""Train an NLI critic that is loaded further, on pairs of which it is known what follows."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from impossible.data.digests import digest
from impossible.models.nli import EntailmentCritic
from impossible.text.pairs import Pair
from impossible.training.trainer import TrainingSettings, train_model

_FOLLOWS = "follows"


def trained_further(
    critic: EntailmentCritic, pairs: Sequence[Pair], follows: Sequence[bool],
    settings: TrainingSettings,
) -> EntailmentCritic:  # fmt: skip
    """A copy of a critic, all of whose weights are trained further; the critic stays as it is.

    The loss is -log of what it gives to the truth, P(entailment) or all other labels together, so
    its labels may have any names and number.

    Args:
        critic: the start.
        pairs: n pairs (premise, hypothesis), at least one.
        follows: whether each hypothesis follows.
        settings: of the training.

    Raises:
        DataError: no pairs.
        ModelError: a pair is longer than the critic's context length.

    Example:
        `trained_further(critic, [("A dog barked.", "A dog was barking.")], [True], settings)`
    """
    model = copy.deepcopy(critic.lm.model).float()
    further = copy.copy(critic)
    further.lm = replace(
        critic.lm,
        model=model,
        digest=digest([critic.fingerprint, list(pairs), [*map(bool, follows)], asdict(settings)]),
    )
    rows = further.rows(pairs)
    examples = [
        {"input_ids": ids, _FOLLOWS: int(yes)} for ids, yes in zip(rows, follows, strict=True)
    ]

    def collate(some: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        batch = further.batch([each["input_ids"] for each in some], torch.device("cpu"))
        return batch | {_FOLLOWS: torch.tensor([each[_FOLLOWS] for each in some])}

    def loss(trained: Any, batch: dict[str, Tensor]) -> Tensor:
        read = {name: each for name, each in batch.items() if name != _FOLLOWS}
        logits = further.logits(trained, read)  # (rows, labels)
        others = [i for i in range(logits.shape[1]) if i != further.entailment]
        no, yes = logits[:, others].logsumexp(1), logits[:, further.entailment]
        return functional.cross_entropy(torch.stack([no, yes], 1), batch[_FOLLOWS])

    train_model(model, examples, collate, settings, loss=loss)
    return further
