#!/usr/bin/env python3
"""docs/parity.md promises nothing that no test shows: parity.py CTEST BUILD PARITY.md

Every test named in the table exists in the suite; a row is "built" only with a test, and "left out" only with a reason.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

ROW = re.compile(r"\|\s*([A-Z]*\d+)\s*\|")
STATES = ("built", "partly", "not built", "left out: REASON")


def rows_of(text):
    """(line number, [row, our name, test, state]) of each row of each table."""
    for number, line in enumerate(text.splitlines(), 1):
        if ROW.match(line):
            cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
            yield number, cells


def problems_of(text, suite):
    seen = collections.Counter()
    for number, cells in rows_of(text):
        if len(cells) != 5:
            yield number, f"{len(cells)} columns, expected 5: number, row, our name, test, state"
            continue
        row, _, _, test, state = cells
        seen[row] += 1
        named = re.findall(r"`([^`]+)`", test)
        if seen[row] > 1:
            yield number, f"row {row} stands here a second time"
        if state not in STATES[:3] and not re.match("left out: .", state):
            yield number, f"row {row}: state '{state}', expected one of: {', '.join(STATES)}"
        if state in ("built", "partly") and not named:
            yield number, f"row {row} is {state}, but no test is named (`module: test case`)"
        for name in named:
            if name not in suite:
                yield number, f"row {row}: no test is called '{name}'"
    if sum(seen.values()) == 0:
        yield 1, "no rows found"


def main():
    ctest, build, page = sys.argv[1:4]
    listing = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True)
    if listing.returncode:
        sys.exit("ctest does not list its tests:\n" + listing.stderr)
    # Some versions of Catch2 drop the blank behind the module.
    suite = {re.sub(r"^(\w+): ?", r"\1: ", t["name"]) for t in json.loads(listing.stdout)["tests"]}
    text = pathlib.Path(page).read_text(encoding="utf-8")
    problems = [f"{page}:{number}: {problem}" for number, problem in problems_of(text, suite)]
    states = collections.Counter(c[4].split(":")[0] for _, c in rows_of(text) if len(c) == 5)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    print("\n".join(problems + [f"{sum(states.values())} rows ({counts}), {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
