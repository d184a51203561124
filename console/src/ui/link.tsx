/** Links: within the console without loading the page again, and out of it. */
import type { ComponentChildren } from 'preact';
import { hrefOf, navigate, place } from '../state/router.ts';

type Content = { children: ComponentChildren; class?: string; title?: string };

const isPlainClick = (event: MouseEvent): boolean => event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

export const Link = ({ to, children, ...rest }: Content & { to: string }) => (
  <a
    {...rest}
    href={hrefOf(to)}
    onClick={(event) => {
      if (!isPlainClick(event)) return;
      event.preventDefault();
      navigate(to);
    }}
  >
    {children}
  </a>
);

/** A part of the navigation; the present one is marked, also for screen readers. */
export const NavigationLink = ({ to, children }: { to: string; children: ComponentChildren }) => {
  const { path } = place.value;
  const isPresent = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`);
  return (
    <a
      href={hrefOf(to)}
      aria-current={isPresent ? 'page' : undefined}
      onClick={(event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
};

/** Only addresses of the web: a link from data never runs anything. */
export const OutLink = ({ to, children }: { to: string; children: ComponentChildren }) =>
  /^https?:\/\//.test(to) ? (
    <a href={to} target="_blank" rel="noreferrer">
      {children} <span aria-hidden="true">↗</span>
    </a>
  ) : (
    <span>{children}</span>
  );

export const runPath = (runId: string): string => `/runs/${encodeURIComponent(runId)}`;
export const modelPath = (model: string): string => `/models/${encodeURIComponent(model)}`;
export const versionPath = (model: string, version: number): string => `${modelPath(model)}/versions/${version}`;
export const deploymentPath = (model: string): string => `/deployments/${encodeURIComponent(model)}`;
export const monitorPath = (model: string): string => `/monitoring/${encodeURIComponent(model)}`;
export const datasetPath = (name: string): string => `/data/${encodeURIComponent(name)}`;
export const datasetVersionPath = (name: string, version: string): string => `${datasetPath(name)}/${encodeURIComponent(version)}`;
export const pipelinePath = (pipeline: string): string => `/pipelines/${encodeURIComponent(pipeline)}`;
