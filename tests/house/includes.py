#!/usr/bin/env python3
"""What the include paths of the modules let through.

includes.py upward SCRATCH COMPILER MODULE=DIR|DIR...: no module reaches a header of a module above or beside it.
includes.py alone SCRATCH COMPILER MODULE=DIR|DIR...: every public header compiles by itself, with its module's paths.
COMPILER may be several words, separated by | (a launcher that caches before it).
"""
import concurrent.futures
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
import check_floors  # noqa: E402

JOBS = 2
FLAGS = ["-std=c++20", "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compile_line(compiler, scratch, module, directories, header):
    source = scratch / f"{module}-{header.replace('/', '-')}.cpp"
    source.write_text(f'#include "{header}"\n', encoding="utf-8")
    flags = [f"-I{d}" if str(ROOT) in d else f"-isystem{d}" for d in directories if d and d != "/usr/include"]
    return subprocess.run([*compiler, *FLAGS, *flags, "-c", source, "-o", source.with_suffix(".o")],
                          capture_output=True, text=True)


def headers_of(module):
    include = ROOT / (check_floors.TESTING if module == "testing" else module) / "include"
    return [str(h.relative_to(include)) for h in sorted(include.rglob("*.hpp"))]


def upward_problem(module, header, result):
    if result.returncode == 0:
        return f"{module} reaches {header}: an include path of a module above it leaked in"
    if "No such file" not in result.stderr and "file not found" not in result.stderr:
        return f"{module} includes {header}: failed, but for another reason:\n{result.stderr}"
    return None


def alone_problem(module, header, result):
    return f"{header} does not compile alone:\n{result.stderr}" if result.returncode else None


def main():
    kind = sys.argv[1]
    scratch = pathlib.Path(sys.argv[2])
    scratch.mkdir(parents=True, exist_ok=True)
    compiler = sys.argv[3].split("|")
    paths = {m: d.split("|") for m, _, d in (a.partition("=") for a in sys.argv[4:])}

    def compiled(module, header):
        return compile_line(compiler, scratch, module, paths[module], header)

    if kind == "alone":
        problem, cases = alone_problem, [(m, h) for m in paths for h in headers_of(m)]
    else:
        problem = upward_problem
        cases = [(m, h) for m in paths for other in check_floors.ALLOWED
                 if other != m and other not in check_floors.ALLOWED[m] for h in headers_of(other)[:1]]
        control = compiled("core", "squall/core/shape.hpp")
        if control.returncode:
            sys.exit("the control does not compile, so a failure means nothing:\n" + control.stderr)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        found = list(pool.map(lambda case: problem(*case, compiled(*case)), cases))
    problems = [p for p in found if p]
    print("\n".join(problems + [f"{len(cases)} cases, {len(problems)} problems"]))
    return 1 if problems or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
