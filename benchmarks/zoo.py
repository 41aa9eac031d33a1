"""Is heapdiff right about real leaks in published packages? The zoo of cases in, a table of verdicts out.

``python -m benchmarks.zoo --cases anyio-runvars --zoo FOLDER --fixed --peers``. Each case is a folder with
``workload.py``, ``truth.toml`` and the requirements of an environment of its own, which is made once under
``build/zoo``. The README of the zoo says how a case is judged; this is that, word for word.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.table import Table, as_markdown, as_text

__all__ = ["USUAL_ZOO", "Case", "Judgement", "answer_of", "has_fix", "judge", "main", "read_cases"]

_ROOT = Path(__file__).resolve().parent.parent
USUAL_ZOO = _ROOT.parent / "shared" / "zoo"
_BUILD = _ROOT / "build" / "zoo"
_FIRST = 3  # growers among which a type of the truth must be
_LEAST_VERDICTS = 0.8  # of the leaks whose verdict must be right
_TIMEOUT = 900  # seconds for one case
_PEERS = ("pympler", "objgraph", "guppy3")


@attrs.frozen
class Case:
    """A folder of the zoo and the truth about it."""

    name: str
    folder: Path
    is_leak: bool
    types: frozenset[str]
    holder_words: tuple[str, ...]
    verdicts: frozenset[str]
    rounds: int
    python: str
    is_fixed: bool = False  # the version that must come out clean
    residue: str = ""  # what, as the truth says, still grows in the fixed version

    @property
    def requirements(self) -> Path:
        """What its environment is made from."""
        return self.folder / ("requirements-fixed.txt" if self.is_fixed else "requirements.txt")


@attrs.frozen
class Judgement:
    """How far an answer is right; None is not asked."""

    type_right: bool | None = None
    holder_right: bool | None = None
    verdict_right: bool | None = None
    two_type_right: bool | None = None
    two_holder_right: bool | None = None
    accused: str = ""  # rule and type with which a healthy program is called a leak
    said: str = ""  # the first grower's type and rule
    seconds: float | None = None
    error: str = ""

    @property
    def is_right(self) -> bool:
        """Whether nothing is missed but, perhaps, the verdict, of which most must be right."""
        asked = (self.type_right, self.holder_right, self.two_type_right, self.two_holder_right)
        return not self.error and not self.accused and False not in asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the cases and prints the table; 1 when a requirement is missed."""
    options = _options(arguments)
    if options.zoo is None:
        print("There is no zoo beside this project; say where it is: --zoo FOLDER", file=sys.stderr)
        return 2
    cases = read_cases(options.zoo, options.cases)
    if options.fixed:
        cases += [attrs.evolve(case, is_fixed=True, is_leak=False) for case in cases if has_fix(case)]
    judgements, peers = [], {}
    for place, case in enumerate(cases, start=1):
        _progress(f"{place}/{len(cases)} {case.name}{' fixed' if case.is_fixed else ''}")
        judgements.append(_run(case, options.python, options.keep))
        if options.peers and not case.is_fixed:
            for peer in _PEERS:
                _progress(f"{place}/{len(cases)} {case.name} {peer}")
                peers[case.name, peer] = _run_peer(case, peer, options.python)
    _progress("")
    found = [_table(cases, judgements)]
    if options.peers:
        found.append(_peer_table([c for c in cases if c.is_leak], dict(zip(cases, judgements, strict=True)), peers))
    print(as_markdown(found) if options.markdown else as_text(found))
    for case, judgement in zip(cases, judgements, strict=True):
        if judgement.error:
            print(f"\n{case.name}: {judgement.error}", file=sys.stderr)
    return int(not _is_passed(cases, judgements))


def read_cases(zoo: Path, names: Sequence[str] = ()) -> list[Case]:
    """The cases of a folder, all or those of these names.

    Raises:
        FileNotFoundError: There is no case of such a name.
    """
    folders = [zoo / name for name in names] or sorted(path.parent for path in zoo.glob("*/truth.toml"))
    return [_read_case(folder) for folder in folders]


def judge(case: Case, report: dict[str, Any], two: dict[str, Any]) -> Judgement:
    """The report over all snapshots, and that over base and last alone, held against the truth."""
    growers = report["growers"]
    first = next(iter(growers), None)
    said = f"{first['type']}: {first['verdict']['rule']}" if first and first["verdict"] else ""
    if not case.is_leak:
        accused = [_accusation(grower) for each in (report, two) for grower in each["growers"] if _is_leak(grower)]
        if case.is_fixed and case.residue:
            return Judgement(said=f"{said} (known to remain)")
        return Judgement(accused=", ".join(dict.fromkeys(accused)), said=said)
    rules = {grower["verdict"]["rule"] for grower in growers if _is_leak(grower)}
    return Judgement(
        type_right=_has_type(case, growers),
        holder_right=_has_holder(case, report),
        verdict_right=bool(rules & case.verdicts),
        two_type_right=_has_type(case, two["growers"]),
        two_holder_right=_has_holder(case, two),
        said=said,
    )


def _has_type(case: Case, growers: Sequence[dict[str, Any]]) -> bool:
    return any(grower["type"] in case.types for grower in growers[:_FIRST])


def _has_holder(case: Case, report: dict[str, Any]) -> bool:
    """Whether all words stand in one grower's holders, chain or verdict, or in the process part."""
    parts = [(g["holders"], g["chain"], g["verdict"]) for g in report["growers"]]
    texts = [json.dumps(part, ensure_ascii=False) for part in (*parts, report["process"])]
    return any(all(word in text for word in case.holder_words) for text in texts)


def _is_leak(grower: dict[str, Any]) -> bool:
    return grower["verdict"] is not None and grower["verdict"]["kind"] == "leak"


def _accusation(grower: dict[str, Any]) -> str:
    return f"{grower['type']}: {grower['verdict']['rule']}"


def _read_case(folder: Path) -> Case:
    truth = tomllib.loads((folder / "truth.toml").read_text(encoding="utf-8"))
    return Case(
        name=folder.name,
        folder=folder,
        is_leak=truth["kind"] == "leak",
        types=frozenset(truth.get("growth_per_step", ())),
        holder_words=tuple(truth.get("holder_words", ())),
        verdicts=frozenset(truth.get("verdicts", ())),
        rounds=truth.get("run", {}).get("rounds", 3),
        python=truth.get("python", "3.11"),
        residue=truth.get("fixed_version_residual_growth", ""),
    )


def has_fix(case: Case) -> bool:
    """Whether the zoo says which version no longer leaks."""
    return case.is_leak and (case.folder / "requirements-fixed.txt").exists()


def _is_passed(cases: Sequence[Case], judgements: Sequence[Judgement]) -> bool:
    verdicts = [j.verdict_right for c, j in zip(cases, judgements, strict=True) if c.is_leak]
    return all(j.is_right for j in judgements) and sum(map(bool, verdicts)) >= _LEAST_VERDICTS * len(verdicts)


# Running


def _run(case: Case, python: str | None, keep: Path | None) -> Judgement:
    start = time.monotonic()
    answer = answer_of(case, python, ["benchmarks.zoo_run"], {})
    if "error" in answer:
        return Judgement(error=answer["error"])
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        stem = f"{case.name}{'-fixed' if case.is_fixed else ''}"
        (keep / f"{stem}.json").write_text(json.dumps(answer, ensure_ascii=False, indent=1), encoding="utf-8")
        (keep / f"{stem}.txt").write_text(f"{answer['text']}\n\n{answer['text_of_two']}", encoding="utf-8")
    return attrs.evolve(judge(case, answer["report"], answer["two"]), seconds=time.monotonic() - start)


def _run_peer(case: Case, peer: str, python: str | None) -> Judgement:
    peers = _BUILD / f"peers-{case.python}"
    if not (peers / "ready").exists():
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(peers)]
        subprocess.run([_interpreter(case, python), *install, "--no-deps", *_PEERS], check=True)
        (peers / "ready").touch()
    start = time.monotonic()
    answer = answer_of(case, python, ["benchmarks.zoo_peers", peer], {"PYTHONPATH": f"{_ROOT}{os.pathsep}{peers}"})
    if "error" in answer:
        return Judgement(error=answer["error"])
    return Judgement(
        type_right=bool(case.types & set(answer["types"][:_FIRST])),
        holder_right=all(word in answer["text"] for word in case.holder_words),
        seconds=time.monotonic() - start,
    )


def answer_of(case: Case, python: str | None, module: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """What the module answers on the case, in the environment of the case."""
    out = _BUILD / f"answer-{os.getpid()}.json"
    try:
        interpreter = _environment(case, python)
        name, *more = module
        result = subprocess.run(
            [str(interpreter), "-P", "-m", name, str(case.folder.resolve()), str(case.rounds), *more, str(out)],
            env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if not out.exists():
            return {"error": f"the run ended with {result.returncode}\n{result.stderr[-2000:]}"}
        answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return answer
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError, FileNotFoundError) as error:
        return {"error": str(error)}
    finally:
        out.unlink(missing_ok=True)


def _environment(case: Case, python: str | None) -> Path:
    """The interpreter of the case's own environment, which is made where it is not there yet."""
    digest = hashlib.sha256(f"{case.python}\n".encode() + case.requirements.read_bytes()).hexdigest()[:10]
    folder = _BUILD / f"{case.name}-{digest}"
    interpreter = folder / "bin" / "python"
    if (folder / "ready").exists():
        return interpreter
    subprocess.run([_interpreter(case, python), "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(case.requirements), "attrs"], check=True, stdout=sys.stderr)
    (folder / "ready").touch()
    return interpreter


def _interpreter(case: Case, python: str | None) -> str:
    """A Python of the version the truth names: the one that was given, this one, or one on PATH."""
    if python is not None:
        return python
    if f"{sys.version_info.major}.{sys.version_info.minor}" == case.python:
        return sys.executable
    found = shutil.which(f"python{case.python}")
    if found is None:
        raise FileNotFoundError(f"{case.name} needs python{case.python}, which is not on PATH; say where: --python")
    return found


# The tables


def _table(cases: Sequence[Case], judgements: Sequence[Judgement]) -> Table:
    header = ("case", "first grower and rule", "type", "holder", "verdict", "two: type", "two: holder", "seconds")
    rows = [
        (
            case.name + (" fixed" if case.is_fixed else ""),
            _shortened(judgement.accused or judgement.error.partition("\n")[0] or judgement.said or "nothing grew"),
            _mark(judgement.type_right),
            _mark(judgement.holder_right),
            _mark(judgement.verdict_right) if case.is_leak else _mark(not judgement.accused and not judgement.error),
            _mark(judgement.two_type_right),
            _mark(judgement.two_holder_right),
            f"{judgement.seconds:.1f}" if judgement.seconds is not None else "not measured",
        )
        for case, judgement in zip(cases, judgements, strict=True)
    ]
    leaks = [j for c, j in zip(cases, judgements, strict=True) if c.is_leak]
    healthy = [j for c, j in zip(cases, judgements, strict=True) if not c.is_leak]
    note = (
        f"Leaks: type right in {sum(bool(j.type_right) for j in leaks)}, holder in "
        f"{sum(bool(j.holder_right) for j in leaks)}, verdict in {sum(bool(j.verdict_right) for j in leaks)} of "
        f"{len(leaks)}; with two snapshots type in {sum(bool(j.two_type_right) for j in leaks)}, holder in "
        f"{sum(bool(j.two_holder_right) for j in leaks)}. Healthy or fixed: {sum(bool(j.accused) for j in healthy)} "
        f"of {len(healthy)} accused."
    )
    return Table("The zoo", note, header, tuple(rows))


def _peer_table(cases: Sequence[Case], ours: dict[Case, Judgement], peers: dict[tuple[str, str], Judgement]) -> Table:
    def cell(judgement: Judgement) -> str:
        if judgement.error:
            return "failed"
        return f"{_mark(judgement.type_right)} / {_mark(judgement.holder_right)}"

    rows = [(case.name, "", cell(ours[case]), *(cell(peers[case.name, peer]) for peer in _PEERS)) for case in cases]
    scores = [[ours[case] for case in cases], *([peers[case.name, peer] for case in cases] for peer in _PEERS)]
    totals = [
        f"{sum(bool(j.type_right) for j in score)} / {sum(bool(j.holder_right) for j in score)}" for score in scores
    ]
    note = "Type among the first three growers / every word of the holder in what it prints. Peers give no verdict."
    header = ("leak", "", "heapdiff", *_PEERS)
    return Table("The zoo, beside the peers", note, header, (*rows, (f"of {len(cases)}", "", *totals)))


def _mark(right: bool | None) -> str:
    return {True: "right", False: "WRONG", None: "-"}[right]


def _shortened(text: str, room: int = 70) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", default=(), metavar="CASE", help="names of folders; all where none")
    parser.add_argument("--zoo", type=Path, default=USUAL_ZOO if USUAL_ZOO.is_dir() else None, help="its folder")
    parser.add_argument("--fixed", action="store_true", help="the fixed versions too, which must come out clean")
    parser.add_argument("--peers", action="store_true", help="pympler, objgraph and guppy3 on the same cases")
    parser.add_argument("--python", help="the interpreter for the environments; its extension must be built")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write every report there, as JSON and text")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
