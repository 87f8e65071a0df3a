"""One page with everything a run found, put together from its notes; nothing is computed here."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from impossible.config.params import EXTENDS, Params
from impossible.config.places import project_root
from impossible.config.yaml_files import read_yaml
from impossible.data.html_templates import template
from impossible.data.io import read_object, write_text
from impossible.data.run_folder import RunFolder, scalars
from impossible.errors import DataError, ParameterError
from impossible.report.blind_readings import said_in
from impossible.report.expectation_table import expected_reading
from impossible.report.first_screen import example_of_run, what_came_out
from impossible.report.gallery import GALLERY, build_gallery, picture
from impossible.report.ledger_beside import ledger_table
from impossible.report.main_claims import by_claim, main_claims
from impossible.report.parts import ALL_CLAIMS, arranged, is_main
from impossible.report.reliability import COLUMNS, rows_beside
from impossible.report.save import caption_in_print, in_print
from impossible.report.tables import minus, show

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pandas", "sacrebleu", "matplotlib")
REPORT = "report.html"
MANIFEST = "manifest.json"
#: The notebook that calls this: still running then, and no section, as the page is all it makes.
BUILDER = "24_report"
FILE_KINDS = {"figure": ("pdf", "svg", "png"), "table": ("csv", "md", "tex")}


def build_report(
    run: RunFolder, wider: Sequence[RunFolder] = (), ledger: RunFolder | None = None
) -> Path:
    """Write `report.html` in the run folder, `gallery.html` beside it, and return the first's path.

    Args:
        run: the run; its sidecars, records, recorded scalars, executed notebooks, parameters and
            ledger (of a published run: its manifest) are read, and the project's blind readings.
        wider: published runs of the same kind; what they read from their pictures is shown too.
        ledger: a run whose claims were judged over several seeds, to stand beside one seed's.

    One file without scripts or outside resources; all text is escaped; what is not there is shown
    as missing. The same run folder always gives the same bytes.

    Raises:
        DataError: a sidecar, ledger or notebook is there but cannot be read.
    """
    made = _made(run)
    sidecars = sorted([*run.figures.glob("*.json"), *run.tables.glob("*.json")])
    items = [_item(run, path) for path in sidecars]
    recorded, values = scalars(run), made.settings.get("values", {})
    names = {*recorded, *made.states, *(item["notebook"] for item in items)}
    names |= {path.stem for path in run.notebooks.glob("*.ipynb")}
    referee = values.get("judge") == "referee"
    sections = [
        _section(run, name, items, recorded.get(name, {}), _object(made.states.get(name)))
        | {"readers": said_in(name, run) if referee else ""}
        for name in sorted(names - {BUILDER})
    ]
    claims = main_claims(run)
    page = template("report/report").render(
        run=run.root.name,
        example=example_of_run(run, values),
        outcomes=what_came_out(run, claims, items),
        claims=by_claim(claims),
        parts=arranged(sections),
        all_claims=ALL_CLAIMS,
        ledger=ledger_table(run, ledger, _same_world(values, ledger)),
        params=_params(made.settings),
        campaign=COLUMNS,
        reliability=rows_beside(run.root),
        versions=made.versions,
        compared=_compared(items),
        wider=[_published(other, run) for other in wider],
        gallery=GALLERY,
    )
    build_gallery(run, [item for item in items if item["kind"] == "figure"], REPORT)
    return write_text(run.root / REPORT, page)


class _Made(NamedTuple):
    """How a run was made: what became of its notebooks, parameters, versions."""

    states: dict[str, Any]
    settings: dict[str, Any]
    versions: list[tuple[str, str]]


def _made(run: RunFolder) -> _Made:
    """From the runner's own notes; where a run is published without them, from its manifest."""
    states, settings = (_json(run.work / f"{name}.json") for name in ("ledger", "params"))
    manifest = _json(run.root / MANIFEST)
    if manifest and not settings:
        known = {name: str(version) for name, version in manifest["versions"].items()}
        return _Made(manifest["notebooks"], {"values": manifest["parameters"]}, [*known.items()])
    versions = [("python", platform.python_version()), *map(_version, PACKAGES)]
    return _Made(states, settings, [*versions, ("arithmetic", _arithmetic(settings))])


def _same_world(values: dict[str, Any], ledger: RunFolder | None) -> bool:
    """Whether both runs had the same teacher."""
    if ledger is None:
        return False
    theirs = _json(ledger.root / MANIFEST).get("parameters", {})
    return "teacher" in values and values["teacher"] == theirs.get("teacher")


def _published(other: RunFolder, run: RunFolder) -> dict[str, Any]:
    """Name, link and readings of another run."""
    notes = sorted([*other.figures.glob("*.json"), *other.tables.glob("*.json")])
    report = os.path.relpath(other.root / REPORT, run.root)
    compared = _compared([_json(path) | {"anchor": None} for path in notes])
    return {"name": other.root.name, "report": Path(report).as_posix(), "compared": compared}


def wider_runs(config: str) -> list[RunFolder]:
    """The published runs whose params files extend this one's, such as english-full for english."""
    files = sorted((project_root() / "params").glob("*.yaml"))
    names = [path.stem for path in files if _extended_by(path) == config]
    folders = [project_root() / "results" / name for name in names]
    return [RunFolder(folder) for folder in folders if (folder / REPORT).is_file()]


def _extended_by(path: Path) -> Any:
    """What a params file extends; of one that cannot be read, which is no matter here, nothing."""
    with suppress(ParameterError):
        content = read_yaml(path)
        return content.get(EXTENDS) if isinstance(content, dict) else None
    return None


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one when the file is not there."""
    return read_object(path) if path.is_file() else {}


def _object(value: Any) -> dict[str, Any]:
    """What a ledger says of a notebook; of another shape than the runner's it says nothing."""
    return value if isinstance(value, dict) else {}


def _item(run: RunFolder, sidecar: Path) -> dict[str, Any]:
    """A sidecar with what the page needs besides: picture, files and which of them exist."""
    note = _json(sidecar)
    lacking = {"kind", "name", "caption", "notebook", "data"} - note.keys()
    if lacking:
        raise DataError(
            f"{sidecar} lacks {', '.join(sorted(lacking))}: run the notebook that writes it again."
        )
    if note["name"].startswith("expectations"):
        note["reading"] = expected_reading(note)
    stem = sidecar.with_suffix("")
    files = [stem.with_name(f"{note['name']}.{kind}") for kind in FILE_KINDS[note["kind"]]]
    told = {key: minus(note[key]) for key in ("paper", "reading") if note.get(key)}
    cells = [[in_print(str(cell)) for cell in row] for row in note.get("rows", [])]
    return {
        **note,
        **told,
        "caption": minus(caption_in_print(note["caption"])),
        "rows": cells,
        "anchor": f"{note['kind']}-{note['name']}",
        "picture": picture(stem) if note["kind"] == "figure" else None,
        "files": [(path.suffix[1:].upper(), _relative(run, path)) for path in files],
        "data": [(name, _relative(run, run.root / name)) for name in note["data"]],
    }


def _compared(items: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What has a reading and the paper's words, and what has one of them, by notebook.

    A figure and its table count once.
    """
    said = [item for item in items if is_main(item)]
    once = {(item["notebook"], item["name"]): item for item in reversed(said)}
    told = [once[key] for key in sorted(once)]
    both = [item for item in told if item.get("paper") and item.get("reading")]
    return {"both": both, "one": [item for item in told if item not in both]}


def _relative(run: RunFolder, path: Path) -> str | None:
    """Path from the report to what is there inside the run folder, else None.

    A record may be named without its ending, as notebooks declare it; a model is a folder.
    """
    if not path.resolve().is_relative_to(run.root.resolve()):
        return None
    found = path if path.exists() else next(iter(sorted(path.parent.glob(f"{path.name}.*"))), None)
    return found.relative_to(run.root).as_posix() if found else None


def _section(
    run: RunFolder, name: str, items: list[dict[str, Any]], recorded: dict[str, Any], entry: Any
) -> dict[str, Any]:
    """One notebook in the report."""
    executed = run.notebooks / f"{name}.ipynb"
    cells = _cells(executed) if executed.is_file() else []
    title, question = _opening(cells, name)
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    made = sorted(  # as the notebook saves them; what it does not name comes last
        (item for item in items if item["notebook"] == name),
        key=lambda item: _saved_at(code, item["name"]),
    )
    state = entry.get("status", "") if isinstance(entry, dict) else ""
    return {
        "name": name,
        "title": title,
        "question": question,
        "executed": _relative(run, executed),
        "state": "" if state == "done" else state,  # else running, failed or killed
        "items": made,
        "recorded": {key: _flat(value) for key, value in sorted(recorded.items())},
    }


def _saved_at(code: str, name: str) -> int:
    """Where a notebook saves a figure or table: its call, else where it first names it, or last."""
    call = re.search(rf'\b(?:figure|table)\(\s*"{re.escape(name)}"', code)
    return call.start() if call else code.find(f'"{name}"') % (len(code) + 1)


def _cells(path: Path) -> list[Any]:
    try:
        read: Any = nbformat.read  # without types
        return list(read(path, as_version=4).cells)
    except (ValueError, nbformat.ValidationError) as error:
        raise DataError(f"{path} is no notebook: run it again.") from error


def _opening(cells: Sequence[Any], name: str) -> tuple[str, str]:
    """Heading, and first paragraph that asks (else the first), of the first text cell."""
    text = next((cell.source for cell in cells if cell.cell_type == "markdown"), "")
    text = re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)  # as XML has it
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    page = ElementTree.fromstring(f"<div>{MarkdownWithMath(renderer=renderer).render(text)}</div>")
    heads = [_plain(element) for element in page if element.tag in ("h1", "h2", "h3")]
    prose = [_plain(element) for element in page if element.tag in ("p", "blockquote")]
    question = next((words for words in prose if "?" in words), prose[0] if prose else "")
    return heads[0] if heads else name, question


def _plain(element: ElementTree.Element) -> str:
    """The text of an element on one line, formulas without their marks."""
    words = " ".join("".join(element.itertext()).split())
    return re.sub(r"\$([^$]*)\$", lambda math: re.sub(r"[{}\\]", "", math[1]), words)


def _params(resolved: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Name, value, origin and meaning of each parameter that can change a result."""
    origins, lines = resolved.get("origins"), []
    for name, value in resolved.get("values", {}).items():
        known = Params.model_fields.get(name)
        extra = known.json_schema_extra if known else None
        if not isinstance(extra, dict) or extra.get("affects_results", True):
            meaning = (known.description if known else None) or ""
            origin = show(None) if origins is None else str(origins.get(name, "default"))
            lines.append((name, _flat(value), origin, meaning))
    return lines


def _version(package: str) -> tuple[str, str]:
    try:
        return package, metadata.version(package)
    except metadata.PackageNotFoundError:
        return package, "not installed"


def _arithmetic(settings: dict[str, Any]) -> str:
    from impossible.models.precision import arithmetic_in_words  # loads torch

    return arithmetic_in_words(settings.get("dtype", "auto"), settings.get("device", "auto"))


def _flat(value: Any) -> str:
    """A JSON value on one line, numbers with up to four decimals."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, (str, int)):
        return str(value) if isinstance(value, int) else show(value)
    if isinstance(value, list) and all(isinstance(each, (int, float, str)) for each in value):
        return ", ".join(map(_flat, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
