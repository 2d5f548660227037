"""The looks of what is shown in a notebook: it follows JupyterLab's theme, and reads well without one."""

from __future__ import annotations

# Where a viewer drops the style sheet (GitHub, an untrusted notebook), plain text, links and lists remain.
STYLE = """
.gofastapi{--ink:var(--jp-ui-font-color1,var(--vscode-foreground,inherit));
--soft:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#7a7a7a));
--line:var(--jp-border-color2,rgba(128,128,128,.3));--link:var(--jp-content-link-color,#1976d2);
--good:var(--jp-success-color1,#2e9d4f);--bad:var(--jp-error-color1,#d32f2f);--warn:var(--jp-warn-color0,#e65100);
--busy:var(--jp-brand-color1,#1976d2);--shade:var(--jp-cell-editor-background,rgba(128,128,128,.12));
--code:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);
box-sizing:border-box;max-width:640px;margin:4px 0;padding:12px 16px;border:1px solid var(--line);
border-radius:6px;color:var(--ink);font:13px/20px var(--jp-ui-font-family,system-ui,sans-serif);
font-variant-numeric:tabular-nums}
.gofastapi p{margin:0;font-size:inherit}
.gofastapi-head{display:flex;align-items:baseline;gap:8px}
.gofastapi-head b{font-weight:600}
.gofastapi-dot{flex:none;align-self:center;width:8px;height:8px;border-radius:50%;background:var(--soft)}
.gofastapi-live .gofastapi-dot,.gofastapi-unchanged .gofastapi-dot,
.gofastapi-saved .gofastapi-dot{background:var(--good)}
.gofastapi-failed .gofastapi-dot,.gofastapi-refused .gofastapi-dot,
.gofastapi-lost .gofastapi-dot{background:var(--bad)}
.gofastapi-running .gofastapi-dot{background:var(--busy);animation:gofastapi-pulse 1s ease-in-out infinite}
.gofastapi-time{margin-left:auto;color:var(--soft);white-space:nowrap}
.gofastapi-url{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 8px;margin-top:6px}
.gofastapi a,.gofastapi a:visited{color:var(--link);text-decoration:none}
.gofastapi a:hover{text-decoration:underline}
.gofastapi-url a:first-child{font-family:var(--code);overflow-wrap:anywhere}
.gofastapi-url a.gofastapi-relay{margin-left:auto;color:var(--soft);font-size:12px}
.gofastapi-copy{padding:0 8px;font-size:12px;line-height:18px;color:var(--soft);border:1px solid var(--line);
border-radius:4px;cursor:pointer;user-select:none}
.gofastapi-copy::after{content:attr(data-label)}
.gofastapi-copy:hover,.gofastapi-copy:focus-visible{color:var(--ink);border-color:var(--soft);outline:none}
.gofastapi ol.gofastapi-stages{display:grid;grid-template-columns:repeat(5,1fr);gap:6px;margin:10px 0 0;padding:0;
list-style:none}
.gofastapi-stages li{margin:0;padding:4px 0 0;border-top:2px solid var(--line);color:var(--soft);font-size:12px;
line-height:16px}
.gofastapi-stages li span{display:block;min-height:16px;font-family:var(--code);font-size:11px}
.gofastapi-stages li.gofastapi-done{border-color:var(--good);color:var(--ink)}
.gofastapi-stages li.gofastapi-done span{color:var(--soft)}
.gofastapi-stages li.gofastapi-now{border-color:var(--busy);color:var(--ink);
animation:gofastapi-pulse 1s ease-in-out infinite}
.gofastapi-stages li.gofastapi-bad{border-color:var(--bad);color:var(--bad)}
.gofastapi .gofastapi-note{margin-top:8px;color:var(--soft);font-size:12px;line-height:18px}
.gofastapi-note code{padding:0;font-family:var(--code);font-size:11px;color:var(--ink);background:none}
.gofastapi-finding{margin-top:10px}
.gofastapi-finding .gofastapi-where{color:var(--soft);font-size:12px}
.gofastapi pre.gofastapi-code{margin:4px 0;padding:6px 10px;overflow:auto;max-height:320px;border:0;
border-radius:4px;background:var(--shade);color:var(--ink);font:12px/17px var(--code);white-space:pre}
.gofastapi pre.gofastapi-tree{margin-top:10px}
.gofastapi.gofastapi-diff{max-width:960px}
.gofastapi.gofastapi-diff pre.gofastapi-code{max-height:480px;margin:0}
.gofastapi-added{color:var(--good)}
.gofastapi-removed{color:var(--bad)}
.gofastapi-error{margin-top:12px;padding-top:12px;border-top:1px solid var(--line)}
.gofastapi-error .gofastapi-finding{margin-top:4px}
.gofastapi-error .gofastapi-head,.gofastapi-sides .gofastapi-head{overflow-wrap:anywhere}
.gofastapi-status{flex:none;font-weight:600;color:var(--good)}
.gofastapi-status.gofastapi-server{color:var(--bad)}
.gofastapi-status.gofastapi-client{color:var(--warn)}
.gofastapi details{margin-top:4px;font-size:12px}
.gofastapi summary{color:var(--soft);cursor:pointer}
.gofastapi summary:hover{color:var(--ink)}
.gofastapi-sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:0 16px;margin-top:10px}
.gofastapi-sides>div{min-width:0}
.gofastapi-sides pre.gofastapi-code,.gofastapi details pre.gofastapi-code{white-space:pre-wrap;word-break:normal;
overflow-wrap:anywhere}
.gofastapi-hunk,.gofastapi-dim{color:var(--soft)}
.gofastapi-file{font-weight:600}
.gofastapi-caret{color:var(--bad);font-weight:600}
@keyframes gofastapi-pulse{50%{opacity:.45}}
@media(prefers-reduced-motion:reduce){.gofastapi *{animation:none!important}}
.gofastapi-table{border-collapse:collapse;font:13px/20px var(--jp-ui-font-family,system-ui,sans-serif);
font-variant-numeric:tabular-nums;color:var(--jp-ui-font-color1,inherit)}
.gofastapi-table caption{padding:4px 0;text-align:left}
.gofastapi-table th{font-weight:600}
.gofastapi-table th,.gofastapi-table td{padding:4px 24px 4px 0!important;text-align:left!important;border:0;
border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.3))!important;background:none!important}
.gofastapi-health,.gofastapi-whole{white-space:nowrap}
.gofastapi-health::before{content:"";display:inline-block;width:8px;height:8px;margin-right:6px;border-radius:50%;
background:var(--jp-border-color1,#9e9e9e)}
.gofastapi-green::before{background:var(--jp-success-color1,#2e9d4f)}
.gofastapi-yellow::before{background:var(--jp-warn-color1,#f9a825)}
.gofastapi-red::before{background:var(--jp-error-color1,#d32f2f)}
.gofastapi-asleep::before{background:var(--jp-info-color1,#5c6bc0)}
.gofastapi-bar{height:4px;margin:8px 0 6px;border-radius:2px;background:var(--line);overflow:hidden}
.gofastapi-bar span{display:block;height:100%;background:var(--good)}
.gofastapi-bar.gofastapi-nearly span{background:var(--warn)}
.gofastapi-bar.gofastapi-full span{background:var(--bad)}
.gofastapi p.gofastapi-notice{margin:0 0 6px;color:var(--warn)}
.gofastapi p.gofastapi-notice.gofastapi-full{color:var(--bad)}
.gofastapi-table a{color:var(--jp-content-link-color,#1976d2)}
""".replace("\n", "")

# Not every page may use the clipboard API: a Jupyter server on plain http, not on localhost, may not.
COPY_SCRIPT = """
(function(b){var t=b.getAttribute('data-copy');
function said(w){b.setAttribute('data-label',w);setTimeout(function(){b.setAttribute('data-label','Copy')},1500)}
function old(){var a=document.createElement('textarea');a.value=t;a.style.position='fixed';a.style.opacity='0';
document.body.appendChild(a);a.select();var ok=false;try{ok=document.execCommand('copy')}catch(e){}
a.remove();said(ok?'Copied':'Press Ctrl+C')}
if(navigator.clipboard&&window.isSecureContext)navigator.clipboard.writeText(t).then(function(){said('Copied')},old);
else old()})(this)
""".replace("\n", "")

CLICK_SCRIPT = "if(event.key==='Enter'||event.key===' '){event.preventDefault();this.click()}"
