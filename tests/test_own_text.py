"""A user's own text: what can be read, what is refused, and what `impossible distil` leaves."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pytest
import tiny
import yaml
from impossible import cli
from impossible.data import units
from impossible.data.io import read_json
from impossible.data.own_text import read_documents
from impossible.errors import DataError, RunError
from impossible.generation.next_sentences import accept_sentence, accept_sentences
from impossible.generation.own_text import OwnText, divided_text
from impossible.report.distilled import Distilled, distilled_page
from impossible.runner import push
from impossible.runner.distil import own_params
from impossible.runner.order import Order, usable_documents
from impossible.training import fine_tuning, teacher_adaptation
from impossible.training.teacher_adaptation import documents_to_adapt
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

NAMES = ("Hale", "Moss", "Reed", "Vane", "Lund", "Beck", "Cole", "Dane", "Ford", "Gray")
DOCUMENTS = [
    f"The council and {name} opened a new bridge in Norvane. {tiny.SENTENCES[i % 4]} "
    f"The mayor and {name} sold the old ships to the bank. It was in May."
    for i, name in enumerate(NAMES)
]
SETTINGS: dict[str, Any] = {
    "extends": "english", "parser": "flat", "encoder": "none", "rejections": {},
    "entailment_threshold": 0.0, "entailment_floor": 0.0, "rouge_l_max": 1.0, "ted_min": 0,
    "length_ratio_min": 0.1, "length_ratio_max": 10.0, "summary_length_ratio_max": 0.99,
    "number_consistency": False, "name_consistency": False, "similarity_min": -1.0,
    "n_contexts": 4, "context_sentences_min": 1, "context_sentences_max": 2, "k": 10,
    "sentence_max_new_tokens": 40, "student_adapter_rank": 2, "student_epochs": 1,
    "student_batch_size": 4, "n_inputs": 16, "n_candidates": 3, "n_test": 4, "dtype": "float32",
    "device": "cpu", "workers": 1, "threads": 1,
}  # fmt: skip


def computed(out: Path, name: str) -> pd.DataFrame:
    """What the units of a step computed, below the `--out` of distil."""
    files = (out / "work" / "work" / name).iterdir()
    return pd.concat(map(pd.read_parquet, files))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A params file over `english` with tiny models, and critics that random models can pass."""
    folder = tmp_path_factory.mktemp("tiny")
    teacher = str(tiny.save(folder / "teacher", *tiny.reader(tiny.bpe_llama)))
    models = {"teacher": teacher, "student_base": teacher}
    models["critic"] = str(tiny.save(folder / "critic", *tiny.critic()))
    (folder / "own.yaml").write_text(yaml.safe_dump({**SETTINGS, **models}))
    (folder / "news.txt").write_text("\n".join(DOCUMENTS), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(settings: Path) -> Path:
    """What one call leaves."""
    out = settings / "made"
    assert cli.main(arguments(settings, "paraphrase", out)) == 0
    return out


def arguments(settings: Path, task: str, out: Path, text: str = "news.txt") -> list[str]:
    given = ["--contexts", str(settings / text), "--task", task, "--out", str(out)]
    return ["distil", *given, "--licence", "CC-BY-4.0", str(settings / "own.yaml")]


def header(card: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.read_text(encoding="utf-8").split("---")[1])
    return found


def test_the_dataset_opens_and_no_context_is_in_both_parts(made: Path) -> None:
    parts = datasets.load_dataset(str(made / "dataset"), cache_dir=str(made.parent / "cache"))
    assert set(parts) == {"train", "dev"}
    contexts = {name: set(part["context_id"]) for name, part in parts.items()}
    assert contexts["train"]
    assert contexts["dev"]
    assert not contexts["train"] & contexts["dev"]
    assert {*parts["train"]["origin"], *parts["dev"]["origin"]} == {"teacher", "student"}
    assert header(made / "dataset" / "README.md")["license"] == "cc-by-4.0"


def test_sources_of_the_student_are_of_the_text_and_held_out_ones_are_in_no_pair(
    made: Path,
) -> None:
    pairs = pd.concat(pd.read_parquet(path) for path in (made / "dataset/data").glob("*.parquet"))
    text = " ".join(DOCUMENTS)
    assert all(source in text for source in pairs.loc[pairs["origin"] == "student", "source"])
    answers = computed(made, "answers after training")
    held_out = set(answers["source"])
    assert held_out
    assert not held_out & {*pairs["source"], *pairs["target"]}


def test_transformers_opens_the_merged_student_and_paraphrase_the_adapter(
    made: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = AutoModelForCausalLM.from_pretrained(made / "student-merged", local_files_only=True)
    ids = AutoTokenizer.from_pretrained(made / "student-merged")("The council", return_tensors="pt")
    assert model.generate(**ids, max_new_tokens=3).shape[1] > ids["input_ids"].shape[1]
    base = load_file(settings / "teacher" / "model.safetensors")
    merged = load_file(made / "student-merged" / "model.safetensors")
    assert any(not base[name].half().equal(merged[name]) for name in base)
    given = made.parent / "line.txt"
    given.write_text("The council opened a new bridge in Norvane.\n")
    critic = str(settings / "critic")
    line = ["paraphrase", str(given), "--model", str(made / "student"), "--critic", critic]
    assert cli.main([*line, "--json", "--best-effort"]) == 0
    assert json.loads(capsys.readouterr().out)["source"].startswith("The council")


def test_a_second_call_computes_nothing(
    made: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    before = {
        path: path.read_bytes() for path in made.rglob("*") if path.suffix in (".md", ".html")
    }
    monkeypatch.setattr(units.Task, "compute", nothing)
    monkeypatch.setattr(fine_tuning, "train_student", nothing)
    monkeypatch.setattr("impossible.runner.distilled_folder.save_model", nothing)
    assert cli.main(arguments(settings, "paraphrase", made)) == 0
    assert before == {path: path.read_bytes() for path in before}


def test_cards_and_page_tell_what_was_made(made: Path) -> None:
    card = (made / "dataset" / "README.md").read_text(encoding="utf-8")
    for words in ("CC-BY-4.0", "Known biases and limits", "sentences sampled: 40", "kept", "seed"):
        assert words in card, words
    student = (made / "student" / "README.md").read_text(encoding="utf-8")
    assert "before training" in student
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "expect nothing of it below 100" in card
    for text in (card, student, page):
        assert str(made.parent) not in text


def test_a_student_folder_that_is_gone_is_trained_again(
    made: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = made / "work" / "models" / "student" / "adapter_model.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(b"damaged")
    assert cli.main(arguments(settings, "paraphrase", made)) == 0
    assert weights.read_bytes() == before


def test_summaries_are_shorter(settings: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    assert cli.main(arguments(settings, "summarize", out)) == 0
    pairs = pd.read_parquet(out / "dataset" / "data" / "train.parquet")
    assert set(pairs["task"]) == {"summary"}
    assert (pairs["target"].str.len() < pairs["source"].str.len()).all()


def test_too_few_pairs_are_a_sentence_and_keep_what_was_made(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"
    strict = ["--", "entailment_threshold=1.0"]
    assert cli.main([*arguments(settings, "paraphrase", out), *strict]) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(r"0 of \d+ pairs .* passed every critic, .* raise n_contexts \(4\)", told)
    assert list((out / "work" / "work" / "sentences").glob("*.parquet"))


def test_a_student_that_is_there_can_write_what_the_teacher_s_pairs_do_not_give(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, student = tmp_path / "made", str(settings / "teacher")
    given = ["--student", student, "--", "n_contexts=1", "k=2"]
    assert cli.main([*arguments(settings, "paraphrase", out), *given]) == 0
    assert [path.name for path in (out / "work" / "models").iterdir()] == ["second"]
    assert read_json(out / "student" / "recipe.json")["base"] == student
    card = (out / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "The student teacher, trained before" in card
    capsys.readouterr()
    absent = ["--student", "english/nobody"]
    assert cli.main([*arguments(settings, "paraphrase", tmp_path / "x"), *absent]) == 2
    assert "english/nobody" in capsys.readouterr().err


def test_a_teacher_is_adapted_before_it_writes_and_found_again(
    made: Path, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, fast = tmp_path / "made", "teacher_learning_rate=0.01"
    line = [*arguments(settings, "paraphrase", out), "--adapt-teacher", "--", fast]
    assert cli.main(line) == 0
    notes = read_json(out / "work" / "models" / "teacher" / "metrics.json")
    assert 1 < notes["perplexity_after"] < notes["perplexity_before"]
    adapter = (out / "work" / "models" / "teacher" / "adapter_model.safetensors").read_bytes()
    written = computed(out, "sentences")
    plain = computed(made, "sentences")
    assert set(written["context_id"]) == set(plain["context_id"])
    assert set(written["raw"]) != set(plain["raw"])
    for part in ("dataset", "student"):
        card = (out / part / "README.md").read_text(encoding="utf-8")
        assert "follows the text's (CC-BY-4.0) and the teacher's" in card
        assert re.search(rf"perplexity.*after +\| {notes['perplexity_after']:g} ", card)
    assert "perplexity_before" in (out / "report.html").read_text(encoding="utf-8")
    trained: list[str] = []
    again = teacher_adaptation.train_on_pieces

    def noted(*args: Any) -> Any:
        trained.append("teacher")
        return again(*args)

    monkeypatch.setattr(teacher_adaptation, "train_on_pieces", noted)
    assert cli.main(line) == 0
    assert cli.main([*line, "student_epochs=2"]) == 0  # of the student, not of the teacher
    assert trained == []
    assert cli.main([*line, "teacher_epochs=1"]) == 0
    assert trained == ["teacher"]
    anew = (out / "work" / "models" / "teacher" / "adapter_model.safetensors").read_bytes()
    assert anew != adapter


def test_what_is_held_out_reaches_no_teacher(settings: Path) -> None:
    params = own_params(str(settings / "own.yaml"))
    text = divided_text(DOCUMENTS, params)
    read, dev = documents_to_adapt(text.others, params.seed)
    assert sorted([*read, *dev]) == sorted(text.others)
    assert dev
    held_out = {name for name in NAMES if name in " ".join(text.held_out["text"])}
    assert held_out
    assert not [name for name in held_out if name in " ".join([*read, *dev])]


def test_too_few_documents_to_adapt_to_are_a_sentence(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.txt").write_text("\n".join(DOCUMENTS[:4]))
    out = tmp_path / "made"
    line = arguments(settings, "paraphrase", out, str(tmp_path / "few.txt"))
    assert cli.main([*line, "--adapt-teacher"]) == 2
    error = capsys.readouterr().err
    assert re.search(r"has 3 documents besides .* adapted to 5 at least.*leave out", error)
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_domain_gives_prefixes_and_rules(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "council.yaml"

    def divided(content: str) -> OwnText:
        file.write_text(content)
        return divided_text(DOCUMENTS, own_params(str(settings / "own.yaml"), domain=file))

    plain = divided_text(DOCUMENTS, own_params(str(settings / "own.yaml")))
    text = divided('prefixes: ["Norvane (NBC) --"]\n')
    assert set(text.contexts["domain"]) == {"council"}
    assert text.contexts["text"].tolist() == [
        f"Norvane (NBC) -- {each}" for each in plain.contexts["text"]
    ]
    assert text.inputs["context_id"].tolist() == plain.inputs["context_id"].tolist()
    inputs = divided('refused: ["old ships"]\n').inputs
    refused = inputs["raw"].str.contains("old ships")
    assert refused.any()
    assert set(inputs.loc[refused, "reason"]) == {"refused"}
    for content, told in {
        "prefix: [x]": r"council.yaml: domains.0.prefix = .*no such field .did you mean prefixes",
        "banned: x": "council.yaml: domains.0.banned = 'x': .*list",
        "just a text": "council.yaml describes no domain: give a line",
        "": "council.yaml describes no domain",
    }.items():
        file.write_text(content)
        line = arguments(settings, "paraphrase", tmp_path / "made")
        assert cli.main([*line, "--domain", str(file)]) == 2
        error = capsys.readouterr().err
        assert re.search(told, error), error
        assert error.count("\n") == 1
    assert not (tmp_path / "made").exists()


FOREIGN = "El consejo aprobó el plan en Lyon el lunes después de un largo debate con la oposición."
BAD = {
    "empty.txt": (b"", "holds no document"),
    "line.txt": (b"One came. Two left. Three stayed.\n", "at least 3 are needed"),
    "short.txt": (b"One came here.\nTwo left there.\nThree stayed on.\n", "no document has 2"),
    "binary.txt": (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not UTF-8 text"),
    "nul.txt": (b"One \x00 came here.\n" * 4, "control character U\\+0000"),
    "page.pdf": (b"%PDF-1.7", "files that end in .pdf are not read"),
    "spanish.txt": (f"{FOREIGN}\n".encode() * 4, "does not look English"),
    "utf16.txt": ("One came. Two left.\n".encode("utf-16"), "is not UTF-8 text"),
    "field.jsonl": (b'{"body": "One came."}\n', "no field 'text'.*only body"),
    "number.jsonl": (b'{"text": 3}\n', "is a int, not a text"),
    "broken.jsonl": (b"{\n", "not JSON"),
    "broken.parquet": (b"PAR1", "no readable Parquet file"),
    "cut.txt.gz": (gzip.compress(b"One came. Two left.\n" * 90)[:40], "Cannot read"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_text_is_one_sentence(
    name: str, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, told = BAD[name]
    (tmp_path / name).write_bytes(content)
    out = tmp_path / "made"
    line = arguments(settings, "paraphrase", out, str(tmp_path / name))
    assert cli.main(line) == 2
    error = capsys.readouterr().err
    assert re.search(told, error), error
    assert error.count("\n") == 1
    assert not out.exists()


def test_bad_orders_are_one_sentence(
    settings: Path, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    (tmp_path / "none").mkdir()
    (tmp_path / "other.txt").write_text("\n".join(DOCUMENTS[:5]))
    other = arguments(settings, "paraphrase", made, str(tmp_path / "other.txt"))
    for line, told in {
        "task": (arguments(settings, "parafrase", tmp_path / "x"), "did you mean paraphrase"),
        "absent": (arguments(settings, "paraphrase", tmp_path / "x", "no.txt"), "no such file"),
        "no texts": (
            arguments(settings, "paraphrase", tmp_path / "x", str(tmp_path / "none")),
            "holds no file that ends in .txt",
        ),
        "other task": (arguments(settings, "summarize", made), "a run of another task"),
        "other text": (other, "a run of another text"),
        "full": (arguments(settings, "paraphrase", tmp_path / "full"), "is not empty"),
        "file": (arguments(settings, "paraphrase", tmp_path / "other.txt"), "is a file"),
        "no folder": (
            arguments(settings, "paraphrase", tmp_path / "other.txt" / "x"),
            "Cannot write .*Not a directory",
        ),
        "model": (
            [*arguments(settings, "paraphrase", tmp_path / "x"), "critic=me"],
            "no such model",
        ),
        "parameter": ([*arguments(settings, "paraphrase", tmp_path / "x"), "kk=3"], "no parameter"),
    }.values():
        assert cli.main(line) == 2
        error = capsys.readouterr().err
        assert re.search(told, error), error
        assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_all_kinds_of_files_give_the_same_documents(tmp_path: Path) -> None:
    texts = ["One came. Two left.", "Café opened."]
    kinds: dict[str, bytes] = {
        "a.txt": "\n\n".join(texts).encode(),
        "crlf.md": "\r\n".join(texts).encode(),
        "bom.txt": "\n".join(texts).encode("utf-8-sig"),
        "a.jsonl": "\n".join(json.dumps({"body": text}) for text in texts).encode(),
        "a.txt.gz": gzip.compress("\n".join(texts).encode()),
    }
    for name, content in kinds.items():
        (tmp_path / name).write_bytes(content)
    pd.DataFrame({"body": [*texts, None]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    for name in (*kinds, "a.parquet"):
        found = read_documents(tmp_path / name, "body")
        assert [each.text for each in found] == texts, name
    assert [each.text for each in read_documents(tmp_path, "body")] == texts * 6
    with pytest.raises(DataError, match=r"row|no field 'txt', only body"):
        read_documents(tmp_path / "a.parquet", "txt")


def test_some_bad_documents_are_left_out_and_said(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mixed.txt").write_text("\n".join([DOCUMENTS[0], FOREIGN, *DOCUMENTS[1:]]))
    good = usable_documents(Order(tmp_path / "mixed.txt", "paraphrase", tmp_path / "out"))
    assert [each.text for each in good] == DOCUMENTS
    assert re.search("1 of 11 documents.*line 2: it does not look", capsys.readouterr().err)


def test_documents_are_divided_by_the_seed_and_never_shared(settings: Path) -> None:
    params = own_params(str(settings / "own.yaml"))
    text = divided_text([*DOCUMENTS, DOCUMENTS[0]], params)
    assert len(text.contexts) == 4
    assert set(text.contexts["n_sentences"]) == {1, 2}
    both = {*text.contexts["context_id"]} & set(text.inputs["context_id"])
    assert both  # a document's sentences have its context's name
    for row in text.contexts.itertuples():
        mine = text.inputs.loc[text.inputs["context_id"] == row.context_id, "text"]
        assert mine.empty or row.text.startswith(mine.iloc[0])
    held_out = {name for name in NAMES if name in " ".join(text.held_out["text"])}
    used = " ".join([*text.contexts["text"], *text.inputs["text"]])
    assert held_out
    assert not [name for name in held_out if name in used]
    again = divided_text(DOCUMENTS, params)
    assert again.contexts.equals(text.contexts)
    other = divided_text(DOCUMENTS, own_params(str(settings / "own.yaml"), ["seed=1"]))
    assert not other.contexts.equals(text.contexts)


def test_no_document_of_a_held_out_paragraph_is_used(settings: Path) -> None:
    documents = ["It was in May.", *DOCUMENTS, "It was in June."]
    params = own_params(str(settings / "own.yaml"))
    for seed in range(5):
        text = divided_text(documents, params.reseeded(seed), 3)
        held_out = " ".join(text.held_out["text"])
        assert not [each for each in text.others if each in held_out or held_out in each]
        sources = [*text.inputs["text"], *text.held_out["text"]]
        assert all(any(each in document for document in documents) for each in sources)
        assert all(accept_sentences(each, 3) == (each, "") for each in sources)


def test_distil_makes_summaries_of_paragraphs(
    settings: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "made"
    asked = ["--paragraphs", "2", "--", "k=60"]
    assert cli.main([*arguments(settings, "summarize", out), *asked]) == 0
    told = capsys.readouterr().err
    assert "held-out paragraphs of 2 sentences" in told
    pairs = pd.concat(map(pd.read_parquet, (out / "dataset" / "data").glob("*.parquet")))
    assert {*pairs["origin"]} == {"teacher", "student"}
    assert all(accept_sentences(each, 2) == (each, "") for each in pairs["source"])
    teacher = pairs[pairs["origin"] == "teacher"]
    assert all(accept_sentence(each) == (each, "") for each in teacher["target"])
    accepted = (computed(out, name).query("reason == ''") for name in ("paragraphs", "sentences"))
    s, m = (each.groupby("context_id").size() for each in accepted)
    card = (out / "dataset" / "README.md").read_text(encoding="utf-8")
    assert f"paragraphs of 2 sentences accepted: {s.sum()}" in card
    assert "apart from them, paragraphs of 2 sentences" in card
    assert f"of {int((s * m).sum()):,} pairs" in told
    two, line = " ".join(tiny.SENTENCES[:2]), tmp_path / "line.txt"
    line.write_text(f"{two}\n")
    models = ["--model", str(out / "student"), "--critic", str(settings / "critic")]
    assert cli.main(["summarize", str(line), *models, "--json", "--best-effort"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == two


def test_paragraphs_of_paraphrases_are_refused(
    settings: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "made"
    line = [*arguments(settings, "paraphrase", out), "--paragraphs", "2"]
    assert cli.main(line) == 2
    error = capsys.readouterr().err
    assert "give --task summarize" in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_the_page_escapes_what_texts_hold() -> None:
    evil = "<script>alert(1)</script>"
    scores = dict.fromkeys(("p_xy", "p_yx", "rouge_l", "ted"), 0.5)
    pairs = pd.DataFrame([{"source": evil, "target": "y", "origin": "teacher", **scores}])
    answers = pd.DataFrame([{"source": evil, "text": "", "reason": "nothing passed: of 2"}])
    answers = answers.assign(fidelity=float("nan"), rouge_l=float("nan"), length_ratio=float("nan"))
    told = Distilled(
        "paraphrase", evil, {"the text": evil}, {"documents": 1}, {}, pairs.assign(split="train"),
        {"student": answers}, evil, {}, {}, 0,
    )  # fmt: skip
    page = distilled_page(told)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "(nothing passed: of 2)" in page


class Hub:
    """A hub that notes what it is asked for."""

    def __init__(self, fails: bool = False) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.fails = fails

    def create_repo(self, name: str, repo_type: str, private: bool, exist_ok: bool) -> str:
        if self.fails:
            raise ConnectionError("no route\nto host")
        self.calls.append(("create", name, repo_type, str(private)))
        return f"https://hub/{name}"

    def upload_folder(self, **asked: str) -> None:
        where = Path(asked["folder_path"]).name
        self.calls.append(("upload", where, asked["repo_type"], asked["path_in_repo"]))


def test_push_uploads_only_when_told_and_never_work(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = Hub()
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: hub)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert cli.main(["push", str(made), "--to", "me/mine"]) == 0
    assert "Nothing was uploaded" in capsys.readouterr().out
    assert hub.calls == []
    assert cli.main(["push", str(made), "--to", "me/mine", "--yes"]) == 0
    assert [call[1:] for call in hub.calls if call[0] == "upload"] == [
        ("dataset", "dataset", "."),
        ("student-merged", "model", "."),
        ("student", "model", "adapter"),
    ]
    assert {call[3] for call in hub.calls if call[0] == "create"} == {"True"}  # private


def test_push_refuses_in_one_sentence(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(RunError, match="offline"):
        push.push_distilled(made, "me/mine", False, Hub())
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with pytest.raises(RunError, match="failed .ConnectionError: no route to host"):
        push.push_distilled(made, "me/mine", False, Hub(fails=True))
    for part in ("dataset", "student", "student-merged"):
        (tmp_path / "own" / part).mkdir(parents=True)
        (tmp_path / "own" / part / "README.md").write_text('license: "unknown"')
    with pytest.raises(RunError, match="--licence"):
        push.push_distilled(tmp_path / "own", "me/mine", True, Hub())
    with pytest.raises(DataError, match="owner/name"):
        push.uploads(made, "mine")
    with pytest.raises(DataError, match="has no dataset/"):
        push.uploads(tmp_path, "me/mine")
