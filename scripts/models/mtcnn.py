"""Writes the three networks of MTCNN (facenet-pytorch's weights) the way the crate rust-faces reads them.

Inputs are RGB, (x - 127.5) / 128. Outputs, in this order: box regression, (O-Net: landmarks,) probability of no face and face.
"""
import torch_pickle
from graph import Graph

ORIGIN = "MTCNN, PyPI facenet-pytorch 2.6.0 (MIT), facenet_pytorch/data/"


class _Net:
    """One of the three networks while it is written."""

    def __init__(self, name, data_dir, half=True):
        self.weights = torch_pickle.load(f"{data_dir}/{name}net.pt")
        self.graph = Graph(f"mtcnn-{name}net", f"{ORIGIN}{name}net.pt", half)

    def conv(self, x, layer):
        return self.graph.conv(x, self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"])

    def conv_prelu(self, x, number):
        return self.prelu(self.conv(x, f"conv{number}"), number)

    def prelu(self, x, number):
        return self.graph.prelu(x, self.weights[f"prelu{number}.weight"])

    def pool(self, x, size):
        return self.graph.op("MaxPool", [x], kernel_shape=[size, size], strides=[2, 2], ceil_mode=1)

    def dense(self, x, layer):
        weight = self.graph.weight(self.weights[f"{layer}.weight"])
        bias = self.graph.weight(self.weights[f"{layer}.bias"], half=False)
        return self.graph.op("Gemm", [x, weight, bias], transB=1)

    def first_dense_as_conv(self, x, layer, channels):
        """The dense layer over the last 3x3 map, which the original flattens as (width, height, channel)."""
        kernel = self.weights[f"{layer}.weight"].reshape(-1, 3, 3, channels).transpose(0, 3, 2, 1)
        return self.graph.conv(x, kernel, self.weights[f"{layer}.bias"])

    def flat(self, x):
        return self.graph.op("Flatten", [x], axis=1)


def proposal(data_dir, path):
    """P-Net: any picture in, one answer for every second pixel out. So small that half floats would save 13 kB: not worth it."""
    net = _Net("p", data_dir, half=False)
    x = net.graph.input("input", ["n", 3, "height", "width"])
    x = net.pool(net.conv_prelu(x, 1), 2)
    x = net.conv_prelu(net.conv_prelu(x, 2), 3)
    net.graph.output("regression", net.conv(x, "conv4_2"), ["n", 4, "rows", "columns"])
    net.graph.output("probability", net.graph.op("Softmax", [net.conv(x, "conv4_1")], axis=1), ["n", 2, "rows", "columns"])
    net.graph.save(path)


def refine(data_dir, path):
    """R-Net: 24x24 crops in, one answer each out."""
    net = _Net("r", data_dir)
    x = net.graph.input("input", ["n", 3, 24, 24])
    x = net.pool(net.conv_prelu(x, 1), 3)
    x = net.pool(net.conv_prelu(x, 2), 3)
    x = net.conv_prelu(x, 3)
    x = net.flat(net.prelu(net.first_dense_as_conv(x, "dense4", 64), 4))
    net.graph.output("regression", net.dense(x, "dense5_2"), ["n", 4])
    net.graph.output("probability", net.graph.op("Softmax", [net.dense(x, "dense5_1")], axis=1), ["n", 2])
    net.graph.save(path)


def output(data_dir, path):
    """O-Net: 48x48 crops in, one answer each out, with five points (five x, then five y, as shares of the box)."""
    net = _Net("o", data_dir)
    x = net.graph.input("input", ["n", 3, 48, 48])
    x = net.pool(net.conv_prelu(x, 1), 3)
    x = net.pool(net.conv_prelu(x, 2), 3)
    x = net.pool(net.conv_prelu(x, 3), 2)
    x = net.conv_prelu(x, 4)
    x = net.flat(net.prelu(net.first_dense_as_conv(x, "dense5", 128), 5))
    net.graph.output("regression", net.dense(x, "dense6_2"), ["n", 4])
    net.graph.output("landmarks", net.dense(x, "dense6_3"), ["n", 10])
    net.graph.output("probability", net.graph.op("Softmax", [net.dense(x, "dense6_1")], axis=1), ["n", 2])
    net.graph.save(path)
