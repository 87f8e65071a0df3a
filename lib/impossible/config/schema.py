"""Every parameter of a run: type, default, range, unit, meaning and the paper's section.

Defaults are the paper's values where it has one, else those of the in-vitro run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def _p(
    default: Any,
    description: str,
    unit: str = "",
    section: str = "",
    *,
    affects: bool = True,
    names: Literal["value", "model", "models", "folder", "folders"] = "value",
    **limits: Any,
) -> Any:
    """A field. `names` says what counts for a stage's key: the value, or what lies behind it."""
    extra: dict[str, Any] = {
        "unit": unit,
        "section": section,
        "affects_results": affects,
        "names": names,
    }
    return Field(default, description=description, json_schema_extra=extra, **limits)


class Domain(BaseModel):
    """A kind of text: how its contexts open, and what is never generated in it (section 3.1)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(min_length=1, description="short name, for example news")
    prefixes: list[str] = Field([], description="opening lines, one drawn per context; none: empty")
    banned: list[str] = Field(["\n"], description="strings that are never generated")
    refused: list[str] = Field(
        [], description="a sentence that holds one of these, in any case, is refused (links, say)"
    )


NEWS = Domain(name="news", prefixes=["New York (CNN) --"], banned=["\n"], refused=[])
BIO = Domain(name="bio", prefixes=["Abstract:"], banned=["\n", "<", ">", "/", "[", "]"], refused=[])


class Schema(BaseModel):
    """The fields; `params.Params` is how they are loaded, checked and read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    seed: int = _p(0, "root of all randomness", ge=0, lt=2**32)
    # Models and domains
    domains: list[Domain] = _p([NEWS, BIO], "kinds of text", section="§3.1", min_length=1)
    teacher: str = _p(
        "in-vitro/teacher", "language model that writes", section="§3.1", names="model"
    )
    domain_teachers: dict[str, str] = _p(
        {}, "domain → language model of that domain alone", section="§3.1", names="models"
    )
    domain_contexts: int = _p(60, "contexts that each of them writes", "contexts", ge=1)
    critic: str = _p("in-vitro/critic", "NLI model that judges", section="§3.2", names="model")
    student_base: str = _p("in-vitro/student-base", "start of M", section="§3.3", names="model")
    encoder: str = _p("in-vitro/encoder", "sentence encoder (cosine)", section="§4", names="model")
    parser: Literal["grammar", "flat"] = _p("grammar", "source of trees for TED", section="§3.2")
    rebuild_models: bool = _p(False, "train the in-vitro models anew, else the shipped copies")
    dtype: Literal["auto", "bfloat16", "float32"] = _p("auto", "arithmetic of the models")
    device: str = _p("auto", "where models run: auto, cpu, cuda, cuda:1 …", affects=False)
    # Contexts
    n_contexts: int = _p(600, "contexts in all", "contexts", "§3.1", ge=1)
    context_sentences_min: int = _p(1, "shortest context", "sentences", "§3.1", ge=1, le=20)
    context_sentences_max: int = _p(5, "longest context", "sentences", "§3.1", ge=1, le=20)
    context_top_p: float = _p(0.9, "nucleus of contexts", "probability", "§3.1", gt=0, le=1)
    context_temperature: float = _p(1.0, "temperature of contexts", "", "§3.1", gt=0, le=5)
    context_max_new_tokens: int = _p(150, "longest context", "tokens", "§3.1", ge=1, le=4096)
    # Sentences
    k: int = _p(100, "next sentences per context", "samples", "§3.1", ge=2, le=1000)
    top_p: float = _p(0.9, "nucleus of sentences", "probability", "§3.1", gt=0, le=1)
    temperature: float = _p(0.7, "temperature of sentences", "", "§3.1", gt=0, le=5)
    max_new_tokens: int = _p(100, "longest sentence", "tokens", "§3.1", ge=1, le=4096)
    no_repeat_ngram_size: int = _p(0, "0 off; released code 3", "tokens", "§3.1", ge=0, le=20)
    min_characters: int = _p(3, "shortest sentence", "characters", "§3.1", ge=1, le=1000)
    # Critics
    entailment_threshold: float = _p(0.75, "P_NLI, both ways", "probability", "§3.2", ge=0, le=1)
    entailment_floor: float = _p(
        0.5, "below it in one direction the other is not computed", "probability", ge=0, le=1
    )
    rouge_l_max: float = _p(0.75, "largest ROUGE-L of x and y", "F1", "§3.2", ge=0, le=1)
    ted_min: int = _p(12, "smallest tree edit distance", "edits", "§3.2", ge=0, le=1000)
    length_ratio_min: float = _p(0.8, "smallest |y|/|x|", "characters", "code", ge=0, le=100)
    length_ratio_max: float = _p(1.5, "largest |y|/|x|", "characters", "code", ge=0, le=100)
    number_consistency: bool = _p(True, "the same numbers in x and y", section="code")
    both_directions: bool = _p(True, "x ⇔ y (paraphrase), else x ⇒ y (summary)", section="§3.2")
    diversity_filter: bool = _p(True, "Algorithm 1 within a context", section="§3.2")
    dedup: Literal["paper", "released"] = _p("paper", "variant of Algorithm 1", section="§3.2")
    # Summarization: these gates in the place of the ones above
    summary_contexts: int = _p(600, "contexts whose pairs are judged", "contexts", "§3.6", ge=1)
    summary_inputs: int = _p(1000, "fresh inputs x", "sentences", "§3.6", ge=1)
    summary_length_ratio_max: float = _p(
        0.8, "largest |y|/|x| of a summary", "characters", "§3.6", gt=0, lt=1
    )
    # Student
    student_epochs: int = _p(8, "most passes over the data", "epochs", "§3.3", ge=1, le=1000)
    student_batch_size: int = _p(64, "pairs per step", "pairs", "§3.3", ge=1, le=4096)
    student_learning_rate: float = _p(1e-3, "peak of the schedule", "", "§3.3", gt=0, le=1)
    student_warmup: float = _p(0.05, "part of the steps with rising rate", ge=0, le=1)
    student_patience: int = _p(2, "epochs without gain on dev before stop", "epochs", ge=1, le=1000)
    student_dev_fraction: float = _p(0.05, "part held out to stop early", ge=0.001, le=0.5)
    # Corpora and systems to compare with
    translator: str = _p(
        "in-vitro/student-base", "there, for round trips", section="Table 1", names="model"
    )
    back_translator: str = _p(
        "in-vitro/student-base", "back, for round trips", section="Table 1", names="model"
    )
    translator_prefix: str = _p("translate English to Volan: ", "before what is translated")
    back_translator_prefix: str = _p("translate Volan to English: ", "before its translation")
    compared_pairs: int = _p(1000, "pairs of every student compared", "pairs", "Table 2", ge=2)
    ablation_inputs: int = _p(400, "inputs of a variant", "sentences", "Table 6", ge=1)
    thesaurus: str = _p("in-vitro", "synonyms: in-vitro, or a JSON or YAML file", names="folder")
    synonym_rate: float = _p(1.0, "wordings exchanged for synonyms", "share", ge=0, le=1)
    corruption_drop: float = _p(1.0, "function words dropped", "share", "Table 8", ge=0, le=1)
    corruption_shuffle: float = _p(0.2, "other words that move", "share", "Table 8", ge=0, le=1)
    corruption_exchange: float = _p(0.2, "wordings exchanged", "share", "Table 8", ge=0, le=1)
    search_steps: int = _p(200, "edits tried per sentence", "edits", "Table 8", ge=0, le=100_000)
    search_temperature: float = _p(0.1, "first temperature", "nats of f", "Table 8", gt=0, le=100)
    search_cooling: float = _p(1.0, "of it lost: 1 UPSA, 0 CGMH", "share", "Table 8", ge=0, le=1)
    search_fluency: float = _p(8.0, "of P(y) per word of x", "exponent", ge=0, le=100)
    search_keywords: float = _p(1.0, "of the keyword least alike", "exponent", ge=0, le=100)
    search_sentence: float = _p(4.0, "of the sentences' cosine", "exponent", ge=0, le=100)
    search_novelty: float = _p(2.0, "of 1 - BLEU against the source", "exponent", ge=0, le=100)
    search_proposal: float = _p(10.0, "of a proposal's likeness", "exponent", ge=0, le=100)
    search_keyword_floor: float = _p(0.8, "less alike is lost", "cosine", ge=-1, le=1)
    rounds: int = _p(4, "rounds of self-distillation looked at", "rounds", "Table 6", ge=1, le=20)
    # Self-distillation
    n_inputs: int = _p(2000, "fresh inputs x", "sentences", "§3.3", ge=1)
    n_candidates: int = _p(10, "student's samples per input", "samples", "code", ge=1, le=1000)
    candidate_top_p: float = _p(0.9, "nucleus of candidates", "probability", gt=0, le=1)
    candidate_temperature: float = _p(1.0, "temperature of candidates", gt=0, le=5)
    # Paraphrastic proximity
    proximity_contexts: int = _p(60, "contexts per point", "contexts", "§2", ge=2)
    proximity_pairs: int = _p(60, "random pairs judged per context", "pairs", "§2", ge=1)
    proximity_temperatures: list[float] = _p(
        [0.3, 0.5, 0.7, 0.9, 1.1], "points of the right panel", section="§2", min_length=1
    )
    proximity_lengths: list[int] = _p(
        [1, 2, 3, 4, 5], "points of the left panel", "sentences", "§2", min_length=1
    )
    given_contexts: str = _p(
        "in-vitro", "not by the teacher: in-vitro, a text file, empty", section="v1", names="folder"
    )
    proximity_surface_contexts: int = _p(12, "contexts per cell length × heat", "contexts", ge=1)
    proximity_surface_pairs: int = _p(
        15, "random pairs judged per context that is in no panel", "pairs", ge=1
    )
    # What only the oracle shows
    noise_levels: list[Annotated[float, Field(ge=0, le=1)]] = _p(
        [0.0, 0.2, 0.5], "pairs whose critic scores are exchanged, 0 to 1", "share", min_length=1
    )
    variant_contexts: int = _p(12, "contexts sampled anew as the released code does", ge=1)
    # Seeds of the ledger of claims
    sampled_seeds: int = _p(1, "of claims without training, and in all", "seeds", ge=1, le=99)
    trained_seeds: int = _p(1, "of claims about students", "seeds", affects=False, ge=1, le=99)
    # Transfer to an unseen domain
    unseen_domain: str = _p("forum", "where no student has pairs from", section="v1")
    transfer_sizes: list[Annotated[int, Field(ge=0)]] = _p(
        [0, 16, 64, 256, 1024], "gold pairs of the unseen domain", "pairs", "v1", min_length=1
    )
    transfer_steps: list[Annotated[int, Field(ge=1)]] = _p(
        [10, 40, 160], "of fine-tuning; the best on dev items counts", "steps", min_length=1
    )
    transfer_draws: int = _p(1, "times that the gold pairs are drawn", "draws", ge=1, le=99)
    # Sequential generation under lexical constraints
    sequential_contexts: int = _p(40, "contexts of the comparison", "contexts", "v1", ge=1)
    sequential_budget: int = _p(1000, "of the teacher, per context", "tokens", "v1", ge=1)
    sequential_samples: int = _p(16, "y after each x, and beams", "samples", "v1", ge=1, le=1000)
    sequential_keywords: int = _p(8, "of x that y must hold", "words", "v1", ge=0, le=12)
    sequential_copied: int = _p(
        4, "of x in a row that y may not hold; 0 any", "words", "v1", ge=0, le=100
    )
    # One student for two tasks
    multitask_epochs: int = _p(
        8, "passes of every student, none stops early", "epochs", ge=1, le=1000
    )
    # Evaluation
    test_sets: list[str] = _p(
        ["world"],
        "what systems are tested on: world, held_out (sentences that the teacher wrote, without "
        "references), mrpc, parasci_arxiv, quora, mscoco, pawsx, asset, wiki_conciseness, "
        "gigaword, the path of a JSON lines file, or module:function",
        section="§4",
        names="folders",
        min_length=1,
    )
    judge: str = _p(
        "oracle",
        "who says, for evaluation only, whether two sentences mean the same: oracle, referee, "
        "people, none, or module:Class",
    )
    referee: str = _p(
        "none", "NLI model of the judge called referee, other than the critic", names="model"
    )
    n_test: int = _p(500, "test sentences", "sentences", "§4", ge=2)
    bootstrap_samples: int = _p(1000, "resamples of an interval", "samples", ge=10, le=100_000)
    confidence: float = _p(0.95, "coverage of an interval", "probability", gt=0.5, lt=1)
    human_data: str = _p("", "folder of the human datasets; empty: not shown", names="folder")
    human_n: int = _p(1000, "pairs per dataset, equal for all", "pairs", "§4", ge=10)
    compare_with: str = _p(
        "", "Parquet file of pairs shown beside the human sets; empty: D_para", names="folder"
    )
    compare_summaries: dict[str, str] = _p(
        {}, "name → Parquet file of summaries shown beside human ones", names="folders"
    )
    n_examples: int = _p(1, "examples of each kind per domain and corpus", "pairs", "Table 7", ge=1)
    # Rating by people
    n_rated: int = _p(200, "test sentences whose outputs are rated", "sentences", "Table 3", ge=2)
    n_raters: int = _p(6, "raters, one form for each", "raters", "Table 3", ge=2, le=99)
    ratings: str = _p("", "folder of returned ratings; empty: synthetic ones", names="folder")
    # Machine
    workers: int = _p(2, "notebooks executed at the same time", affects=False, ge=1, le=64)
    threads: int = _p(
        1, "of each notebook, 0 the library's choice; last bits of training", ge=0, le=1024
    )
    batch_tokens: int = _p(16_384, "size of a batch: memory", "tokens", affects=False, ge=256)
    # Recipes of the in-vitro models (read by notebook 01 on rebuild only)
    n_documents: int = _p(90_000, "documents of the closed world", "documents", ge=10)
    teacher_steps: int = _p(4500, "steps of the teacher", "steps", ge=1)
    teacher_adding_steps: int = _p(2000, "its steps with the third domain", "steps", ge=1)
    domain_teacher_steps: int = _p(2500, "steps of a teacher of one domain", "steps", ge=1)
    critic_pairs: int = _p(240_000, "labelled pairs for the critic", "pairs", ge=10)
    critic_pretraining_steps: int = _p(3500, "steps on masked words", "steps", ge=1)
    critic_alignment_steps: int = _p(1200, "steps on shared words", "steps", ge=1)
    critic_steps: int = _p(5000, "steps on labels, each of two times", "steps", ge=1)
    critic_final_steps: int = _p(4500, "steps on labels, the third time", "steps", ge=1)
    critic_adding_steps: int = _p(6000, "steps on labels with the third domain", "steps", ge=1)
    critic_settling_steps: int = _p(9000, "such steps, the second time", "steps", ge=1)
    base_steps: int = _p(500, "steps of span corruption", "steps", ge=1)
    base_denoising_steps: int = _p(1200, "steps of denoising", "steps", ge=1)
    base_final_steps: int = _p(3000, "steps of denoising, the second time", "steps", ge=1)
    base_lexical_steps: int = _p(2500, "steps of denoising with a thesaurus", "steps", ge=1)
    base_translation_steps: int = _p(13_500, "steps of translation and denoising", "steps", ge=1)
    base_adding_steps: int = _p(6000, "its steps with the third domain", "steps", ge=1)
    base_settling_steps: int = _p(6500, "such steps, the second time", "steps", ge=1)
    encoder_steps: int = _p(1500, "steps of the encoder", "steps", ge=1)
