"""One LSTM layer over T steps: forward + backward (row lstm_*), and forward alone without gradients (row *_infer).

Shapes are inputs/hidden/steps/batch.
"""
import common
a = common.arguments(("eager", "compile", "cuda-graph"), shapes="128/256/100/32,205/1008/100/100")
torch = common.load_torch(a)
from training import fresh, graphed                      # noqa: E402


def call(m, X):
    with torch.autocast(a.device, torch.bfloat16, enabled=a.precision == "bf16"):
        return m(X)[0]


def make(m, X, g, config, train):
    f = fresh(call)
    if config == "compile":
        f = torch.compile(f, dynamic=False)

    def step():
        m.zero_grad(set_to_none=True)
        X.grad = None
        out = f(m, X)
        out.backward(g.to(out.dtype))

    def forward():
        with torch.inference_mode():
            f(m, X)
    made = step if train else forward
    return graphed(made) if config == "cuda-graph" else made


s = common.Suite(a)
for shape in a.shapes.split(","):
    I, H, T, B = map(int, shape.split("/"))
    m, X, g = torch.nn.LSTM(I, H), torch.randn(T, B, I, requires_grad=True), torch.randn(T, B, H)
    flop = 2 * T * B * 4 * H * (I + H)
    for c in a.configs:
        row = "lstm_%d_%d_T%d_b%d" % (I, H, T, B)
        s.add(row, c, lambda: make(m, X, g, c, True), 3 * flop)
        s.add(row + "_infer", c, lambda: make(m, X.detach(), g, c, False), flop)
s.run()
