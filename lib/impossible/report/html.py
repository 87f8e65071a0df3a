"""One page with everything a run found, put together from its notes; nothing is computed here."""

from __future__ import annotations

import base64
import json
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from impossible.config.params import Params
from impossible.data.html_templates import template
from impossible.data.run_folder import RunFolder, read_json, scalars, write_text
from impossible.errors import DataError
from impossible.report.figures.style import PNG_DPI
from impossible.report.tables import show

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pandas", "sacrebleu", "matplotlib")
LARGEST_SVG = 150_000  # bytes; a bigger drawing is shown as its PNG


@dataclass(frozen=True)
class Section:
    """One notebook in the report."""

    name: str
    title: str
    question: str
    executed: str | None  # path of the executed copy, relative to the report
    state: str  # "" when done or unknown, else "running", "failed" or "killed"
    items: list[dict[str, Any]] = field(default_factory=list)
    recorded: dict[str, str] = field(default_factory=dict)


def build_report(run: RunFolder, expected: Sequence[str] = (), builder: str = "24_report") -> Path:
    """Write `report.html` in the run folder and return its path.

    Args:
        run: the run; its sidecars, recorded scalars, executed notebooks, parameters and ledger are
            read, and nothing else.
        expected: names of notebooks that get a section even when they left nothing.
        builder: the notebook that calls this; it is still running, and gets no section because
            the page is all that it makes.

    One file without scripts or outside resources; all text is escaped; what is not there is shown
    as missing. The same run folder always gives the same bytes.

    Raises:
        DataError: a sidecar, ledger or notebook is there but cannot be read.
    """
    states = _json(run.work / "ledger.json")
    settings = _json(run.work / "params.json")
    items = [_item(run, path) for path in _sidecars(run)]
    recorded = scalars(run)
    names = {*expected, *recorded, *(item["notebook"] for item in items)}
    names |= {path.stem for path in run.notebooks.glob("*.ipynb")}
    names |= states.keys()
    sections = [
        _section(run, name, items, recorded.get(name, {}), states.get(name, {}))
        for name in sorted(names - {builder})
    ]
    page = template("report/report").render(
        run=run.root.name,
        params=_params(settings),
        versions=[
            ("python", platform.python_version()),
            *map(_version, PACKAGES),
            ("arithmetic", _arithmetic(settings)),
        ],
        sections=sections,
        compared=_compared(items),
    )
    return write_text(run.root / "report.html", page)


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one when the file is not there."""
    value = read_json(path) if path.is_file() else {}
    if not isinstance(value, dict):
        raise DataError(f"{path} must hold a JSON object: delete it and run again.")
    return value


def _sidecars(run: RunFolder) -> list[Path]:
    return sorted([*run.figures.glob("*.json"), *run.tables.glob("*.json")])


def _item(run: RunFolder, sidecar: Path) -> dict[str, Any]:
    """A sidecar with what the page needs besides: picture, files and which of them exist."""
    note = _json(sidecar)
    lacking = {"kind", "name", "caption", "notebook", "data"} - note.keys()
    if lacking:
        raise DataError(
            f"{sidecar} lacks {', '.join(sorted(lacking))}: run the notebook that writes it again."
        )
    is_figure = note["kind"] == "figure"
    folder = run.figures if is_figure else run.tables
    kinds = ("pdf", "svg", "png") if is_figure else ("csv", "md", "tex")
    files = [folder / f"{note['name']}.{kind}" for kind in kinds]
    return {
        **note,
        "anchor": f"{note['kind']}-{note['name']}",
        "picture": _picture(folder, note["name"]) if is_figure else None,
        "files": [(path.suffix[1:].upper(), _relative(run, path)) for path in files],
        "data": [(name, _relative(run, run.root / name)) for name in note["data"]],
    }


def _compared(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What has a reading or the paper's words, by notebook; a figure and its table count once."""
    told = [item for item in items if item.get("paper") or item.get("reading")]
    once = {(item["notebook"], item["name"]): item for item in reversed(told)}
    return [once[key] for key in sorted(once)]


def _relative(run: RunFolder, path: Path) -> str | None:
    """Path from the report to what is there inside the run folder, else None.

    A record may be named without its ending, as notebooks declare it; a model is a folder.
    """
    if not path.resolve().is_relative_to(run.root.resolve()):
        return None
    found = path if path.exists() else next(iter(sorted(path.parent.glob(f"{path.name}.*"))), None)
    return found.relative_to(run.root).as_posix() if found else None


def _picture(folder: Path, name: str) -> dict[str, Any] | None:
    """Data URI and width in px of a figure: its SVG, or its PNG when that is missing or big."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    use_svg = svg.is_file() and (svg.stat().st_size <= LARGEST_SVG or not png.is_file())
    path, kind = (svg, "svg+xml") if use_svg else (png, "png")
    if not path.is_file():
        return None
    raw = path.read_bytes()
    points = re.search(rb'<svg[^>]*?width="([\d.]+)pt"', raw[:2000])
    inches = float(points[1]) / 72 if points else int.from_bytes(raw[16:20]) / PNG_DPI
    width = round(inches * 96 * 1.35)  # px, a little over print size
    return {"uri": f"data:image/{kind};base64,{base64.b64encode(raw).decode()}", "width": width}


def _section(
    run: RunFolder, name: str, items: list[dict[str, Any]], recorded: dict[str, Any], entry: Any
) -> Section:
    executed = run.notebooks / f"{name}.ipynb"
    cells = read_json(executed).get("cells", []) if executed.is_file() else []
    title, question = _opening(cells, name)
    code = "".join(_source(cell) for cell in cells if cell.get("cell_type") == "code")
    state = entry.get("status", "") if isinstance(entry, dict) else ""
    return Section(
        name=name,
        title=title,
        question=question,
        executed=_relative(run, executed),
        state="" if state == "done" else state,
        items=sorted(  # as the notebook saves them; what it does not name comes last
            (item for item in items if item["notebook"] == name),
            key=lambda item: code.find(f'"{item["name"]}"') % (len(code) + 1),
        ),
        recorded={key: _flat(value) for key, value in sorted(recorded.items())},
    )


def _source(cell: dict[str, Any]) -> str:
    """Text of a notebook cell, which the format keeps whole or in lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _opening(cells: list[dict[str, Any]], name: str) -> tuple[str, str]:
    """Heading, and first paragraph that asks (else the first), of the first text cell."""
    text = next((_source(cell) for cell in cells if cell.get("cell_type") == "markdown"), "")
    blocks = [block.strip() for block in re.split(r"\n\s*\n|(?<=\n)(?=#)", text) if block.strip()]
    heads = [re.sub(r"^#+\s*", "", block) for block in blocks if block.startswith("#")]
    first, _, rest = heads[0].partition("\n") if heads else (name, "", "")
    prose = [rest.strip()] * bool(rest.strip()) + [b for b in blocks if not b.startswith("#")]
    question = next((block for block in prose if "?" in block), prose[0] if prose else "")
    return _plain(first), _plain(question)


def _plain(markdown: str) -> str:
    """Markdown without its marks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\$([^$]*)\$", lambda math: re.sub(r"[{}\\]", "", math[1]), text)
    text = re.sub(r"(\*\*|__|`)", "", text)
    return " ".join(re.sub(r"(?<!\w)[*_]|[*_](?!\w)|^>\s?", "", text, flags=re.M).split())


def _params(resolved: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Name, value, origin and meaning of each parameter that can change a result."""
    origins, lines = resolved.get("origins", {}), []
    for name, value in resolved.get("values", {}).items():
        known = Params.model_fields.get(name)
        extra = (
            known.json_schema_extra if known and isinstance(known.json_schema_extra, dict) else {}
        )
        if extra.get("affects_results", True):
            meaning = (known.description if known else None) or ""
            lines.append((name, _flat(value), str(origins.get(name, "default")), meaning))
    return lines


def _version(package: str) -> tuple[str, str]:
    try:
        return package, metadata.version(package)
    except metadata.PackageNotFoundError:
        return package, "not installed"


def _arithmetic(settings: dict[str, Any]) -> str:
    from impossible.models.precision import described  # loads torch

    return described(settings.get("dtype", "auto"), settings.get("device", "auto"))


def _flat(value: Any) -> str:
    """A JSON value on one line, numbers with up to four decimals."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None or isinstance(value, (str, bool, int)):
        return str(value) if isinstance(value, (bool, int)) else show(value)
    if isinstance(value, list) and all(isinstance(each, (int, float, str)) for each in value):
        return ", ".join(map(_flat, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
