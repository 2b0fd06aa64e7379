"""Same hand or forged, for writers never seen in training: how alike two signatures are, and which of them is
stiffer.

*Likeness* is a correlation given a background: two signatures count as alike only as far as strangers'
signatures do not explain it (the posterior covariance of a Gaussian process that has seen the background).
*Stiffness* is one direction in descriptor space along which forgeries of the training writers lie beside the
genuine signatures that they imitate; a questioned signature is judged by its step along it from the
references. That direction is a trait of pens and paper as well as of forgers: it does not carry over from one
collection to another, so across collections likeness is used alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.descriptor.common_scale import squared_distances

GAMMA = 0.1
RIDGE = 0.02
STIFFNESS_RIDGE = 0.3
MOST_BACKGROUND = 700
MOST_DEVIATIONS = 2_000


@dataclass(frozen=True)
class Likeness:
    """Correlation of placed descriptors given a background of strangers.

    Attributes
    ----------
    background : float32 (b, d)
        Placed descriptors of genuine signatures of writers outside the comparison.
    inverse : float64 (b, b)
    gamma : float
        Of the kernel exp(−gamma D²).
    """

    background: np.ndarray
    inverse: np.ndarray
    gamma: float = GAMMA

    @classmethod
    def given(cls, background: np.ndarray, gamma: float = GAMMA, ridge: float = RIDGE) -> Likeness:
        """Prepare a background (b, d) of at least two rows; more than 700 are thinned evenly."""
        if len(background) < 2:
            raise ValueError(f"background: need at least 2 signatures, got {len(background)}")
        step = max(1, -(-len(background) // MOST_BACKGROUND))
        rows = background[::step]
        kernel = np.exp(-gamma * squared_distances(rows, rows)) + 1.0
        return cls(rows, np.linalg.inv(kernel + ridge * np.eye(len(rows))), gamma)

    def between(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Likeness of each row of ``first`` (n, d) to each of ``second`` (m, d), float64 (n, m), −1 to 1."""
        seen = [self._with_background(rows) for rows in (first, second)]
        own = [
            np.maximum(2.0 - np.einsum("ij,jk,ik->i", rows, self.inverse, rows, optimize=True), 1e-6)
            for rows in seen
        ]
        kernel = np.exp(-self.gamma * squared_distances(first, second)) + 1.0
        rest = kernel - seen[0] @ self.inverse @ seen[1].T
        return rest / np.sqrt(own[0][:, None] * own[1][None])

    def _with_background(self, rows: np.ndarray) -> np.ndarray:
        return np.exp(-self.gamma * squared_distances(rows, self.background)) + 1.0


def stiffness_direction(
    placed: np.ndarray, writers: np.ndarray, forged: np.ndarray, ridge: float = STIFFNESS_RIDGE
) -> np.ndarray:
    """The direction that tells forgeries from the genuine signatures of the same writer.

    Ridge regression, solved in the space of the signatures, on each writer's deviations from the mean of the
    genuine ones; more than 2,000 are thinned evenly.

    Parameters
    ----------
    placed : float32 (n, d)
    writers : ndarray (n,)
    forged : ndarray of bool (n,)
        Both kinds are needed for at least two writers.
    ridge : float
        In units of the mean squared deviation.

    Returns
    -------
    float32 (d,)
        Higher along it for genuine signatures.
    """
    parts, labels = [], []
    for writer in np.unique(writers):
        mine = writers == writer
        if not forged[mine].any() or forged[mine].all():
            continue
        parts.append(placed[mine] - placed[mine & ~forged].mean(axis=0))
        labels.append(np.where(forged[mine], -1.0, 1.0))
    if len(parts) < 2:
        raise ValueError(
            f"forged: need genuine and forged signatures of at least 2 writers, got {len(parts)}"
        )
    step = max(1, -(-sum(map(len, parts)) // MOST_DEVIATIONS))
    deviations, target = np.concatenate(parts)[::step], np.concatenate(labels)[::step]
    products = (deviations @ deviations.T).astype(np.float64)
    scale = ridge * np.trace(products) / len(products)
    solved = np.linalg.solve(products + scale * np.eye(len(products)), target - target.mean())
    return (deviations.T @ solved.astype(np.float32)).astype(np.float32)


@dataclass(frozen=True)
class PairModel:
    """Scores of questioned signatures against references of writers outside the training.

    Attributes
    ----------
    likeness : Likeness
    direction : float32 (d,) or None
        None across collections.
    weights : float64 (4,)
        Of the standardised traits of :meth:`traits`.
    middle, spread : float64 (4,)
    """

    likeness: Likeness
    direction: np.ndarray | None
    weights: np.ndarray
    middle: np.ndarray
    spread: np.ndarray

    def compare(self, placed: np.ndarray) -> Comparison:
        """Everything that scores among some signatures (n, d) need, worked out once."""
        return _compared(self.likeness, self.direction, placed)

    def score(self, references: np.ndarray, questioned: np.ndarray) -> np.ndarray:
        """Scores of questioned (m, d) against one writer's references (r, d), float64 (m,)."""
        compared = self.compare(np.concatenate([references, questioned]))
        own, tests = np.split(np.arange(len(compared.steps)), [len(references)])
        return self.score_traits(compared.traits(own, tests))

    def score_traits(self, traits: np.ndarray) -> np.ndarray:
        """Scores of the traits (…, 4) of some trials, float64 (…)."""
        return ((traits - self.middle) / self.spread) @ self.weights


@dataclass(frozen=True)
class Comparison:
    """Likeness and stiffness of some signatures.

    Attributes
    ----------
    likeness : float64 (n, n)
    steps : float64 (n,)
        Places along the stiffness direction; zeros without one.
    """

    likeness: np.ndarray
    steps: np.ndarray

    def traits(self, references: np.ndarray, questioned: np.ndarray) -> np.ndarray:
        """What is known of each questioned signature, float64 (m, 4).

        Mean likeness to the references; the greatest; the mean likeness among the references themselves (0
        for one reference); the step in stiffness from the references' mean.

        Parameters
        ----------
        references, questioned : int (r,), (m,)
            Which of the signatures.
        """
        between = self.likeness[np.ix_(questioned, references)]
        count, among = len(references), 0.0
        if count > 1:
            own = self.likeness[np.ix_(references, references)]
            among = (own.sum() - np.trace(own)) / (count * (count - 1))
        step = self.steps[questioned] - self.steps[references].mean()
        return np.stack(
            [between.mean(axis=1), between.max(axis=1), np.full(len(questioned), among), step], axis=1
        )

    def pair_traits(self, references: np.ndarray, questioned: np.ndarray) -> np.ndarray:
        """Traits of each questioned signature against each single reference, float64 (m, r, 4)."""
        between = self.likeness[np.ix_(questioned, references)]
        step = self.steps[questioned][:, None] - self.steps[references][None]
        return np.stack([between, between, np.zeros_like(between), step], axis=-1)


def _compared(likeness: Likeness, direction: np.ndarray | None, placed: np.ndarray) -> Comparison:
    steps = np.zeros(len(placed)) if direction is None else (placed @ direction).astype(np.float64)
    return Comparison(likeness.between(placed, placed), steps)


def fit_pair_model(
    placed: np.ndarray,
    writers: np.ndarray,
    forged: np.ndarray,
    references: int,
    rng: np.random.Generator,
    with_direction: bool = True,
    draws: int = 3,
) -> PairModel:
    """Learn a pair model from writers with known forgeries.

    Writers are halved: background and direction come from one half, and the weights are learned on the other,
    both ways round; then background and direction are made from all of them.

    Parameters
    ----------
    placed : float32 (n, d)
    writers : ndarray (n,)
    forged : ndarray of bool (n,)
    references : int
        References per writer in use.
    rng : numpy.random.Generator
    with_direction : bool
        False when the model is meant for another collection.
    draws : int
        Random choices of references per training writer.
    """
    halves = np.array_split(rng.permutation(np.unique(writers)), 2)
    traits, labels = [], []
    for half, other in (halves, halves[::-1]):
        inside, judged = np.isin(writers, other), np.isin(writers, half)
        parts = _parts(placed[inside], writers[inside], forged[inside], with_direction)
        for some, same in _training_trials(
            parts, placed[judged], writers[judged], forged[judged], references, rng, draws
        ):
            traits.append(some)
            labels.append(same)
    if not traits:
        raise ValueError(f"references: no training writer has more than {references} genuine signatures")
    weights, middle, spread = _logistic(np.concatenate(traits), np.concatenate(labels))
    likeness, direction = _parts(placed, writers, forged, with_direction)
    return PairModel(likeness, direction, weights, middle, spread)


def _training_trials(parts, placed, writers, forged, references: int, rng, draws: int):
    """Traits and labels of genuine trials, and of as many strangers' ones as there are forged ones."""
    for writer in np.unique(writers):
        genuine = np.flatnonzero((writers == writer) & ~forged)
        fakes = np.flatnonzero((writers == writer) & forged)
        if len(genuine) <= references or not len(fakes):
            continue
        strangers = rng.permutation(np.flatnonzero((writers != writer) & ~forged))[: len(fakes)]
        compared = _compared(*parts, placed[np.concatenate([genuine, fakes, strangers])])
        others = np.arange(len(genuine), len(compared.steps))
        for _ in range(draws):
            order = rng.permutation(len(genuine))
            tests = np.concatenate([order[references:], others])
            yield (
                compared.traits(order[:references], tests),
                np.repeat([1, 0], [len(order) - references, len(others)]),
            )


def _parts(placed, writers, forged, with_direction):
    direction = stiffness_direction(placed, writers, forged) if with_direction else None
    return Likeness.given(placed[~forged]), direction


def _logistic(traits: np.ndarray, labels: np.ndarray):
    from sklearn.linear_model import LogisticRegression

    middle, spread = traits.mean(axis=0), traits.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    fitted = LogisticRegression(class_weight="balanced", max_iter=1000).fit(
        (traits - middle) / spread, labels
    )
    return fitted.coef_[0], middle, spread
