# Sourced by run_all.sh and tests/run.sh: chooses a Python in which the pins of pyproject.toml hold.
#
# An active environment (venv or conda) that satisfies them is used as it is. Otherwise `.venv` in
# the checkout is made or updated; a stamp with the digest of the pins makes the next start instant.
# What is installed there has the hashes of constraints.txt, where that covers the Python and machine.
# The system's Python only ever makes that environment. Sets ROOT and PYTHON.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export IMPOSSIBLE_ROOT="$ROOT"
export PYTHONPATH="$ROOT/lib${PYTHONPATH:+:$PYTHONPATH}"
export TOKENIZERS_PARALLELISM=false
# Threads that wait do not spin: a second program on the same cores would slow both tenfold.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

# A kill while the environment is made ends what makes it too, and leaves one sentence.
stopped() {
    trap - INT TERM
    say "Stopped: run the command again to go on."
    [ -z "${INSTALLING:-}" ] || kill "$INSTALLING" 2>/dev/null || true
    exit "$1"
}

# Runs a long command so that a signal is answered at once, not when it has ended.
interruptible() {
    local status=0
    "$@" & INSTALLING=$!
    wait "$INSTALLING" || status=$?
    INSTALLING=
    return "$status"
}

say() { printf '%s\n' "$*" >&2; }

# Exit status 0 if every pin (with the given extra) holds in the Python "$1"; names the first if not.
pins_hold() {
    if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "its Python is older than 3.11"
        return 1
    fi
    "$1" "$ROOT/scripts/pins.py" "$ROOT/pyproject.toml" "${2:-}"
}

find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    say "No Python 3.11 or newer (with venv) was found: install one, or activate a conda" \
        "environment made with: conda env create -f environment.yml"
    return 2
}

# Runs pip, in the background, with what it complains of in a file.
pip_install() { exec "$1" -m pip install -qq "${@:2}" 2> "$ROOT/.venv/pip.log"; }

# lock PYTHON WHAT [EXTRA]: asks scripts/lock.py about constraints.txt.
lock() { "$1" "$ROOT/scripts/lock.py" "$ROOT/constraints.txt" "${@:2}"; }

# install_locked PYTHON WHAT EXTRA [OPTION]: status 3, and one sentence, where a file is another one.
install_locked() {
    local list="$ROOT/.venv/requirements.txt" status=0 other
    lock "$1" "$2" "$3" > "$list" || return
    interruptible pip_install "$1" --require-hashes --no-build-isolation --use-pep517 \
        --requirement "$list" "${@:4}" || status=$?
    [ "$status" != 0 ] || return 0
    other="$(sed -n '/DO NOT MATCH THE HASHES/{n;s/^ *\([^ ]*\).*/\1/p;q;}' "$ROOT/.venv/pip.log")"
    if [ -n "$other" ]; then
        say "Refused and not installed: the file of $other that was downloaded has none of the sha256" \
            "in constraints.txt, so it was damaged on its way (run the command again) or is not what was tested."
        return 3
    fi
    cat "$ROOT/.venv/pip.log" >&2
    return "$status"
}

# install_torch PYTHON: of the builds that are locked (for NVIDIA's cards, for the CPU) the one that pip
# takes by its configuration; given hashes at once, it would take none from a folder or a mirror.
install_torch() {
    local files="$ROOT/.venv/files" versions="$ROOT/.venv/versions.txt" status=0
    rm -rf "$files"
    lock "$1" versions > "$versions" || return
    interruptible "$1" -m pip download -qq --no-deps --dest "$files" --constraint "$versions" \
        setuptools torch || return
    install_locked "$1" first "" --no-deps --no-index --find-links "$files" || status=$?
    rm -rf "$files"
    return "$status"
}

# make_environment EXTRA: .venv with the locked packages, torch first and by itself.
make_environment() {
    local stamp="$ROOT/.venv/pins" digest known python
    digest="$(cat "$ROOT/pyproject.toml" "$ROOT/constraints.txt" | cksum)"
    known="$(cat "$stamp" 2>/dev/null || true)"
    # What was installed with the development tools also serves without them.
    if [ "$known" = "$digest dev" ] || [ "$known" = "$digest $1" ]; then
        return
    fi
    if ! "$ROOT/.venv/bin/python" -m pip --version >/dev/null 2>&1; then
        python="$(find_python)" || return
        say "Making the environment .venv with $("$python" --version) …"
        interruptible "$python" -m venv --clear "$ROOT/.venv" || return
    fi
    python="$ROOT/.venv/bin/python"
    rm -f "$stamp"
    if lock "$python" covers; then
        say "Installing torch (large; a few minutes) …"
        install_torch "$python" || return
        say "Installing the other packages …"
        install_locked "$python" all "$1" || return
        interruptible "$python" -m pip install -qq --no-deps --no-build-isolation \
            --editable "$ROOT" || return
    else
        say "Installing by version only: constraints.txt has no hashes for $("$python" --version) on $(uname -sm) …"
        lock "$python" versions > "$ROOT/.venv/versions.txt" || return
        interruptible "$python" -m pip install -qq --constraint "$ROOT/.venv/versions.txt" \
            --editable "$ROOT${1:+[$1]}" || return
    fi
    printf '%s' "$digest $1" > "$stamp"
}

# use_environment [EXTRA]: sets PYTHON.
use_environment() {
    trap 'stopped 130' INT
    trap 'stopped 143' TERM
    local extra="${1:-}" active="${VIRTUAL_ENV:-${CONDA_PREFIX:-}}" missing
    if [ -n "$active" ] && [ -x "$active/bin/python" ] && [ "$active" != "$ROOT/.venv" ]; then
        if missing="$(pins_hold "$active/bin/python" "$extra" 2>&1)"; then
            PYTHON="$active/bin/python"
            return
        fi
        say "The active environment is not used: $missing"
    fi
    make_environment "$extra" || {
        [ $? = 3 ] || say "The environment could not be made (see above; nothing above: its installation was stopped)." \
            "Run the command again to go on, or activate an environment that satisfies pyproject.toml."
        exit 2
    }
    PYTHON="$ROOT/.venv/bin/python"
}
