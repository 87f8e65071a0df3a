"""The models that a run's parameters name, each loaded on first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impossible.config.params import Params
from impossible.data.digests import package_digest
from impossible.data.io import read_table, write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import TREES

if TYPE_CHECKING:
    from impossible.filtering.constituency_parser import Trees
    from impossible.models.loading import LanguageModel
    from impossible.models.nli import EntailmentCritic
    from impossible.models.sentence_encoder import SentenceEncoder
    from impossible.training.student import Student


class RunModels:
    """The models that a run's parameters name, each loaded on first use. Use `Stage.models`.

    Args:
        run: its own rebuilt models count if the parameters say so.
        params: names of the models, device, arithmetic; noted as read by whoever asks for a model.
        loaded: what is loaded already.
    """

    def __init__(
        self, run: RunFolder, params: Params, loaded: dict[str, Any] | None = None
    ) -> None:
        self._run, self._params = run, params
        self._loaded = {} if loaded is None else loaded

    #: Nothing besides what is read of the parameters.
    fingerprint = None

    def using(self, params: Params) -> RunModels:
        """The same models, noting what is read in these parameters."""
        return RunModels(self._run, params, self._loaded)

    def __getstate__(self) -> dict[str, Any]:
        """To another process go the names only, which loads them there."""
        return {"_run": self._run, "_params": self._params, "_loaded": {}}

    @property
    def _where(self) -> RunFolder | None:
        return self._run if self._params.rebuild_models else None

    def _once(self, kind: str, name: str, load: Callable[[], Any]) -> Any:
        """What is loaded under this name, or what `load` returns."""
        key = f"{kind} {name}"
        if key not in self._loaded:
            self._loaded[key] = load()
        return self._loaded[key]

    @property
    def teacher(self) -> LanguageModel:
        """The language model that writes."""
        return self.teacher_named(self._params.teacher)

    def teacher_named(self, name: str) -> LanguageModel:
        """Another language model, in the teacher's arithmetic."""
        from impossible.models.loading import load_teacher

        place = (self._where, self._params.dtype, self._params.device)
        found: LanguageModel = self._once("teacher", name, lambda: load_teacher(name, *place))
        return found

    @property
    def critic(self) -> EntailmentCritic:
        """The NLI model, ready to judge pairs."""
        from impossible.models.loading import load_critic
        from impossible.models.nli import EntailmentCritic

        params = self._params
        size, label = params.batch_tokens, params.entailment_label
        place = (params.critic, self._where, params.dtype, params.device, label)
        found: EntailmentCritic = self._once(
            "critic", place[0], lambda: EntailmentCritic(load_critic(*place), size, label)
        )
        return found

    @property
    def encoder(self) -> SentenceEncoder | None:
        """The sentence encoder; None if the parameter is "none"."""
        from impossible.evaluation.systems import text_encoder

        params = self._params
        place = (params.encoder, self._where, params.device, params.batch_tokens)
        found: SentenceEncoder | None = self._once(
            "encoder", place[0], lambda: text_encoder(*place)
        )
        return found

    @property
    def parser(self) -> Trees:
        """The constituency parser, with the trees that `store_trees` has written."""
        found: Trees = self._once("parser", self._params.parser, self._trees)
        return found

    def store_trees(self, sentences: Sequence[str]) -> Path:
        """Write `data/trees`, the tree of each sentence, for the notebooks after this one."""
        frame = self.parser.frame(sentences)
        return write_frame(self._run.data("trees"), frame, TREES, self._tree_source)

    @property
    def _tree_source(self) -> dict[str, str]:
        """What trees depend on besides their sentences: those of anything else are not read."""
        return {"parser": self._params.parser, "package": package_digest()}

    def _trees(self) -> Trees:
        from impossible.filtering.constituency_parser import load_parser

        path, known = self._run.data("trees"), {}
        if path.is_file():
            stored = read_table(path, TREES)
            noted = {k.decode(): v.decode() for k, v in (stored.schema.metadata or {}).items()}
            if self._tree_source.items() <= noted.items():
                known = dict(zip(*stored.to_pydict().values(), strict=True))
        return load_parser(self._params.parser, known)

    def student(self, name: str = "", dtype: str = "") -> Student:
        """A student, loaded anew at each call, since training changes it.

        Args:
            name: of one that this run made (`m_para`), or of any model; empty: the base.
            dtype: arithmetic; empty: float32 for the base, which is trained, else the run's.
        """
        from impossible.training.student import load_student

        params = self._params
        dtype = dtype or (params.dtype if name else "float32")
        if name and (self._run.models / name).is_dir():
            params.note([f"models/{name}"])
            return load_student(str(self._run.models / name), self._run, dtype, params.device)
        return load_student(name or params.student_base, self._where, dtype, params.device)
