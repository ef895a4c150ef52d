#!/usr/bin/env bash
# The authors' experiments over several seeds, with controls; skips what is finished, goes on with what was interrupted,
# and writes docs/reproduction.md from what was run.
# usage: examples/rsn2_reproduce.sh [--experiments E1,E2] [--seeds N] [--epochs-scale F] [--data DIR] [--help]
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$(dirname "$0")/rsn2_reproduce.py" "$@"
