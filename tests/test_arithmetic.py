"""Which numbers models compute with: what the device computes natively, unless it is said."""

from __future__ import annotations

import pytest
import torch
from impossible.errors import ModelError
from impossible.models import precision
from impossible.models.precision import (
    arithmetic_in_words,
    device_named,
    dtype_named,
    native_bfloat16,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("found", "native"),
    [
        ({"avx2": True, "avx512_bf16": False}, False),
        ({"avx512_f": True}, False),  # emulates it
        ({"avx512_f": True, "avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"neon": True, "bf16": True}, True),
        ({}, False),
    ],
)
def test_auto_is_what_the_processor_computes_natively(
    found: dict[str, bool], native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    assert native_bfloat16(CPU) is native
    assert dtype_named("auto", CPU) is (torch.bfloat16 if native else torch.float32)
    assert dtype_named("bfloat16", CPU) is torch.bfloat16  # whoever asks for it gets it


def test_the_names_are_those_that_torch_gives() -> None:
    known = torch.cpu.get_capabilities()
    family = {"x86_64": "amx_bf16", "arm64": "bf16", "aarch64": "bf16"}
    name = family.get(str(known["architecture"]))
    if name is None:
        pytest.skip(f"no name is known for {known['architecture']}")
    assert name in known
    assert name in precision.NATIVE


def test_a_gpu_is_asked_without_emulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    assert dtype_named("auto", torch.device("cuda")) is torch.float32


def test_what_is_not_known_is_told() -> None:
    with pytest.raises(ModelError, match="dtype must be one of .*'auto'.*got 'int8'"):
        dtype_named("int8", CPU)
    with pytest.raises(ModelError, match="device must be auto, cpu or cuda.*got 'tpu9'"):
        device_named("tpu9")
    with pytest.raises(ModelError, match="'cuda:99': torch sees"):
        device_named("cuda:99")
    assert arithmetic_in_words("float32", "cpu") == "float32 on cpu"
