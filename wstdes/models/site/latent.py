"""Standard normal processes with memory, exact at the steps.

A process is a sum of Ornstein and Uhlenbeck's: each forgets itself as exp(-t/tau), so that the sum
has any falling autocorrelation that such exponentials make. Where something was measured, the
process is held to it and goes on from there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from wstdes.jit import njit

__all__ = ["advance", "share_within"]

Array = NDArray[np.float64]


@njit
def advance(
    state: Array,
    innovations: Array,
    keep: Array,
    weight: Array,
    process: NDArray[np.int64],
    low: Array,
    high: Array,
) -> Array:
    """Continue latent processes.

    Parameters
    ----------
    state : ndarray of float64, shape (c,)
        Components one step before the first; changed to those at the last.
    innovations : ndarray of float64, shape (c, n)
        Independent standard normal numbers.
    keep : ndarray of float64, shape (c,)
        Autocorrelation of each component over a step.
    weight : ndarray of float64, shape (c,)
        Of each component in its process; squares add up to 1 in each process.
    process : ndarray of int64, shape (c,)
        Which process a component belongs to.
    low, high : ndarray of float64, shape (p, n)
        Limits of each process at each step; infinite where nothing is known.

    Returns
    -------
    ndarray of float64, shape (p, n)
        The processes; standard normal if ``state`` is and nothing limits them.
    """
    components, n = innovations.shape
    total = np.zeros(low.shape)
    for i in range(n):
        for c in range(components):
            spread = np.sqrt(1.0 - keep[c] * keep[c])
            state[c] = keep[c] * state[c] + spread * innovations[c, i]
            total[process[c], i] += weight[c] * state[c]
        for p in range(low.shape[0]):
            held = min(max(total[p, i], low[p, i]), high[p, i])
            if held != total[p, i]:
                for c in range(components):
                    if process[c] == p:
                        state[c] += weight[c] * (held - total[p, i])
                total[p, i] = held
    return total


def share_within(limit: float, keep: float, steps: int) -> float:
    """Share of time in which a process has been below a limit for several steps in a row.

    Parameters
    ----------
    limit : float
        In standard deviations.
    keep : float
        Autocorrelation over a step, in [0, 1).
    steps : int
        How many steps, at least 1.

    Returns
    -------
    float
        P(z_1 <= limit, ..., z_steps <= limit), by quadrature of the Markov chain; to 1e-6.
    """
    limit = min(float(limit), 8.5)
    if steps <= 1 or limit <= -8.0:
        return float(ndtr(limit))
    spread = max(np.sqrt(1.0 - keep * keep), 0.02)  # hardly anything crosses in a step below
    keep = np.sqrt(1.0 - spread * spread)
    z, weights = _nodes(-8.5, limit, 3.0 * spread)
    step = np.exp(-0.5 * ((z[None, :] - keep * z[:, None]) / spread) ** 2)
    step *= weights / (spread * np.sqrt(2.0 * np.pi))
    share = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) * weights
    for _ in range(steps - 1):
        share = share @ step
    return float(share.sum())


def _nodes(start: float, end: float, width: float) -> tuple[Array, Array]:
    """Nodes and weights of Gauss and Legendre's rule on panels of at most a width."""
    panels = max(1, int(np.ceil((end - start) / width)))
    edges = np.linspace(start, end, panels + 1)
    x, w = np.polynomial.legendre.leggauss(10)
    half = 0.5 * (end - start) / panels
    nodes = 0.5 * (edges[:-1] + edges[1:])[:, None] + half * x[None, :]
    return nodes.ravel(), np.tile(half * w, panels)
