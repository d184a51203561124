/** Stands in for API and gateways while the supervisor is tested: healthy, and tells what it was started with. */
import { createServer } from 'node:http';
import { readConfig } from '../../../../workers/config.ts';

const config = readConfig();
const isGateway = process.env['PERENNIAL_GATEWAY_ID'] !== undefined;

const server = createServer((_request, response) => {
  response.end(JSON.stringify({ home: config.home, gatewayId: config.gatewayId, python: config.python }));
});
server.listen(isGateway ? config.gatewayPort : config.apiPort, config.bind, () => console.log('listening'));
process.on('SIGTERM', () => {
  console.log('was asked to end');
  server.close();
  server.closeAllConnections();
});
