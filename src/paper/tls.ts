export function createCertificate(): { key: string; cert: string } {
  throw new Error('not yet');
}
