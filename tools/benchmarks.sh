#!/usr/bin/env bash
# benchmarks.sh [ROW PATTERN...]: measures the suite against PyTorch and ONNX Runtime on this machine and writes
# docs/benchmarks.md. PEERS names a Python that has torch and onnxruntime (default: python3); THREADS: 1,2 by default.
# Nothing else should run meanwhile: ratios are of one interleaved run, but both sides need the whole machine.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

peers=${PEERS:-python3}
threads=${THREADS:-1,2}
bench=build/release/bin/squall-bench
[ -x "$bench" ] || die "$bench is missing; tools/quickstart.sh builds it"
"$peers" -c 'import torch, onnxruntime' 2>/dev/null ||
  die "'$peers' has no torch or no onnxruntime; make one with: python3 -m venv peers && peers/bin/pip install torch onnxruntime numpy"
[ $# -gt 0 ] || set -- '*'
mkdir -p runs
export OMP_PROC_BIND=true OMP_PLACES=cores
step "benchmarks" "$bench" "$@" --threads "$threads" --peers "$peers" --json runs/benchmarks.json --table runs/benchmarks.md
{
  cat <<'PAGE'
# Benchmarks

One run of `tools/benchmarks.sh`: squall and its peers take turns within every row, medians of 9 rounds; ratio = peer / squall (above 1:
squall is ahead), against the fastest of the peer's configurations that were tried (named). "squall dense" is our own dense plan for
the same layer. `checked`: the result was compared with a reference in the same run. Spread: quartiles over the median.
The scripts of the peers are in `tools/peers`.

PAGE
  "$peers" - runs/benchmarks.json <<'PYTHON'
import json, sys
import onnxruntime, torch
run = json.load(open(sys.argv[1]))
print("- machine: %s\n- date: %s\n- PyTorch %s, ONNX Runtime %s" % (run["machine"], run["date"], torch.__version__, onnxruntime.__version__))
for line in run["versions"]:
    print("- " + line)
behind = sorted({r["name"] + " (T=%d)" % r["threads"] for r in run["rows"] if r["ratio"] and r["ratio"] < 1})
print("\nWhere squall is behind: " + (", ".join("`%s`" % b for b in behind) or "nowhere in this run") + ".\n")
PYTHON
  cat runs/benchmarks.md
} > docs/benchmarks.md
echo "written: docs/benchmarks.md"
