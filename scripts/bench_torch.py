"""PyTorch's side of the benchmark: the same workloads, on the same data, as plain PyTorch trains them.

Reads a line of JSON, {"workload", "data", "ms"}. To every line after it, it trains (or predicts) for that long and answers
with one, {"samples_per_second"}. A window begins with a tenth of it that does not count, as whoever took turns had the caches.
A step gathers its batch from pictures that lie in memory as floats, ready preprocessed, and ends with the optimizer's.
"""
import json
import os
import sys
import time

import numpy
import torch

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def read_mnist(folder):
    images = numpy.fromfile(f"{folder}/train-images-idx3-ubyte", numpy.uint8)[16:].reshape(-1, 1, 28, 28)
    return images, numpy.fromfile(f"{folder}/train-labels-idx1-ubyte", numpy.uint8)[8:]


def read_cifar10(folder):
    records = [numpy.fromfile(f"{folder}/data_batch_{i}.bin", numpy.uint8).reshape(-1, 3073) for i in range(1, 6)]
    records = numpy.concatenate(records)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def preprocess(images, steps):
    x = torch.from_numpy(images).float()
    for step in steps:
        if step["type"] == "rescale":
            x = x / step["divide"]
        elif step["type"] == "pad":
            more = [step["width"] - x.shape[3], step["height"] - x.shape[2]]
            x = torch.nn.functional.pad(x, (more[0] // 2, more[0] - more[0] // 2, more[1] // 2, more[1] - more[1] // 2))
        else:
            raise ValueError(f"preprocess: {step['type']}")
    return x.contiguous()


def network(layers, shape):
    modules = []
    for layer in layers:
        kind = layer["type"]
        if kind == "dense":
            modules.append(torch.nn.Linear(shape[0], layer["units"]))
        elif kind == "conv2d":
            padding = 1 if layer["padding"] == "same" else 0
            modules.append(torch.nn.Conv2d(shape[0], layer["filters"], layer["kernel"], padding=padding))
        elif kind == "max_pool2d":
            modules.append(torch.nn.MaxPool2d(layer["size"]))
        else:
            modules.append({"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "flatten": torch.nn.Flatten}[kind]())
        shape = modules[-1](torch.zeros(1, *shape)).shape[1:]
    return torch.nn.Sequential(*modules)


def optimizer_of(recipe, parameters):
    kind, rate = recipe["optimizer"]["type"], recipe["optimizer"]["learning_rate"]
    if kind == "adam":
        return torch.optim.Adam(parameters, lr=rate)
    return torch.optim.SGD(parameters, lr=rate, momentum=recipe["optimizer"].get("momentum", 0))


class Training:
    def __init__(self, recipe, images, labels):
        self.x = preprocess(images, recipe["preprocess"])
        self.model = network(recipe["model"]["layers"], self.x.shape[1:])
        self.optimizer = optimizer_of(recipe, self.model.parameters())
        self.repeats = "losses" in recipe
        self.y = self.x.flatten(1) if self.repeats else torch.from_numpy(labels).long()
        self.loss = torch.nn.MSELoss() if self.repeats else torch.nn.CrossEntropyLoss()
        self.batch = recipe["batch_size"]
        self.batches = iter(())

    def step(self):
        indices = next(self.batches, None)
        if indices is None:
            self.batches = iter(torch.randperm(len(self.x)).split(self.batch))
            indices = next(self.batches)
        loss = self.loss(self.model(self.x[indices]), self.y[indices])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return len(indices)


class Inference:
    def __init__(self, recipe, images, batch):
        self.x = preprocess(images[:batch], recipe["preprocess"])
        self.model = network(recipe["model"]["layers"], self.x.shape[1:]).eval()

    def step(self):
        with torch.no_grad():
            torch.softmax(self.model(self.x), 1)
        return len(self.x)


def make(workload, folder):
    torch.manual_seed(1)
    images, labels = {"mnist": read_mnist, "cifar10": read_cifar10}[workload["dataset"]](folder)
    if workload["kind"] == "inference":
        return Inference(workload["recipe"], images, workload["batch"])
    return Training(workload["recipe"], images, labels)


def go_on(work, seconds):
    samples, start, took = 0, time.perf_counter(), 0
    while took < seconds:
        samples += work.step()
        took = time.perf_counter() - start
    return samples / took


def main():
    job = json.loads(sys.stdin.readline())
    work = make(job["workload"], job["data"])
    for _ in sys.stdin:
        go_on(work, job["ms"] / 10000)
        print(json.dumps({"samples_per_second": go_on(work, job["ms"] / 1000)}), flush=True)


main()
