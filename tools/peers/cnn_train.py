"""cifar10_cnn (batch 100) and a small VGG-like stack (batch 32): one SGD-momentum step.

All configurations but nchw use the channels_last layout.
"""
import common
a = common.arguments(("nchw", "eager", "foreach", "fused", "compile-func", "compile", "max-autotune",
                      "reduce-overhead", "cpp-wrapper", "cuda-graph"),
                     net="cifar10_cnn,vgg_small")
torch = common.load_torch(a)
import nets                                     # noqa: E402
from training import train_step                 # noqa: E402

s = common.Suite(a)
for net in a.net.split(","):
    B = {"cifar10_cnn": 100, "vgg_small": 32}[net]
    for c in a.configs:
        layout = torch.contiguous_format if c == "nchw" else torch.channels_last
        model = getattr(nets, net)().to(memory_format=layout)
        X, y = torch.randn(B, 3, 32, 32).contiguous(memory_format=layout), torch.arange(B) % 10
        s.add("%s_train_b%d" % (net, B), c, lambda: train_step(model, X, y, "fused" if c == "nchw" else c, a.precision))
s.run()
