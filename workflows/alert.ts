/**
 * `alert`: one per model, kind and subject. It lives from the first occurrence until the incident is resolved and everybody has been told; an
 * occurrence that comes later starts it again, with an incident of its own. domain/incident.ts decides; this loop writes, sends and waits,
 * one thing after the other, so that a crash at any point goes on where it was.
 */
import { allHandlersFinished, ApplicationFailure, CancellationScope, condition, continueAsNew, setCurrentDetails, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { AlertInput, AlertOccurrence, AlertOutcome, AlertProgress, AlertsSpec } from '../contracts/alert.ts';
import { acknowledgeAlertUpdate, alertOccurrenceSignal, alertStatusQuery, resolveAlertUpdate, silenceChangedSignal } from '../contracts/messages.ts';
import {
  acknowledge,
  advance,
  dueDeliveries,
  forget,
  isOver,
  nextDueMs,
  NO_PROGRESS,
  openIncident,
  receiveOccurrence,
  resolve,
  settleDelivery,
  viewOf,
  wakeSilenced,
  type AlertWord,
} from '../domain/incident.ts';
import { alerting, untilDone } from './proxies.ts';
import { setSearchAttributes } from './search-attributes.ts';

/** An occurrence costs about ten events, so an execution stays far below the limits of a history. */
const LONG_HISTORY = 1_000;

/** A loop that takes the news in such portions can continue as new in the middle of a storm. */
const NEWS_AT_ONCE = 200;

type News =
  | { kind: 'occurrence'; occurrence: AlertOccurrence; pipeline: string; policy: AlertsSpec }
  | { kind: 'acknowledge' | 'resolve'; word: AlertWord }
  | { kind: 'silenceChanged' };

type AlertState = { input: AlertInput; progress: AlertProgress; news: News[] };

/** A word is taken only for the incident that the person saw, and only while it is open. */
const requireIncident = (state: AlertState, alertId: string): void => {
  const open = openIncident(state.progress);
  const isEnding = state.news.some(({ kind }) => kind === 'resolve');
  if (open !== null && open.alertId === alertId && !isEnding) return;
  throw ApplicationFailure.nonRetryable(`the incident ${alertId} is over`, 'AlertNotOpen');
};

/** Handlers only note what came: the loop acts on it. */
const receiveNews = (state: AlertState): void => {
  type Word = AlertWord & { alertId: string };
  setHandler(alertOccurrenceSignal, (news) => void state.news.push({ kind: 'occurrence', ...news }), { description: 'A condition holds, or is clear' });
  setHandler(silenceChangedSignal, () => void state.news.push({ kind: 'silenceChanged' }), { description: 'Looks again at what a silence held back' });
  const validator = ({ alertId }: Word): void => requireIncident(state, alertId);
  const take = (kind: 'acknowledge' | 'resolve') => ({ by, comment }: Word): void => void state.news.push({ kind, word: { by, comment } });
  setHandler(acknowledgeAlertUpdate, take('acknowledge'), { validator, description: 'Somebody takes care: no escalation' });
  setHandler(resolveAlertUpdate, take('resolve'), { validator, description: 'Ends the incident' });
};

const beginAlert = (input: AlertInput): AlertState => {
  const state: AlertState = { input, progress: input.resume ?? NO_PROGRESS, news: [] };
  setHandler(alertStatusQuery, () => ({
    alert: state.progress.incident === null ? null : viewOf(state.progress.incident),
    deliveries: state.progress.deliveries.map(({ alert, receiver, attempts, dueAtMs, silenced }) => ({
      alertId: alert.alertId,
      state: alert.state,
      receiver,
      attempts,
      dueAt: new Date(dueAtMs).toISOString(),
      silenced,
    })),
  }));
  receiveNews(state);
  return state;
};

const takeNews = (state: AlertState, news: News): AlertProgress => {
  const nowMs = Date.now();
  const { progress } = state;
  if (news.kind === 'silenceChanged') return wakeSilenced(progress, nowMs);
  if (news.kind === 'occurrence') {
    const { pipeline, policy } = news;
    state.input = { ...state.input, pipeline, policy };
    return receiveOccurrence(progress, news.occurrence, { ...state.input, alertId: uuid4(), nowMs });
  }
  const decide = news.kind === 'acknowledge' ? acknowledge : resolve;
  return decide(progress, news.word, { policy: state.input.policy, nowMs });
};

const show = ({ incident }: AlertProgress): void => {
  if (incident === null) return;
  setSearchAttributes({ outcome: incident.state });
  setCurrentDetails(`**${incident.state}**, ${incident.occurrences} occurrences: ${incident.reason}`);
};

/** Rows come before messages: what was sent is always known. */
const record = async (state: AlertState): Promise<void> => {
  const { records } = state.progress;
  state.progress = { ...state.progress, records: [] };
  show(state.progress);
  const summary = records.map(({ alert }) => `${alert.state}, ${alert.occurrences} occurrences`).join('; ');
  const { repeated } = await untilDone(summary).recordAlerts({ model: state.input.model, records });
  if (repeated.length > 0) state.progress = forget(state.progress, repeated);
};

/** One attempt of each message that is due; a slow receiver does not keep the others waiting. */
const deliver = async (state: AlertState): Promise<void> => {
  const due = dueDeliveries(state.progress, Date.now());
  const { model } = state.input;
  const outcomes = await Promise.all(due.map((delivery) => alerting(`${delivery.alert.state} to ${delivery.receiver}`).deliverAlert({ model, delivery })));
  for (const [index, delivery] of due.entries()) {
    const outcome = outcomes[index];
    if (outcome !== undefined) state.progress = settleDelivery(state.progress, delivery, outcome, Date.now());
  }
};

const waitForNews = async (state: AlertState): Promise<void> => {
  const due = nextDueMs(state.progress, state.input.policy);
  const hasNews = (): boolean => state.news.length > 0;
  if (due === null) await condition(hasNews);
  else await condition(hasNews, Math.max(1, due - Date.now()));
};

const mustContinueAsNew = ({ news }: AlertState): boolean => {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  // News is taken first: it is not carried over.
  return news.length === 0 && (continueAsNewSuggested || historyLength >= LONG_HISTORY) && !CancellationScope.current().consideredCancelled;
};

/** Does the next thing; false when there is nothing left to do. */
const work = async (state: AlertState): Promise<boolean> => {
  for (const news of state.news.splice(0, NEWS_AT_ONCE)) state.progress = takeNews(state, news);
  state.progress = advance(state.progress, state.input.policy, Date.now());
  if (state.progress.records.length > 0) await record(state);
  else if (dueDeliveries(state.progress, Date.now()).length > 0) await deliver(state);
  else if (state.news.length > 0) return true;
  else if (isOver(state.progress)) return false;
  else await waitForNews(state);
  return true;
};

export const alert = async (input: AlertInput): Promise<AlertOutcome> => {
  const state = beginAlert(input);
  setSearchAttributes({ model: input.model, pipeline: input.pipeline, stage: 'alert' });
  // It is started together with an occurrence; without one there is nothing that could end.
  if (input.resume === undefined) await condition(() => state.news.length > 0);
  while (await work(state)) {
    if (!mustContinueAsNew(state)) continue;
    await condition(allHandlersFinished);
    await continueAsNew<typeof alert>({ ...state.input, resume: state.progress });
  }
  const { incident } = state.progress;
  return { alertId: incident?.alertId ?? null, state: incident?.state ?? null };
};
