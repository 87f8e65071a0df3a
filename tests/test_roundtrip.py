"""Round trips: clusters by hand, constraints on content words only, corpora without copies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import tiny
from impossible.config.params import Params
from impossible.data.io import read_frame, write_frame
from impossible.data.schemas import DATASET
from impossible.evaluation.baselines import back_translation
from impossible.evaluation.baselines.back_translation import RoundTrip, corpus, representatives

MODEL = tiny.student()
TRIP = RoundTrip(MODEL, MODEL, "there: ", "back: ", max_new_tokens=8)
INPUTS = pd.DataFrame(
    {
        "input_id": [f"i{n}" for n in range(4)], "context_id": ["c0", "c0", "c1", "c1"],
        "text": tiny.SENTENCES[:4],
    }
)  # fmt: skip


def test_one_of_each_cluster_stays() -> None:
    fire = ["a fire destroyed the school", "a fire destroyed the old school", "a fire wrecked it"]
    assert representatives([*fire[:2], "prices rose"], 0.4) == [fire[1], "prices rose"]
    assert representatives(["prices rose"] * 3) == ["prices rose"]
    assert representatives(["", ""]) == []
    whole = representatives([*fire, "prices rose"], 0.99)
    assert len(whole) < 4


def test_only_plain_content_words_are_forbidden() -> None:
    text = "Stolen goods worth 12 million dollars were found in Lyon by the police."
    drawn = {
        w for seed in range(40) for w in back_translation._half(text, np.random.default_rng(seed))
    }
    assert drawn == {"stolen", "goods", "worth", "million", "dollars", "were", "found", "police"}
    sizes = [len(back_translation._half(text, np.random.default_rng(seed))) for seed in range(400)]
    assert abs(np.mean(sizes) - 4) < 0.25


def test_a_corpus_holds_no_copies_and_no_empty_texts(tmp_path) -> None:
    outputs = [[INPUTS["text"][0], "", "other", "other"], [], ["more"], ["the mayor", "the ships"]]
    frame = corpus(INPUTS, outputs, "test")
    assert frame["target"].tolist() == ["other", "more", "the mayor", "the ships"]
    assert frame["context_id"].tolist() == ["c0", "c1", "c1", "c1"]
    write_frame(tmp_path / "corpus.parquet", frame, DATASET)
    assert len(read_frame(tmp_path / "corpus.parquet", DATASET)) == 4


def test_corpora_are_functions_of_inputs_and_seed() -> None:
    params = Params.load("base", {"n_candidates": 3})
    for make in (back_translation.constrained_corpus, back_translation.clustered_corpus):
        whole = make(INPUTS, TRIP, params)
        pd.testing.assert_frame_equal(make(INPUTS, TRIP, params), whole)
    assert not back_translation.clustered_corpus(INPUTS, TRIP, params.fixed(seed=1)).equals(whole)


def test_the_system_goes_there_and_back() -> None:
    items = pd.DataFrame({"source": tiny.SENTENCES[:3]})
    pivots = TRIP.pivot(tiny.SENTENCES[:3])
    back = TRIP.return_trips(pivots)
    assert back_translation.round_trip_system(TRIP)(items) == [texts[0] for texts in back]
