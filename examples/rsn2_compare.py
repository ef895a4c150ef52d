"""Ways of choosing masks against each other on E1, over scores, shares, rescaling, sparsities and seeds."""

import argparse
import json
import statistics

from rsn2_runs import HERE, NOT_RUN, Interrupted, Runs, accuracies, add_options, conditions, row, spread, warn_of_scale, write_page

# How masks come about, and the --set options for it.
SCORES = {
    "random": ("chance, at the start", ["sparsify.score=random"]),
    "magnitude": ("size of the weight, at the start", ["sparsify.score=magnitude"]),
    "gradients": ("size of the gradient, at the start", ["sparsify.score=gradients"]),
    "weight_gradient": ("weight times gradient, at the start", ["sparsify.score=weight_gradient"]),
    "warm_up": ("size of the weight, after one dense epoch",
                ["sparsify.score=magnitude", 'sparsify.when={"after_epochs": 1}']),
    "gradual": ("size of the weight, pruned over five epochs, exclusive at every moment", None),
}
QUOTAS = ["unit", "tensor"]
STAGE = {"stepper": {"@type": "Adam", "learning_rate": 0.001}, "batch_size": 512}
MONITOR = {"@type": "MonitorScores"}
STOPPER = {"@type": "EarlyStopper", "log_name": "validation.total_loss", "patience": 3, "min_delta": 0.01}


def gradual(sparsity, quota):
    """Five epochs from half to the whole sparsity, then fine-tuning with masks that stay."""
    hook = {"@type": "GradualSparsification", "quota": quota, "eligible": "fair", "score": "magnitude",
            "schedule": {"@type": "GradualSparsity", "initial_value": 50, "final_value": sparsity, "begin": 1, "end": 5}}
    pruning = {**STAGE, "max_epochs": 5, "sparse": "off", "hooks": [MONITOR, hook]}
    tuning = {**STAGE, "max_epochs": 20, "hooks": [MONITOR, STOPPER]}
    return ["sparsify=null", "train=" + json.dumps({"stages": [pruning, tuning]})]


def sets_of(score, quota, rescale, sparsity):
    if score == "gradual":
        return gradual(sparsity, quota)
    return SCORES[score][1] + [f"sparsify.quota={quota}", f"sparsify.rescale={json.dumps(rescale)}",
                               f"sparsify.sparsity={sparsity}", "train.max_epochs=20"]


def grid(scores, quotas, sparsities):
    for sparsity in sparsities:
        for score in scores:
            for quota in quotas:
                # Trained weights are left as they are.
                for rescale in [False] if score in ("warm_up", "gradual") else [True, False]:
                    name = f"{sparsity}/{score}/{quota}/{'rescaled' if rescale else 'as_drawn'}"
                    yield name, score, quota, rescale, sparsity


def table(runs, sparsities, quotas):
    lines = [row("pruned", "ranked by", "share per", "rescaled", "digits", "fashion", "mean of both", "density", "starved",
                 "epochs", "seconds"), row(*["---"] * 11)]
    for name, score, quota, rescale, sparsity in grid(SCORES, quotas, sparsities):
        cells = runs.cells(name)
        first = [f"{sparsity} %", SCORES[score][0], quota, "yes" if rescale else "no"]
        if not cells:
            lines.append(row(*first, *[NOT_RUN] * 7))
            continue
        both = [statistics.mean(t["accuracy"] for t in c["report"]["tasks"].values()) for c in cells]
        mean = lambda f, digits=0: f"{statistics.mean(f(c) for c in cells):.{digits}f}"
        lines.append(row(*first, spread(accuracies(cells, "digits")), spread(accuracies(cells, "fashion")), spread(both),
                         mean(lambda c: statistics.mean(c["density"].values()), 4), mean(lambda c: c["starved"]),
                         mean(lambda c: max(t["epochs"] for t in c["report"]["tasks"].values())),
                         mean(lambda c: c["report"]["seconds"])))
    return lines


PREFACE = """# Which weights a task should keep

Written by `examples/rsn2_compare.sh` from runs that were made; a cell without a run says so. Two exclusive tasks (MNIST and
Fashion-MNIST) in the network of `examples/rsn2_e1.json`; all training images, Adam 0.001, batches of 512, at most 20 epochs
that end when the summed validation loss has not improved by 0.01 for three of them, best weights restored (warm-up: one dense
epoch before; gradual: five epochs of pruning before). Test accuracies, mean ± standard deviation (number of seeds).
*Share per unit*: each output unit keeps its best incoming weights; *tensor*: each layer does. *Rescaled*: kept initial weights
get the standard deviation of their masked fan-in. Differences below half a point over few seeds mean nothing. Seconds
are those of the clock, whatever else the machine did.
""".split("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", default=",".join(SCORES), help=", ".join(SCORES))
    parser.add_argument("--quotas", default=",".join(QUOTAS), help="unit, tensor, layer, global")
    parser.add_argument("--sparsities", default="80,90,95,98")
    add_options(parser, "runs/compare", str(HERE.parent / "docs/selection.md"))
    parser.set_defaults(seeds=3)
    options = parser.parse_args()
    scores, quotas = options.scores.split(","), options.quotas.split(",")
    sparsities = [int(s) for s in options.sparsities.split(",")]
    for score in scores:
        if score not in SCORES:
            parser.error(f"'{score}' is none of {', '.join(SCORES)}")
    runs = Runs(options)
    try:
        for seed in range(1, options.seeds + 1):
            for name, *what in grid(scores, quotas, sparsities):
                runs.run(f"{name}/seed{seed}", "rsn2_e1.json", sets_of(*what))
    except (Interrupted, KeyboardInterrupt):
        print("stopped; the same command goes on from here")
    every = sorted({80, 90, 95, 98, *sparsities})
    cells = [c for name, *_ in grid(SCORES, quotas, every) for c in runs.cells(name)]
    write_page(options.table, PREFACE + warn_of_scale(cells) + [conditions(cells), ""] +
               table(runs, every, sorted({*QUOTAS, *quotas}, reverse=True)))


if __name__ == "__main__":
    main()
