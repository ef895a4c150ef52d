"""The authors' experiments over several seeds, with their controls, and the page of what came of them."""

import argparse
import statistics

from rsn2_runs import (HERE, NOT_RUN, Interrupted, Runs, accuracies, add_options, alone, conditions, losses, read_experiment,
                       row, spread, warn_of_scale, write_page)

# Experiment: file, and per task what the authors' log says (control, RSN2) and our acceptance band.
LOG = {
    "E1": ("rsn2_e1", {"digits": (".9724", ".9758", ".974"), "fashion": (".8811", ".8709", ".872")}),
    "E2": ("rsn2_e2", {"digits": (".9874", ".9884", ".988"), "fashion": (".9159", ".9026", ".898")}),
    "E3": ("rsn2_e3", {"digits": (".9724", ".9746", ".969"), "fashion": (".8811", ".8704", ".860"),
                       "houses": ("MSE .01750", "MSE .01602", "stand-in")}),
    "E4": ("rsn2_e4", {"digits": (".9724", ".9692", ".968"), "fashion": (".8811", ".8674", ".865"),
                       "houses": ("MSE .01750", "MSE .01103", "stand-in"), "reviews": (".7966", ".8189", "stand-in")}),
    "E5": ("rsn2_e5", {"cifar": (".4712", ".6047", ".56"), "digits": (".9874", ".9810", ".980"),
                       "fashion": (".9159", ".8935", ".893")}),
    "E6": ("rsn2_e6", {"easy": ("none", ".9776", ".976"), "hard": ("none", ".8442", ".840")}),
    "E7": ("rsn2_e7", {f"member_{i + 1}": (".9159", v, ".89") for i, v in
                       enumerate([".9036", ".8983", ".8954", ".9017", ".9210"])}),
    "E8": ("rsn2_e8", {"age": ("invalid", ".5482", "stand-in"), "gender": ("invalid", ".8915", "stand-in"),
                       "ethnicity": ("invalid", ".7684", "stand-in"), "objects": ("invalid", ".4980", "stand-in")}),
    "E9": ("rsn2_e9", {"newswire": (".7498", ".7934", "stand-in")}),
}
VARIANTS = ["ours", "random", "literal", "control", "normalised"]


def cells_of(name, file, tasks):
    """(cell, experiment file, --set options, tasks that count) of one experiment, without seeds."""
    experiment = read_experiment(HERE / f"{file}.json")
    yield f"{name}/ours", f"{file}.json", [], None
    yield f"{name}/random", f"{file}.json", ["sparsify.score=random"], None
    if (HERE / f"{file}_literal.json").exists():
        yield f"{name}/literal", f"{file}_literal.json", [], None
    for task in list(tasks)[:1] if name == "E7" else tasks:  # its members all learn the same
        yield f"{name}/control/{task}", f"{file}.json", alone(experiment, task), [task]
    if name == "E5":  # the others have inputs from 0 to 1 anyway
        scale = [f"data.{d}.scale=255" for d in experiment["data"]]
        yield f"{name}/normalised", f"{file}.json", scale, None


def of_task(cells, task, log):
    if log[0].startswith("MSE"):
        return spread([2 * loss for loss in losses(cells, task)], 5)  # the loss is half the square
    return spread(accuracies(cells, task))


def accuracy_table(runs, chosen):
    lines = [row("", "task", "authors: control", "authors: RSN2", "band", "ours", "random masks", "literal",
                 "dense alone (ours)"), row(*["---"] * 9)]
    for name in chosen:
        _, tasks = LOG[name]
        for task, log in tasks.items():
            control = f"{name}/control/{next(iter(tasks)) if name == 'E7' else task}"
            control_task = next(iter(tasks)) if name == "E7" else task
            lines.append(row(name, task, log[0], log[1], log[2],
                             *[of_task(runs.cells(f"{name}/{v}"), task, log) for v in ("ours", "random", "literal")],
                             of_task(runs.cells(control), control_task, log)))
        if name == "E7":
            together = [[c["report"]["aggregate"]["accuracy"] for c in runs.cells(f"E7/{v}")
                         if "aggregate" in c["report"]] for v in ("ours", "random", "literal")]
            lines.append(row("E7", "all together", ".9159", ".9168", ".912", *map(spread, together), ""))
        if name == "E5":
            for task, log in tasks.items():
                lines.append(row("E5 / 255", task, "", "", "", of_task(runs.cells("E5/normalised"), task, log), "", "", ""))
    return lines


def facts_table(runs, chosen):
    lines = [row("", "selection", "density per task", "owned twice", "starved units", "packed bytes", "seconds", "run on"),
             row(*["---"] * 8)]
    for name in chosen:
        for variant in ("ours", "random", "literal"):
            cells = runs.cells(f"{name}/{variant}")
            if not cells:
                lines.append(row(name, variant, *[NOT_RUN] * 6))
                continue
            density = ", ".join(f"{statistics.mean(c['density'].get(t, 1) for c in cells):.4f}" for t in LOG[name][1])
            whole = lambda key: f"{statistics.mean(c[key] for c in cells):.0f}"
            lines.append(row(name, variant, density, whole("overlap"), whole("starved"), whole("packed_bytes"),
                             f"{statistics.mean(c['report']['seconds'] for c in cells):.0f}", conditions(cells)))
    return lines


PREFACE = """# Reproduction of the authors' experiments

Written by `examples/rsn2_reproduce.sh` from runs that were made; a cell without a run says so. Accuracies are those of the
test split, mean ± standard deviation (number of seeds). *Ours*: the selection that is squall's default. *Random masks*: the
same layers at the same density, ranked by chance. *Literal*: what the authors' programs did (`compat: beyondml`: gradients at
the start, one share per tensor, biases pruned, normal weights of 0.05). *Dense alone*: the same layers without masks, one task,
the same initial weights, normalisation and stopping. Bands are for ours, means of five seeds. E3, E4, E8 and E9 use sets that squall
draws itself where the authors' data cannot be had (houses for Boston, reviews for IMDB, faces for UTKFace, newswire for Reuters),
E9 in batches of 16: their figures say nothing about the authors' and have no band. Seconds are those of the clock, whatever
else the machine did.
""".split("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", default="E1,E2,E5,E6,E7", help="E1,E2,...")
    parser.add_argument("--variants", default=",".join(VARIANTS), help=", ".join(VARIANTS))
    add_options(parser, "runs/reproduce", str(HERE.parent / "docs/reproduction.md"))
    options = parser.parse_args()
    chosen, variants = options.experiments.split(","), options.variants.split(",")
    for name, known in ((chosen, LOG), (variants, VARIANTS)):
        for one in name:
            if one not in known:
                parser.error(f"'{one}' is none of {', '.join(known)}")
    runs = Runs(options)
    try:
        for seed in range(1, options.seeds + 1):
            for name in chosen:
                for cell, file, sets, tasks in cells_of(name, *LOG[name]):
                    if cell.split("/")[1] in variants:
                        runs.run(f"{cell}/seed{seed}", file, sets, tasks)
    except (Interrupted, KeyboardInterrupt):
        print("stopped; the same command goes on from here")
    there = [n for n in LOG if (HERE / f"{LOG[n][0]}.json").exists()]
    everything = [c for n in there for cell, *_ in cells_of(n, *LOG[n]) for c in runs.cells(cell)]
    write_page(options.table, PREFACE + warn_of_scale(everything) + accuracy_table(runs, there) + [""] +
               facts_table(runs, there))


if __name__ == "__main__":
    main()
