"""Documents: a prefix and 2 to 8 sentences that follow a script (scripts.yaml).

A document has a cast, a mood (which of two opposite steps happen) and a style (which kinds of
modifier it uses), all drawn once. Early steps bring the cast in, later ones only use it, so the
next fact becomes more predictable as the context grows. No fact is told twice in a document: a
language model trained on these documents never sees a paraphrase.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from impossible.config.yaml_files import read_yaml

from .facts import Entity, Fact, Modifier, equivalent_facts, fits, make_fact
from .lexicon import LEXICON
from .modifiers import modifier_values
from .realize import Rng, realize

SCRIPTS: dict[str, dict[str, Any]] = read_yaml(Path(__file__).parent / "scripts.yaml")
DOMAINS = tuple(SCRIPTS)
PREFIXES = {
    "news": tuple(
        f"{city.upper()} ({media}) --"
        for city in ("London", "New York", "Geneva", "Brussels")
        for media in ("Reuters", "AP", "CNN")
    ),
    "biomedical": ("Abstract:", "Introduction:", "Methods:", "Conclusion:"),
    "forum": ("Post:", "Question:", "Rant:", "Update:"),
}
SKIP = 0.12  # chance that a step of the script is left out
NEGATED = 0.1  # chance that a step is told as not having happened
GENERIC = 0.2  # chance that a named thing already mentioned is called by what it is ("the company")
IN_STYLE = 0.8  # chance of a modifier whose kind is in the document's style
OUT_OF_STYLE = 0.06  # … and of one whose kind is not
STYLE = {  # chance that a kind of modifier is in the style of a document
    "time": 0.5,
    "place": 0.45,
    "reason": 0.25,
    "manner": 0.3,
    "quantity": 0.3,
    "attribution": 0.35,
}
# Adverbs that need someone who acts: no storm does anything reluctantly
AGENTIVE = frozenset((
    "secretly", "openly", "unanimously", "reluctantly", "accidentally", "deliberately",
    "peacefully", "violently", "independently", "formally",
))  # fmt: skip
PERCENT = ("price", "wage", "profit", "output", "tax", "outcome")  # what moves by 3 percent
# Predicates that take time: "for 3 weeks"
LASTING = frozenset((
    "close", "treat", "monitor", "arrest", "inject", "receive", "evacuate", "regulate", "inhibit",
    "activate", "tolerate", "follow", "hire", "avoid", "wear",
))  # fmt: skip


@dataclass(frozen=True)
class Document:
    """A document: prefix, domain, script, its facts and one sentence for each."""

    domain: str
    script: str
    prefix: str
    facts: tuple[Fact, ...]
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """Prefix and sentences on one line."""
        return " ".join((self.prefix, *self.sentences))


@cache
def split_of(core: tuple[str, ...]) -> str:
    """train (90 %), dev (5 %) or test (5 %) by a hash of the fact's predicate and participants.

    >>> split_of(("sink", "theme=ferry")) in {"train", "dev", "test"}
    True
    """
    bucket = hashlib.sha256("|".join(core).encode()).digest()[0] % 20
    return {18: "dev", 19: "test"}.get(bucket, "train")


@cache
def _leaves(concept: str, named: bool) -> tuple[str, ...]:
    return tuple(LEXICON.below(concept, named))


def _draw_cast(spec: str, rng: Rng) -> Entity:
    """One participant from its description in scripts.yaml."""
    first, _, rest = spec.partition(" ")
    if spec == "money":
        return Entity("money", str(rng.integers(2, 100)))
    if first == "named":
        options = _leaves(rest, True)
        return Entity(options[rng.integers(len(options))])
    if "-" in first:
        low, high = map(int, first.split("-"))
        options = _leaves(rest, False) or (rest,)
        concept = options[rng.integers(len(options))]
        return _describe(Entity(concept, str(rng.integers(low, high + 1))), rng, 0.15)
    # A bare concept stands for itself
    options = _leaves(rest, False) if first == "any" else (spec,)
    concept = options[rng.integers(len(options))] if options else rest
    return _describe(Entity(concept, _grammatical_number(concept, rng)), rng, 0.3)


def _grammatical_number(concept: str, rng: Rng) -> str:
    """Plural for what comes in groups, else singular, as far as the noun has it."""
    noun = LEXICON.nouns[concept]
    numbers = [n for n, i in (("sg", 0), ("pl", 1)) if any(form[i] for form in noun.forms)]
    group = any(
        LEXICON.is_a(concept, kind)
        for kind in ("person", "patient", "animal", "goods", "cell", "flora")
    )
    return "pl" if group and "pl" in numbers else numbers[0]


def _describe(entity: Entity, rng: Rng, chance: float) -> Entity:
    """The entity with, by this chance, an adjective of its group."""
    group = LEXICON.nouns[entity.concept].group
    if not group or rng.random() >= chance:
        return entity
    options = LEXICON.attributes[group]
    return Entity(entity.concept, entity.number, options[rng.integers(len(options))])


def _draw_style(domain: str, rng: Rng) -> tuple[dict[str, Modifier], frozenset[str]]:
    """The document's value for each kind of modifier, and the kinds in its style."""
    values = {}
    for kind in ("time", "place", "reason", "manner", "attribution"):
        pool = modifier_values(kind, domain)
        values[kind] = Modifier(kind, pool[rng.integers(len(pool))])
    return values, frozenset(kind for kind, chance in STYLE.items() if rng.random() < chance)


def _modifiers(
    frame: str,
    roles: dict[str, Entity],
    values: dict[str, Modifier],
    style: frozenset[str],
    rng: Rng,
) -> list[Modifier]:
    chosen = []
    for kind in STYLE:
        if rng.random() >= (IN_STYLE if kind in style else OUT_OF_STYLE):
            continue
        # A quantity hangs on what is said, the others are the document's
        modifier = _quantity(frame, roles["theme"], rng) if kind == "quantity" else values[kind]
        if modifier is None or (kind == "manner" and not _plausible(modifier.value, roles)):
            continue
        chosen.append(modifier)
    return chosen


def _plausible(adverb: str, roles: dict[str, Entity]) -> bool:
    agent = roles.get("agent")
    person = agent is not None and fits(agent, ("person", "organization", "folk"))
    return person or adverb not in AGENTIVE


def _quantity(frame: str, theme: Entity, rng: Rng) -> Modifier | None:
    if fits(theme, PERCENT) and frame not in ("charge_fee", "comment", "criticize", "praise"):
        return Modifier("quantity", f"percent {rng.integers(2, 100)}")
    if frame not in LASTING:
        return None
    units = LEXICON.modifiers["quantity"]["duration"][1]
    return Modifier("quantity", f"{units[rng.integers(len(units))]} {rng.integers(2, 30)}")


def draw_facts(domain: str, script: str, rng: Rng) -> list[Fact]:
    """The facts of one document, in the order of the script; none entails another."""
    entry = SCRIPTS[domain][script]
    cast = {name: _draw_cast(spec, rng) for name, spec in entry["cast"].items()}
    values, style = _draw_style(domain, rng)
    mood = rng.random(len(entry["steps"])) < 0.5
    facts: list[Fact] = []
    mentioned: set[str] = set()
    for step, second in zip(entry["steps"], mood, strict=True):
        if rng.random() < SKIP:
            continue
        frames = step[0].split("|")
        frame = frames[-1] if second else frames[0]
        roles = _roles(frame, step[1:], cast, mentioned, rng)
        modifiers = _modifiers(frame, roles, values, style, rng)
        fact = make_fact(frame, roles, modifiers, bool(rng.random() < NEGATED))
        if not any(equivalent_facts(fact, known) for known in facts):
            facts.append(fact)
    return facts


def random_script(rng: Rng, domains: Sequence[str] = DOMAINS) -> tuple[str, str]:
    """A random (domain, script), every domain as often as the others."""
    where = domains[int(rng.integers(len(domains)))] if len(domains) > 1 else domains[0]
    scripts = tuple(SCRIPTS[where])
    return where, scripts[rng.integers(len(scripts))]


def _roles(
    frame_name: str, slots: list[str], cast: dict[str, Entity], mentioned: set[str], rng: Rng
) -> dict[str, Entity]:
    frame = LEXICON.frames[frame_name]
    names = ["agent", "theme"] if frame.agent else ["theme"]
    roles: dict[str, Entity] = {}
    positional = [slot for slot in slots if "=" not in slot]
    for name, slot in [
        *zip(names, positional, strict=True),
        *(s.split("=") for s in slots if "=" in s),
    ]:
        entity = cast.get(slot) or Entity(slot, _grammatical_number(slot, rng))
        if slot in mentioned and rng.random() < GENERIC:
            entity = _generic(entity, frame_name, name)
        mentioned.add(slot)
        roles[name] = entity
    if frame.agent and rng.random() < 0.1:
        del roles["agent"]
    return roles


def _generic(entity: Entity, frame: str, role: str) -> Entity:
    """What stands above a named thing, if it may fill the role too ("the company")."""
    noun = LEXICON.nouns[entity.concept]
    if not noun.named or not noun.parent or noun.accusative:
        return entity
    above = Entity(noun.parent)
    return above if fits(above, role_types(frame, role)) else entity


def role_types(frame: str, role: str) -> tuple[str, ...]:
    """The concepts that may fill a role; none for a role the frame lacks."""
    entry = LEXICON.frames[frame]
    if role in ("agent", "theme"):
        return entry.agent if role == "agent" else entry.theme
    return next((found.types for found in entry.roles if found.name == role), ())


def sample_document(rng: Rng, split: str = "train", domains: Sequence[str] = DOMAINS) -> Document:
    """A random document of one of these domains.

    Args:
        split: "train": every fact is in the train split; "dev" or "test": the last fact is in
            that split and all before it are in train, so that a model can be measured on a fact
            it never saw.

    >>> import numpy as np
    >>> document = sample_document(np.random.default_rng(0))
    >>> 2 <= len(document.sentences) <= 8
    True
    """
    while True:
        where, script = random_script(rng, domains)
        facts = _of_split(draw_facts(where, script, rng), split)
        if 2 <= len(facts) <= 8:
            prefix = PREFIXES[where][rng.integers(len(PREFIXES[where]))]
            sentences = tuple(realize(fact, rng) for fact in facts)
            return Document(where, script, prefix, tuple(facts), sentences)


def _of_split(facts: list[Fact], split: str) -> list[Fact]:
    """The facts that a document of this split may tell; none if nothing comes before the last."""
    splits = [split_of(fact.core()) for fact in facts]
    last = len(facts)
    if split != "train":
        last = splits.index(split) if split in splits else 0
        if last == 0:
            return []
    before = [fact for i, fact in enumerate(facts[:last]) if splits[i] == "train"]
    return before + facts[last : last + 1]
