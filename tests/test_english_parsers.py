"""Trees of open English: hand-made dependency parses, properties, other people's parsers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.errors import ModelError
from impossible.filtering import english_parsers
from impossible.filtering.constituency_parser import load_parser
from impossible.filtering.dependency_words import projective
from impossible.filtering.english_parsers import SPACY, SpacyParser, penn_tree, tree_of
from impossible.models.assets import asset_named
from impossible.text.tree_edit_distance import parse_bracketed, top_layers
from spacy.tokens import Doc
from spacy.vocab import Vocab

VOCAB = Vocab()

#: word/tag/dependency/head, counted from 1; 0 is the root.
PARSED = {
    "a clause, its auxiliaries and full stop": (
        "The/DT/det/2 storm/NN/nsubjpass/5 had/VBD/aux/5 been/VBN/auxpass/5 seen/VBN/ROOT/0 "
        "in/IN/prep/5 May/NNP/pobj/6 ././punct/5",
        "(S (NP (DT The) (NN storm)) (VP (VBD had) (VP (VBN been) (VP (VBN seen) (PP (IN in) "
        "(NP (NNP May)))))) (. .))",
    ),
    "a clause that was said": (
        "He/PRP/nsubj/2 said/VBD/ROOT/0 it/PRP/nsubj/4 rained/VBD/ccomp/2 ././punct/2",
        "(S (NP (PRP He)) (VP (VBD said) (SBAR (S (NP (PRP it)) (VP (VBD rained))))) (. .))",
    ),
    "a quotation before its speaker": (
        "``/``/punct/3 It/PRP/nsubj/3 rained/VBD/ccomp/6 ,/,/punct/6 ''/''/punct/6 said/VBD/ROOT/0 "
        "Ada/NNP/nsubj/6 ././punct/6",
        "(SINV (`` ``) (S (NP (PRP It)) (VP (VBD rained))) (, ,) ('' '') (VP (VBD said)) "
        "(NP (NNP Ada)) (. .))",
    ),
    "an interposed clause": (
        "Prices/NNS/nsubj/6 ,/,/punct/4 he/PRP/nsubj/4 said/VBD/parataxis/6 ,/,/punct/6 "
        "fell/VBD/ROOT/0 ././punct/6",
        "(S (NP (NNS Prices)) (PRN (, ,) (S (NP (PRP he)) (VP (VBD said))) (, ,)) (VP (VBD fell)) "
        "(. .))",
    ),
    "an apposition and its commas": (
        "Mr./NNP/compound/2 Hale/NNP/nsubj/7 ,/,/punct/2 a/DT/det/5 doctor/NN/appos/2 ,/,/punct/7 "
        "left/VBD/ROOT/0 ././punct/7",
        "(S (NP (NP (NNP Mr.) (NNP Hale)) (, ,) (NP (DT a) (NN doctor)) (, ,)) (VP (VBD left)) "
        "(. .))",
    ),
    "verb phrases side by side": (
        "She/PRP/nsubj/2 sold/VBD/ROOT/0 ships/NNS/dobj/2 and/CC/cc/2 bought/VBD/conj/2 "
        "banks/NNS/dobj/5 ././punct/2",
        "(S (NP (PRP She)) (VP (VP (VBD sold) (NP (NNS ships))) (CC and) (VP (VBD bought) "
        "(NP (NNS banks)))) (. .))",
    ),
    "clauses side by side": (
        "It/PRP/nsubj/2 rained/VBD/ROOT/0 and/CC/cc/2 he/PRP/nsubj/5 left/VBD/conj/2 ././punct/2",
        "(S (S (NP (PRP It)) (VP (VBD rained))) (CC and) (S (NP (PRP he)) (VP (VBD left))) (. .))",
    ),
    "nouns side by side": (
        "the/DT/det/2 cats/NNS/ROOT/0 and/CC/cc/2 dogs/NNS/conj/2",
        "(NP (DT the) (NNS cats) (CC and) (NNS dogs))",
    ),
    "a relative clause": (
        "ships/NNS/ROOT/0 that/WDT/nsubj/3 sank/VBD/relcl/1",
        "(NP (NP (NNS ships)) (SBAR (WHNP (WDT that)) (S (VP (VBD sank)))))",
    ),
    "a number of money, and what is owned": (
        "Ada/NNP/poss/3 's/POS/case/1 loan/NN/nsubj/4 was/VBD/ROOT/0 $/$/quantmod/7 "
        "55/CD/compound/7 million/CD/attr/4 ././punct/4",
        "(S (NP (NP (NNP Ada) (POS 's)) (NN loan)) (VP (VBD was) (NP (QP ($ $) (CD 55) "
        "(CD million)))) (. .))",
    ),
    "a question": (
        "What/WP/dobj/4 did/VBD/aux/4 he/PRP/nsubj/4 see/VB/ROOT/0 ?/./punct/4",
        "(SBARQ (WHNP (WP What)) (SQ (VBD did) (NP (PRP he)) (VP (VB see))) (. ?))",
    ),
    "brackets and plain quotation marks": (
        'Oil/NN/nsubj/5 (/-LRB-/punct/3 crude/JJ/appos/1 )/-RRB-/punct/1 rose/VBD/ROOT/0 '
        "\"/''/punct/5 ././punct/5",
        "(S (NP (NP (NN Oil)) (PRN (-LRB- -LRB-) (ADJP (JJ crude)) (-RRB- -RRB-))) "
        "(VP (VBD rose)) ('' '') (. .))",
    ),
    "one word": ("Rain/NN/ROOT/0", "(NP (NN Rain))"),
    "two sentences": (
        "It/PRP/nsubj/2 rained/VBD/ROOT/0 ././punct/2 He/PRP/nsubj/5 left/VBD/ROOT/0 ././punct/5",
        "(S (S (NP (PRP It)) (VP (VBD rained)) (. .)) (S (NP (PRP He)) (VP (VBD left)) (. .)))",
    ),
}  # fmt: skip


def document(parsed: str) -> Doc:
    """The parse that a line of `PARSED` writes down."""
    fields = [word.rsplit("/", 3) for word in parsed.split()]
    words, tags, deps, heads = zip(*fields, strict=True)
    places = [i if head == "0" else int(head) - 1 for i, head in enumerate(heads)]
    return Doc(VOCAB, list(words), tags=list(tags), deps=list(deps), heads=places)


@pytest.mark.parametrize("name", PARSED)
def test_dependencies_become_phrases(name: str) -> None:
    parsed, tree = PARSED[name]
    assert tree_of(document(parsed)) == tree


TAGS = ("NN", "VBD", "VB", "MD", "TO", "IN", "DT", "JJ", "RB", "CC", "CD", "$", "WP", "WDT", "WRB",
        "PRP", "PRP$", ",", ".", ":", "``", "''", "-LRB-", "-RRB-", "UH",
        "LS", "XX", "")  # fmt: skip
ROLES = ("nsubj", "aux", "auxpass", "dobj", "ccomp", "advcl", "relcl", "acl", "xcomp", "parataxis",
         "conj", "cc", "punct", "mark", "prep", "pobj", "det", "amod", "compound", "nummod", "attr",
         "appos", "advmod", "neg", "case", "poss", "prt", "csubj", "quantmod", "dep")  # fmt: skip


@st.composite
def dependencies(draw: st.DrawFn) -> tuple[list[str], list[str], list[str], list[int]]:
    """Any words, labels and heads without circles; one root or more, arcs may cross."""
    n = draw(st.integers(1, 12))
    order = draw(st.permutations(range(n)))
    heads = [0] * n
    for rank, place in enumerate(order):
        above = draw(st.integers(-1 if draw(st.booleans()) else 0, rank - 1)) if rank else -1
        heads[place] = place if above < 0 else order[above]
    words = draw(
        st.lists(st.sampled_from(["a", "(", ")", "it's", "?", '"', "["]), min_size=n, max_size=n)
    )
    tags = draw(st.lists(st.sampled_from(TAGS), min_size=n, max_size=n))
    roles = draw(st.lists(st.sampled_from(ROLES), min_size=n, max_size=n))
    return (
        words,
        tags,
        ["ROOT" if h == i else r for i, (h, r) in enumerate(zip(heads, roles, strict=True))],
        heads,
    )


@settings(max_examples=400, deadline=None)
@given(dependencies())
def test_every_word_stays_in_its_place(
    parsed: tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[int]],
) -> None:
    words, tags, roles, heads = parsed
    numbered = [f"{word}{i}" if word == "a" else word for i, word in enumerate(words)]
    text = penn_tree(numbered, tags, roles, heads)
    assert text is not None
    leaves = parse_bracketed(text).leaves()
    assert len(leaves) == len(words)
    for word, shown in zip(numbered, leaves, strict=True):
        assert shown == word or (not word.startswith("a") and shown not in {"(", ")"})
    assert top_layers(text, 3).startswith("(")


@given(st.lists(st.integers(0, 7), min_size=8, max_size=8))
def test_lifted_arcs_do_not_cross(above: list[int]) -> None:
    heads = [min(i, head) for i, head in enumerate(above)]  # heads before their words: no circle
    arcs = [tuple(sorted((i, head))) for i, head in enumerate(projective(heads)) if head >= 0]
    assert not [(a, b) for a in arcs for b in arcs if a[0] < b[0] < a[1] < b[1]]


def test_no_word_no_tree() -> None:
    assert penn_tree([], [], [], []) is None
    assert english_parsers.as_one_tree([]) is None


def test_a_model_that_was_not_fetched_is_named(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPOSSIBLE_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="run `impossible fetch pypi:spacy-en-core-web-sm` once"):
        load_parser("spacy").parse_many(["It rained."])


@pytest.mark.parametrize("name", ["benepar", "stanza"])
def test_a_parser_that_is_not_installed_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ModelError, match=rf"parser: {name} needs the library {name}.*pip install"):
        load_parser(name)


def test_corenlp_is_asked_over_http() -> None:
    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            found = {"sentences": [{"parse": "(ROOT\n  (S (NN rain)))"}]}
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    parser = english_parsers.CoreNlpParser(url)
    assert parser.parse_many(["rain", " "]) == ["(S (NN rain))", None]
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError, match="corenlp gets no answer from"):
        parser.parse_many(["rain"])


@pytest.mark.slow
@pytest.mark.skipif(not asset_named(SPACY).present, reason="the model was not fetched")
def test_the_model_parses_open_english() -> None:
    found = SpacyParser().parse_many(
        ["The council approved the plan in Lyon.", "", "  \n ", 'Why (really)? "Yes," he said.']
    )
    assert str(found[0]).startswith("(S (NP (DT The) (NN council)) (VP (VBD approved) (NP ")
    assert found[1:3] == [None, None]
    assert parse_bracketed(str(found[3])).leaves()[:5] == ["Why", "-LRB-", "really", "-RRB-", "?"]
