"""The numbers that models compute with: bfloat16 where the device has it built in, else float32.

bfloat16 halves the memory and, with instructions of its own (NVIDIA since Ampere, AVX512-BF16,
AMX, ARM's bf16), computes several times faster. A processor without them emulates it, ten times
slower than float32.
"""

from __future__ import annotations

import torch

from impossible.errors import ModelError

NATIVE = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")  # in torch.cpu.get_capabilities()


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device computes bfloat16 by instructions of its own."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(known.get(name) for name in NATIVE)


def dtype_named(name: str, device: torch.device) -> torch.dtype:
    """The type that a parameter's `name` stands for on this device.

    Args:
        name: "auto" (see above), "bfloat16", "float16" or "float32".
        device: where the model runs.

    Raises:
        ModelError: another name.

    >>> dtype_named("float32", torch.device("cpu"))
    torch.float32
    """
    if name == "auto":
        return torch.bfloat16 if native_bfloat16(device) else torch.float32
    allowed = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float16": torch.float16}
    if name not in allowed:
        raise ModelError(f"dtype must be one of {['auto', *sorted(allowed)]}, got {name!r}")
    return allowed[name]


def device_named(name: str) -> torch.device:
    """The device a parameter names: "auto" is the GPU if there is one, else the processor."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"device must be auto, cpu or cuda[:N], got {name!r}") from error
    if found.type == "cuda" and (found.index or 0) >= (there := torch.cuda.device_count()):
        raise ModelError(f"device = {name!r}: torch sees {there} GPUs here; give auto or cpu.")
    return found


def arithmetic_in_words(dtype: str, device: str) -> str:
    """What these parameters mean on this machine, such as "float32 on cpu"."""
    where = device_named(device)
    return f"{str(dtype_named(dtype, where)).removeprefix('torch.')} on {where.type}"
