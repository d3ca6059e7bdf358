/** Everything a process needs to be watched, built in one call; and the parts, for those who need only one. */
import { channelsOf, type AlertChannels } from './alert-channels';
import { type AlertKind, Alerts, type RaiseAlert } from './alerts';
import { Health } from './health';
import { startHeartbeat } from './heartbeat';
import { createLogger, type RootLogger } from './logger';
import { createMetrics, type Metrics } from './metrics';
import { type ObservabilityServer, startObservabilityServer } from './server';

export { type AlertChannels } from './alert-channels';
export {
  type Alert,
  type AlertEnd,
  alertKind,
  type AlertKind,
  Alerts,
  type AlertWeight,
  type RaiseAlert,
  type RecentAlert,
  subjectOf,
} from './alerts';
export { Health, type HealthPart, type HealthReport } from './health';
export { createLogger, type Logger, type RootLogger } from './logger';
export { createMetrics, type Metrics } from './metrics';
export { type ObservabilityServer, startObservabilityServer } from './server';

export interface Observability {
  readonly logger: RootLogger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly raiseAlert: RaiseAlert;
  readonly server: ObservabilityServer;
  /** Ends the server, delivers queued alerts, writes buffered log lines. */
  close(): Promise<void>;
}

export interface ObservabilityOptions {
  /** `maker` or `hedger`. */
  readonly process: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** Default: COUNTERLEG_LOG_LEVEL, else `info`. */
  readonly level?: string;
  readonly channels?: AlertChannels;
  /** Of the page; alerts name it. */
  readonly pageUrl?: string;
  readonly heartbeat?: { readonly url: string; readonly everyMs: number };
}

export async function startObservability(options: ObservabilityOptions): Promise<Observability> {
  const { process, channels = {}, heartbeat } = options;
  const level = options.level ?? globalThis.process.env['COUNTERLEG_LOG_LEVEL'];
  const logger = createLogger({ process, ...(level === undefined ? {} : { level }) });
  const metrics = createMetrics({ process, version: options.version });
  const health = new Health();
  const alerts = new Alerts({
    logger,
    process,
    count: (kind: AlertKind) => metrics.alerts.inc({ kind }),
    onFailure: (channel) => metrics.alertFailures.inc({ channel }),
    channels: channelsOf(channels),
    ...(options.pageUrl === undefined ? {} : { pageUrl: options.pageUrl }),
  });
  const server = await startObservabilityServer({
    ...options,
    registry: metrics.registry,
    health,
    alerts: () => alerts.recent,
  });
  const endHeartbeat = heartbeat && startHeartbeat({ ...heartbeat, health, logger });
  return {
    logger,
    metrics,
    health,
    raiseAlert: alerts.raise,
    server,
    async close() {
      endHeartbeat?.();
      await server.close();
      await alerts.resolved();
      logger.flush();
    },
  };
}
