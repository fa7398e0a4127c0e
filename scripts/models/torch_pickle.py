"""Reads the weights of a PyTorch file of the old (not zip) kind without PyTorch.

Such a file is five pickles: magic number, protocol, machine, the tensors' names with views into storages, and the storages'
keys; then each storage as a 64-bit count and its raw floats. Only the names that a state dictionary needs may be loaded.
"""
import collections
import pickle
import struct

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C


def _tensor(storage, offset, size, stride, *_):
    return storage, offset, size, stride


class _Unpickler(pickle.Unpickler):
    ALLOWED = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor"): _tensor,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch", "FloatStorage"): "FloatStorage",
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return self.ALLOWED[module, name]

    def persistent_load(self, reference):
        _, kind, key, _, count = reference[:5]
        assert kind == "FloatStorage", kind
        return key, count


def load(path):
    """Returns {name: f32 array} of the file at `path`."""
    with open(path, "rb") as file:
        assert _Unpickler(file).load() == MAGIC, f"{path} is not an old PyTorch file"
        _, _, views, keys = (_Unpickler(file).load() for _ in range(4))
        storages = {}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            storages[key] = np.frombuffer(file.read(4 * count), "<f4")
    arrays = {}
    for name, ((key, _), offset, size, stride) in views.items():
        view = np.lib.stride_tricks.as_strided(storages[key][offset:], size, [4 * s for s in stride])
        arrays[name] = np.ascontiguousarray(view)
    return arrays
