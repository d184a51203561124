import tseslint from 'typescript-eslint';

const bannedInWorkflows = [
  { name: 'process', message: 'Workflow and domain code reads no environment: pass the value in.' },
  { name: 'performance', message: 'Not deterministic.' },
  { name: 'crypto', message: 'Not deterministic: use uuid4 of @temporalio/workflow.' },
  { name: 'fetch', message: 'Effects are activities.' },
  { name: 'Temporal', message: 'The native Temporal API is not deterministic in the sandbox.' },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'build/', '.perennial/', '**/*.cjs', 'eslint.config.js', 'cli/templates/', 'console/src/api/schema.ts'] },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['workflows/**/*.ts', 'domain/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...bannedInWorkflows],
      'no-restricted-syntax': [
        'error',
        { selector: 'Program > VariableDeclaration[kind="let"]', message: 'Module state leaks between workflows.' },
        { selector: 'MetaProperty', message: 'import.meta is not available in the workflow sandbox.' },
        { selector: 'CallExpression[callee.name="proxyLocalActivities"]', message: 'No local activities: their replay was broken in several SDK versions.' },
      ],
    },
  },
  // A page is one function that returns its markup.
  { files: ['console/**/*.tsx'], rules: { 'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }] } },
  { files: ['test/**/*.ts', 'vitest.config.ts'], rules: { 'max-lines-per-function': 'off', 'no-restricted-exports': 'off' } },
);
