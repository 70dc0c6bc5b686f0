"""How a run was made."""

from __future__ import annotations

from wstdes.report.table import html_table
from wstdes.report.text import escape
from wstdes.report.view import View

__all__ = ["made"]

WORDS = {
    "wstdes": "Version of wstdes", "git_revision": "Revision of its source",
    "status": "Status", "scenario_digest": "Digest of the scenario (SHA-256)", "seed": "Seed",
    "start_utc": "Begin (UTC)", "seconds": "Wall-clock time [s]", "python": "Python",
    "iers_table": "Earth orientation",
}  # fmt: skip


def made(view: View) -> str:
    """What is needed to make the run again, and whom to thank."""
    manifest = view.run.manifest
    facts = [(word, manifest[key]) for key, word in WORDS.items() if manifest.get(key) is not None]
    facts.append(("Directory", view.run.folder.name))
    terms = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts)
    packages = manifest.get("packages", {})
    used = html_table(["package", "version"], [[n, v or ""] for n, v in packages.items()], "small")
    files = "".join(f"<li>{escape(f)}</li>" for f in manifest.get("files", ()))
    credits = "".join(f"<li>{escape(c)}</li>" for c in manifest.get("credits", ()))
    return (
        f"<dl>{terms}</dl>"
        f"<details><summary>Packages and scenario files</summary>{used}<ul>{files}</ul></details>"
        f"<h3>Credits</h3><ul>{credits or '<li>None recorded.</li>'}</ul>"
    )
