# %% [markdown]
# # Handwritten digits
#
# Two classifiers, a multilayer perceptron and a small convolutional network, learn the 1,797 scanned digits that come
# inside scikit-learn. Each is trained with AdamW on mini-batches, tested on digits that it has not seen, saved to
# safetensors and loaded back.

# %%
import os
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import mlx_go.core as mx
import mlx_go.nn as nn
import mlx_go.optimizers as optim

OUT = Path(globals().get("__file__", "digits.py")).resolve().parent / "out"
OUT.mkdir(exist_ok=True)
mx.random.seed(7)
rng = np.random.default_rng(7)

# %% script
matplotlib.use("Agg")  # pictures go to files

# %% [markdown]
# ## The data
#
# Every digit is 8 by 8 pixels with values from 0 to 16. A fifth of them, in the same proportions, is held out.

# %%
digits = load_digits()
images = (digits.images / 16).astype(np.float32)
train_images, test_images, train_labels, test_labels = train_test_split(
    images, digits.target.astype(np.int32), test_size=0.2, stratify=digits.target, random_state=7
)
test_x, test_y = mx.array(test_images), mx.array(test_labels)
print(f"{len(train_images)} digits to train on, {len(test_images)} held out")

# %% [markdown]
# ## The models
#
# Images have their channels last (batch, height, width, channels), as everywhere in `mlx_go.nn`.


# %%
class MLP(nn.Module):
    def __init__(self, hidden: int = 256):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, hidden),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 10),
        )

    def __call__(self, x):
        return self.layers(x.reshape(-1, 64))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(2 * 2 * 64, 10)

    def __call__(self, x):
        x = self.pool(nn.relu(self.conv1(x[..., None])))
        x = self.pool(nn.relu(self.conv2(x)))
        return self.fc(self.dropout(x.reshape(-1, 2 * 2 * 64)))


# %% [markdown]
# ## Training
#
# Everything is lazy: a step builds a graph of the loss, its gradients and the new parameters, and `mx.eval` computes it
# at once. The loss function also returns the number of right answers, which `nn.value_and_grad` hands through.


# %%
def loss_and_hits(model, x, y):
    logits = model(x)
    return nn.losses.cross_entropy(logits, y, reduction="mean"), (mx.argmax(logits, axis=1) == y).sum()


def train(model, epochs: int, batch_size: int = 64, peak_rate: float = 3e-3):
    """Trains in place; returns the loss of every step."""
    steps = epochs * -(-len(train_images) // batch_size)
    warmup = steps // 10
    rate = optim.join_schedules(
        [optim.linear_schedule(0.0, peak_rate, warmup), optim.cosine_decay(peak_rate, steps - warmup)], [warmup]
    )
    optimizer = optim.AdamW(learning_rate=rate, weight_decay=0.01)
    step = nn.value_and_grad(model, loss_and_hits)
    losses = []
    model.train()
    with tqdm(total=steps, desc=type(model).__name__, unit="step") as bar:
        for _ in range(epochs):
            order, right = rng.permutation(len(train_images)), 0
            for batch in np.array_split(order, steps // epochs):
                x, y = mx.array(train_images[batch]), mx.array(train_labels[batch])
                (loss, hits), gradients = step(model, x, y)
                optimizer.update(model, gradients)
                mx.eval(model.parameters(), optimizer.state, loss, hits)
                losses.append(loss.item())
                right += hits.item()
                bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-(steps // epochs) :]):.4f}", accuracy=f"{right / len(order):.1%}")
    model.eval()
    return losses


def predict(model):
    return mx.argmax(model(test_x), axis=1)


# %%
runs = {}
for model, epochs in ((MLP(), 30), (CNN(), 20)):
    losses = train(model, epochs)
    predictions = predict(model)
    accuracy = mx.mean(predictions == test_y).item()
    runs[type(model).__name__] = (model, losses, np.array(predictions), accuracy)
    print(f"{type(model).__name__}: {accuracy:.1%} of {len(test_labels)} held-out digits are right")
    assert accuracy >= 0.97, f"{type(model).__name__} should get at least 97% of the held-out digits right"

# %% [markdown]
# ## The loss

# %%
fig, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (_, losses, _, accuracy) in runs.items():
    smooth = np.convolve(losses, np.ones(20) / 20, mode="valid")
    axes.semilogy(smooth, label=f"{name}, {accuracy:.1%} right on held-out digits")
axes.set(xlabel="step", ylabel="training loss (mean of 20 steps)", title="Handwritten digits")
axes.legend()
fig.savefig(OUT / "loss.png", dpi=80)

# %% [markdown]
# ## What the network sees
#
# Sixty held-out digits and the convolutional network's answers, all of its mistakes among them, in red.

# %%
guesses = runs["CNN"][2]
wrong = np.flatnonzero(guesses != test_labels)
others = rng.permutation(np.flatnonzero(guesses == test_labels))
shown = rng.permutation(np.concatenate([wrong, others])[:60])
fig, grid = plt.subplots(5, 12, figsize=(9, 4.6), layout="constrained")
for axes, i in zip(grid.flat, shown):
    right = guesses[i] == test_labels[i]
    axes.imshow(test_images[i], cmap="gray_r" if right else "Reds")
    axes.set_title(
        f"{guesses[i]}" if right else f"{guesses[i]}, is {test_labels[i]}", fontsize=8, color="k" if right else "r"
    )
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color="0.7" if right else "r", linewidth=0.8 if right else 2)
fig.suptitle(f"CNN: {len(wrong)} of {len(test_labels)} held-out digits wrong")
fig.savefig(OUT / "predictions.png", dpi=80)

# %% [markdown]
# ## Saving and loading
#
# A fresh model with the saved weights gives the same logits, bit for bit.

# %%
for name, (model, _, _, _) in runs.items():
    path = OUT / f"{name.lower()}.safetensors"
    model.save_weights(str(path))
    restored = type(model)()
    restored.load_weights(str(path))
    restored.eval()
    assert mx.array_equal(restored(test_x), model(test_x)).item()
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB, predictions are the same after loading")
print(f"pictures and weights are in {os.path.relpath(OUT)}")
