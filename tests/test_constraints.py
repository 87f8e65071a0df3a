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
from impossible.generation.constrained import searching
from impossible.generation.constrained.automaton import NEVER, Automaton
from impossible.generation.constrained.beam_search import Hypothesis, Soft, beam_search
from impossible.generation.constrained.constraints import (
    Clause,
    ConstraintError,
    Literal,
    Matcher,
    must,
    must_not,
)
from impossible.generation.constrained.sampling import (
    ConstraintProcessor,
    HardRule,
    sample_constrained,
)
from impossible.generation.constrained.searching import search_constrained
from impossible.generation.constrained.vocabulary import Vocabulary, token_bytes
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus, bucketed_rows, generate
from impossible.text.sentence_boundaries import first_sentence

LONGEST = 4  # tokens of an enumerated text


def plain(text: str, lost: str = "z") -> str:
    """What the automaton takes letters beyond ASCII for; `lost` stands for what is no UTF-8."""
    text = text.replace("\ufffd", lost)
    return "".join(c if c < "\x80" else " " if c.encode()[0] in (0xC2, 0xE2) else "z" for c in text)


# --- the automaton over bytes

WORDS = ["art", "new york", "york city", "Rain", "a", "b a", "café", "x2"]
PIECES = ["art", "party", "new", " ", "york", "city", "York", "-", "“", "”", "é", "a", "b", "Rain"]
PIECES += ["rain", ".", "'s", "A", "1", "_", "café", "Café", "x2", "\n", "–"]


def occurs(form: str, text: str) -> bool:
    """The definition: the form, also with a capital, between what is no letter and no digit."""
    forms = "|".join(re.escape(each) for each in {form, form[:1].upper() + form[1:]})
    return re.search(rf"(?<![^\W_])(?:{forms})(?![^\W_])", text) is not None


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_the_matcher_finds_what_the_regular_expression_finds(text: str) -> None:
    matcher = Matcher.of([(word, i) for i, word in enumerate(WORDS)])
    found = matcher.occurs(text)
    assert [bool(found >> i & 1) for i in range(len(WORDS))] == [occurs(w, text) for w in WORDS]


def test_a_word_counts_at_its_boundaries_only() -> None:
    matcher = Matcher.of({"art": 0})
    inside = ["party", "arts", "art1", "éart", "start"]
    whole = ["art", "Art.", "the art's", "art-house", "“art”", "an_art_"]
    assert not any(matcher.occurs(text) for text in inside)
    assert all(matcher.occurs(text) for text in whole)
    assert matcher.start("the p") != matcher.start("the ")


@given(st.text(max_size=30))
def test_tokens_spell_the_bytes_of_the_text(text: str) -> None:
    tok = tiny.tokenizer()
    spelled = token_bytes(tok)
    assert b"".join(spelled[i] for i in tok(text).input_ids) == text.encode()


# --- a world of a few tokens

TOKENS = (b" a", b"b", b" ab", b"a", b".", b" b.")
LITERALS = ["a", "b", "ab", "ba", "bb", "a b", "ab a"]


def literals() -> st.SearchStrategy[Literal]:
    forms = st.lists(st.sampled_from(LITERALS), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(Literal, forms, st.booleans())


def formulas() -> st.SearchStrategy[list[Clause]]:
    clause = st.lists(literals(), min_size=1, max_size=2).map(tuple)
    return st.lists(clause, max_size=3)


def sentence_part(tokens: Sequence[bytes]) -> str:
    """The text up to its first end mark."""
    return b"".join(tokens).decode().split(".")[0]


def holds(clause: Clause, text: str) -> bool:
    return any(any(occurs(f, text) for f in each.forms) != each.negative for each in clause)


def banned_in(cnf: Sequence[Clause], tokens: Sequence[bytes]) -> bool:
    """Whether at some token the text so far holds a banned word."""
    bans = [c[0].forms for c in cnf if len(c) == 1 and c[0].negative]
    texts = [b"".join(tokens[:n]).decode() for n in range(1, len(tokens) + 1)]
    return any(occurs(form, text) for forms in bans for form in forms for text in texts)


def texts(vocabulary: Sequence[bytes], longest: int = LONGEST) -> Iterator[tuple[int, ...]]:
    """All texts that end with an end mark and hold none before."""
    for length in range(1, longest + 1):
        for ids in product(range(len(vocabulary)), repeat=length):
            ends = [vocabulary[i].endswith(b".") for i in ids]
            if ends[-1] and not any(ends[:-1]):
                yield ids


def good(cnf: Sequence[Clause], ids: Sequence[int], vocabulary: Sequence[bytes]) -> bool:
    tokens = [vocabulary[i] for i in ids]
    part = sentence_part(tokens)
    return not banned_in(cnf, tokens) and all(holds(clause, part) for clause in cnf)


def chain(seed: int, size: int) -> torch.Tensor:
    """Logits of the next token after each token, and (last row) of the first."""
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 2, (size + 1, size)))


def likelihood(table: torch.Tensor, ids: Sequence[int]) -> float:
    steps = table.log_softmax(-1)
    return sum(float(steps[i, j]) for i, j in zip([len(table) - 1, *ids], ids, strict=False))


class Chain:
    """The model of `chain` as a step with a state that beams reorder."""

    def __init__(self, table: torch.Tensor) -> None:
        self.table, self.reordered = table, 0

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.table[tokens.flatten()]

    def reorder(self, *_: object) -> None:
        self.reordered += 1


def alone(
    model: Any, automaton: Automaton, longest: int, soft: Soft
) -> tuple[list[Hypothesis], int]:
    """The search after one prefix."""
    return beam_search(
        model.forward, model.reorder, model.table[-1:], [automaton], [longest], soft
    )[0]


def vocabularies() -> st.SearchStrategy[tuple[bytes, ...]]:
    some = st.lists(st.sampled_from(TOKENS[:4]), min_size=2, max_size=3, unique=True)
    return st.tuples(some, st.sampled_from([(b".",), (b".", b" b.")])).map(
        lambda pair: (*pair[0], *pair[1])
    )


def compiled(cnf: list[Clause], vocabulary: tuple[bytes, ...]) -> Automaton:
    """The automaton; where it refuses, nothing of the enumerated may be good either."""
    try:
        return Automaton(cnf, Vocabulary(vocabulary, marks="."))
    except ConstraintError:
        assert not [ids for ids in texts(vocabulary) if good(cnf, ids, vocabulary)]
        assume(False)
        raise


@settings(deadline=None, max_examples=150)
@given(formulas(), vocabularies())
def test_the_cost_is_the_length_of_the_shortest_good_text(
    cnf: list[Clause], vocabulary: tuple[bytes, ...]
) -> None:
    automaton = compiled(cnf, vocabulary)
    lengths = [len(ids) for ids in texts(vocabulary) if good(cnf, ids, vocabulary)]
    least = automaton.least()
    assert least == min(lengths) if lengths else least > LONGEST


@settings(deadline=None, max_examples=100)
@given(formulas(), vocabularies(), st.integers(0, 10**6))
def test_a_wide_hard_beam_is_exhaustive_search(
    cnf: list[Clause], vocabulary: tuple[bytes, ...], seed: int
) -> None:
    automaton = compiled(cnf, vocabulary)
    assume(automaton.least() <= LONGEST)
    table = chain(seed, len(vocabulary))
    model = Chain(table)
    wide = Soft(width=2000, bonus=0.0, partial=0.0, length=0.0, hard=True)
    found = alone(model, automaton, LONGEST, wide)[0]
    expected = {
        ids: likelihood(table, ids) for ids in texts(vocabulary) if good(cnf, ids, vocabulary)
    }
    assert {each.tokens for each in found} == set(expected)
    assert found[0].tokens == max(expected, key=expected.__getitem__)
    assert found[0].score == pytest.approx(max(expected.values()), abs=1e-4)


@settings(deadline=None, max_examples=100)
@given(formulas(), vocabularies(), st.integers(0, 10**6), st.floats(0, 5), st.floats(0, 1))
def test_a_wide_soft_beam_finds_the_best_score(
    cnf: list[Clause], vocabulary: tuple[bytes, ...], seed: int, bonus: float, power: float
) -> None:
    automaton = compiled(cnf, vocabulary)
    table = chain(seed, len(vocabulary))
    model = Chain(table)
    wide = Soft(width=2000, bonus=bonus, length=power)
    found = alone(model, automaton, LONGEST, wide)[0]
    expected = {}
    for ids in texts(vocabulary):
        tokens = [vocabulary[i] for i in ids]
        if not banned_in(cnf, tokens):
            part = sentence_part(tokens)
            held = sum(holds(clause, part) or not _asks(clause) for clause in cnf)
            expected[ids] = likelihood(table, ids) / len(ids) ** power + bonus * held
    assert {each.tokens for each in found} == set(expected)
    if expected:
        assert found[0].score == pytest.approx(max(expected.values()), abs=1e-3)


def _asks(clause: Clause) -> bool:
    """Not a ban: bans always hold in what is written."""
    return not (len(clause) == 1 and clause[0].negative)


@settings(deadline=None, max_examples=60)
@given(formulas(), vocabularies(), st.integers(0, 10**6))
def test_hard_sampling_draws_from_the_renormalised_model(
    cnf: list[Clause], vocabulary: tuple[bytes, ...], seed: int
) -> None:
    """Step by step: the chance of a token is the model's among those that some good text takes."""
    automaton = compiled(cnf, vocabulary)
    assume(automaton.least() <= LONGEST)
    table = chain(seed, len(vocabulary))
    fine = [ids for ids in texts(vocabulary) if good(cnf, ids, vocabulary)]
    numbers = np.random.default_rng(seed).random((16, LONGEST))
    rule = HardRule(automaton, LONGEST)
    seen: list[tuple[tuple[int, ...], torch.Tensor]] = []

    def forbid(logits: torch.Tensor, rows: Sequence[int], sampled: list[list[int]]) -> Any:
        masked = rule(logits, rows, sampled)
        seen.extend((tuple(sampled[row]), masked[slot]) for slot, row in enumerate(rows))
        return masked

    slots = bucketed_rows(range(16))
    model, first = Chain(table), table[-1:].expand(len(slots), -1)
    drawn = generate(
        model.forward, model.reorder, first, numbers, Nucleus(1.0, 1.0),
        lambda row, tokens: vocabulary[tokens[-1]].endswith(b"."), forbid,
    )  # fmt: skip
    assert all(tuple(ids) in fine for ids in drawn)
    for begun, masked in seen:
        if begun and vocabulary[begun[-1]].endswith(b"."):
            continue  # a slot that fills the bucket
        going = [ids[len(begun)] for ids in fine if ids[: len(begun)] == begun]
        wanted = torch.full((len(vocabulary),), -torch.inf, dtype=torch.double)
        wanted[going] = table[begun[-1] if begun else -1][going]
        assert torch.allclose(masked.softmax(-1), wanted.softmax(-1), atol=1e-6)


def test_a_narrow_beam_keeps_beams_for_every_set_of_clauses() -> None:
    """After two tokens the four most probable texts have no b: without groups it would be lost."""
    table = torch.log(torch.tensor([[0.44, 0.44, 0.02, 0.1]] * 5))
    vocabulary = Vocabulary((b" a", b" c", b" b", b"."), marks=".")
    model = Chain(table)
    soft = Soft(width=4, bonus=3.0, partial=0.0, length=0.0)
    found, computed = alone(model, Automaton([must("b")], vocabulary), 3, soft)
    assert {each.tokens[:-1] for each in found if each.held} >= {(2,)}
    assert computed == 3 + 4  # beams after one token and after two


# --- many prefixes at once


class Remembering:
    """A toy model with a state per beam, from all of its tokens: what `reorder` must carry along.

    Its prefixes begin in the states `starts`; it checks that closed ones are gone.
    """

    def __init__(self, seed: int, starts: Sequence[int], tokens: int, states: int = 50) -> None:
        rng = np.random.default_rng(seed)
        self.logits = torch.from_numpy(rng.normal(0, 2, (states, tokens)))
        self.after = torch.from_numpy(rng.integers(0, states, (states, tokens)))
        self.state, self.first = torch.tensor(starts), self.logits[list(starts)]
        self.owner = np.arange(len(starts))
        self.steps = 0

    def reorder(self, kept: torch.Tensor, owner: np.ndarray) -> None:
        assert (self.owner[kept.numpy()] == owner).all()  # a beam stays with its prefix
        assert (np.diff(owner) >= 0).all()
        self.state, self.owner = self.state[kept], owner

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        self.steps += 1
        self.state = self.after[self.state, tokens]
        return self.logits[self.state]


def softs() -> st.SearchStrategy[Soft]:
    numbers = st.floats(0, 5)
    return st.builds(Soft, st.integers(1, 6), numbers, numbers, st.floats(0, 1), st.booleans())


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(formulas(), st.integers(0, 9), st.integers(0, 49)), min_size=1, max_size=5),
    vocabularies(), softs(), st.integers(0, 10**6),
)  # fmt: skip
def test_prefixes_searched_together_find_what_each_finds_alone(
    parts: list[tuple[list[Clause], int, int]],
    vocabulary: tuple[bytes, ...],
    soft: Soft,
    seed: int,
) -> None:
    automata = [compiled(cnf, vocabulary) for cnf, _, _ in parts]
    longest = [extra for _, extra, _ in parts]
    starts = [start for _, _, start in parts]
    before = ["ab"[: start % 3] for start in starts]
    if soft.hard:
        least = [each.least(text) for each, text in zip(automata, before, strict=True)]
        assume(max(least) < NEVER)
        longest = [extra + most for extra, most in zip(longest, least, strict=True)]
    model = Remembering(seed, starts, len(vocabulary))
    found = beam_search(model.forward, model.reorder, model.first, automata, longest, soft, before)
    steps = []
    for place, result in enumerate(found):
        mine = slice(place, place + 1)
        own = Remembering(seed, starts[mine], len(vocabulary))
        one = beam_search(
            own.forward, own.reorder, own.first, automata[mine], longest[mine], soft, before[mine]
        )
        assert one == [result]
        steps.append(own.steps)
        texts_ = [[vocabulary[i] for i in each.tokens] for each in result[0]]
        assert before[place] or not any(banned_in(parts[place][0], text) for text in texts_)
        assert len(result[0]) <= soft.width
    assert model.steps == max(steps)  # one pass for all that are open


def test_no_prefix_and_no_token() -> None:
    model = Remembering(0, [], 3)
    assert beam_search(model.forward, model.reorder, model.first, [], [], Soft()) == []
    model = Remembering(0, [1, 2], 3)
    automata = [Automaton([must("a")], AB)] * 2
    found = beam_search(model.forward, model.reorder, model.first, automata, [0, 3], Soft(2))
    assert found[0] == ([], 0)
    assert found[1][1] > 0


# --- what is refused

AB = Vocabulary((b" a", b" b", b"."), marks=".")


@pytest.mark.parametrize(
    ("cnf", "told"),
    [
        ([must("a"), must_not("a")], r"without what is banned \(a\); change the words or the bans"),
        ([must("b"), must("a", "A"), must_not("a"), must_not("A")], r"clause 2 \(a/A\)"),
        (
            [must("c")],
            r"\(c\) cannot hold .* can spell; change the words$",
        ),
        ([()], "without a literal"),
        ([must(*"abcdefgh"), *(must(letter + "x") for letter in "abcdefghijklm")], "at most 12"),
        ([must("a.b")], "holds an end mark"),
    ],
)
def test_impossible_sets_are_refused_with_a_sentence(cnf: list[Clause], told: str) -> None:
    with pytest.raises(ConstraintError, match=told):
        Automaton(cnf, AB)


def test_too_few_tokens_are_refused_before_decoding() -> None:
    automaton = Automaton([must("a"), must("b")], AB)
    with pytest.raises(ConstraintError, match="at least 3 tokens with the end, and 2 are allowed"):
        HardRule(automaton, 2)
    with pytest.raises(ConstraintError, match="at least 3"):
        ConstraintProcessor(automaton, 5, 2)


WRONG_SETS: dict[str, Any] = {
    "one clause in the place of a list": must("a"),
    "a literal in the place of a clause": [Literal(("a",))],
    "a text in the place of a clause": ["a"],
}


@pytest.mark.parametrize("cnf", WRONG_SETS.values(), ids=WRONG_SETS)
def test_what_is_no_list_of_clauses_is_refused_with_a_sentence(lm: LanguageModel, cnf: Any) -> None:
    with pytest.raises(ConstraintError, match="a list of clauses, and .* is none; write"):
        Automaton(cnf, AB)
    with pytest.raises(ConstraintError, match="such a list for each prefix"):
        sample_constrained(lm, [tiny.PREFIX], [cnf], [np.zeros((1, 9))])
    with pytest.raises(ConstraintError, match="such a list for each prefix"):
        search_constrained(lm, [tiny.PREFIX], [cnf], 9, skip=True)


def test_each_prefix_has_its_constraints_and_numbers(lm: LanguageModel) -> None:
    two, one, numbers = [tiny.PREFIX, "Prices rose."], [[must("a")]], np.zeros((1, 9))
    told = "2 prefixes and 1 sets of constraints; give one for each prefix"
    with pytest.raises(ConstraintError, match=told):
        sample_constrained(lm, two, one, [numbers] * 2)
    with pytest.raises(ConstraintError, match=told):
        search_constrained(lm, two, one, 9)
    with pytest.raises(ConstraintError, match="2 prefixes and 1 arrays of uniforms"):
        sample_constrained(lm, two, one * 2, [numbers])
    with pytest.raises(ConstraintError, match=r"shape \(9,\); it must be \(k, max_new_tokens\)"):
        sample_constrained(lm, two[:1], one, [numbers[0]])


@pytest.mark.parametrize("forms", ["court", (3,)])
def test_forms_are_a_tuple_of_texts(forms: Any) -> None:
    with pytest.raises(ConstraintError, match="a tuple of texts, got .*; write for example must"):
        Literal(forms)


@pytest.mark.parametrize("form", ["", " a", "a ", "(a"])
def test_forms_that_are_no_words_are_refused(form: str) -> None:
    with pytest.raises(ConstraintError, match="begin and end with a letter"):
        must(form)


def test_other_bad_input() -> None:
    with pytest.raises(ConstraintError, match="no form"):
        Literal(())
    with pytest.raises(ConstraintError, match="must be able to end"):
        Vocabulary((b"a",))
    with pytest.raises(ModelError, match="width"):
        Soft(width=0)


def test_a_banned_word_is_not_spelled_in_pieces_either() -> None:
    tokens = (b" a", b"r", b"t", b" art", b"y", b" arty", b" x", b".")
    automaton = Automaton([must_not("art")], Vocabulary(tokens, marks="."))
    step = automaton.matcher.start()
    assert automaton.need(step, 0)[3] == NEVER
    assert automaton.need(step, 0)[5] < NEVER  # another word, in one piece
    state = (np.array([step]), np.array([0]), np.array([False]))
    for token in (0, 1):
        state = automaton.advance(*state, np.array([token]))
    assert automaton.need(int(state[0][0]), 0)[2] == NEVER


# --- with a model


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    model, tok = tiny.gpt2()
    return LanguageModel(model, tok, "tiny", "")


CNF = [must("storm", "storms"), must("bank", "school"), must_not("a"), must_not("the bridge")]


def uniforms(rows: int, longest: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, longest))


def test_every_sample_meets_its_constraints(lm: LanguageModel) -> None:
    prefixes = [tiny.PREFIX, f"{tiny.PREFIX} Prices rose."]
    nucleus = Nucleus(1.0, 1.0)
    found = sample_constrained(lm, prefixes, [CNF] * 2, [uniforms(40)] * 2, nucleus, ["\n"])
    for text in (each for row in found for each in row):
        sentence = re.split(r"[.?!]", plain(text, " "))[0]
        assert all(holds(clause, sentence) for clause in CNF[:2])
        assert "\n" not in text
        assert not occurs("a", plain(text))


def test_samples_do_not_depend_on_the_rows_beside_them(lm: LanguageModel) -> None:
    numbers = uniforms(40)
    prefixes, sets = [tiny.PREFIX, "Prices rose."], [CNF, [must("ships")]]
    whole = sample_constrained(lm, prefixes, sets, [numbers, numbers])
    parts = sample_constrained(lm, prefixes, sets, [numbers, numbers], rows=7)
    alone = sample_constrained(lm, prefixes[1:], sets[1:], [numbers[5:6]])
    assert whole == parts
    assert alone[0] == whole[1][5:6]


def test_without_constraints_the_samples_are_those_of_the_plain_loop(lm: LanguageModel) -> None:
    from impossible.models.causal_generation import sample_continuations

    numbers, longest = uniforms(20, 60, 1), 60
    plain = sample_continuations(lm, [tiny.PREFIX], [numbers])[0]
    under = sample_constrained(lm, [tiny.PREFIX], [[]], [numbers])[0]
    ended = [i for i, text in enumerate(plain) if first_sentence(text)[-1:] in set(".?!")]
    same = [i for i in ended if plain[i] == under[i]]
    assert longest == numbers.shape[1]
    assert same == ended  # only texts that would not have ended in time are forced


def test_transformers_generate_under_the_same_rule(lm: LanguageModel) -> None:
    automaton = Automaton(CNF, Vocabulary.of(lm.tokenizer, banned=("\n",)))
    prompt = lm.tokenizer([tiny.PREFIX], return_tensors="pt").input_ids
    for more in ({"do_sample": True, "num_return_sequences": 8}, {"num_beams": 4}):
        torch.manual_seed(0)
        rule = ConstraintProcessor(automaton, prompt.shape[1], 24, tiny.PREFIX)
        out = lm.model.generate(
            prompt, max_new_tokens=24, logits_processor=[rule], top_k=0,
            pad_token_id=lm.tokenizer.pad_token_id, **more,
        )  # fmt: skip
        for row in out[:, prompt.shape[1] :].tolist():
            assert lm.tokenizer.eos_token_id in row
            text = plain(lm.tokenizer.decode(row, skip_special_tokens=True), " ")
            assert all(holds(clause, text) for clause in CNF[:2])


def test_the_search_holds_what_sampling_does_not(lm: LanguageModel) -> None:
    soft = Soft(width=16, bonus=50.0, partial=50.0)
    prefixes = [tiny.PREFIX, "Prices rose."]
    found = search_constrained(lm, prefixes, [CNF, CNF], 24, soft, ["\n"])
    again = search_constrained(lm, prefixes[1:], [CNF], 24, soft, ["\n"])
    assert found[1:] == again
    for sentences, computed in found:
        assert all(holds(clause, plain(sentences[0], " ")) for clause in CNF[:2])
        assert not any(occurs("a", plain(text)) for text in sentences)
        assert computed > 24


@pytest.mark.parametrize("ragged", [True, False])
def test_ragged_prefixes_are_searched_together(
    lm: LanguageModel, ragged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every text of every prefix, to the last token, for any size of a batch."""
    if not ragged:  # as for models whose attention is another
        monkeypatch.setattr(searching, "SHARING", frozenset())
    prefixes = [tiny.PREFIX, "Prices rose.", f"{tiny.PREFIX} The storm", "The bank fell.", "In May"]
    sets = [CNF, [must("ships")], [], [must("bank", "banks"), must_not("a")], CNF]
    longest, soft = [24, 9, 16, 20, 24], Soft(width=5, bonus=50.0, partial=50.0)
    each = [
        search_constrained(lm, [prefix], [cnf], most, soft, ["\n"])[0]
        for prefix, cnf, most in zip(prefixes, sets, longest, strict=True)
    ]
    for batch_tokens in (1, 700, 16_384):
        found = search_constrained(lm, prefixes, sets, longest, soft, ["\n"], batch_tokens)
        assert found == each
    assert not any(occurs("a", plain(text)) for i in (0, 3, 4) for text in each[i][0])


def test_one_impossible_set_need_not_stop_the_others(lm: LanguageModel) -> None:
    prefixes, sets = [tiny.PREFIX, "Prices rose."], [[must("a"), must_not("a")], [must("ships")]]
    with pytest.raises(ConstraintError, match=r"banned \(a\)"):
        search_constrained(lm, prefixes, sets, 9, Soft(4))
    found = search_constrained(lm, prefixes, sets, 9, Soft(4), skip=True)
    assert found[0] == ([], 0)
    assert found[1:] == search_constrained(lm, prefixes[1:], sets[1:], 9, Soft(4))
    hard = Soft(4, hard=True)
    with pytest.raises(ConstraintError, match="and 1 are allowed"):
        search_constrained(lm, prefixes[1:], sets[1:], 1, hard)
    assert search_constrained(lm, prefixes, sets, [9, 1], hard, skip=True) == [([], 0)] * 2


def test_a_checkpoint_on_disk_spells_the_same(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = tiny.save(tmp_path, *tiny.gpt2())
    assert token_bytes(AutoTokenizer.from_pretrained(folder)) == token_bytes(tiny.tokenizer())
