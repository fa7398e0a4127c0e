"""A small writer of ONNX graphs: nodes are appended in order, weights are kept as half floats.

ONNX Runtime folds each Cast to f32 when it loads the file, so half floats cost disk space nothing and speed nothing.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


class Graph:
    """Collects nodes and weights of one network; `save` checks and writes it, the same bytes every time."""

    def __init__(self, name, origin, half=True):
        self.name, self.origin, self.half = name, origin, half
        self.nodes, self.initialisers, self.inputs, self.outputs = [], [], [], []
        self.count = 0

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, name, value, shape):
        """Names `value` as an output of the network."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def op(self, kind, inputs, **attributes):
        """Appends one node and returns the name of its only output."""
        self.count += 1
        name = f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, array, half=None):
        """Stores an f32 array, as f16 if `half` (or else the graph) says so, and returns the name of the f32 value."""
        half = self.half if half is None else half
        self.count += 1
        name = f"weight_{self.count}"
        array = np.ascontiguousarray(array, np.float16 if half else np.float32)
        assert np.isfinite(array).all(), f"{self.name}: a weight does not fit into a half float"
        self.initialisers.append(numpy_helper.from_array(array, name))
        return self.op("Cast", [name], to=TensorProto.FLOAT) if half else name

    def shape(self, numbers):
        """Stores a list of integers (a shape, axes or paddings)."""
        self.count += 1
        name = f"shape_{self.count}"
        self.initialisers.append(numpy_helper.from_array(np.array(numbers, np.int64), name))
        return name

    def conv(self, x, kernel, bias, stride=1, pads=(0, 0, 0, 0), groups=1, half=None):
        """Convolution; `kernel` is [out, in / groups, height, width], `bias` (never halved) may be None."""
        inputs = [x, self.weight(kernel, half)] + ([] if bias is None else [self.weight(bias, half=False)])
        return self.op("Conv", inputs, kernel_shape=list(kernel.shape[2:]), strides=[stride, stride], pads=list(pads), group=groups)

    def prelu(self, x, slopes):
        """slope·x below zero, written as slope·x + (1 - slope)·relu(x) with two depthwise 1x1 convolutions.

        ONNX Runtime leaves its blocked layout for every PRelu node; for these three it need not. Kept as f32: a half
        float of `slope` and one of `1 - slope` no longer add up to 1.
        """
        a = slopes.reshape(-1, 1, 1, 1).astype(np.float32)
        line = self.conv(x, a, None, groups=len(a), half=False)
        above = self.conv(self.op("Relu", [x]), 1 - a, None, groups=len(a), half=False)
        return self.op("Add", [line, above])

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initialisers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                                  producer_name="greeter scripts/models", doc_string=self.origin)
        onnx.checker.check_model(model, full_check=True)
        with open(path, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
