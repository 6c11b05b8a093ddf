// An application's back end: it knows the secret and who is signed in, and gives the page what it may show.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Omnifolio } from "@omnifolio/client";

const { CLIENT_ID: clientId, SECRET: secret, OMNIFOLIO_URL: baseURL = "http://127.0.0.1:8400/v1", PORT = "3000" } = process.env;
const omnifolio = new Omnifolio({ baseURL, clientId, secret, user: "customer-7" }); // yours: the user of this session
const page = readFileSync(new URL("index.html", import.meta.url), "utf8").replace("{server}", new URL(baseURL).origin);

const routes = {
  "GET /portfolio": async () => {
    const [portfolio, accounts] = await Promise.all([omnifolio.portfolio(), omnifolio.accounts.list()]);
    return { ...portfolio, status: accounts.map(({ provider, status }) => `${provider.display_name}: ${status}`) };
  },
  "POST /connect": () => omnifolio.linkToken({ origin: `http://127.0.0.1:${PORT}` }), // a page that your team has registered
};

createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (!route) return response.writeHead(request.url === "/" ? 200 : 404, { "content-type": "text/html" }).end(page);
  const [status, found] = await route().then((value) => [200, value], ({ message }) => [502, { message }]);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(found));
}).listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));
