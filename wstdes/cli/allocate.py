"""`wstdes allocate`: which fibre of a field goes to which target."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from wstdes.field.allocation import Allocation

__all__ = ["allocate"]


def allocate(
    catalogue: Annotated[
        Path | None,
        typer.Argument(help="Targets: a FITS, ECSV, VOTable, Parquet or CSV file."),
    ] = None,
    ra: Annotated[
        str | None, typer.Option(help="Of the field's centre: 10h0m, 10:00:00 (hours), 150deg.")
    ] = None,
    dec: Annotated[
        str | None, typer.Option(help="Of the field's centre: -30d, -30:15:00, -30.25deg.")
    ] = None,
    hardware: Annotated[
        str, typer.Option(help="wst-2026, wst-7mm, desi, 4most, pfs, or a YAML file.")
    ] = "wst-2026",
    visits: Annotated[int, typer.Option(help="Visit the field so many times.")] = 1,
    method: Annotated[
        str, typer.Option(help="auto, exact, greedy, flow, cpsat or lagrangian.")
    ] = "auto",
    time_limit: Annotated[
        str | None, typer.Option(help="Of the solving, for each visit: '10 s'.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the assignments: .fits, .ecsv or .parquet (.npz of a problem)."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the focal plane: .png, .svg or .pdf.")
    ] = None,
    rotator: Annotated[
        str, typer.Option(help="Position angle of the focal plane, north through east.")
    ] = "0deg",
    epoch: Annotated[
        float | None, typer.Option(help="Julian year of the visit, for proper motions.")
    ] = None,
    catalogue_epoch: Annotated[
        float, typer.Option(help="Julian year of the catalogue's positions.")
    ] = 2016.0,
    airmass: Annotated[
        float | None, typer.Option(help="Of the visit, for refraction (field in the west).")
    ] = None,
    hour_angle: Annotated[
        str | None, typer.Option(help="Of the visit, instead of the airmass: -2h.")
    ] = None,
    site: Annotated[str, typer.Option(help="For refraction.")] = "paranal-armazones",
    sky: Annotated[
        float | None, typer.Option(help="Share of usable fibres on sky; by default the hardware's.")
    ] = None,
    standards: Annotated[
        float | None, typer.Option(help="Share on standards; by default the hardware's.")
    ] = None,
    broken: Annotated[
        str | None, typer.Option(help="A fraction drawn at random, or a file: a number a line.")
    ] = None,
    stuck: Annotated[str | None, typer.Option(help="The same, for those stuck at home.")] = None,
    separation: Annotated[
        str | None, typer.Option(help="Targets with a fibre are this far apart: 10arcsec.")
    ] = None,
    contrast: Annotated[
        float | None, typer.Option(help="Neighbours on a slit differ by at most this [mag].")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=NAME", help="priority=rank, ra='alpha [hourangle]'; repeated."),
    ] = None,
    mode: Annotated[str, typer.Option(help="LR or HR, of targets without a mode.")] = "LR",
    by_class: Annotated[
        bool, typer.Option("--by-class", help="Column `class` (0 first) before the priority.")
    ] = False,
    quota: Annotated[
        list[str] | None,
        typer.Option(metavar="SURVEY=FRACTION", help="Of the fibres, at least; repeated."),
    ] = None,
    why: Annotated[
        list[str] | None,
        typer.Option(metavar="TARGET_ID", help="Say why this target got no fibre; repeated."),
    ] = None,
    motion: Annotated[
        bool, typer.Option("--motion", help="Plan how all arms get there without a collision.")
    ] = False,
    seed: Annotated[int, typer.Option(help="For what is drawn.")] = 1,
    check: Annotated[
        Path | None, typer.Option(help="Verify a FITS file of assignments; 0 good, 1 bad.")
    ] = None,
    problem: Annotated[
        Path | None, typer.Option(help="Solve a problem made by others (.npz).")
    ] = None,
) -> None:
    """Allocate the fibres of one field, or check a file of assignments.

    CATALOGUE needs right ascension and declination; priority, magnitude, survey, mode (LR or HR),
    purpose (science, standard, sky), visits and proper motion are understood if they are there.
    """
    from wstdes.errors import WstdesError

    given = [name for name, value in _asked(catalogue, check, problem) if value is not None]
    if len(given) != 1:
        wrong = "nothing to do" if not given else f"{given[0]} and {given[1]} together"
        raise WstdesError(f"{wrong}: give a CATALOGUE, or --check FILE, or --problem FILE.npz")
    limit_s = _seconds(time_limit)
    if check is not None:
        _check(check, broken)
        return
    if problem is not None:
        _problem(problem, method, out, limit_s)
        return
    if ra is None or dec is None:
        lacking = " and ".join(o for o, v in (("--ra", ra), ("--dec", dec)) if v is None)
        raise WstdesError(f"the field's centre is missing: give {lacking}, such as --ra 10h0m")
    from wstdes.field.allocate import allocate as allocate_field

    assert catalogue is not None
    _refuse_paths(out, figure)
    _compile()
    _announce(f"Allocating '{catalogue.name}' on {hardware} ...")
    done = allocate_field(
        catalogue, ra=ra, dec=dec, hardware=hardware, rotator=rotator, epoch=epoch,
        catalogue_epoch=catalogue_epoch, airmass=airmass, hour_angle=hour_angle, site=site,
        visits=visits, method=method, time_limit_s=limit_s, sky=sky, standards=standards,
        broken=_fraction_or_file(broken), stuck=_fraction_or_file(stuck),
        separation=separation, contrast=contrast, columns=_columns(column or []), mode=mode,
        use_class=by_class, quotas=_quotas(quota or []), seed=seed,
    )  # fmt: skip
    written = _write(done, out, figure)
    _results(done, written)
    if motion:
        from wstdes.field.motion import plan_field_motion

        for number in range(len(done.visits)):
            for i, text in enumerate(plan_field_motion(done, number).texts()):
                print(f"{'' if i else 'Motion':11s} {text}")
    for identifier in why or []:
        for text in done.why(identifier):
            print(f"Why         {text}")


def _asked(*values: Path | None) -> list[tuple[str, Path | None]]:
    return list(zip(("a CATALOGUE", "--check", "--problem"), values, strict=True))


def _compile() -> None:
    """Compile the solvers before anything is timed; say so if that takes long."""
    from wstdes.allocation.methods import kernels_cached, warm_up

    if not kernels_cached():
        _announce("Compiling (once, about a minute) ...")
    warm_up()


def _announce(text: str) -> None:
    """Say what is going on, to people only."""
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from pydantic_core import PydanticCustomError

    from wstdes.errors import WstdesError
    from wstdes.units import Unit, parse_quantity

    try:
        seconds = parse_quantity(text, Unit("s", "_s", "a time", "10 s"))
    except PydanticCustomError as error:
        raise WstdesError(f"--time-limit: {error.message()}") from None
    if not seconds > 0.0:
        raise WstdesError(f"--time-limit: '{text}' is not a positive time")
    return seconds


def _fraction_or_file(text: str | None) -> float | str | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _columns(pairs: list[str]) -> dict[str, str]:
    from wstdes.errors import WstdesError

    columns = {}
    for pair in pairs:
        part, equals, name = pair.partition("=")
        if not equals:
            raise WstdesError(f"--column: '{pair}' is not PART=NAME, such as priority=rank")
        columns[part.strip()] = name.strip()
    return columns


def _quotas(pairs: list[str]) -> dict[str, float]:
    from wstdes.errors import WstdesError

    quotas = {}
    for pair in pairs:
        name, equals, share = pair.rpartition("=")
        try:
            quotas[name.strip()] = float(share)
        except ValueError:
            equals = ""
        if not equals:
            raise WstdesError(f"--quota: '{pair}' is not SURVEY=FRACTION, such as galaxies=0.3")
    return quotas


def _refuse_paths(out: Path | None, figure: Path | None) -> None:
    """Complain of names of files before the work, not after it."""
    from wstdes.errors import WstdesError

    for option, path, suffixes in (
        ("--out", out, (".fits", ".ecsv", ".parquet")),
        ("--figure", figure, (".png", ".svg", ".pdf")),
    ):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            raise WstdesError(f"{option}: '{path}' must end in {', '.join(suffixes)}")
        if not path.parent.is_dir():
            raise WstdesError(f"{option}: there is no folder '{path.parent}'")


def _write(done: Allocation, out: Path | None, figure: Path | None) -> list[tuple[str, Path]]:
    written = []
    for number in range(len(done.visits)) if out is not None else ():
        assert out is not None
        path = out if len(done.visits) == 1 else out.with_stem(f"{out.stem}-{number + 1}")
        done.write(path, number)
        written.append(("Assignments", path))
    if figure is not None:
        from wstdes.report.focal_plane import draw_focal_plane

        draw_focal_plane(done, figure)
        written.append(("Figure", figure))
    return written


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 110, highlight=False)


def _results(done: Allocation, written: list[tuple[str, Path]]) -> None:
    """Short tables: the fibres, the surveys, how good it is, what limited it."""
    console = _console()
    _fibres(console, done)
    _shares(console, done)
    bound = "proven optimal" if done.gap <= 1e-9 else f"at most {100.0 * done.gap:.3g} % below"
    of = "" if done.plan is None else " of completed targets"
    console.print(
        f"Objective   {done.objective:,.6g}{of}, {bound} (upper bound {done.upper_bound:,.6g}); "
        f"method {done.method}, {done.seconds:.2f} s"
    )
    for i, (reason, number) in enumerate(done.limits().items()):
        console.print(f"{'' if i else 'Limited by':11s} {number:,} {reason}", soft_wrap=True)
    for i, note in enumerate(done.notes):
        console.print(f"{'' if i else 'Note':11s} {note}", soft_wrap=True)
    for name, path in written:
        console.print(f"{name:11s} {path}", soft_wrap=True)
    command = "wstdes" if shutil.which("wstdes") else sys.argv[0]
    files = [path for name, path in written if path.suffix == ".fits"]
    if files:
        console.print(f"Try next    {command} allocate --check {files[0]}", soft_wrap=True)
    else:
        console.print(
            "Try next    the same with --out assignments.fits --figure field.png", soft_wrap=True
        )


def _fibres(console: Console, done: Allocation) -> None:
    from rich.table import Table

    from wstdes.field.allocation import MODES, Use

    some = len(done.visits) > 1
    title = f"{done.hardware.name}: fibres" + (f", {len(done.visits)} visits" if some else "")
    table = Table(title=title, title_justify="left")
    names = (["visit"] if some else []) + ["mode", "usable"] + [use.name.lower() for use in Use]
    for name in names:
        table.add_column(name, justify="left" if name == "mode" else "right")
    for number in range(len(done.visits)):
        for kind, mode in MODES.items():
            uses = done.uses(kind, number)
            if not sum(uses.values()):
                continue
            out = int(((done.broken | done.stuck) & (done.hardware.plane.kind == kind)).sum())
            row = [str(number + 1)] if some else []
            row += [mode, f"{sum(uses.values()) - out:,}", *(f"{c:,}" for c in uses.values())]
            table.add_row(*row)
    console.print(table)


def _shares(console: Console, done: Allocation) -> None:
    from rich.table import Table

    table = Table(title="Science targets in the field", title_justify="left")
    table.add_column("")
    for name in ("wanted", "assigned", "completeness", "finished"):
        table.add_column(name, justify="right")
    groups: list[list[Any]] = [done.by_survey(), done.by_mode(), done.by_class()]
    for group in groups:
        if group is not groups[0] and len(group) < 2:
            continue
        table.add_section()
        for share in group:
            table.add_row(
                share.name, f"{share.wanted:,}", f"{share.assigned:,}",
                f"{100.0 * share.completeness:.1f} %", f"{share.finished:,}",
            )  # fmt: skip
    console.print(table)


def _check(path: Path, broken: str | None) -> None:
    """Verify a file; exit code 1 if a rule is broken."""
    from wstdes.field.check import check_assignment
    from wstdes.field.files import read_assignment
    from wstdes.field.hardware import choose_fibres
    from wstdes.kernel.streams import Streams

    file = read_assignment(path)
    listed = None
    if broken is not None:
        listed = choose_fibres("broken", broken, int(file.fibres["FIBRE"].max()) + 1, Streams(0))
    verdict = check_assignment(file, listed)
    what = ", ".join(f"{number:,} {name}" for name, number in verdict.checked.items())
    print(f"{path}: {'FAILED' if verdict.failures else 'good'} ({what})")
    for text in verdict.failures:
        print(f"  failed: {text}")
    for text in verdict.notes:
        print(f"  note: {text}")
    if verdict.failures:
        raise typer.Exit(1)


def _problem(path: Path, method: str, out: Path | None, limit_s: float | None) -> None:
    """Solve a problem made by others."""
    from wstdes.allocation.methods import solve
    from wstdes.errors import WstdesError
    from wstdes.field.npz import read_problem, small_part, write_result

    if out is not None and out.suffix != ".npz":
        raise WstdesError(f"--out: '{out}' must end in .npz for the result of a problem")
    made = read_problem(path)
    for number, what in (
        (made.repeated, "edges stood there more than once and were merged"),
        (made.unreachable, "edges are out of the arms' reach and were dropped"),
    ):
        if number:
            sys.stderr.write(f"wstdes: {path}: {number:,} {what}\n")
    solve(small_part(made.problem), method=method, time_limit_s=limit_s)  # loads what is compiled
    solution = solve(made.problem, method=method, time_limit_s=limit_s)
    assigned = int((solution.fibre_of_target >= 0).sum())
    print(
        f"{solution.method}: {assigned:,} of {made.problem.n_targets:,} targets on "
        f"{made.problem.n_fibres:,} fibres, objective {solution.objective:.9g}, upper bound "
        f"{solution.upper_bound:.9g}, gap {solution.gap:.3g}, {solution.seconds:.4f} s"
    )
    if out is not None:
        write_result(out, solution)
        print(f"Result      {out}")
