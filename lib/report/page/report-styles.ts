/** The style sheet of a report: light, dark and A4. It loads nothing. */
export const STYLES = `
:root{color-scheme:light dark;--paper:#fff;--panel:#f7f8f9;--ink:#1b2126;--muted:#59636c;--rule:#c9d0d6;--grid:#e9ecef;--accent:#1f6aa5;
--ok:#1f77a8;--background:#8a939b;--outside:#8a5cc2;--doubt:#b5760b;--failed:#c2312c;--other:#3f8f5b;--good:#1d7044;--bad:#b3261e}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14181c;--panel:#1b2126;--ink:#e4e8eb;--muted:#a2adb7;--rule:#434d56;--grid:#262e35;--accent:#6db3ea;
--ok:#5fb0e0;--background:#8d98a2;--outside:#b796ea;--doubt:#e0a63c;--failed:#f0716a;--other:#78c794;--good:#7bcf9d;--bad:#f58b84}}
*{box-sizing:border-box}
html{font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;background:var(--paper);color:var(--ink);
font-variant-numeric:tabular-nums lining-nums;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1040px;padding:32px 28px 56px}
h1{font-size:23px;line-height:1.2;font-weight:650;letter-spacing:-.012em;margin:0;overflow-wrap:anywhere}
h2{font-size:15px;font-weight:650;margin:0 0 10px;padding-top:9px;border-top:1.5px solid var(--ink)}
h3{font-size:12.5px;font-weight:600;margin:0 0 4px}
p{margin:0 0 8px;max-width:76ch}
section{margin-top:34px}
code,.mono{font:12px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.note{color:var(--muted);font-size:12.5px}
.top{display:flex;gap:16px;align-items:baseline;justify-content:space-between}
.state{flex:none;font-size:12px;font-weight:600;padding:2px 9px;border:1px solid currentColor;border-radius:10px}
.state.good{color:var(--good)}.state.bad{color:var(--bad)}.state.open{color:var(--muted)}
.under{color:var(--muted);margin:5px 0 0}
.alert{border-left:3px solid var(--bad);background:var(--panel);padding:9px 12px;margin:16px 0 0;max-width:none;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(8,auto);justify-content:space-between;gap:14px 18px;margin:22px 0 0;padding:14px 0 0;border-top:1px solid var(--rule)}
.figures div{display:flex;flex-direction:column-reverse}
.figures dt{color:var(--muted);font-size:12px}
.figures dd{margin:0;font-size:20px;line-height:1.2;font-weight:550;letter-spacing:-.01em}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 20px;margin:0}
.facts dt{color:var(--muted)}
.facts dd{margin:0;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px 28px;align-items:start}
figure{margin:0;break-inside:avoid}
figcaption{font-size:12.5px;font-weight:600;margin:0 0 2px}
figcaption span{font-weight:400;color:var(--muted)}
svg{display:block;max-width:100%;height:auto}
.views{display:flex;flex-wrap:wrap;gap:14px 20px;align-items:flex-start}
.views svg{max-width:100%}
table{border-collapse:collapse;width:100%;font-size:12.5px;margin:0 0 4px}
caption{text-align:left;font-weight:600;font-size:12.5px;padding:0 0 4px}
caption span{font-weight:400;color:var(--muted)}
th,td{text-align:left;vertical-align:top;padding:3.5px 14px 3.5px 0;border-bottom:1px solid var(--grid)}
thead th{font-weight:500;color:var(--muted);border-bottom:1px solid var(--rule);vertical-align:bottom}
tbody th{font-weight:400}
td.n,th.n{text-align:right;white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
td.wide,th.wide{overflow-wrap:anywhere;min-width:14em}
.gap{margin-top:18px}
.bar{width:34%;min-width:110px}
.bar svg{width:100%;height:10px;margin-top:4px}
.key{display:inline-block;width:11px;height:11px;margin-right:6px;vertical-align:-1px}
.none{color:var(--muted)}
footer{margin-top:40px;padding-top:10px;border-top:1px solid var(--rule);color:var(--muted);font-size:12px}
@media screen and (max-width:900px){.figures{grid-template-columns:repeat(4,auto)}}
@media screen and (max-width:720px){body{padding:20px 16px 40px}.two{grid-template-columns:minmax(0,1fr)}.facts{grid-template-columns:minmax(0,1fr);gap:0}.facts dd{margin-bottom:6px}.top{flex-direction:column-reverse;gap:8px}}
@page{size:A4;margin:14mm 13mm 15mm}
@media print{html{font-size:11px;print-color-adjust:exact;-webkit-print-color-adjust:exact}body{max-width:none;padding:0}section{margin-top:22px}
h2,h3,caption,figcaption,thead{break-after:avoid}tr,figure,.figures,.alert{break-inside:avoid}thead{display:table-header-group}table,caption,figcaption,.note{font-size:10.5px}
.figures{grid-template-columns:repeat(4,1fr)}.figures dd{font-size:16px}h1{font-size:19px}h2{font-size:13px}code,.mono{font-size:9.5px}.views svg{max-width:31%}.views{flex-wrap:nowrap}.views figure{flex:1 1 0}.views figure svg{max-width:100%}}
`;
