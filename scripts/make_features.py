#!/usr/bin/python3
"""Writes the sets that recipes/reports/features-64-64.json learns from: 512 numbers that a network pretrained on ImageNet
says about each picture of CIFAR-10. Run by hand, in the project's folder, with Debian's python3-torch and python3-onnx:

    python3 scripts/make_features.py ../shared/data/onnx/squeezenet10_deepcompression.onnx

The network is SqueezeNet 1.0 (Iandola et al. 2016), whose last block has 512 channels; each is averaged over the picture.
build/data/features holds one row a picture, build/data/features-doubled behind them, in its training part, those of a
mirrored or darkened copy of every picture."""
import pathlib
import struct
import sys

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

CIFAR10 = pathlib.Path('build/data/cifar10')
OUT = pathlib.Path('build/data')
LAST = 'fire9/concat'
SIDE = 80  # what a picture of 32 is enlarged to: the network was made for 227, but at a tenth of the work this does
MEAN = torch.tensor([123.0, 117.0, 104.0]).view(3, 1, 1)
BATCH = 100

OPS = {
    'Conv': lambda x, a: functional.conv2d(x[0], x[1], x[2], a['strides'], a['pads'][:2]),
    'Relu': lambda x, a: functional.relu(x[0]),
    'MaxPool': lambda x, a: functional.max_pool2d(x[0], a['kernel_shape'], a['strides'], ceil_mode=a['ceil_mode'] == 1),
    'Concat': lambda x, a: torch.cat(x, a['axis']),
}


class Network:
    def __init__(self, path):
        graph = onnx.load(path).graph
        self.weights = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in graph.initializer}
        self.nodes = [(n.op_type, list(n.input), n.output[0],
                       {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}) for n in graph.node]

    def features(self, pictures):
        large = functional.interpolate(pictures, size=(SIDE, SIDE), mode='bilinear', align_corners=False)
        values = {**self.weights, 'input': large - MEAN}
        for op, inputs, output, attributes in self.nodes:
            values[output] = OPS[op]([values[name] for name in inputs], attributes)
            if output == LAST:
                return values[output].mean(dim=(2, 3))
        raise SystemExit(f'the network has no node {LAST}')


def read(files):
    records = numpy.concatenate([numpy.fromfile(CIFAR10 / name, numpy.uint8).reshape(-1, 3073) for name in files])
    return records[:, 0], torch.tensor(records[:, 1:].reshape(-1, 3, 32, 32))


def changed(pictures, generator):
    """Every second one mirrored, all darkened by a factor in [0.5, 1), as cifar10-mlp80 doubles its set."""
    mirrored = torch.rand(len(pictures), generator=generator) < 0.5
    factor = 0.5 + 0.5 * torch.rand(len(pictures), generator=generator)
    pictures = torch.where(mirrored.view(-1, 1, 1, 1), pictures.flip(3), pictures)
    return (pictures * factor.view(-1, 1, 1, 1)).floor()


def run(network, pictures, change=lambda batch: batch):
    rows = []
    with torch.no_grad():
        for first in range(0, len(pictures), BATCH):
            rows.append(network.features(change(pictures[first:first + BATCH].float())))
            print(f'\r{first + BATCH} of {len(pictures)}', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return torch.cat(rows).numpy()


def write(folder, part, rows, labels):
    """As IDX; the labels first, for a set counts as there when its images are."""
    folder.mkdir(parents=True, exist_ok=True)
    header = struct.pack('>4BI', 0, 0, 8, 1, len(labels))
    (folder / f'{part}-labels').write_bytes(header + labels.tobytes())
    header = struct.pack('>4BII', 0, 0, 13, 2, *rows.shape)
    (folder / f'{part}-images').write_bytes(header + rows.astype('>f4').tobytes())


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    network = Network(sys.argv[1])
    test_labels, test = read(['test_batch.bin'])
    labels, train = read([f'data_batch_{i}.bin' for i in range(1, 6)])
    test_rows = run(network, test)
    for name in ('features', 'features-doubled'):
        write(OUT / name, 'test', test_rows, test_labels)
    rows = run(network, train)
    write(OUT / 'features', 'train', rows, labels)
    generator = torch.Generator().manual_seed(1)
    copies = run(network, train, lambda batch: changed(batch, generator))
    write(OUT / 'features-doubled', 'train', numpy.concatenate([rows, copies]), numpy.concatenate([labels, labels]))


main()
