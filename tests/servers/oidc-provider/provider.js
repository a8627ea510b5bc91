// An OpenID provider for tests: oidc-provider with its own pages for login and consent. Its only argument is JSON: {clients: [...]}, as
// that package takes them. The first line of standard output is its address; it ends with its standard input.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { clients } = JSON.parse(process.argv[2]);
const server = createServer();

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    claims: { openid: ['sub'], profile: ['name'] },
    cookies: { keys: ['of tests'] },
    features: { deviceFlow: { enabled: true } },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.on('end', () => process.exit(0)).resume();
