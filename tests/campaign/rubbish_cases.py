"""The table of bad inputs: what is typed, what is said. `…` stands for the folder of the files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from .common import Answer, refused, traces


@dataclass(frozen=True)
class Case:
    """An input and what must come of it.

    Attributes:
        typed: arguments of `impossible`, blanks between them.
        told: words of the sentence; or what must hold of an answer that is none.
        row: of the list of what once failed (1 to 18); 0: of none.
        given: to standard input.
        variables: of the environment.
    """

    typed: str
    told: str | Callable[[Answer], list[str]] = ""
    row: int = 0
    given: bytes = b""
    variables: tuple[tuple[str, str], ...] = ()

    def wrong(self, answer: Answer) -> list[str]:
        """What is not as it must be."""
        if isinstance(self.told, str):
            return refused(answer, self.told) + (["output"] if answer.out.strip() else [])
        return traces(answer) + self.told(answer)


def answered(*patterns: str, stream: str = "out") -> Callable[[Answer], list[str]]:
    """It ends well, and these patterns are found in what it prints."""

    def wrong(answer: Answer) -> list[str]:
        if answer.status:
            return [f"status {answer.status}: {answer.err[-200:]!r}"]
        text = getattr(answer, stream)
        lacking = [each for each in patterns if not re.search(each, text)]
        return [f"lacks {each!r}: {text[-300:]!r}" for each in lacking]

    return wrong


def either(pattern: str) -> Callable[[Answer], list[str]]:
    """It ends well and says so, or refuses in one sentence."""
    return lambda answer: refused(answer) if answer.status else answered(pattern)(answer)


def aligned(lines: int) -> Callable[[Answer], list[str]]:
    """As many lines came out as went in."""

    def wrong(answer: Answer) -> list[str]:
        found = answer.out.count("\n")
        if answer.status or found != lines:
            return [f"{found} lines, not {lines}; status {answer.status}: {answer.err[-200:]!r}"]
        return []

    return wrong


def value(metric: str, wanted: float | None) -> Callable[[Answer], list[str]]:
    """`impossible score` gives this value (None: missing, with a reason in words)."""

    def wrong(answer: Answer) -> list[str]:
        if answer.status:
            return [f"status {answer.status}: {answer.err[-200:]!r}"]
        found = json.loads(answer.out)["scores"][metric]
        if wanted is not None:
            same = found["value"] is not None and abs(found["value"] - wanted) < 1e-4
            return [] if same else [f"{metric} is {found['value']}, not {wanted}"]
        reason = str(found.get("reason", ""))
        if found["value"] is not None or not reason or "|" in reason:
            return [f"{metric} is {found['value']}, reason {reason!r}"]
        return []

    return wrong


NEW = "--results …/new"
TINY = "--model …/models/student --critic …/models/critic"
OPEN = "entailment_threshold=0.3 critic=…/models/critic encoder=none parser=flat device=cpu"

_PARAMS = {
    "unknown": "there is no parameter kk (did you mean k?)",
    "mistyped": "k = 'many': input should be a valid integer",
    "boolean": "k = True",
    "range": "sentence_temperature = 0: input should be greater than 0",
    "infinite": "sentence_temperature = inf",
    "order": "length_ratio_min (2.0) must not exceed length_ratio_max",
    "field": "no such field (did you mean prefixes?)",
    "twins": "domains must have different names",
    "stranger": "domain_teachers names poems",
    "syntax": "syntax.yaml, line 3 is not YAML",
    "twice": "`k` is given twice",
    "latin": "is not UTF-8 text (byte 13)",
    "wide": "is not UTF-8 text",
    "binary": "binary.yaml is not YAML",
    "empty": "is empty",
    "list": "is no list of `name: value` lines",
    "text": "is no list of `name: value` lines",
    "number": "is no list of `name: value` lines",
    "circle": "the files extend each other",
    "orphan": "nobody",
    "tagged": "is not YAML",
    "alias": "",
    "numbered": "is no list of `name: value` lines",
    "absent": "Cannot read",
}
_OVERRIDES = {
    "kk=3": "there is no parameter kk (did you mean k?)",
    "k=many": "k = 'many'",
    "k=": "k = None",
    "k=[": "is not YAML",
    "=3": "is not of the form name=value",
    "k=-1": "k = -1",
    "k=1e400": "k =",
    "seed=1.5": "seed = 1.5",
    "sentence_temperature=.nan": "sentence_temperature = nan",
    "sentence_temperature=-1": "sentence_temperature = -1",
    "entailment_threshold=2": "entailment_threshold = 2",
    "length_ratio_min=2": "must not exceed",
    "domains=[]": "domains",
    "domains=news": "domains",
    "workers=0": "workers = 0",
    "threads=-1": "threads = -1",
    "dtype=float7": "dtype = 'float7'",
    "parts=[x]": "parts",
    "human_data=…/nowhere": "there is no folder",
    "human_data=…/notes.txt": "there is no folder",
    "unseen_domain=poems": "choose one of them",
    "leave_out=['99']": "names no notebook",
    "judge=nobody": "judge: there is no 'nobody'",
    "parser=spacey": "did you mean spacy?",
    "test_sets=[mrcp]": "did you mean mrpc?",
    "teacher=nobody": "there is no such model",
    "teacher=in-vitro/nobody": "there is no such model",
    "critic=…/nowhere": "there is no such model",
    "encoder=pypi:nobody": "There is no asset pypi:nobody",
}
_SELECTIONS = {
    "run smokke": "did you mean smoke?",
    "run smoke laboratory": "Give one params name or file",
    "run …/p": "Cannot read",
    f"run smoke --only 99 {NEW}": "'99' names no notebook",
    f"run smoke --only e {NEW}": "more than one",
    f"run smoke --from 07 --until 02 {NEW}": "swap them",
    f"run smoke --only 02 --from 03 {NEW}": "leave --from and --until out",
    "run smoke --only 05 --results …/empty": "first (--from)",
    "run smoke --frobnicate": "unrecognized arguments: --frobnicate",
    "run smoke --only": "expected one argument",
    "run smoke --results …/notes.txt": "Cannot make the results folder",
    "run smoke --results …/notes.txt/below": "Cannot make the results folder",
    "run smoke --results /proc/new": "Cannot make the results folder",
    "plan smokke": "did you mean smoke?",
    "plan smoke k=x": "k = 'x'",
    "plan --calibrate …/nowhere": "No finished notebook in",
    "verify …/nowhere": "has no manifest.json",
    "verify …/folder": "has no manifest.json",
    "verify …/notes.txt": "has no manifest.json",
    "verify …/manifest": "is not readable JSON",
    "fetch pypi:nobody": "There is no asset pypi:nobody",
    "fetch smokke": "did you mean smoke?",
    "fetch english --wheels …/nowhere": "there is no such folder",
    "doctor smokke": "did you mean smoke?",
    "doctor": "the following arguments are required",
    "frobnicate": "invalid choice",
}
_LINES = {
    "…/nowhere.jsonl": "No such file or directory",
    "…/folder": "Is a directory",
    "…/empty.jsonl": "empty; each line must be",
    "…/blank.jsonl": "empty; each line must be",
    "…/text.jsonl": "line 1: not JSON",
    "…/list.jsonl": "line 1: a JSON list",
    "…/null.jsonl": "line 1: a JSON NoneType",
    "…/deep.jsonl": "line 1: not JSON",
    "…/digits.jsonl": "line 1: not JSON",
    "…/field.jsonl": "is missing",
    "…/nothing.jsonl": "is empty",
    "…/surrogate.jsonl": "half a surrogate pair",
    "…/repeated.jsonl": "it has two fields 'source'",
    "…/wide.jsonl": "is not UTF-8 text",
    "…/binary.jsonl": "line 1: not JSON",
}
_SCORED = {
    "score …/torn.jsonl": "line 2: not JSON",
    "score …/torn.jsonl.gz": "Cannot read",
    "score …/gap.jsonl": "line 2: empty",
    "score …/kind.jsonl": "field 'output' is 3, not a string",
    "score …/none.jsonl": "must be a non-empty list of strings",
    "score …/words.jsonl": "must be a non-empty list of strings",
    "score …/good.jsonl --encoder …/nowhere": "there is no model",
    "score …/good.jsonl --encoder …/folder": "holds no model",
    "score …/good.jsonl --encoder …/notes.txt": "",
    "score": "the following arguments are required",
    "score …/good.jsonl …/good.jsonl": "unrecognized arguments",
    "quality …/latin.jsonl": "line 2 is not UTF-8 text",
    "quality …/pairs.jsonl --sample 0": "0 is not at least 1",
    "quality …/pairs.jsonl --sample x": "is not a whole number",
    "quality …/pairs.jsonl --parser nobody": "invalid choice",
    "critics …/pairs.jsonl --params nobody": "There are no parameters called nobody",
    "critics …/pairs.jsonl rouge_l_mx=0.5": "rouge_l_mx",
    "critics …/pairs.jsonl --task poem": "invalid choice",
    f"critics …/pairs.jsonl --params base --out …/pairs.jsonl {OPEN}": "is the input itself",
    f"critics …/pairs.jsonl --params base --out …/notes.txt/x {OPEN}": "cannot be written",
    "critics …/pairs.jsonl --params base critic=…/folder": "",
}
_REWRITTEN = {
    "paraphrase …/nowhere": "Cannot read",
    "paraphrase …/folder": "Cannot read",
    "paraphrase A_bridge_opened.": "Cannot read",
    "paraphrase …/lines.txt --novelty 2": "give a number from 0 to 1",
    "paraphrase …/lines.txt --novelty nan": "give a number from 0 to 1",
    "paraphrase …/lines.txt --novelty x": "invalid float value",
    "paraphrase …/lines.txt -n 0": "0 is not at least 1",
    "paraphrase …/lines.txt -n x": "is not a whole number",
    "paraphrase …/lines.txt --candidates 0": "0 is not at least 1",
    "paraphrase …/lines.txt --model …/nowhere": "there is no model",
    "paraphrase …/lines.txt --model …/folder": "holds no model",
    "paraphrase …/lines.txt --model results/nowhere/models/student": "make it with ./run_all.sh",
    "paraphrase …/lines.txt --model …/models/student --critic …/nowhere": "there is no model",
    "paraphrase …/lines.txt --model …/models/critic --critic …/models/critic": "",
    "paraphrase …/lines.txt --model …/models/student --critic …/models/encoder": "",
    f"paraphrase …/lines.txt {TINY} --length short": "takes no instructions",
    "paraphrase …/lines.txt --out …/notes.txt/x": "cannot be written",
    "paraphrase …/lines.txt --out …/lines.txt": "is the input itself",
    f"paraphrase …/wide.txt {TINY}": "is UTF-16, not UTF-8 text",
    "summarize …/nowhere": "Cannot read",
    "summarize …/lines.txt --novelty -1": "",
    "summarize …/lines.txt --model english/nobody": "",
}
_FORMS = {
    "forms …/nowhere --to …/new": "does not exist",
    "forms …/good.jsonl": "the following arguments are required: --to",
    "forms …/fake.parquet --to …/new": "give data/predictions.parquet as a run wrote it",
    "train …/fake.parquet --out …/new": "give a dataset as a run writes it",
    "forms …/folder --to …/new": "",
    "forms …/good.jsonl --to …/new --items 0": "give at least one of each",
    "forms …/good.jsonl --to …/new --raters 0": "give at least one of each",
    "forms …/good.jsonl --to …/new --raters 99999999": "more than 100",
    "forms …/good.jsonl --to …/new --items x": "invalid int value",
    "forms …/good.jsonl --to …/new --systems goood": "did you mean good?",
    "forms …/good.jsonl --to …/new --task poem": "There is no task 'poem'",
    "forms …/good.jsonl …/other.jsonl --to …/new": "has two sources",
    "forms …/good.jsonl …/good.jsonl --to …/new": "has two outputs",
    "forms …/good.jsonl --to …/kit": "belongs to other forms",
}
_UNWRITABLE = {
    "forms …/good.jsonl --to …/notes.txt/below": "Cannot write",
    "forms …/good.jsonl --to /proc/new": "Cannot write",
}
_RETURNED = {
    "ratings …/nowhere.json …/returned/whole": "does not exist",
    "ratings …/kit/key.json …/nowhere": "does not exist",
    "ratings …/kit/key.json …/folder": "holds no .csv file",
    "ratings …/kit/key.json …/notes.txt": "holds no .csv file",
    "ratings …/kit/torn.json …/returned/whole": "as `impossible forms` wrote it",
    "ratings …/kit/list.json …/returned/whole": "is no key of rating forms",
    "ratings …/folder …/returned/whole": "is missing: give the key.json",
    "ratings …/kit/key.json": "the following arguments are required",
    "ratings …/kit/key.json …/returned/short": "ask for the complete file",
    "ratings …/kit/key.json …/returned/twice": "has rated",
    "ratings …/kit/key.json …/returned/four": "must be one of 1, 2, 3",
    "ratings …/kit/key.json …/returned/no-answer": "is missing",
    "ratings …/kit/key.json …/returned/stranger": "there is no rater 'Ann'",
    "ratings …/kit/key.json …/returned/other-form": "is not the one of rater1",
    "ratings …/kit/key.json …/returned/column": "it lacks",
    "ratings …/kit/key.json …/returned/prose": "its first line must be",
    "ratings …/kit/key.json …/returned/quote": "is not CSV",
    "ratings …/kit/key.json …/returned/nothing": "its first line must be",
    "ratings …/kit/key.json …/returned/header": "hold no rating",
    "ratings …/kit/key.json …/returned/latin": "is not UTF-8 text",
    "ratings …/kit/key.json …/returned/mixed": "beside human ones",
}
_CELLS = {
    "two-lines": "must be the three lines",
    "no-overrides": "must be the three lines",
    "own-name": "sets config, overrides, results, k",
    "unknown": "there is no parameter kk (did you mean k?)",
    "computed": "only lines `name = literal`",
    "import": "only lines",
    "torn": "only lines",
    "called": "only lines",
    "blank": "is not a notebook",
    "object": "is not a notebook",
    "array": "is not a notebook",
    "half": "is not a notebook",
}


def _checkout(name: str) -> tuple[tuple[str, str], ...]:
    return (("IMPOSSIBLE_ROOT", f"…/cells/{name}"),)


LATIN = (("PYTHONIOENCODING", "latin-1"),)
SEEN = [  # what once failed and is no refusal, or needs words of its own
    Case("score …/copies.jsonl --encoder …/models/encoder", value("bert_score", 100), 2),
    Case("score …/copies.jsonl --encoder …/models/encoder", value("cosine", 100), 2),
    Case(f"paraphrase - {TINY} --json", aligned(3), 3, b"One came.\n" + b"w " * 31_500 + b"\nB.\n"),
    Case(f"paraphrase - {TINY}", aligned(1), 3, b"w" * 200_000 + b"\n"),
    Case("score …/long.jsonl --encoder …/models/encoder", either(r"first [\d,]+ tokens|cut"), 4),
    Case("score …/blanks.jsonl", value("bleu", 0), 5),
    Case("score …/blanks.jsonl", value("rouge_l", 0), 5),
    Case("ratings …/kit/marked.json …/returned/whole", answered("Raters: 1"), 6),
    Case("ratings …/kit …/returned/whole", answered("Raters: 1"), 6),
    *(Case(typed, told, 7) for typed, told in _UNWRITABLE.items()),
    Case("score …/cjk.jsonl", value("rouge_l", None), 8),
    *(
        Case(f"ratings …/kit/key.json …/returned/{name}", answered("Raters: 1"), 10)
        for name in ("whole", "semicolons", "tabs", "told", "commas")
    ),
    Case("score …/good.jsonl --encoder …/models/student", "", 11),
    Case("--help", answered("COMMAND"), 12, variables=LATIN),
    Case("critics --help", answered("example"), 12, variables=LATIN),
    Case("run --parameters", answered("sentence_temperature"), 12, variables=LATIN),
    Case("score …/marks.jsonl", value("rouge_l", None), 13),
    Case("quality …/one.jsonl", answered(r'"n": 1', r'"reason": "(?!\w*\|)[^"|]+"'), 13),
    Case("score …/good.jsonl.gz", answered('"scores"'), 14),
    Case("score …/marked.jsonl", answered('"scores"'), 14),
    Case(f"paraphrase …/lines.txt {TINY}", aligned(4), 15),
    Case("paraphrase - A_bridge_opened.", "unrecognized arguments", 15),
    Case("ratings …/kit/key.json …/returned/whole", answered("alpha", r"– .*: .{9,}"), 16),
    Case("score …/many.jsonl", answered('"scores"'), 17),
    Case("score …/huge.jsonl", "GB of memory", 18),
    Case("quality …/huge.jsonl", "GB of memory", 18),
]

CASES = [
    *(Case(f"run …/p/{name}.yaml {NEW}", told) for name, told in _PARAMS.items()),
    *(Case(f"run smoke {each} {NEW}", told) for each, told in _OVERRIDES.items()),
    *(Case(f"score {file}", told) for file, told in _LINES.items()),
    *(Case(f"quality {file}", told) for file, told in _LINES.items()),
    *(
        Case(typed, told)
        for table in (_SELECTIONS, _SCORED, _REWRITTEN, _FORMS, _RETURNED)
        for typed, told in table.items()
    ),
    *(Case("run test", told, variables=_checkout(name)) for name, told in _CELLS.items()),
    *(
        Case("run smoke", "holds no params/", variables=(("IMPOSSIBLE_ROOT", place),))
        for place in ("…/nowhere", "…/notes.txt", " ")
    ),
    Case("critics …/one.jsonl --params base --out - " + OPEN, answered('"kept"')),
    Case("", "the following arguments are required"),
    *SEEN,
]
