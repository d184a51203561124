/** The metrics by which models are judged. */
import { z } from 'zod';

export const ClassificationMetric = z.enum(['rocAuc', 'logLoss', 'brier', 'accuracy']);
export type ClassificationMetric = z.infer<typeof ClassificationMetric>;

/** `rmse` and `mae` are in units of the label; `r2` is 1 for a perfect model, 0 for one that always says the mean. */
export const RegressionMetric = z.enum(['rmse', 'mae', 'r2']);
export type RegressionMetric = z.infer<typeof RegressionMetric>;

export const MetricName = z.enum([...ClassificationMetric.options, ...RegressionMetric.options]);
export type MetricName = z.infer<typeof MetricName>;
