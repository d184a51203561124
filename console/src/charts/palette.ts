/** Colours of plots, by theme: legible on their ground, and apart for who sees few colours (Okabe and Ito, 2008). */
import type { Theme } from '../state/theme.ts';

export type Palette = { ink: string; muted: string; grid: string; ground: string; series: string[]; good: string; bad: string };

const LIGHT: Palette = { ink: '#1c2024', muted: '#5a626b', grid: '#e2e5e8', ground: '#ffffff', series: ['#0b62a8', '#c2500a', '#00795a', '#9a3f7d', '#7a6200', '#2f8fc4'], good: '#1a7f42', bad: '#b42318' };
const DARK: Palette = { ink: '#e8eaed', muted: '#a0a8b0', grid: '#2d333a', ground: '#171b20', series: ['#6cb6ff', '#f0a35e', '#4fd1a5', '#e08cc4', '#d9c04a', '#9ad0f0'], good: '#5cc98a', bad: '#ff8b80' };

export const paletteOf = (theme: Theme): Palette => (theme === 'dark' ? DARK : LIGHT);
