/** What `environment.cjs` loaded. */
module.exports = globalThis.pglite;
