#!/usr/bin/env python3
"""check_floors.py finds what it is for: a tree with one sin of each kind, and one without any."""
import pathlib
import subprocess
import sys
import tempfile

HEADER = "// A header.\n#pragma once\n"
CLEAN = {
    "core/include/squall/core/shape.hpp": HEADER + '#include "squall/core/error.hpp"\n',
    "core/include/squall/core/network.hpp": HEADER + '#include "squall/core/ops/dense.hpp"\n',
    "core/src/graph/network.cpp": '#include "graph/state.hpp"\n#include "squall/core/network.hpp"\n',
    "hooks/src/save.cpp": '#include "squall/io/model_file.hpp"\n',
    "io/src/hdf5.hpp": "#include <hdf5.h>\n",
    "tests/io/file_test.cpp": "#include <hdf5.h>\n",
}
SINS = {
    ("core/src/base/shape.cpp", '\n#include "squall/handlers/make_handler.hpp"\n'): "2: core must not include handlers",
    ("layers/src/dense.cpp", '#include "squall/io/model_file.hpp"\n'): "1: layers must not include io",
    ("training/src/rsn2.cpp", '#include "squall/hooks/hooks.hpp"\n'): "1: training must not include hooks",
    ("tools/src/train.cpp", '#include "squall/examples/x.hpp"\n'): "1: tools must not include examples",
    ("core/include/squall/core/tensor.hpp", HEADER + '#include "squall/core/plan.hpp"\n'):
        "3: core's base must not include its compute",
    ("core/src/reference/dense.cpp", '#include "graph/state.hpp"\n'): "1: core's compute must not include its graph",
    ("layers/src/conv.cpp", "  #  include <hdf5.h>\n"): "1: <hdf5.h> belongs to io, not to layers",
    ("core/src/compute/linalg.cpp", "#include <cblas.h>\n"): "1: <cblas.h> belongs to handlers, not to core",
    ("io/src/file.cpp", '#include "../../core/src/base/x.hpp"\n'): '1: "../../core/src/base/x.hpp"',
    ("io/src/long.cpp", "\n" * 501): "501: 501 lines, at most 500",
    ("io/include/squall/io/a.hpp", "// A header.\n"): "1: #pragma once is missing",
    ("io/include/squall/io/b.hpp", "#pragma once\n"): "1: a public header begins with a comment",
}


def run(checker, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, checker, folder], capture_output=True, text=True)


def main():
    checker = sys.argv[1]
    wrong = []
    clean = run(checker, CLEAN)
    if clean.returncode != 0:
        wrong.append("a clean tree is refused:\n" + clean.stdout + clean.stderr)
    found = run(checker, {**CLEAN, **{name: text for name, text in SINS}})
    if found.returncode != 1:
        wrong.append(f"a tree with sins gives exit code {found.returncode}")
    for (name, _), expected in SINS.items():
        if f"{name}:{expected}" not in found.stdout:
            wrong.append(f"not reported: {name}:{expected}")
    if f"{len(SINS)} problems" not in found.stdout:
        wrong.append(f"expected {len(SINS)} problems:\n{found.stdout}")
    print("\n".join(wrong) or f"{len(SINS)} sins found, none where there is none")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
