import { createServer } from "node:http";

import { toNodeHandler } from "better-auth/node";

import { createAuth } from "./auth.mjs";
import { openDatabase } from "./database.mjs";
import { readSettings, SettingsError } from "./settings.mjs";

async function main() {
  const settings = readSettings(process.env);
  const database = await openDatabase(settings.databaseUrl);
  const server = createServer(requestListener(await createAuth(settings, database.connection)));
  server.listen(settings.port, settings.host, () =>
    console.log(`listening on ${settings.baseUrl}`),
  );
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => server.close(() => database.close()));
  }
}

function requestListener(auth) {
  const handleAuth = toNodeHandler(auth);
  return (request, response) => {
    if (request.url === "/health") return sendJson(response, 200, { status: "ok" });
    if (!request.url.startsWith("/api/auth/")) {
      return sendJson(response, 404, { message: "Not Found" });
    }
    return handleAuth(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) sendJson(response, 500, { message: "Internal Server Error" });
    });
  };
}

function sendJson(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

main().catch((error) => {
  console.error(error instanceof SettingsError ? error.message : error);
  process.exit(1);
});
