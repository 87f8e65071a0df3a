"""The parameters of single experiments; those of the pipeline are in `schema`."""

from __future__ import annotations

from impossible.config.fields import Count, Exponent, Fraction, NonNegative, parameter
from impossible.config.schema import Schema


class Experiments(Schema):
    """Fields of what is compared, measured and rated besides the pipeline itself."""

    # The tour: all steps of the method on few contexts
    tour_contexts: Count = parameter("Contexts that the tour takes along.", "contexts", le=128)
    tour_inputs: Count = parameter("Fresh sentences that its student rewrites.", "sentences")
    tour_steps: Count = parameter("Optimizer steps of its student.", "steps")
    # Corpora and systems to compare with
    translator: str = parameter(
        "Model that translates into another language, or none.", "", "Table 1", names="model"
    )
    back_translator: str = parameter("Model that translates back.", "", "Table 1", names="model")
    translator_prefix: str = parameter("Text put before a sentence to have it translated.")
    back_translator_prefix: str = parameter(
        "Text put before a translation to have it translated back."
    )
    compared_pairs: int = parameter(
        "Pairs on which each student is trained where corpora are compared.",
        "pairs",
        "Table 2",
        ge=2,
    )
    ablation_inputs: Count = parameter(
        "Sentences that each variant of the ablation paraphrases.", "sentences", "Table 6"
    )
    thesaurus: str = parameter(
        "Synonyms: in-vitro, or a JSON or YAML file; empty: none.", names="file"
    )
    synonym_rate: Fraction = parameter(
        "Fraction of replaceable words that the baseline replaces by synonyms.", "fraction"
    )
    corruption_drop: Fraction = parameter(
        "Corruption baseline: fraction of function words left out.", "fraction", "Table 8"
    )
    corruption_shuffle: Fraction = parameter(
        "Corruption baseline: fraction of the other words that move.", "fraction", "Table 8"
    )
    corruption_exchange: Fraction = parameter(
        "Corruption baseline: fraction of words replaced by synonyms.", "fraction", "Table 8"
    )
    search_steps: int = parameter(
        "Search baseline (UPSA): edits tried for each sentence.",
        "edits",
        "Table 8",
        ge=0,
        le=100_000,
    )
    search_temperature: float = parameter(
        "Its temperature at the first edit: higher accepts worse sentences more often.",
        "nats",
        "Table 8",
        gt=0,
        le=100,
    )
    search_cooling: Fraction = parameter(
        "Fraction of that temperature lost by the last edit: 1 is UPSA, 0 is CGMH.",
        "fraction",
        "Table 8",
    )
    search_fluency: Exponent = parameter(
        "Weight of fluency in its objective: exponent of the probability per word.", "exponent"
    )
    search_keywords: Exponent = parameter(
        "Weight of keywords: exponent of the similarity of the keyword kept worst.", "exponent"
    )
    search_sentence: Exponent = parameter(
        "Weight of meaning: exponent of the cosine of the two sentences.", "exponent"
    )
    search_novelty: Exponent = parameter(
        "Weight of novelty: exponent of 1 - BLEU against the source.", "exponent"
    )
    search_proposal: Exponent = parameter(
        "How much similar words are preferred as replacements: exponent of their similarity.",
        "exponent",
    )
    search_keyword_floor: float = parameter(
        "A keyword counts as lost if nothing in y is as similar to it.", "cosine", ge=-1, le=1
    )
    # Paraphrastic proximity
    proximity_contexts: int = parameter(
        "Contexts for each point of Figure 3.", "contexts", "§2", ge=2
    )
    proximity_pairs: Count = parameter("Random pairs judged for each context.", "pairs", "§2")
    proximity_temperatures: list[float] = parameter(
        "Sampling temperatures of the right panel.", "", "§2", min_length=1
    )
    proximity_lengths: list[int] = parameter(
        "Lengths of the contexts of the left panel.", "sentences", "§2", min_length=1
    )
    given_contexts: str = parameter(
        "Contexts not by the teacher: in-vitro, a text, .jsonl or .parquet file, or empty: none.",
        "",
        "v1",
        names="file",
    )
    proximity_surface_contexts: Count = parameter(
        "Contexts for each combination of length and temperature.", "contexts"
    )
    proximity_surface_pairs: Count = parameter(
        "Random pairs judged for each context of a combination that is in no panel.", "pairs"
    )
    # What only an oracle shows
    noise_levels: list[Fraction] = parameter(
        "Fractions of pairs that get the critic's scores of another pair.", "fraction", min_length=1
    )
    variant_contexts: Count = parameter(
        "Contexts whose sentences are drawn anew as the released code does.", "contexts"
    )
    # Seeds of the ledger of claims
    sampled_seeds: Count = parameter(
        "Seeds of the whole run, for claims that need no training.", "seeds", le=99
    )
    trained_seeds: Count = parameter(
        "How many of them also train students.", "seeds", affects=False, le=99
    )
    # Transfer to an unseen domain
    unseen_domain: str = parameter("Domain of which no student has seen pairs.", "", "v1")
    transfer_sizes: list[NonNegative] = parameter(
        "Numbers of gold pairs of that domain to fine-tune with.", "pairs", "v1", min_length=1
    )
    transfer_steps: list[Count] = parameter(
        "Lengths of fine-tuning tried; the best on held-out pairs counts.", "steps", min_length=1
    )
    # Sequential generation under lexical constraints
    sequential_contexts: Count = parameter("Contexts of the comparison.", "contexts", "v1")
    sequential_budget: Count = parameter(
        "Tokens the teacher may write per context.", "tokens", "v1"
    )
    sequential_samples: Count = parameter(
        "Sentences y written after each x, and beams of the search.", "samples", "v1", le=1000
    )
    sequential_keywords: int = parameter("Words of x that y must hold.", "words", "v1", ge=0, le=12)
    sequential_copied: int = parameter(
        "So many words of x in a row y may not repeat; 0: any number.", "words", "v1", ge=0, le=100
    )
    # One student for two tasks
    multitask_epochs: Count = parameter(
        "Epochs of each student; none stops early.", "epochs", le=1000
    )
    # Rating by people
    n_rated: int = parameter(
        "Test sentences whose outputs are rated.", "sentences", "Table 3", ge=2
    )
    n_raters: int = parameter("Raters; each gets one form.", "raters", "Table 3", ge=2, le=99)
    ratings: str = parameter("Folder of returned ratings; empty: synthetic ones.", names="folder")
    # Recipes of the in-vitro models (read by notebook 01 on rebuild only)
    n_documents: int = parameter("Documents of the closed world.", "documents", ge=10)
    teacher_steps: Count = parameter("Steps of the teacher.", "steps")
    teacher_adding_steps: Count = parameter("Its steps with the third domain.", "steps")
    domain_teacher_steps: Count = parameter("Steps of a teacher of one domain.", "steps")
    critic_pairs: int = parameter("Labelled pairs for the critic.", "pairs", ge=10)
    critic_pretraining_steps: Count = parameter("Steps on masked words.", "steps")
    critic_alignment_steps: Count = parameter("Steps on shared words.", "steps")
    critic_steps: Count = parameter("Steps on labels, each of two times.", "steps")
    critic_final_steps: Count = parameter("Steps on labels, the third time.", "steps")
    critic_adding_steps: Count = parameter("Steps on labels with the third domain.", "steps")
    critic_settling_steps: Count = parameter("Such steps, the second time.", "steps")
    base_steps: Count = parameter("Steps of span corruption.", "steps")
    base_denoising_steps: Count = parameter("Steps of denoising.", "steps")
    base_final_steps: Count = parameter("Steps of denoising, the second time.", "steps")
    base_lexical_steps: Count = parameter("Steps of denoising with a thesaurus.", "steps")
    base_translation_steps: Count = parameter("Steps of translation and denoising.", "steps")
    base_adding_steps: Count = parameter("Its steps with the third domain.", "steps")
    base_settling_steps: Count = parameter("Such steps, the second time.", "steps")
    encoder_steps: Count = parameter("Steps of the encoder.", "steps")
