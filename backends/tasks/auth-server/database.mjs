import pg from "pg";

import { SettingsError } from "./settings.mjs";

/**
 * Open the database that better-auth stores its users and sessions in.
 *
 * @param {string} url `postgresql://…` or `sqlite:///path`; a Python driver's name in the scheme
 *   (`postgresql+asyncpg://…`) is passed over, so that both servers can be given the same URL
 * @returns {Promise<{ connection: object, close: () => Promise<void> }>} what better-auth takes as
 *   `database`, and a function that closes it
 * @throws {SettingsError} when the URL names another kind of database, or this Node has no SQLite
 */
export async function openDatabase(url) {
  const [, kind, rest] = /^([a-z]+)(?:\+[a-z0-9]+)?:\/\/(.*)$/s.exec(url) ?? [];
  if (kind === "postgresql" || kind === "postgres") return openPostgres(`postgresql://${rest}`);
  if (kind === "sqlite" && rest.length > 1) return openSqlite(rest.slice(1));
  throw new SettingsError("DATABASE_URL must start with postgresql:// or sqlite:///.");
}

function openPostgres(connectionString) {
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 5000 });
  // Without a listener, losing an idle connection would end the process.
  pool.on("error", (error) => console.error(`database connection lost: ${error.message}`));
  return { connection: pool, close: () => pool.end() };
}

async function openSqlite(path) {
  const { DatabaseSync } = await import("node:sqlite").catch(() => {
    throw new SettingsError("DATABASE_URL names SQLite, which needs Node 22.13 or newer.");
  });
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA busy_timeout = 5000");
  return { connection: database, close: async () => database.close() };
}
