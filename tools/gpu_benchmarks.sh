#!/usr/bin/env bash
# gpu_benchmarks.sh [ROW PATTERN...]: measures squall on cuda:0 and PyTorch on the same GPU (eager, compiled, as CUDA
# graphs) at equal precision and writes a table. PEERS names a Python that has torch with CUDA (default: python3; "none":
# squall alone), PRECISIONS what is measured (default: exact,tf32,bf16), BUILD the build (default: build/gpu), OUT the
# page (default: gpu_benchmarks.md). Without a device it says so and ends with 77.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

peers=${PEERS:-python3}
precisions=${PRECISIONS:-exact,tf32,bf16}
build=${BUILD:-build/gpu}
page=${OUT:-gpu_benchmarks.md}
bench=$build/bin/squall-bench
[ -x "$bench" ] || die "$bench is missing; build the target squall-bench there"
if ! why=$("$bench" mlp_tiny_train_b1 --handler cuda:0 --steps 1 --json - 2>&1); then
  echo "skipped: no CUDA device: ${why#squall-bench: }"
  exit 77
fi
beside=()
if [ "$peers" != none ]; then
  "$peers" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null ||
    die "'$peers' has no torch that finds the GPU; install one, or PEERS=none measures squall alone"
  beside=(--peers "$peers")
fi
[ $# -gt 0 ] || set -- 'mlp_train_*' 'mlp_tiny_train_*' 'cifar10_cnn_train_*' 'vgg_small_train_*' 'lstm_*' 'hutter_lstm_*'
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
for precision in ${precisions//,/ }; do
  step "benchmarks $precision" "$bench" "$@" --handler cuda:0 --precision "$precision" "${beside[@]}" \
    --json "${page%.md}_$precision.json" --table "$parts/$precision.md"
done
{
  echo "# Benchmarks on a GPU"
  echo
  echo "One run of \`tools/gpu_benchmarks.sh\`, squall and PyTorch in turns, medians of 9 rounds. Ratio = PyTorch / squall (above 1: squall is"
  echo "ahead). \`checked\`: the result was right in the same run. exact: products of fp32; tf32: TF32 on both sides; bf16: squall's"
  echo "products of bf16 operands (convolutions: TF32) beside PyTorch's autocast to bf16."
  echo
  nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,memory.total --format=csv,noheader | sed 's/^/- GPU: /'
  "$build/bin/squall" info | sed -n 's/^\(cuda.*\)/- \1/p'
  [ "$peers" = none ] || "$peers" -c 'import torch; print("- PyTorch %s, CUDA %s, cuDNN %s" % (torch.__version__, torch.version.cuda, torch.backends.cudnn.version()))'
  for precision in ${precisions//,/ }; do
    printf '\n## %s\n\n' "$precision"
    cat "$parts/$precision.md"
  done
} >"$page"
echo "written: $page"
