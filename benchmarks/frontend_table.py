"""What `frontend.py` has measured, kept line by line, and its table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SNRS_DB = (5.0, 10.0, 15.0)
MADE_WORSE = 0.1
"""Lower by so much, a clip has become worse to DNSMOS."""

Found = dict[str, Any]


class Ledger:
    """Measurements, one line of JSON each; what is there is not measured again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.found: dict[tuple[str, str], Found] = {}
        for line in lines:
            one = json.loads(line)
            self.found[one["row"], one["id"]] = one

    def measure(self, row: str, identity: str, work: Callable[[], Found]) -> Found:
        key = (row, identity)
        if key not in self.found:
            self.found[key] = {"row": row, "id": identity, **work()}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.found[key]) + "\n")
        return self.found[key]

    def row(self, name: str) -> list[Found]:
        return [one for (row, _), one in self.found.items() if row == name]


def table(ledger: Ledger) -> Iterator[str]:
    """The figures with what they must reach, as Markdown."""
    yield "| figure | value | must | aim |"
    yield "|---|---|---|---|"
    for one in (*_sound_rows(ledger.row("sound")), *_other_rows(ledger)):
        yield f"| {' | '.join(one)} |"


def _sound_rows(found: Sequence[Found]) -> Iterator[tuple[str, str, str, str]]:
    if not found:
        return

    def factor(name: str) -> float:
        used = [one[name] / one["duration_s"] for one in found if one.get(name) is not None]
        return float(np.median(used)) if used else math.nan

    peer, gate, default = (factor(f"{name}_s") for name in ("peer", "gate", "default"))
    yield f"real-time factor of the published pipeline, {len(found)} clips", f"{peer:.4f}", "", ""
    yield "throughput against it, with the gate", f"{peer / gate:.2f} × ({gate:.4f})", "≥ 2 ×", "≥ 4 ×"
    yield "throughput against it, with the default", f"{peer / default:.2f} × ({default:.4f})", "reported", ""
    for snr_db in SNRS_DB:
        at = [one for one in found if one["snr_db"] == snr_db]
        if not at:
            continue
        gains = {
            name: np.mean([one[name] - one["raw"] for one in at]) if name in at[0] else math.nan
            for name in ("default", "gate", "peer", "reference")
        }
        refused = sum(one["default_refused"] for one in at) / len(at)
        yield (
            f"DNSMOS gain at {snr_db:g} dB ({len(at)} clips, raw {np.mean([one['raw'] for one in at]):.2f})",
            f"{gains['default']:+.2f} (gate {gains['gate']:+.2f}, published {gains['peer']:+.2f}, "
            f"clean {gains['reference']:+.2f})",
            "≥ +0.7, ≥ published" if snr_db == 10.0 else "≥ published",
            "≥ +1.0" if snr_db == 10.0 else "",
        )
        yield f"refused at {snr_db:g} dB", f"{refused:.1%}", "" if snr_db == SNRS_DB[0] else "≤ 5 %", "0"
        for name in ("default", "gate"):
            changes = [one[f"{name}_si_sdr"] for one in at if f"{name}_si_sdr" in one]
            if changes:
                must = ("≥ 0 dB", "≥ +3 dB") if snr_db == 15.0 and name == "default" else ("", "")
                yield (f"SI-SDR change at {snr_db:g} dB, {name}", f"{np.mean(changes):+.1f} dB", *must)
    for name in ("default", "gate"):
        losses = [one[f"{name}_fricatives"] for one in found if not math.isnan(one.get(f"{name}_fricatives", math.nan))]
        if losses:
            # By the share of energy kept: the decibels of one clip whose only fricative is gone have no bound.
            lost_db = -10.0 * math.log10(np.mean(10.0 ** (-np.array(losses) / 10.0)))
            value = f"{lost_db:.1f} dB (median of clips {np.median(losses):.1f}, mean {np.mean(losses):.1f})"
            yield f"fricatives, 4 to 8 kHz, lost, {name}", value, "≤ 3 dB", "≤ 1 dB"
    levels = [level for one in found for level in one["default_lufs"]]
    if levels:
        share = np.mean([abs(level + 17.0) <= 1.0 for level in levels])
        yield f"loudness -17 ± 1 LUFS, {len(levels)} utterances", f"{share:.1%}", "≥ 99 %", ""


def _other_rows(ledger: Ledger) -> Iterator[tuple[str, str, str, str]]:
    words = ledger.row("words")
    for snr_db in SNRS_DB[:2]:
        at = [one for one in words if one["snr_db"] == snr_db]
        if at:
            before, after, units = (sum(one[name] for one in at) for name in ("before", "after", "units"))
            ratio = after / before if before else math.nan
            yield (
                f"words misheard at {snr_db:g} dB, {units} words",
                f"{before / units:.1%} before, {after / units:.1%} after: {ratio:.2f} ×",
                "≤ 1.1 ×",
                "≤ 1.0 ×",
            )
    for row, what in (("snr of recordings", "recordings"), ("snr", "single sentences")):
        found = ledger.row(row)
        for name, how in (("refined_error_db", "default"), ("error_db", "with the gate")) if found else ():
            errors = np.abs([one[name] for one in found])
            yield (
                f"SNR error, {len(found)} {what} of {np.median([one['duration_s'] for one in found]):.0f} s, {how}",
                f"{np.median(errors):.1f} dB median, {np.quantile(errors, 0.95):.1f} dB at 95 %",
                "≤ 2, ≤ 4 dB",
                "",
            )
    if found := ledger.row("clean"):
        changes = np.array([one["after"] - one["before"] for one in found])
        yield (
            f"clean files made worse, {len(found)} clips",
            f"{np.mean(changes < -MADE_WORSE):.1%} (mean {changes.mean():+.2f}, worst {changes.min():+.2f})",
            "< 2 %",
            "0",
        )
        # The judge's score moves, either way, when silence at an end goes.
        control = np.array([one["shaved"] - one["before"] for one in found if "shaved" in one])
        if len(control):
            yield (
                f"worse by nothing but 0.1 s less at both ends, {len(control)} clips",
                f"{np.mean(control < -MADE_WORSE):.1%} (spread {control.std():.2f}, worst {control.min():+.2f})",
                "",
                "",
            )
        worse = [one for one in found if "turned_after" in one]
        if worse:
            by_cut = sum(one["cut"] < one["before"] - MADE_WORSE for one in worse)
            still = sum(one["turned_after"] < one["turned_before"] - MADE_WORSE for one in worse)
            yield f"of these {len(worse)}: by cutting alone; wherever the judge begins", f"{by_cut}; {still}", "", ""
    for one in ledger.row("batch"):
        hours = one["first_s"] / one["clips"] * 10_000 / 3600
        yield f"10,000 clips of 5 s, 2 processes, from {one['clips']}", f"{hours:.2f} h", "< 2 h", "< 0.83 h"
        yield "second run", f"{one['first_s'] / one['second_s']:.0f} × faster", "≥ 10 ×", ""
    if found := ledger.row("clone"):
        cases = {case: [one for one in found if one["id"].endswith(f" {case}")] for case in ("raw", "cleaned", "clean")}
        likeness = {case: np.mean([one["similarity"] for one in of]) if of else math.nan for case, of in cases.items()}
        misheard = {
            case: sum(one["errors"] for one in of) / max(1, sum(one["units"] for one in of))
            for case, of in cases.items()
        }
        people = f"{len(cases['cleaned'])} people, {sum(one['units'] for one in cases['cleaned'])} words"
        for name, value in (("similarity", likeness), ("words misheard", misheard)):
            yield (
                f"clone of a 10 dB minute, {people}: {name}",
                f"raw {value['raw']:.3f}, cleaned {value['cleaned']:.3f}, of the clean one {value['clean']:.3f}",
                "better",
                "within 5 % of the clean one's",
            )
    if found := ledger.row("fuzz"):
        counts: dict[str, int] = {}
        for one in found:
            for name, count in one["counts"].items():
                counts[name] = counts.get(name, 0) + count
        wrong = {name: count for name, count in counts.items() if name not in ("used", "refused")}
        half = sum(one["half_written"] for one in found)
        yield (
            f"damaged files, {sum(counts.values())}",
            f"{wrong or 'no crash, no hang'}, {half} half-written ({counts.get('used', 0)} could be used)",
            "0",
            "",
        )
