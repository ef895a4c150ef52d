#!/usr/bin/env bash
# From nothing to a network that has learned something: packages, build, demonstration. A second run skips what is done.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "packages" install_packages
# CUDA where there is a device to use it.
cuda=OFF
if compgen -G '/dev/nvidia[0-9]*' >/dev/null; then cuda=AUTO; fi
build release -DSQUALL_TESTS=OFF -DSQUALL_EXAMPLES=OFF -DSQUALL_CUDA=$cuda
if [ -f tools/demo.sh ]; then
  step "demonstration" bash tools/demo.sh
fi

cat <<END

Programs     $root/build/release/bin
Examples     $root/examples
Tests        bash tools/test.sh
Next         build/release/bin/squall --help
             build/release/bin/squall describe
             build/release/bin/squall train examples/two_tasks.json --out runs/two_tasks

squall is ready ($SECONDS s)
END
