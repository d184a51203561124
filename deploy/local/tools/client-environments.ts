/** Python environments of the protocol clients that speak to us in the tests: one per group of packages that agree with each other. */
import { join } from 'node:path';
import { repositoryRoot } from './machine.ts';
import type { Part } from './part.ts';
import { pythonPart } from './python.ts';

const requirementsOf = (group: string): string => join(repositoryRoot, 'test', 'clients', 'requirements', `${group}.txt`);

/** Triton's HTTP client. */
export const tritonClient: Part = pythonPart({ name: 'Python environment of the Triton client', requirements: requirementsOf('triton') });

/** MLflow's clients of two generations; the third's `mlflow server` is the peer of bench:tracking too. */
export const mlflow3Client: Part = pythonPart({ name: 'Python environment of the MLflow 3 client', requirements: requirementsOf('mlflow3') });
export const mlflow2Client: Part = pythonPart({ name: 'Python environment of the MLflow 2 client', requirements: requirementsOf('mlflow2') });
/** DVC, which pulls exported dataset versions. */
export const dvcClient: Part = pythonPart({ name: 'Python environment of DVC', requirements: requirementsOf('dvc') });
