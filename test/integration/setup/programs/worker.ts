/** Stands in for a worker while the supervisor is tested: ready at once, ends on SIGTERM; the pool `broken` dies at its start. */
const pool = process.argv[process.argv.indexOf('--pool') + 1];
if (pool === 'broken') {
  console.error('this pool cannot work: its one screw is missing');
  process.exit(1);
}
const alive = setInterval(() => undefined, 1_000);
process.on('SIGTERM', () => {
  console.log('was asked to end');
  clearInterval(alive);
});
console.log(JSON.stringify({ ready: true, pool }));
