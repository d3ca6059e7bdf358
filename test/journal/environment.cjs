/** Jest runs tests where a package cannot import by itself, which the embedded database does: it is loaded out here. */
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global.pglite = require('@electric-sql/pglite');
  }
};
