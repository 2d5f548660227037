/** The JSON lines of an answer, each as it comes. Leaving the loop ends the request. */
export async function* readLines<T>(response: Response): AsyncGenerator<T, void, undefined> {
  for await (const line of lines(response)) {
    if (line) {
      yield JSON.parse(line) as T;
    }
  }
}

/** The lines of an answer's text, without their ends. */
export async function* lines(response: Response): AsyncGenerator<string, void, undefined> {
  if (response.body === null) {
    return;
  }
  const reader = response.body
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        break;
      }
      const parts = (rest + value).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
    if (rest) {
      yield rest;
    }
  } finally {
    // Also when whoever reads leaves early: the service must not go on talking to nobody.
    void reader.cancel().catch(() => undefined);
  }
}
