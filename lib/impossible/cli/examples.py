"""One example of each subcommand, which its help shows."""

EXAMPLES = {
    "run": "impossible run smoke --until 05 -- k=50 seed=1",
    "plan": "impossible plan laboratory -- n_contexts=1200",
    "distil": "impossible distil --contexts notes.txt --task paraphrase --out mine -- k=50",
    "push": "impossible push mine --to me/my-paraphrases --yes",
    "score": "impossible score predictions.jsonl",
    "quality": "impossible quality pairs.jsonl --sample 1000",
    "paraphrase": 'echo "The council approved the plan on Monday." | impossible paraphrase -',
    "summarize": 'echo "On Monday, the council approved a plan in Lyon." | impossible summarize -',
    "critics": "impossible critics pairs.jsonl --kept --out kept.jsonl rouge_l_max=0.6 ted_min=8",
    "forms": "impossible forms results/laboratory/data/predictions.parquet --to rating --items 50",
    "ratings": "impossible ratings rating/key.json returned/",
    "train": "impossible train results/gpt2/data/dataset_para.parquet --out m_para --params gpt2",
    "fetch": "impossible fetch english --wheels wheels",
    "doctor": "impossible doctor english",
    "verify": "impossible verify results/english-full",
}
