/** Starts the run's shared services (started in earnest when a test first asks). Ended by global-teardown.ts. */
import { Services, SERVICES_ENV } from './services';

export default async function setUp(): Promise<void> {
  const services = new Services();
  process.env[SERVICES_ENV] = await services.start();
  (globalThis as { counterlegServices?: Services }).counterlegServices = services;
}
