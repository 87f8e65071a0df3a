#!/usr/bin/env bash
# Installs what is missing, then lint, types and tests. Arguments go to pytest: tests/run.sh -k bleu
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"
use_environment dev
cd "$ROOT"
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_EVALUATE_OFFLINE=1
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # of each of two processes
say "ruff …"
"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check --quiet . || {
    say "Some files are not formatted: run 'ruff format .' in $ROOT"
    exit 1
}
say "mypy …"
"$PYTHON" -m mypy lib
say "pytest …"
exec "$PYTHON" -m pytest --numprocesses 2 --dist loadfile "$@"
