"""A second language of the world, Volan, into which every sentence can be translated.

Text of the web holds translations, and the released T5 models were trained on some; so is the
student base, and a round trip through a second language is the classical source of paraphrases
(back-translation, ParaBank). Volan has one word for all synonyms, case particles in the place of
prepositions and voice, no articles, and its verb last. It keeps the order in which a sentence names
its participants and modifiers, as translators mostly do, so that a round trip rewords more than it
rearranges. `multitask_pairs` are what a student base learns of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from .constructions import Construction
from .facts import Entity, Fact, Modifier
from .grammar import Analysis, analyze
from .lexicon import LEXICON
from .pretraining import denoising_pairs

NAME = "Volan"
THERE = f"translate English to {NAME}: "  # as T5's own prefixes
BACK = f"translate {NAME} to English: "
DENOISED = 0.25  # share of sentences that are mended instead, so that copying is not forgotten
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
#: After a noun phrase or modifier: its case. A negation follows the verb, a plural its noun.
PARTICLES = {
    "agent": "ka", "theme": "lo", "plural": "ri", "negation": "nu", "place": "wi", "reason": "po",
    "attribution": "ze", "percent": "sento", "days": "daro", "weeks": "veko", "months": "meno",
    "years": "yaro",
}  # fmt: skip


@cache
def word(kind: str, concept: str) -> str:
    """The Volan word for a concept of a kind (frame, noun, adjective, role or a modifier's).

    Two or three syllables spelled by a hash: no word resembles its English one.

    >>> word("noun", "fire") == word("noun", "fire") != word("frame", "fire")
    True
    """
    digest = hashlib.sha256(f"{kind} {concept}".encode()).digest()
    syllables = [
        _CONSONANTS[a % len(_CONSONANTS)] + _VOWELS[b % len(_VOWELS)]
        for a, b in zip(digest[0:6:2], digest[1:6:2], strict=True)
    ]
    return "".join(syllables[: 2 + digest[6] % 2])


def translate(sentence: str) -> str | None:
    """A sentence in Volan, or None for one outside the grammar.

    >>> one = translate("The blaze destroyed a school.")
    >>> one == translate("A fire wrecked the school.") != translate("The school hit the fire.")
    True
    """
    analysis = analyze(sentence)
    return None if analysis is None else _written(analysis)


def _written(analysis: Analysis) -> str:
    fact, construction = analysis.fact, analysis.construction
    parts = [_modifier(analysis.opening.readings[0])] if analysis.opening else []
    for (slot, argument), group in zip(analysis.slots, analysis.phrases, strict=True):
        if slot in ("M", "D"):
            parts += [_modifier(phrase.readings[0]) for phrase in group]
        elif slot in ("A", "T", "R", "X"):
            role = _role(fact, construction, slot, argument)
            entity = fact.role(role)
            assert entity is not None
            parts.append(f"{_entity(entity)} {PARTICLES.get(role) or word('role', role)}")
    verb = word("frame", fact.frame) + (f" {PARTICLES['negation']}" if fact.negated else "")
    return " ".join([*parts, verb]) + "."


def _role(fact: Fact, construction: Construction, slot: str, preposition: str) -> str:
    frame = LEXICON.frames[fact.frame]
    if slot != "X":
        return {"A": "agent", "T": "theme", "R": frame.dative}[slot]
    fitting = [r.name for r in frame.roles if r.preposition == preposition and fact.role(r.name)]
    shifted = construction.frames == "dative"
    return next(name for name in fitting if not (shifted and name == frame.dative))


def _entity(entity: Entity) -> str:
    if entity.concept == "money":
        return f"{entity.number} {word('noun', 'money')}"
    noun = LEXICON.nouns[entity.concept]
    if noun.named and not LEXICON.is_a(entity.concept, "folk"):  # "my brother" is no name
        return entity.concept
    count = [entity.number] if entity.number.isdigit() else []
    adjective = [word("adjective " + noun.group, entity.attribute)] if entity.attribute else []
    plural = [PARTICLES["plural"]] if entity.number == "pl" else []
    return " ".join([*count, *adjective, word("noun", entity.concept), *plural])


def _modifier(modifier: Modifier) -> str:
    if modifier.kind == "place":
        return f"{modifier.value} {PARTICLES['place']}"
    if modifier.kind == "quantity":
        unit, _, number = modifier.value.partition(" ")
        return f"{number} {PARTICLES[unit]}"
    case = PARTICLES.get(modifier.kind)
    return word(modifier.kind, modifier.value) + (f" {case}" if case else "")


def bilingual(sentences: Sequence[str]) -> list[str]:
    """The second language, and what stands before a text to be translated, for a tokenizer."""
    found = [text for s in sentences if (text := translate(s))]
    return [*found, *[THERE, BACK] * (len(found) // 20)]


def multitask_pairs(sentences: Sequence[str], seed: int = 0) -> list[tuple[str, str]]:
    """Each sentence once: translated there or translated back, or (a quarter) to be denoised."""
    draws = np.random.default_rng(seed).random(len(sentences))
    pairs: list[tuple[str, str]] = []
    rest: list[str] = []
    for u, sentence in zip(draws, sentences, strict=True):
        translated = translate(sentence)
        if u < DENOISED or translated is None:
            rest.append(sentence)
        elif u < (1 + DENOISED) / 2:
            pairs.append((THERE + sentence, translated))
        else:
            pairs.append((BACK + translated, sentence))
    return pairs + denoising_pairs(rest, seed)
