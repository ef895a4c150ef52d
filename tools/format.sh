#!/usr/bin/env bash
# format.sh: puts every C++ source into the form of .clang-format. format.sh --check: names those that are not in it.
# The form belongs to clang-format 14; another version judges differently, so without it --check ends with 77, "skipped".
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for program in clang-format-14 clang-format; do
  if command -v "$program" >/dev/null && "$program" --version | grep -q 'version 14\.'; then break; fi
  program=
done
if [ -z "$program" ]; then
  echo "skipped: clang-format 14 is not installed (apt-get install clang-format-14)"
  exit 77
fi

mapfile -d '' sources < <(find core handlers layers io training hooks tools tests examples \
  \( -name '*.cpp' -o -name '*.hpp' -o -name '*.cu' -o -name '*.cuh' \) -print0 | sort -z)
if [ "${1-}" = --check ]; then
  unformatted=0
  for file in "${sources[@]}"; do
    "$program" --dry-run -Werror "$file" 2>/dev/null || { echo "$file"; unformatted=$((unformatted + 1)); }
  done
  [ "$unformatted" = 0 ] || die "$unformatted of ${#sources[@]} files are not formatted: run tools/format.sh"
  echo "${#sources[@]} files are formatted"
else
  "$program" -i "${sources[@]}"
fi
