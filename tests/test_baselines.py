"""Systems of others: synonyms, corruption, and search with its rules, readers and chain."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.io import read_frame, write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import DataError, ModelError
from impossible.evaluation.baselines.annealing import (
    Move,
    Reading,
    Schedule,
    WordList,
    acceptance_probability,
    anneal,
    propose,
)
from impossible.evaluation.baselines.corruption import (
    Noise,
    corrupted,
    corruption_corpus,
    corruption_system,
)
from impossible.evaluation.baselines.language import Language
from impossible.evaluation.baselines.search import (
    Objective,
    Weights,
    WordVectors,
    search_settings,
    search_system,
)
from impossible.evaluation.baselines.synonym_replacement import agreeing, synonym_system
from impossible.evaluation.baselines.thesaurus import load_thesaurus
from impossible.evaluation.systems import student_system
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel, load_encoder, load_teacher
from impossible.models.sentence_encoder import SentenceEncoder
from impossible.text.bleu import sentence_bleu
from impossible.text.word_edits import (
    Units,
    content_words,
    joined,
    replace_synonyms,
    synonym_table,
    units,
)
from impossible.training.fine_tuning import train_on
from impossible.training.student import load_student
from impossible.world.pretraining import denoising_pairs

GROUPS = [
    ("theater", "playhouse"), ("burned", "caught fire", "was on fire"), ("on account of", "due to"),
]  # fmt: skip
ITEMS = pd.DataFrame(
    {
        "id": ["i0", "i1", "i2", "i3", "i4"],
        "source": [
            "A new bridge was opened by the council on Monday.", "Prices rose.", "Prices", "", "…",
        ],
    }
)  # fmt: skip
PREFIXES = ["Norvane (NBC) --", "Abstract:"]
DIGEST = "26eca73b6f4db544db22b62ed5fb2340e40bdfd5e76e48e9ce1b152c1947c3ab"  # as the base read it
WORD = st.text("abcXYZ3'", min_size=1, max_size=4)


# Units


@given(
    st.lists(st.tuples(WORD, st.sampled_from(["", "", "", ",", ";"])), max_size=8), st.booleans()
)
def test_units_joined_are_the_sentence(parts: list[tuple[str, str]], stop: bool) -> None:
    text = " ".join(word + comma for word, comma in parts) + "." * (stop and bool(parts))
    assert joined(*units(text)) == text
    assert sum(len(unit) for unit in units(text)[0]) == len(text.replace(" ", "").rstrip("."))


def test_units_by_hand() -> None:
    assert units("  He  paid 1,200.50 in the U.S., twice!") == (
        ("He", "paid", "1,200.50", "in", "the", "U.S.", ",", "twice"),
        "!",
    )
    assert units("") == units("  ") == ((), "")
    assert units("…") == (("…",), "")
    assert units("No.") == (("No",), ".")
    assert content_words(("The", "man", ",", "was", "not", "3.5", "-")) == ("man", "not", "3.5")


# Synonyms


def test_the_noise_of_the_shipped_student_base_is_unchanged() -> None:
    texts = [
        "The theater burned on account of lightning.",
        "On account of rain, a theater burned in May...",
        "Theater",
    ] * 20
    found = json.dumps(denoising_pairs(texts, 7, GROUPS, 0.6)).encode()
    assert hashlib.sha256(found).hexdigest() == DIGEST


@given(st.lists(WORD, max_size=6), st.integers(0, 99))
def test_exchange_by_a_naive_reference(words: list[str], seed: int) -> None:
    text, rng = " ".join(words), np.random.default_rng(seed)
    assert replace_synonyms(text, synonym_table([("q", "r")]), rng, 1.0) == words
    swap = {"a": ["b"], "b": ["a"], "c": ["d e"]}
    simple = {"a": "b", "A": "b", "b": "a", "c": "d e"}
    naive = " ".join(simple.get(word, word) for word in words)
    assert " ".join(replace_synonyms(text, swap, rng, 1.0)) == naive
    assert " ".join(replace_synonyms(text, swap, rng, 0.0)) == text


def test_the_longest_wording_is_exchanged_and_the_full_stop_stays() -> None:
    synonyms = {"a": ["x"], "a b": ["y"], "a b c": ["z z"], "d": ["w"]}
    rng = np.random.default_rng(0)
    assert replace_synonyms("A b c a b a, d.", synonyms, rng, 1.0) == ["z", "z", "y", "a,", "w."]
    assert (
        replace_synonyms("", synonyms, rng, 1.0)
        == replace_synonyms("...", synonyms, rng, 1.0)
        == []
    )


def test_synonym_replacement_by_hand() -> None:
    system = synonym_system([("theater", "opera house"), ("12", "twelve"), ("old", "ancient")])
    sources = [
        "A theater burned.",
        "12 old men left",
        "It is an hour.",
        "",
        "theater",
        "An old man.",
    ]
    items = pd.DataFrame({"id": list("abcdef"), "source": sources})
    assert system(items) == [
        "An opera house burned.", "Twelve ancient men left", "It is an hour.", "", "opera house",
        "An ancient man.",
    ]  # fmt: skip
    assert synonym_system(GROUPS, rate=0.0)(items) == sources
    assert agreeing("", "") == ""


def test_a_rate_is_the_share_of_wordings_exchanged() -> None:
    sources = ["A theater burned on account of rain."] * 400
    items = pd.DataFrame({"id": [f"i{n}" for n in range(400)], "source": sources})
    outputs = synonym_system(GROUPS, rate=0.3)(items)
    changed = sum(("playhouse" in y) + ("burned" not in y) + ("due to" in y) for y in outputs)
    assert 0.26 < changed / 1200 < 0.34
    apart = [synonym_system(GROUPS, rate=0.3)(items.iloc[[i]])[0] for i in range(20)]
    assert apart == outputs[:20]
    assert synonym_system(GROUPS, rate=0.3, seed=1)(items) != outputs


def test_a_thesaurus_is_read_from_json_and_yaml(tmp_path: Path) -> None:
    for name, text in (("t.json", json.dumps(GROUPS)), ("t.yaml", "- [a, b c]\n- [d, e]\n")):
        (tmp_path / name).write_text(text)
    assert load_thesaurus(str(tmp_path / "t.json")) == GROUPS
    assert load_thesaurus(str(tmp_path / "t.yaml")) == [("a", "b c"), ("d", "e")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no groups"),
        ("a: b", "no groups"),
        ("[[a, b], [c]]", "group 2"),
        ("[[a, 3]]", "group 1"),
        ('[[a, " "]]', "group 1"),
        ("[a, b]", "group 1"),
        ("[[", "not YAML"),
        (None, "No such file"),
    ],
)
def test_a_bad_thesaurus_gives_one_sentence(
    text: str | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=sentence) as caught:
        load_thesaurus(str(path))
    assert str(path) in str(caught.value)


def test_wordings_of_the_closed_world_are_apart_by_form() -> None:
    groups = load_thesaurus("in-vitro")
    assert all(len(set(group)) == len(group) > 1 for group in groups)
    gave = [group for group in groups if "gave" in group]  # one of each predicate
    assert gave
    assert not any("given" in group for group in gave)


# The rules of search


def test_acceptance_by_hand() -> None:
    half = math.log(0.5)
    assert acceptance_probability(0.0, 1.0) == acceptance_probability(3.0, 0.1) == 1.0
    assert acceptance_probability(half, 1.0) == pytest.approx(0.5)
    assert acceptance_probability(half, 0.5) == pytest.approx(0.25)
    assert acceptance_probability(half, 1.0, math.log(1.5)) == pytest.approx(
        0.75
    )  # proposed back more often
    assert acceptance_probability(-half, 1.0, -2 * math.log(4)) == pytest.approx(2 / 16)
    assert acceptance_probability(0.0, 0.0) == 1.0
    assert acceptance_probability(-1e-9, 0.0) == 0.0
    assert acceptance_probability(math.inf, 0.1) == 1.0  # from f = 0 to f > 0
    assert acceptance_probability(-math.inf, 0.1) == acceptance_probability(math.nan, 0.1) == 0.0
    assert acceptance_probability(5.0, 1.0, -math.inf) == 0.0  # could not be taken back


@given(st.floats(-5, 5), st.floats(0.05, 5), st.floats(-3, 3))
def test_acceptance_balances_both_ways(gain: float, temperature: float, correction: float) -> None:
    there = acceptance_probability(gain, temperature, correction)
    back = acceptance_probability(-gain, temperature, -correction)
    assert max(there, back) == 1.0
    if there and back:
        assert math.log(there / back) == pytest.approx(gain / temperature + correction)


def test_schedules_by_hand() -> None:
    cooled, constant = Schedule(4, 0.2, 1.0), Schedule(4, 0.2, 0.0)
    assert [cooled.temperature(step) for step in range(5)] == pytest.approx(
        [0.2, 0.15, 0.1, 0.05, 0]
    )
    assert Schedule(10, 1.0, 0.5).temperature(10) == pytest.approx(0.5)
    assert {constant.temperature(step) for step in range(5)} == {0.2}
    assert constant.corrected
    assert not cooled.corrected
    for bad in ((-1, 1.0, 0.0), (1, 0.0, 0.0), (1, math.nan, 0.0), (1, 1.0, 1.1)):
        with pytest.raises(ModelError, match="a search needs"):
            Schedule(*bad)


class Toy:
    """A reader of three words: a bigram model proposes, a table scores."""

    vocabulary = ("a", "b", "c")

    def __init__(self, longest: int = 3) -> None:
        rng = np.random.default_rng(5)
        self.bigrams = np.log(rng.dirichlet(np.ones(3), 4))  # rows: after a, b, c, at the start
        self.alike = rng.normal(0, 1, (3, 3))  # rows: old words, as log weights of new ones
        self.states = [
            state for n in range(1, longest + 1) for state in product(self.vocabulary, repeat=n)
        ]
        self.scores = dict(zip(self.states, rng.normal(0, 1, len(self.states)), strict=True))

    def read(self, items: Sequence[int], sentences: Sequence[Units]) -> list[Reading]:
        return [ToyReading(self, sentence) for sentence in sentences]


class ToyReading:
    def __init__(self, toy: Toy, sentence: Units) -> None:
        self.toy, self.sentence, self.log_score = toy, sentence, float(toy.scores[sentence])

    def words(self, place: int, old: str | None) -> np.ndarray:
        before = "abc".index(self.sentence[place - 1]) if place else 3
        logs = self.toy.bigrams[before] + (self.toy.alike["abc".index(old)] if old else 0)
        return np.asarray(logs - np.logaddexp.reduce(logs))


def test_moves_by_hand() -> None:
    toy, vocabulary = Toy(), WordList(Toy.vocabulary)
    toy.alike[:] = 0
    reading = toy.read([0], [("a", "b")])[0]
    after_a, start = np.exp(toy.bigrams[0]), np.exp(toy.bigrams[3])

    def move(operation: float, place: float, word: float, longest: int = 3) -> Move | None:
        numbers = np.array([operation, place, word, 0.0])
        return propose(("a", "b"), reading, vocabulary, longest, numbers)

    replaced = move(0.1, 0.6, after_a[0] / 2)
    assert replaced == Move(("a", "a"), pytest.approx(math.log(after_a[1] / after_a[0])))
    assert move(0.5, 0.2, 0.0) == Move(("b",), pytest.approx(math.log(start[0])))
    inserted = move(0.9, 0.4, 0.999999)  # the second of three places
    assert inserted == Move(("a", "c", "b"), pytest.approx(-math.log(after_a[2])))
    last = move(0.9, 0.99, 0.0)
    assert last is not None
    assert last.sentence == ("a", "b", "a")
    assert move(0.9, 0.4, 0.5, longest=2) is None
    toy.alike[1] = [
        math.log(3),
        0,
        -math.inf,
    ]  # b by a three times as often, never by c
    toy.alike[0] = [0, math.log(2), 0]
    there = 3 * after_a[0] / (3 * after_a[0] + after_a[1])
    back = 2 * after_a[1] / (2 * after_a[1] + after_a[0] + after_a[2])
    assert move(0.1, 0.6, 0.0) == Move(("a", "a"), pytest.approx(math.log(back / there)))
    one = toy.read([0], [("a",)])[0]
    assert propose(("a",), one, vocabulary, 3, np.array([0.5, 0.0, 0.0, 0.0])) is None
    assert propose((), one, vocabulary, 3, np.zeros(4)) is None
    unknown = propose(("zz",), one, vocabulary, 3, np.array([0.5, 0.0, 0.0, 0.0]))
    assert unknown is None


def test_a_word_that_is_never_proposed_is_kept_by_a_corrected_search() -> None:
    toy = Toy()
    toy.states.append(("zz", "a"))
    toy.scores[("zz", "a")] = -50.0
    one = toy.read([0], [("zz", "a")])[0]
    move = propose(("zz", "a"), one, WordList(Toy.vocabulary), 3, np.array([0.5, 0.0, 0.0, 0.0]))
    assert move == Move(("a",), -math.inf)
    assert acceptance_probability(50.0, 1.0, move.correction) == 0


def distance_from_target(toy: Toy, schedule: Schedule, temperature: float) -> float:
    """Total variation between visits of many chains and f^(1/temperature), counted exhaustively."""
    chains, settling = 300, 40
    starts = [toy.states[i % len(toy.states)] for i in range(chains)]
    numbers = list(np.random.default_rng(1).random((chains, schedule.steps, 4)))
    visits: Counter[Units] = Counter()
    steps = iter(range(schedule.steps))

    def visit(states: list[Units]) -> None:
        if next(steps) >= settling:
            visits.update(states)

    anneal(toy, starts, numbers, schedule, [3] * chains, visit)
    target = np.exp(np.array([toy.scores[state] for state in toy.states]) / temperature)
    seen = np.array([visits[state] for state in toy.states])
    return float(abs(seen / seen.sum() - target / target.sum()).sum() / 2)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_at_constant_temperature_sentences_are_visited_in_proportion(temperature: float) -> None:
    toy = Toy()
    assert len(toy.states) == 3 + 9 + 27
    right = distance_from_target(toy, Schedule(300, temperature, 0.0), temperature)
    assert right < 0.05
    # the control: a chain that does not make up for uneven proposals is elsewhere
    wrong = distance_from_target(toy, Schedule(300, temperature, 1e-9), temperature)
    assert wrong > 5 * right


def test_a_cooled_search_finds_what_an_exhaustive_one_finds() -> None:
    toy = Toy()
    top = max(toy.states, key=lambda state: toy.scores[state])
    numbers = list(np.random.default_rng(2).random((20, 1000, 4)))
    assert anneal(toy, [("a",)] * 20, numbers, Schedule(1000, 2.0, 1.0), [3] * 20) == [top] * 20
    assert anneal(toy, [("a",)], [np.zeros((0, 4))], Schedule(0, 0.5, 1.0), [3]) == [("a",)]


# The reader of search


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("teacher")
    return load_teacher(str(tiny.save(folder, *tiny.gpt2())), dtype="float32")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder:
    return SentenceEncoder(
        load_encoder(str(tiny.save(tmp_path_factory.mktemp("enc"), *tiny.encoder())))
    )


@pytest.fixture(scope="module")
def language(teacher: LanguageModel) -> Language:
    return Language(teacher)


def test_fluency_is_that_of_likelihood(language: Language, teacher: LanguageModel) -> None:
    contexts = [PREFIXES[i % 2] for i in range(len(tiny.SENTENCES))]
    read = language.read(contexts, [units(text) for text in tiny.SENTENCES])
    nats = surprise(teacher, contexts, tiny.SENTENCES)["nats"]
    assert [value for value, _ in read] == pytest.approx(nats.tolist(), abs=1e-3)


def test_words_at_a_place_follow_the_words_before(
    language: Language, teacher: LanguageModel
) -> None:
    words, mark = units("Dr. Hale, the mayor, sold 12 ships!")
    ((_, logits),) = language.read([PREFIXES[0]], [(words, mark)])
    assert logits.shape == (len(words) + 1, len(language.words))
    chosen = torch.tensor(list(language.words.values()))
    for place in range(len(words) + 1):
        left = f"{PREFIXES[0]} {joined(words[:place])}".strip()
        ids = torch.tensor([teacher.tokenizer(left).input_ids])
        with torch.inference_mode():
            naive = teacher.model(input_ids=ids).logits[0, -1, chosen]
        assert torch.allclose(logits[place], naive, atol=1e-4)


def test_readings_come_in_the_order_of_the_sentences(language: Language) -> None:
    sentences = [units(text) for text in tiny.SENTENCES * 3]
    together = language.read([PREFIXES[0]] * len(sentences), sentences)
    for sentence, (nats, logits) in zip(sentences[:8], together[:8], strict=True):
        ((alone, its_logits),) = language.read([PREFIXES[0]], [sentence])
        assert alone == pytest.approx(nats, rel=1e-4)
        assert torch.allclose(its_logits, logits, atol=1e-3)
    assert language.read([], []) == []


def test_only_whole_words_are_proposed(language: Language, teacher: LanguageModel) -> None:
    assert "," in language.words
    assert "the" in language.words
    for word, token in language.words.items():
        before, after = (teacher.tokenizer(joined(t)).input_ids for t in (("A",), ("A", word)))
        assert after == [*before, token]


def test_an_opening_is_the_likeliest_and_must_fit(language: Language) -> None:
    sentences = [units(text) for text in tiny.SENTENCES]
    best = language.likeliest(PREFIXES, sentences)
    nats = [[n for n, _ in language.read([p] * len(sentences), sentences)] for p in PREFIXES]
    assert best == [PREFIXES[i] for i in np.argmin(nats, 0)]
    with pytest.raises(ModelError, match="empty"):
        language.read([""], [units("A dog ran.")])
    with pytest.raises(ModelError, match="window"):
        language.read(["A"], [units("word " * 200)])


def test_the_objective_by_hand(language: Language, encoder: SentenceEncoder) -> None:
    source = units("The mayor sold 12 old ships to the bank.")
    weights = Weights(2.0, 3.0, 4.0, 5.0, 6.0, -1.0)
    objective = Objective(language, WordVectors(encoder), [source], PREFIXES[:1], weights)
    other = ("The", "mayor", "sold", "old", "ships", "to", "a", "bank")
    reading = objective.read([0], [other])[0]
    nats = surprise(language.lm, PREFIXES[:1], [joined(other, ".")])["nats"][0]
    texts = [joined(*source), joined(other, ".")]
    x, y = encoder.embed(texts)
    keys, words = encoder.embed(content_words(source[0])), encoder.embed(other)
    new = 1 - sentence_bleu(texts[1], [texts[0]]) / 100
    kept = (keys @ words.T).max(1).min()
    by_hand = -2 * nats / 9 + 3 * np.log(kept) + 4 * np.log(x @ y) + 5 * np.log(new)
    assert reading.log_score == pytest.approx(by_hand, abs=1e-3)
    # proposals: the teacher's logits and, six times, the log of the likeness to the nearest word
    near = (encoder.embed(objective.vocabulary) @ encoder.embed(source[0]).T).max(1)
    ((_, logits),) = language.read(PREFIXES[:1], [(other, ".")])
    scores = logits[2].double().numpy() + 6 * np.log(np.clip(near, 1e-6, 1))
    expected = scores - np.logaddexp.reduce(scores)
    assert reading.words(2, None) == pytest.approx(expected, abs=1e-4)
    alike = encoder.embed(objective.vocabulary) @ encoder.embed(["sold"])[0]
    scores = logits[2].double().numpy() + 6 * np.log(np.clip(alike, 1e-6, 1))
    expected = scores - np.logaddexp.reduce(scores)
    assert reading.words(2, "sold") == pytest.approx(expected, abs=1e-4)
    assert np.exp(reading.words(0, "a")).sum() == pytest.approx(1)


def test_what_is_a_copy_or_lost_has_no_value(language: Language, encoder: SentenceEncoder) -> None:
    source = units("The mayor sold 12 old ships.")
    given = ([source], PREFIXES[:1])
    strict = Objective(language, WordVectors(encoder), *given, Weights(keyword_floor=1.01))
    copy, lost = strict.read([0, 0], [source[0], ("The", "mayor")])
    assert copy.log_score == lost.log_score == -math.inf
    open_ = Objective(language, WordVectors(encoder), *given, Weights(novelty=0, keyword_floor=-1))
    copy, lost = open_.read([0, 0], [source[0], ("The", "mayor")])
    assert np.isfinite([copy.log_score, lost.log_score]).all()
    nothing = Objective(language, WordVectors(encoder), [units("It is.")], PREFIXES[:1], Weights())
    assert np.isfinite(nothing.read([0], [("He", "is")])[0].log_score)  # no content word to lose


def test_a_search_is_decided_by_its_seed(teacher: LanguageModel, encoder: SentenceEncoder) -> None:
    weights = Weights(1.0, 1.0, 1.0, 1.0, 1.0, -1.0)
    system = search_system(teacher, encoder, PREFIXES, Schedule(12, 1.0, 1.0), weights)
    outputs = system(ITEMS)
    assert outputs == system(ITEMS)
    assert outputs[0] != ITEMS["source"][0]
    assert outputs[0].endswith(".")
    assert outputs[3] == ""
    again = search_system(teacher, encoder, PREFIXES, Schedule(12, 1.0, 1.0), weights, seed=1)
    assert again(ITEMS) != outputs
    still = search_system(teacher, encoder, PREFIXES, Schedule(0, 1.0, 1.0), weights)
    assert still(ITEMS) == list(ITEMS["source"])
    assert system(ITEMS.iloc[:0]) == []
    for bad in ((None, PREFIXES), (encoder, []), (encoder, [""])):
        with pytest.raises(ModelError, match="needs a sentence encoder and openings"):
            search_system(teacher, *bad, Schedule(1, 1.0, 1.0), weights)


def test_settings_come_from_the_parameters() -> None:
    schedule, weights = search_settings(
        Params.load("base", {"search_steps": 7, "search_keyword_floor": 0.5})
    )
    assert (schedule.steps, schedule.cooling, weights.keyword_floor) == (7, 1.0, 0.5)
    assert search_settings(Params.load("base"))[1] == Weights()


# Corruption


def test_corruption_by_hand() -> None:
    rng, text = np.random.default_rng(0), "In May, the theater did not burn on account of 3 fires."
    none = Noise(0, 0, 0)
    assert corrupted(text, {}, rng, none) == text
    assert corrupted(text, {}, rng, Noise(1, 0, 0)) == "May theater not burn account 3 fires."
    synonyms = {"theater": ["playhouse"], "on account of": ["due to"]}
    expected = "May playhouse not burn due 3 fires."
    assert corrupted(text, synonyms, rng, Noise(1, 0, 1)) == expected
    assert corrupted("", {}, rng, Noise()) == ""
    assert corrupted("It is.", {}, rng, Noise()) in ("It is.", "is It.")
    assert corrupted("Fire", {}, rng, Noise()) == "Fire"
    with pytest.raises(DataError, match="fractions"):
        Noise(shuffle=1.5)


@given(st.lists(WORD, min_size=1, max_size=12), st.floats(0, 1), st.integers(0, 99))
def test_shuffling_moves_a_share_of_the_words(words: list[str], share: float, seed: int) -> None:
    text, rng = " ".join(words), np.random.default_rng(seed)
    found = units(corrupted(text, {}, rng, Noise(0, share, 0)))[0]
    assert Counter(found) == Counter(units(text)[0])
    moved = sum(x != y for x, y in zip(found, units(text)[0], strict=True))
    assert moved <= round(share * len(found))


def test_a_corpus_of_damaged_sentences(tmp_path: Path) -> None:
    texts = [*tiny.SENTENCES, tiny.SENTENCES[0], "Fire"]
    sentences = pd.DataFrame({"text": texts, "context_id": [f"c{i}" for i in range(len(texts))]})
    corpus = corruption_corpus(sentences, GROUPS)
    path = tmp_path / "corpus.parquet"
    write_frame(path, corpus, DATASET)
    assert list(read_frame(path, DATASET)["target"]) == tiny.SENTENCES  # once each, undamaged: none
    assert set(corpus["origin"]) == {"corruption"}
    assert corpus["p_xy"].isna().all()
    assert not set(corpus["source"]) & set(texts)
    backwards = corruption_corpus(sentences.iloc[::-1], GROUPS)
    assert set(backwards["source"]) == set(corpus["source"])
    assert corruption_corpus(sentences, GROUPS, seed=1)["source"].tolist() != list(corpus["source"])


def test_a_denoiser_is_trained_as_any_student(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path)
    params = Params.load(
        "base", {"student_epochs": 1, "student_batch_size": 4, "student_dev_fraction": 0.25}
    )
    base = load_student(str(tiny.save(tmp_path / "base", *tiny.t5())))
    names = [f"c{i}" for i in range(len(tiny.SENTENCES))]
    sentences = pd.DataFrame({"text": tiny.SENTENCES, "context_id": names})
    student = train_on(corruption_corpus(sentences), base, params, run, "denoiser")
    assert len(corruption_system(student, max_new_tokens=4)(ITEMS)) == len(ITEMS)


def test_a_denoiser_is_given_damaged_sources(tmp_path: Path) -> None:
    student = load_student(str(tiny.save(tmp_path, *tiny.t5())))
    system = corruption_system(student, GROUPS, max_new_tokens=6)
    assert system(ITEMS) == system(ITEMS)
    plain = corruption_system(student, (), Noise(0, 0, 0), max_new_tokens=6)
    assert plain(ITEMS) == student_system(student, 6)(ITEMS)
