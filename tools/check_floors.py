#!/usr/bin/env python3
"""The rules of the house that a compiler does not see: who may include whom, lengths of files, heads of headers."""
import pathlib
import re
import sys

# A module may include itself and what stands here (CONTRIBUTING.md, "Floors").
FOLDERS = ["core", "handlers", "layers", "io", "training", "hooks", "tools", "tests", "examples"]
LIBRARY = set(FOLDERS[:7])
ALLOWED = {"core": set(), "handlers": {"core"}, "layers": {"core"}, "io": {"core"}, "training": {"core"},
           "hooks": {"core", "training", "io"}, "tools": LIBRARY, "testing": {"core", "handlers", "layers"},
           "tests": LIBRARY | {"testing"}, "examples": LIBRARY | {"testing"}}
TESTING = "tests/support"  # the folder of module testing: what users test their own layers with
# Within core: 0 base, 1 compute, 2 graph (everything that is not named here).
BASE = {"error", "nearest", "dtype", "shape", "tensor", "host_array", "random", "describe", "catalog", "activation",
        "json", "json_fwd", "json_paths", "enum_name", "quantization"}
COMPUTE = {"plan", "handler", "gradient_taker", "packed_weight", "sparse_pattern", "communicator"}
SUBFLOORS = ["base", "compute", "graph"]
SUBFOLDERS = {"base": 0, "formulas": 0, "compute": 1, "reference": 1, "ops": 1, "graph": 2}
# Libraries of others stay behind one module.
VENDORS = {r"hdf5\w*\.h|H5\w+\.h": "io", r"zlib\.h": "io",
           r"cblas\w*\.h|openblas\w*\.h|omp\.h|cuda\w*\.h|cudnn\w*\.h|cublas\w*\.h|dnnl\w*\.hpp?": "handlers"}
LONGEST = 500
SUFFIXES = {".cpp", ".hpp", ".h", ".cu", ".cuh", ".py", ".sh"}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^">]+)[">]')


def module_of(where):
    """The module of a file, by its path from the root."""
    testing = [f"{TESTING}/{sub}" for sub in ("include", "src")]
    return "testing" if any(where.is_relative_to(t) for t in testing) else where.parts[0]


def core_floor(path):
    """The sub-floor of a file of core, by its path below include/squall/core or src."""
    if len(path.parts) > 1:
        return SUBFOLDERS.get(path.parts[0], 2)
    return 0 if path.stem in BASE else 1 if path.stem in COMPUTE else 2


def include_problem(module, floor, quote, target):
    """Why a file of `module` (in core: on sub-floor `floor`) must not include `target`, or None."""
    parts = pathlib.PurePosixPath(target).parts
    if ".." in parts:
        return f'"{target}": include by the path from the include root, without ..'
    if parts[0] == "squall" and len(parts) > 2:
        other, rest = parts[1], pathlib.PurePosixPath(*parts[2:])
        if other != module and other not in ALLOWED[module]:
            return f"{module} must not include {other} ({target})"
        inner = rest
    else:
        other, inner = module, pathlib.PurePosixPath(target)  # a private header, or one of a library
    if module == other == "core" and quote == '"' and len(parts) > 1 and core_floor(inner) > floor:
        return f"core's {SUBFLOORS[floor]} must not include its {SUBFLOORS[core_floor(inner)]} ({target})"
    for pattern, home in VENDORS.items():
        if module not in (home, "tests") and re.fullmatch(pattern, parts[-1]):
            return f"<{target}> belongs to {home}, not to {module}"
    return None


def check(root, path):
    """Yields (line, problem) for one file."""
    where = path.relative_to(root)
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > LONGEST:
        yield len(lines), f"{len(lines)} lines, at most {LONGEST}: split the file"
    if "include" in where.parts:
        if not lines or not lines[0].startswith(("//", "/*")):
            yield 1, "a public header begins with a comment that says what it is for"
        if "#pragma once" not in lines:
            yield 1, "#pragma once is missing"
    module = module_of(where)
    below = pathlib.PurePosixPath(*where.parts[4 if "include" in where.parts else 2:]) if module == "core" else None
    floor = core_floor(below) if below else 0
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line) if path.suffix not in (".py", ".sh") else None
        problem = include_problem(module, floor, *found.groups()) if found else None
        if problem:
            yield number, problem


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    files = [f for m in FOLDERS for f in sorted((root / m).rglob("*")) if f.is_file() and f.suffix in SUFFIXES]
    problems = [f"{f.relative_to(root)}:{line}: {text}" for f in files for line, text in check(root, f)]
    print("\n".join(problems + [f"{len(files)} files, {len(problems)} problems"]))
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
