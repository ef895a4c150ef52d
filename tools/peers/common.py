"""Shared part of the peer benchmarks: command line, timing, JSON report.

Import this module before torch: it sets the thread environment that torch reads when it loads.
"""
import argparse
import ctypes
import json
import os
import resource
import statistics
import sys
import time

US = 1e6


def process_age():
    """Seconds since this process was started (10 ms resolution)."""
    with open("/proc/self/stat") as f:
        ticks = int(f.read().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def arguments(configs, **extra):
    """Parse the common command line. `configs` lists the known configurations, the first is the default."""
    p = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--config", default=configs[0], help="comma list of %s, or 'all'" % ", ".join(configs))
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--slice", type=float, default=0.05, help="seconds per case and round")
    p.add_argument("--malloc", choices=("keep", "default"), default="keep",
                   help="keep: let glibc hold on to freed memory (PyTorch is faster so)")
    p.add_argument("--matmul", choices=("highest", "medium"), default="highest",
                   help="medium: oneDNN in place of MKL for fp32 products where that is allowed")
    p.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    p.add_argument("--precision", choices=("exact", "tf32", "bf16"), default="exact",
                   help="on cuda: exact fp32 products, TF32, or autocast to bf16")
    p.add_argument("--steps", type=int, default=0, help="run so many steps only; report start-up time and peak RSS")
    p.add_argument("--serve", action="store_true", help="one round of every case per line on standard input")
    p.add_argument("--json", action="store_true")
    for name, default in extra.items():
        p.add_argument("--" + name, default=default)
    a = p.parse_args()
    a.configs = list(configs) if a.config == "all" else a.config.split(",")
    for c in a.configs:
        if c not in configs:
            p.error("unknown configuration " + c)
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(a.threads)
    if a.configs == ["onnxruntime"]:        # OpenMP must not bind or spin beside its thread pool
        os.environ["OMP_PROC_BIND"], os.environ["OMP_NUM_THREADS"] = "false", "1"
    else:
        os.environ.setdefault("OMP_PROC_BIND", "true")
        os.environ.setdefault("OMP_PLACES", "cores")
    if a.malloc == "keep":
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)           # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)     # M_TRIM_THRESHOLD
    return a


def load_torch(args):
    """Import torch and apply the settings of the command line."""
    import torch
    torch.set_num_threads(1 if args.configs == ["onnxruntime"] else args.threads)
    torch.set_float32_matmul_precision(args.matmul)
    if args.device == "cuda":
        if not torch.cuda.is_available():
            sys.exit("no CUDA device: PyTorch finds none")
        torch.set_default_device("cuda")
        torch.set_float32_matmul_precision("highest" if args.precision == "exact" else "high")
        torch.backends.cudnn.allow_tf32 = args.precision != "exact"
        torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    return torch


class Suite:
    """Cases by (row, configuration); timed in turns so that clock drift hits all alike."""

    def __init__(self, args):
        self.args, self.unit, self.cases, self.failed, self.notes = args, US, [], {}, {}
        self.first = None
        self.wait = sys.modules["torch"].cuda.synchronize if args.device == "cuda" else lambda: None

    def add(self, row, config, make, work=None):
        """`make()` builds the case and returns what to call; `work` is FLOP per call."""
        try:
            f = make()
            f()
            self.wait()
            if self.first is None:
                self.first = process_age()
            for _ in range(self.args.steps - 1):
                f()
            if not self.args.steps:
                f()
                f()
            self.cases.append([row, config, f, work, 0, []])
        except Exception as e:              # a peer may not support a configuration: say so, go on
            self.failed[row + "/" + config] = (type(e).__name__ + ": " + str(e))[:160].replace("\n", " ")

    def timed(self, f, n):
        """Seconds of one of n calls; a device has done them all by then."""
        self.wait()
        a = time.perf_counter()
        for _ in range(n):
            f()
        self.wait()
        return (time.perf_counter() - a) / n

    def round(self):
        out = {}
        for case in self.cases:
            row, config, f, _, n, times = case
            f()
            if not n:
                e = self.timed(f, 1)
                if e < self.args.slice / 20:
                    e = self.timed(f, 20)
                case[4] = n = max(1, int(self.args.slice / max(e, 1e-8)))
            t = self.timed(f, n)
            times.append(t)
            out.setdefault(row, {})[config] = t * self.unit
        return out

    def report(self):
        r = {"threads": self.args.threads, "matmul": self.args.matmul, "device": self.args.device,
             "precision": self.args.precision, "unit": "us", "rows": {}}
        for row, config, _, work, _, times in self.cases:
            if times:
                m = statistics.median(times)
                d = {"median": round(m * self.unit, 3), "best": round(min(times) * self.unit, 3)}
                if work:
                    d["gflops"] = round(work / m / 1e9, 1)
                r["rows"].setdefault(row, {})[config] = d
        if self.first is not None:
            r["first_step_ms"] = round(self.first * 1e3)
        r["peak_rss_mb"] = round(peak_rss_mb(), 1)
        if self.failed:
            r["failed"] = self.failed
        r.update(self.notes)
        return r

    def run(self):
        if self.args.serve:
            print(json.dumps({"ready": True}), flush=True)
            for _ in sys.stdin:
                print(json.dumps(self.round()), flush=True)
        elif not self.args.steps:
            for _ in range(self.args.rounds):
                self.round()
        r = self.report()
        if self.args.json:
            print(json.dumps(r))
            return
        for row, configs in r["rows"].items():
            print(row, " ".join("%s %.1f" % (c, d["median"]) for c, d in configs.items()), r["unit"])
        for key in r:
            if key not in ("rows", "unit"):
                print(key, r[key])
