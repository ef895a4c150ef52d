#!/usr/bin/env bash
# tidy.sh [PATTERN]: clang-tidy over the sources whose path matches the pattern (all of the library without one),
# with the compile commands of preset dev.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pattern=${1:-.}
command -v clang-tidy >/dev/null || die "clang-tidy is not installed (apt-get install clang-tidy)"
[ -f build/dev/compile_commands.json ] || step "configure build/dev" cmake --preset dev
mapfile -t sources < <(find core handlers layers io training hooks tools -name '*.cpp' | sort | grep -E -- "$pattern")
[ "${#sources[@]}" != 0 ] || die "no source matches '$pattern'"
step "clang-tidy over ${#sources[@]} files" \
  xargs -d '\n' -n 4 -P "$(nproc)" clang-tidy -p build/dev --quiet < <(printf '%s\n' "${sources[@]}")
