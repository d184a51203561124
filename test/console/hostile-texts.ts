/** A hundred names that try to be more than text: markup, handlers, addresses and templates, each in five surroundings. */
const CALL = 'globalThis.injected=1';

const PAYLOADS = [
  `<script>${CALL}</script>`,
  `<img src=x onerror=${CALL}>`,
  `<svg onload=${CALL}>`,
  `<svg><script>${CALL}</script></svg>`,
  `<iframe srcdoc="<script>parent.injected=1</script>"></iframe>`,
  `<body onload=${CALL}>`,
  `<details open ontoggle=${CALL}>x</details>`,
  `<input autofocus onfocus=${CALL}>`,
  `<a href="javascript:${CALL}">click</a>`,
  `<form action="javascript:${CALL}"><button>go</button></form>`,
  `<object data="javascript:${CALL}"></object>`,
  `<style>@import "javascript:${CALL}";</style>`,
  `<math><mtext><img src=x onerror=${CALL}></mtext></math>`,
  `<template><script>${CALL}</script></template>`,
  `<link rel=stylesheet href="data:text/css,*{color:red}">`,
  `javascript:${CALL}`,
  `data:text/html,<script>${CALL}</script>`,
  `{{constructor.constructor('${CALL}')()}}`,
  `\${${CALL}}`,
  `\u202e<script>${CALL}</script>`,
];

const SURROUNDINGS: ((payload: string) => string)[] = [
  (payload) => payload,
  (payload) => `"><${payload}`,
  (payload) => `'>${payload}<'`,
  (payload) => `--></style></title></textarea>${payload}`,
  (payload) => `]]>${payload}\n\r\t`,
];

export const HOSTILE_TEXTS = SURROUNDINGS.flatMap((surround) => PAYLOADS.map(surround));
