"""A translator with a compiled engine: by a stand-in, and by the real one where it was fetched."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.errors import ModelError
from impossible.evaluation.baselines.back_translation import (
    RoundTrip,
    load_round_trip,
    plain_corpus,
    round_trip_system,
)
from impossible.models import bergamot
from impossible.models.assets import asset_named

NAME = "pypi:bergamot-en-pt"
PARAMS = {"translator": NAME, "back_translator": NAME, "translator_prefix": "to Volan: "}


class Engine:
    """Turns words round, or back."""

    def __init__(self, place: str) -> None:
        self.place = place

    def translate(self, text: str) -> str:
        return " ".join(reversed(text.split())) + (" now" if "pten" in self.place else "")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An asset that looks like the real one."""
    for direction in ("enpt-1", "pten-1"):
        (tmp_path / "resources" / "models" / direction).mkdir(parents=True)
    (tmp_path / "_native.abi3.so").write_text("no engine")
    monkeypatch.setattr(bergamot, "locate", lambda name: tmp_path)
    return tmp_path


def test_there_and_back_without_prefixes(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bergamot, "_opened", lambda folder: SimpleNamespace(NativeDirection=Engine))
    monkeypatch.setattr(
        "impossible.evaluation.baselines.back_translation.has_engine", lambda name: name == NAME
    )
    trip = load_round_trip(Params.load("base", PARAMS), lambda name: tiny.student())
    assert isinstance(trip, RoundTrip)
    items = pd.DataFrame({"id": ["a", "b"], "source": ["it rose", ""], "text": ["it rose", "up"]})
    assert round_trip_system(trip)(items) == ["it rose now", ""]
    pairs = plain_corpus(items.assign(context_id="c"), trip)
    assert list(pairs["target"]) == ["it rose now", "up now"]
    assert set(pairs["origin"]) == {"round trips"}
    with pytest.raises(ModelError, match="neither sampled nor constrained"):
        trip.return_trips(["a"], n=2, temperature=1.0)
    mixed = load_round_trip(
        Params.load("base", PARAMS | {"back_translator": "x", "back_translator_prefix": "back: "}),
        lambda name: tiny.student(),
    )
    assert mixed is not None
    assert (mixed.there_prefix, mixed.back_prefix) == ("", "back: ")


def test_no_translator_is_no_round_trip() -> None:
    def never(name: str) -> Any:
        raise AssertionError(name)

    assert load_round_trip(Params.load("base", {"translator": "none"}), never) is None


def test_an_engine_for_another_machine_is_one_sentence(engine: Path) -> None:
    with pytest.raises(ModelError, match="does not run on this machine .*compiled for Linux"):
        bergamot.Bergamot(NAME, "en-pt")


@pytest.mark.slow
@pytest.mark.skipif(not asset_named(NAME).present, reason="the asset was not fetched")
def test_the_real_engine() -> None:
    assert bergamot.has_engine(NAME)
    there, back = (bergamot.Bergamot(NAME, way) for way in ("en-pt", "pt-en"))
    text = "The meeting was held in Lyon last month."
    ((pivot,),) = there.generate([text])
    assert "no mês passado" in pivot  # not "não", as the package's own code would have it
    ((again,),) = back.generate([pivot])
    assert {"Lyon", "last", "month."} <= set(again.split())
