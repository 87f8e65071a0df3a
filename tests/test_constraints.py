"""Lexical constraints: the automaton beside regular expressions, decoding beside enumeration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from impossible.errors import ModelError
from impossible.generation.constrained.automaton import Automaton, TokenTexts, token_bytes
from impossible.generation.constrained.constraints import ConstraintError, Constraints, Matcher
from impossible.generation.constrained.decoding import (
    ConstraintProcessor,
    sample_constrained,
    search_constrained,
)
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import first_sentence
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

LONGEST = 4  # tokens of an enumerated text
WARM = Nucleus(1.0, 1.0)


def plain(text: str, lost: str = " ") -> str:
    """What the automaton takes letters beyond ASCII for; `lost` stands for what is no UTF-8."""
    text = text.replace("\ufffd", lost)
    return "".join(c if c < "\x80" else " " if c.encode()[0] in (0xC2, 0xE2) else "z" for c in text)


# --- the matcher over bytes

WORDS = ["art", "new york", "york city", "Rain", "a", "b a", "café", "x2"]
PIECES = ["art", "party", "new", " ", "york", "city", "York", "-", "“", "”", "é", "a", "b", "Rain"]
PIECES += ["rain", ".", "'s", "A", "1", "_", "café", "Café", "x2", "\n", "–"]


def occurs(form: str, text: str) -> bool:
    """The definition: the form, also with a capital, between what is no letter and no digit."""
    forms = "|".join(re.escape(each) for each in {form, form[:1].upper() + form[1:]})
    return re.search(rf"(?<![^\W_])(?:{forms})(?![^\W_])", text) is not None


def found(matcher: Matcher, text: str) -> int:
    """Bits of the words that a matcher finds in a text."""
    state, seen = 1, 0
    for byte in text.encode():
        seen |= int(matcher.ends[state]) * bool(matcher.separator[byte])
        state = int(matcher.step[state, byte])
    return seen | int(matcher.ends[state])


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_the_matcher_finds_what_the_regular_expression_finds(text: str) -> None:
    bits = found(Matcher.of([(word, i) for i, word in enumerate(WORDS)]), text)
    assert [bool(bits >> i & 1) for i in range(len(WORDS))] == [occurs(w, text) for w in WORDS]


def test_a_word_counts_at_its_boundaries_only() -> None:
    matcher = Matcher.of([("art", 0)])
    inside = ["party", "arts", "art1", "éart", "start"]
    whole = ["art", "Art.", "the art's", "art-house", "“art”", "an_art_"]
    assert not any(found(matcher, text) for text in inside)
    assert all(found(matcher, text) for text in whole)


@given(st.text(max_size=30))
def test_tokens_spell_the_bytes_of_the_text(text: str) -> None:
    tok = tiny.tokenizer()
    assume(not any(special in text for special in tok.all_special_tokens))  # they spell nothing
    spelled = token_bytes(tok)
    assert b"".join(spelled[i] for i in tok(text).input_ids) == text.encode()


def test_a_checkpoint_on_disk_spells_the_same(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path, *tiny.gpt2())
    assert token_bytes(AutoTokenizer.from_pretrained(folder)) == token_bytes(tiny.tokenizer())


# --- a world of a few tokens

TOKENS = (b" a", b"b", b" ab", b"a", b".", b" b.")
FORMS = ["a", "b", "ab", "ba", "bb", "a b", "ab a"]
forms = st.lists(st.sampled_from(FORMS), min_size=1, max_size=2, unique=True).map(tuple)
asked = st.builds(
    Constraints,
    st.lists(forms, max_size=3).map(tuple),
    st.lists(st.sampled_from(FORMS), max_size=2).map(tuple),
)
vocabularies = st.builds(
    lambda some, ends: (*some, *ends),
    st.lists(st.sampled_from(TOKENS[:4]), min_size=2, max_size=3, unique=True),
    st.sampled_from([(b".",), (b".", b" b.")]),
)


def texts(vocabulary: Sequence[bytes], longest: int = LONGEST) -> Iterator[tuple[int, ...]]:
    """All texts that end with an end mark and hold none before."""
    for length in range(1, longest + 1):
        for ids in product(range(len(vocabulary)), repeat=length):
            ends = [vocabulary[i].endswith(b".") for i in ids]
            if ends[-1] and not any(ends[:-1]):
                yield ids


def clean(words: Constraints, ids: Sequence[int], vocabulary: Sequence[bytes]) -> bool:
    """Whether at no token the text so far holds a banned word."""
    begun = [b"".join(vocabulary[i] for i in ids[:n]).decode() for n in range(1, len(ids) + 1)]
    return not any(occurs(form, text) for form in words.banned for text in begun)


def held(words: Constraints, ids: Sequence[int], vocabulary: Sequence[bytes]) -> int:
    """Required words that a text holds."""
    text = b"".join(vocabulary[i] for i in ids).decode()
    return sum(any(occurs(form, text) for form in word) for word in words.required)


def good_texts(words: Constraints, vocabulary: Sequence[bytes]) -> list[tuple[int, ...]]:
    """All texts that meet the constraints, by enumeration."""
    n = len(words.required)
    return [
        ids for ids in texts(vocabulary)
        if clean(words, ids, vocabulary) and held(words, ids, vocabulary) == n
    ]  # fmt: skip


def compiled(words: Constraints, vocabulary: tuple[bytes, ...]) -> Automaton:
    """The automaton; where it finds nothing possible, enumeration does not either."""
    try:
        return Automaton(words, TokenTexts(vocabulary))
    except ConstraintError:
        assert not good_texts(words, vocabulary)
        assume(False)
        raise


@settings(deadline=None, max_examples=150)
@given(asked, vocabularies)
def test_the_cost_is_the_length_of_the_shortest_good_text(
    words: Constraints, vocabulary: tuple[bytes, ...]
) -> None:
    least = compiled(words, vocabulary).least
    lengths = [len(ids) for ids in good_texts(words, vocabulary)]
    assert least == min(lengths) if lengths else least > LONGEST


@settings(deadline=None, max_examples=100)
@given(asked, vocabularies, st.integers(0, 10**6))
def test_hard_decoding_allows_exactly_the_tokens_of_good_texts(
    words: Constraints, vocabulary: tuple[bytes, ...], seed: int
) -> None:
    """So that what is sampled is the model renormalised over good texts, step by step."""
    automaton = compiled(words, vocabulary)
    assume(automaton.least <= LONGEST)
    rule = ConstraintProcessor(automaton, 0, LONGEST)
    fine = good_texts(words, vocabulary)
    for begun in {ids[:n] for ids in fine for n in range(len(ids))}:
        scores = torch.from_numpy(np.random.default_rng(seed).normal(size=(1, len(vocabulary))))
        masked = rule(torch.tensor([begun], dtype=torch.long), scores)[0]
        going = {ids[len(begun)] for ids in fine if ids[: len(begun)] == begun}
        assert set(torch.isfinite(masked).nonzero()[:, 0].tolist()) == going
        assert torch.equal(masked[sorted(going)], scores[0, sorted(going)])


@settings(deadline=None, max_examples=100)
@given(asked, vocabularies)
def test_soft_decoding_gains_the_words_that_a_text_holds(
    words: Constraints, vocabulary: tuple[bytes, ...]
) -> None:
    """Bonuses along a text add up to the bonus of its words; banned words are never written."""
    automaton = compiled(words, vocabulary)
    rule = ConstraintProcessor(automaton, 0, LONGEST, bonus=2.0)
    for ids in texts(vocabulary, 3):
        total = 0.0
        for n, token in enumerate(ids):
            row = rule(torch.tensor([ids[:n]], dtype=torch.long), torch.zeros(1, len(vocabulary)))
            total += float(row[0, token])
        expected = 2.0 * held(words, ids, vocabulary) if clean(words, ids, vocabulary) else -np.inf
        assert total == pytest.approx(expected)


class Letters:
    """The tokenizer of a few tokens."""

    eos_token_id, pad_token_id, all_special_ids = None, 0, ()

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self.tokens = [token.decode().replace(" ", "Ġ") for token in tokens]

    def __len__(self) -> int:
        return len(self.tokens)

    def __call__(self, texts: list[str], **_: object) -> Any:
        return type("Encoding", (), {"input_ids": [[0] for _ in texts]})

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [self.tokens[i] for i in ids]

    def decode(self, ids: list[int], **_: object) -> str:
        return "".join(self.tokens[i] for i in ids).replace("Ġ", " ")


def small_model(vocabulary: Sequence[bytes], seed: int) -> LanguageModel:
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=len(vocabulary), n_positions=16, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=None, eos_token_id=None, initializer_range=0.5,
    )  # fmt: skip
    return LanguageModel(GPT2LMHeadModel(config).eval(), Letters(vocabulary), "small", "")


@settings(deadline=None, max_examples=25)
@given(asked, st.integers(0, 10**6), st.sampled_from([None, 0.0, 3.0]))
def test_a_wide_beam_is_exhaustive_search(
    words: Constraints, seed: int, bonus: float | None
) -> None:
    vocabulary = (b" a", b"b", b".")
    assume(compiled(words, vocabulary).least <= LONGEST)
    lm = small_model(vocabulary, seed)
    scores = {}
    for ids in texts(vocabulary):
        n = held(words, ids, vocabulary)
        if clean(words, ids, vocabulary) and (bonus is not None or n == len(words.required)):
            rows = torch.tensor([[0, *ids]])
            with torch.no_grad():
                logs = lm.model(input_ids=rows).logits[0].log_softmax(-1)
            nats = sum(float(logs[i, token]) for i, token in enumerate(ids))
            scores[lm.tokenizer.decode(list(ids))] = nats + (bonus or 0) * n
    best = sorted(scores, key=lambda text: -scores[text])
    sentences, computed = search_constrained(lm, "x", words, LONGEST, 30, bonus)
    assert set(sentences) <= set(scores)
    assert scores[sentences[0]] == pytest.approx(scores[best[0]], abs=1e-3)
    assert computed % 30 == 0


def test_a_banned_word_is_not_spelled_in_pieces_either() -> None:
    tokens = (b" a", b"r", b"t", b" art", b"y", b" arty", b" x", b".")
    automaton = Automaton(Constraints(banned=("art",)), TokenTexts(tokens))
    allowed = np.isfinite(automaton.gain(1, 0))
    assert not allowed[3]
    assert allowed[5]  # another word, in one piece
    states, seen, _ = automaton.read(np.array([[0, 1]]))
    assert not np.isfinite(automaton.gain(int(states[0]), int(seen[0])))[2]


# --- what is refused

AB = TokenTexts((b" a", b" b", b"."))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (Constraints((("a",),), ("a",)), r"\(a, no a\) cannot hold .* can spell; change the words"),
        (Constraints((("c",),)), r"\(c\) cannot hold in any text"),
        (Constraints((("a.b",),)), r"\(a\.b\) cannot hold"),
    ],
)
def test_impossible_constraints_are_refused_with_a_sentence(
    words: Constraints, message: str
) -> None:
    with pytest.raises(ConstraintError, match=message):
        Automaton(words, AB)


def test_too_few_tokens_are_refused_before_decoding() -> None:
    automaton = Automaton(Constraints((("a",), ("b",))), AB)
    with pytest.raises(ConstraintError, match="at least 3 tokens with the end, and 2 are allowed"):
        ConstraintProcessor(automaton, 5, 2)
    ConstraintProcessor(automaton, 5, 2, bonus=1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("art",),), "write for example Constraints"),
        ((["art"],), "write for example Constraints"),
        (((), "may"), "write for example Constraints"),
        ((((),),), "perhaps one without a form"),
        ((tuple((letter,) for letter in "abcdefghijklm"),), "at most 12"),
        (((("",),),), "begin and end with a letter"),
        (((), (" a",)), "begin and end with a letter"),
        (((("(a",),),), "begin and end with a letter"),
    ],
)
def test_what_is_no_constraint_is_refused_with_a_sentence(arguments: Any, message: str) -> None:
    with pytest.raises(ConstraintError, match=message):
        Constraints(*arguments)


# --- with a model


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    model, tok = tiny.gpt2()
    return LanguageModel(model, tok, "tiny", "")


STORM = Constraints((("storm", "storms"), ("bank", "school")), ("a", "the bridge"))


def uniforms(rows: int, longest: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, longest))


def test_every_sample_meets_its_constraints(lm: LanguageModel) -> None:
    for prefix in (tiny.PREFIX, f"{tiny.PREFIX} Prices rose."):
        for text in sample_constrained(lm, prefix, STORM, uniforms(40), WARM, ["\n"]):
            sentence = re.split(r"[.?!]", text)[0]
            assert all(any(occurs(f, plain(sentence)) for f in w) for w in STORM.required)
            assert not any(occurs(form, plain(sentence, "z")) for form in STORM.banned)
            assert "\n" not in text


def test_without_constraints_the_samples_are_those_of_the_plain_loop(lm: LanguageModel) -> None:
    numbers = uniforms(20, 60, 1)
    free = sample_continuations(lm, tiny.PREFIX, numbers, WARM)
    under = sample_constrained(lm, tiny.PREFIX, Constraints(), numbers, WARM)
    ended = [i for i, text in enumerate(free) if first_sentence(text)[-1:] in set(".?!")]
    assert ended  # only texts that would not have ended in time are forced
    assert all(free[i] == under[i] for i in ended)


@pytest.mark.parametrize("more", [{"do_sample": True, "num_return_sequences": 8}, {"num_beams": 4}])
def test_transformers_generate_under_the_same_rule(lm: LanguageModel, more: dict[str, Any]) -> None:
    automaton = Automaton(STORM, TokenTexts.of(lm.tokenizer, banned=("\n",)))
    prompt = lm.tokenizer([tiny.PREFIX], return_tensors="pt").input_ids
    torch.manual_seed(0)
    out = lm.model.generate(
        prompt, max_new_tokens=24, pad_token_id=lm.tokenizer.pad_token_id, top_k=0, **more,
        logits_processor=[ConstraintProcessor(automaton, prompt.shape[1], 24)],
        eos_token_id=automaton.tokens.end.nonzero()[0].tolist(),
    )  # fmt: skip
    for row in out[:, prompt.shape[1] :].tolist():
        text = plain(lm.tokenizer.decode(row, skip_special_tokens=True))
        assert any(automaton.tokens.end[row])
        assert all(any(occurs(f, text) for f in word) for word in STORM.required)


@pytest.mark.parametrize("bonus", [50.0, None])
def test_a_search_holds_the_words_and_none_that_is_banned(
    lm: LanguageModel, bonus: float | None
) -> None:
    words = Constraints((("council", "storm"), ("ships",)), ("a", "the bridge"))
    search = (lm, tiny.PREFIX, words, 24, 16, bonus, ["\n"])
    sentences, computed = search_constrained(*search)
    assert (sentences, computed) == search_constrained(*search)
    assert len(sentences) == len(set(sentences)) > 0
    assert all(any(occurs(f, plain(sentences[0])) for f in word) for word in words.required)
    assert not any(occurs("a", plain(text, "z")) for text in sentences)
    assert not any("\n" in text for text in sentences)


def test_bad_settings_of_a_search_are_told(lm: LanguageModel) -> None:
    with pytest.raises(ModelError, match="width"):
        search_constrained(lm, tiny.PREFIX, STORM, 24, width=0)
    with pytest.raises(ConstraintError, match="and 1 are allowed"):
        search_constrained(lm, tiny.PREFIX, STORM, 1, bonus=None)
