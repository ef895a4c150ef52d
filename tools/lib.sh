# shellcheck shell=bash
# Shared by the scripts of this folder, which source it: timed steps and the distribution's packages.
# Sets `root`, the folder of the sources, and goes there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Ends the script with one line on stderr.
die() {
  echo "error: $*" >&2
  exit 1
}

# step NAME COMMAND...: runs it, says what it is before and how long it took after; its failure ends the script.
step() {
  local name=$1 begin=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    echo "== $name: done in $((SECONDS - begin)) s"
  else
    die "$name failed after $((SECONDS - begin)) s; its messages are above"
  fi
}

# The names in packages.txt that are not installed, on one line.
missing_packages() {
  local name missing=()
  for name in $(sed 's/#.*//' tools/packages.txt); do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  echo "${missing[*]-}"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@"
}

# Installs what is missing from tools/packages.txt, and only that. A call of it is a step of its own.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "no dpkg here: going on as if everything named in tools/packages.txt were installed"
    return 0
  fi
  local missing log
  missing=$(missing_packages)
  if [ -z "$missing" ]; then
    echo "all packages are installed"
    return 0
  fi
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "missing packages, and no sudo to install them: $missing"
  echo "installing: $missing"
  log=$(mktemp)
  # shellcheck disable=SC2086  # a list of words
  if ! { apt update && apt install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: $missing"
  fi
  rm -f "$log"
}

# build PRESET OPTION...: configures build/PRESET unless it is configured, and builds everything in it.
build() {
  local preset=$1
  shift
  if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  fi
  [ -f "build/$preset/build.ninja" ] || step "configure build/$preset" cmake --preset "$preset" "$@"
  step "build build/$preset" cmake --build "build/$preset"
}
