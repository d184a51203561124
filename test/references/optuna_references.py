"""What Optuna finds on standard functions: the best value of each of 20 seeds, by its default TPE, by its multivariate TPE and by random search.

Called with a folder of inputs, which it does not need, and one for its fixtures. The functions are written out in both languages
(test/unit/domain/search-functions.ts); their values at a few points are part of the fixture, so that a difference would be seen.
"""

import json
import math
import sys
from importlib import metadata
from pathlib import Path

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)

VERSIONS = {name: metadata.version(name) for name in ("optuna", "numpy")}
SEEDS = list(range(20))
TRIALS = 100


def branin(p):
    x, y = p["x"], p["y"]
    return (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
ALPHA = [1.0, 1.2, 3.0, 3.2]


def hartmann6(p):
    x = [p[f"x{i}"] for i in range(6)]
    return -sum(alpha * math.exp(-sum(a * (v - q) ** 2 for a, v, q in zip(row, x, centre))) for alpha, row, centre in zip(ALPHA, A, P))


def rosenbrock4(p):
    x = [p[f"x{i}"] for i in range(4)]
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(3))


def sphere5(p):
    return sum(p[f"x{i}"] ** 2 for i in range(5))


def rastrigin3(p):
    return 30 + sum(p[f"x{i}"] ** 2 - 10 * math.cos(2 * math.pi * p[f"x{i}"]) for i in range(3))


def mixed(p):
    """As a search of boosting's parameters is shaped: a logarithmic number, a logarithmic integer, an integer with steps, a category."""
    shift = {"a": 0.0, "b": 0.3, "c": 0.6}[p["kind"]]
    return (math.log10(p["rate"]) + 1.5) ** 2 + 0.2 * (math.log2(p["leaves"]) - 5) ** 2 + 0.1 * abs(p["depth"] - 6) + shift


def numbers(count, low, high):
    return {f"x{i}": ("number", low, high, False, 0) for i in range(count)}


FUNCTIONS = {
    "branin": (branin, {"x": ("number", -5, 10, False, 0), "y": ("number", 0, 15, False, 0)}, 0.39788735772973816),
    "hartmann6": (hartmann6, numbers(6, 0, 1), -3.32236801141551),
    "rosenbrock4": (rosenbrock4, numbers(4, -2.048, 2.048), 0.0),
    "sphere5": (sphere5, numbers(5, -5.12, 5.12), 0.0),
    "rastrigin3": (rastrigin3, numbers(3, -5.12, 5.12), 0.0),
    "mixed": (mixed, {"rate": ("number", 0.0001, 1, True, 0), "leaves": ("integer", 2, 512, True, 1), "depth": ("integer", 2, 20, False, 2), "kind": ["a", "b", "c"]}, 0.0),
}


def suggest(trial, space):
    params = {}
    for name, parameter in sorted(space.items()):
        if isinstance(parameter, list):
            params[name] = trial.suggest_categorical(name, parameter)
        elif parameter[0] == "number":
            params[name] = trial.suggest_float(name, parameter[1], parameter[2], log=parameter[3])
        else:
            params[name] = trial.suggest_int(name, parameter[1], parameter[2], log=parameter[3], step=1 if parameter[3] else parameter[4])
    return params


def best_of(function, space, sampler):
    study = optuna.create_study(direction="minimize", sampler=sampler)
    study.optimize(lambda trial: function(suggest(trial, space)), n_trials=TRIALS)
    return study.best_value


def points_of(function, space):
    """Values at points drawn by Optuna's random sampler: both sides must compute the same function."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda trial: function(suggest(trial, space)), n_trials=5)
    return [{"params": trial.params, "value": trial.value} for trial in study.trials]


SAMPLERS = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "multivariate": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}

if __name__ == "__main__":
    functions = {}
    for name, (function, space, minimum) in FUNCTIONS.items():
        best = {kind: [best_of(function, space, sampler(seed)) for seed in SEEDS] for kind, sampler in SAMPLERS.items()}
        functions[name] = {"minimum": minimum, "best": best, "points": points_of(function, space)}
        print(f"  {name}: done", flush=True)
    content = {"versions": VERSIONS, "trials": TRIALS, "seeds": SEEDS, "functions": functions}
    (Path(sys.argv[2]) / "tpe.json").write_text(json.dumps(content) + "\n")
