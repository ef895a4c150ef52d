#!/usr/bin/env bash
# From nothing to a verdict: packages, build with warnings as errors, the whole suite. Arguments go to ctest (-R name).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "packages" install_packages
build ci -DSQUALL_TESTS=ON -DSQUALL_EXAMPLES=ON

begin=$SECONDS
echo "== tests"
verdict=0
ctest --test-dir build/ci --output-on-failure --no-tests=error -j "$(nproc)" "$@" || verdict=$?
echo "== tests: done in $((SECONDS - begin)) s"
if [ "$verdict" != 0 ]; then
  failed=build/ci/Testing/Temporary/LastTestsFailed.log
  echo "tests FAILED: $([ -s "$failed" ] && wc -l <"$failed" || echo "ctest ended with $verdict")"
  exit 1
fi
echo "all tests passed ($SECONDS s)"
