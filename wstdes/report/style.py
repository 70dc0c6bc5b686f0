"""How the page looks, on a screen and on paper."""

from __future__ import annotations

__all__ = ["CSS"]

CSS = """
:root { color-scheme: light; --ink: #1f2933; --faint: #5a6673; --line: #d9dee3; --soft: #f5f7f9;
  --accent: #0072b2; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0 auto; max-width: 1180px; padding: 24px 32px 64px; color: var(--ink);
  background: #fff; font: 16px/1.5 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
header h1 { margin: 0; font-size: 30px; line-height: 1.2; }
header .kind { margin: 0; color: var(--faint); }
h2 { margin: 48px 0 8px; padding-top: 14px; border-top: 2px solid var(--ink); font-size: 23px; }
h3 { margin: 0 0 10px; font-size: 18px; line-height: 1.35; }
section > p, figcaption, li { max-width: 92ch; }
a { color: var(--accent); }
nav { margin: 20px 0 0; }
nav ol { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; padding: 0; list-style: none; }
.banner { margin: 20px 0 0; padding: 12px 16px; border: 2px solid #d55e00; border-radius: 6px;
  background: #fdf0e6; font-weight: 600; }
.nothing { padding: 10px 16px; border-left: 4px solid var(--line); background: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; }
.card { padding: 14px 16px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--soft); }
.card p { margin: 0; font-size: 14px; line-height: 1.4; color: var(--faint); }
.card .number { color: var(--ink); font-size: 30px; font-weight: 650; line-height: 1.25;
  white-space: nowrap; }
.card .unit { font-size: 17px; font-weight: 400; }
figure { margin: 26px 0 40px; }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { font-family: system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif
  !important; }
figcaption { margin-top: 6px; color: var(--faint); font-size: 15px; }
details { margin-top: 8px; font-size: 14px; }
summary { color: var(--accent); cursor: pointer; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 12px 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 10px 0; font-size: 14px; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { color: var(--faint); font-weight: 600; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
table.small { font-size: 13px; }
@media (max-width: 900px) { .cards { grid-template-columns: repeat(2, 1fr); } }
@media print {
  @page { size: A4; margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  figure, .card, tr { break-inside: avoid; }
  figure { margin: 12px 0 18px; }
  details.data { display: none; }
  figcaption { font-size: 9pt; }
  h3 { font-size: 12pt; }
  .card .number { font-size: 20px; white-space: normal; }
  .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
