"""Every parameter of the pipeline: what it does, its type, range and unit, the paper's section.

Those of single experiments are in `experiments`. No values stand here: `params/base.yaml` holds
each one once, and other files state what differs.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from impossible.config.fields import (
    Count,
    Domain,
    Fraction,
    Probability,
    Ratio,
    Temperature,
    parameter,
)


class Schema(BaseModel):
    """Fields of the pipeline; `params.Params` is how all are loaded, checked and read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    seed: int = parameter("Where all random numbers start.", ge=0, lt=2**32)
    # Models and domains
    domains: list[Domain] = parameter("The kinds of text to write.", "", "§3.1", min_length=1)
    teacher: str = parameter(
        "Language model that writes contexts and sentences.", "", "§3.1", names="model"
    )
    domain_teachers: dict[str, str] = parameter(
        "For each domain, a language model of that domain alone.", "", "§3.1", names="model"
    )
    domain_contexts: Count = parameter("Contexts that each of these writes.", "contexts")
    critic: str = parameter(
        "NLI model that says whether one sentence follows from another.", "", "§3.2", names="model"
    )
    entailment_label: str = parameter(
        "What the critic's config calls the label for “follows”, in any case.", min_length=1
    )
    student_base: str = parameter(
        "Model that is trained to paraphrase, before training.", "", "§3.3", names="model"
    )
    student_adapter_rank: int = parameter(
        "Rank of the student's LoRA adapters; 0 trains all weights.", "rank", ge=0, le=1024
    )
    encoder: str = parameter(
        "Sentence encoder for similarity of meaning; none: leave out.", "", "§4", names="model"
    )
    parser: str = parameter(
        "What draws syntax trees: grammar, spacy (open English), benepar, stanza, corenlp, flat "
        "(no trees: words are compared), or module:Class.",
        "",
        "§3.2",
    )
    rebuild_models: bool = parameter(
        "Train the in-vitro models anew instead of taking the shipped ones."
    )
    dtype: Literal["auto", "bfloat16", "float32"] = parameter(
        "Arithmetic of the models; not float16, in which a T5 overflows."
    )
    device: str = parameter(
        "Where models run: auto, cpu, cuda, cuda:1 and so on.",
        affects=False,
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
    )
    # Contexts
    n_contexts: Count = parameter("Contexts to write, all domains together.", "contexts", "§3.1")
    context_sentences_min: Count = parameter("Shortest context.", "sentences", "§3.1", le=20)
    context_sentences_max: Count = parameter("Longest context.", "sentences", "§3.1", le=20)
    context_top_p: Probability = parameter(
        "Contexts are drawn from the likeliest words of this total probability.",
        "probability",
        "§3.1",
    )
    context_temperature: Temperature = parameter(
        "Sampling temperature of contexts; lower is more predictable.", "", "§3.1"
    )
    context_max_new_tokens: Count = parameter("Longest context.", "tokens", "§3.1", le=4096)
    # Sentences
    k: int = parameter(
        "Next sentences drawn after each context.", "sentences", "§3.1", ge=2, le=1000
    )
    sentence_top_p: Probability = parameter(
        "Sentences are drawn from the likeliest words of this total probability.",
        "probability",
        "§3.1",
    )
    sentence_temperature: Temperature = parameter(
        "Sampling temperature of sentences; lower is more predictable.", "", "§3.1"
    )
    sentence_max_new_tokens: Count = parameter(
        "Longest sentence, also of students.", "tokens", "§3.1", le=4096
    )
    no_repeat_ngram_size: int = parameter(
        "No run of so many tokens occurs twice in a sentence; 0: no such rule.",
        "tokens",
        "§3.1",
        ge=0,
        le=20,
    )
    min_characters: Count = parameter(
        "Shorter sentences are rejected.", "characters", "§3.1", le=1000
    )
    rejections: dict[str, list[str]] = parameter(
        "Reason and regular expressions: a sentence in which one is found is rejected for it.",
        "",
        "§3.1",
    )
    # Critics: x is the sentence, y its paraphrase
    entailment_threshold: Fraction = parameter(
        "Smallest probability that y follows from x (and x from y).", "probability", "§3.2"
    )
    entailment_floor: Fraction = parameter(
        "If one direction is below it, the critic is not asked for the other (saves time).",
        "probability",
    )
    rouge_l_max: Fraction = parameter(
        "Largest ROUGE-L of x and y: more words in common is no paraphrase.", "F1", "§3.2"
    )
    similarity_min: float = parameter(
        "Smallest cosine of the embeddings of x and y; pairs below it never reach the NLI model "
        "(saves time); -1: the encoder is not asked.",
        "cosine",
        ge=-1,
        le=1,
    )
    ted_min: int = parameter(
        "Smallest edit distance between the syntax trees of x and y.",
        "edits",
        "§3.2",
        ge=0,
        le=1000,
    )
    length_ratio_min: Ratio = parameter(
        "Smallest length of y over that of x, in characters.", "ratio", "code"
    )
    length_ratio_max: Ratio = parameter(
        "Largest length of y over that of x, in characters.", "ratio", "code"
    )
    number_consistency: bool = parameter("x and y must name the same numbers.", "", "code")
    name_consistency: bool = parameter(
        "x and y must have the same names: words with a capital letter within a sentence."
    )
    both_directions: bool = parameter(
        "x must follow from y as well: a paraphrase; else y may say less: a summary.", "", "§3.2"
    )
    diversity_filter: bool = parameter(
        "Of the pairs of a context that say the same, keep one (Algorithm 1).", "", "§3.2"
    )
    dedup: Literal["paper", "released"] = parameter(
        "Algorithm 1 as the paper has it or as the released code does.", "", "§3.2"
    )
    # Summarization
    summary_contexts: Count = parameter("Contexts whose pairs are judged.", "contexts", "§3.6")
    summary_inputs: Count = parameter("New sentences to summarize.", "sentences", "§3.6")
    summary_length_ratio_max: float = parameter(
        "Largest length of a summary over that of its source, in characters.",
        "ratio",
        "§3.6",
        gt=0,
        lt=1,
    )
    summary_covered_min: Fraction = parameter(
        "Smallest fraction of a source's sentences of which a summary has a word that no other "
        "sentence of the source has; 0: it need not.",
        "fraction",
    )
    paragraph_sentences: int = parameter(
        "Sentences of a text that is summarized: 1, or so many in a row, a paragraph.",
        "sentences",
        ge=1,
        le=20,
    )
    # Teacher, adapted to own text (`distil --adapt-teacher`)
    teacher_adapter_rank: Count = parameter(
        "Rank of the LoRA adapter of a teacher that reads own text.", "rank", le=1024
    )
    teacher_epochs: Count = parameter(
        "Most passes of it over the text; the first without gain is the last.", "epochs", le=1000
    )
    teacher_learning_rate: Probability = parameter("Highest learning rate of that adapter.")
    # Student
    student_epochs: Count = parameter("Most epochs of training.", "epochs", "§3.3", le=1000)
    student_batch_size: Count = parameter(
        "Pairs in each step of training.", "pairs", "§3.3", le=4096
    )
    student_learning_rate: Probability = parameter(
        "Highest learning rate; it rises to it, then falls.", "", "§3.3"
    )
    student_warmup: Fraction = parameter("Fraction of the steps in which it rises.", "fraction")
    student_patience: Count = parameter(
        "Training stops after so many epochs without gain on held-out pairs.", "epochs", le=1000
    )
    student_dev_fraction: float = parameter(
        "Fraction of the pairs held out to know when to stop.", "fraction", ge=0.001, le=0.5
    )
    # Self-distillation
    n_inputs: Count = parameter("New sentences that the student paraphrases.", "sentences", "§3.3")
    n_candidates: Count = parameter(
        "Paraphrases that it samples for each.", "samples", "code", le=1000
    )
    candidate_top_p: Probability = parameter(
        "These are drawn from the likeliest words of this total probability.", "probability"
    )
    candidate_temperature: Temperature = parameter("Sampling temperature of these.")
    candidates_otherwise: Fraction = parameter(
        "Part of these that may not begin with the first word of their sentence: a small student "
        "that begins as its sentence does mostly copies it.",
        "fraction",
    )
    train_on_both: bool = parameter(
        "Whether the last student learns from the first dataset's pairs too, not only from the "
        "second's: few pairs teach little.",
        "",
        "§3.3: only the second's",
    )
    rounds: Count = parameter("Rounds of self-distillation compared.", "rounds", "Table 6", le=20)
    # Evaluation
    test_sets: list[str] = parameter(
        "What systems are tested on: world, held_out (sentences of the teacher), mrpc, quora, "
        "parasci_arxiv, mscoco, pawsx, asset, wiki_conciseness, gigaword, the path of a JSON lines "
        "file, or module:function.",
        "",
        "§4",
        names="paths",
        min_length=1,
    )
    n_test: int = parameter("Test sentences of each set.", "sentences", "§4", ge=2)
    judge: str = parameter(
        "Who says whether sentences mean the same, for evaluation only, never used in training: "
        "oracle, referee, people, none, or module:Class."
    )
    referee: str = parameter(
        "NLI model of the judge “referee”, of another base and training than the critic; or none.",
        names="model",
    )
    bootstrap_samples: int = parameter(
        "Resamples behind each interval.", "samples", ge=10, le=100_000
    )
    confidence: float = parameter("Coverage of an interval.", "probability", gt=0.5, lt=1)
    human_data: str = parameter(
        "Folder of the human datasets; hub: what the Hugging Face hub has; empty: left out.",
        names="folder",
    )
    human_n: int = parameter("Pairs taken from each human dataset.", "pairs", "§4", ge=10)
    compare_with: str = parameter(
        "Parquet file of pairs shown beside the human datasets; empty: this run's.", names="paths"
    )
    compare_summaries: dict[str, str] = parameter(
        "Names and Parquet files of summaries shown beside human ones.", names="paths"
    )
    n_examples: Count = parameter(
        "Examples of each kind, for each domain and corpus.", "pairs", "Table 7"
    )
    # Machine
    parts: list[Literal["main", "laboratory", "shelf", "english"]] = parameter(
        "Folders of notebooks that a run executes; `--only` reaches the others too.",
        affects=False,
        min_length=1,
    )
    leave_out: list[str] = parameter(
        "Numbers of notebooks that a run does not execute; `--only` reaches them too.",
        affects=False,
    )
    workers: Count = parameter(
        "Notebooks executed at the same time, and processes that share the units of one.",
        affects=False,
        le=64,
    )
    executor: Literal["local", "ray"] = parameter(
        "Where units are computed: local, on this machine; ray, by workers of a Ray cluster, each "
        "with the models in its memory, while notebooks follow one another.",
        affects=False,
    )
    ray_address: str = parameter(
        "The cluster of the executor “ray”: host:port of its head node, or auto, the one on this "
        "machine; empty: one is started here.",
        affects=False,
        pattern=r"^(auto|[^/\s]+:\d+)?$",
    )
    threads: int = parameter(
        "Threads of each notebook; 0: as many as there are. Training depends on it slightly.",
        ge=0,
        le=1024,
    )
    batch_tokens: int = parameter(
        "Tokens computed at once: memory.", "tokens", affects=False, ge=256
    )
