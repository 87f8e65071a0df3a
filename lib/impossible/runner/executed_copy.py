"""Executed copies of notebooks: without what differs by run, and with texts as they are now."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from impossible.runner.execution import INJECTED


def tidy(executed: Path, root: Path, others: Sequence[Path] = ()) -> str:
    """Text of an executed notebook without what differs by run: times, bars, ids, folders.

    Args:
        executed: the notebook.
        root: the checkout; paths in it are written from there.
        others: folders and files outside it that are to be named from there too.
    """
    content = json.loads(executed.read_text(encoding="utf-8"))
    content["metadata"].pop("papermill", None)
    content["metadata"].pop("widgets", None)
    content["metadata"]["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for cell in content["cells"]:
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
        if INJECTED in cell["metadata"].get("tags", []):
            cell["id"] = INJECTED
        if cell["cell_type"] == "code":
            cell["outputs"] = [each for each in cell["outputs"] if not _is_bar(each)]
    text = _dumped(content)
    text = re.sub(r" at 0x[0-9a-f]+(?=>)", "", text)  # where an object lay in memory
    styled = re.findall(r'<table id=\\"(T_[0-9a-f]{5})\\"', text)  # pandas draws these ids
    for number, name in enumerate(dict.fromkeys(styled)):
        text = text.replace(name, f"T_{number}")
    for path in sorted({root, *others}, key=lambda each: -len(str(each))):
        here = Path(os.path.relpath(path, root)).as_posix()
        whole = rf"(?<![\w./-]){re.escape(str(path))}(?![\w-])"
        if here == ".":
            text = re.sub(f"{whole}{os.sep}", "", text)
        text = re.sub(whole, here, text)
    return text


def retold(executed: Path, source: Path) -> str | None:
    """Text of an executed notebook with its explanations as the source has them now.

    Whoever improves a sentence need not compute again: results stay, what is told about them is
    new. Code cells take their comments from the source as well; it must be the same code.

    Args:
        executed: the copy with results.
        source: the notebook that it came from.

    Returns:
        The new text; None where nothing is to change, or the cells of the two do not correspond.
    """
    before = executed.read_text(encoding="utf-8")
    content = json.loads(before)
    results = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    injected = [cell for cell in results if cell["id"] == INJECTED]
    results = [cell for cell in results if cell["id"] != INJECTED]
    now = json.loads(source.read_text(encoding="utf-8"))
    cells = now["cells"]
    if sum(cell["cell_type"] == "code" for cell in cells) != len(results):
        return None
    content["cells"] = []
    if "impossible" in now["metadata"]:  # what it reads and writes
        content["metadata"]["impossible"] = now["metadata"]["impossible"]
    for cell in cells:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            done = results.pop(0)
            cell |= {name: done[name] for name in ("execution_count", "outputs")}
        content["cells"].append(cell)
        if "parameters" in cell["metadata"].setdefault("tags", []):  # papermill writes none as []
            content["cells"] += injected
    text = _dumped(content)
    return None if text == before else text


def _dumped(content: dict[str, Any]) -> str:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    # Executed copies lie in one folder, whatever part of the notebooks they come from
    return re.sub(r"\]\((?:[\w.]+/)+(\d+\w*\.ipynb)", r"](\1", text)


def _is_bar(output: dict[str, Any]) -> bool:
    widget = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    text = output.get("text", "") if output.get("name") == "stderr" else ""
    return widget or "%|" in "".join(text)
