/** Stands in for the migrations while the supervisor is tested: the one table that set-up itself writes to. */
import { Client } from 'pg';
import { readConfig } from '../../../../workers/config.ts';

const client = new Client({ connectionString: readConfig().postgres.url });
await client.connect();
await client.query(`create table if not exists api_keys (
  id text primary key, name text, role text, key_hash text unique, created_at timestamptz default now(), revoked_at timestamptz)`);
await client.end();
