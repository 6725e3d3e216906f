/** A setting is missing or unsafe: one sentence that names the variable and never its value. */
export class SettingsError extends Error {}

/**
 * Read the server's settings from environment variables.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns settings, ready to use; lists are arrays, the port is a number
 * @throws {SettingsError} when one is missing or unsafe
 */
export function readSettings(environment) {
  const port = readPort(environment.PORT);
  return {
    databaseUrl: required(environment, "DATABASE_URL"),
    sessionHashSecret: sessionHashSecret(environment),
    betterAuthSecret: betterAuthSecret(environment),
    baseUrl: readUrl(environment.BETTER_AUTH_URL ?? `http://localhost:${port}`),
    trustedOrigins: readList(environment.TRUSTED_ORIGINS),
    host: environment.HOST ?? "127.0.0.1",
    port,
  };
}

function required(environment, name) {
  const value = environment[name];
  if (!value) throw new SettingsError(`${name} is not set.`);
  return value;
}

function sessionHashSecret(environment) {
  const secret = required(environment, "SESSION_HASH_SECRET");
  if (!/^[0-9a-f]{64}$/i.test(secret)) {
    throw new SettingsError("SESSION_HASH_SECRET must be 64 hexadecimal characters.");
  }
  return secret;
}

function betterAuthSecret(environment) {
  const secret = required(environment, "BETTER_AUTH_SECRET");
  if (secret.length < 32) {
    throw new SettingsError("BETTER_AUTH_SECRET must have at least 32 characters.");
  }
  return secret;
}

function readPort(text = "4000") {
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port >= 1 && port <= 65535)) {
    throw new SettingsError("PORT must be a number between 1 and 65535.");
  }
  return port;
}

function readUrl(text) {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new SettingsError("BETTER_AUTH_URL must be an http or https URL.");
  }
  return text;
}

function readList(text = "") {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
}
