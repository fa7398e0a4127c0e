"""MTCNN's three networks straight from the PyTorch weights in plain numpy: slow, and written apart from mtcnn.py to check it."""
import numpy as np

import torch_pickle


def _conv(x, weight, bias):
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True) + bias[:, None, None]


def _pool(x, size):
    """Maximum over size x size, stride 2, a last window that hangs over the edge included."""
    pad = [(0, 0), (0, 0)] + [(0, -(n - size) % 2) for n in x.shape[2:]]
    padded = np.pad(x, pad, constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size), (2, 3))[:, :, ::2, ::2].max((4, 5))


def _softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def outputs(weights_path, x, pools, heads):
    """Runs one network. `pools`: pool size after each convolution (0: none); `heads`: output layers, the last one softmax."""
    w = torch_pickle.load(weights_path)
    x = x.astype(np.float64)
    for number, pool in enumerate(pools, 1):
        x = _conv(x, w[f"conv{number}.weight"], w[f"conv{number}.bias"])
        x = np.where(x > 0, x, x * w[f"prelu{number}.weight"][:, None, None])
        x = _pool(x, pool) if pool else x
    dense = next((name[:-7] for name in w if name.startswith("dense") and "_" not in name and name.endswith(".weight")), None)
    if dense is None:
        results = [_conv(x, w[f"{head}.weight"], w[f"{head}.bias"]) for head in heads]
    else:
        x = x.transpose(0, 3, 2, 1).reshape(len(x), -1) @ w[f"{dense}.weight"].T + w[f"{dense}.bias"]
        x = np.where(x > 0, x, x * w[f"prelu{dense[5:]}.weight"])
        results = [x @ w[f"{head}.weight"].T + w[f"{head}.bias"] for head in heads]
    return results[:-1] + [_softmax(results[-1])]
