/** The look of a report: one page that prints and fits on slides; nothing comes from elsewhere. */
export const STYLE = `
:root{--ink:#101828;--soft:#475467;--faint:#98a2b3;--line:#e4e7ec;--paper:#fff;--wash:#f8f9fb;--reference:#b4bcca;--current:#2f5fe0;--drift:#dc4a1e;--drift-wash:#fdf1ec;--good:#12805c;--good-wash:#ecf7f2}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1120px;margin:0 auto;padding:36px 40px 56px;background:var(--paper)}
header{display:flex;justify-content:space-between;align-items:flex-start;gap:24px;margin-bottom:24px}
h1{font-size:30px;line-height:1.15;letter-spacing:-.02em;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:18px;letter-spacing:-.01em;margin:38px 0 4px}
.note{color:var(--soft);margin:0 0 14px;font-size:14px}
.badge{flex:none;padding:8px 16px;border-radius:999px;font-weight:650;white-space:nowrap}
.badge.bad{background:var(--drift-wash);color:var(--drift)}.badge.good{background:var(--good-wash);color:var(--good)}.badge.none{background:var(--wash);color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(225px,1fr));gap:14px;margin:0}
.facts div{border:1px solid var(--line);border-radius:12px;padding:14px 16px}
.facts dt{color:var(--soft);font-size:13px}.facts dd{margin:2px 0 0;font-size:25px;font-weight:650;letter-spacing:-.02em;line-height:1.2}
.facts small{display:block;font-size:12.5px;font-weight:400;color:var(--soft);letter-spacing:0;margin-top:2px}
.bad-text{color:var(--drift)}.good-text{color:var(--good)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:16px}
.card{border:1px solid var(--line);border-radius:12px;padding:14px 16px 8px;break-inside:avoid;min-width:0}
.card.drifted{border-color:#f2c3b2;box-shadow:inset 3px 0 0 var(--drift)}
.card h3{margin:0;font-size:15px;overflow-wrap:anywhere}.card p{margin:0 0 6px;font-size:13px;color:var(--soft)}
.card b{color:var(--ink)}.card.drifted b{color:var(--drift)}
.legend{display:flex;gap:18px;font-size:13px;color:var(--soft);margin:0 0 12px}.legend span::before{content:"";display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.legend .r::before{background:var(--reference)}.legend .c::before{background:var(--current)}.legend .d::before{background:var(--drift)}
svg{display:block;width:100%;height:auto}
svg text{font-family:inherit}.axis{fill:var(--soft);font-size:11px}.histogram .axis{font-size:9.5px}
.reference{fill:var(--reference)}.current{fill:var(--current)}.card.drifted .current{fill:var(--drift)}.hover{fill:transparent}
.base{stroke:var(--faint);stroke-width:1}.grid{stroke:var(--line);stroke-width:1}
.series{fill:none;stroke:var(--current);stroke-width:2.5;stroke-linejoin:round}.estimate{fill:none;stroke:var(--current);stroke-width:1.5;stroke-dasharray:3 4;opacity:.7}
.point{fill:var(--current)}.bad{fill:var(--drift)}.good{fill:var(--good)}.neutral{fill:var(--faint)}.estimate-point{fill:var(--paper);stroke:var(--current);stroke-width:1.5}
.judged{stroke:var(--faint);stroke-dasharray:6 4;fill:none}.limit{stroke:var(--drift);stroke-dasharray:6 4;fill:none}.version{stroke:var(--faint);stroke-dasharray:2 3}.limit-label{font-size:11px}text.judged{fill:var(--soft);stroke:none}text.limit{fill:var(--drift);stroke:none}
.coverage-all{fill:var(--line)}.coverage{fill:#8fa9ee}.drifted{fill:var(--drift)}.calm{fill:var(--reference)}
table{border-collapse:collapse;width:100%;font-size:13.5px;margin-top:10px}th{text-align:left;color:var(--soft);font-weight:500;padding:6px 10px 6px 0;border-bottom:1px solid var(--line)}
td{padding:7px 10px 7px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}td.n{white-space:nowrap;font-variant-numeric:tabular-nums}
.kind{display:inline-block;white-space:nowrap;padding:1px 8px;border-radius:6px;background:var(--wash);border:1px solid var(--line);font-size:12px;color:var(--soft)}
.bar{display:inline-block;width:120px;height:8px;border-radius:4px;background:var(--line);position:relative;vertical-align:1px}.bar i{position:absolute;left:0;top:0;bottom:0;border-radius:4px;background:var(--reference)}.bar u{position:absolute;top:-3px;bottom:-3px;width:2px;background:var(--soft)}
details summary{cursor:pointer;color:var(--soft);font-size:14px;margin:12px 0}.empty{color:var(--soft);padding:16px;border:1px dashed var(--line);border-radius:12px}
.split{display:grid;grid-template-columns:minmax(220px,280px) 1fr;gap:28px;align-items:start}.split figure{margin:0}figcaption{font-size:12.5px;color:var(--soft)}.frame{fill:none;stroke:var(--line)}.series.thin{stroke-width:1.5}.range{stroke:var(--current);stroke-width:5;opacity:.16}
.chips{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 14px}.chip{border:1px solid var(--line);border-radius:999px;padding:3px 12px;font-size:13px;color:var(--soft)}.chip b{color:var(--ink)}
footer{margin-top:36px;color:var(--faint);font-size:12.5px}
@media (max-width:720px){.split{grid-template-columns:1fr}main{padding:24px 18px}header{flex-direction:column}}
@media print{body{background:#fff}main{max-width:none;padding:0}details>*{display:block}}
`;
