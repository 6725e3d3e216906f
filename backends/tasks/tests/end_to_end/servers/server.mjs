// better-auth in the kinds that the tests compare with the API: one process, one base path each.
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";

import * as schema from "./drizzle-schema.mjs";

const { PORT, DATABASE_URL, BETTER_AUTH_SECRET } = process.env;
const origin = `http://127.0.0.1:${PORT}`;
const pool = new pg.Pool({ connectionString: DATABASE_URL });
pool.on("error", (error) => console.error(error.message));

const kinds = {
  kysely: { database: pool, plugins: [bearer()] },
  drizzle: {
    database: drizzleAdapter(drizzle(pool, { schema }), { provider: "pg", usePlural: true }),
    plugins: [bearer()],
  },
  memory: {
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    session: { cookieCache: { enabled: true } },
    plugins: [bearer()],
  },
  signed: {
    database: pool,
    advanced: { useSecureCookies: true, database: { generateId: "uuid" } },
    user: { modelName: "people" },
    session: { modelName: "visits" },
    account: { modelName: "logins" },
    plugins: [bearer({ requireSignature: true })],
  },
  cookie: {
    database: pool,
    advanced: { cookies: { session_token: { name: "my_session" } } },
    plugins: [],
  },
};

const handlers = new Map();
for (const [kind, { advanced, ...options }] of Object.entries(kinds)) {
  const auth = {
    ...options,
    advanced,
    baseURL: `${origin}/${kind}`,
    secret: BETTER_AUTH_SECRET,
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
  };
  if (options.database === pool) await (await getMigrations(auth)).runMigrations();
  handlers.set(kind, toNodeHandler(betterAuth(auth)));
}
await pool.query(schema.tables);

createServer((request, response) => {
  const handler = handlers.get(request.url.split("/")[1]);
  if (handler) return handler(request, response);
  response.writeHead(404).end();
}).listen(PORT, "127.0.0.1");
