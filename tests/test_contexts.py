"""Contexts and sentences: planned by hand, the same for the same unit and after an interruption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny
from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import CONTEXTS, SENTENCES
from impossible.errors import DataError
from impossible.generation import contexts, next_sentences
from impossible.generation.contexts import Plan, draw_contexts, plan_contexts, write_contexts
from impossible.generation.next_sentences import (
    accept_sentence,
    acceptance_counts,
    draw_inputs,
    draw_sentences,
    sample_sentences,
    sentences_of,
)
from impossible.models.loading import LanguageModel
from impossible.text.sentence_boundaries import find_sentence_end, sentence_end

NEWS = Domain(name="news", prefixes=[tiny.PREFIX], banned=["\n"])
OTHER = Domain(name="other", prefixes=[tiny.SENTENCES[0], tiny.SENTENCES[6]], banned=["\n", "w"])


def small(**changes: Any) -> Params:
    values: dict[str, Any] = {"context_sentences_max": 2, "k": 6, "workers": 1}
    values["sentence_max_new_tokens"] = 24
    values |= {"context_max_new_tokens": 40, "domains": [NEWS, OTHER]}
    return Params.load("base", {**values, **changes})


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return LanguageModel(*tiny.reader(), "tiny", "digest")


def test_plans_share_out_domains_and_lengths() -> None:
    plans = plan_contexts(small(), 8)
    assert [plan.n_sentences for plan in plans] == [1, 1, 2, 2, 1, 1, 2, 2]
    assert [plan.domain for plan in plans] == ["news", "other"] * 4
    assert plans[0] == Plan("contexts-00000", "news", tiny.PREFIX, 1)
    assert {plan.prefix for plan in plans if plan.domain == "other"} <= set(OTHER.prefixes)


def test_a_plan_does_not_depend_on_how_many_there_are_but_on_its_stage() -> None:
    plans = plan_contexts(small(), 40)
    assert plan_contexts(small(), 5) == plans[:5]
    others = plan_contexts(small(), 40, "inputs")
    assert others[0].context_id == "inputs-00000"
    assert [plan.prefix for plan in others] != [plan.prefix for plan in plans]


def test_contexts_have_their_prefix_and_number_of_sentences(lm: LanguageModel) -> None:
    params = small()
    frame = write_contexts(lm, plan_contexts(params, 8), params)
    assert list(frame.columns) == CONTEXTS.names
    assert len(frame) >= 6
    for row in frame.itertuples():
        assert row.text.startswith(row.prefix + " ")
        rest, count = row.text.removeprefix(row.prefix).strip(), 0
        while rest:
            end = find_sentence_end(rest)
            assert end > 0
            rest, count = rest[end:].strip(), count + 1
        assert count == row.n_sentences
        assert row.domain == "news" or "w" not in row.text.removeprefix(row.prefix)


def test_a_context_that_never_succeeds_is_left_out(
    lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contexts, "_ATTEMPTS", 2)
    params = small(context_max_new_tokens=1)
    assert write_contexts(lm, plan_contexts(params, 3), params).empty


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (" Prices rose. Then", ("Prices rose.", "")),
        (" Prices rose and", ("", "no_end")),
        (" A.", ("", "too_short")),
        ("", ("", "too_short")),
        (" One\ntwo. Then", ("", "newline")),
    ],
)
def test_acceptance_by_hand(raw: str, expected: tuple[str, str]) -> None:
    assert accept_sentence(raw, 3) == expected


def test_a_domain_refuses_what_it_names(lm: LanguageModel) -> None:
    assert accept_sentence(" See HTTP://x.org now. Then", refused=["http"]) == ("", "refused")
    picky = [NEWS, OTHER.model_copy(update={"refused": ["e"]})]
    params = small(domains=picky)
    frame = write_contexts(lm, plan_contexts(params, 6), params)
    found = sample_sentences(lm, frame, params).merge(frame[["context_id", "domain"]])
    other = found[found["domain"] == "other"]
    assert (other["reason"] == "refused").any()
    assert (found["reason"] == "refused").sum() < len(found)
    assert not other["text"].str.contains("e", case=False).any()
    assert found.loc[found["domain"] == "news", "text"].str.contains("e").any()


def test_a_context_has_the_sentences_that_it_has_alone(lm: LanguageModel) -> None:
    params = small()
    frame = write_contexts(lm, plan_contexts(params, 6), params)
    whole = sample_sentences(lm, frame, params)
    assert list(whole.columns) == SENTENCES.names
    assert len(whole) == 6 * len(frame)
    alone = [sample_sentences(lm, frame.iloc[[i]], params) for i in range(len(frame))]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), whole)
    assert (whole["text"] != "").equals(whole["reason"] == "")
    assert (whole["reason"] == "").any()
    cold = sample_sentences(lm, frame, params, temperature=0.05)
    assert cold["raw"].nunique() < whole["raw"].nunique()


def test_an_unknown_domain_is_named(lm: LanguageModel) -> None:
    row = pd.DataFrame([("c", "poems", 1, "", "A rose.")], columns=CONTEXTS.names)
    with pytest.raises(DataError, match="poems"):
        sample_sentences(lm, row, small())


def test_drawing_goes_on_where_it_stopped(
    lm: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, params = RunFolder.open(tmp_path / "run"), small()
    plans = plan_contexts(params, 6)
    frame = draw_contexts(run, lm, plans, params)
    expected = sample_sentences(lm, frame, params)
    calls: list[int] = []

    def failing(real: Callable[..., pd.DataFrame], after: int) -> Callable[..., pd.DataFrame]:
        def call(*args: Any, **options: Any) -> pd.DataFrame:
            calls.append(len(args[1]))
            if len(calls) > after:
                raise KeyboardInterrupt
            return real(*args, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(next_sentences, "sample_sentences", failing(sample_sentences, 1))
        with pytest.raises(KeyboardInterrupt):
            draw_sentences(run, lm, frame, params)
    calls.clear()
    monkeypatch.setattr(next_sentences, "sample_sentences", failing(sample_sentences, 99))
    again = draw_sentences(run, lm, frame, params)
    assert sum(calls) == len(frame) - 1
    pd.testing.assert_frame_equal(again, expected, check_dtype=False)
    draw_sentences(run, lm, frame, params.model_copy(update={"ted_min": 3}))
    assert sum(calls) == len(frame) - 1  # nothing that matters here has changed
    draw_sentences(run, lm, frame, params.model_copy(update={"sentence_top_p": 0.5}))
    assert sum(calls) == 2 * len(frame) - 1


def test_acceptance_counts_by_hand() -> None:
    frame = pd.DataFrame(
        [("a", "news", 1, "", "A."), ("b", "news", 2, "", "B.")], columns=CONTEXTS.names
    )
    texts = [("x", "X rose.", ""), ("x", "X rose.", ""), ("", "", "no_end")]
    rows = [("a", "news", i, *text) for i, text in enumerate(texts)]
    table = acceptance_counts(pd.DataFrame(rows, columns=SENTENCES.names), frame)
    assert table[["samples", "accepted", "distinct"]].values.tolist() == [[3, 2, 1], [0, 0, 0]]


def test_sentences_of_a_context_by_hand() -> None:
    row = ("c", "news", 3, "LONDON (AP) --", "LONDON (AP) -- Prices rose 3.5 percent. Up. He left")
    frame = sentences_of(pd.DataFrame([row], columns=CONTEXTS.names))
    assert frame["text"].tolist() == ["Prices rose 3.5 percent.", "Up.", ""]
    assert frame["reason"].tolist() == ["", "", "no_end"]
    assert frame["sample"].tolist() == [0, 1, 2]
    assert list(frame.columns) == SENTENCES.names


def test_inputs_are_as_many_as_asked_and_those_of_a_longer_list_begin_alike(
    tmp_path: Path, lm: LanguageModel
) -> None:
    few = draw_inputs(RunFolder(tmp_path / "few"), lm, small(n_inputs=5))
    more = draw_inputs(RunFolder(tmp_path / "more"), lm, small(n_inputs=9))
    assert len(few) == 5
    assert len(more) == 9
    pd.testing.assert_frame_equal(few, more.head(5))
    assert (few["reason"] == "").any()
    assert few["context_id"].nunique() < 5


def test_attempts_that_need_no_more_end_early_and_change_nothing(
    lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = small(
        rejections={"long": [".{40}"]}, context_sentences_min=2, context_sentences_max=3,
        context_max_new_tokens=60,
    )  # fmt: skip
    plans, written = plan_contexts(params, 8), Counter[bool]()
    real = contexts.sample_continuations

    def counting(early: bool) -> Callable[..., list[str]]:
        def call(*args: Any) -> list[str]:
            *rest, done = args
            found = real(*rest, done if early else lambda i, text: has_all(done, i, text))
            written[early] += sum(map(len, found))
            return found

        return call

    def has_all(done: Any, i: int, text: str) -> bool:
        return sentence_end(text, done.drawn[i][0].n_sentences, final=False) >= 0

    frames = []
    for early in (False, True):
        monkeypatch.setattr(contexts, "sample_continuations", counting(early))
        frames.append(write_contexts(lm, plans, params))
    assert len(frames[0]) > 2
    pd.testing.assert_frame_equal(*frames)
    assert written[True] < written[False]
