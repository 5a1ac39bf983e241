// A certified OpenID provider on loopback, for tests: `node provider.mjs REDIRECT LEFT TOLD`, where
// REDIRECT is how the addresses begin to which browsers are sent back, LEFT where they go after a
// sign-out, and TOLD what is told of one; without the last two it takes no sign-out.
// Whoever signs in is named by the cookie `who` of the browser: "subject|group,group|amr,amr".
// Prints its issuer in one line and ends with its standard input.
import http from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [redirect, left, told] = process.argv.slice(2);
const server = http.createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const signing = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "first" };
const people = new Map();

const provider = new Provider(issuer, {
  clients: ["postern", "another"].map((client_id) => ({
    client_id,
    client_secret: `the secret of ${client_id} & more`,
    redirect_uris: [redirect],
    response_types: ["code"],
    grant_types: ["authorization_code"],
    ...(left && {
      post_logout_redirect_uris: [left],
      backchannel_logout_uri: told,
      backchannel_logout_session_required: true,
    }),
  })),
  jwks: { keys: [signing] },
  cookies: { keys: ["of tests only"] },
  claims: { openid: ["sub", "groups", "acr", "amr"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true, methods: ["S256"] },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: Boolean(left) },
    backchannelLogout: { enabled: Boolean(left) },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  async findAccount(_ctx, accountId) {
    const groups = people.get(accountId) ?? [];
    return { accountId, claims: async () => ({ sub: accountId, groups }) };
  },
  async loadExistingGrant(ctx) {
    const grant = new provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});

provider.Client.prototype.redirectUriAllowed = (value) => value.startsWith(redirect);

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) {
    await next();
    return;
  }
  const [accountId, groups, amr] = decodeURIComponent(ctx.cookies.get("who") ?? "||").split("|");
  people.set(accountId, groups.split(",").filter(Boolean));
  const login = { accountId, amr: amr.split(",").filter(Boolean), remember: false };
  const refused = { error: "access_denied", error_description: "nobody signed in" };
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, accountId ? { login } : refused, {
    mergeWithLastSubmission: false,
  });
});

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume();
console.log(issuer);
