"""The campaign against this package: killed, starved, corrupted, fed rubbish, and what came of it.

`python -m tests.campaign` runs it, writes `results/reliability.json` and, from that,
`docs/reliability.md`. It is slow; pytest does not collect it.
"""
