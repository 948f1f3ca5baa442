// SPDX-License-Identifier: Apache-2.0
#include "status/html.h"

namespace tlsguard::status {

std::string_view style_sheet() {
  return R"css(
:root{color-scheme:light dark;--bg:#f4f6f9;--card:#fff;--ink:#18202f;--muted:#5a6579;--line:#e1e6ee;
--track:#e6eaf1;--accent:#2456d6;--good:#157347;--good-bg:#e2f5ea;--warn:#95570a;--warn-bg:#fdf0d9;
--bad:#b4232f;--bad-bg:#fde6e7;--idle:#5a6579;--idle-bg:#e9edf3;--good-fill:#34a56f;
--warn-fill:#e0972b;--bad-fill:#dc4b56;--idle-fill:#9aa6b8;--shadow:0 1px 2px #1018280d,0 1px 3px #10182814;
--c0:#aab4c4;--c1:#2f6fe4;--c2:#22a3b8;--c3:#8b6ae0;--c4:#3fae74;--c5:#d9822b;--c6:#c95a93}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--card:#161c26;--ink:#e6ebf4;--muted:#97a3b8;
--line:#283243;--track:#2a3446;--accent:#86aaff;--good:#62d89b;--good-bg:#12301f;--warn:#f2b65c;
--warn-bg:#362709;--bad:#ff8a91;--bad-bg:#3d161b;--idle:#a5b0c3;--idle-bg:#242d3b;
--good-fill:#3fb57b;--warn-fill:#d99a36;--bad-fill:#e25b65;--idle-fill:#6b7790;--shadow:none;
--c0:#5e6a80;--c1:#5b8ff5;--c2:#35b5c9;--c3:#a286f0;--c4:#4fbd85;--c5:#e2934a;--c6:#d670a5}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 24px}
header{display:flex;justify-content:space-between;align-items:flex-end;gap:16px;padding-top:32px;
flex-wrap:wrap}
footer{padding-bottom:40px;color:var(--muted);font-size:13px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:19px;margin:0 0 14px;letter-spacing:-.01em}
h3{font-size:15px;margin:0;font-weight:600;overflow-wrap:anywhere}
h4{font-size:12px;margin:0 0 6px;color:var(--muted);font-weight:600}
p{margin:0}section{margin:36px 0}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible{outline:2px solid
var(--accent);outline-offset:2px}
small,.muted{color:var(--muted)}small{font-size:13px;display:block}.muted{font-weight:400}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
header nav{display:flex;gap:8px}
header nav a,.chip,.pager a,.pager b{border:1px solid var(--line);background:var(--card);
border-radius:8px;padding:4px 11px;font-size:14px;white-space:nowrap}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;margin:24px 0 0}
.tile,.card,.domains{background:var(--card);border:1px solid var(--line);border-radius:14px;
box-shadow:var(--shadow)}
.tile{padding:15px 18px}.tile dt{font-size:13px;color:var(--muted)}
.tile dd{margin:1px 0 2px;font-size:25px;font-weight:650;letter-spacing:-.02em;line-height:1.25}
.tile dd a{color:inherit}.tile p{font-size:13px;color:var(--muted)}
.tile.bad dd,.bad-text{color:var(--bad)}.tile.warn dd,.warn-text{color:var(--warn)}
.tile.good dd{color:var(--good)}
.banner{border-radius:14px;padding:12px 18px;margin:20px 0 0;font-weight:600}
.banner.bad{color:var(--bad);background:var(--bad-bg)}
.search{display:flex;gap:8px;margin-bottom:12px}
.search input[type=search]{flex:1;max-width:420px;min-width:0;font:inherit;color:inherit;
background:var(--card);border:1px solid var(--line);border-radius:9px;padding:7px 12px}
.search button{font:inherit;font-weight:600;border:0;border-radius:9px;padding:7px 16px;color:#fff;
background:#2456d6;cursor:pointer}
.chips{display:flex;flex-wrap:wrap;gap:8px;margin-bottom:14px}
.chip{color:var(--ink);border-radius:99px}.chip b{color:var(--muted);font-weight:600}
.chip[aria-current]{background:var(--accent);border-color:var(--accent);color:var(--card)}
.chip[aria-current] b{color:inherit}
.domains{list-style:none;margin:0;padding:0;overflow:hidden}
.domains:empty{display:none}
.domain{display:grid;grid-template-columns:minmax(0,1.5fr) 168px minmax(0,1.25fr) minmax(0,1.35fr);
gap:4px 20px;padding:15px 20px;border-top:1px solid var(--line);border-left:4px solid transparent}
.domain:first-child{border-top:0}
.domain.bad{border-left-color:var(--bad-fill)}.domain.warn{border-left-color:var(--warn-fill)}
.badge{display:inline-block;border-radius:99px;padding:1px 11px;font-size:13px;font-weight:600;
white-space:nowrap;color:var(--idle);background:var(--idle-bg)}
.badge.good{color:var(--good);background:var(--good-bg)}
.badge.warn{color:var(--warn);background:var(--warn-bg)}
.badge.bad{color:var(--bad);background:var(--bad-bg)}
.expiry p,.next p{font-size:14px}.expiry b,.next p{font-weight:600}
svg{display:block;width:100%;border-radius:99px;overflow:hidden}
.life{height:8px;margin:7px 0 4px}.stack{height:12px}.thin{height:8px}
rect.track{fill:var(--track)}rect.mark{fill:var(--ink)}
rect.good{fill:var(--good-fill)}rect.warn{fill:var(--warn-fill)}rect.bad{fill:var(--bad-fill)}
rect.idle{fill:var(--idle-fill)}
.c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}
.c2{fill:var(--c2);background:var(--c2)}.c3{fill:var(--c3);background:var(--c3)}
.c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}
.c6{fill:var(--c6);background:var(--c6)}
.worse{fill:var(--warn-fill);background:var(--warn-fill)}
.worst{fill:var(--bad-fill);background:var(--bad-fill)}
.trouble,details{grid-column:1/-1}
.trouble{background:var(--bad-bg);border-radius:10px;padding:10px 14px;margin-top:6px;font-size:14px}
.domain.warn .trouble{background:var(--warn-bg)}.domain.idle .trouble,.domain.good .trouble{
background:var(--idle-bg)}
.notice{display:grid;grid-template-columns:128px minmax(0,1fr) auto;gap:4px 20px;padding:13px 20px;
border-top:1px solid var(--line);border-left:4px solid transparent}
.notice:first-child{border-top:0}.notice .badge{justify-self:start;align-self:start}
.notice.bad{border-left-color:var(--bad-fill)}.notice.warn{border-left-color:var(--warn-fill)}
.notice p{font-size:14px;overflow-wrap:anywhere}.notice h3 a{color:inherit}
.notices>li.muted{padding:10px 24px;font-size:14px;border-top:1px solid var(--line)}
.lead{margin-bottom:12px}
.note{background:var(--warn-bg);border-radius:10px;padding:10px 14px;overflow-wrap:anywhere}
.notice>small{white-space:nowrap;text-align:right}.file{color:var(--muted)}.file code{font-size:12px}
.error{font-weight:600;overflow-wrap:anywhere}.advice{overflow-wrap:anywhere}
#domains>.advice{background:var(--warn-bg);border-radius:10px;padding:10px 14px;margin-bottom:14px}
summary{cursor:pointer;font-size:13px;color:var(--muted);width:max-content;padding:2px 0}
.facts{margin:8px 0 2px;display:grid;gap:7px}
.facts>div{display:grid;grid-template-columns:118px minmax(0,1fr);gap:14px;font-size:14px}
.facts dt{color:var(--muted)}.facts dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;font-weight:400;padding:5px 14px 5px 0;vertical-align:baseline}
thead th{color:var(--muted);font-size:12px;font-weight:600}
tbody tr+tr>*{border-top:1px solid var(--line)}
td{font-variant-numeric:tabular-nums}
.copies{width:auto}.copies th{color:var(--muted);padding-right:20px;white-space:nowrap}
.copies small{display:inline}
.history,.offers,.legend,.types{list-style:none;margin:0;padding:0;font-size:14px}
.history li+li,.offers li+li{margin-top:4px}.history time{color:var(--muted)}
.types{display:flex;gap:6px 18px;flex-wrap:wrap}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(520px,100%),1fr));gap:18px;
align-items:start}
.card{padding:18px 20px;display:grid;gap:14px;min-width:0}.card.wide{overflow-x:auto}
.head{display:flex;justify-content:space-between;gap:14px;align-items:flex-start}
.card .facts{margin:0;gap:4px}.advice{overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px 26px}
.chart:nth-child(n+3){grid-column:1/-1}
.legend{margin-top:7px;font-size:13px}
.legend li{display:flex;gap:7px;align-items:baseline}
.legend i{width:9px;height:9px;border-radius:3px;flex:none}
.legend span{flex:1;min-width:0;overflow-wrap:anywhere}
.legend b{font-weight:600;font-variant-numeric:tabular-nums}
.judges th,.judges td{padding-right:12px}.judges td.bar{width:16%;min-width:56px;vertical-align:top;
padding-top:12px}
.judges .shown th a{font-weight:650}.judges small{font-size:12px}.why{padding-right:0}
.card>h4{margin:4px 0 -10px}.offers li{font-size:13px}.offers small{display:inline}
.tag{background:var(--idle-bg);color:var(--idle);border-radius:6px;padding:0 6px;font-size:12px}
.ramp{list-style:none;display:flex;flex-wrap:wrap;gap:6px;margin:6px 0 0;padding:0;font-size:12px}
.ramp li{border-radius:99px;padding:1px 10px;border:1px solid var(--line);color:var(--muted)}
.ramp .done{background:var(--good-bg);color:var(--good);border-color:transparent}
.ramp .now{background:var(--accent);color:var(--card);border-color:transparent;font-weight:650}
.foot{display:flex;justify-content:space-between;align-items:center;gap:12px;flex-wrap:wrap;
margin-top:14px}
.pager{display:flex;gap:6px;flex-wrap:wrap;align-items:center}
.pager b{background:var(--accent);border-color:var(--accent);color:var(--card)}
@media(max-width:820px){.domain{grid-template-columns:minmax(0,1fr) auto}
.expiry,.next{grid-column:1/-1}.next{margin-top:4px}
.notice{grid-template-columns:auto minmax(0,1fr)}.notice>div{grid-column:1/-1;grid-row:2}
.notice>small{justify-self:end}}
@media(max-width:560px){header,main,footer{padding-left:14px;padding-right:14px}
header{padding-top:20px}h1{font-size:22px}.tiles{grid-template-columns:1fr 1fr;gap:10px}
.tile:last-child:nth-child(odd){grid-column:1/-1}.notice{padding:13px 14px}
.tile{padding:12px 14px}.tile dd{font-size:20px}section{margin:28px 0}
.domain{padding:13px 14px;grid-template-columns:minmax(0,1fr)}.card{padding:15px 14px}.charts{grid-template-columns:minmax(0,1fr)}
.facts>div{grid-template-columns:minmax(0,1fr);gap:0}
.judges thead .why,.judges .why{display:none}}
@media print{body{background:#fff}.search,.chips,header nav,.pager{display:none}}
)css";
}

}  // namespace tlsguard::status
