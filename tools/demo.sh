#!/usr/bin/env bash
# The demonstration: two image tasks in one sparse network, converted, compared with dense networks trained alone.
# usage: tools/demo.sh [FOLDER OF THE EXECUTABLE] [RUN FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
squall="${1:-build/release/bin}/squall"
out="${2:-runs/demo}"
mkdir -p "$out"
say() { printf '\n== %s\n' "$*"; }

say "two tasks, one network, 90 % of the weights pruned for each, no weight shared"
"$squall" train examples/two_tasks.json --out "$out/shared"
say "the same networks dense, each task alone"
for task in strokes textures; do
  "$squall" train examples/two_tasks.json --out "$out/dense_$task" --quiet --json \
    --set sparsify=null --set "train.tasks=[\"$task\"]" --set train.hooks.1.log_name=validation.total_loss > /dev/null
  "$squall" convert "$out/dense_$task/model.h5" --task "$task" --to dense --out "$out/dense_$task.h5" --quiet --json > /dev/null
done
say "converted: smaller and faster, the same answers"
"$squall" convert "$out/shared/model.h5" --to sparse --batches 1,32,128 --out "$out/packed.h5"
"$squall" convert "$out/shared/model.h5" --to sparse --batches 1,32,128 --out "$out/packed.h5" --json --quiet > "$out/convert.json"
"$squall" eval "$out/packed.h5" --json > "$out/packed.json"

say "more training of 'textures' leaves 'strokes' as it was, bit for bit"
"$squall" data make strokes --examples 10 --test 1000 --out "$out/strokes_data.h5" --quiet
"$squall" predict "$out/shared/model.h5" --task strokes --input "$out/strokes_data.h5" --output "$out/before.npy" --quiet
"$squall" train examples/two_tasks.json --out "$out/later" --quiet --json --set sparsify=null \
  --set "init_from=$(realpath "$out/shared/model.h5")" --set 'train.tasks=["textures"]' --set train.max_epochs=3 > "$out/later.json"
"$squall" predict "$out/later/model.h5" --task strokes --input "$out/strokes_data.h5" --output "$out/after.npy" --quiet
cmp "$out/before.npy" "$out/after.npy"
echo "1000 predictions of 'strokes' before and after: identical files"
"$squall" draw "$out/shared/model.h5" --out "$out/network.svg"

say "the table"
python3 - "$out" << 'TABLE'
import json, os, sys
out = sys.argv[1]
load = lambda name: json.load(open(os.path.join(out, name)))
shared, packed, convert = load("shared/report.json")["tasks"], load("packed.json"), load("convert.json")
dense_bytes = 0
print(f"{'task':<12}{'dense alone':>14}{'shared, masked':>16}{'packed':>10}")
for task in shared:
    dense = load(f"dense_{task}/report.json")["tasks"][task]["accuracy"]
    dense_bytes += os.path.getsize(os.path.join(out, f"dense_{task}.h5"))
    print(f"{task:<12}{dense:>14.4f}{shared[task]['accuracy']:>16.4f}{packed[task]['accuracy']:>10.4f}")
print(f"bytes on disk: two dense files {dense_bytes}, one packed file {convert['bytes']} "
      f"({dense_bytes / convert['bytes']:.1f} times smaller)")
for batch, t in convert["batches"].items():
    n = int(batch)
    print(f"microseconds per example, batch {n:>3}: dense {t['dense_us'] / n:9.2f}, packed {t['packed_us'] / n:9.2f} "
          f"({t['dense_us'] / t['packed_us']:.1f} times faster)")
TABLE
say "in $out: shared/ (the run), packed.h5 (both tasks), network.svg (the picture)"
