// Drives Vezgo's SDK for JavaScript, as it is published, through what its users do, and tells what came of it.
//
// The first line of the input is the stage: where servers listen and who may ask. Each line of the output is JSON: `{"ask": word}`
// wants the other side to do something and to send a line when it is done; `{"done": results}` is the last one.

'use strict';

const http = require('node:http');
const readline = require('node:readline');

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function ask(word) {
  say({ ask: word });
  await next();
}

// What a promise came to: its value, or what the SDK's user sees of a failure.
async function outcome(promise) {
  try {
    const value = await promise;
    return { value: value === undefined ? 'undefined' : value };
  } catch (error) {
    const { response } = error;
    return {
      error: error.constructor.name,
      text: error.message,
      status: response ? response.status : null,
      body: response ? response.data : null,
      headers: response ? response.headers : null,
    };
  }
}

// One request below the SDK, for what the SDK cannot be told to do: its status, headers and text.
function raw(address, { method = 'GET', headers = {}, body, agent } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(address, { method, headers, agent }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() })
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function main() {
  const stage = await next();
  const Vezgo = require(stage.sdk);
  const statuses = [];
  const sdk = (more = {}) => {
    const { loginName = 'u1', ...options } = more;
    const user = Vezgo.init({
      clientId: stage.clientId,
      secret: stage.secret,
      baseURL: `${stage.address}/v1`,
      connectURL: stage.connect,
      redirectURI: 'http://app/cb',
      ...options,
    }).login(loginName);
    for (const api of [user.api, user.userApi]) {
      api.addMonitor(({ status, data, config }) => statuses.push([config.method, status, data === null]));
    }
    return user;
  };
  const user = sdk();
  const { account } = stage;
  const run = { stage, sdk, user, account, statuses };
  const results = {};
  for (const [name, item] of Object.entries(items)) results[name] = await item(run);
  say({ done: results });
  process.stdin.destroy();
}

const items = {
  async token({ stage, sdk }) {
    const address = `${stage.address}/v1/auth/token`;
    const body = JSON.stringify({ clientId: stage.clientId, secret: stage.secret });
    const type = { 'Content-Type': 'application/json' };
    const named = (header) => raw(address, { method: 'POST', headers: { ...type, [header]: 'u1' }, body });
    const text = await sdk().getToken();
    return {
      text,
      asked_at: Date.now() / 1000,
      header_cases: await Promise.all(['loginName', 'loginname', 'LOGINNAME', 'LoginName'].map(named)),
      wrong_secret: await outcome(sdk({ secret: 'omni_live_wrong' }).getToken()),
      no_name: await raw(address, { method: 'POST', headers: type, body }),
      latin: await outcome(sdk({ loginName: 'é' }).getToken()),
      deactivated: await outcome(sdk({ clientId: stage.closed.clientId, secret: stage.closed.secret }).getToken()),
      with_slash: await outcome(sdk({ baseURL: `${stage.address}/v1/` }).accounts.getList()),
    };
  },

  async users({ stage, sdk, account }) {
    const other = { clientId: stage.other.clientId, secret: stage.other.secret };
    const ids = async (options) => (await sdk(options).accounts.getList()).map(({ id }) => id);
    return {
      same: await ids({}),
      another_user: await ids({ loginName: 'u2' }),
      another_team: await ids(other),
      foreign: await Promise.all(
        ['accounts', 'transactions', 'history'].map((name) => {
          const asked = sdk({ loginName: 'u2' })[name];
          return outcome(name === 'accounts' ? asked.getOne(account) : asked.getList({ accountId: account }));
        })
      ),
      foreign_removal: await outcome(sdk({ loginName: 'u2' }).accounts.remove(account)),
    };
  },

  async lifetimes({ stage, sdk }) {
    const found = {};
    for (const [seconds, address] of Object.entries(stage.lagging)) {
      const twice = async (get) => (await get()) === (await get());
      const plain = sdk({ baseURL: `${address}/v1` });
      const connecting = sdk({ baseURL: `${address}/v1` });
      found[seconds] = {
        data_kept: await twice(() => plain.getToken()),
        connect_kept: await twice(async () => (await connecting.getConnectData()).token),
      };
    }
    return found;
  },

  async open({ stage }) {
    const anybody = withoutUser(stage);
    const provider = await anybody.providers.getOne('binance');
    return {
      list: await anybody.providers.getList(),
      team: await anybody.getTeam(),
      provider,
      alternates: await Promise.all((provider.alternate_names || []).map((name) => anybody.providers.getOne(name))),
      unknown: await outcome(anybody.providers.getOne('nowhere')),
      exchanges: (await anybody.providers.getList({ category: 'exchanges' })).map(({ category }) => category),
      blockchains: (await anybody.providers.getList({ category: 'blockchains' })).map(({ category }) => category),
      unknown_parameter: (await anybody.providers.getList({ colour: 'red', limit: 'undefined' })).length,
      unknown_team: await outcome(withoutUser(stage, { clientId: 'nobody' }).getTeam()),
    };
  },

  async bearers({ stage, account }) {
    const tries = { missing: {}, garbage: { authorization: 'Bearer a.b.c' }, basic: { authorization: 'Basic dTpw' } };
    tries.expired = { authorization: `Bearer ${stage.expired}` };
    const found = {};
    for (const [name, headers] of Object.entries(tries)) {
      found[name] = await raw(`${stage.address}/v1/accounts/${account}`, { headers });
    }
    return found;
  },

  async slashes({ stage, user, account }) {
    const headers = { authorization: `Bearer ${await user.getToken()}`, 'content-type': 'application/json' };
    const paths = ['/accounts', `/accounts/${account}`, `/accounts/${account}/transactions`, `/accounts/${account}/history`];
    paths.push(`/accounts/${account}/orders`, '/providers', '/providers/kraken', `/teams/info`);
    const asked = paths.flatMap((path) => [path, `${path}/`]);
    const query = `?client_id=${stage.clientId}`;
    return Promise.all(asked.map(async (path) => [path, (await raw(`${stage.address}/v1${path}${query}`, { headers })).status]));
  },

  async direct({ stage, sdk }) {
    const loginName = 'direct';
    const { userApi, accounts } = sdk({ loginName });
    const body = {
      provider: 'kraken',
      credentials: { key: 'K'.repeat(56), secret: 's'.repeat(88) },
      name: 'Mine',
      sync_transactions: true,
      sync_nfts: false,
      daily_sync: true,
    };
    const made = await userApi.post('/accounts', body);
    const again = await userApi.post('/accounts', body);
    const one = (await accounts.getList())[0];
    return {
      status: made.status,
      type: made.headers['content-type'],
      made: made.data,
      again: { status: again.status, body: again.data },
      one,
      removed: await outcome(accounts.remove(one.id)),
      removed_again: await outcome(accounts.remove(one.id)),
    };
  },

  async accounts({ user, account }) {
    return {
      list: await user.accounts.getList(),
      one: await user.accounts.getOne(account),
      of_wallet: await user.accounts.getOne(account, { wallet: 'demo:spot' }),
      synced: await user.accounts.sync(account),
    };
  },

  async transactions({ user, account }) {
    const get = (options) => user.transactions.getList({ accountId: account, ...options });
    const pages = {};
    for (const sort of ['asc', 'desc']) {
      const rows = [];
      for (let last = '', page; (page = await get({ last, limit: 4, sort })).length; last = page[page.length - 1].id) {
        rows.push(...page);
        if (rows.length === 4) await ask(`row while ${sort}`);
      }
      pages[sort] = rows.map(({ id, initiated_at }) => [id, initiated_at]);
    }
    const all = await get({ limit: 1000 });
    const day = (at) => new Date(at).toISOString().slice(0, 10);
    const from = day(all[3].initiated_at);
    const excluded = await get({ limit: 1, exclude_fields: 'other_parties,misc,fees' });
    return {
      pages,
      all,
      counted: (await get({ limit: 3 })).length,
      trades: (await get({ types: 'trade' })).map((row) => row.transaction_type),
      trades_and_deposits: (await get({ types: 'trade,deposit', limit: 1000 })).length,
      eth: await get({ ticker: 'ETH' }),
      spot: (await get({ wallet: 'demo:spot', limit: 1000 })).length,
      nowhere: await get({ wallet: 'demo:nowhere' }),
      day: from,
      of_day: (await get({ from, to: from, limit: 1000 })).map((row) => day(row.initiated_at)),
      expected_of_day: all.map((row) => day(row.initiated_at)).filter((found) => found === from),
      excluded,
      one: await user.transactions.getOne({ accountId: account, txId: all[0].id }),
      absent: (await get({ from: undefined, to: null, last: undefined, limit: null, sort: undefined, wallet: null })).length,
      bad: Object.fromEntries(
        await Promise.all(
          Object.entries({ from: 'yesterday', to: '2024-02-30', limit: -1, sort: 'sideways', types: 'robbery' }).map(
            async ([name, value]) => [name, await outcome(get({ [name]: value }))]
          )
        )
      ),
    };
  },

  async history({ user, account }) {
    const orders = await user.userApi.get(`/accounts/${account}/orders`);
    return {
      rows: await user.history.getList({ accountId: account }),
      has_orders: 'orders' in user,
      orders: orders.data,
      order: (await user.userApi.get(`/accounts/${account}/orders/${orders.data[0].id}`)).data,
    };
  },

  async errors({ stage, sdk, user, account }) {
    const busy = sdk({ baseURL: `${stage.busy}/v1`, loginName: 'u1' });
    let refused;
    do refused = await outcome(busy.accounts.getList());
    while (refused.value);
    return {
      400: await outcome(user.transactions.getList({ accountId: account, limit: 5000 })),
      401: await outcome(sdk({ secret: 'wrong' }).accounts.getList()),
      403: await outcome(sdk({ clientId: stage.closed.clientId, secret: stage.closed.secret }).accounts.getList()),
      404: await outcome(user.accounts.getOne('000000000000000000000000')),
      409: await outcome(user.accounts.sync(stage.running)),
      429: refused,
      503: await outcome(sdk({ baseURL: `${stage.broken}/v1` }).accounts.getList()),
    };
  },

  async kyc({ user, account }) {
    const asked = await user.userApi.get(`/accounts/${account}/kyc-data`);
    return { status: asked.status, body: asked.data };
  },

  async addresses({ stage, sdk, account }) {
    const cases = {
      plain: {},
      everything: {
        state: 'S=1', lang: 'fr', theme: 'dark', providersPerLine: 1, syncNfts: false, features: 'a,b', origin: 'http://o',
      },
      providers: { providers: ['a', 'b'] },
      reconnect: { accountId: account },
      provider: { provider: 'binance' },
      base64_state: { state: 'eyJ1Ijo0Mn0=' },
      own_redirect: { redirectURI: 'app.mine://back?x=1' },
    };
    const user = sdk({ clientId: stage.clientId });
    const found = {};
    for (const [name, options] of Object.entries(cases)) found[name] = (await user.getConnectData(options)).url;
    found.demo = (await sdk({ demo: true }).getConnectData()).url;
    return found;
  },

  async browsers({ stage, user, account }) {
    const bearer = { authorization: `Bearer ${await user.getToken()}` };
    const preflight = (path, method, origin, headers) =>
      raw(`${stage.address}/v1${path}`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
      });
    const { origin } = stage;
    return {
      get: await preflight('/accounts', 'GET', origin, 'authorization'),
      post: await preflight(`/accounts/${account}/sync`, 'POST', origin, 'authorization,content-type'),
      delete: await preflight(`/accounts/${account}`, 'DELETE', origin, 'authorization'),
      foreign: await preflight('/accounts', 'GET', 'https://evil.example', 'authorization'),
      providers: await raw(`${stage.address}/v1/providers/kraken`, { headers: { origin: 'https://any.example' } }),
      errors: [
        await raw(`${stage.address}/v1/accounts`, { headers: { origin } }),
        await raw(`${stage.address}/v1/accounts/000000000000000000000000`, { headers: { origin, ...bearer } }),
        await raw(`${stage.address}/v1/accounts/${account}/transactions?limit=x`, { headers: { origin, ...bearer } }),
        await raw(`${stage.address}/v1/nowhere`, { headers: { origin, ...bearer } }),
        await raw(`${stage.address}/v1/providers/nowhere`, { headers: { origin } }),
      ],
    };
  },

  async ids({ user }) {
    const strange = ['a/b?x=1', '../accounts', '%2e%2e', 'x'.repeat(100), '__proto__'];
    return Promise.all(strange.map((id) => outcome(user.accounts.getOne(id))));
  },

  async connections({ stage, sdk }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const user = sdk({ loginName: 'kept' });
    user.userApi.axiosInstance.defaults.httpAgent = agent;
    const sockets = new Set();
    const kept = agent.createConnection;
    agent.createConnection = (...given) => {
      const socket = kept.apply(agent, given);
      sockets.add(socket);
      return socket;
    };
    const made = await user.userApi.post('/accounts', { provider: 'demo', credentials: { username: 'demo', password: 'demo' } });
    const headers = { authorization: `Bearer ${await user.getToken()}` };
    const poll = await raw(`${stage.address}/v1/accounts/${made.data.id}/poll?v=${2 ** 40}`, { headers, agent });
    const after_poll = (await user.accounts.getList()).length;
    const removed = await outcome(user.accounts.remove(made.data.id));
    const after_removal = (await user.accounts.getList()).length;
    const kept_answer = await raw(`${stage.address}/v1/accounts`, { headers, agent });
    const conditional = { ...headers, 'if-none-match': kept_answer.headers.etag };
    const asked_again = await raw(`${stage.address}/v1/accounts`, { headers: conditional, agent });
    agent.destroy();
    return {
      sockets: sockets.size, poll, after_poll, removed, after_removal, etag: kept_answer.headers.etag, asked_again,
    };
  },

  async statuses({ statuses }) {
    return statuses;
  },
};

// The SDK before anybody has logged in.
function withoutUser(stage, more = {}) {
  const Vezgo = require(stage.sdk);
  return Vezgo.init({ clientId: stage.clientId, secret: stage.secret, baseURL: `${stage.address}/v1`, ...more });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
