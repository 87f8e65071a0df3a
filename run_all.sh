#!/usr/bin/env bash
# Runs every notebook and prints where the report is. What is unchanged since the last run is skipped.
#
#   ./run_all.sh                          real English (fetches its models), params/english.yaml
#   ./run_all.sh laboratory               the closed world with its oracle
#   ./run_all.sh smoke                    the closed world in a few minutes, for tests
#   ./run_all.sh my.yaml -- k=50 seed=1   a params file, with overrides; then results/my-k=50-seed=1
#   ./run_all.sh --from 05 --until 07     some of them; --only 04; --help
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/environment.sh"
use_environment
exec "$PYTHON" -m impossible.cli run "$@"
