"""The command line: help with examples, plan, statuses, pipes."""

from __future__ import annotations

import gzip
import io
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import tiny
import yaml
from conftest import Write
from impossible.cli import commands, main, run
from impossible.cli.examples import EXAMPLES
from impossible.config.params import Params
from impossible.data.io import read_json
from impossible.data.json_lines import read_lines, read_pairs
from impossible.errors import DataError
from impossible.experiments.control_grids import AXES, Axis, Grid, save_grid
from impossible.rewriting.rewriters import Paraphraser, Summarizer
from impossible.runner import cost_estimate, measured_costs
from impossible.runner.notebook_spec import Selection
from impossible.runner.run import run_all


@pytest.mark.parametrize("command", EXAMPLES)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "example:\n  " in text
    assert f"impossible {command} " in text.split("example:")[1]


@pytest.mark.parametrize(
    "line",
    [
        "smoke --only 04 --force -- k=50 seed=1",
        "--only 04 smoke k=50 --force seed=1",
        "--force --only=04 -- smoke k=50 seed=1",
        "smoke k=50 --only 04 --force -- seed=1",
    ],
)
def test_overrides_may_follow_options(line: str) -> None:
    options = commands.parse_options(["run", *line.split()])
    assert run.split(options.params) == ("smoke", ["k=50", "seed=1"])
    assert (options.only, options.force) == ("04", True)


@pytest.mark.parametrize("command", ["run", "plan"])
def test_the_examples_of_run_and_plan_are_understood(command: str) -> None:
    words = EXAMPLES[command].split()[1:]
    name, overrides = run.split(commands.parse_options(words).params)
    assert name in words
    assert overrides == words[words.index("--") + 1 :]


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "smoke", "--onyl", "04"])
    assert ended.value.code == 2
    assert "unrecognized arguments: --onyl" in capsys.readouterr().err


#: What each command refuses before it needs a model.
REFUSED = (
    "run absent.yaml", "run smoke kk=3", "plan smoke kk=3", "score /absent", "quality /absent",
    "critics /absent", "paraphrase /absent", "paraphrase - --model /absent",
    "paraphrase - --critic /absent", "summarize - --model absent", "forms /absent --to /absent",
    "ratings /absent /absent", "fetch smokke", "doctor smokke", "verify /absent",
    "train /absent --out absent", "distil --contexts /absent --task paraphrase --out absent",
)  # fmt: skip


def test_refusals_need_no_heavy_module() -> None:
    code = (
        "import io, sys; from impossible.cli import main\n"
        f"for typed in {REFUSED!r}:\n"
        "    sys.stdin = io.TextIOWrapper(io.BytesIO())\n"
        "    assert main(typed.split()) == 2, typed\n"
        "heavy = {'torch', 'transformers', 'papermill', 'matplotlib', 'nbformat', 'nltk'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    *sentences, last = done.stderr.splitlines()
    assert last == "", "what sys.exit says"
    assert len(sentences) == len(REFUSED), done.stderr
    assert sentences[0] == (
        "impossible: Cannot read absent.yaml: No such file or directory. "
        "Give the path of a YAML file."
    )


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "KeyboardInterrupt(15)"])
def test_an_interruption_while_a_text_is_executed_has_its_status_too(raised: str) -> None:
    code = (
        "from impossible.cli import commands, main\n"
        f"commands.parse_options = lambda _: exec('raise {raised}')\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "impossible: stopped.\n"
    assert done.returncode == (143 if "15" in raised else 130)


def said_and_loaded(path: Path, line: str, command: str, status: int) -> list[str]:
    """What a command of a file of one line says, then which heavy modules it loaded."""
    path.write_text(line + "\n")
    code = (
        "import sys; from impossible.cli import main\n"
        f"assert main([*{command.split()!r}, {str(path)!r}]) == {status}\n"
        "heavy = {'torch', 'transformers', 'peft', 'spacy', 'nltk'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stderr.splitlines()


@pytest.mark.parametrize("command", ["score", "quality", "critics"])
def test_a_bad_first_line_is_refused_before_anything_heavy_is_loaded(
    command: str, tmp_path: Path
) -> None:
    path, problem = tmp_path / "x.jsonl", "is 3, not a string; it must be a non-empty string."
    said = said_and_loaded(path, '{"source": 3}', command, 2)
    assert said == [f"impossible: {path}, line 1: field 'source' {problem}", ""]


def test_too_little_text_is_refused_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    command = f"distil --task paraphrase --out {tmp_path / 'out'} --contexts"
    text = "The council met on Monday. It approved the plan."
    assert said_and_loaded(tmp_path / "x.txt", text, command, 2) == [
        "impossible: the text has 1 different document and at least 3 are needed: write one "
        "paragraph a line.",
        "",
    ]


def test_text_that_would_fill_the_memory_is_refused_unread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(2**42)  # a hole: no disk is used
    out = str(tmp_path / "out")
    for place in (tmp_path / "big.txt", tmp_path):
        assert main(["distil", "--contexts", str(place), "--task", "summarize", "--out", out]) == 2
        assert f"{place} needs about 26,388.3 GB of memory" in capsys.readouterr().err


def test_scores_without_a_model_need_no_heavy_module(tmp_path: Path) -> None:
    line = '{"source": "a b", "output": "b a", "references": ["a"]}'
    assert said_and_loaded(tmp_path / "x.jsonl", line, "score", 0) == [""]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
@pytest.mark.parametrize("arguments", [["score", "--help"], ["run", "--parameters"]])
def test_help_on_a_terminal_without_unicode(
    monkeypatch: pytest.MonkeyPatch, encoding: str, arguments: list[str]
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    with suppress(SystemExit):
        main(arguments)
    terminal.flush()
    assert {"score": b"\\u2192 JSON", "run": b"\\u22652"}[
        arguments[0]
    ] in terminal.buffer.getvalue()


def test_parameters_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--parameters"]) == 0
    assert "≥2 ≤1000, sentences, §3.1" in capsys.readouterr().out


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m impossible.cli run --parameters | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [(["score", "x.jsonl"], ""), (["run"], "; what was finished is kept, and the same command")],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_has_its_own_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    kept: str,
    number: signal.Signals,
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    for module, name in ((commands, "check_memory"), (run, "_run")):
        monkeypatch.setattr(module, name, lambda *_: signal.raise_signal(number))
    assert main(arguments) == 128 + number
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"impossible: stopped{kept}")
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_while_modules_are_loaded_leaves_one_line(number: signal.Signals) -> None:
    code = (
        "import signal, sys; from impossible import cli\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        f"        signal.raise_signal({int(number)})\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.exit(cli.main(['run', 'smoke']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr == "impossible: stopped.\n"


def test_lines_are_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes("{}\n{Käse}\n".encode() + b"\xff\n")
    lines, name = commands._lines(str(path))
    assert name == str(path)
    assert [next(lines), next(lines)] == ["{}\n", "{Käse}\n"]
    with pytest.raises(DataError, match=r"x.jsonl, line 3 is not UTF-8 text \(byte 0\)"):
        next(lines)
    with pytest.raises(DataError, match="Cannot read .*absent: No such file"):
        commands._lines(str(tmp_path / "absent"))
    stdin = io.TextIOWrapper(io.BytesIO(b"a\nb\nc\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(commands._lines("-")[0]) == ["a\n", "b\n", "c\n"]


@pytest.mark.parametrize("command", [["score"], ["quality"], ["quality", "--sample", "9"]])
def test_a_file_larger_than_memory_is_refused_before_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with (tmp_path / "x.jsonl").open("wb") as file:
        file.truncate(2**40)  # without a byte on the disk
    assert main([*command, str(tmp_path / "x.jsonl")]) == 2
    told = capsys.readouterr().err
    assert re.search(
        r"x.jsonl needs about [\d,.]+ GB of memory and [\d,.]+ GB are free: give", told
    )


def test_a_full_memory_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: object) -> str:
        raise MemoryError

    monkeypatch.setattr("impossible.config.description.describe", full)
    assert main(["run", "--parameters"]) == 2
    assert capsys.readouterr().err == (
        "impossible: the memory is full: give fewer or shorter lines.\n"
    )


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        ImportError("numpy.so: failed to map segment from shared object"),
        SystemError("error return without exception set"),
    ],
)
def test_too_little_memory_for_the_command_itself_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: Exception
) -> None:
    def absent(_: object) -> str:
        raise raised

    monkeypatch.setattr("impossible.config.description.describe", absent)
    assert main(["run", "--parameters"]) == 2
    told = capsys.readouterr().err
    sentence = "the memory is full" if isinstance(raised, MemoryError) else "there is less memory"
    assert told.startswith(f"impossible: {sentence}")
    assert told.count("\n") == 1


def test_another_failure_of_an_import_is_no_matter_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: object) -> str:
        raise SystemError("bad argument to internal function")

    monkeypatch.setattr("impossible.config.description.describe", broken)
    with pytest.raises(SystemError, match="internal function"):
        main(["run", "--parameters"])


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_a_library_without_room_is_refused_before_it_asks_for_ever(tmp_path: Path) -> None:
    """OpenBLAS of scipy, loaded where it finds no room for its buffers, never comes back."""
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"source": "A bridge opened.", "target": "It opened."}\n' * 9)
    code = (
        "import resource, sys; from impossible.config import memory_limit as m; import numpy;"
        "room = m._address_space() + m.NEEDED_ROOM // 2;"
        "resource.setrlimit(resource.RLIMIT_AS, (room, room));"
        f"from impossible.cli import main; sys.exit(main(['quality', {str(path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        "impossible: there is less memory than this command itself needs: allow it more, or "
        "end other programs.\n"
    )


def test_a_gzipped_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, raw = tmp_path / "x.jsonl.gz", gzip.compress(b'{"source": "a b", "target": "b"}\n' * 9)
    path.write_bytes(raw)
    assert main(["quality", str(path)]) == 0
    assert '"n": 9' in capsys.readouterr().out
    assert read_pairs(read_lines(path), "x")["target"].tolist() == ["b"] * 9
    for damaged in (raw[:-12], raw[:-6] + b"\0" * 6, raw[:12] + b"\xff" * 9):
        path.write_bytes(damaged)
        assert main(["quality", str(path)]) == 2
        assert re.match("impossible: Cannot read .*x.jsonl.gz: .+; give", capsys.readouterr().err)
        with pytest.raises(DataError, match=r"Cannot read .*x.jsonl.gz: .+; give"):
            list(read_lines(path))


def test_a_byte_order_mark_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"source": "a", "target": "b"}\n', encoding="utf-8-sig")
    assert read_pairs(read_lines(path), "x.jsonl")["source"].tolist() == ["a"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert read_pairs(commands._lines("-")[0], "stdin")["target"].tolist() == ["b"]
    (tmp_path / "p.yaml").write_text("k: 7\n", encoding="utf-8-sig")
    assert Params.load(tmp_path / "p.yaml").k == 7


def test_plan_says_what_runs_and_scales_with_the_work(checkout: Path, write: Write) -> None:
    text = "(run / 'data' / 'one.txt').write_text('1' * (params.seed > -1))"
    write("01_one", text, outputs=["data/one"])
    write("04_four", "params.k", inputs=["data/one?"])
    folder = checkout / "results" / "test"
    params = Params.load("test")
    before = cost_estimate.plan(params, folder, speed=1.0)
    assert before["will"].tolist() == ["run", "run"]
    half = cost_estimate.plan(Params.load("test", ["n_contexts=300"]), folder, speed=1.0)
    assert half["seconds"][0] == before["seconds"][0]
    assert half["seconds"][1] < before["seconds"][1]
    twice = cost_estimate.plan(params, folder, speed=2.0)["seconds"][1]
    assert twice == pytest.approx(2 * before["seconds"][1], abs=0.2)  # each rounded to 0.1

    run_all(params, folder)
    assert cost_estimate.plan(params, folder, speed=1.0)["will"].tolist() == ["skip", "skip"]
    other = Params.load("test", ["seed=1"])
    assert cost_estimate.plan(other, folder, speed=1.0)["will"].tolist() == ["run", "run"]
    other = Params.load("test", ["k=7"])
    table = cost_estimate.plan(other, folder, speed=1.0)
    assert table["will"].tolist() == ["skip", "run"]
    text = cost_estimate.plan_text(table)
    assert "total" in text
    assert "minutes on this machine" in text

    costs = cost_estimate.fit([folder], checkout / "plan.json")
    seconds = read_json(folder / "work" / "ledger.json")["04_four"]["seconds"]
    cost = costs["notebooks"]["04"]
    units = cost_estimate.work(cost["unit"], params)
    assert cost["seconds"] + cost["seconds_per_unit"] * units == pytest.approx(seconds, abs=0.01)
    assert (checkout / "plan.json").is_file()
    with pytest.raises(DataError, match="No finished notebook in .*nowhere: give folders of runs"):
        cost_estimate.fit([checkout / "nowhere"], checkout / "other.json")
    assert not (checkout / "other.json").exists()
    run_all(other, folder, Selection(only="04"))


def test_plan_tries_the_models_of_a_run(
    checkout: Path, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("04_four", "params.k")
    teacher = str(tiny.save(tmp_path / "teacher", *tiny.reader(tiny.bpe_llama)))
    critic = str(tiny.save(tmp_path / "critic", *tiny.critic()))
    settings = {
        **tiny.SIZES, "extends": "base", "teacher": teacher, "student_base": teacher,
        "critic": critic, "encoder": "none", "similarity_min": -1.0, "parser": "flat",
        "device": "cpu",
        "domains": [{"name": "news", "prefixes": [tiny.PREFIX]}],
    }  # fmt: skip
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(settings))
    params = Params.load(file)
    costs = measured_costs.measured_costs(params)
    assert costs.nli > 0
    assert costs.pairs_seen <= params.k * (params.k - 1)
    small, large = (
        measured_costs.stage_costs(each, costs, 0.5).set_index("notebook")
        for each in (params, Params.load(file, {"n_contexts": 80, "n_inputs": 60}))
    )
    for stage in small.index:
        extra = large["seconds"] - costs.loading, small["seconds"] - costs.loading
        ratio = extra[0][stage] / extra[1][stage]
        assert 5 < ratio < 12, (stage, ratio)  # ten times the work; steps are whole
    unknown = measured_costs.stage_costs(params, costs, None).set_index("notebook")["seconds"]
    assert unknown.isna().tolist() == [False, False, True, False]
    assert unknown["07"] < small.loc["07", "seconds"]  # what is known, without training
    assert measured_costs.yields_of("own") is None
    assert main(["plan", str(file), "--measure"]) == 0
    told = capsys.readouterr().out
    assert "tokens/s of next sentences" in told
    assert "no such run is published" in told
    assert "nan" not in told.partition("tokens/s")[2]


def test_the_plan_counts_what_runs_side_by_side_once(checkout: Path, write: Write) -> None:
    write("91_a", outputs=["data/a"])
    write("92_b", outputs=["data/b"])
    write("93_c", inputs=["data/a"])
    one, two = (Params.load("test", [f"workers={n}"]) for n in (1, 2))
    table = cost_estimate.plan(one, speed=1.0)
    assert table["seconds"].tolist() == [6, 6, 6]
    assert table["starts"].tolist() == [0, 6, 12]
    assert cost_estimate.plan_text(table).splitlines()[4].split() == ["total", "18.0", "900", "3.0"]
    assert (
        "About 0.3 minutes on this machine, ± 30 % (as busy as it is now)."
        in cost_estimate.plan_text(table)
    )
    table = cost_estimate.plan(two, speed=1.0)
    assert table["starts"].tolist() == [0, 0, 6]
    assert cost_estimate.plan_text(table, 2).splitlines()[4].split() == [
        "total",
        "12.0",
        "1800",
        "3.0",
    ]
    assert (
        "About 0.2 minutes on this machine with 2 notebooks at a time"
        in cost_estimate.plan_text(table, 2)
    )


def test_two_runs_fix_both_parts_of_a_cost() -> None:
    cost = {"unit": "pairs", "seconds": 9.0, "memory_mb": 1, "disk_mb": 1.0}
    line = cost_estimate._line(cost, [(100, 7.0, 50, 2.0), (300, 11.0, 80, 4.0)])
    assert line["seconds"] == pytest.approx(5)
    assert line["seconds_per_unit"] == pytest.approx(0.02)
    assert line["memory_mb"] == 80
    assert (line["disk_mb"], line["disk_mb_per_unit"]) == pytest.approx((1, 0.01))


def test_the_machine_is_measured() -> None:
    reference = cost_estimate.measure()
    assert all(seconds > 0 for seconds in reference.values())


def asking(folder: Path, command: str, *options: str) -> list[str]:
    """A command about one sentence, by a tiny student and a tiny critic."""
    student = tiny.save(folder / "student", *tiny.t5())
    critic = tiny.save(folder / "critic", *tiny.critic())
    (folder / "in.txt").write_text(tiny.SENTENCES[0])
    places = ["--model", str(student), "--critic", str(critic)]
    return [command, *places, *options, str(folder / "in.txt")]


def test_a_student_is_told_length_and_style(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = asking(tmp_path, "summarize", "--length", "short")
    assert main(ask) == 2
    assert "takes no instructions" in capsys.readouterr().err
    axes = (
        Axis("length", "compression", ("short", "long"), (0.5,), 0.0, 1.0),
        Axis("style", "novelty", ("plain", "free"), (0.5,), 0.0, 1.0),
    )
    save_grid(tmp_path / "student", Grid("summary", axes))
    assert main(ask) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert main([*ask[:-1], "--style", "odd", ask[-1]]) == 2
    assert "it knows length: short, long; style: plain, free" in capsys.readouterr().err
    assert main([*ask[:5], ask[-1]]) == 2
    assert "give --length short|long and/or --style plain|free, or" in capsys.readouterr().err
    assert main([*ask[:-2], "", ask[-1]]) == 2
    assert "cannot be asked for the length ''" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "task"), [("paraphrase", "paraphrase"), ("summarize", "summary")]
)
def test_a_command_has_the_options_of_its_task(
    command: str, task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {axis: scale.words[-1] for axis, scale in AXES[task].items()}
    ask = asking(tmp_path, command)
    told = [*ask, *(part for axis, word in words.items() for part in (f"--{axis}", word))]
    assert main(ask) == 0
    capsys.readouterr()
    assert main(told) == 2  # options without a grid
    assert "leave --length and --style out" in capsys.readouterr().err
    axes = [Axis(a, s.measure, s.words, (0.5,), 0.0, 1.0) for a, s in AXES[task].items()]
    save_grid(tmp_path / "student", Grid(task, tuple(axes)))
    assert main(told) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert main(ask) == 2  # a grid without options
    printed = capsys.readouterr()
    assert "must be told what to write: give --length short|long and/or" in printed.err
    assert printed.out == ""
    other = {"paraphrase": "summarize", "summarize": "paraphrase"}[command]
    assert main([other, *told[1:]]) == 2
    assert f"takes instructions for a {task}, not for a" in capsys.readouterr().err


def test_help_names_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["paraphrase", "--help"])
    printed = capsys.readouterr().out
    assert all(word in printed for scale in AXES["paraphrase"].values() for word in scale.words)


STREAMS = {
    "run --parameters >&-": (0, ""),
    "run --parameters > /dev/full": (2, "impossible: standard output: No space left on device.\n"),
    "score - <&-": (2, "impossible: standard input: empty"),
    "score /nowhere 2>&-": (2, ""),
}


@pytest.mark.parametrize("line", STREAMS)
def test_a_stream_may_be_closed_or_full(line: str) -> None:
    status, told = STREAMS[line]
    command = f"{shlex.quote(sys.executable)} -m impossible.cli {line}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == bool(told)


def test_what_is_said_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "/nowhere\x1b[2J\u202e"]) == 2
    assert r"/nowhere\u001b[2J\u202e" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "kind"), [("paraphrase", Paraphraser), ("summarize", Summarizer)])
def test_help_names_the_default_novelty(
    name: str, kind: type[Paraphraser | Summarizer], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"weight of new words, 0 to 1 (default {kind.NOVELTY})" in said


def test_a_signal_after_the_command_does_not_change_its_status() -> None:
    code = """
import os, signal, sys
from impossible.cli import main
sys.argv = ["impossible", "--help"]
try:
    main()
except SystemExit as end:
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    sys.exit(end.code or 7)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 7
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        main(["--help"])  # called from Python it leaves the process as it was
    assert signal.getsignal(signal.SIGTERM) is before


EMPTY = (
    "run --results", "plan --results", "plan --calibrate", "verify", "score", "quality", "critics",
    "critics x --out", "paraphrase --out", "forms x --to", "ratings x", "fetch --wheels", "push",
    "distil --task paraphrase --contexts x --out", "distil --task paraphrase --out x --contexts",
    "train --out x", "train x --out",
)  # fmt: skip


@pytest.mark.parametrize("command", EMPTY)
def test_an_empty_path_is_told_as_such(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As of a variable of a shell that is not set: it is neither a folder nor this one."""
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), ""])
    assert ended.value.code == 2
    assert "an empty path: give the path of a file or folder" in capsys.readouterr().err


def test_an_empty_name_of_a_params_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", ""]) == 2
    assert "an empty path of a params file: give a name" in capsys.readouterr().err
