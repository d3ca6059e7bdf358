/**
 * Several POST requests in one write on one connection: a Node server reads them in one turn of its event loop, so that nothing that
 * arrives on another connection comes between them. (Client libraries pipeline only once a connection is warm, in writes of their own.)
 */
import { connect, type Socket } from 'node:net';

export interface Post {
  readonly path: string;
  readonly body: unknown;
}

const HEADERS_END = '\r\n\r\n';

export class Pipeline {
  readonly #socket: Socket;
  #received = '';
  #heard: () => void = () => undefined;
  #ended: (error: Error) => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      this.#heard();
    });
    this.#socket.on('error', () => undefined).on('close', () => this.#ended(new Error('the connection ended')));
  }

  /** The answers' bodies, in order. One call at a time. Rejects when one of them is not a 200 or the connection ends. */
  async post(posts: readonly Post[]): Promise<string[]> {
    this.#socket.write(posts.map(requestOf).join(''));
    const bodies: string[] = [];
    while (bodies.length < posts.length) {
      const body = this.#takeOne();
      if (body !== undefined) bodies.push(body);
      else await this.#more();
    }
    return bodies;
  }

  close(): void {
    this.#socket.destroy();
  }

  #takeOne(): string | undefined {
    const end = this.#received.indexOf(HEADERS_END);
    if (end < 0) return undefined;
    const head = this.#received.slice(0, end);
    const from = end + HEADERS_END.length;
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < from + length) return undefined;
    const body = this.#received.slice(from, from + length);
    this.#received = this.#received.slice(from + length);
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(body);
    return body;
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#heard = resolve;
      this.#ended = reject;
    });
  }
}

function requestOf({ path, body }: Post): string {
  const text = JSON.stringify(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`;
  return `${head}${HEADERS_END}${text}`;
}
