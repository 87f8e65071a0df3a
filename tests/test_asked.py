"""A model that is asked, in its chat template or by a plain prompt, and the best of n answers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.data.io import write_frame, write_text
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.evaluation.baselines.back_translation import RoundTrip
from impossible.evaluation.baselines.rival_corpora import rival_corpora
from impossible.evaluation.best_of import best_of_system, chosen_candidates
from impossible.evaluation.prompting import CHAT_TASKS, answer, asked, chat, few_shot, zero_shot
from impossible.evaluation.systems import prompted
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import LanguageModel

TEMPLATE = (
    "{% for turn in messages %}<|im_start|>{{ turn['role'] }}\n{{ turn['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHOTS = [("He left.", "He went.")]
ITEMS = pd.DataFrame({"id": list("abc"), "source": tiny.SENTENCES[:3]})


def chat_model() -> LanguageModel:
    model, tok = tiny.llama()
    tok.chat_template = TEMPLATE
    return LanguageModel(model, tok, "tiny", "0")


def test_a_chat_model_is_asked_in_its_template() -> None:
    teacher = asked(chat_model(), SHOTS)
    (row,) = teacher.prompts(["Prices rose."])
    told = CHAT_TASKS["paraphrase"]
    assert teacher.tokenizer.decode(row) == (
        f"<|im_start|>user\n{told}\n\nHe left.<|im_end|>\n"
        "<|im_start|>assistant\nHe went.<|im_end|>\n"
        f"<|im_start|>user\n{told}\n\nPrices rose.<|im_end|>\n<|im_start|>assistant\n"
    )
    assert teacher.ends() == {teacher.tokenizer.eos_token_id}  # a newline does not end an answer
    assert chat("x", task="summary")[0]["content"].startswith("Write the sentence in fewer words")


def test_a_model_without_a_template_continues_a_text() -> None:
    model, tok = tiny.gpt2()
    teacher = asked(LanguageModel(model, tok, "tiny", "0"), SHOTS, 20)
    (row,) = teacher.prompts(["Prices rose."])
    assert tok.decode(row) == few_shot("Prices rose.", SHOTS)
    (zero,) = asked(teacher).prompts(["Prices rose."])
    assert tok.decode(zero) == zero_shot("Prices rose.")
    (long,) = teacher.prompts(["word " * 200])
    assert len(long) == teacher.window - 20  # the beginning is lost, an answer has room
    many = asked(teacher, SHOTS * 9, 20).prompt("Prices rose.")
    assert 1 < many.count("He went.") < 9  # as many examples as fit
    assert len(teacher.generate(["Prices rose."], 2, 1.0, max_new_tokens=20)[0]) == 2


def test_each_item_is_answered_by_itself() -> None:
    system = prompted(chat_model(), SHOTS, 8)
    assert system(ITEMS) == [system(ITEMS.iloc[[i]])[0] for i in range(3)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Prices grew.", "Prices grew."),
        ('"Prices grew."', "Prices grew."),
        ("Prices grew. This keeps the meaning.", "Prices grew."),
        ("Here is a paraphrase:\n\nPrices grew.\nAnother: x", "Prices grew."),
        ("Rewritten sentence: Prices grew.", "Prices grew."),
        ('**Paraphrased sentence:** "Prices grew."', "Prices grew."),
        ('"No," he said, prices grew.', '"No," he said, prices grew.'),
        ('"They grew," Hale said.', '"They grew," Hale said.'),
        ("He said: prices grew.", "He said: prices grew."),
        ("Prices grew", "Prices grew"),
        ("", ""),
    ],
)
def test_the_answer_in_what_a_chat_model_writes(text: str, found: str) -> None:
    assert answer(text, "Prices rose.") == found


def test_the_quotation_marks_of_a_source_stay() -> None:
    assert answer('"It grew!" he said.', '"It rose!" said Hale.') == '"It grew!" he said.'


def test_an_answer_has_as_many_sentences_as_its_source() -> None:
    assert answer("It grew. It fell. It is so.", "It rose. It sank.") == "It grew. It fell."


def test_the_most_different_of_what_passes_is_chosen_else_the_most_faithful() -> None:
    scored = pd.DataFrame(
        {
            "input_id": list("aaabb"), "x": "x", "y": ["near", "far", "false", "so", "so so"],
            "rouge_l": [0.7, 0.3, 0.1, 0.2, 0.3],
            "p_xy": [0.9, 0.8, 0.1, 0.6, 0.7], "p_yx": [0.9, 0.8, 0.9, 0.2, 0.5],
        }
    )  # fmt: skip
    limits = Thresholds.paraphrase(Params.load("base"))
    scored = hand_scored(scored, limits)
    assert chosen_candidates(scored, limits) == {"a": "far", "b": "so so"}
    assert chosen_candidates(scored.head(0), limits) == {}


def test_the_best_of_n_is_one_of_the_samples() -> None:
    class Critic:
        def probabilities(self, pairs: Any) -> Any:
            return np.full(len(pairs), 0.9)

        def entails(self, pairs: Any) -> Any:
            return np.full(len(pairs), True)

    class Parser:
        def parse_many(self, sentences: Any) -> Any:
            return ["(S (N rain))"] * len(sentences)

    params = Params.load("base", {"n_candidates": 4, "sentence_max_new_tokens": 12})
    limits = Thresholds.paraphrase(params)
    teacher = asked(chat_model(), (), 12)
    system = best_of_system(teacher, SimpleNamespace(critic=Critic(), parser=Parser()), limits, "t")
    outputs = system(ITEMS)
    assert len(outputs) == 3
    assert outputs == system(ITEMS)
    assert outputs != list(ITEMS["source"])


def test_corpora_of_other_methods(tmp_path: Path) -> None:
    pairs = [
        {"source": "a b", "target": "b a", "label": 1}, {"source": "c", "target": "d", "label": 0},
        {"source": "e f", "target": "f e", "label": 1}, {"source": "g", "target": "h", "label": 1},
        {"source": "i", "target": "j", "label": 1},
    ]  # fmt: skip
    write_text(tmp_path / "mrpc" / "train.jsonl", "\n".join(map(json.dumps, pairs)))
    run = RunFolder.open(tmp_path / "run")
    params = Params.load("base", {"human_data": str(tmp_path), "sentence_max_new_tokens": 8})
    inputs = ITEMS.rename(columns={"source": "text"}).assign(context_id="c")
    trip = RoundTrip(Echo(), Echo(), "", "")
    made = (params, run, inputs, trip, asked(chat_model(), (), 8), ["g", "f e"])
    found, missing = rival_corpora(*made)
    assert not missing
    assert list(found["human pairs"]["source"]) == ["a b", "i"]  # no pair of the test set
    assert list(found["round trips"]["target"]) == [f"{x} Well." for x in ITEMS["source"]]
    assert set(found["asked teacher"]["origin"]) == {"asked teacher"}
    _, missing = rival_corpora(params.fixed(human_data=""), run, inputs, None, *made[4:])
    assert list(missing) == ["round trips", "human pairs"]
    write_frame(run.data("corpora"), found["round trips"], DATASET)
    assert list(rival_corpora(*made)[0]) == ["round trips"]  # what notebook 10 has made


class Echo:
    """Says the same, well."""

    def generate(self, sources: Any, **_: Any) -> list[list[str]]:
        return [[source.removesuffix(" Well.") + " Well."] for source in sources]
