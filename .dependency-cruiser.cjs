/** Who may import what (docs/architecture.md): each rule is one row of that table. */
const values = { dependencyTypesNot: ['type-only'] };
const rule = (name, from, to) => ({ name, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
    rule('contracts-alone', { path: '^contracts/' }, { path: '^(domain|workflows|activities|adapters|workers|api|serving|cli|deploy|test|bench|examples)/' }),
    rule('contracts-packages', { path: '^contracts/' }, { path: '^node_modules/', pathNot: '^node_modules/(zod|@temporalio/(workflow|common))/' }),
    rule('pure-no-builtins', { path: '^(contracts|domain|workflows)/' }, { dependencyTypes: ['core'] }),
    rule('domain-no-packages', { path: '^domain/' }, { path: '^node_modules/' }),
    rule('domain-alone', { path: '^domain/' }, { path: '^(workflows|activities|adapters|workers|api|serving|cli|deploy|test)/' }),
    rule('workflows-packages', { path: '^workflows/' }, { ...values, path: '^node_modules/', pathNot: '^node_modules/@temporalio/(workflow|common)/' }),
    rule('workflows-alone', { path: '^workflows/' }, { path: '^(activities|adapters|workers|api|serving|cli|deploy|test)/' }),
    rule('zod-free-values', { path: '^(workflows|domain)/' }, { ...values, path: '^contracts/', pathNot: '^contracts/(ids|queues|messages|failures)[.]ts$' }),
    rule('activities-local', { path: '^activities/' }, { path: '^(adapters|workflows|workers|api|serving|cli|deploy|test)/' }),
    rule('activities-packages', { path: '^activities/' }, { path: '^node_modules/', pathNot: '^node_modules/@temporalio/(activity|common)/' }),
    rule('adapters-local', { path: '^adapters/' }, { path: '^(workflows|activities|api|serving|cli|deploy|test)/' }),
    rule('adapters-not-workers', { path: '^adapters/' }, { path: '^workers/', pathNot: '^workers/config[.]ts$' }),
    rule('adapters-apart', { path: '^adapters/([^/]+)/' }, { path: '^adapters/([^/]+)/', pathNot: '^adapters/$1/' }),
    rule('temporal-client-in-one-adapter', { path: '^adapters/', pathNot: '^adapters/temporal/' }, { path: '^node_modules/@temporalio/' }),
    rule('sql-in-postgres', { path: '^(activities|adapters|workers)/', pathNot: '^(adapters/postgres/|workers/compose[.]ts$)' }, { ...values, path: '^node_modules/(kysely|pg)/' }),
    rule('onnxruntime-in-onnx', { pathNot: '^(adapters/onnx/|bench/|test/)' }, { ...values, path: '^node_modules/onnxruntime-' }),
    rule('minio-in-objectstore', { pathNot: '^(adapters/objectstore/|test/)' }, { ...values, path: '^node_modules/minio/' }),
    rule('grpc-in-one-folder', { pathNot: '^(serving/grpc/|test/|bench/)' }, { ...values, path: '^node_modules/(@grpc|protobufjs)/' }),
    rule('workers-imported-by-none', { path: '^(contracts|domain|workflows|activities|adapters|api|serving|cli)/' }, { path: '^workers/', pathNot: '^workers/config[.]ts$' }),
    rule('api-alone', { path: '^api/' }, { path: '^(activities|serving|cli|deploy|test)/' }),
    rule('api-workflows-as-types', { path: '^api/' }, { ...values, path: '^workflows/' }),
    rule('serving-alone', { path: '^serving/' }, { path: '^(api|workflows|activities|cli|deploy|test)/' }),
    rule('cli-over-http', { path: '^cli/' }, { path: '^(domain|workflows|activities|adapters|api|serving|test)/' }),
    rule('console-over-http', { path: '^console/' }, { path: '^(contracts|domain|workflows|activities|adapters|workers|api|serving|cli|deploy|test|bench|examples)/' }),
    rule('console-packages', { path: '^console/' }, { path: '^node_modules/', pathNot: '^node_modules/(preact|@preact/signals|echarts|@dagrejs/dagre|vite)/' }),
    rule('console-imported-by-none', { pathNot: '^console/' }, { path: '^console/' }),
    rule('product-not-tests', { path: '^(contracts|domain|workflows|activities|adapters|workers|api|serving|cli|deploy|console)/' }, { path: '^(test|bench|examples)/' }),
    rule('declared-packages', { path: '^(contracts|domain|workflows|activities|adapters|workers|api|serving|cli|deploy)/' }, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' } },
};
