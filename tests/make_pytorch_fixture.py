#!/usr/bin/python3
"""Writes tests/fixtures/pytorch/losses.json: the first 20 losses of small networks as PyTorch computes them, for
tests/unit/test_pytorch.c to compare with. Run by hand with Debian's python3-torch; the result is committed.

Weights and data follow from a formula that both sides know (`wave`), so that nothing but losses has to be stored.
Every batch is the whole set: the order of its samples cannot matter."""
import json
import pathlib

import torch
from torch import nn

SAMPLES, STEPS = 12, 20


def wave(count, salt):
    """count numbers in [-1, 1): the high bits of a multiplicative sequence."""
    return torch.tensor([((k * 2654435761 + salt * 40503 + 12345) % 2**32) / 2**31 - 1 for k in range(count)],
                        dtype=torch.float64)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 10), nn.ReLU(), nn.Linear(10, 4))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(3, 5, 2), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(20, 4))


def autoencoder():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 36), nn.Sigmoid())


DENSE = lambda units: {"type": "dense", "units": units}
MODELS = {
    "mlp": (mlp, [{"type": "flatten"}, DENSE(10), {"type": "relu"}, DENSE(4)], "cross_entropy"),
    "cnn": (cnn, [{"type": "conv2d", "filters": 3, "kernel": 3, "padding": "same"}, {"type": "batch_norm"},
                  {"type": "relu"}, {"type": "max_pool2d", "size": 2}, {"type": "conv2d", "filters": 5, "kernel": 2},
                  {"type": "batch_norm"}, {"type": "relu"}, {"type": "flatten"}, DENSE(4)], "cross_entropy"),
    "autoencoder": (autoencoder, [{"type": "flatten"}, DENSE(8), {"type": "relu"}, DENSE(36), {"type": "sigmoid"}],
                    {"type": "mean_squared_error", "target": "input"}),
}

# What tabgrad's recipe says, what PyTorch is called with, and lambda of "lambda times the sum of squares of the
# weights is added to the loss", which PyTorch has no word for.
OPTIMIZERS = [
    ({"type": "sgd", "learning_rate": 0.1}, lambda p: torch.optim.SGD(p, lr=0.1), 0),
    ({"type": "sgd", "learning_rate": 0.1, "l2": 0.01}, lambda p: torch.optim.SGD(p, lr=0.1), 0.01),
    ({"type": "sgd", "learning_rate": 0.1, "weight_decay": 0.02},
     lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.02), 0),
    ({"type": "momentum", "learning_rate": 0.05, "momentum": 0.8}, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8), 0),
    ({"type": "nesterov", "learning_rate": 0.05, "momentum": 0.8},
     lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True), 0),
    ({"type": "adam", "learning_rate": 0.01}, lambda p: torch.optim.Adam(p, lr=0.01), 0),
    ({"type": "adam", "learning_rate": 0.01, "l2": 0.005}, lambda p: torch.optim.Adam(p, lr=0.01), 0.005),
    ({"type": "adam", "learning_rate": 0.01, "weight_decay": 0.02},
     lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.02), 0),
    ({"type": "adamw", "learning_rate": 0.01, "weight_decay": 0.1},
     lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1), 0),
    ({"type": "rmsprop", "learning_rate": 0.01}, lambda p: torch.optim.RMSprop(p, lr=0.01), 0),
    ({"type": "rmsprop", "learning_rate": 0.01, "momentum": 0.5, "alpha": 0.9},
     lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, alpha=0.9), 0),
    ({"type": "momentum", "learning_rate": 0.5, "clip_norm": 0.25}, lambda p: torch.optim.SGD(p, lr=0.5, momentum=0.9), 0),
]


def losses(build, loss_name, make_optimizer, l2, clip):
    model = build().double()
    with torch.no_grad():
        for salt, p in enumerate(model.parameters()):
            if p.dim() > 1:
                p.copy_(wave(p.numel(), salt).reshape(p.shape) * (3 / p[0].numel()) ** 0.5)
            elif p.std() != 0:  # biases of layers; those of batch norm keep their 0 and 1
                p.zero_()
    x = wave(SAMPLES * 36, 99).reshape(SAMPLES, 1, 6, 6)
    labels = torch.tensor([(i * 7 + i // 3) % 4 for i in range(SAMPLES)])
    optimizer = make_optimizer(model.parameters())
    result = []
    for _ in range(STEPS):
        y = model(x)
        if loss_name == "cross_entropy":
            loss = nn.functional.cross_entropy(y, labels)
        else:
            loss = nn.functional.mse_loss(y, x.flatten(1))
        weights = [p for p in model.parameters() if p.dim() > 1]
        loss = loss + l2 * sum((w**2).sum() for w in weights)
        optimizer.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        result.append(loss.item())
    return result


cases = []
for name, (build, layers, loss) in MODELS.items():
    for recipe, make_optimizer, l2 in OPTIMIZERS:
        cases.append({
            "name": f"{name}, {json.dumps(recipe)}",
            "recipe": {"tabgrad": 1, "model": {"input": [6, 6, 1], "layers": layers}, "loss": loss, "optimizer": recipe,
                       "batch_size": SAMPLES, "epochs": STEPS},
            "losses": losses(build, loss, make_optimizer, l2, recipe.get("clip_norm")),
        })
target = pathlib.Path(__file__).parent / "fixtures" / "pytorch" / "losses.json"
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps({"torch": torch.__version__, "cases": cases}, indent=1) + "\n")
