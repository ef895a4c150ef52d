#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: builds for it, runs all tests that use a device, compute-sanitizer and benchmarks, and
# leaves a log of each in a folder. Goes on after a failure and says at the end what failed.
#
#   tools/gpu_check.sh [FOLDER=gpu_logs] [BUILD=build/gpu]
set -u
cd "$(dirname "$0")/.."
logs=$(realpath -m "${1:-gpu_logs}")
build=${2:-build/gpu}
jobs=$(nproc)
mkdir -p "$logs"
failed=()

run() { # name command...
  local name=$1
  shift
  echo "== $name"
  local start=$SECONDS
  if "$@" >"$logs/$name.log" 2>&1; then
    echo "   done in $((SECONDS - start)) s"
  else
    echo "   FAILED after $((SECONDS - start)) s; see $logs/$name.log"
    failed+=("$name")
    return 1
  fi
}

arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d '.')
if [ -z "$arch" ]; then
  echo "skipped: no CUDA device: nvidia-smi finds none" >&2
  exit 77
fi
nvidia-smi >"$logs/nvidia-smi.log"
run configure cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSQUALL_CUDA=ON \
  -DSQUALL_CUDA_ARCHITECTURES="$arch" || exit 1
run build cmake --build "$build" -j "$jobs" --target squall squall-bench on_device test_handlers test_layers \
  test_training test_tools || exit 1
run info "$build/bin/squall" info
cat "$logs/info.log"
run tests ctest --test-dir "$build" -L gpu -j "$jobs" --output-on-failure
for tool in memcheck racecheck initcheck; do
  run "sanitizer_$tool" cmake --build "$build" --target "gpu_$tool"
done
for handler in cpu:f32 cuda:0:f32; do  # the same training on both: seconds are printed, losses are in the logs
  run "train_${handler//:/_}" "$build/bin/squall" train examples/two_tasks.json --handler "$handler" \
    --out "$logs/run_${handler//:/_}"
done
run benchmarks env BUILD="$build" OUT="$logs/gpu_benchmarks.md" tools/gpu_benchmarks.sh

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "all passed; logs in $logs"
