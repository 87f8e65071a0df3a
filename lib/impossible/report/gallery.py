"""All figures of a run on one page of their own: a picture each, its files and its data."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from impossible.data.html_templates import template
from impossible.data.io import write_text
from impossible.data.run_folder import RunFolder
from impossible.report.figures.style import PNG_DPI

GALLERY = "gallery.html"
LARGEST_SVG = 150_000  # bytes; a bigger drawing is shown as its PNG


def build_gallery(run: RunFolder, figures: Sequence[Mapping[str, Any]], report: str) -> Path:
    """Write `gallery.html` in the run folder and return its path.

    One file without scripts or outside resources; all text is escaped.

    Args:
        run: the run.
        figures: their sidecars as `html.build_report` reads them.
        report: the report's file, beside which the page lies.
    """
    ordered = sorted(figures, key=lambda item: (item["notebook"], item["name"]))
    shown = [
        {
            **item,
            "picture": picture(run.figures / item["name"], largest_svg=0),
            "executed": _executed(run, item["notebook"]),
        }
        for item in ordered
    ]
    page = template("report/gallery").render(run=run.root.name, figures=shown, report=report)
    return write_text(run.root / GALLERY, page)


def _executed(run: RunFolder, notebook: str) -> str | None:
    path = run.notebooks / f"{notebook}.ipynb"
    return path.relative_to(run.root).as_posix() if path.is_file() else None


def picture(stem: Path, largest_svg: int = LARGEST_SVG) -> dict[str, Any] | None:
    """Data URI and width in px of a figure: its SVG, or its PNG when that is missing or big.

    Args:
        stem: of its files, without ending.
        largest_svg: in bytes; 0 takes the PNG, which is smaller, where there is one.
    """
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    use_svg = svg.is_file() and (svg.stat().st_size <= largest_svg or not png.is_file())
    path, kind = (svg, "svg+xml") if use_svg else (png, "png")
    if not path.is_file():
        return None
    raw = path.read_bytes()
    points = re.search(rb'<svg[^>]*?width="([\d.]+)pt"', raw[:2000])
    inches = float(points[1]) / 72 if points else int.from_bytes(raw[16:20]) / PNG_DPI
    width = round(inches * 96 * 1.35)  # px, a little over print size
    return {"uri": f"data:image/{kind};base64,{base64.b64encode(raw).decode()}", "width": width}
