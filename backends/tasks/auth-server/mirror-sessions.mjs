import { createHmac } from "node:crypto";

import { getCurrentAdapter } from "better-auth";

const MODEL = "userSession";

/**
 * A better-auth plugin that keeps a copy of every session in the table `user_sessions`, where the
 * tasks API looks sessions up by the hash of their token.
 *
 * A session and its copy share their `id`.
 *
 * @param {{ secret: string }} options the key of the hash, the tasks API's SESSION_HASH_SECRET
 * @returns {import("better-auth").BetterAuthPlugin}
 */
export function mirrorSessions({ secret }) {
  return {
    id: "mirror-sessions",
    schema: { [MODEL]: userSessions },
    init: ({ adapter }) => ({
      options: { databaseHooks: { session: sessionHooks(adapter, secret) } },
    }),
  };
}

/**
 * Hash a session's token as the tasks API does.
 *
 * @param {string} token the 32 characters before the dot of a signed token
 * @param {string} secret the key, taken as UTF-8
 * @returns {string} HMAC-SHA256, 64 lower-case hexadecimal characters
 */
export function hashToken(token, secret) {
  return createHmac("sha256", secret).update(token).digest("hex");
}

const userSessions = {
  modelName: "user_sessions",
  fields: {
    userId: {
      type: "string",
      fieldName: "user_id",
      required: true,
      index: true,
      references: { model: "user", field: "id", onDelete: "cascade" },
    },
    tokenHash: { type: "string", fieldName: "token_hash", required: true, unique: true },
    refreshTokenHash: { type: "string", fieldName: "refresh_token_hash", required: false },
    expiresAt: { type: "date", fieldName: "expires_at", required: true },
    revoked: { type: "boolean", required: true, defaultValue: false },
    ipAddress: { type: "string", fieldName: "ip_address", required: false },
    userAgent: { type: "string", fieldName: "user_agent", required: false },
    createdAt: {
      type: "date",
      fieldName: "created_at",
      required: true,
      defaultValue: () => new Date(),
    },
    lastActivityAt: { type: "date", fieldName: "last_activity_at", required: false },
  },
};

function sessionHooks(adapter, secret) {
  const update = async (session, values) =>
    (await getCurrentAdapter(adapter)).update({
      model: MODEL,
      where: [{ field: "id", value: session.id }],
      update: values,
    });

  return {
    create: {
      // A failure here fails the sign-in: no token leaves that the tasks API does not know.
      after: async (session) => {
        await (await getCurrentAdapter(adapter)).create({
          model: MODEL,
          data: mirrorOf(session, secret),
          forceAllowId: true,
        });
      },
    },
    update: {
      after: async (session) => {
        // Null when the session was deleted meanwhile.
        if (!session) return;
        const { expiresAt, updatedAt: lastActivityAt } = session;
        await update(session, { expiresAt, lastActivityAt });
      },
    },
    delete: {
      // Before, not after: were the session gone and this failed, its token would stay valid.
      before: async (session) => {
        await update(session, { revoked: true });
      },
    },
  };
}

function mirrorOf(session, secret) {
  return {
    id: session.id,
    userId: session.userId,
    tokenHash: hashToken(session.token, secret),
    expiresAt: session.expiresAt,
    revoked: false,
    ipAddress: session.ipAddress || null,
    userAgent: session.userAgent || null,
    createdAt: session.createdAt,
    lastActivityAt: session.updatedAt,
  };
}
