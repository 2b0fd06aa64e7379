"""Where a network runs, and in which precision."""

from __future__ import annotations

from functools import lru_cache


def pick_device() -> str:
    """The GPU when there is one, else the processor."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache
def fast_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32."""
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def run_network(call, inputs):
    """Outputs in float32 of a network or one of its methods, computed in bfloat16 where that is fast.

    Parameters
    ----------
    call : callable
        Takes a tensor, returns a tensor or a tuple of tensors and None.
    inputs : Tensor
    """
    import torch

    device = inputs.device.type
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device, torch.bfloat16, enabled=fast_bfloat16(device)):
        outputs = call(inputs)
    if isinstance(outputs, tuple):
        return tuple(value if value is None else value.float() for value in outputs)
    return outputs.float()
