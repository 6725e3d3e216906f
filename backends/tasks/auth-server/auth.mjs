import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { bearer, jwt } from "better-auth/plugins";

import { mirrorSessions } from "./mirror-sessions.mjs";

/**
 * Make the better-auth instance, and create or complete its tables.
 *
 * @param settings what readSettings returned
 * @param {object} database what openDatabase returned as `connection`
 */
export async function createAuth(settings, database) {
  const options = authOptions(settings, database);
  await (await getMigrations(options)).runMigrations();
  return betterAuth(options);
}

function authOptions(settings, database) {
  return {
    appName: "tasks",
    baseURL: settings.baseUrl,
    secret: settings.betterAuthSecret,
    trustedOrigins: settings.trustedOrigins,
    database,
    emailAndPassword: { enabled: true },
    user: {
      modelName: "users",
      fields: { emailVerified: "email_verified", createdAt: "created_at", updatedAt: "updated_at" },
      deleteUser: { enabled: true },
    },
    advanced: {
      database: {
        generateId: "uuid",
        // better-auth calls the delete hooks for no more rows than this, and its own limit is 100:
        // a user's 101st session would be deleted without its copy being revoked.
        defaultFindManyLimit: 10_000,
      },
    },
    telemetry: { enabled: false },
    plugins: [bearer(), jwt(), mirrorSessions({ secret: settings.sessionHashSecret })],
  };
}
