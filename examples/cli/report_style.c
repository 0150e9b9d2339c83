/* SPDX-License-Identifier: MIT */
/* The style sheet of the report: one column, tabular figures, blue for rising and orange for falling (told apart without
 * colour vision), both themes of the reader's system. */
#include "report.h"

const char *const report_style[] = {
    ":root{color-scheme:light "
    "dark;--ink:#1d1f23;--soft:#5c626b;--line:#dcdcd6;--paper:#fcfcfa;--panel:#f3f3ef;"
    "--rise:#1a5f9e;--fall:#a8480c;--third:#6d7278;--rise-rgb:46 124 190;--fall-rgb:214 112 38}\n",
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e3df;--soft:#a2a7ae;--line:#35393f;--paper:#15171a;--"
    "panel:#1e2125;"
    "--rise:#7db8ec;--fall:#f0a36a;--third:#8d939b;--rise-rgb:66 140 205;--fall-rgb:214 120 52}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}\n",
    "body{margin:0 auto;max-width:62rem;padding:2.5rem 1.25rem 4rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.55 system-ui,-apple-system,\"Segoe UI\",\"Helvetica Neue\",Arial,sans-serif}\n",
    "h1,h2,h3{font-family:Charter,\"Bitstream Charter\",\"Iowan Old Style\",Georgia,\"Liberation "
    "Serif\",serif;"
    "font-weight:600;line-height:1.2;text-wrap:balance}\n",
    "h1{font-size:2.3rem;margin:.2rem 0 .8rem}h2{font-size:1.5rem;margin:0 0 "
    ".7rem}h3{font-size:1.1rem;margin:1.6rem 0 .4rem}\n",
    "section{margin-top:3rem;padding-top:1.4rem;border-top:1px solid var(--line)}\n",
    "p{max-width:44rem;margin:.6rem "
    "0}ul{max-width:44rem;padding-left:1.2rem}a{color:inherit;text-decoration-color:var(--soft);"
    "text-underline-offset:.15em}\n",
    "table.shown th small{display:block}dl.facts .long{grid-column:1/-1}\n",
    ".kicker,.small,.note,figcaption,caption,small,footer{color:var(--soft)}.kicker{margin:0;letter-spacing:."
    "03em}\n",
    ".small,figcaption,caption,footer{font-size:.875rem;line-height:1.45}\n",
    ".lede{font-size:1.15rem}.claim{border-left:3px solid var(--rise);padding-left:.9rem}\n",
    "nav{display:flex;flex-wrap:wrap;gap:0 1rem;margin-top:1.4rem;font-size:.9rem;line-height:2}\n",
    "dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.7rem "
    "1.5rem;margin:1.6rem 0 0;"
    "font-size:.9rem}dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere;"
    "font-variant-numeric:tabular-nums}\n",
    "dl.glossary dt{font-weight:600;margin-top:.9rem}dl.glossary dd{margin:.1rem 0 0;max-width:44rem}\n",
    ".scroll{overflow-x:auto;margin:1.2rem 0;max-width:100%}.scroll:focus-visible{outline:2px solid "
    "var(--rise);"
    "outline-offset:2px}\n",
    "table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:min(100%,"
    "26rem)}\n",
    "caption{text-align:left;padding-bottom:.5rem;max-width:min(44rem,100vw - 2rem)}\n",
    "th,td{padding:.28rem "
    ".7rem;text-align:left;vertical-align:baseline;white-space:nowrap}th{font-weight:500}\n",
    "th:first-child,td:first-child{padding-left:0}.n{text-align:right}.mid{text-align:center}\n",
    "thead th{color:var(--soft);font-weight:400;font-size:.83rem;border-bottom:1px solid "
    "var(--ink);vertical-align:bottom}\n",
    "tbody tr+tr>*,tbody+tbody tr:first-child>*{border-top:1px solid var(--line)}\n",
    "table.grouped tbody tr+tr>*{border-top:0}table.grouped td:first-child{padding-left:.7rem}table.grouped "
    "tbody th{vertical-align:top}\n",
    "small{font-size:.8em}sub{font-size:.75em;line-height:0}\n",
    ".rise{color:var(--rise)}.fall{color:var(--fall)}.soft{color:var(--soft)}\n",
    ".badge{display:inline-block;font:600 .72rem/1.5 system-ui,-apple-system,\"Segoe UI\",Arial,sans-serif;"
    "letter-spacing:.06em;border:1px solid currentColor;border-radius:.25rem;padding:0 "
    ".4rem;vertical-align:middle}\n",
    "table.funnel{width:100%}table.funnel th[scope=row]{white-space:normal}tr.idle>*{color:var(--soft)}"
    "tr.edge th{font-weight:600}\n",
    "td.bar{width:26%;min-width:6rem;padding-right:0}td.bar "
    "svg{display:block;width:100%;height:.7rem;align-self:center}\n",
    "table.heatmap td,table.heatmap th{padding:.22rem .5rem}table.heatmap .first{border-left:3px solid "
    "var(--paper)}\n",
    "td.reasons{font-size:.78rem;white-space:normal;min-width:12rem}td.reasons a{white-space:nowrap}\n",
    ".key{padding:0 .4rem}.up1{background:rgb(var(--rise-rgb)/.09)}.up2{background:rgb(var(--rise-rgb)/.17)}"
    ".up3{background:rgb(var(--rise-rgb)/.26)}.up4{background:rgb(var(--rise-rgb)/"
    ".36)}.up5{background:rgb(var(--rise-rgb)/.47)}"
    ".down1{background:rgb(var(--fall-rgb)/.09)}.down2{background:rgb(var(--fall-rgb)/.17)}"
    ".down3{background:rgb(var(--fall-rgb)/.26)}.down4{background:rgb(var(--fall-rgb)/.36)}"
    ".down5{background:rgb(var(--fall-rgb)/.47)}td.none{color:var(--soft)}\n",
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1.6rem "
    "2rem;margin:1.6rem 0}\n",
    "figure{margin:0}svg{overflow:visible}figure.wide{overflow-x:auto;margin:1.4rem 0}figure.wide "
    "svg{min-width:38rem}svg{display:block;width:100%;"
    "height:auto}figcaption{max-width:44rem;margin-top:.3rem}\n",
    "details{margin:.8rem 0;font-size:.9rem}summary{cursor:pointer;color:var(--soft)}\n",
    "svg text{fill:var(--soft);font-size:11px;font-family:system-ui,-apple-system,\"Segoe "
    "UI\",Arial,sans-serif}"
    "svg text.name{font-style:italic}figure.wide svg text{font-size:12px}\n",
    "svg line,svg path{fill:none;stroke-width:1}.grid{stroke:var(--line)}.tick{stroke:var(--soft)}"
    ".guide{stroke:var(--soft);stroke-dasharray:5 4}.base{stroke:var(--soft);stroke-dasharray:1 "
    "3;stroke-width:1.4!important}"
    ".zero{stroke:var(--ink)}svg .band{stroke:rgb(var(--rise-rgb)/.45);stroke-width:4;stroke-linecap:butt}"
    ".dot{fill:var(--rise);stroke:var(--paper);stroke-width:1}\n",
    "svg "
    ".line{stroke-width:1.7;stroke-linejoin:round}.line.first{stroke:var(--rise)}.line.second{stroke:var(--"
    "fall)}"
    ".line.third{stroke:var(--third)}.key-line{border-bottom:2px "
    "solid}.key-line.first{border-color:var(--rise)}"
    ".key-line.second{border-color:var(--fall)}.key-line.third{border-color:var(--third)}\n",
    ".track{fill:var(--panel)}.bar-rise{fill:rgb(var(--rise-rgb)/.8)}.bar-fall{fill:rgb(var(--fall-rgb)/"
    ".55)}\n",
    ".hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n",
    "footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--line)}\n",
    "@media(max-width:40rem){body{padding:1.5rem 1rem 3rem}h1{font-size:1.8rem}"
    "th[scope=row]:first-child{position:sticky;left:0;background:var(--paper);padding-right:.6rem}"
    "table.funnel th[scope=row]{position:static}table.funnel td,table.funnel thead th{padding:.28rem "
    ".3rem}td.bar{min-width:3.5rem}td.reasons{white-space:nowrap}th[scope=row] small{display:block}}\n",
    "@media "
    "print{body{max-width:none}.scroll{overflow:visible}section{break-inside:auto}figure,tr{break-inside:"
    "avoid}}\n",
    NULL};
