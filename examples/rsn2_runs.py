"""Many runs of squall, resumably, and what came of them: shared by rsn2_reproduce.sh and rsn2_compare.sh.

A cell is one run in a folder of its own. A cell with cell.json is finished and never run again; one that was interrupted
goes on from its checkpoint. Tables are written from finished cells alone.
"""

import datetime
import json
import math
import pathlib
import shutil
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
NOT_RUN = "not run"


def add_options(parser, out, table):
    parser.add_argument("--seeds", type=int, default=5, help="runs of each cell, seeds 1 to N")
    parser.add_argument("--epochs-scale", type=float, default=1.0, help="0.1: a tenth of the epochs, for trying out")
    parser.add_argument("--data", default=str(HERE / "data"), help="folder of the data sets")
    parser.add_argument("--squall", default=str(HERE.parent / "build/release/bin/squall"))
    parser.add_argument("--handler", default="cpu", help="cpu, cpu:f64, cuda:0, ...")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", default=out, help="folder of the runs")
    parser.add_argument("--table", default=table, help="page to write")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="change every run")
    parser.add_argument("--keep-models", action="store_true", help="keep model.h5 of each run, not only packed.h5")
    parser.add_argument("--only-table", action="store_true", help="run nothing, write the page from what is there")


def load(path):
    return json.loads(pathlib.Path(path).read_text())


def read_experiment(path):
    """The experiment with what it extends, far enough to see its tasks and stages."""
    own = load(path)
    if "extends" not in own:
        return own
    base = read_experiment(pathlib.Path(path).parent / own.pop("extends"))
    for key, value in own.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    return base


def stages_of(experiment):
    return experiment["train"].get("stages", [experiment["train"]])


def alone(experiment, task):
    """--set options for a dense network that learns one task of an experiment and nothing else."""
    stage = next(s for s in stages_of(experiment) if task in s.get("tasks", [task]))
    return ["sparsify=null", "train=" + json.dumps({**stage, "tasks": [task]})]


def scaled(experiment, sets, scale):
    """--set options for a part of the epochs."""
    if scale == 1:
        return []
    for s in sets:
        if s.startswith("train={"):
            experiment = {**experiment, "train": json.loads(s[len("train="):])}
    less = lambda stage: max(1, math.ceil(stage["max_epochs"] * scale))
    if "stages" not in experiment["train"]:
        return [f"train.max_epochs={less(experiment['train'])}"]
    return [f"train.stages.{i}.max_epochs={less(s)}" for i, s in enumerate(stages_of(experiment))]


def commit():
    found = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


class Interrupted(Exception):
    pass


class Runs:
    def __init__(self, options):
        self.options = options
        self.out = pathlib.Path(options.out)

    def squall(self, *words):
        command = [self.options.squall, *map(str, words), "--quiet"]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if run.returncode in (75, 130, 143):
            raise Interrupted
        if run.returncode != 0:
            raise SystemExit(f"failed ({run.returncode}): {' '.join(command)}")
        return run.stdout

    def finished(self, name):
        """What came of a cell, or None."""
        path = self.out / name / "cell.json"
        return load(path) if path.exists() else None

    def run(self, name, experiment, sets=(), tasks=None):
        """One cell; `tasks` are those that count (default: all)."""
        if self.options.only_table or self.finished(name) is not None:
            return
        folder = self.out / name
        path = HERE / experiment
        sets = list(sets) + list(self.options.set)
        sets += scaled(read_experiment(path), sets, self.options.epochs_scale)
        seed = int(name.rsplit("seed", 1)[1])
        words = ["train", path, "--data", self.options.data, "--out", folder, "--seed", seed, "--json", "--resume"]
        words += ["--handler", self.options.handler, "--threads", self.options.threads]
        for s in sets:
            words += ["--set", s]
        print(f"{datetime.datetime.now():%H:%M:%S}  {name}", flush=True)
        self.squall(*words)
        self.finish(folder, sets, tasks)

    def finish(self, folder, sets, tasks):
        report = load(folder / "report.json")
        cell = {"date": f"{datetime.date.today()}", "commit": commit(), "sets": sets, "report": report}
        cell["epochs_scale"] = self.options.epochs_scale
        if tasks is not None:
            report["tasks"] = {t: v for t, v in report["tasks"].items() if t in tasks}
        model = folder / "model.h5"
        words = ["convert", model, "--to", "sparse", "--batches", 1, "--json", "--out", folder / "packed.h5"]
        if tasks is not None:
            words += ["--task", tasks[0], "--to", "dense"]
            words.remove("sparse")
            words.remove("--to")
        converted = json.loads(self.squall(*words))
        cell["packed_bytes"] = converted["bytes"]
        masks = json.loads(self.squall("info", model, "--json"))["masks"]
        cell["starved"] = sum(t["dead_units"] for m in masks["tensors"] for t in m["tasks"].values())
        cell["density"] = masks["density"]
        cell["overlap"] = masks["overlap"]
        for rest in ["checkpoint.h5", "best.h5"] + ([] if self.options.keep_models else ["model.h5"]):
            (folder / rest).unlink(missing_ok=True)
        (folder / "cell.json.new").write_text(json.dumps(cell, indent=1))
        shutil.move(folder / "cell.json.new", folder / "cell.json")

    def cells(self, name):
        """Finished cells of all seeds."""
        found = [self.finished(f"{name}/seed{s}") for s in range(1, self.options.seeds + 1)]
        return [c for c in found if c is not None]


def spread(values, digits=4):
    """Mean and standard deviation, and how many there are."""
    if not values:
        return NOT_RUN
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return f"{text} ({len(values)})"


def accuracies(cells, task):
    return [c["report"]["tasks"][task]["accuracy"] for c in cells if task in c["report"]["tasks"]]


def losses(cells, task):
    return [c["report"]["tasks"][task]["loss"] for c in cells if task in c["report"]["tasks"]]


def row(*parts):
    return "| " + " | ".join(str(p) for p in parts) + " |"


def conditions(cells):
    """Where, when and with what cells were run."""
    if not cells:
        return NOT_RUN
    machines = sorted({f"{c['report']['handler']}, {c['report']['threads']} threads" for c in cells})
    dates = sorted({c["date"] for c in cells})
    commits = sorted({c["commit"] for c in cells})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"{'; '.join(machines)}; {when}; {', '.join(commits)}"


def warn_of_scale(cells):
    scales = sorted({c["epochs_scale"] for c in cells if c["epochs_scale"] != 1})
    if not scales:
        return []
    return [f"**Runs with a part of their epochs ({', '.join(map(str, scales))}) are among these: they show that the "
            "script works and are no results.**", ""]


def write_page(path, lines):
    text = "\n".join(lines) + "\n"
    pathlib.Path(path).write_text(text)
    print(f"{path} written", flush=True)
