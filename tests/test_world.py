"""The in-vitro world: grammar and parser are inverse, the oracle tells the truth."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.config.yaml_files import read_yaml
from impossible.world import (
    Entity,
    Modifier,
    entails,
    equivalent_facts,
    judge,
    make_fact,
    parse,
    tree,
)
from impossible.world.constructions import CONSTRUCTIONS
from impossible.world.documents import DOMAINS, SCRIPTS, draw_facts, sample_document, split_of
from impossible.world.facts import KINDS, Fact, contradicts
from impossible.world.lexicon import HERE, LEXICON
from impossible.world.nli import change_attribute, oppose, sample_example
from impossible.world.realize import constructions_for, realize, realize_tree
from impossible.world.surface import detokenize, words_of

seeds = st.integers(0, 2**32 - 1)


def some_facts(seed: int, negated: bool | None = None) -> list[Fact]:
    rng = np.random.default_rng(seed)
    domain = DOMAINS[rng.integers(len(DOMAINS))]
    script = list(SCRIPTS[domain])[rng.integers(len(SCRIPTS[domain]))]
    facts = draw_facts(domain, script, rng)
    return facts if negated is None else [replace(fact, negated=negated) for fact in facts]


def meaning(sentence: str) -> Fact:
    fact = parse(sentence)
    assert fact is not None, sentence
    return fact


def garden_path(fact: Fact, sentence: str) -> bool:
    """The one known gap of the parser: "took" before "on Friday" is read as "took on"."""
    return fact.frame == "receive" and re.search(r"\bt(ake|ook|aken) on\b", sentence) is not None


@pytest.mark.xfail(strict=True, reason="the longest verb wins, and none is taken back")
def test_took_on_friday_is_no_hiring() -> None:
    assert parse("It was carvanol that a volunteer took on Friday.") is not None


def test_size_of_the_world() -> None:
    forms = {
        word
        for noun in LEXICON.nouns.values()
        for pair in noun.forms
        for form in pair
        for word in form.split()
    }
    forms |= {
        word
        for frame in LEXICON.frames.values()
        for verb in frame.verbs
        for form in verb
        for word in form.split()
    }
    forms |= {
        word for frame in LEXICON.frames.values() for noun in frame.nouns for word in noun.split()
    }
    forms |= {surface for _, surface in LEXICON.attribute_of} | set(LEXICON.number_words.values())
    assert len(forms) >= 1500
    assert len(LEXICON.frames) >= 40
    assert len({frame.domain for frame in LEXICON.frames.values()}) >= 2
    assert len(CONSTRUCTIONS) >= 8
    assert set(KINDS) == {"time", "place", "reason", "manner", "quantity", "attribution"}


def texts_of(raw: object) -> Iterator[object]:
    """What stands in a YAML file, names and values, but for the numbers of number words."""
    if isinstance(raw, dict | list):
        for each in [*raw, *raw.values()] if isinstance(raw, dict) else raw:
            yield from texts_of(each)
    else:
        yield raw


def test_every_form_is_a_text() -> None:
    """YAML 1.1 would read the preposition of "installed on the phone" as true."""
    assert {role.preposition for role in LEXICON.frames["install"].roles} == {"on"}
    for name in ("lexicon", "frames"):
        raw = read_yaml(HERE / f"{name}.yaml")
        numbers = raw.pop("number_words", {})
        assert [text for text in texts_of([raw, *numbers.values()]) if type(text) is not str] == []


@settings(max_examples=60, deadline=None)
@given(seeds, st.booleans())
def test_parse_is_the_inverse_of_realize_in_every_construction(seed: int, negated: bool) -> None:
    rng = np.random.default_rng(seed)
    for fact in some_facts(seed, negated):
        for construction in constructions_for(fact):
            gold = realize_tree(fact, rng, construction.name)
            sentence = detokenize(words_of(gold))
            if garden_path(fact, sentence):
                continue
            assert parse(sentence) == fact, sentence
            assert tree(sentence) == gold


SCRIPTED = {
    frame
    for scripts in SCRIPTS.values()
    for script in scripts.values()
    for step in script["steps"]
    for frame in (step[0].split("|")[0], step[0].split("|")[-1])
}


def test_every_construction_and_kind_of_modifier_occurs() -> None:
    facts = [fact for seed in range(400) for fact in some_facts(seed)]
    facts += [replace(fact, negated=True) for fact in facts]
    assert {c.name for fact in facts for c in constructions_for(fact)} == {
        c.name for c in CONSTRUCTIONS
    }
    assert {m.kind for fact in facts for m in fact.modifiers} == set(KINDS)
    assert {fact.frame for fact in facts} >= SCRIPTED


def test_every_frame_can_be_said() -> None:
    """Each frame, with a filler for each role, survives the round trip in each construction."""
    rng = np.random.default_rng(0)
    for frame in LEXICON.frames.values():
        roles = {"theme": frame.theme, **({"agent": frame.agent} if frame.agent else {})}
        roles |= {role.name: role.types for role in frame.roles}
        for types in range(max(len(t) for t in roles.values())):
            filled = {name: _filler(t[types % len(t)], rng) for name, t in roles.items()}
            for negated in (False, True):
                fact = make_fact(frame.name, filled, negated=negated)
                for construction in constructions_for(fact):
                    sentence = realize(fact, rng, construction.name)
                    assert parse(sentence) == fact, sentence


def _filler(concept: str, rng: np.random.Generator) -> Entity:
    if concept == "money":
        return Entity("money", "12")
    number = next(n for n in ("sg", "pl") if LEXICON.has_number(concept, n))
    return Entity(concept, number)


def test_two_senses_are_told_apart() -> None:
    raised = (meaning("A charity raised $12 million."), meaning("Aerolis raised the fares."))
    assert [fact.frame for fact in raised] == ["collect", "raise_price"]
    assert meaning("A fire destroyed the plant.").role("theme") == Entity("factory")
    assert meaning("The plants expressed RAS9.").role("agent") == Entity("flora", "pl")


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Fire.",
        "A fire destroyed the school",
        "a fire destroyed the school.",
        "A fire destroyed school.",
        "An fire destroyed the school.",
        "The schools was destroyed.",
        "School a fire the destroyed.",
        "A school destroyed the fire.",
        "A fire destroyed the school on Monday on Tuesday.",
        "A fire destroyed the zebra.",
        "A fire destroyed the school <b>.",
    ],
)
def test_nothing_outside_the_grammar_parses(sentence: str) -> None:
    assert parse(sentence) is None
    assert tree(sentence) is None


def test_hand_made_judgements() -> None:
    assert judge("A fire destroyed a school.", "The school was wrecked by a blaze.") == "equivalent"
    assert judge("A fire destroyed a school.", "A fire damaged a school.") == "entails"
    assert judge("A fire damaged a building.", "A fire damaged a school.") == "entailed"
    assert (
        judge("A fire destroyed a school in Lyon.", "A fire destroyed a school in France.")
        == "entails"
    )
    assert (
        judge("A fire injured 12 workers.", "Twelve employees were hurt by a fire.") == "equivalent"
    )
    assert judge("A fire injured 12 workers.", "A fire injured 13 workers.") == "different"
    assert judge("A fire did not damage a school.", "A fire did not destroy a school.") == "entails"
    assert judge("Olympia won the final.", "Olympia lost the final.") == "different"
    assert judge("Olympia won the final.", "Blah.") == "unparsed"


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_entailment_is_a_preorder_and_equivalence_an_equivalence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    example = sample_example(rng)
    facts = [example.premise_fact, example.hypothesis_fact, *some_facts(seed)[:3]]
    facts += [replace(fact, modifiers=fact.modifiers[1:]) for fact in facts]
    for a in facts:
        assert entails(a, a)
        for b in facts:
            assert equivalent_facts(a, b) == equivalent_facts(b, a)
            assert not (entails(a, b) and contradicts(a, b))
            for c in facts:
                assert not (entails(a, b) and entails(b, c)) or entails(a, c)


CONCEPTS = ("fire", "disaster", "storm", "tornado")
THEMES = ("school", "building")
PLACES = ("Lyon", "Lille", "France")
events = st.builds(
    lambda frame, agent, theme, place, time: make_fact(
        frame,
        {"agent": Entity(agent), "theme": Entity(theme)},
        [Modifier(k, v) for k, v in (("place", place), ("time", time)) if v],
    ),
    st.sampled_from(["destroy", "damage"]),
    st.sampled_from(CONCEPTS),
    st.sampled_from(THEMES),
    st.sampled_from(("", *PLACES)),
    st.sampled_from(("", "Monday")),
)


UP = {
    "fire": ("disaster",),
    "tornado": ("storm", "disaster"),
    "flood": ("disaster",),
    "storm": ("disaster",),
    "school": ("building",),
    "church": ("building",),
    "destroy": ("damage",),
    "Lyon": ("France",),
    "Lille": ("France",),
    "Lima": ("Peru",),
}
EVENTS = tuple(
    product(
        ("destroy", "damage"),
        ("fire", "tornado", "flood", "storm", "disaster"),
        ("school", "church", "building"),
        ("Lyon", "Lille", "Lima", "Peru", "France"),
        ("Monday", "Tuesday"),
    )
)


def _denotation(fact: Fact) -> set[tuple[str, ...]]:
    """The single events, enumerated, that make the (positive) fact true."""
    said = {modifier.kind: modifier.value for modifier in fact.modifiers}
    agent, theme = fact.role("agent"), fact.role("theme")
    assert agent is not None
    assert theme is not None
    wanted = (fact.frame, agent.concept, theme.concept, said.get("place"), said.get("time"))
    return {
        event
        for event in EVENTS
        if all(
            want is None or want == part or want in UP.get(part, ())
            for part, want in zip(event, wanted, strict=True)
        )
    }


@settings(max_examples=200, deadline=None)
@given(events, events, st.booleans())
def test_entailment_agrees_with_enumerated_truth(x: Fact, y: Fact, negated: bool) -> None:
    """x entails y iff y holds in every world where x does; worlds are sets of single events."""
    contained = _denotation(y) <= _denotation(x) if negated else _denotation(x) <= _denotation(y)
    assert entails(replace(x, negated=negated), replace(y, negated=negated)) == contained


@settings(max_examples=80, deadline=None)
@given(seeds)
def test_one_antonym_makes_a_sentence_never_equivalent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for fact in some_facts(seed):
        for other in (oppose(fact, rng), _opposite_adjective(fact)):
            if other is not None:
                assert not equivalent_facts(fact, other)
                sentence = realize(other, rng)
                swapped = parse(sentence)
                assert swapped == other or garden_path(other, sentence)


def _opposite_adjective(fact: Fact) -> Fact | None:
    for role, entity in fact.roles:
        group = LEXICON.nouns[entity.concept].group
        opposite = LEXICON.attribute_antonyms.get((group, entity.attribute))
        if opposite:
            roles = {**dict(fact.roles), role: replace(entity, attribute=opposite)}
            return make_fact(fact.frame, roles, fact.modifiers, fact.negated)
    return None


def test_changing_an_attribute_changes_the_meaning() -> None:
    rng = np.random.default_rng(3)
    fact = make_fact("destroy", {"agent": Entity("fire"), "theme": Entity("school")})
    changed = [c for c in (change_attribute(fact, rng) for _ in range(50)) if c and c != fact]
    assert changed
    assert not any(equivalent_facts(fact, c) for c in changed)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_documents_never_tell_a_fact_twice(seed: int) -> None:
    document = sample_document(np.random.default_rng(seed))
    assert 2 <= len(document.sentences) <= 8
    for fact, sentence in zip(document.facts, document.sentences, strict=True):
        assert parse(sentence) == fact or garden_path(fact, sentence)
    for i, a in enumerate(document.facts):
        assert not any(equivalent_facts(a, b) for b in document.facts[i + 1 :])


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_splits_are_disjoint(seed: int) -> None:
    rng = np.random.default_rng(seed)
    train = sample_document(rng)
    assert {split_of(fact.core()) for fact in train.facts} == {"train"}
    for split in ("dev", "test"):
        held_out = sample_document(rng, split)
        assert split_of(held_out.facts[-1].core()) == split
        assert {split_of(fact.core()) for fact in held_out.facts[:-1]} <= {"train"}
        example = sample_example(rng, split)
        facts = (example.premise_fact, example.hypothesis_fact)
        assert example.edits or {split_of(fact.core()) for fact in facts} == {split}
    example = sample_example(rng, "train")
    for fact in (example.premise_fact, example.hypothesis_fact):
        assert split_of(fact.core()) == "train"


def test_verbs_are_never_read_as_bare_nouns() -> None:
    """A verb form that were also a plural or mass noun would be swallowed by a noun phrase."""
    bare = {
        f for n in LEXICON.nouns.values() for s, p in n.forms for f in (p, s if not p else "") if f
    }
    verbs = {form for frame in LEXICON.frames.values() for verb in frame.verbs for form in verb}
    nominals = {noun for frame in LEXICON.frames.values() for noun in frame.nouns}
    assert not bare & verbs
    assert not nominals & {f for n in LEXICON.nouns.values() for pair in n.forms for f in pair}


def test_sentences_read_as_written_english() -> None:
    rng = np.random.default_rng(11)
    for _ in range(300):
        for sentence in sample_document(rng).sentences:
            assert re.fullmatch(r"[A-Z$0-9][A-Za-z0-9$,.' -]*\.", sentence), sentence
            assert "  " not in sentence
            assert " ," not in sentence
            assert "@" not in sentence


def test_samples_stay_the_same() -> None:
    """Seeds name documents: what was measured on them holds only as long as they stay."""
    documents = [sample_document(np.random.default_rng(seed)).text for seed in range(300)]
    examples = [sample_example(np.random.default_rng(seed)) for seed in range(300)]
    first = ("news", "biomedical")
    earlier = [sample_document(np.random.default_rng(s), domains=first).text for s in range(300)]
    samples = (documents, examples, earlier)
    digests = [sha256(repr(sample).encode()).hexdigest()[:16] for sample in samples]
    assert digests == ["8739a4104ca73522", "c4932d1d3c304921", "f6771024f47c7597"]


def test_the_writer_of_a_post_is_I_or_me() -> None:
    bought = meaning("I bought a phone.")
    assert bought.role("agent") == Entity("speaker")
    assert meaning("A cell phone was purchased by me.") == bought
    assert meaning("It was me that picked up the phone.") == bought
    for wrong in (
        "Me bought a phone.",
        "A phone was bought by I.",
        "I's purchase of a phone occurred.",
    ):
        assert parse(wrong) is None
    assert judge("I bought a phone.", "A member bought a gadget.") == "entails"
    assert judge("My brother broke a phone.", "I broke a phone.") == "different"


def test_an_opinion_is_an_attribution_and_can_be_left_out() -> None:
    plain = "The pizza was loved by my mom."
    for text in (
        "In my opinion, my mother adored the pizza.",
        "I guess that my mom loved a pizza.",
    ):
        assert judge(text, plain) == "entails"
    assert judge("I think that I ate a kebab.", "I ate a kebab.") == "unparsed"
    assert (
        judge("I think that I ate a curry.", "If you ask me, a curry was had by me.")
        == "equivalent"
    )


def test_forums_are_informal() -> None:
    """The first person and opinions occur there and nowhere else; nominalizations are rarer."""
    rng = np.random.default_rng(5)
    share = {}
    for domain in DOMAINS:
        sentences = [
            s for _ in range(150) for s in sample_document(rng, domains=[domain]).sentences
        ]
        first = [s for s in sentences if re.search(r"\b(I|me|my|My)\b", s)]
        share[domain] = len(first) / len(sentences)
    assert share["forum"] > 0.5
    assert share["news"] == share["biomedical"] == 0


def test_a_generic_stands_directly_above_the_named_filler() -> None:
    assert meaning("The carmaker that hired a worker was Halden.").role("agent") == Entity("Halden")
    for other in ("company", "old carmaker", "carmaker Norvane"):
        assert parse(f"The {other} that hired a worker was Halden.") is None


def test_the_world_needs_no_torch() -> None:
    code = "import sys, impossible.world.nli; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_five_thousand_parses_a_second() -> None:
    rng = np.random.default_rng(0)
    sentences = [s for _ in range(500) for s in sample_document(rng).sentences]
    started = time.perf_counter()
    for sentence in sentences:
        parse(sentence)
    assert len(sentences) / (time.perf_counter() - started) >= 5000
