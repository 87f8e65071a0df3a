"""Syntactic control: a student is shown the tree that is wanted (paper §3.4, Table 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from nltk.tree import Tree
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from impossible.errors import DataError
from impossible.evaluation.corpus_comparison import equally_many
from impossible.evaluation.judges import Judge
from impossible.evaluation.systems import System, copy_input, prompted, student_system
from impossible.evaluation.test_sets import pooled
from impossible.models.loading import LanguageModel
from impossible.text.tree_edit_distance import parse_bracketed, ted
from impossible.training.student import Student

TreeOf = Callable[[str], str | None]
_EXEMPLARS_SHOWN = 5  # of one source


def linearized_tree(tree: str) -> str:
    """A constituency tree as a short text: labels in order, brackets, neither words nor their tags.

    Words would tell the student what to say; their tags say little that the constituents do not.

    >>> linearized_tree("(S (NP (DT the) (NN cat)) (VP (VBD saw) (NP (NN rain))))")
    'S(NP VP(NP))'
    """
    return _constituents(parse_bracketed(tree))


def _constituents(tree: Tree) -> str:
    phrases = [child for child in tree if isinstance(child, Tree) and child.height() > 2]
    inner = " ".join(map(_constituents, phrases))
    return f"{tree.label()}({inner})" if inner else str(tree.label())


def tree_prompt(source: str, tree: str) -> str:
    """What a controlled student reads: the tree that is wanted, then the sentence."""
    return f"tree: {linearized_tree(tree)} {source}"


def with_target_trees(pairs: pd.DataFrame, parser: TreeOf) -> pd.DataFrame:
    """D_control: each source of a DATASET with the tree of its target, if it has one.

    Raises:
        DataError: no target parses.
    """
    trees = pairs["target"].map(parser)
    parsed = pairs[trees.notna()]
    if parsed.empty:
        raise DataError(
            f"None of the {len(pairs)} targets has a tree: choose a parser for this kind of text."
        )
    sources = map(tree_prompt, parsed["source"], trees[parsed.index])
    return parsed.assign(source=list(sources)).reset_index(drop=True)


def syntax_corpora(
    dataset: pd.DataFrame, others: pd.DataFrame, parser: TreeOf, limit: int, seed: int
) -> dict[str, pd.DataFrame]:
    """What students with control are trained on, as many pairs each, at most `limit`.

    Args:
        dataset: D_para, a DATASET.
        others: corpora to compare with, a DATASET told apart by `origin`, perhaps empty.

    Returns:
        "M_control", "student of ORIGIN" for each of the others, all with the trees of their
        targets, and "not told": the pairs of M_control without trees.
    """
    by_origin = others[others["origin"] != "gold"].groupby("origin", sort=False)
    parts = {"M_control": dataset} | {f"student of {origin}": part for origin, part in by_origin}
    annotated = {name: with_target_trees(part, parser) for name, part in parts.items()}
    corpora = equally_many(annotated, limit, seed)
    same = dataset["pair_id"].isin(corpora["M_control"]["pair_id"])
    return corpora | {"not told": dataset[same]}


def nearest_exemplars(targets: Sequence[str], pool: Sequence[str], parser: TreeOf) -> list[str]:
    """For each target the sentence of the pool, which holds no target, that is built most like it.

    Distance is the number of insertions and deletions between the sequences of part-of-speech tags;
    ties go to the first in the pool (Chen et al. 2019, section 3).

    Raises:
        DataError: a sentence does not parse.
    """
    wanted, offered = ([_tags(text, parser) for text in texts] for texts in (targets, pool))
    first_with: dict[tuple[str, ...], str] = {}
    for tags, text in zip(offered, pool, strict=True):
        first_with.setdefault(tags, text)
    asked, kinds = list(dict.fromkeys(wanted)), list(first_with)
    edits = process.cdist(asked, kinds, scorer=Indel.distance, dtype=np.int32)
    nearest = {tags: kinds[j] for tags, j in zip(asked, edits.argmin(axis=1), strict=True)}
    return [first_with[nearest[tags]] for tags in wanted]


def _tags(text: str, parser: TreeOf) -> tuple[str, ...]:
    """The part-of-speech tags of a sentence."""
    tree = parser(text)
    if tree is None:
        raise DataError(f"This sentence has no tree, and an exemplar needs one: {text[:60]!r}.")
    return tuple(tag for _, tag in parse_bracketed(tree).pos())


def with_exemplars(
    items: pd.DataFrame, pool: Sequence[str], parser: TreeOf, n: int, seed: int = 0
) -> pd.DataFrame:
    """The first n items whose wanted form is known, with the column `exemplar`.

    An exemplar that the test set gives stays. Otherwise it is the sentence of the pool nearest to
    the first reference, or, without references, a sentence drawn from the pool. Sentences of the
    pool are about other things; those that do not parse are left out.

    Raises:
        DataError: no reference, or nothing in the pool, has a tree.
    """
    offered = [text for text in dict.fromkeys(pool) if parser(text) is not None]
    if not offered:
        raise DataError("No sentence to choose an exemplar from has a tree: name another parser.")
    drawn = np.random.default_rng(seed).integers(len(offered), size=len(items))
    first = [texts[0] if len(texts) else None for texts in items["references"]]
    given = items.get("exemplar", pd.Series(None, index=items.index, dtype=object))
    wanted = given.fillna(pd.Series(first, index=items.index, dtype=object))
    wanted = wanted.fillna(pd.Series([offered[i] for i in drawn], index=items.index))
    kept = items[wanted.map(parser).notna()].head(n)
    if kept.empty:
        raise DataError("No reference has a tree: name another parser.")
    nearest = nearest_exemplars(list(wanted[kept.index]), offered, parser)
    return kept.assign(exemplar=given[kept.index].fillna(pd.Series(nearest, index=kept.index)))


def syntax_tests(
    sets: Mapping[str, pd.DataFrame], parser: TreeOf, n: int, seed: int = 0, shots: int = 5
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Test items with exemplars, and examples for a few-shot prompt.

    Args:
        sets: name → items of `test_sets.load`; those not tested are the pool of its exemplars.
        n: test items of each set, at most a fifth of those there are.
        shots: examples, of the first set that has references.

    Returns:
        (items of all sets with `exemplar` and the first reference only, as it alone is asked for;
        (`tree_prompt`, first reference) pairs).
    """
    tests: dict[str, pd.DataFrame] = {}
    examples: list[tuple[str, str]] = []
    for name, items in sets.items():
        size, more = max(1, min(n, len(items) // 5)), min(shots, len(items) // 10)
        pool = items.iloc[size + more :]
        texts = [text for references in pool["references"] for text in references]
        chosen = with_exemplars(
            items.head(size + more), texts or list(pool["source"]), parser, size + more, seed
        )
        spare = chosen[chosen["references"].map(len) > 0].tail(more)
        first = [list(texts)[:1] for texts in chosen["references"]]
        tests[name] = chosen.assign(references=first).drop(index=spare.index)
        examples = examples or [
            (tree_prompt(row.source, str(parser(row.exemplar))), row.references[0])
            for row in spare.itertuples()
        ]
    return pooled(tests), examples


def syntax_systems(
    students: Mapping[str, Student],
    teacher: LanguageModel,
    examples: Sequence[tuple[str, str]],
    parser: TreeOf,
    max_new_tokens: int,
) -> dict[str, System]:
    """The systems of Table 4 and their controls, for items of `syntax_tests`.

    `students` are those of `syntax_corpora`; without `examples` the few-shot prompt is left out.
    """
    answering = {name: student_system(s, max_new_tokens) for name, s in students.items()}
    plain = answering.pop("not told")
    controlled = {name: with_tree(system, parser) for name, system in answering.items()}
    prompts = {"teacher, 0-shot": ()} | ({"teacher, few-shot": examples} if examples else {})
    return {
        "Copy-Input": copy_input,
        **{
            name: with_tree(prompted(teacher, shots, max_new_tokens), parser)
            for name, shots in prompts.items()
        },
        "not told": plain,
        "M_control, told another tree": with_next_exemplar(controlled["M_control"]),
        **controlled,
        "exemplar itself": exemplar_itself,
    }


def with_tree(system: System, parser: TreeOf) -> System:
    """A system that reads the tree of each item's exemplar before the source."""

    def answer(items: pd.DataFrame) -> list[str]:
        trees = items["exemplar"].map(parser).map(str)
        return system(items.assign(source=list(map(tree_prompt, items["source"], trees))))

    return answer


def with_next_exemplar(system: System) -> System:
    """A system that gets the next item's exemplar: the control with the signal destroyed."""
    return lambda items: system(items.assign(exemplar=np.roll(items["exemplar"], -1)))


def exemplar_itself(items: pd.DataFrame) -> list[str]:
    """The exemplar as the output: the right form, about something else."""
    return list(items["exemplar"])


def distance_to_exemplar(
    outputs: Sequence[str], exemplars: Sequence[str], parser: TreeOf
) -> NDArray[np.float64]:
    """TED-F of each output to its exemplar, words left out; NaN where one does not parse."""
    trees = {text: parser(text) for text in {*outputs, *exemplars}}
    pairs = [(trees[y], trees[z]) for y, z in zip(outputs, exemplars, strict=True)]
    return np.array(
        [ted(a, b) if a is not None and b is not None else np.nan for a, b in pairs], dtype=float
    )


def syntax_scores(
    predictions: pd.DataFrame, items: pd.DataFrame, parser: TreeOf, judge: Judge
) -> pd.DataFrame:
    """Scores of single outputs: system, item, ted_exemplar, and per cent parses and fidelity."""
    outputs = list(predictions["output"])
    exemplars = predictions["item"].map(items.set_index("id")["exemplar"])
    distance = distance_to_exemplar(outputs, list(exemplars), parser)
    return predictions[["system", "item"]].assign(
        ted_exemplar=distance,
        parses=100.0 * ~np.isnan(distance),
        fidelity=100 * judge.equivalent(list(predictions["source"]), outputs),
    )


def one_source_many_exemplars(
    system: System, items: pd.DataFrame, parser: TreeOf, judge: Judge
) -> pd.DataFrame:
    """What a system writes for the first item with the exemplars of some that follow.

    Returns:
        source, exemplar, output, asked (the linearized tree), TED, same meaning (1, 0 or NaN).
    """
    exemplars = list(items["exemplar"].iloc[1 : _EXEMPLARS_SHOWN + 1])
    asked = items.iloc[[0] * len(exemplars)].assign(exemplar=exemplars)
    outputs = system(asked)
    frame = pd.DataFrame({"source": list(asked["source"]), "exemplar": exemplars})
    return frame.assign(
        output=outputs,
        asked=[linearized_tree(str(parser(z))) for z in exemplars],
        TED=distance_to_exemplar(outputs, exemplars, parser),
        **{"same meaning": judge.equivalent(list(asked["source"]), outputs)},
    )
