/** Asks before anything is done: what it will do, who does it. What becomes of it is shown with the pairs. */
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Ask {
  readonly title: string;
  readonly what: string;
  readonly action: Readonly<Record<string, unknown>>;
  /** Settings to fill in: `quantity` → what it is now. */
  readonly settings?: Readonly<Record<string, string>>;
}

const NAME_KEY = 'counterleg-name';

export function Asking({ ask, onClose }: { readonly ask: Ask; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [by, setBy] = useState(localStorage.getItem(NAME_KEY) ?? '');
  const [values, setValues] = useState<Readonly<Record<string, string>>>(ask.settings ?? {});
  const [error, setError] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  const changed = Object.entries(values).filter(
    ([name, value]) => value.trim() !== '' && value !== ask.settings?.[name],
  );
  const confirm = async (): Promise<void> => {
    if (by.trim() === '') return setError('Say who you are: it goes into the record.');
    if (ask.settings !== undefined && changed.length === 0) return setError('Nothing is changed.');
    localStorage.setItem(NAME_KEY, by);
    const settings =
      ask.settings === undefined ? {} : { settings: changed.map(([name, value]) => `${name}=${value.trim()}`) };
    const why = await send({ ...ask.action, ...settings, by: by.trim() });
    if (why === undefined) onClose();
    else setError(why);
  };
  return (
    <dialog ref={dialog} aria-labelledby="ask-title" aria-describedby="ask-what" onClose={onClose}>
      <h2 id="ask-title">{ask.title}</h2>
      <p id="ask-what">{ask.what}</p>
      {Object.keys(values).map((name) => (
        <label key={name}>
          {name}
          <input
            value={values[name]}
            onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
            autocomplete="off"
          />
        </label>
      ))}
      <label>
        your name, for the record
        <input value={by} maxLength={60} onInput={(event) => setBy(event.currentTarget.value)} autocomplete="name" />
      </label>
      <p class="bad" role="alert">
        {error}
      </p>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Leave it
        </button>
        <button type="button" class="do" onClick={() => void confirm()}>
          {ask.title}
        </button>
      </div>
    </dialog>
  );
}

/** Undefined: it was begun. */
async function send(action: unknown): Promise<string | undefined> {
  try {
    const answer = await fetch('./actions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-counterleg': 'console' },
      body: JSON.stringify(action),
    });
    return answer.ok ? undefined : (await answer.text()).trim();
  } catch {
    return 'The console does not answer: whether it was begun is not known. Look at the pair before you ask again.';
  }
}
