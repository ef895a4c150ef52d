#!/usr/bin/env bash
# Which weights a task should keep: ways of choosing them against each other on E1; skips what is finished, goes on with
# what was interrupted, and writes docs/selection.md from what was run.
# usage: examples/rsn2_compare.sh [--scores random,magnitude] [--sparsities 90,95] [--seeds N] [--data DIR] [--help]
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$(dirname "$0")/rsn2_compare.py" "$@"
