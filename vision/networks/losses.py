"""Losses of metric learning that are not in PyTorch."""

import torch
from torch import nn
from torch.nn import functional


class PairedMarginSoftmax(nn.Module):
    """Softmax over cosine similarities to one proxy per class, with margins (CosFace, Wang et al. 2018).

    Classes come in pairs: class 2w is writer w, class 2w + 1 the forger of writer w. The similarity to the
    own class is lowered by `margin`; that to the other class of the pair is raised by `pair_margin`, so that
    a forgery has to be told from its model, not only from strangers.

    Parameters
    ----------
    dim : int
        Length of the embeddings.
    pairs : int
        Number of writers.
    scale : float
        Multiplies cosines before the softmax, > 0.
    margin, pair_margin : float
        Cosine margins, 0 to 1.
    """

    def __init__(self, dim, pairs, scale=20.0, margin=0.12, pair_margin=0.06):
        super().__init__()
        if pairs < 2:
            raise ValueError(f"pairs must be at least 2, got {pairs}")
        self.scale, self.margin, self.pair_margin = scale, margin, pair_margin
        self.proxies = nn.Parameter(torch.randn(2 * pairs, dim) * 0.05)

    def forward(self, embeddings, classes, strength=1.0):
        """Mean loss of a batch.

        Parameters
        ----------
        embeddings : Tensor, shape (b, dim)
        classes : Tensor of int64, shape (b,)
            0 to 2 * pairs - 1.
        strength : float
            Multiplies both margins; raised from 0 to 1 while training warms up.

        Returns
        -------
        tuple of Tensor
            The loss, and the cosines of shape (b, 2 * pairs) without margins.
        """
        cosine = functional.linear(functional.normalize(embeddings), functional.normalize(self.proxies))
        shift = torch.zeros_like(cosine)
        shift.scatter_(1, classes[:, None], -self.margin * strength)
        shift.scatter_(1, (classes ^ 1)[:, None], self.pair_margin * strength)
        return functional.cross_entropy(self.scale * (cosine + shift), classes), cosine.detach()
